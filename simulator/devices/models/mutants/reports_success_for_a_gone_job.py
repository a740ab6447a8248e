"""A device that reports success for an execution of which it has just been told that there is none.

Greengrass nucleus lite runs on to the end and then reports it; the report is dropped only when it is refused for good
(reference, section 8.6).
"""

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Publish, Tell
from agent.core.state import Executing, Gated, Suspect
from agent.device_events import ExecutionGone
from agent.values import Status, Update


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, with one report more; it does not care for the answer."""
    before = machine.phase
    machine, effects = reference(machine, event)
    if isinstance(before, Executing | Gated | Suspect) and any(_learns_of_end(effect) for effect in effects):
        key, version = before.work.key, before.work.version_number or None
        update = Update(
            key.job_id,
            Status.SUCCEEDED,
            namespace_id=key.namespace_id,
            expected_version=version,
            execution_number=key.execution_number,
        )
        effects = (*effects, Publish(update, key))
    return machine, effects


def _learns_of_end(effect: Effect) -> bool:
    return isinstance(effect, Tell) and isinstance(effect.event, ExecutionGone) and effect.event.end == "gone"
