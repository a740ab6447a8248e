"""The directory that `--out` names: a trace and a verdict, whole or not at all.

Both are written under names with `.partial` and get their own at the end, so that a reader never meets a file that is
cut off, and an older run's files stay until a new one has finished.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

from agent.account import DeviceEvent
from agent.errors import InputError
from simulator.trace import Entry, Recorder, device_source, read_line, write_line
from simulator.verdict import Verdict

TRACE = "trace.jsonl"
TRACE_LINE = b'{"id":'
VERDICT = "verdict.json"


class OutputDirectory:
    """Makes `directory` if need be. Raises InputError if it cannot be written to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._trace: TextIO = self._partial(TRACE).open("w", encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out {directory}: cannot write there: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._trace.close()
        self._partial(TRACE).unlink(missing_ok=True)

    def write(self, entry: Entry) -> None:
        """Append one entry to the trace."""
        self._trace.write(write_line(entry) + "\n")

    def finish(self, verdict: Verdict | None) -> None:
        """Everything is there: give the files their names. Without a verdict (a fleet alone), only the trace."""
        self._trace.flush()
        os.fsync(self._trace.fileno())
        if verdict is not None:
            self._partial(VERDICT).write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
            self._partial(VERDICT).replace(self._directory / VERDICT)
        self._partial(TRACE).replace(self._directory / TRACE)

    def _partial(self, name: str) -> Path:
        return self._directory / f"{name}.partial"


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
            structlog.get_logger("ghostjob.agent").warning("trace.unwritable", path=str(self._path), why=error.strerror)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written is still in its hands
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()


def _last_number(path: Path, source: str) -> int:
    """The number of the source's last entry, 0 if there is none; a line without an end is cut off."""
    last = whole = 0
    with path.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n") and line.startswith(TRACE_LINE):
                file.truncate(whole)
                break
            whole += len(line)
            entry = read_line(line.decode(), str(path))
            if entry is not None and entry.source == source:
                last = entry.n
    return last
