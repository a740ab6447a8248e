"""A device that repeats what was refused for the moment at one and the same interval.

A fleet of them keeps the service throttled that throttles it.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, SetTimer


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but every wait before a retry is the first one, without jitter."""
    machine, effects = reference(machine, event)
    first = machine.policy.retry_first
    return machine, tuple(
        replace(effect, after_seconds=min(effect.after_seconds, first), spread_seconds=0.0)
        if isinstance(effect, SetTimer) and effect.name == "retry"
        else effect
        for effect in effects
    )
