"""One simulated device on a clock: a rig, and an agent for as long as there is power.

What takes how long, the rig says (see `rig`); here are the timers. A run of sectors needs no timer for each: which of
them are done at an instant follows from the clock. So there is one timer for the next sector at which anything happens,
and whoever looks, stops or cuts in between finds done what is done by then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVarTuple

from agent.core.events import BeginStep, Booted, StopStep, UndoStep, Verify
from agent.core.record import Record
from agent.device_events import DeviceDisconnected
from agent.loop_time import Alarm
from agent.runner import Runner
from simulator.devices.hardware import Hardware, factory
from simulator.devices.holds import Hold
from simulator.devices.rig import power, running, steps
from simulator.devices.rig.values import After, HoldPoint, Make, Rig, RigOutcome, SectorRun, Sectors
from simulator.devices.storage import Disk, snapshot_of
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Group, Outage, PowerCut, thing_of_agent
from simulator.trace.flash_events import DeviceAccount

ROUNDING: Final = 1e-6
"""Of a sector: so much of it may be missing, for want of digits, when it is done."""

Ts = TypeVarTuple("Ts")


class Kept(NamedTuple):
    """What outlives a power cut: the hardware, the journal as far as it is durable, and how often there was a boot."""

    hardware: Hardware
    journal: bytes
    boots: int


class Chip(Protocol):
    """Where a device's flash stands that is to outlive the process, too."""

    def read(self) -> Kept | None:
        """What stands in it; None if that is nothing yet."""

    def write(self, kept: Kept) -> None:
        """Have it hold that."""


CarryOut: TypeAlias = Callable[..., RigOutcome]
"""Of an operation of `rig`, a rig, and what else the operation takes."""


def carried_out(operation: Callable[..., RigOutcome], rig: Rig, *args: Any) -> RigOutcome:
    """What an operation on a rig comes to."""
    return operation(rig, *args)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a device is put together from, the same for a whole fleet.

    `make_agent` gives the agent that runs from one boot to the next, with the device as its workbench; `chip` is where
    the flash of a thing outlives the process, None if it need not; `carry_out` may remember what operations come to.
    """

    cuts: tuple[PowerCut, ...]
    outages: tuple[Outage, ...]
    make_agent: Callable[["SimulatedDevice"], Runner[Any]]
    holds: tuple[Hold, ...] = ()
    pace: Pace = LOOP_TIME
    chip: Callable[[str], Chip] | None = None
    carry_out: CarryOut = carried_out


class SimulatedDevice:
    """A device on the event loop; `observe` gets its account. For its agent it is an `agent.runner.Workbench`."""

    __slots__ = (
        "_alarms",
        "_chip",
        "_instants",
        "_next",
        "_offline_until",
        "_sectors_alarm",
        "_since",
        "_unplugged",
        "_wiring",
        "boots",
        "group",
        "observe",
        "rig",
        "runner",
        "thing",
    )

    def __init__(
        self, thing: str, group: Group, make: Make, wiring: Wiring, observe: Callable[[DeviceAccount], None]
    ) -> None:
        self.thing = thing
        self.group = group
        self.observe = observe
        self.runner: Runner[Any] | None = None
        self.boots = self._instants = 0
        self._wiring = wiring
        cuts = tuple(cut for cut in wiring.cuts if not cut.groups or group.group in cut.groups)
        outages = tuple(each for each in wiring.outages if not each.groups or group.group in each.groups)
        for hold in wiring.holds:
            hold.stop(thing_of_agent(thing), self)
        points = tuple(hold.point for hold in wiring.holds)
        self.rig = Rig(make, factory(group.layout), cuts=cuts, outages=outages, holds=points)
        self._chip = wiring.chip(thing) if wiring.chip else None
        if self._chip is not None and (kept := self._chip.read()) is not None:
            self.rig = self.rig._replace(hardware=kept.hardware, disk=Disk((kept.journal,), (kept.journal,)))
            self.boots = kept.boots
        self._offline_until = 0.0
        self._unplugged = False
        self._alarms: tuple[Alarm, ...] = ()
        """For what is pending."""
        self._since: float | None = None
        """When the run had no sector done, or would have; None while none is due."""
        self._next = 0
        """So many are done when the alarm rings."""
        self._sectors_alarm: Alarm | None = None

    @property
    def hardware(self) -> Hardware:
        """With every sector that is done by now."""
        self.settle()
        return self.rig.hardware

    @property
    def instants(self) -> int:
        """How many sectors and writes there have been: so often the power could have gone."""
        self.settle()
        return self._instants

    @property
    def rests(self) -> bool:
        """Whether it has nothing in hand, or cannot come up any more."""
        if self.runner is None:
            return not self._unplugged and not self.rig.is_on and not self.rig.pending
        return self.runner.crashed or self.runner.rests

    @property
    def out_of_order(self) -> str:
        """Why it does nothing any more until somebody sees to it; empty as long as it may."""
        if self.runner is not None:
            return "crashed" if self.runner.crashed else ""
        return "cannot boot" if self.rests else ""

    def cut_power(self, instant: str, off_seconds: float) -> None:
        """Let the power go, if there is any, once what is going on now is done; it comes back after so long."""
        asyncio.get_running_loop().call_soon(self._cut_power, instant, off_seconds)

    def _cut_power(self, instant: str, off_seconds: float) -> None:
        if self.rig.is_on:
            self.do(power.cut, instant, off_seconds, self.rig.make.survives)

    def cut_network(self, seconds: float) -> None:
        """Let the network go for so long, once what is going on now is done."""
        self._offline_until = self._wiring.pace.now() + seconds
        asyncio.get_running_loop().call_soon(self._lose_network, seconds)

    def unplug(self, instant: str) -> None:
        """Let the power go, at whatever it is, until it is plugged in again."""
        self._unplugged = True
        self.do(power.unplug, instant)
        self._still()

    def plug_in(self) -> None:
        """Give the power back."""
        self._unplugged = False
        self.do(power.plug_in)

    @property
    def is_unplugged(self) -> bool:
        """Whether somebody took its power away."""
        return self._unplugged

    async def end(self) -> None:
        """End for good."""
        self.settle()
        self._still()
        if self.runner is not None:
            await self.runner.stop()

    # ── what the agent wants ──────────────────────────────────────────────────────────────────────────────────

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        self.do(steps.begin, effect)

    def stop(self, effect: StopStep) -> None:
        """Stop the running step after the sector at which it is."""
        self.do(steps.stop, effect)

    def undo(self, effect: UndoStep) -> None:
        """Take a step back."""
        self.do(steps.undo, effect)

    def verify(self, effect: Verify) -> None:
        """Say whether the hardware is whole."""
        self.do(steps.verify)

    def remember(self, record: Record) -> None:
        """Write a record down. Raises JournalError."""
        self.do(power.remember, snapshot_of(record))

    def let_go(self, point: HoldPoint) -> None:
        """The hardware goes on, if it stands still there, and stops there no more."""
        self.do(running.let_go, point)

    # ── the rig on a clock ────────────────────────────────────────────────────────────────────────────────────

    def do(self, operation: Callable[[Rig, *Ts], RigOutcome], *args: *Ts) -> None:
        """Do an operation of `rig`, to the rig as it is by now."""
        if self._since is not None:
            self.settle()
        self._take(self._wiring.carry_out(operation, self.rig, *args))

    def settle(self) -> None:
        """Do what is due of the run, up to the sector for which there is an alarm."""
        run = self.rig.run
        if run is not None and self._since is not None and run.seconds:
            due = int((self._wiring.pace.now() - self._since) / run.seconds + ROUNDING)
            if (done := min(due, self._next - 1)) > run.done:
                self._tell(self._wiring.carry_out(running.work, self.rig, done))

    def _take(self, outcome: RigOutcome) -> None:
        """Let an operation take its effect: in the account, on the clock, on the agent."""
        if outcome.offline_seconds:
            self.cut_network(outcome.offline_seconds)
        run, after, had_power = outcome.rig.run, outcome.after, self.rig.is_on
        if run is None or run.held is not None or (after is not None and isinstance(after.what, Sectors)):
            self._stop_sectors()
        self._tell(outcome)
        if had_power and not self.rig.is_on:
            self._end_agent()
        elif run is not None and run.held is not None:
            next(hold for hold in self._wiring.holds if hold.point == run.held).hold(thing_of_agent(self.thing))
        elif (
            run is not None
            and self._since is not None
            and (self._sectors_alarm is None or (outcome.instants and self.rig.cuts))
        ):
            self._plan(run)  # there is more of it, or a cut at the nth instant is a sector nearer than it was
        if after is not None:
            self._wait(after)
        if isinstance(outcome.event, Booted):
            self._start_agent(outcome.event)
        elif outcome.event is not None and self.runner is not None:
            self.runner.feed(outcome.event)

    def _tell(self, outcome: RigOutcome) -> None:
        self.rig = outcome.rig
        self._instants += outcome.instants
        if self._chip is not None:
            self._keep(self._chip)
        for event in outcome.tells:
            self.observe(event)

    def _keep(self, chip: Chip) -> None:
        """Before anything comes of it: whoever hears of what was done finds it done after a power cut, too."""
        chip.write(Kept(self.rig.hardware, b"".join(self.rig.disk.after_power_cut().written), self.boots))

    def _wait(self, after: After) -> None:
        pace, run = self._wiring.pace, self.rig.run
        if not isinstance(after.what, Sectors):
            self._alarms = (*self._alarms, pace.call_later(after.seconds, self.do, steps.happen, after.what))
        elif run is not None:
            self._since = pace.now() - run.done * run.seconds
            self._plan(run)

    def _plan(self, run: SectorRun) -> None:
        """Set the alarm for the next sector at which anything happens."""
        assert self._since is not None, "planned while it goes on"
        self._next = running.next_stop(self.rig)
        if self._chip is not None:  # what is to be there when the process dies is written sector by sector
            self._next = min(self._next, run.done + 1)
        if self._sectors_alarm is not None:
            self._sectors_alarm.cancel()
        self._sectors_alarm = self._wiring.pace.call_at(self._since + self._next * run.seconds, self._arrive)

    def _arrive(self) -> None:
        self._sectors_alarm = None
        self._take(self._wiring.carry_out(self._advance, self.rig, self._next))

    _advance = staticmethod(steps.advance)

    def _stop_sectors(self) -> None:
        self._since = None
        if self._sectors_alarm is not None:
            self._sectors_alarm.cancel()
            self._sectors_alarm = None

    def _still(self) -> None:
        """Nothing that was begun goes on."""
        self._stop_sectors()
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms = ()

    # ── the agent ─────────────────────────────────────────────────────────────────────────────────────────────

    def _start_agent(self, booted: Booted) -> None:
        self.boots += 1
        if self._chip is not None:
            self._keep(self._chip)
        self.runner = self._wiring.make_agent(self)
        self.runner.start(booted, offline_seconds=self._offline_until - self._wiring.pace.now())

    def _end_agent(self) -> None:
        """At this very instant, as by a power cut."""
        self._still()
        if self.runner is not None:
            self.runner.halt()
            self.observe(DeviceDisconnected("the power is off", planned=True))
        self.runner = None

    def _lose_network(self, seconds: float) -> None:
        """What led to this is dealt with before."""
        if self.runner is not None:
            self.runner.interrupt(seconds)
