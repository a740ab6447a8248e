"""The directory that `--out` names: a trace, a verdict and what others read of it, whole or not at all.

All are written under names with `.partial` and get their own at the end, so that a reader never meets a file that is
cut off, and an older run's files stay until a new one has finished; the trace line by line, so that it can be followed
meanwhile (`ghostjob dashboard`). Two at once would write into each other's. A disk
that fills up ends the trace, and not the run: what was played is judged all the same, and the command fails when it is
over.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TextIO, TypeAlias

from agent.errors import InputError
from agent.log import get_logger
from simulator.trace import Entry, write_line
from simulator.verdict import Verdict

TRACE = "trace.jsonl"
VERDICT = "verdict.json"
Face: TypeAlias = Callable[[Verdict], str]
NO_FACES: Final[Mapping[str, Face]] = MappingProxyType({})


class UnwritableError(InputError):
    """What is to be kept cannot be."""


class OutputDirectory:
    """Makes `directory` if need be. Raises UnwritableError if it cannot be written to.

    `faces` are further files that are made of the verdict, by their names.
    """

    def __init__(self, directory: Path, faces: Mapping[str, Face] = NO_FACES) -> None:
        self._directory = directory
        self._faces = faces
        self._lost: UnwritableError | None = None
        """Why nothing is written any more."""
        self._alone: int | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._alone = _alone_in(directory)
            self._trace: TextIO = self._partial(TRACE).open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            self._let_others()
            raise self._refusal(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written is still in its hands
            self._trace.close()
        for name in (TRACE, VERDICT, *self._faces):
            with contextlib.suppress(OSError):  # what is gone with its directory needs no removal
                self._partial(name).unlink(missing_ok=True)
        self._let_others()

    def write(self, entry: Entry) -> None:
        """Append one entry to the trace, as long as that can be done."""
        if self._lost is not None:
            return
        try:
            self._trace.write(write_line(entry) + "\n")
        except OSError as error:
            self._lost = self._refusal(error)
            then = "the run goes on, and is not kept"
            get_logger("ghostjob").warning("trace.unwritable", path=str(self._directory), why=error.strerror, then=then)

    def finish(self, verdict: Verdict | None) -> None:
        """Everything is there: give the files their names. Without a verdict (a fleet alone), only the trace.

        Raises UnwritableError if not everything could be written.
        """
        if self._lost is not None:
            raise self._lost
        try:
            self._trace.flush()
            os.fsync(self._trace.fileno())
            texts = {} if verdict is None else {name: make(verdict) for name, make in self._faces.items()}
            if verdict is not None:
                texts[VERDICT] = verdict.model_dump_json(indent=2) + "\n"
            for name, text in texts.items():
                self._partial(name).write_text(text, encoding="utf-8")
            for name in texts:
                self._partial(name).replace(self._directory / name)
            self._partial(TRACE).replace(self._directory / TRACE)
        except OSError as error:
            raise self._refusal(error) from None

    def _let_others(self) -> None:
        if self._alone is not None:
            os.close(self._alone)
            self._alone = None

    def _refusal(self, error: OSError) -> UnwritableError:
        return UnwritableError(f"--out {self._directory}: cannot write there: {error.strerror}")

    def _partial(self, name: str) -> Path:
        return self._directory / f"{name}.partial"


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
