"""The cloud under attack, as its attackers see it: where it listens, what its probe and its log say."""

import asyncio
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from simulator.certs import make_certificates
from tests.hostile.probed import Reading
from tests.within import within

START_SECONDS: Final = 60
STOP_SECONDS: Final = 60
ANSWER_SECONDS: Final = 60
"""How long a machine that is busy with much else may take; nobody measures by these."""
MEMORY_BYTES: Final = 3 << 30
"""Of address space: an attack on memory ends in a MemoryError of the cloud, and not in the machine's swap."""
DESCRIPTORS: Final = 4096
THINGS: Final = tuple(f"hostile-{number}" for number in range(8))
"""Have certificates where there are any."""


class Log:
    """The cloud's log, read as far as it has come."""

    def __init__(self, path: Path) -> None:
        self.faults: Counter[str] = Counter()
        """What no peer should be able to bring about: tracebacks, lines that are errors, and lines that are no log."""
        self.events: Counter[str] = Counter()
        """All lines, by the names of events."""
        self._path = path
        self._rest = b""
        self._offset = 0

    def read(self) -> Self:
        """Take in what is new."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        return self

    def _take(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            if line.strip() and not line.startswith((" ", "Traceback")):
                self.faults[_kind_of(line)] += 1
            return
        self.events[str(told.get("event", ""))] += 1
        if told.get("level") in ("error", "critical") or "exception" in told:
            last = str(told.get("exception", "")).strip().splitlines()[-1:]
            self.faults[_kind_of(f"{told.get('event')}: {' '.join(last)}")] += 1


def _kind_of(line: str) -> str:
    """A line of the log, without what differs from one time to the next."""
    line = re.sub(r"\\u[0-9a-f]{4}|characters? (?='|in position)", "", line)
    return re.sub(r"'[^']*'|\"[^\"]*\"|\[.*\]|\d+", "…", line)[:200]


@dataclass(slots=True)
class Victim:
    """A cloud that is up. `certs` is None if it has no TLS."""

    process: asyncio.subprocess.Process
    endpoints: Mapping[str, str | None]
    log: "Log"
    certs: Path | None
    http: aiohttp.ClientSession
    _ask: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    findings: list[str] = field(default_factory=list)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def address(self, name: str) -> tuple[str, int]:
        """Host and port of an endpoint."""
        host, _, port = (self.endpoints[name] or "").rpartition(":")
        return host.rpartition("/")[2], int(port)

    async def read(self, *, collect: bool = False) -> Reading:
        """What its probe says. Raises EOFError if it is gone."""
        question = b"collect\n" if collect else b"read\n"
        found = await asyncio.shield(self._read(question))  # or the next who asks would get this answer
        if found is None:
            raise EOFError(f"the cloud is gone, with exit status {self.process.returncode}")
        return found

    async def _read(self, question: bytes) -> Reading | None:
        reader, writer = self._ask
        async with self._asking:
            writer.write(question)
            try:
                line = await within(reader.readline(), ANSWER_SECONDS)
            except ConnectionError:
                line = b""
        return Reading(**json.loads(line)) if line else None

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A REST call: status and body."""
        url, raw = f"{self.endpoints['api']}{path}", json.dumps({} if body is None else body)
        async with self.http.request(method, url, data=raw) as response:
            told = await response.read()
            return response.status, json.loads(told) if told else {}


@asynccontextmanager
async def victim(
    settings: Mapping[str, Any] | None = None,
    *args: str,
    tls: bool = False,
    descriptors: int = DESCRIPTORS,
    memory_bytes: int = MEMORY_BYTES,
) -> AsyncIterator[Victim]:
    """A cloud in a process of its own, while the context lasts.

    At the end `findings` says what of it went wrong: that it died, did not stop, or has errors in its log.
    """
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        home = Path(scratch)
        certs = home / "certs" if tls else None
        ports = ["--api-port", "0", "--mqtt-port", "0", "--mqtts-port", "0" if tls else "off", "--data-port", "off"]
        if certs is not None:
            make_certificates(certs, THINGS)
            ports += ["--certs", str(certs)]
        limits = json.dumps({"memory_bytes": memory_bytes, "descriptors": descriptors})
        command = ["-P", "-m", "tests.hostile.probed", limits, str(home / "probe")]
        with (home / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                *ports,
                "--settings",
                json.dumps(settings or {}),
                *args,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            async with _attached(process, home, certs) as made:
                yield made
            made.findings += await _stopped(process)
            made.findings += [f"in its log, {count} times: {what}" for what, count in made.log.read().faults.items()]
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def _attached(process: asyncio.subprocess.Process, home: Path, certs: Path | None) -> AsyncIterator[Victim]:
    assert process.stdout is not None
    line = await within(process.stdout.readline(), START_SECONDS)
    if not line:
        raise RuntimeError(f"the cloud did not start: {(home / 'log').read_text()[-2000:]}")
    asked = await asyncio.open_unix_connection(str(home / "probe"))
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        try:
            yield Victim(process, json.loads(line), Log(home / "log"), certs, http, asked)
        finally:
            asked[1].close()


async def _stopped(process: asyncio.subprocess.Process) -> list[str]:
    """Tell it to stop, and what is wrong with how it does."""
    if process.returncode is not None:
        return [f"it died under the attack, with exit status {process.returncode}"]
    assert process.stdin is not None
    process.stdin.close()
    try:
        status = await within(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return [f"told to stop, it still ran after {STOP_SECONDS} s"]
    return [f"told to stop, it ended with exit status {status}"] if status else []
