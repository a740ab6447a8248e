"""Pages of every kind, of real runs in virtual time; `python -m tests.simulator.page.samples DIR` writes them as JSON.

running       in the middle of a run, when the devices do not know yet
passed        ten devices, half of them in a namespace
failed        the same, with a model that undoes nothing
bricked       a bad model's run; three of its devices are made to say that nothing is left to boot from
crashed       devices that erase what they run
powerless     devices that lose their power, and are off line
inconclusive  a run that met its time limit
single        one device
thousand      a crowd
certification the cells of devices that are not ours, and the trace of one of them
empty         nothing has happened
"""

import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from agent.device_events import HardwareChanged, StepUndone
from simulator.certify.matrix import CELLS
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.page.data import PageData
from simulator.page.picture import Picture
from simulator.scenario import load
from simulator.trace import Entry, ExecutionRemoved, FlashArea, FlashChanged
from simulator.verdict import Judge, Verdict
from tests.simulator.certify.played import certificate, played, result

NOTHING_LEFT: Final = FlashChanged(
    (FlashArea("A", "1.0", "partial", "xxxxxx.........."), FlashArea("B", "2.0", "partial", "xxx.............")), "", ""
)
"""The flash of a device that erased both of its slots."""


class Run(NamedTuple):
    """What there is of one run."""

    entries: tuple[Entry, ...]
    verdict: Verdict
    about: str = ""

    @property
    def picture(self) -> Picture:
        """Of all of it."""
        picture = Picture(self.verdict.scenario, self.about, "run")
        for entry in self.entries:
            picture.feed(entry)
        picture.judged(self.verdict, final=True)
        return picture


@cache
def run(scenario: str = "main", model: str | None = None, devices: int = 10, time_limit: float | None = None) -> Run:
    """Played in virtual time."""
    whole = load(scenario)
    cast = whole if model is None else whole.cast(model)
    if time_limit is not None:
        cast = cast.model_copy(update={"time_limit_seconds": time_limit})
    entries: list[Entry] = []
    play = JudgedPlay(cast, VirtualVenue(cast, 0), devices, also=(entries.append,), started_at="2026-01-02T03:04:05Z")
    with play:
        verdict = run_virtually(play.result()).verdict
    return Run(tuple(entries), verdict, cast.about)


def judged(entries: Iterable[Entry], about: str = "") -> Run:
    """What a trace comes to."""
    judge, told = Judge(), tuple(entries)
    for entry in told:
        judge.feed(entry)
    return Run(told, judge.verdict(), about)


def bricked(run: Run, things: tuple[str, ...] = ("thing-0", "thing-3", "thing-4")) -> Run:
    """With what these things would tell if the first step that they took back had been the last thing they had."""
    found: list[Entry] = []
    dead: dict[str, int] = {}
    for entry in run.entries:
        thing = entry.source.removeprefix("device/")
        if thing in things and thing not in dead and isinstance(entry.event, StepUndone):
            found.append(entry._replace(event=HardwareChanged(False, "", ("spare slot",))))
            found.append(entry._replace(n=entry.n + 1, event=NOTHING_LEFT))
            dead[thing] = entry.n
        elif thing not in dead:
            found.append(entry)
    return judged(found, run.about)


def part(run: Run, until: Callable[[Entry], bool]) -> PageData:
    """In the middle of a run, after the first entry of which that is so."""
    picture = Picture(run.verdict.scenario, run.about, "run")
    judge = Judge()
    for entry in run.entries:
        picture.feed(entry)
        judge.feed(entry)
        if until(entry):
            break
    picture.judged(judge.verdict(), final=False)
    return picture.whole()


def certification() -> PageData:
    """Cells that four models came to, as if one device had been through all of them."""
    models = ("reference", "deaf", "reference", "hammering", "reference", "works-on-although-told")
    cells = [result(models[number % len(models)], cell) for number, cell in enumerate(CELLS)]
    picture = Picture("certify pump-7", "", "certify")
    for entry in played("deaf").entries:
        picture.feed(entry)
    picture.certified(certificate(*cells, thing="thing-0"))
    return picture.whole()


def empty() -> PageData:
    """Nothing has happened."""
    return Picture("main", "force delete in mid-write", "run").whole()


SAMPLES: Final[dict[str, Callable[[], PageData]]] = {
    "running": lambda: part(run(), lambda entry: isinstance(entry.event, ExecutionRemoved)),
    "passed": lambda: run().picture.whole(),
    "failed": lambda: run(model="recovers-without-undoing").picture.whole(),
    "bricked": lambda: bricked(run()).picture.whole(),
    "crashed": lambda: run("delete-in-self-test", "undoes-in-the-wrong-order", 4).picture.whole(),
    "powerless": lambda: run("delete-while-powerless").picture.whole(),
    "inconclusive": lambda: run(time_limit=0.6).picture.whole(),
    "single": lambda: run("delete-in-write", devices=1).picture.whole(),
    "thousand": lambda: run(devices=1000).picture.whole(),
    "certification": certification,
    "empty": empty,
}


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, make in SAMPLES.items():
        (directory / f"{name}.json").write_text(make().model_dump_json(by_alias=True), "utf-8")
