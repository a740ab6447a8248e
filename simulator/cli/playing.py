"""Playing a scenario before somebody's eyes: the live table, the keys, the verdict, the files."""

import asyncio
import os
import sys
import time
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from simulator.cli.cast import Cast
from simulator.cli.controls import RunControls
from simulator.cli.drawn_anew import DrawnAnew
from simulator.cli.keyboard import keys
from simulator.cli.listing import tell_fault
from simulator.cli.options import interrupted_by_every_end
from simulator.cli.page import PageWanted, judged_meanwhile
from simulator.cli.screen import on_screen
from simulator.engines.judge_process import JudgeProcess
from simulator.engines.judged import JudgedPlay, Result
from simulator.engines.output import Face
from simulator.engines.play import FleetOf
from simulator.engines.shards.played import Shown
from simulator.engines.steering import NotDone, Steering
from simulator.engines.venue import Venue
from simulator.exit_codes import OF_OUTCOME
from simulator.processes import ProcessLostError
from simulator.report.bar import COUNTED, Bar, Over
from simulator.report.contained import ContainedRecent, ContainedTable
from simulator.report.hanging import say
from simulator.report.junit import JUNIT
from simulator.report.markdown import SUMMARY
from simulator.report.next_steps import DEPTH, lines, next_steps
from simulator.report.run_files import junit_of_run, markdown_of_run
from simulator.report.summary import by_part, print_line, print_summary
from simulator.scenario import Scenario
from simulator.trace import Entry, JobDeletionBegan, PaceChanged, RunStarted
from simulator.verdict import Verdict

if TYPE_CHECKING:
    from simulator.page.contained import ContainedPicture

MANY: Final = 500
"""From so many devices on their judge has a process of its own, which takes half a second to start."""
REPORT = "report.html"
KEYS = "delete now: [d] the oldest job"
PRESSED = "somebody pressed its key"
A_LOOK_IN = 50
"""So many entries there is a look whether it is time to say how far a play is."""

SAID = frozenset({RunStarted, PaceChanged, JobDeletionBegan})
"""What is told of a play without a table."""


class Lines(Over):
    """How far a play is, in a line now and then, where neither bar nor table is; `executions` as a Bar has them."""

    def __init__(self, executions: int) -> None:
        super().__init__()
        self._executions = executions
        self._line = DrawnAnew(is_terminal=False)
        self._began = time.monotonic()
        self._entries = 0

    def feed(self, entry: Entry) -> None:
        """See Over."""
        super().feed(entry)
        self._entries += 1
        if self._entries % A_LOOK_IN == 0:
            self._line.show(self._now)

    def _now(self) -> str:
        seconds = time.monotonic() - self._began
        return f"{self.over:,} of {self._executions:,} executions that are played are over, after {seconds:.0f} s"


def has_judge_elsewhere(devices: int) -> bool:
    """Whether a live play of so many is best judged in a process of its own."""
    return devices >= MANY and (os.cpu_count() or 1) > 1


class ShownPlay:
    """One run, with everything that shows it: the verdict on stdout, all else on stderr.

    `part` is who of a fleet plays in virtual time. When that was is not told: the same seed has the same bytes.
    `fleet_of` is as `Play` has it.
    `is_judged_elsewhere`: in a process of its own, which a page that shows the verdict meanwhile cannot wait for.
    """

    def __init__(
        self,
        cast: Cast,
        seed: int,
        venue: Venue,
        out: Path | None,
        shows_table: bool,
        *,
        part: Shown | None = None,
        page: PageWanted | None = None,
        steering: Steering | None = None,
        has_keys: bool = False,
        shows_bar: bool = False,
        is_judged_elsewhere: bool = False,
        fleet_of: FleetOf | None = None,
    ) -> None:
        scenario = cast.scenario
        self._out = out
        self._recent = ContainedRecent(tell_fault)
        self._page = page
        self._picture = None if out is None and page is None else _picture(scenario, is_served=page is not None)
        self._judging = JudgeProcess(self._recent.feed) if is_judged_elsewhere else None
        shows_all = self._judging is None or self._picture is not None or shows_table or has_keys or shows_bar
        now = datetime.now(UTC).isoformat(timespec="seconds") if part is None else None
        entries_of = self._recent.entries_of
        faces: dict[str, Face] = {
            JUNIT: lambda verdict: junit_of_run(verdict, entries_of),
            SUMMARY: lambda verdict: markdown_of_run(verdict, entries_of),
        }
        if (picture := self._picture) is not None:
            faces[REPORT] = lambda _: _report(picture)
        self._run = JudgedPlay(
            scenario,
            venue,
            cast.devices if part is None else part.crew,
            seed=seed,
            out=out,
            also=(self._show,),
            heeded=None if shows_all else SAID | COUNTED,
            faces=faces,
            started_at=now,
            steering=steering,
            groups=cast.groups,
            tell=tell_fault,
            judging=self._judging if part is None else part.judging,
            meeting=None if part is None else part.meeting,
            shards=1 if part is None else part.shards,
            fleet_of=fleet_of,
        )
        self._part = part
        self._steering, self._groups = steering, cast.groups
        self._console = Console(stderr=True)
        self._shows_table = shows_table
        self._asked: set[asyncio.Task[None]] = set()
        title = f"{scenario.name}: {scenario.about}" if scenario.about else scenario.name
        namespaces = {thing: group.namespace for thing, group in self._run.play.casting.things}
        self._table = ContainedTable(title, namespaces, KEYS if has_keys else "", cast.groups, tell=tell_fault)
        self._has_keys = has_keys
        casting = self._run.play.casting
        asked = sum(len(casting.targets(job)) for job in scenario.jobs)
        self._bar = Bar(asked, self._console) if shows_bar else None
        self._lines = None if shows_bar or shows_table else Lines(asked)

    async def play(self) -> int:
        """Play, show and judge; the exit code. A page that was asked for stays after that.

        If it is interrupted, or a process that takes part is lost, what was played by then is judged, told and kept
        before that ends it.
        """
        if self._page is None or self._picture is None:
            async with self._judging or nullcontext():
                return await self._shown(nullcontext())
        controls = None if self._steering is None else RunControls(self._steering)
        async with self._page.served(self._picture, controls) as server:
            code = await self._shown(judged_meanwhile(server, self._picture, self._run.judge))
            sys.stdout.flush()
            await self._page.stay()
        return code

    async def _shown(self, meanwhile: AbstractAsyncContextManager[object]) -> int:
        with interrupted_by_every_end():
            interrupted: asyncio.CancelledError | ProcessLostError | None = None
            with self._run:
                try:
                    async with meanwhile:
                        verdict = (await self._played()).verdict
                except (asyncio.CancelledError, ProcessLostError) as error:
                    if (known := await self._run.cut_short()) is None:
                        raise
                    verdict, interrupted = known, error
                if self._picture is not None:
                    self._picture.judged(verdict, final=True)
                print_summary(verdict, Console(), self._recent.entries_of)
                self._print_parts(verdict)
            self._say_what_is_next(verdict)
            if interrupted is not None:
                raise interrupted
            return OF_OUTCOME[verdict.outcome]

    def _say_what_is_next(self, verdict: Verdict) -> None:
        directory = None if self._out is None else self._out.as_posix()
        elsewhere = (lambda _: None) if self._part is None else self._part.elsewhere
        for line in lines(next_steps(verdict, directory, self._run.kept, elsewhere)):
            say(self._console, line, DEPTH)

    def _print_parts(self, verdict: Verdict) -> None:
        """How each part did, of those that play side by side."""
        for line in by_part(verdict, self._groups):
            print_line(line, Console())

    async def _played(self) -> Result:
        with ExitStack() as stack:
            if self._has_keys:
                stack.enter_context(keys(self._pressed))
            if self._bar is not None:
                stack.enter_context(self._bar)
            async with on_screen(self._table, self._shows_table, self._console):
                return await self._run.result()

    def _pressed(self, key: str) -> None:
        assert self._steering is not None, "there are keys"
        if key in " g":
            with suppress(NotDone):
                self._steering.go(PRESSED)
            return
        jobs = self._table.deletable
        index = 0 if key == "d" else int(key) - 1 if key.isdigit() and key != "0" else -1
        if 0 <= index < len(jobs):
            task = asyncio.create_task(self._steering.take_away(jobs[index], PRESSED))
            self._asked.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        """A refusal is in the trace, and so in the table; it must not end the run."""
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()

    def _show(self, entry: Entry) -> None:
        if self._judging is None:
            self._recent.feed(entry)
        if self._picture is not None:
            self._picture.feed(entry)
        if self._shows_table or self._has_keys:
            self._table.feed(entry)
        if self._bar is not None:
            self._bar.feed(entry)
        if self._lines is not None:
            self._lines.feed(entry)
        if not self._shows_table and type(entry.event) in SAID:
            self._say(entry)

    def _say(self, entry: Entry) -> None:
        """Without a table, the few lines that tell the story."""
        match entry.event:
            case RunStarted(scenario=scenario) as started:
                self._console.print(f"playing {scenario} with {self._who(started)}", highlight=False)
            case PaceChanged(held_at=held_at) if held_at:
                how = "; [g] lets it go on" if self._has_keys else ""
                self._console.print(f"it stands still: {held_at}{how}", highlight=False, markup=False)
            case JobDeletionBegan(job_id=job_id):
                self._console.print(f"{job_id} is being deleted", highlight=False)
            case _:
                pass

    def _who(self, started: RunStarted) -> str:
        """How many devices, and who plays for them."""
        if self._part is None or self._part.shards == 1:
            for_all = f", {len(started.things)} of which play for all" if started.stands_for else ""
            return f"{started.devices} devices{for_all}"
        fleet, number = self._part.fleet, self._part.number
        for_all = f"{fleet.players} of which play for all, " if started.stands_for else ""
        which = f"of which number {number} is shown" if number else "of which the first is shown"
        return f"{fleet.devices} devices, {for_all}in {self._part.shards} shards, {which}"


def _picture(scenario: Scenario, *, is_served: bool) -> "ContainedPicture":
    """Of one that nobody looks at before the end, only the report tells what goes wrong."""
    from simulator.page.contained import ContainedPicture

    told = (tell_fault,) if is_served else ()
    return ContainedPicture(scenario.name, scenario.about, "run", *told)


def _report(picture: "ContainedPicture") -> str:
    from simulator.page.offline import report_html

    return report_html(picture.drawn())
