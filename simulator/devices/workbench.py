"""Steps on simulated hardware: their sectors, how far they are, where they are held, stopped or undone.

A Hold is how a deletion is made to land where the scenario says: the hardware stops at that percent of that step,
for that job, until that device is let go. From outside it looks like a slow flash.

Undoing a step is work of the same kind. Every sector is an instant at which the power may go (see `flash`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from agent.account import (
    BootReason,
    DeviceCrashed,
    DeviceEvent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.causes import Cause
from agent.core.events import (
    BeginStep,
    Event,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    UndoStep,
    Verified,
    Verify,
)
from agent.plan import Step
from simulator.devices.flash import Flash, Run
from simulator.devices.hardware import Image, describe, revert
from simulator.devices.sectors import cause_of, image_of, knows, refuses_to_do, refuses_to_undo, work_of
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Timings, thing_of_agent

PROGRESS_PERCENT: Final = 50
"""Where in a step the hardware reports progress by itself."""


@dataclass(slots=True)
class Hold:
    """Stop each device at `percent` of `step` of `job_id`, until it is let go; then never again."""

    job_id: str
    step: str
    percent: int
    _held: dict[str, tuple[Flash, Run]] = field(default_factory=dict)
    _free: set[str] = field(default_factory=set)
    _is_open: bool = False

    def applies(self, thing: str, job_id: str, step: str) -> bool:
        """Whether a step is to be held."""
        return (job_id, step) == (self.job_id, self.step) and not self._is_open and thing not in self._free

    def hold(self, thing: str, flash: Flash, run: Run) -> None:
        """Let a run that pauses go on when its device is let go."""
        self._held[thing] = flash, run

    def let_go(self, thing: str) -> None:
        """Let what a device holds go on."""
        self._free.add(thing)
        if (held := self._held.pop(thing, None)) is not None:
            flash, run = held
            flash.go_on(run)

    def let_all_go(self) -> None:
        """Let everything that is held go on."""
        self._is_open = True
        for thing in tuple(self._held):
            self.let_go(thing)

    @property
    def held(self) -> tuple[str, ...]:
        """The things that are held now."""
        return tuple(self._held)


class Machine(Protocol):
    """The device that the hardware is in."""

    thing: str
    flash: Flash
    observe: Callable[[DeviceEvent], None]

    def deliver(self, event: Event) -> None:
        """Tell the agent, if there is one."""

    def reboot(self, why: BootReason) -> None:
        """Restart: memory is lost, the bootloader decides what comes up."""


class SimulatedWorkbench:
    """Performs a device core's step effects on simulated hardware (see `agent.runner.Workbench`).

    If it is `guarded`, nothing that runs or would boot next is erased, whatever the agent wants; see `sectors`.
    """

    __slots__ = ("_device", "_effect", "_holds", "_is_dead", "_is_guarded", "_pace", "_timings", "_told")

    def __init__(
        self,
        device: Machine,
        timings: Timings,
        holds: tuple[Hold, ...] = (),
        *,
        guarded: bool = True,
        pace: Pace = LOOP_TIME,
    ) -> None:
        self._device = device
        self._is_guarded = guarded
        self._timings = timings
        self._pace = pace
        self._holds = holds
        self._effect: BeginStep | None = None
        """The step that runs."""
        self._told = 0
        """The percentage of it that was told last."""
        self._is_dead = False

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        step, flash = effect.step, self._device.flash
        self._device.observe(StepStarted(effect.execution, step.name, step.reversible))
        if step.action == "reboot":
            self._pace.call_later(self._timings.reboot, self._reboot)
            return
        if not flash.instant(f"{step.name} begins", step.name, 0):
            return
        work = work_of(step)
        try:
            image = image_of(step.args)
        except ValueError as error:
            self._fail(effect, str(error), Cause.MALFORMED_DOCUMENT)
            return
        if self._is_guarded and refuses_to_do(flash.hardware, step):
            self._fail(effect, "what runs, or is to boot next, is not written over", Cause.NOT_ALLOWED)
            return
        self._effect, self._told = effect, 0
        sectors = work.sectors(flash.hardware, image)
        seconds = self._timings.seconds(step.action) / max(sectors, 1)
        run = Run(step.name, step.name, work.sector, image, sectors, seconds, self)
        held = next((hold for hold in self._holds_of(effect) if not hold.percent), None)
        if held is not None:
            flash.hold(run)
            held.hold(self._thing, flash, run)
        else:
            flash.begin(run)

    def stop(self, effect: StopStep) -> None:
        """Stop the running step after the sector at which it is."""
        running = self._effect
        if running is not None and running.index == effect.index:
            self._effect = None
            self._device.flash.stop()
            self._device.observe(describe(self._device.flash.hardware))
            self._device.observe(StepFinished(running.execution, running.step.name, "stopped"))
            self._device.deliver(StepEnded(effect.index, "stopped"))

    def _fail(self, effect: BeginStep, why: str, cause: Cause) -> None:
        """A step that cannot even begin."""
        self._device.observe(StepFinished(effect.execution, effect.step.name, "failed"))
        self._device.deliver(StepEnded(effect.index, "failed", why, cause=cause))

    def undo(self, effect: UndoStep) -> None:
        """Take a step back, sector by sector, too."""
        step, flash = effect.step, self._device.flash
        if not flash.instant(f"undo {step.name}"):
            return
        if self._is_guarded and knows(step) and refuses_to_undo(flash.hardware, step, _image_to_undo(step)):
            self._cannot_undo(effect)
            return
        if step.action == "reboot":
            self._pace.call_later(self._timings.undo, self._undo_reboot, effect)
            return
        if not knows(step):
            self._cannot_undo(effect)
            return
        work, image = work_of(step), _image_to_undo(step)
        sectors = work.to_undo(flash.hardware, image)
        seconds = self._timings.undo / max(sectors, 1)
        flash.begin(Run(f"undo {step.name}", "", work.undo, image, sectors, seconds, _Undoing(self, effect)))

    def _cannot_undo(self, effect: UndoStep) -> None:
        self._device.observe(StepUndone(effect.execution, effect.step.name, ok=False))
        self._device.deliver(StepRestored(effect.index, False))

    def verify(self, effect: Verify) -> None:
        """Say whether the hardware is whole."""
        self._device.deliver(Verified(self._device.flash.hardware.is_whole))

    def cut(self) -> None:
        """The power is gone: nothing that was begun here goes on, when it is back neither."""
        self._effect = None
        self._is_dead = True

    @property
    def _thing(self) -> str:
        return thing_of_agent(self._device.thing)

    # ── how far a step is ─────────────────────────────────────────────────────────────────────────────────────

    def _holds_of(self, effect: BeginStep) -> list[Hold]:
        job_id, step = effect.execution.job_id, effect.step.name
        return [hold for hold in self._holds if hold.applies(self._thing, job_id, step)]

    def _points(self, effect: BeginStep) -> list[int]:
        """The percentages, beyond the one told last, at which the step reports progress."""
        points = (PROGRESS_PERCENT, *(hold.percent for hold in self._holds_of(effect)))
        return sorted(at for at in points if at > self._told)

    def next_pause(self, run: Run) -> int:
        """With how many sectors done the next point is reached; they are counted up to the percentage."""
        assert self._effect is not None, "asked about the step that runs"
        point = next(iter(self._points(self._effect)), 100)
        return max(run.done + 1, -(-point * run.sectors // 100)) if run.sectors else 0

    def reached(self, run: Run) -> None:
        """Report progress, or the end; at a hold, wait."""
        effect = self._effect
        assert effect is not None, "a run that was stopped reaches nothing"
        if run.done == run.sectors:
            self._finish(effect, run)
            return
        percent = run.percent(run.done)
        passed = [at for at in self._points(effect) if at <= percent]
        hold = next((hold for hold in self._holds_of(effect) if hold.percent in passed), None)
        if not passed:
            self._device.flash.go_on(run)
            return
        self._told = percent
        self._device.observe(StepProgressed(effect.execution, effect.step.name, passed[-1]))
        if hold is not None:
            hold.hold(self._thing, self._device.flash, run)
        else:
            self._device.flash.go_on(run)
        self._device.deliver(StepAdvanced(effect.index, passed[-1]))

    def _finish(self, effect: BeginStep, run: Run) -> None:
        self._effect, hardware, step = None, self._device.flash.hardware, effect.step
        fault = work_of(step).fault(hardware, run.image)
        self._device.observe(describe(hardware))
        # Once the only slot holds the new image, that is as good as a commit.
        if not fault and (step.action == "commit" or (step.action == "write" and hardware.layout == "single")):
            self._device.observe(VersionCommitted(effect.execution, effect.version))
        outcome: Literal["done", "failed"] = "failed" if fault else "done"
        self._device.observe(StepFinished(effect.execution, step.name, outcome))
        self._device.deliver(StepEnded(effect.index, outcome, fault, cause=cause_of(fault)))

    # ── rebooting, and taking back ────────────────────────────────────────────────────────────────────────────

    def _reboot(self) -> None:
        if not self._is_dead and self._device.flash.instant("reboot", "reboot", 0):
            self._device.reboot("reboot")

    def _undo_reboot(self, effect: UndoStep) -> None:
        """New firmware on trial goes back by way of another reboot, after which the rest is undone."""
        flash = self._device.flash
        if self._is_dead or not flash.instant("undo reboot 1/1"):
            return
        if flash.hardware.trial == "running":
            flash.hardware = revert(flash.hardware)
            self._device.reboot("reboot")
        else:
            self._restored(effect)

    def undone(self, effect: UndoStep, run: Run) -> None:
        """A step has been taken back, as far as there was anything to take back."""
        hardware = self._device.flash.hardware
        if run.sectors:
            self._device.observe(describe(hardware))
        if effect.step.action == "commit":
            self._device.observe(VersionReverted(effect.execution, hardware.version))
        self._restored(effect)

    def _restored(self, effect: UndoStep) -> None:
        self._device.observe(StepUndone(effect.execution, effect.step.name))
        if self._device.flash.hardware.running is None:
            self._device.observe(DeviceCrashed(f"undo {effect.step.name}: erased the firmware that was running"))
            self._device.reboot("watchdog")
        else:
            self._device.deliver(StepRestored(effect.index, True))


def _image_to_undo(step: Step) -> Image:
    """What a step brought; nothing, if it spoke of an image that cannot be."""
    try:
        return image_of(step.args)
    except ValueError:
        return Image("")


@dataclass(frozen=True, slots=True)
class _Undoing:
    """Whose work an undo is (see `flash.Worker`): it never pauses."""

    bench: SimulatedWorkbench
    effect: UndoStep

    def next_pause(self, run: Run) -> int:
        return run.sectors

    def reached(self, run: Run) -> None:
        self.bench.undone(self.effect, run)
