"""A device that hears no notification: only the answers to its own requests tell it anything.

Seen in the field as agents that subscribe to the documented namespace topic alone. It finds work by polling. Whether
it is a bad device depends on what it asks while it works: one that reports each step learns in time that its
execution is gone, a silent one goes on with work that nobody wants any more.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Hinted, SetTimer

POLL_SECONDS = 0.3
"""How often an idle one asks for work."""


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but deaf."""
    if isinstance(event, Hinted):
        return machine, ()
    machine, effects = reference(machine, event)
    return machine, tuple(_poll_often(effect) for effect in effects)


def _poll_often(effect: Effect) -> Effect:
    if isinstance(effect, SetTimer) and effect.name == "poll":
        return replace(effect, after_seconds=POLL_SECONDS, spread_seconds=0.0)
    return effect
