"""A device that keeps an update whose job is gone, and tells nobody: with the next report comes no `kept`.

So a fleet drifts: what runs on it is in no job's record.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Publish
from agent.values import StartNext, StatusDetails, Update


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but for one entry of its statusDetails."""
    machine, effects = reference(machine, event)
    return machine, tuple(_silent(effect) for effect in effects)


def _silent(effect: Effect) -> Effect:
    match effect:
        case Publish(request=StartNext() | Update() as request):
            return replace(effect, request=replace(request, status_details=_without_kept(request.status_details)))
        case _:
            return effect


def _without_kept(details: StatusDetails | None) -> StatusDetails | None:
    return tuple(pair for pair in details or () if pair[0] != "kept") or None
