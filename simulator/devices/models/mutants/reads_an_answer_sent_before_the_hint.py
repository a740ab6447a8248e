"""A device that asks before the leap, hears a hint meanwhile, and leaps on the answer that was under way.

What it was told had been true when it was asked for; what the hint speaks of came later.
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Hinted, Tell
from agent.core.state import Gated
from agent.device_events import HintReceived


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but deaf while it waits for leave to leap."""
    after, effects = reference(machine, event)
    if isinstance(event, Hinted) and isinstance(gated := machine.phase, Gated) and gated.gate == "leap":
        return machine, tuple(effect for effect in effects if _hears(effect))
    return after, effects


def _hears(effect: Effect) -> bool:
    return isinstance(effect, Tell) and isinstance(effect.event, HintReceived)
