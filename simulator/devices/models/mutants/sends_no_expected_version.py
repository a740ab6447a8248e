"""A device that sends its reports without `expectedVersion`.

Then a stale update takes effect on whatever goes by the job id when it arrives: on an open emulator one marked a
re-created job SUCCEEDED that had never run (reference, section 12).
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Publish
from agent.core.state import Starting
from agent.values import Update


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but once it has work in hand, its updates fit any version."""
    machine, effects = reference(machine, event)
    if isinstance(machine.phase, Starting):
        return machine, effects
    return machine, tuple(_unversioned(effect) for effect in effects)


def _unversioned(effect: Effect) -> Effect:
    match effect:
        case Publish(request=Update() as update):
            return replace(effect, request=replace(update, expected_version=None))
        case _:
            return effect
