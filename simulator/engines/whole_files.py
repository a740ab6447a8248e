"""Files of one directory, each whole or not at all; of those that belong together, each that can be written is.

    files = WholeFiles(directory, tell)
    files.write("verdict.json", lambda: text)
    files.settle()

Each is written beside its name, with `.partial`, so that a reader never meets one that is cut off; then all get their
names at once. What could not be written or made has no file of an older run in its place: that would tell of another.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from agent.log import get_logger
from simulator.own_fault import TO_REPORT, in_words

Make: TypeAlias = Callable[[], str]
Tell: TypeAlias = Callable[[str], None]
REPORT: Final = "report.html"
"""Which can be made again from the others."""


def log_it(sentence: str) -> None:
    """Have it in the log, where nobody else listens."""
    get_logger("ghostjob").warning("file.unmade", why=sentence)


class WholeFiles:
    """Those of `directory`. `tell` hears, in a sentence each, which could not be made by a fault of ghostjob's own."""

    def __init__(self, directory: Path, tell: Tell = log_it) -> None:
        self._directory = directory
        self._tell = tell
        self._ready: list[str] = []
        self._unmade: list[str] = []
        self.lost: dict[str, OSError] = {}
        """What could not be written, with why not."""

    @property
    def kept(self) -> tuple[str, ...]:
        """What is there."""
        return tuple(self._ready)

    def partial(self, name: str) -> Path:
        """Where it is until it is whole."""
        return self._directory / f"{name}.partial"

    def write(self, name: str, make: Make) -> bool:
        """Write what is made, beside its name, if that can be done; whether it was."""
        self.lost.pop(name, None)
        try:
            text = make()
        except Exception as error:  # whatever it is: it costs this file, and none of the others
            self._unmade.append(name)
            again = f"`ghostjob report {self._directory}` tries again; " if name == REPORT else ""
            what = f"{self._directory / name}: not made, as ghostjob itself failed: {in_words(error, name)}"
            self._tell(f"{what}; {again}{TO_REPORT}")
            return False
        path = self.partial(name)
        try:
            if path.parent != self._directory:
                path.parent.mkdir(exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.lose(name, error)
            return False
        self._ready.append(name)
        return True

    def add(self, name: str) -> None:
        """Count in one that has been written beside its name already."""
        self._ready.append(name)

    def lose(self, name: str, error: OSError) -> None:
        """Do without it, and let others have its room."""
        self.lost[name] = error
        with suppress(OSError):
            self.partial(name).unlink(missing_ok=True)

    def settle(self) -> None:
        """Give all that were written their names."""
        for name in tuple(self._ready):
            try:
                self.partial(name).replace(self._directory / name)
            except OSError as error:
                self._ready.remove(name)
                self.lose(name, error)
        for name in (*self.lost, *self._unmade):
            with suppress(OSError):
                (self._directory / name).unlink(missing_ok=True)

    def why_not_all(self) -> str | None:
        """What was lost, with why, and what was not; None if nothing was."""
        if not self.lost:
            return None
        by_reason: dict[str, list[str]] = {}
        for name, error in self.lost.items():
            by_reason.setdefault(error.strerror or str(error), []).append(name)
        told = "; ".join(f"cannot write {', '.join(names)}: {reason}" for reason, names in by_reason.items())
        return f"--out {self._directory}: {told}; kept there: {', '.join(self._ready) or 'nothing'}"
