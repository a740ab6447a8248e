"""A trace that somebody else is writing: the lines that have come, as they come.

There is no event for that which every system has: how large the file is by now is looked at four times a second.
"""

import os
import stat
from pathlib import Path
from typing import Final, Self

from agent.errors import InputError
from simulator.engines.output import TRACE

LOOK_SECONDS: Final = 0.25
"""So often it is looked whether more has come."""
PORTION: Final = 1 << 16
"""Bytes that are read at once: some ten milliseconds of work."""
LONGEST_LINE: Final = 1 << 24
"""Bytes; a line that is longer is none of a trace's."""
PARTIAL: Final = ".partial"
"""How the name of a trace ends whose play goes on, where `--out` keeps it."""


class GrowingFile:
    """Open while the context lasts. Raises FileNotFoundError if it is not there any more, InputError if it cannot be
    read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rest = b""
        self._number = 0
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise InputError(f"{path}: is no file; give a trace, or the directory that has it")
            self._file = path.open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def has_lost_its_name(self) -> bool:
        """Whether its path is another file's by now, or nobody's, or it was begun anew."""
        try:
            there, mine = self.path.stat(), os.fstat(self._file.fileno())
        except OSError:
            return True
        return not os.path.samestat(there, mine) or there.st_size < self._file.tell()

    def is_called(self, path: Path) -> bool:
        """Whether that is its name by now."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def lines(self) -> list[tuple[str, str]]:
        """The next that are whole, each with where it stands; none: no more has come. One that is cut off waits for
        its rest, if it can be the beginning of one. Raises InputError.
        """
        while portion := self._read():
            *whole, self._rest = (self._rest + portion).split(b"\n")
            if self._rest and (self._rest[:1] != b"{" or len(self._rest) > LONGEST_LINE):
                where = f"{self.path}:{self._number + len(whole) + 1}"
                raise InputError(f"{where}: not a trace entry; is it no ghostjob trace?")
            if whole:
                return [self._told(line) for line in whole]
        return []

    def _read(self) -> bytes:
        try:
            return self._file.read(PORTION)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from None

    def _told(self, line: bytes) -> tuple[str, str]:
        self._number += 1
        where = f"{self.path}:{self._number}"
        try:
            return where, line.decode()
        except UnicodeDecodeError:
            raise InputError(f"{where}: not UTF-8 text, so no ghostjob trace") from None


def trace_at(path: Path) -> Path | None:
    """The trace that a path stands for now, be it itself or the directory that has it; None: there is none yet.

    One that is being written comes before one that an earlier play has left. Raises InputError.
    """
    try:
        base = path / TRACE if path.is_dir() else path
        return next((each for each in (partial_of(base), base) if each.exists()), None)
    except OSError as error:  # such as a name that is too long, or a directory that may not be looked into
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def partial_of(trace: Path) -> Path:
    """What a trace is called while it is being written, where `--out` keeps it."""
    return trace.with_name(trace.name + PARTIAL)


def is_written_in(directory: Path) -> bool:
    """Whether somebody keeps a play there now; never in what is no directory."""
    return partial_of(directory / TRACE).exists()
