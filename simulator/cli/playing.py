"""Playing a scenario before somebody's eyes: the live table, the keys, the verdict, the files."""

import asyncio
import shlex
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from simulator.cli.keyboard import keys
from simulator.cli.output import OutputDirectory
from simulator.cli.screen import on_screen
from simulator.engines.play import Play, Venue
from simulator.report.live_table import LiveTable
from simulator.report.recent import Recent
from simulator.report.summary import print_summary
from simulator.scenario import Scenario
from simulator.trace import Entry, JobDeletionBegan, RunStarted
from simulator.verdict import Judge, RunOutcome

EXIT_CODES: Final[dict[RunOutcome, int]] = {"passed": 0, "failed": 1, "inconclusive": 3}


class Playing:
    """One run, with everything that shows it: the verdict on stdout, all else on stderr."""

    def __init__(
        self, scenario: Scenario, devices: int, seed: int, venue: Venue, out: Path | None, shows_table: bool
    ) -> None:
        self._out = out
        self._output = OutputDirectory(out) if out else None
        self._judge = Judge()
        self._recent = Recent()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._run = Play(scenario, devices, seed, self._feed, venue, started_at=now)
        self._console = Console(stderr=True)
        self._shows_table = shows_table
        self._asked: set[asyncio.Task[None]] = set()
        has_keys = shows_table and sys.stdin.isatty()
        title = f"{scenario.name}: {scenario.about}" if scenario.about else scenario.name
        namespaces = {thing: group.namespace for thing, group in self._run.things}
        self._table = LiveTable(title, namespaces, "delete now: [d] the oldest job" if has_keys else "")
        self._has_keys = has_keys

    async def play(self) -> int:
        """Play, show and judge; the exit code."""
        with ExitStack() as stack:
            if self._output:
                stack.enter_context(self._output)
            await self._played()
            verdict = self._judge.verdict()
            print_summary(verdict, Console(), self._recent.entries_of)
            if self._output:
                self._output.finish(verdict)
        if verdict.outcome != "passed":
            hint = f"what happened around each [id]: {self._look()}"
            self._console.print(hint, markup=False, highlight=False, soft_wrap=not self._console.is_terminal)
        return EXIT_CODES[verdict.outcome]

    def _look(self) -> str:
        if self._out is None:
            return "keep the trace of the next run with --out DIR, and ask `ghostjob trace DIR ID`"
        return f"ghostjob trace {shlex.quote(str(self._out))} ID"

    async def _played(self) -> None:
        with ExitStack() as stack:
            if self._has_keys:
                stack.enter_context(keys(self._pressed))
            async with on_screen(self._table, self._shows_table, self._console):
                await self._run.play()

    def _pressed(self, key: str) -> None:
        jobs = self._table.deletable
        index = 0 if key == "d" else int(key) - 1 if key.isdigit() and key != "0" else -1
        if 0 <= index < len(jobs) and (task := self._run.delete_now(jobs[index])) is not None:
            self._asked.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        """A refusal is in the trace, and so in the table; it must not end the run."""
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()

    def _feed(self, entry: Entry) -> None:
        self._judge.feed(entry)
        self._recent.feed(entry)
        self._table.feed(entry)
        if self._output:
            self._output.write(entry)
        if not self._shows_table:
            self._say(entry)

    def _say(self, entry: Entry) -> None:
        """Without a table, the few lines that tell the story."""
        match entry.event:
            case RunStarted(scenario=scenario, things=things):
                self._console.print(f"playing {scenario} with {len(things)} devices", highlight=False)
            case JobDeletionBegan(job_id=job_id):
                self._console.print(f"{job_id} is being deleted", highlight=False)
            case _:
                pass
