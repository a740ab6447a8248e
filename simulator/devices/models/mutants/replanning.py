"""A reference device with other plans than its own: what several flaws have in common."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Remember
from agent.core.record import Work
from agent.plan import Plan

Step: TypeAlias = Callable[[Machine, Event], tuple[Machine, tuple[Effect, ...]]]


def with_plans(changed: Callable[[Plan], Plan]) -> Step:
    """As the reference device; whatever it works by, in memory and on record, is `changed`, which may be done twice."""

    def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
        machine, effects = reference(machine, event)
        work = getattr(machine.phase, "work", None)
        if isinstance(work, Work):
            phase: Any = machine.phase
            machine = replace(machine, phase=replace(phase, work=_by(changed, work)))
        return machine, tuple(_remembering(changed, effect) for effect in effects)

    return step


def _remembering(changed: Callable[[Plan], Plan], effect: Effect) -> Effect:
    if isinstance(effect, Remember) and effect.record.work is not None:
        return Remember(replace(effect.record, work=_by(changed, effect.record.work)))
    return effect


def _by(changed: Callable[[Plan], Plan], work: Work) -> Work:
    return replace(work, plan=changed(work.plan))
