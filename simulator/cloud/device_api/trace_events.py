"""The trace events of the Jobs device API: what was asked, answered, changed and published, in the trace's words."""

from collections.abc import Iterable, Iterator

import simulator.trace as trace
from agent.device_events import hint_received, request_kind
from agent.topics import HintKind
from agent.values import (
    Answer,
    Describe,
    ExecutionKey,
    ExecutionTold,
    Hint,
    JobMentioned,
    NextChanged,
    PendingChanged,
    Rejected,
    Request,
    StartNext,
    Update,
    UpdateAccepted,
)
from simulator.cloud.jobs import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    JobStatus,
    Outcome,
)


def received(
    thing: str, request: Request, dup: bool, client_id: str | None, late_seconds: float
) -> trace.RequestReceived:
    """A request as it came; without `client_id`, from the thing's own client."""
    update = request if isinstance(request, Update) else None
    named = request if isinstance(request, Describe) else update
    telling = request if isinstance(request, StartNext) else update
    return trace.RequestReceived(
        thing,
        request_kind(request),
        request.client_token,
        request.namespace_id,
        named.job_id if named else None,
        update.status.value if update else None,
        dict(telling.status_details or ()) if telling else None,
        dup,
        update.expected_version if update else None,
        named.execution_number if named else None,
        client_id if client_id != thing else None,
        late_seconds,
    )


def request_events(
    thing: str,
    request: Request,
    outcome: Outcome,
    *,
    dup: bool = False,
    client_id: str | None = None,
    late_seconds: float = 0.0,
    number: int | None = None,
) -> Iterator[trace.CloudEvent]:
    """What there is to trace of a request, and of what came of it."""
    told = outcome.answer
    assert told is not None, "a device is always answered"
    yield received(thing, request, dup, client_id, late_seconds)
    yield from change_events(outcome.changes)
    code = told.code.value if isinstance(told, Rejected) else None
    verb, token, key = request_kind(request), request.client_token, meant(told, outcome.changes)
    yield trace.RequestAnswered(thing, verb, code is None, token, code, key, status_in(told), number)
    yield from hint_events(outcome.hints)


def meant(told: Answer, changes: Iterable[Change]) -> ExecutionKey | None:
    """The incarnation that an accepted request read or changed."""
    match told:
        case ExecutionTold(execution=execution) if execution is not None:
            return execution.key
        case UpdateAccepted():
            return next((change.execution.key for change in changes if isinstance(change, ExecutionChanged)), None)
        case _:
            return None


def status_in(told: Answer) -> str | None:
    """The status that an answer tells."""
    match told:
        case ExecutionTold(execution=execution) if execution is not None:
            return execution.status.value
        case Rejected(state=state) | UpdateAccepted(state=state) if state is not None:
            return state.status.value
        case _:
            return None


def change_events(changes: Iterable[Change]) -> Iterator[trace.CloudEvent]:
    """What changes are in the trace; some are nothing there."""
    return (event for change in changes if (event := _change_event(change)) is not None)


def hint_events(hints: Iterable[tuple[str, Hint]]) -> Iterator[trace.CloudEvent]:
    """What hints to things are in the trace."""
    for thing, hint in hints:
        told = hint_received(hint)
        yield trace.HintPublished(thing, told.hint, told.namespace_id, told.listed)


def _change_event(change: Change) -> trace.CloudEvent | None:
    match change:
        case ExecutionChanged(execution=new, by=by):
            details = dict(new.status_details) or None
            return trace.ExecutionChanged(new.thing, new.key, new.status.value, new.version_number, by, details)
        case ExecutionQueued(execution=new):
            return trace.ExecutionQueued(new.thing, new.key)
        case ExecutionRemoved(execution=old):
            return trace.ExecutionRemoved(old.thing, old.key, old.status.value)
        case JobChanged(before=None, job=job) if job is not None:
            return trace.JobCreated(job.job_id, job.namespace_id)
        case JobChanged(before=before, job=None) if before is not None:
            return trace.JobDeleted(before.job_id)
        case JobChanged(before=before, job=job) if job is not None and before is not None:
            if JobStatus.DELETION_IN_PROGRESS in (job.status, before.status) and before.status is not job.status:
                return trace.JobDeletionBegan(job.job_id, job.force_deleted)
            return None
        case _:
            return None


def kind_of(hint: Hint) -> HintKind:
    """Which notification a hint is."""
    match hint:
        case PendingChanged():
            return "notify"
        case NextChanged():
            return "notify-next"
        case JobMentioned():
            return "notify-documented"
