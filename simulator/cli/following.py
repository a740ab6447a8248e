"""A play that goes on elsewhere, as the live page shows it: a fold of its trace, which grows meanwhile."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulator.certify.certificate import Certificate
from simulator.certify.output import CERTIFICATE, PLAYS
from simulator.cli.growing_file import LOOK_SECONDS, PARTIAL, GrowingFile
from simulator.cli.report import about, kept
from simulator.engines.output import TRACE, VERDICT
from simulator.page.contained import ContainedPicture
from simulator.trace import CLOUD, AccountEnded, Entry, RunEnded, RunStarted, read_line
from simulator.verdict import Judge, Verdict

SILENT_SECONDS: Final = 30.0
"""When so long nothing has come, that is said."""
CERTIFY: Final = "certify"
"""The engine of a cell's play, of which its session alone knows what may be judged."""


class Following:
    """Of `file`. `is_left`: an earlier play has left it, and all of it is there. `say` is told what is waited for."""

    def __init__(self, file: GrowingFile, *, is_left: bool, say: Callable[[str], None]) -> None:
        self._file, self.is_left, self._say = file, is_left, say
        name = file.path.name
        self._is_partial = name.endswith(PARTIAL)
        self._directory = file.path.parent if name in (TRACE, TRACE + PARTIAL) else None
        self._started: RunStarted | None = None
        self._has_ended = False
        self._is_watched = True
        self._is_session = False
        self.judge = Judge()
        self.picture = ContainedPicture(file.path.parent.name if self._directory else name, "", "cloud", say)

    async def until_over(self) -> bool:
        """Take in what comes until all has come; False: somebody began the file anew. Raises InputError."""
        came_at, has_said = time.monotonic(), False
        while True:
            has_lost_its_name = self._file.has_lost_its_name  # before it is read: nothing comes to it after that
            if self.take_in():
                came_at, has_said = time.monotonic(), False
                await asyncio.sleep(0)
            elif has_lost_its_name:
                return self._is_partial
            elif self._is_complete:
                return True
            else:
                if not has_said and time.monotonic() - came_at > SILENT_SECONDS:
                    self._say(self._silence())
                    has_said = True
                await asyncio.sleep(LOOK_SECONDS)

    def _silence(self) -> str:
        return (
            f"{self._file.path}: nothing new for {SILENT_SECONDS:g} s, and no end of it: more is waited for, unless "
            "whoever writes it is gone"
        )

    @property
    def _is_complete(self) -> bool:
        """Whether what there is says that no more comes: a run has ended, and the cloud watches no more."""
        if self._is_partial:
            return False
        return self.is_left or (not self._is_watched and (self._started is None or self._has_ended))

    def take_in(self) -> bool:
        """A part of what has come; whether there was any."""
        lines = self._file.lines()
        for where, line in lines:
            if line.strip() and (entry := read_line(line, where)) is not None:
                self._feed(entry)
        if lines and self._started is None and not self._is_session:
            self._look_for_cells()
        return bool(lines)

    def _feed(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, RunStarted) and self._started is None:
            self._started = event
            self.picture.named(event.scenario, about(event.scenario), "run")
        self._has_ended = self._has_ended or isinstance(event, RunEnded)
        if entry.source == CLOUD:
            self._is_watched = not isinstance(event, AccountEnded)
        self.picture.feed(entry)
        if self._started is None or self._started.engine != CERTIFY:
            self.judge.feed(entry)

    def _look_for_cells(self) -> None:
        if self._directory is not None and (self._directory / PLAYS).is_dir():
            self._is_session = True
            self.picture.named(f"certify {self._directory.name}", "", "certify")

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────

    def conclude(self) -> str:
        """All has come: have the picture know what it came to; one sentence that says so."""
        if self._started is not None:
            verdict = self._verdict_kept(self._directory, self._started)
            if verdict is None and self.judge.has_begun:
                verdict = self.judge.verdict()
            if verdict is not None:
                self.picture.judged(verdict, final=True)
                return f"{verdict.outcome}: {verdict.why}"
        elif (certificate := self._certificate_kept()) is not None:
            self.picture.certified(certificate)
            return f"{certificate.outcome}: {certificate.why}"
        self.picture.over()
        return "nobody has judged it"

    def _verdict_kept(self, directory: Path | None, started: RunStarted) -> Verdict | None:
        """The one that was kept beside it, if it is of this run."""
        verdict = None if directory is None else kept(directory / VERDICT, Verdict)
        if verdict is None or self._is_partial_still or _origin(verdict) != _origin(started):
            return None
        return verdict

    def _certificate_kept(self) -> Certificate | None:
        """What the session came to, if it kept its trace."""
        if self._directory is None or not self._is_session or self._is_partial_still:
            return None
        return kept(self._directory / CERTIFICATE, Certificate)

    @property
    def _is_partial_still(self) -> bool:
        """Whether it ended without getting its name, so that what lies beside it is an older play's."""
        return self._is_partial and not self._file.is_called(self._file.path.with_name(TRACE))


def _origin(told: Verdict | RunStarted) -> tuple[str, str, int | None, str | None, str | None]:
    return told.scenario, told.engine, told.seed, told.version, told.started_at
