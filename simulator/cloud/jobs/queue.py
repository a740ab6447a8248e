"""One thing's executions: the order in which they are served, and what a device's request does to them.

Pure: `decide` takes the thing's executions and gives the answer and the one record that changes, if any.
Order of service: IN_PROGRESS before QUEUED, then by queue time (Developer Guide, "Jobs notifications").
Order of checks, which AWS does not document: existence, expectedVersion, transition.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, assert_never

from agent.values import (
    NEXT,
    Answer,
    Describe,
    ErrorCode,
    ExecutionState,
    ExecutionTold,
    GetPending,
    JobDocument,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
    UpdateAccepted,
)
from simulator.cloud.jobs.records import JobExecution

DEVICE_MAY_SET = frozenset({Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED})
"""From QUEUED and IN_PROGRESS; nothing leads out of a terminal state."""

Queue = Mapping[str, JobExecution]
"""A thing's executions by job id, in the order in which they were queued; those hidden by a deletion left out."""


class Decision(NamedTuple):
    """The answer, and the record that takes the place of the one with the same key.

    A tuple, as are the other values that live for one request: making one costs a third of a frozen dataclass.
    """

    answer: Answer
    changed: JobExecution | None = None


def pending(queue: Queue, namespace_id: str | None) -> tuple[list[JobExecution], list[JobExecution]]:
    """Those of one namespace that are IN_PROGRESS, and those QUEUED, each in the order of service."""
    if not queue:
        return [], []
    in_progress: list[JobExecution] = []
    queued: list[JobExecution] = []
    for execution in queue.values():
        if execution.key.namespace_id == namespace_id:
            if execution.status is Status.IN_PROGRESS:
                in_progress.append(execution)
            elif execution.status is Status.QUEUED:
                queued.append(execution)
    if len(in_progress) > 1:
        in_progress.sort(key=_service_order)
    if len(queued) > 1:
        queued.sort(key=_service_order)
    return in_progress, queued


def head(queue: Queue, namespace_id: str | None) -> JobExecution | None:
    """The next execution of a namespace."""
    in_progress, queued = pending(queue, namespace_id)
    return next(iter(in_progress or queued), None)


def head_of_thing(queue: Queue) -> JobExecution | None:
    """The next execution of the thing, whatever its namespace."""
    waiting = [execution for execution in queue.values() if not execution.status.is_terminal]
    return min(waiting, key=lambda e: (e.status is Status.QUEUED, *_service_order(e)), default=None)


def _service_order(execution: JobExecution) -> tuple[float, int]:
    return execution.queued_at, execution.serial


def decide(
    queue: Queue, request: Request, now: float, document_of: Callable[[str], JobDocument], listed: int
) -> Decision:
    """What `request` brings about."""
    match request:
        case GetPending():
            if not queue:
                return Decision(PendingListed(int(now), (), (), request.client_token))
            in_progress, queued = pending(queue, request.namespace_id)
            told = tuple(e.told() for e in in_progress[:listed])
            more = tuple(e.told() for e in queued[: listed - len(told)])
            return Decision(PendingListed(int(now), told, more, request.client_token))
        case StartNext():
            return _start_next(queue, request, now, document_of)
        case Describe():
            return _describe(queue, request, now, document_of)
        case Update():
            return _update(queue, request, now, document_of)
        case _:
            assert_never(request)


def _start_next(queue: Queue, request: StartNext, now: float, document_of: Callable[[str], JobDocument]) -> Decision:
    found = head(queue, request.namespace_id)
    if found is None:
        return Decision(ExecutionTold(int(now), None, request.client_token))
    document = document_of(found.key.job_id)
    if found.status is Status.IN_PROGRESS:
        return Decision(ExecutionTold(int(now), found.told(document), request.client_token))
    started = changed(found, Status.IN_PROGRESS, request.status_details, now)
    return Decision(ExecutionTold(int(now), started.told(document), request.client_token), started)


def _describe(queue: Queue, request: Describe, now: float, document_of: Callable[[str], JobDocument]) -> Decision:
    if request.job_id == NEXT:
        found = head(queue, request.namespace_id)
        if found is None:
            return Decision(ExecutionTold(int(now), None, request.client_token))
    else:
        found = _find(queue, request)
        if found is None:
            return _rejected(request, now, ErrorCode.RESOURCE_NOT_FOUND, "No such job execution.")
        if found.status.is_terminal:
            return _rejected(
                request, now, ErrorCode.TERMINAL_STATE_REACHED, "The job execution is in a terminal state."
            )
    document = document_of(found.key.job_id) if request.include_document else None
    return Decision(ExecutionTold(int(now), found.told(document), request.client_token))


def _update(queue: Queue, request: Update, now: float, document_of: Callable[[str], JobDocument]) -> Decision:
    found = _find(queue, request)
    if found is None:
        return _rejected(request, now, ErrorCode.RESOURCE_NOT_FOUND, "No such job execution.")
    if request.expected_version is not None and request.expected_version != found.version_number:
        message = f"Expected version {request.expected_version}, but the version is {found.version_number}."
        return _rejected(request, now, ErrorCode.VERSION_MISMATCH, message, _state(found))
    if found.status.is_terminal or request.status not in DEVICE_MAY_SET:
        message = f"{found.status.value} cannot become {request.status.value}."
        return _rejected(request, now, ErrorCode.INVALID_STATE_TRANSITION, message, _state(found))
    updated = changed(found, request.status, request.status_details, now)
    answer = UpdateAccepted(
        int(now),
        request.client_token,
        _state(updated) if request.include_state else None,
        document_of(found.key.job_id) if request.include_document else None,
    )
    return Decision(answer, updated)


def changed(execution: JobExecution, status: Status, details: StatusDetails | None, now: float) -> JobExecution:
    """The record after a change of status or details: one version on."""
    starts = status is Status.IN_PROGRESS and execution.started_at is None
    return JobExecution(
        execution.thing,
        execution.key,
        execution.serial,
        status,
        execution.version_number + 1,
        now,
        execution.queued_at,
        now if starts else execution.started_at,
        execution.status_details if details is None else details,
        execution.force_canceled,
    )


def _find(queue: Queue, request: Describe | Update) -> JobExecution | None:
    found = queue.get(request.job_id)
    if found is None or found.key.namespace_id != request.namespace_id:
        return None
    if request.execution_number not in (None, found.key.execution_number):
        return None
    return found


def _state(execution: JobExecution) -> ExecutionState:
    return ExecutionState(execution.status, execution.version_number, execution.status_details)


def _rejected(
    request: Describe | Update, now: float, code: ErrorCode, message: str, state: ExecutionState | None = None
) -> Decision:
    return Decision(Rejected(int(now), code, message, request.client_token, state))
