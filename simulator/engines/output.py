"""The directory that `--out` names: a trace and a verdict, whole or not at all.

Both are written under names with `.partial` and get their own at the end, so that a reader never meets a file that is
cut off, and an older run's files stay until a new one has finished. A disk that fills up ends the trace, and not the
run: what was played is judged all the same, and the command fails when it is over.
"""

import contextlib
import os
from pathlib import Path
from typing import Self, TextIO

from agent.errors import InputError
from agent.log import get_logger
from simulator.trace import Entry, write_line
from simulator.verdict import Verdict

TRACE = "trace.jsonl"
VERDICT = "verdict.json"


class OutputDirectory:
    """Makes `directory` if need be. Raises InputError if it cannot be written to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lost: InputError | None = None
        """Why nothing is written any more."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._trace: TextIO = self._partial(TRACE).open("w", encoding="utf-8")
        except OSError as error:
            raise self._refusal(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written is still in its hands
            self._trace.close()
        for name in (TRACE, VERDICT):
            self._partial(name).unlink(missing_ok=True)

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

        Raises InputError if not everything could be written.
        """
        if self._lost is not None:
            raise self._lost
        try:
            self._trace.flush()
            os.fsync(self._trace.fileno())
            if verdict is not None:
                self._partial(VERDICT).write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
                self._partial(VERDICT).replace(self._directory / VERDICT)
            self._partial(TRACE).replace(self._directory / TRACE)
        except OSError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> InputError:
        return InputError(f"--out {self._directory}: cannot write there: {error.strerror}")

    def _partial(self, name: str) -> Path:
        return self._directory / f"{name}.partial"
