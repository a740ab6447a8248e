"""A device that has taken an update back, because it failed, and reports that it succeeded.

Its work is right, and only its word is wrong: it runs the old version, and the cloud believes that it runs the new one.
Where a single slot leaves no way back, it runs what failed its self-test, and says that it is well.
Seen in the field in agents that report that the installation has ended, and not how.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Publish
from agent.values import Status, Update


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but for one word of its reports."""
    machine, effects = reference(machine, event)
    return machine, tuple(_boasting(effect) for effect in effects)


def _boasting(effect: Effect) -> Effect:
    match effect:
        case Publish(request=Update(status=Status.FAILED) as update):
            return replace(effect, request=replace(update, status=Status.SUCCEEDED))
        case _:
            return effect
