"""The power of devices that are not ours: cut when the scenario says so, given back after its time.

So is what keeps one going whose process ends by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from simulator.controller.triggers import percent
from simulator.engines.at_once import plainly
from simulator.engines.casting import Casting
from simulator.engines.stage import Changes, Stage
from simulator.pace import Pace
from simulator.scenario import PowerCut
from simulator.trace import (
    TERMINAL,
    Entry,
    ExecutionChanged,
    ExecutionRemoved,
    FaultStruck,
    PowerCutOff,
    PowerRestored,
    ProcessEnded,
)

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Before a device's process that ended by itself is started again."""
Record: TypeAlias = Callable[[PowerCutOff | PowerRestored | ProcessEnded], None]


class DeviceHands(Protocol):
    """What can be done to a device beside the wire."""

    @property
    def can_cut_power(self) -> bool:
        """Whether its power can be cut."""

    async def cut_power(self) -> None:
        """Cut it; returns when it is gone."""

    async def power_on(self) -> None:
        """Give it back; returns when the device has begun to start."""

    async def ended(self) -> "tuple[str, bool]":
        """Wait until a process of ours has ended by itself: how, in words, and whether that is a crash."""

    async def start(self) -> None:
        """Have it run, if it does not."""


@dataclass(slots=True)
class Outlet:
    """One cut of the scenario's. `due` says why it is, and of what, once that is so."""

    cut: PowerCut
    things: frozenset[str]
    due: PowerCutOff | None = None
    is_over: bool = False

    @property
    def words(self) -> str:
        """When it is to come."""
        if self.cut.fault is not None:
            return f"as fault {self.cut.fault} strikes"
        return f"in {self.cut.step}" + (f" at {self.cut.progress}%" if self.cut.progress else "")


@dataclass(slots=True)
class Outlets:
    """All of them. Each cut comes once; `changed` is told when one is due.

    A device is at a step when it reports it for a job of the run, under the scenario's `step_key`.
    """

    casting: Casting
    changed: Changes
    all: tuple[Outlet, ...] = field(init=False)
    _at: dict[str, tuple[str, str | None]] = field(init=False, default_factory=dict)
    """What each thing is at work on, and the step that it reported last."""

    def __post_init__(self) -> None:
        things = self.casting.things
        self.all = tuple(
            Outlet(cut, frozenset(thing for thing, group in things if not cut.groups or group.group in cut.groups))
            for cut in self.casting.scenario.power_cuts
        )

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case FaultStruck(thing=thing, fault=fault, job_id=job_id, step=step):
                job, at = self._at.get(thing, (job_id, step))
                self._due(thing, fault, None, 0.0, job_id or job, step or at)
            case ExecutionChanged(thing=thing, execution=key, by="device", status=status, details=details):
                if key.job_id not in self.casting.jobs:
                    return
                told = details or {}
                step = told.get(self.casting.scenario.step_key)
                self._at[thing] = (key.job_id, step)
                self._due(thing, None, step, percent(told), key.job_id, step)
                if status in TERMINAL:
                    self._at.pop(thing, None)
            case ExecutionRemoved(thing=thing, execution=key) if self._at.get(thing, ("", None))[0] == key.job_id:
                self._at.pop(thing, None)
            case _:
                pass

    def _due(
        self, thing: str, fault: str | None, step: str | None, progress: float, job_id: str | None, at: str | None
    ) -> None:
        for outlet in self.all:
            cut = outlet.cut
            strikes = fault is not None and cut.fault == fault
            is_there = step is not None and cut.step == step and progress >= cut.progress
            if outlet.due is None and thing in outlet.things and (strikes or is_there):
                why = f"fault {fault} struck" if strikes else f"reported {step}"
                outlet.due = PowerCutOff(thing, why, job_id, at)
                self.changed.set()

    @property
    def is_busy(self) -> bool:
        """Whether some power is to be cut, or has yet to come back."""
        return any(outlet.due is not None and not outlet.is_over for outlet in self.all)

    def missed(self) -> list[str]:
        """The cuts that never came."""
        return [f"the power was to go {outlet.words}, which did not come" for outlet in self.all if not outlet.due]


async def switched(outlet: Outlet, hands: DeviceHands, stage: Stage, pace: Pace, record: Record) -> None:
    """Wait for a power cut, make it, and give the power back."""
    await stage.until(lambda: outlet.due is not None)
    assert outlet.due is not None, "it is due"
    record(outlet.due)
    try:
        await hands.cut_power()
        await pace.sleep(outlet.cut.off_seconds)
    finally:
        await asyncio.shield(hands.power_on())
        record(PowerRestored(outlet.due.thing))
        outlet.is_over = True
        stage.changed.set()


@asynccontextmanager
async def looked_after(
    thing: str, hands: DeviceHands, stage: Stage, outlets: Outlets, pace: Pace, record: Record
) -> AsyncIterator[None]:
    """While it lasts, a device that ends by itself is started again. Raises InputError if it cannot be."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_look_after(thing, hands, stage, outlets, pace, record))
            yield
            task.cancel()
    except BaseExceptionGroup as failed:
        raise plainly(failed) from None


async def _look_after(
    thing: str, hands: DeviceHands, stage: Stage, outlets: Outlets, pace: Pace, record: Record
) -> None:
    """Start a device again that ends by itself, later each time; what it is worth, the verdict says."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        why, crashed = await hands.ended()
        record(ProcessEnded(thing, why, crashed))
        try:
            await pace.sleep(pause)
            await stage.until(lambda: not outlets.is_busy)  # without power nothing starts
        finally:  # an end is told once: also if the run is over by now, it is dealt with
            await asyncio.shield(hands.start())
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
