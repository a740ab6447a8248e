"""`serial:DEV`: the version that the device writes on its serial line, as the last line that matches a pattern.

    serial:/dev/ttyUSB0    serial:COM3@9600    serial:/dev/ttyACM0@115200#^firmware: (\\S+)

The first group of the pattern is the version, or all of it that matched. It is read all the time, by a thread, since
what a line brings while nobody reads is lost; every match counts. A line that is silent says nothing of the device.

Needs pyserial, the extra `serial`: the port is opened as its own users do, and works alike on Linux, macOS and Windows.
"""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import regex

from agent.errors import InputError
from agent.log import get_logger
from simulator.certify.probes.sample import Sample, Tell, bounded, told, unsampled

PATTERN: Final = r"(?i)\bversion\b\W*(\S+)"
BAUD: Final = 115_200
BAUDS: Final = range(50, 12_000_001)
LONGEST_LINE: Final = 1_024
"""Bytes; what a longer one has besides is not looked at."""
MATCH_SECONDS: Final = 0.1
"""A pattern that takes longer for a line is given up for that line."""
LINE_END: Final = re.compile(rb"[\r\n]+")
READ_BYTES: Final = 4_096
RETRY_SECONDS: Final = 1.0
"""A port that is gone, as with a board that is reset, may come back."""

_log = get_logger("ghostjob.certify")


class SerialProbe:
    """Reads a serial line. Raises InputError without pyserial, and for a bad rate or pattern."""

    announces = True

    def __init__(self, text: str, line: str) -> None:
        self.text = text
        self._pyserial = _pyserial(text)
        self._device, self._baud, self._pattern = _parts(text, line)
        self._tell: Tell | None = None
        self._last = unsampled(f"no line on {self._device} matched yet")
        self._over = threading.Event()
        self._port: Any = None
        self._rest = b""

    def watch(self, tell: Tell) -> None:
        """Open the line. Raises InputError if it cannot be opened."""
        self._tell = tell
        try:
            self._port = self._open()
        except (OSError, ValueError) as error:
            raise InputError(f"--probe {self.text}: {_reason(error)}; is it there, and may you read it?") from None
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop,), name="ghostjob-serial", daemon=True).start()

    async def sample(self) -> Sample:
        """What the last line said that matched."""
        return self._last

    async def close(self) -> None:
        """Let the port go."""
        self._over.set()
        self._tell = None
        if (port := self._port) is not None:
            with suppress(OSError, AttributeError, TypeError):
                port.cancel_read()

    def _open(self) -> Any:
        return self._pyserial.serial_for_url(self._device, baudrate=self._baud, timeout=None)

    # ── in its thread ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is over
            while not self._over.is_set():
                if self._port is None:
                    self._reopen()
                    continue
                try:
                    raw = self._port.read(1)
                    raw += self._port.read(min(self._port.in_waiting, READ_BYTES))
                except (OSError, TypeError) as error:  # TypeError: it was closed meanwhile
                    self._lose()
                    self._rest = b""
                    loop.call_soon_threadsafe(self._say, unsampled(f"the line is gone: {_reason(error)}"))
                else:
                    for version in self._found(raw):
                        loop.call_soon_threadsafe(self._say, told(version.encode()))
        self._lose()

    def _reopen(self) -> None:
        if not self._over.wait(RETRY_SECONDS):
            with suppress(OSError, ValueError):
                self._port = self._open()

    def _lose(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with suppress(OSError):
                port.close()

    def _found(self, raw: bytes) -> Iterator[str]:
        """The versions on the lines that end with these bytes; what the last line has so far is kept."""
        *lines, rest = LINE_END.split(self._rest + raw)
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            text = "".join(each for each in line[:LONGEST_LINE].decode("utf-8", "replace") if _may_stand(each))
            try:
                found = self._pattern.search(text, timeout=MATCH_SECONDS, concurrent=True)
            except TimeoutError:
                _log.warning("probe.pattern_slow", probe=self.text, line=bounded(text, 80))
                continue
            if found is not None:
                yield (found.group(1) if self._pattern.groups else found.group()) or ""

    # ── in the loop ───────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, sample: Sample) -> None:
        self._last = sample
        if self._tell is not None:
            self._tell(sample)


def _pyserial(text: str) -> Any:
    try:
        return import_module("serial")
    except ImportError:
        hint = "install it with: pip install 'ghostjob[serial]'"
        raise InputError(f"--probe {text}: reading a serial line needs pyserial; {hint}") from None


def _parts(text: str, line: str) -> "tuple[str, int, regex.Pattern[str]]":
    port, _, pattern = line.partition("#")
    device, has_baud, baud = port.partition("@")
    if not device:
        raise InputError(f"--probe {text}: name a serial line, such as serial:/dev/ttyUSB0@115200")
    if has_baud and not (baud.isascii() and baud.isdigit() and len(baud) <= 8 and int(baud) in BAUDS):
        raise InputError(f"--probe {text}: '{baud}' is no rate; after @ comes baud, such as @115200")
    try:
        compiled = regex.compile(pattern or PATTERN)
    except regex.error as error:
        raise InputError(f"--probe {text}: the pattern after # is none: {error}") from None
    return device, int(baud) if has_baud else BAUD, compiled


def _may_stand(character: str) -> bool:
    """Whether it is text: a terminal's codes are not."""
    return character.isprintable() or character == "\t"


def _reason(error: Exception) -> str:
    return bounded(getattr(error, "strerror", None) or str(error), 160)
