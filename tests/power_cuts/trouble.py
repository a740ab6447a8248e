"""Every way in which the work of a device can fail by itself: what is wrong with the image, a step, the network."""

from collections.abc import Iterator
from typing import Final

from agent.abilities import Layout
from agent.account import StepStarted
from agent.causes import Cause
from agent.core.events import BeginStep
from agent.documents.ours import SINGLE_STEPS, TRIAL_STEPS
from simulator.devices.device import SimulatedDevice
from simulator.devices.flash import Run
from simulator.devices.hardware import describe
from simulator.devices.workbench import SimulatedWorkbench
from simulator.scenario import Outage, Timings

VERSION: Final = "2.0"
"""What the deleted job is to bring."""
FLAWS: Final = ("hash", "signature", "boot", "self-test")
LEAP_DEADLINE_SECONDS: Final = 2.0
SILENCE_SECONDS: Final = 5.0
"""Longer than that deadline: nobody answers before it has passed."""
IN_SECTORS: Final = ("download", "write", "self-test")
"""Steps that take several sector operations, so that they can fail half done."""


def troubles(layout: Layout) -> Iterator[str]:
    """In words, as a setting has them."""
    yield from (f"image {flaw}" for flaw in FLAWS)
    for step in SINGLE_STEPS if layout == "single" else TRIAL_STEPS:
        yield f"{step} fails at once"
        if step in IN_SECTORS:
            yield f"{step} fails half"
        if step != "reboot":
            yield f"{step} fails done"
    yield from (f"silence since {step}" for step in (SINGLE_STEPS if layout == "single" else TRIAL_STEPS))


def image_of(trouble: str) -> dict[str, str]:
    """What the job's document says of the image."""
    kind, _, flaw = trouble.partition(" ")
    return {"flaw": flaw} if kind == "image" else {}


def outages_of(trouble: str) -> tuple[Outage, ...]:
    """When the network goes."""
    kind, _, step = trouble.partition(" since ")
    return (Outage(step=step, seconds=SILENCE_SECONDS),) if kind == "silence" else ()  # type: ignore[arg-type]  # it is one


def may_end_safe(trouble: str, layout: Layout) -> bool:
    """Whether no device could be whole after that: the leap itself fails, or what the only slot holds is no good."""
    if layout == "single":
        return trouble in ("image signature", "image boot") or trouble.startswith(("write fails", "reboot fails"))
    return trouble.startswith("commit fails")


class FailingBench(SimulatedWorkbench):
    """A workbench on which one step fails on the way to VERSION, as often as it is begun."""

    __slots__ = ("_step", "_when")

    def __init__(self, device: SimulatedDevice, trouble: str, *, guarded: bool) -> None:
        super().__init__(device, Timings(), guarded=guarded)
        step, _, self._when = trouble.partition(" fails ")
        self._step = step if self._when else ""

    def _fails(self, effect: BeginStep) -> bool:
        return (effect.version, effect.step.name) == (VERSION, self._step)

    def begin(self, effect: BeginStep) -> None:
        if not self._fails(effect) or self._when != "at once":
            super().begin(effect)
            return
        self._device.observe(StepStarted(effect.execution, effect.step.name, effect.step.reversible))
        if self._device.flash.instant(f"{effect.step.name} begins", effect.step.name, 0):
            self._fail(effect, "on purpose", Cause.STEP_FAILED)

    def next_pause(self, run: Run) -> int:
        effect = self._effect
        assert effect is not None, "asked about the step that runs"
        usual = super().next_pause(run)
        return min(usual, max(run.sectors // 2, run.done + 1)) if self._fails(effect) else usual

    def reached(self, run: Run) -> None:
        effect = self._effect
        assert effect is not None, "a run that was stopped reaches nothing"
        enough = run.sectors if self._when == "done" else run.sectors // 2
        if not self._fails(effect) or run.done < enough:
            super().reached(run)
            return
        self._effect = None
        self._device.flash.stop()
        self._device.observe(describe(self._device.flash.hardware))
        self._fail(effect, "on purpose", Cause.STEP_FAILED)
