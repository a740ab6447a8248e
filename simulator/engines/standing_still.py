"""A play that stands still: at its dangerous place, the instant of a deletion, or wherever somebody stopped it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from agent.core.events import BeginStep, UndoStep
from simulator.devices.device import SimulatedDevice
from simulator.engines.cues import Cue
from simulator.engines.play_time import PlayTime
from simulator.engines.stage import Changes
from simulator.pace import Pace
from simulator.scenario import Intervention
from simulator.trace import PaceChanged

GATHERING_SECONDS: Final = 0.5
"""So long after the first device is held at the place, by the play's time, those that are on their way there may come.

Whoever is held waits for the deletion, however late that is.
"""
DEEDS: Final = {
    "delete-job": "deleted",
    "delete-execution": "deleted for each device",
    "cancel-job": "cancelled",
    "cancel-execution": "cancelled for each device",
}


class StandingStill:
    """Holds the time of a play, and whoever must not go on meanwhile. `record` gets each change."""

    def __init__(self, time: PlayTime, changed: Changes, record: Callable[[PaceChanged], None]) -> None:
        self._time = time
        self._changed = changed
        self._record = record
        self._coming: list[Cue] = []
        """The cues that are due, and wait here, or are about to."""
        self.at = ""
        """Where it stands still, in words; empty while it goes on."""

    async def before(self, cue: Cue, pace: Pace, is_due: Callable[[], bool]) -> None:
        """Stop where a cue is about to be carried out, until somebody lets it go on, or it is due no more."""
        self._coming.append(cue)
        if cue.holding is not None:
            await pace.sleep(GATHERING_SECONDS)
        if not is_due() or not any(each is cue for each in self._coming):  # it was among those of the last stop
            return
        self.stop("; and ".join(map(dangerous_place, self._coming)), "here it is dangerous")
        await self._changed.until(lambda: not self.at)

    def stop(self, where: str, why: str) -> None:
        """Stop there, which is said in words."""
        self.at = where
        self._time.hold()
        self._record(PaceChanged(self._time.slow, where, why))

    def go_on(self, why: str) -> None:
        """Let it go on."""
        self.at, self._coming = "", []
        self._time.go_on()
        self._record(PaceChanged(self._time.slow, why=why))
        self._changed.set()

    def slow_down(self, slow: float, why: str) -> None:
        """Have it go so many times slower than it would; it stands still no less for that."""
        self._time.go_slower(slow)
        self._record(PaceChanged(slow, self.at, why))


def dangerous_place(cue: Cue) -> str:
    """Where the devices are when a cue is due, and what comes next."""
    what, when = cue.what, cue.what.when
    if isinstance(what, Intervention):
        comes = f"reported {what.status} by another hand"
    else:
        comes = ("force-" if what.force and what.do.startswith("delete") else "") + DEEDS[what.do]
    if when.step is None:
        return f"{what.job} is about to be {comes}"
    held = cue.holding.hold.held if cue.holding is not None else ()
    who = named(held) if held else "devices"
    are = "is" if len(held) == 1 else "are"
    return f"{who} {are} in {when.step}{at(when.progress)} of {what.job}, which is about to be {comes}"


def at_work(devices: Iterable[SimulatedDevice]) -> str:
    """What devices are at, of the first that are at anything."""
    busy = [(device.thing, doing) for device in devices if (doing := _doing(device))]
    if not busy:
        return "no device is at work"
    thing, doing = busy[0]
    return f"{thing} {doing}" + (f", and {len(busy) - 1} more are at work" if len(busy) > 1 else "")


def _doing(device: SimulatedDevice) -> str:
    device.settle()
    run = device.rig.run
    if run is None:
        return ""
    match run.work:
        case BeginStep(step=step):
            return f"is in {step.name}{at(run.percent(run.done) if run.sectors else 0)}"
        case UndoStep(step=step):
            return f"takes {step.name} back"
        case _:
            return "exchanges its slots"


def at(percent: int) -> str:
    """How far a step is; empty at its beginning."""
    return f" at {percent} %" if percent else ""


def named(things: Sequence[str]) -> str:
    """The first of some things, and how many more there are."""
    return things[0] if len(things) == 1 else f"{things[0]} and {len(things) - 1} more"
