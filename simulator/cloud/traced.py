"""The trace events of the Jobs device API: what was asked, answered, changed and published, in the trace's words."""

from typing import Final

import simulator.trace as trace
from agent.topics import HintKind, Verb
from agent.values import (
    Answer,
    Describe,
    ExecutionKey,
    ExecutionTold,
    GetPending,
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
from simulator.cloud.jobs import ExecutionChanged, ExecutionQueued, ExecutionRemoved, JobChanged, JobStatus

VERBS: Final[dict[type, Verb]] = {
    GetPending: "get-pending",
    StartNext: "start-next",
    Describe: "describe",
    Update: "update",
}


def verb_of(request: Request) -> Verb:
    """The operation that a request asks for."""
    return VERBS[type(request)]


def received(
    thing: str, request: Request, dup: bool, client_id: str | None, late_seconds: float
) -> trace.RequestReceived:
    """A request as it came; without `client_id`, from the thing's own client."""
    update = request if isinstance(request, Update) else None
    named = request if isinstance(request, Describe) else update
    telling = request if isinstance(request, StartNext) else update
    return trace.RequestReceived(
        thing,
        verb_of(request),
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


def status_in(told: Answer) -> str | None:
    """The status that an answer tells."""
    match told:
        case ExecutionTold(execution=execution) if execution is not None:
            return execution.status.value
        case Rejected(state=state) | UpdateAccepted(state=state) if state is not None:
            return state.status.value
        case _:
            return None


def change_event(change: object) -> trace.CloudEvent | None:
    """What a change is in the trace; None if it is nothing there."""
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


def listed(hint: Hint) -> tuple[ExecutionKey, ...]:
    """The executions that a hint names."""
    match hint:
        case PendingChanged():
            return hint.listed
        case NextChanged(execution=execution):
            return () if execution is None else (execution.key,)
        case JobMentioned():
            return ()
