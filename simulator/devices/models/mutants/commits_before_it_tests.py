"""A device that commits the new firmware as soon as it runs, and tests it then.

What boots at all is taken for good, lest the bootloader fall back (so Xerolux/HB-RF-ETH-ng, pull request 110). If the
self-test then fails, there is no way back any more: the device reports FAILED, and that it keeps what failed.
"""

from dataclasses import replace
from typing import Any

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Remember
from agent.core.record import Work
from agent.plan import Plan


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but in its plans the commit comes before the self-test."""
    machine, effects = reference(machine, event)
    work = getattr(machine.phase, "work", None)
    if isinstance(work, Work):
        phase: Any = machine.phase
        machine = replace(machine, phase=replace(phase, work=_reordered(work)))
    return machine, tuple(_remembering(effect) for effect in effects)


def _remembering(effect: Effect) -> Effect:
    if isinstance(effect, Remember) and effect.record.work is not None:
        return Remember(replace(effect.record, work=_reordered(effect.record.work)))
    return effect


def _reordered(work: Work) -> Work:
    return replace(work, plan=_commits_first(work.plan))


def _commits_first(plan: Plan) -> Plan:
    test, commit = plan.index_of("self-test"), plan.index_of("commit")
    if not test < commit < len(plan.steps):
        return plan
    steps = list(plan.steps)
    steps.insert(test, steps.pop(commit))
    return replace(plan, steps=tuple(steps))
