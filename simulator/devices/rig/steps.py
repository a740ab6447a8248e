"""What the agent wants of the hardware, the bootloader's work, and what comes of both."""

from typing import Final, Literal, assert_never

from agent.causes import Cause
from agent.core.events import BeginStep, Booted, StepAdvanced, StepEnded, StepRestored, StopStep, UndoStep, Verified
from agent.core.record import Record
from agent.device_events import (
    BootReason,
    DeviceBooted,
    DeviceCrashed,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.errors import GhostjobError
from agent.plan import Step
from simulator.devices.hardware import SECTORS, Image, describe, revert, swap_sectors, swept, try_to_boot
from simulator.devices.rig.power import instant, off, reboot
from simulator.devices.rig.running import go_on, holds_of, points, set_going, work
from simulator.devices.rig.telling import flash, flash_after, flash_at_work
from simulator.devices.rig.values import (
    After,
    HoldPoint,
    Pending,
    PowerOn,
    Reboot,
    Rig,
    RigOutcome,
    SectorRun,
    SlotSwap,
    UndoReboot,
)
from simulator.devices.sectors import action_of, cause_of, exchange, image_of, knows, refuses_to_do, refuses_to_undo
from simulator.devices.storage import recall
from simulator.trace.flash_events import DeviceAccount

WATCHDOG_SECONDS: Final = 0.05
"""How long an image hangs before it is reset; short, for the sake of those who wait."""
NO_IMAGE: Final = Image("")
"""For work that is about no image in particular."""

# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(rig: Rig, effect: BeginStep) -> RigOutcome:
    """Start a step."""
    step = effect.step
    started = RigOutcome(rig, (StepStarted(effect.execution, step.name, step.reversible),))
    if step.action == "reboot":
        return started.then(_wait_for, Reboot(), rig.make.timings.reboot)
    return started.then(instant, f"{step.name} begins", step.name).then(_begin, effect)


def _begin(rig: Rig, effect: BeginStep) -> RigOutcome:
    action = action_of(effect.step)
    try:
        image = image_of(effect.step.args)
    except ValueError as error:
        return fail(rig, effect, str(error), Cause.MALFORMED_DOCUMENT)
    if rig.make.guarded and refuses_to_do(rig.hardware, effect.step):
        return fail(rig, effect, "what runs, or is to boot next, is not written over", Cause.NOT_ALLOWED)
    if effect.step.action == "restart" and not rig.hardware.previous:
        return fail(rig, effect, "the new configuration is not in its place any more", outcome="refused")
    if effect.step.action == "write" and rig.hardware.layout == "single":
        rig = rig._replace(is_spoiled=False)  # from here on its journal tells it what to write
    name, sectors = effect.step.name, action.sectors(rig.hardware, image)
    seconds = rig.make.timings.seconds(effect.step.action) / max(sectors, 1)
    run = SectorRun(effect, name, name, action.sector, image, sectors, seconds)
    held = next((hold for hold in holds_of(rig, effect) if not hold.percent), None)
    return _hold(rig, run, held) if held else set_going(rig, run)


def _hold(rig: Rig, run: SectorRun, held: HoldPoint) -> RigOutcome:
    rig = rig._replace(run=run._replace(held=held))
    return RigOutcome(rig, flash_at_work(rig))


def fail(
    rig: Rig,
    effect: BeginStep,
    why: str,
    cause: str = Cause.STEP_FAILED,
    outcome: Literal["failed", "refused"] = "failed",
) -> RigOutcome:
    """A step ends, because that went wrong, or does not begin at all."""
    failed = StepEnded(effect.index, outcome, why, cause=cause)
    return RigOutcome(rig, (StepFinished(effect.execution, effect.step.name, "failed"),), failed)


def stop(rig: Rig, effect: StopStep) -> RigOutcome:
    """Stop the running step after the sector at which it is."""
    match rig.run:
        case SectorRun(work=BeginStep(index=effect.index) as running):
            finished = StepFinished(running.execution, running.step.name, "stopped")
            stopped = StepEnded(effect.index, "stopped")
            still = rig._replace(run=None)
            return RigOutcome(still, (describe(rig.hardware), *flash_after(still, rig.run), finished), stopped)
        case _:
            return RigOutcome(rig)


def verify(rig: Rig) -> RigOutcome:
    """Say whether the hardware is whole."""
    return RigOutcome(rig, event=Verified(rig.hardware.is_whole))


def undo(rig: Rig, effect: UndoStep) -> RigOutcome:
    """Take a step back, sector by sector, too."""
    return instant(rig, f"undo {effect.step.name}").then(_undo, effect)


def _undo(rig: Rig, effect: UndoStep) -> RigOutcome:
    step, image = effect.step, _image_to_undo(effect.step)
    if not knows(step) or (rig.make.guarded and refuses_to_undo(rig.hardware, step, image)):
        return RigOutcome(rig, (StepUndone(effect.execution, step.name, ok=False),), StepRestored(effect.index, False))
    if step.action == "reboot":
        return _wait_for(rig, UndoReboot(effect), rig.make.timings.undo)
    action, undo_seconds = action_of(step), rig.make.timings.undo
    sectors = action.to_undo(rig.hardware, image)
    return set_going(
        rig, SectorRun(effect, f"undo {step.name}", "", action.undo, image, sectors, undo_seconds / max(sectors, 1))
    )


def _image_to_undo(step: Step) -> Image:
    """What a step brought; nothing, if it spoke of an image that cannot be."""
    try:
        return image_of(step.args)
    except ValueError:
        return NO_IMAGE


# ── what comes of it ──────────────────────────────────────────────────────────────────────────────────────────


def advance(rig: Rig, done: int) -> RigOutcome:
    """Do the run's sectors until so many are done; before those nothing else must happen (see `next_stop`)."""
    run = rig.run
    assert run is not None, "there is something to do"
    outcome = work(rig, done)
    return outcome.then(reached) if done == run.pause else outcome


def reached(rig: Rig) -> RigOutcome:
    """The run is where it was to pause, or at its end."""
    run = rig.run
    assert run is not None, "there is something to do"
    match run.work:
        case SlotSwap(why=why):
            return _boot(rig, why)
        case UndoStep():
            return _undone(rig._replace(run=None), run, run.work)
        case BeginStep() if run.done == run.sectors:
            return _finish(rig._replace(run=None), run, run.work)
        case BeginStep():
            return _pause(rig, run, run.work)
        case _:
            assert_never(run.work)


def _pause(rig: Rig, run: SectorRun, effect: BeginStep) -> RigOutcome:
    """Report progress; at a hold, wait."""
    percent = run.percent(run.done)
    passed = [at for at in points(rig, run, effect) if at <= percent]
    if not passed:
        return go_on(rig, run)
    run = run._replace(told=percent)
    held = next((hold for hold in holds_of(rig, effect) if hold.percent in passed), None)
    on = _hold(rig, run, held) if held else go_on(rig, run)
    told = StepProgressed(effect.execution, effect.step.name, passed[-1])
    return on._replace(tells=(told, *on.tells), event=StepAdvanced(effect.index, passed[-1]))


def _finish(rig: Rig, run: SectorRun, effect: BeginStep) -> RigOutcome:
    hardware, step = rig.hardware, effect.step
    fault = action_of(step).fault(hardware, run.image)
    changed: tuple[DeviceAccount, ...] = (describe(hardware), *flash_after(rig, run))
    if fault:
        failed = fail(rig, effect, fault, cause_of(fault))
        return failed._replace(tells=(*changed, *failed.tells))
    # Once the only slot holds the new image, that is as good as a commit.
    commits = step.action == "commit" or (step.action == "write" and hardware.layout == "single")
    committed = (VersionCommitted(effect.execution, effect.version),) if commits else ()
    done = StepFinished(effect.execution, step.name, "done")
    return RigOutcome(rig, (*changed, *committed, done), StepEnded(effect.index, "done"))


def _undone(rig: Rig, run: SectorRun, effect: UndoStep) -> RigOutcome:
    """A step has been taken back, as far as there was anything to take back."""
    changed: tuple[DeviceAccount, ...] = (describe(rig.hardware), *flash_after(rig, run)) if run.sectors else ()
    is_commit = effect.step.action == "commit"
    reverted = (VersionReverted(effect.execution, rig.hardware.version),) if is_commit else ()
    return RigOutcome(rig, (*changed, *reverted)).then(_restored, effect)


def _restored(rig: Rig, effect: UndoStep) -> RigOutcome:
    undone = StepUndone(effect.execution, effect.step.name)
    if rig.hardware.running is not None:
        return RigOutcome(rig, (undone,), StepRestored(effect.index, True))
    crashed = DeviceCrashed(f"undo {effect.step.name}: erased the firmware that was running")
    going = reboot(rig, "watchdog")
    return going._replace(tells=(undone, crashed, *going.tells))


# ── booting ───────────────────────────────────────────────────────────────────────────────────────────────────


def happen(rig: Rig, what: Pending) -> RigOutcome:
    """What was pending comes; what is not, or not any more, does not."""
    if what not in rig.pending:
        return RigOutcome(rig)
    rig = rig._replace(pending=tuple(other for other in rig.pending if other != what))
    match what:
        case PowerOn(why=why):
            return power_on(rig, why)
        case Reboot():
            return instant(rig, "reboot", "reboot").then(reboot, "reboot")
        case UndoReboot(effect=effect):
            return instant(rig, "undo reboot 1/1").then(_undo_reboot, effect)
        case _:
            assert_never(what)


def _wait_for(rig: Rig, what: Pending, seconds: float) -> RigOutcome:
    return RigOutcome(rig._replace(pending=(*rig.pending, what)), after=After(seconds, what))


def power_on(rig: Rig, why: BootReason = "power-on") -> RigOutcome:
    """Boot: exchange the slots if that was asked for, or goes on; then start what the bootloader chooses."""
    rig = rig._replace(power="booting", pending=())
    sectors = swap_sectors(rig.hardware)
    if not sectors:
        return _boot(rig, why)
    seconds = rig.make.timings.write / SECTORS
    return set_going(rig, SectorRun(SlotSwap(why), "exchange", "", exchange, NO_IMAGE, sectors, seconds))


def _boot(rig: Rig, why: BootReason) -> RigOutcome:
    hardware, hangs = try_to_boot(rig.hardware, after_hang=why == "watchdog")
    rig = rig._replace(hardware=hardware, run=None)
    if hangs:
        return off(rig, "watchdog", WATCHDOG_SECONDS)
    on_trial = hardware.trial == "running"
    changed: tuple[DeviceAccount, ...] = ()
    tells = DeviceBooted(hardware.version, why, on_trial), describe(hardware), *flash(rig._replace(power="up"))
    if hardware.running is None:
        return RigOutcome(rig._replace(power="off"), tells)
    try:
        disk, record = recall(rig.disk)
    except GhostjobError as error:
        return RigOutcome(rig._replace(power="off"), (*tells, DeviceCrashed(f"the agent cannot begin: {error}")))
    in_recovery = hardware.layout == "single" and hardware.running == 1
    if rig.is_spoiled:
        if on_trial and not (record or Record()).has_work:
            return RigOutcome(rig, tells).then(_back_from_trial)
        rig, changed = _swept(rig._replace(is_spoiled=on_trial or in_recovery), record)
        hardware = rig.hardware
    booted = Booted(record, hardware.version, on_trial, in_recovery=in_recovery, unproven=hardware.unproven)
    return RigOutcome(rig._replace(power="up", disk=disk), (*tells, *changed), booted)


def _back_from_trial(rig: Rig) -> RigOutcome:
    """What is on trial, and nobody remembers why, would never be committed: it is not left running."""
    return instant(rig, "undo reboot 1/1").then(_revert)


def _revert(rig: Rig) -> RigOutcome:
    return reboot(rig._replace(hardware=revert(rig.hardware)), "reboot")


def _swept(rig: Rig, record: Record | None) -> tuple[Rig, tuple[DeviceAccount, ...]]:
    """An agent with nothing in hand drops what nobody will finish, which there is only where a journal was spoiled."""
    hardware = rig.hardware if record is not None and record.has_work else swept(rig.hardware)
    if hardware == rig.hardware:
        return rig, ()
    rig = rig._replace(hardware=hardware)
    return rig, (describe(hardware), *flash(rig._replace(power="up")))


def _undo_reboot(rig: Rig, effect: UndoStep) -> RigOutcome:
    return _revert(rig) if rig.hardware.trial == "running" else _restored(rig, effect)
