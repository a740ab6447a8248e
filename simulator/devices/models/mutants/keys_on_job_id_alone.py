"""A device for which a job id is an identity.

A job that is deleted and created again under its id is another one, with another document. Clients that took the two
for one never ran the second (aws-greengrass/aws-greengrass-lite, issue 1127; AWS IoT Device Client compares documents,
and not `queuedAt`). This one goes on with the first, and reports it as the second.
"""

from dataclasses import replace

from agent.core import Machine
from agent.core import step as reference
from agent.core.events import Answered, Effect, Event, Hinted, Tell
from agent.core.record import Work
from agent.core.state import Executing, Gated, Reporting, Suspect
from agent.device_events import AnswerReceived, HintReceived, hint_received
from agent.values import Execution, ExecutionKey, ExecutionTold, Hint, JobMentioned, NextChanged, PendingChanged, Status


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """As the reference device, but whatever goes by the id of its job is the execution in hand."""
    match machine.phase:
        case Executing(work=work) | Gated(work=work) | Suspect(work=work) | Reporting(work=work) as phase:
            pass
        case _:
            return reference(machine, event)
    match event:
        case Hinted(hint=hint):
            machine, effects = reference(machine, Hinted(_mistaken_in(hint, work.key)))
            heard = hint_received(hint)
            return machine, tuple(_heard(effect, heard) for effect in effects)
        case Answered(answer=ExecutionTold(execution=told) as answer) if told is not None and _is_other(told, work.key):
            in_step = replace(phase, work=_as_told(work, told))
            mistaken = answer._replace(execution=_mistaken(told, work.key))
            machine, effects = reference(replace(machine, phase=in_step), replace(event, answer=mistaken))
            return machine, tuple(_read(effect, told) for effect in effects)
        case _:
            return reference(machine, event)


def _is_other(told: Execution, mine: ExecutionKey) -> bool:
    return (told.key.namespace_id, told.key.job_id) == (mine.namespace_id, mine.job_id) and told.key != mine


def _mistaken(told: Execution, mine: ExecutionKey) -> Execution:
    if not _is_other(told, mine):
        return told
    status = Status.IN_PROGRESS if told.status is Status.QUEUED else told.status
    return replace(told, key=mine, status=status, document=None)  # nor does it look at the document


def _as_told(work: Work, told: Execution) -> Work:
    return replace(work, version_number=told.version_number)


def _mistaken_in(hint: Hint, mine: ExecutionKey) -> Hint:
    match hint:
        case PendingChanged(in_progress=in_progress, queued=queued):
            return replace(
                hint,
                in_progress=tuple(_mistaken(each, mine) for each in in_progress),
                queued=tuple(_mistaken(each, mine) for each in queued),
            )
        case NextChanged(execution=head) if head is not None:
            return replace(hint, execution=_mistaken(head, mine))
        case NextChanged() | JobMentioned():
            return hint


def _heard(effect: Effect, heard: HintReceived) -> Effect:
    """Its account stays true to the wire."""
    return Tell(heard) if isinstance(effect, Tell) and isinstance(effect.event, HintReceived) else effect


def _read(effect: Effect, told: Execution) -> Effect:
    if isinstance(effect, Tell) and isinstance(effect.event, AnswerReceived):
        return replace(effect, event=replace(effect.event, execution=told.key, status=told.status.value))
    return effect
