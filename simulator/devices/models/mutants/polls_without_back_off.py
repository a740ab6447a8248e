"""A device that repeats what was refused for the moment at one and the same interval.

A fleet of them keeps the service throttled that throttles it.
"""

from dataclasses import replace
from typing import Final

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, SetTimer

INTERVAL_SECONDS: Final = 0.2


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but no wait before a retry is longer than the first, and none has jitter."""
    machine, effects = reference(machine, event)
    return machine, tuple(_soon(effect) for effect in effects)


def _soon(effect: Effect) -> Effect:
    if isinstance(effect, SetTimer) and effect.name == "retry":
        return replace(effect, after_seconds=min(effect.after_seconds, INTERVAL_SECONDS), spread_seconds=0.0)
    return effect
