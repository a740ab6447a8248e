"""Sectors in a row: up to where they pause, where they are held, and where something may come between."""

from collections.abc import Iterator
from typing import Final

from agent.core.events import BeginStep
from simulator.devices.hardware import describe
from simulator.devices.rig.power import applies, instant
from simulator.devices.rig.telling import flash, flash_at_work
from simulator.devices.rig.values import After, HoldPoint, Rig, RigOutcome, SectorRun, Sectors
from simulator.devices.sectors import worked

PROGRESS_PERCENT: Final = 50
"""Where in a step the hardware reports progress by itself."""


def next_stop(rig: Rig) -> int:
    """With how many sectors of the run done anything happens next: it pauses, the power goes, or the network."""
    run = rig.run
    assert run is not None, "asked while something is under way"
    if not (rig.cuts or rig.outages):
        return run.pause
    return next((done for done in range(run.done + 1, run.pause) if _is_perilous(rig, run, done)), run.pause)


def _is_perilous(rig: Rig, run: SectorRun, done: int) -> bool:
    """Whether the power, or the network, goes at the sector after which so many are done."""
    step, percent, number = run.step, run.percent(done), rig.instants + done - run.done
    name, last_step = run.instant(done), step or rig.last_step
    cut = any(cut.applies(name, number, step, percent, last_step) for cut in rig.cuts)
    return cut or any(applies(outage, step, percent) for outage in rig.outages)


def work(rig: Rig, done: int) -> RigOutcome:
    """The sectors alone: what they lead to, see `reached`."""
    run = rig.run
    assert run is not None, "there is something to do"
    count = done - run.done
    if count and (rig.cuts or rig.outages) and _is_perilous(rig, run, done):
        sector = work(rig, done - 1).then(instant, run.instant(done), run.step, run.percent(done))
        return sector.then(_worked, done)
    return _worked(rig, done, count)


def _worked(rig: Rig, done: int, count: int = 0) -> RigOutcome:
    """Without asking for power; `count` instants are those sectors."""
    run = rig.run
    assert run is not None, "there is something to do"
    hardware, brick = worked(run.sector, rig.hardware, run.image, run.done, done)
    number = rig.instants + count if rig.cuts else 0
    rig = rig._replace(hardware=hardware, run=run._replace(done=done), instants=number)
    tells = () if brick is None else (describe(brick), *flash(rig._replace(hardware=brick)))
    return RigOutcome(rig, tells, instants=count)


def set_going(rig: Rig, run: SectorRun) -> RigOutcome:
    """A run begins, or goes on that stood still: the same as `go_on`, and it is told what of."""
    going = go_on(rig, run)
    return going._replace(tells=flash_at_work(going.rig))


def go_on(rig: Rig, run: SectorRun) -> RigOutcome:
    """Do its next sectors, up to the next pause."""
    run = run._replace(held=None, pause=_next_pause(rig, run))
    return RigOutcome(rig._replace(run=run), after=After(run.seconds, Sectors()))


def _next_pause(rig: Rig, run: SectorRun) -> int:
    """With how many sectors done the next point is reached; they are counted up to the percentage."""
    if not run.sectors or not isinstance(run.work, BeginStep):
        return run.sectors
    point = next(iter(points(rig, run, run.work)), 100)
    return max(run.done + 1, -(-point * run.sectors // 100))


def points(rig: Rig, run: SectorRun, effect: BeginStep) -> list[int]:
    """The percentages, beyond the one told last, at which a step reports progress."""
    points = (PROGRESS_PERCENT, *(hold.percent for hold in holds_of(rig, effect)))
    return sorted(at for at in points if at > run.told)


def holds_of(rig: Rig, effect: BeginStep) -> Iterator[HoldPoint]:
    """Where a step is to be held."""
    place = effect.execution.job_id, effect.step.name
    return (hold for hold in rig.holds if (hold.job_id, hold.step) == place)


def let_go(rig: Rig, hold: HoldPoint) -> RigOutcome:
    """That hold is over, and what it holds goes on."""
    rig = rig._replace(holds=tuple(other for other in rig.holds if other != hold))
    if rig.run is not None and rig.run.held == hold:
        return set_going(rig, rig.run)
    return RigOutcome(rig)
