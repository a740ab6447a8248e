"""What is kept of a search: the verdict, a schedule of each finding, and the trace and the report of one way."""

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from simulator.engines.explore.playing import Played, held_to, of_path
from simulator.engines.explore.schedule import Expected, Schedule
from simulator.engines.explore.system import System
from simulator.engines.output import OutputDirectory
from simulator.report.exploration_files import junit_of_exploration, markdown_of_exploration
from simulator.report.junit import JUNIT
from simulator.report.ladder import Step
from simulator.report.markdown import SUMMARY
from simulator.trace import Entry, RunEnded
from simulator.verdict import InvariantVerdict, Verdict
from simulator.verdict.explored import DOUBTS, Explored, ExploredCell, ExploredFinding

SCHEDULES: Final = "schedules"
SCHEDULE: Final = re.compile(r"\d{2,}-[a-z-]+\.yaml")
"""What is kept there, and by nobody else."""
EVENTS: Final = 8
"""So many entries show what a finding's last choice does."""
LIKELY: Final = ("delete", "executing")
"""Of what befell a device where nothing is wrong: what people want to see first."""


class Shown(NamedTuple):
    """The way that the trace tells, in words, and its choices."""

    words: str
    way: tuple[str, ...]


class Keeping:
    """Keeps it in `out`, each file whole or not at all; None: nowhere. Raises InputError if that cannot be."""

    def __init__(self, out: Path | None, system: System) -> None:
        self._out, self._system = out, system
        self._stack = ExitStack()
        self._directory: OutputDirectory | None = None
        self._known: dict[tuple[str, ...], Played] = {}

    def __enter__(self) -> Self:
        if self._out is not None:
            from simulator.cli.listing import tell_fault

            faces = {JUNIT: junit_of_exploration, SUMMARY: markdown_of_exploration, "report.html": self._report}
            self._directory = self._stack.enter_context(OutputDirectory(self._out, faces, tell_fault))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def with_schedules(self, verdict: Verdict) -> Verdict:
        """The verdict, whose findings name where each one's schedule is kept, and which way the trace tells."""
        explored = verdict.explored
        assert explored is not None, "of a search"
        findings = tuple(
            each.model_copy(update={"schedule": self._schedule(number, each, verdict.scenario)})
            for number, each in enumerate(explored.findings, 1)
        )
        update = {"findings": findings, "shown": _shown(explored).words}
        invariants = tuple(self._pointed(each, findings[:1]) for each in verdict.invariants)
        return verdict.model_copy(update={"invariants": invariants, "explored": explored.model_copy(update=update)})

    def _pointed(self, invariant: InvariantVerdict, shown: Sequence[ExploredFinding]) -> InvariantVerdict:
        """With the entries that show it, if it is the one whose way the trace tells."""
        if not shown or shown[0].invariant != invariant.id or not invariant.violations:
            return invariant
        way = shown[0].way
        at = [each.entry.id for each in self._played((*way, *shown[0].loop)).entries if each.choice == len(way)]
        first = invariant.violations[0].model_copy(update={"events": tuple(at[:EVENTS])})
        return invariant.model_copy(update={"violations": (first, *invariant.violations[1:])})

    def _schedule(self, number: int, finding: ExploredFinding, name: str) -> str:
        if self._directory is None:
            return ""
        file = f"{SCHEDULES}/{number:02}-{finding.invariant}.yaml"
        named = {finding.sort: (finding.invariant,)} if finding.sort in Expected.model_fields else {}
        about = f"{finding.why} (ghostjob explore, {name}, layout {self._system.setup.layout})"
        schedule = Schedule.of(self._system.setup, (*finding.way, *finding.loop), about[:1_000], Expected(**named))
        self._directory.also(file, schedule.yaml())
        return file

    def diagram_of(self, finding: ExploredFinding) -> tuple[Sequence[Entry], Sequence[Step]]:
        """What was told before the first choice of its way, and at each."""
        return steps_of(self._played((*finding.way, *finding.loop)), (*finding.way, *finding.loop))

    def _played(self, way: tuple[str, ...]) -> Played:
        if way not in self._known:
            self._known[way] = of_path(self._system, tuple(held_to(self._system, way)), "explored")
        return self._known[way]

    def finish(self, verdict: Verdict) -> None:
        """Everything is there."""
        if self._directory is None or verdict.explored is None:
            return
        for entry in self._entries(verdict):
            self._directory.write(entry)
        try:
            self._directory.finish(verdict)
        finally:
            self._forget_others({finding.schedule for finding in verdict.explored.findings})

    def _forget_others(self, kept: Collection[str]) -> None:
        """Of an older search: they would tell of another."""
        assert self._out is not None, "it is kept"
        with suppress(OSError):  # where none can be removed, none could be written
            for path in sorted((self._out / SCHEDULES).iterdir()):
                if SCHEDULE.fullmatch(path.name) and f"{SCHEDULES}/{path.name}" not in kept:
                    path.unlink()

    def _entries(self, verdict: Verdict) -> Sequence[Entry]:
        assert verdict.explored is not None, "of a search"
        played = self._played(_shown(verdict.explored).way)
        return [placed.entry for placed in played.entries]

    def _report(self, verdict: Verdict) -> str:
        from simulator.page.offline import report_html
        from simulator.page.picture import Picture

        picture = Picture(f"explore {verdict.scenario}", verdict.explored.world if verdict.explored else "", "explore")
        for entry in self._entries(verdict):
            picture.feed(entry)
        picture.judged(verdict, final=True)
        return report_html(picture.whole())


def steps_of(played: Played, way: Sequence[str]) -> tuple[Sequence[Entry], Sequence[Step]]:
    """The entries before the first choice, and those of each; not what happens to every device when a run is over."""
    by_choice: list[list[Entry]] = [[] for _ in range(len(way) + 1)]
    for placed in takewhile(lambda each: not isinstance(each.entry.event, RunEnded), played.entries):
        by_choice[placed.choice].append(placed.entry)
    return by_choice[0], list(zip(way, by_choice[1:], strict=True))


def _shown(explored: Explored) -> Shown:
    """The shortest way to something wrong; else what a device did where it was in the midst of its work."""
    if explored.findings:
        first = explored.findings[0]
        what = "stays open" if first.sort in DOUBTS else "is wrong"
        return Shown(f"the shortest way to what {what}: {first.invariant}", (*first.way, *first.loop))
    cell = _likely(explored.cells)
    if cell is None:
        return Shown("the beginning, since nothing befell the device", ())
    return Shown(
        f"nothing is wrong; one way: {cell.kind} while {cell.phase}, and home", (*cell.way, *(cell.home or ()))
    )


def _likely(cells: Sequence[ExploredCell]) -> ExploredCell | None:
    return next((cell for cell in cells if (cell.kind, cell.phase) == LIKELY), cells[0] if cells else None)
