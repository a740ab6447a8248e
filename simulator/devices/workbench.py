"""Hardware on the event loop: steps do their sectors one by one, report how far they are, and can be held or cut.

A Hold is how a deletion is made to land where the scenario says: the hardware stops at that percent of that step,
for that job, until the hold is let go. From outside it looks like a slow flash.

Every sector is an `instant`: the power supply is asked before it is done, and may be gone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from agent.account import (
    DeviceCrashed,
    DeviceEvent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
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
from simulator.devices.hardware import Hardware, Image, Work, image_of, revert, work_of
from simulator.scenario import Timings

PROGRESS_PERCENT: Final = 50
"""Where in a step the hardware reports progress by itself."""


@dataclass(slots=True)
class Hold:
    """Stop `step` of `job_id` at `percent`, until let go; then never again."""

    job_id: str
    step: str
    percent: int
    _held: list[Callable[[], object]] = field(default_factory=list)
    _is_open: bool = False

    def applies(self, job_id: str, step: str) -> bool:
        """Whether a step is to be held."""
        return not self._is_open and (job_id, step) == (self.job_id, self.step)

    def wait(self, resume: Callable[[], object]) -> None:
        """Call `resume` when the hold is let go."""
        self._held.append(resume)

    def let_go(self) -> None:
        """Let every held step go on."""
        self._is_open = True
        held, self._held = self._held, []
        for resume in held:
            resume()


class PowerSupply(Protocol):
    """What the hardware asks of the device that it is in."""

    hardware: Hardware

    def instant(self, name: str, step: str = "", percent: int = 0) -> bool:
        """Whether there is power for one more sector or write; if it goes here, the device is off from now on.

        `percent` is how far `step` will be after it.
        """

    def reboot(self, why: str) -> None:
        """Restart: memory is lost, the bootloader decides what comes up."""


@dataclass(slots=True)
class _Running:
    effect: BeginStep
    work: Work
    image: Image
    sectors: int
    """How many there are to do from here on."""
    done: int = 0
    told: int = 0
    timer: asyncio.TimerHandle | None = None


class SimulatedWorkbench:
    """Performs a device core's step effects on simulated hardware (see `agent.runner.Workbench`)."""

    __slots__ = ("_deliver", "_device", "_holds", "_is_dead", "_observe", "_running", "_timings")

    def __init__(
        self,
        device: PowerSupply,
        timings: Timings,
        observe: Callable[[DeviceEvent], None],
        deliver: Callable[[Event], None],
        holds: tuple[Hold, ...] = (),
    ) -> None:
        self._device = device
        self._timings = timings
        self._observe = observe
        self._deliver = deliver
        self._holds = holds
        self._running: _Running | None = None
        self._is_dead = False

    def begin(self, effect: BeginStep) -> None:
        """Start a step."""
        step = effect.step
        self._observe(StepStarted(effect.execution, step.name, step.reversible))
        if step.action == "reboot":
            asyncio.get_running_loop().call_later(self._timings.reboot, self._reboot)
            return
        work, image = work_of(step), image_of(step.args)
        if not self._device.instant(f"{step.name} begins", step.name, 0):
            return
        sectors = work.sectors(self._device.hardware, image)
        self._running = running = _Running(effect, work, image, sectors)
        self._change(work.begin(self._device.hardware, image))
        job_id = effect.execution.job_id
        held = next((hold for hold in self._holds if not hold.percent and hold.applies(job_id, step.name)), None)
        if held is not None:
            held.wait(lambda: self._next(running))
        else:
            self._next(running)

    def stop(self, effect: StopStep) -> None:
        """Stop the running step after the sector at which it is."""
        running = self._running
        if running is not None and running.effect.index == effect.index:
            self._drop()
            self._observe(StepFinished(running.effect.execution, running.effect.step.name, "stopped"))
            self._deliver(StepEnded(effect.index, "stopped"))

    def undo(self, effect: UndoStep) -> None:
        """Take a step back."""
        asyncio.get_running_loop().call_later(self._timings.undo, self._undo, effect)

    def verify(self, effect: Verify) -> None:
        """Say whether the hardware is whole."""
        self._deliver(Verified(self._device.hardware.is_whole))

    def cut(self) -> None:
        """The power is gone: nothing that was begun here goes on, when it is back neither."""
        self._drop()
        self._is_dead = True

    def _drop(self) -> None:
        """Nothing runs any more: the sector that was under way is not done."""
        if self._running is not None and self._running.timer is not None:
            self._running.timer.cancel()
        self._running = None

    # ── sector by sector ──────────────────────────────────────────────────────────────────────────────────────

    def _next(self, running: _Running) -> None:
        """Let the next sector take its time; a step that has none is done."""
        if self._running is running and not running.sectors:
            running.timer = asyncio.get_running_loop().call_later(0, self._finish, running)
        elif self._running is running:
            seconds = self._timings.seconds(running.effect.step.action) / running.sectors
            running.timer = asyncio.get_running_loop().call_later(seconds, self._sector, running)

    def _sector(self, running: _Running) -> None:
        effect = running.effect
        device, percent = self._device, 100 * (running.done + 1) // running.sectors
        if not device.instant(f"{effect.step.name} {running.done + 1}/{running.sectors}", effect.step.name, percent):
            return
        device.hardware = running.work.sector(device.hardware, running.image, running.done)
        running.done += 1
        if running.done == running.sectors:
            self._finish(running)
            return
        points = self._points(running, percent)
        if not points:
            self._next(running)
            return
        running.told = percent
        self._observe(StepProgressed(effect.execution, effect.step.name, points[-1][0]))
        hold = next((hold for _, hold in points if hold is not None), None)
        if hold is not None:
            hold.wait(lambda: self._next(running))
        else:
            self._next(running)
        self._deliver(StepAdvanced(effect.index, points[-1][0]))

    def _points(self, running: _Running, percent: int) -> list[tuple[int, Hold | None]]:
        """Where the step reports progress between the last report and here, with the hold that stops it there."""
        job_id, step = running.effect.execution.job_id, running.effect.step.name
        points: dict[int, Hold | None] = {PROGRESS_PERCENT: None}
        points |= {hold.percent: hold for hold in self._holds if hold.applies(job_id, step)}
        return sorted((at, hold) for at, hold in points.items() if running.told < at <= percent)

    def _finish(self, running: _Running) -> None:
        effect, device, self._running = running.effect, self._device, None
        fault = running.work.fault(device.hardware, running.image)
        self._observe(device.hardware.describe())
        if not fault and (effect.step.action == "commit" or self._overwrote(effect.step)):
            self._observe(VersionCommitted(effect.execution, effect.version))
        self._observe(StepFinished(effect.execution, effect.step.name, "failed" if fault else "done"))
        self._deliver(StepEnded(effect.index, "failed" if fault else "done", fault))

    def _overwrote(self, step: Step) -> bool:
        """Whether the only slot holds the new image now: that is as good as a commit."""
        return step.action == "write" and self._device.hardware.layout == "single"

    def _reboot(self) -> None:
        if not self._is_dead and self._device.instant("reboot", "reboot", 0):
            self._device.reboot("reboot")

    def _undo(self, effect: UndoStep) -> None:
        step, device = effect.step, self._device
        if self._is_dead or not device.instant(f"undo {step.name}"):
            return
        if step.action == "reboot":
            if device.hardware.trial == "running":
                device.hardware = revert(device.hardware)
                device.reboot("reboot")
                return
        else:
            self._change(work_of(step).undo(device.hardware, image_of(step.args)))
        if step.action == "commit":
            self._observe(VersionReverted(effect.execution, device.hardware.version))
        self._observe(StepUndone(effect.execution, step.name))
        if device.hardware.running is None:
            self._observe(DeviceCrashed(f"undo {step.name}: erased the firmware that was running"))
            device.reboot("watchdog")
            return
        self._deliver(StepRestored(effect.index, True))

    def _change(self, hardware: Hardware) -> None:
        if hardware != self._device.hardware:
            self._device.hardware = hardware
            self._observe(hardware.describe())
