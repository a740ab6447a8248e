"""The directory that `--out` names: a trace and a verdict, whole or not at all.

Both are written under names with `.partial` and get their own at the end, so that a reader never meets a file that is
cut off, and an older run's files stay until a new one has finished.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from agent.errors import InputError
from simulator.trace import Entry, write_line
from simulator.verdict import Verdict

TRACE = "trace.jsonl"
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
