"""One agent's account in a file, line by line, across all its agents' lives."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TextIO

from agent.device_events import DeviceEvent
from agent.errors import InputError
from agent.log import get_logger
from simulator.trace import Entry, Recorder, device_source, read_line, write_line

LINE: Final = b'{"id":'
"""How a line begins that a killed agent may have left without an end."""


class TraceFile:
    """One device's account, appended to a file line by line, each at once; `path` None keeps nothing.

    An agent that was killed goes on in the same file: its numbers go on too, and what it was writing when it died is
    cut off. Raises InputError if the file cannot be written to, or is no trace. If that comes later, as on a full
    disk, the account ends there, and the device goes on.
    """

    def __init__(self, path: Path | None, thing: str) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._record: Callable[[DeviceEvent], None] = lambda event: None
        if path is None:
            return
        source = device_source(thing)
        try:
            path.touch(mode=0o600)
            count = _last_number(path, source)
            self._file = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise InputError(f"--trace {path}: cannot be written to: {error.strerror}") from None
        self._record = Recorder(source, time.monotonic, self._write, count + 1).record

    def observe(self, event: DeviceEvent) -> None:
        """Append one event."""
        self._record(event)

    def _write(self, entry: Entry) -> None:
        if self._file is None:
            return
        try:
            self._file.write(write_line(entry) + "\n")
        except OSError as error:
            self._close()
            get_logger("ghostjob.agent").warning("trace.unwritable", path=str(self._path), why=error.strerror)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written is still in its hands
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def _last_number(path: Path, source: str) -> int:
    """The number of the source's last entry, 0 if there is none; a line without an end is cut off."""
    last = whole = 0
    with path.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n") and line.startswith(LINE):
                file.truncate(whole)
                break
            whole += len(line)
            entry = read_line(line.decode(), str(path))
            if entry is not None and entry.source == source:
                last = entry.n
    return last
