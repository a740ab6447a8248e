"""Every way in which the work of a device can fail by itself: what is wrong with the image, a step, the network."""

from collections.abc import Iterator
from typing import Final

from agent.abilities import Layout
from agent.causes import Cause
from agent.core.events import BeginStep
from agent.device_events import StepStarted
from agent.documents.ours import SINGLE_STEPS, TRIAL_STEPS
from simulator.devices.hardware import describe
from simulator.devices.rig.power import instant
from simulator.devices.rig.running import work
from simulator.devices.rig.steps import advance, begin, fail
from simulator.devices.rig.values import Rig, RigOutcome
from simulator.scenario import Outage

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


def failure_of(trouble: str) -> tuple[str, str]:
    """Which step fails on the way to VERSION, as often as it is begun, and when; empty if none does."""
    step, _, when = trouble.partition(" fails ")
    return (step, when) if when else ("", "")


def troubled_step(trouble: str) -> str:
    """In which step it shows first; empty if there is no trouble."""
    kind, _, what = trouble.partition(" ")
    if kind == "image":
        return {"boot": "reboot", "self-test": "self-test"}.get(what, "download")
    return what.removeprefix("since ") if kind == "silence" else kind


def begin_failing(rig: Rig, effect: BeginStep, when: str) -> RigOutcome:
    """Start a step that is to fail: now, or half done, or once it is done."""
    if when == "at once":
        step = effect.step
        started = RigOutcome(rig, (StepStarted(effect.execution, step.name, step.reversible),))
        begun = started.then(instant, f"{step.name} begins", step.name)
        return begun.then(fail, effect, "on purpose", Cause.STEP_FAILED)
    begun = begin(rig, effect)
    run = begun.rig.run
    if when != "half" or run is None:
        return begun
    pause = min(run.pause, max(run.sectors // 2, 1))
    return begun._replace(rig=begun.rig._replace(run=run._replace(pause=pause)))


def advance_failing(rig: Rig, done: int, when: str) -> RigOutcome:
    """Do the sectors of a step that is to fail, and let it fail there if it is far enough."""
    run = rig.run
    assert run is not None, "it has begun"
    if done < (run.sectors if when == "done" else run.pause):
        return advance(rig, done)
    return work(rig, done).then(_fail)


def _fail(rig: Rig) -> RigOutcome:
    assert rig.run is not None, "it has begun"
    effect = rig.run.work
    assert isinstance(effect, BeginStep), "only steps fail"
    failed = fail(rig._replace(run=None), effect, "on purpose", Cause.STEP_FAILED)
    return failed._replace(tells=(describe(rig.hardware), *failed.tells))
