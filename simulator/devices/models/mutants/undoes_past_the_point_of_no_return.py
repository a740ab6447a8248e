"""A device that takes back what cannot be taken back.

It has committed the new image, learns that its job is gone, and goes the whole way back: the anti-rollback counter, the
erased slot and whoever has seen the new configuration know nothing of that.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Answered, Effect, Event
from agent.core.record import Work
from agent.core.state import Executing, Gated, Recovering, Reporting, Suspect


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but when the execution ended, its plan has no point of no return."""
    after, effects = reference(machine, event)
    match event, machine.phase, after.phase:
        case (
            Answered(),
            Executing(work=work) | Gated(work=work) | Suspect(work=work) | Reporting(work=work) as phase,
            Recovering(forward=True),
        ):
            return reference(replace(machine, phase=replace(phase, work=_all_reversible(work))), event)
        case _:
            return after, effects


def _all_reversible(work: Work) -> Work:
    steps = tuple(replace(each, reversible=True) for each in work.plan.steps)
    return replace(work, plan=replace(work.plan, steps=steps))
