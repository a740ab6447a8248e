"""The directory that `--out` names: a trace, a verdict and what others read of it, whole or not at all.

All are written under names with `.partial` and get their own at the end, so that a reader never meets a file that is
cut off, and an older run's files stay until a new one has finished; the trace line by line, so that it can be followed
meanwhile (`ghostjob dashboard`). Two at once would write into each other's. A disk that fills up ends the trace, and
not the run: what was played is judged all the same, each file that still can be written is, and the command fails when
it is over. The verdict comes first: for it even the trace makes room.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TextIO, TypeAlias

from agent.errors import InputError
from agent.log import get_logger
from simulator.engines.whole_files import Tell, WholeFiles, log_it
from simulator.trace import Entry, write_line
from simulator.verdict import Verdict

TRACE = "trace.jsonl"
VERDICT = "verdict.json"
Face: TypeAlias = Callable[[Verdict], str]
NO_FACES: Final[Mapping[str, Face]] = MappingProxyType({})
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class UnwritableError(InputError):
    """What is to be kept cannot be."""


class OutputDirectory:
    """Makes `directory` if need be. Raises UnwritableError if it cannot be written to.

    `faces` are further files that are made of the verdict, by their names; `tell` is as WholeFiles has it.
    """

    def __init__(self, directory: Path, faces: Mapping[str, Face] = NO_FACES, tell: Tell = log_it) -> None:
        self._directory = directory
        self._faces = faces
        self._besides: dict[str, str] = {}
        self._files = WholeFiles(directory, tell)
        self._alone: int | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._alone = _alone_in(directory)
            self._trace: TextIO = self._files.partial(TRACE).open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            self._let_others()
            raise UnwritableError(f"--out {self._directory}: cannot write there: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_trace()
        for name in (TRACE, VERDICT, *self._besides, *self._faces):
            with contextlib.suppress(OSError):  # what is gone with its directory needs no removal
                self._files.partial(name).unlink(missing_ok=True)
        self._let_others()

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of what is there, once it has finished."""
        return self._files.kept

    def write(self, entry: Entry) -> None:
        """Append one entry to the trace, as long as that can be done."""
        if TRACE in self._files.lost:
            return
        try:
            self._trace.write(write_line(entry) + "\n")
        except OSError as error:
            self._lose_trace(error)
            then = "the run goes on, and is not kept, but for its verdict if there is room"
            get_logger("ghostjob").warning("trace.unwritable", path=str(self._directory), why=error.strerror, then=then)

    def also(self, name: str, text: str) -> None:
        """Keep one more file, which goes before the faces when room is short; `name` may begin with one directory."""
        self._besides[name] = text

    def finish(self, verdict: Verdict | None) -> None:
        """Everything is there: give the files their names. Without a verdict (a fleet alone), only the trace.

        Raises UnwritableError if not everything could be written: what could be is there all the same.
        """
        files = self._files
        self._end_trace()
        if verdict is not None:
            self._write_verdict(partial(verdict.model_dump_json, indent=2))
            for name, text in self._besides.items():
                files.write(name, partial(str, text))
            for name, make in self._faces.items():
                files.write(name, partial(make, verdict))
        if TRACE not in files.lost:
            files.add(TRACE)
        files.settle()
        if (why := files.why_not_all()) is not None:
            raise UnwritableError(why)

    def _end_trace(self) -> None:
        if TRACE in self._files.lost:
            return
        try:
            self._trace.flush()
            os.fsync(self._trace.fileno())
        except OSError as error:
            self._lose_trace(error)

    def _write_verdict(self, as_json: Callable[[], str]) -> None:
        """First of all; if there is no room for it, the trace makes some."""
        files = self._files
        is_written = files.write(VERDICT, lambda: as_json() + "\n")
        if not is_written and TRACE not in files.lost and (error := files.lost.get(VERDICT)) is not None:
            if error.errno not in NO_ROOM:
                return
            self._lose_trace(error)
            files.write(VERDICT, lambda: as_json() + "\n")

    def _lose_trace(self, error: OSError) -> None:
        """Its room is free at once."""
        self._close_trace()
        self._files.lose(TRACE, error)

    def _close_trace(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written is still in its hands
            self._trace.close()

    def _let_others(self) -> None:
        if self._alone is not None:
            os.close(self._alone)
            self._alone = None


def _alone_in(directory: Path) -> int | None:
    """What keeps others from writing there until it is closed; None where there is no such thing. Raises InputError."""
    if sys.platform == "win32":
        return None
    import fcntl

    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InputError(f"--out {directory}: another run is writing there; give each a directory of its own") from None
    except OSError:  # of a file system that knows no locks
        os.close(lock)
        return None
    return lock
