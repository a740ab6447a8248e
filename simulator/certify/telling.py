"""What a session says while it goes on: to people on stderr, or to scripts as lines of JSON on stdout.

    page            {"url": …}                   where the live page is, if one was asked for
    desk.ready      {"offer": …}                 what is to be put on the device
    device.seen     {"says": …}                  what was seen of a device that is waited for
    device.missing  {"why": …}                   it did not come, or did not do its first job
    learned         {"learned": …}               how it does a job, as in certificate.json
    cells           {"cells": …, "seconds": …}   in the order of play, each with id, shows, applies and why; an estimate
    cell.began      {"id": …}                    it is being played
    cell.ended      {"result": …}                what came of it, as in certificate.json
    bricked         {"cell": …, "why": …, "evidence": …}   nothing brings the device back after that cell
    certificate     {"certificate": …}           the whole of certificate.json
    left            {"commands": …}              they remove what a session had to leave in an account

Each line has "event", and its members besides; readers ignore what they do not know.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any, NamedTuple, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from simulator.certify.certificate import Bricked, CellResult, Certificate
from simulator.certify.desk import Offer
from simulator.certify.learning import Learned
from simulator.certify.matrix import Cell
from simulator.report.hanging import say
from simulator.report.summary import WORDS


class Planned(NamedTuple):
    """A cell that was asked for, and why it does not apply to this device, if that is so."""

    cell: Cell
    why_not: str | None


class Telling(Protocol):
    """Who is told; each method as the table above has it."""

    def ready(self, offer: Offer) -> None:
        """The desk is ready for the device."""

    def waits(self, says: str) -> None:
        """The device is waited for; the same is said once."""

    def missing(self, why: str) -> None:
        """It was not met."""

    def learned(self, learned: Learned) -> None:
        """It did its first job."""

    def planned(self, cells: Sequence[Planned], seconds: float) -> None:
        """What is going to be played, and how long that takes by estimate."""

    def began(self, cell: Cell) -> None:
        """A cell is being played."""

    def ended(self, result: CellResult) -> None:
        """It is over, or was not played."""

    def bricked(self, bricked: Bricked) -> None:
        """Nothing brings the device back."""

    def certified(self, certificate: Certificate) -> None:
        """It is over."""

    def shown(self) -> AbstractContextManager[object]:
        """While the session lasts."""


class ToScripts:
    """`write` takes a line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._said = ""

    def _say(self, event: str, **members: Any) -> None:
        self._write(json.dumps({"event": event, **members}))

    def page(self, url: str) -> None:
        """Where the live page is, which is known before all else."""
        self._say("page", url=url)

    def ready(self, offer: Offer) -> None:
        """See Telling."""
        self._say("desk.ready", offer=offer.as_json())

    def waits(self, says: str) -> None:
        """See Telling."""
        if says != self._said:
            self._said = says
            self._say("device.seen", says=says)

    def missing(self, why: str) -> None:
        """See Telling."""
        self._say("device.missing", why=why)

    def learned(self, learned: Learned) -> None:
        """See Telling."""
        self._say("learned", learned=asdict(learned))

    def planned(self, cells: Sequence[Planned], seconds: float) -> None:
        """See Telling."""
        told = [
            {"id": each.cell.id, "shows": each.cell.shows, "applies": each.why_not is None, "why": each.why_not}
            for each in cells
        ]
        self._say("cells", cells=told, seconds=round(seconds, 1))

    def began(self, cell: Cell) -> None:
        """See Telling."""
        self._say("cell.began", id=cell.id)

    def ended(self, result: CellResult) -> None:
        """See Telling."""
        self._say("cell.ended", result=result.model_dump(mode="json"))

    def bricked(self, bricked: Bricked) -> None:
        """See Telling."""
        self._say("bricked", **bricked.model_dump(mode="json"))

    def certified(self, certificate: Certificate) -> None:
        """See Telling."""
        self._say("certificate", certificate=certificate.model_dump(mode="json"))

    def left(self, commands: Sequence[str]) -> None:
        """What a session could not remove from an account, which is known once it is over."""
        self._say("left", commands=list(commands))

    def shown(self) -> AbstractContextManager[object]:
        """See Telling."""
        return nullcontext()


MARKS = {"passed": "✓", "failed": "✗", "inconclusive": "?", "not-applicable": "–"}


class ToPeople:
    """On `console`, with a bar of progress if that is a terminal."""

    def __init__(self, console: Console, offer_lines: Callable[[Offer], Sequence[str]]) -> None:
        self._console = console
        self._offer_lines = offer_lines
        self._said = ""
        self._task: TaskID | None = None
        self._seconds: dict[str, float] = {}
        columns = (
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

    def _print(self, text: str) -> None:
        say(self._console, text)

    def ready(self, offer: Offer) -> None:
        """See Telling."""
        for line in self._offer_lines(offer):
            self._print(line)

    def waits(self, says: str) -> None:
        """See Telling."""
        if says != self._said:
            self._said = says
            self._print(says if says.startswith(("the device ", "the probe ")) else f"the device: {says}")

    def missing(self, why: str) -> None:
        """See Telling."""
        self._print(why)

    def learned(self, learned: Learned) -> None:
        """See Telling."""
        self._print(f"its first job: {in_words(learned)}")
        if learned.refusals_unheard:
            self._print(UNHEARD.format(" nor to ".join(learned.refusals_unheard)))

    def planned(self, cells: Sequence[Planned], seconds: float) -> None:
        """See Telling."""
        playable = [each.cell for each in cells if each.why_not is None]
        left_out = len(cells) - len(playable)
        apart = f"; not for this device: {left_out} more" if left_out else ""
        what = "1 cell" if len(playable) == 1 else f"{len(playable)} cells"
        self._print(f"{what}, about {_span(seconds)}{apart}")
        self._task = self._progress.add_task("", total=len(cells))

    def began(self, cell: Cell) -> None:
        """See Telling."""
        if self._task is not None:
            self._progress.update(self._task, description=cell.id)

    def ended(self, result: CellResult) -> None:
        """See Telling."""
        took = f"{result.seconds:6.1f} s" if result.seconds else ""
        line = f"{MARKS[result.outcome]} {result.outcome:<14} {result.id:<44} {took}".rstrip()
        if self._console.is_terminal:
            self._console.print(Text(line, WORDS.get(result.outcome, ("", "dim"))[1]), highlight=False)
        else:
            self._print(line)
        if result.outcome in ("failed", "inconclusive"):
            self._print(f"    {result.why}")
        if self._task is not None:
            self._progress.advance(self._task)

    def bricked(self, bricked: Bricked) -> None:
        """See Telling."""
        self._print(f"the device is bricked since {bricked.cell}: {bricked.why}")

    def certified(self, certificate: Certificate) -> None:
        """See Telling: it goes to stdout, and not here; on a terminal that is below, where no bar may be drawn."""
        self._progress.stop()

    def shown(self) -> AbstractContextManager[object]:
        """See Telling."""
        return self._progress


UNHEARD = (
    "the device has not subscribed to {}: refusals come to its connection all the same, but many an MQTT client drops "
    "what was not subscribed to, and who does not hear that his job is gone works on"
)
BY = {
    "start-next": "takes jobs by start-next",
    "describe-update": "reads a job and takes it by an update",
    "update": "takes jobs by an update",
}


def in_words(learned: Learned) -> str:
    """What was learned of a device, for people."""
    carrier = {"mqtt": "over MQTT", "http": "over HTTP", "both": "over MQTT and HTTP"}[learned.carrier]
    hears = f"hears {', '.join(learned.listens)}" if learned.listens else "hears no notification"
    polls = "" if learned.polls_seconds is None else f", asks every {learned.polls_seconds:.1f} s"
    steps = f", names its steps ({', '.join(learned.steps)})" if learned.steps else ""
    times = len(learned.progress)
    reports = "says nothing between the beginning and the end" if not times else f"reports {times} times on the way"
    how = f"{BY[learned.takes_by]} {carrier}, {hears}{polls}, {reports}"
    if learned.seen_by != "wire":
        how = f"seen through the control plane alone, {reports}"
    return f"{how}{steps}; taken after {learned.take_seconds:.1f} s, done in {learned.work_seconds:.1f} s"


def _span(seconds: float) -> str:
    """About how long, in the unit that people would choose."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
