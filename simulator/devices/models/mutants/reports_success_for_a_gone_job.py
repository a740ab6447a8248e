"""A device that reports success for an execution of which it has just been told that there is none.

Greengrass nucleus lite runs on to the end and then reports it; the report is dropped only when it is refused for good
(reference, section 8.6).
"""

from dataclasses import replace

from agent.account import ExecutionGone, RequestSent
from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Effect, Event, Publish, Tell
from agent.core.state import Executing, Gated, Suspect
from agent.values import Status, Update


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, with one report more; it does not care for the answer."""
    before = machine.phase
    machine, effects = reference(machine, event)
    if isinstance(before, Executing | Gated | Suspect) and any(_learns_of_end(effect) for effect in effects):
        key, version = before.work.key, before.work.version_number or None
        machine = replace(machine, tokens=machine.tokens + 1)
        token = f"{machine.policy.token_prefix}{machine.tokens}"
        update = Update(
            key.job_id,
            Status.SUCCEEDED,
            token,
            key.namespace_id,
            expected_version=version,
            execution_number=key.execution_number,
        )
        sent = RequestSent(token, "update", key.namespace_id, key.job_id, key, Status.SUCCEEDED, version)
        effects = (*effects, Tell(sent), Publish(update))
    return machine, effects


def _learns_of_end(effect: Effect) -> bool:
    return isinstance(effect, Tell) and isinstance(effect.event, ExecutionGone) and effect.event.end == "gone"
