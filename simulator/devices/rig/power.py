"""Power and network, and the instants at which they may go: one before every sector and every write."""

from collections.abc import Sequence
from typing import Literal

from agent.device_events import BootReason, JournalSpoiled, PowerLost
from simulator.devices.rig.telling import flash
from simulator.devices.rig.values import After, PowerOn, Rig, RigOutcome
from simulator.devices.storage import EMPTY, Disk, Survival, Write, appended
from simulator.scenario import Outage


def instant(rig: Rig, name: str, step: str = "", percent: int = 0) -> RigOutcome:
    """One more sector or write, of that name, if there is power; a cut that the scenario wants here happens here.

    `percent` is how far `step` will be after it. What is done at this instant is done with `then`.
    """
    if not rig.is_on or not (rig.cuts or rig.outages):
        return RigOutcome(rig, instants=int(rig.is_on))
    if rig.cuts:
        rig = rig._replace(instants=rig.instants + 1, last_step=step or rig.last_step)
    for planned in rig.cuts:
        if planned.applies(name, rig.instants, step, percent, rig.last_step):
            others = tuple(other for other in rig.cuts if other is not planned)
            if planned.occurrence > 1:
                fewer = planned.model_copy(update={"occurrence": planned.occurrence - 1})
                rig = rig._replace(cuts=(*others, fewer))
                continue
            rig = rig._replace(cuts=others) if others else rig._replace(cuts=(), instants=0, last_step="")
            return cut(rig, name, planned.off_seconds, rig.make.survives)._replace(instants=1)
    offline_seconds = 0.0
    for outage in rig.outages:
        if applies(outage, step, percent):
            rig = rig._replace(outages=tuple(other for other in rig.outages if other is not outage))
            offline_seconds = outage.seconds
    return RigOutcome(rig, instants=1, offline_seconds=offline_seconds)


def applies(outage: Outage, step: str, percent: int) -> bool:
    """Whether the network goes when a step is so far."""
    return step == outage.step and percent >= outage.progress


def cut(rig: Rig, instant: str = "", off_seconds: float = 0.0, survives: Survival = "nothing") -> RigOutcome:
    """The power goes, between any two operations, and comes back after so long."""
    lost = off(rig._replace(disk=rig.disk.after_power_cut(survives)), "power-lost", off_seconds)
    return lost._replace(tells=(PowerLost(instant), *lost.tells))


def spoil(rig: Rig, left: Disk) -> RigOutcome:
    """What is on the disk goes bad, but for what is `left`: what a device boots with."""
    holds: Literal["an older record", "nothing"] = "nothing" if left == EMPTY else "an older record"
    return RigOutcome(rig._replace(disk=left, is_spoiled=True), (JournalSpoiled(holds),))


def unplug(rig: Rig, instant: str = "") -> RigOutcome:
    """The power goes at whatever the hardware is at, its bootloader and a reboot included, and does not come back."""
    lost = rig._replace(power="off", run=None, pending=(), disk=rig.disk.after_power_cut(rig.make.survives))
    return RigOutcome(lost, (PowerLost(instant),))


def plug_in(rig: Rig) -> RigOutcome:
    """There is power again, by which it boots after the time that this takes."""
    if rig.is_on or rig.pending:
        return RigOutcome(rig)
    return off(rig, "power-lost", rig.make.timings.boot)


def reboot(rig: Rig, why: BootReason) -> RigOutcome:
    """Restart in good order as far as the hardware goes; what is in memory is lost all the same."""
    return off(rig, why, rig.make.timings.boot)


def off(rig: Rig, why: BootReason, seconds: float) -> RigOutcome:
    """No power; it comes back after so long."""
    back = PowerOn(why)
    rig = rig._replace(power="off", run=None, pending=(back,))
    return RigOutcome(rig, flash(rig), after=After(seconds, back))


def remember(rig: Rig, snapshot: bytes) -> RigOutcome:
    """Have the journal end with a record, if there is power. Raises JournalError."""
    return write(rig, appended(rig.disk, snapshot))


def write(rig: Rig, writes: Sequence[Write]) -> RigOutcome:
    """Operations on the disk, one after the other."""
    if not (rig.is_on and writes):
        return RigOutcome(rig)
    if not (rig.cuts or rig.outages):
        return RigOutcome(rig._replace(disk=writes[-1].disk), instants=len(writes))
    for number, each in enumerate(writes, 1):
        passed = instant(rig, each.name)
        rig = passed.rig
        if not rig.is_on:
            return passed._replace(instants=number)
        rig = rig._replace(disk=each.disk)
    return RigOutcome(rig, instants=len(writes))
