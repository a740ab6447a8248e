"""One thing's executions: the order in which they are served, and what a device's request does to them.

Pure: `decide` takes the thing's executions and gives the answer and the one record that changes, if any.
Order of service: IN_PROGRESS before QUEUED, then by queue time (Developer Guide, "Jobs notifications").
Order of checks, which AWS does not document: existence, expectedVersion, transition.

Timers (Developer Guide, "Job execution timeouts"): the in-progress timer starts with the first IN_PROGRESS and is never
set again; each stepTimeoutInMinutes takes the place of the one before, and -1 stops it; what comes first counts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol, assert_never

from agent.values import (
    NEXT,
    Answer,
    Describe,
    ErrorCode,
    Execution,
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
from simulator.cloud.jobs.records import COMMON, JobExecution, Rare

DEVICE_MAY_NOT_SET = frozenset({Status.QUEUED, Status.CANCELED, Status.TIMED_OUT, Status.REMOVED})
"""What only the service sets; the others may follow on QUEUED and IN_PROGRESS, and nothing on a terminal state."""

Queue = Mapping[str, JobExecution]
"""A thing's executions by job id, in the order in which they were queued; those hidden by a deletion left out."""


class Decision(NamedTuple):
    """The answer, and the record that takes the place of the one with the same key.

    A tuple, as are the other values that live for one request: making one costs a third of a frozen dataclass.
    """

    answer: Answer
    changed: JobExecution | None = None


class Lookup(Protocol):
    """What is looked up in the jobs and settings.

    document_of: the document of a job as it is delivered at that time. minutes_of: how long an execution of a job may
    be IN_PROGRESS. listed: how many pending executions a list of a queue holds. forbidden_status: how a device is
    refused that sets what only the service sets.
    """

    @property
    def forbidden_status(self) -> ErrorCode: ...  # noqa: D102
    def document_of(self, job_id: str, now: float) -> JobDocument: ...  # noqa: D102
    def minutes_of(self, job_id: str) -> int | None: ...  # noqa: D102
    def listed(self, queue: "Queue", now: float) -> int: ...  # noqa: D102


def pending(queue: Queue, namespace_id: str | None) -> tuple[list[JobExecution], list[JobExecution]]:
    """Those of one namespace that are IN_PROGRESS, and those QUEUED, each in the order of service."""
    if not queue:
        return [], []
    in_progress: list[JobExecution] = []
    queued: list[JobExecution] = []
    last: JobExecution | None = None
    is_in_order = True  # of a thousand, which they nearly always are, to look at that costs less than to sort them
    for execution in queue.values():
        if execution.key.namespace_id == namespace_id:
            if execution.status is Status.QUEUED:
                if last is not None and is_in_order:
                    is_in_order = not _is_earlier(execution, last)
                last = execution
                queued.append(execution)
            elif execution.status is Status.IN_PROGRESS:
                in_progress.append(execution)
    if len(in_progress) > 1:
        in_progress.sort(key=_service_order)
    if not is_in_order:
        queued.sort(key=_service_order)
    return in_progress, queued


def head(queue: Queue, namespace_id: str | None) -> JobExecution | None:
    """The next execution of a namespace."""
    in_progress, queued = pending(queue, namespace_id)
    return next(iter(in_progress or queued), None)


def head_of_thing(queue: Queue, but: JobExecution | None = None) -> JobExecution | None:
    """The next execution of the thing, whatever its namespace; `but` is passed over."""
    in_progress: JobExecution | None = None
    queued: JobExecution | None = None
    for execution in queue.values():
        if execution is but:
            continue
        if execution.status is Status.QUEUED:
            if queued is None or _is_earlier(execution, queued):
                queued = execution
        elif execution.status is Status.IN_PROGRESS and (in_progress is None or _is_earlier(execution, in_progress)):
            in_progress = execution
    return in_progress or queued


def heads_of_thing(before: Queue, after: Queue, job_id: str) -> tuple[JobExecution | None, JobExecution | None]:
    """The next execution of the thing in two queues that differ in nothing but that job."""
    was, new = before.get(job_id), after.get(job_id)
    other = head_of_thing(after, but=new)
    return _first(other, was), _first(other, new)


def _first(one: JobExecution | None, other: JobExecution | None) -> JobExecution | None:
    """Which of two is served first; None if neither is pending."""
    both = [each for each in (one, other) if each is not None and not each.status.is_terminal]
    return min(both, key=lambda each: (each.status is Status.QUEUED, *_service_order(each)), default=None)


def _is_earlier(one: JobExecution, other: JobExecution) -> bool:
    return one.queued_at < other.queued_at or (one.queued_at == other.queued_at and one.serial < other.serial)


def _service_order(execution: JobExecution) -> tuple[float, int]:
    return execution.queued_at, execution.serial


def listing(queue: Queue, namespace_id: str | None, listed: int) -> tuple[tuple[Execution, ...], tuple[Execution, ...]]:
    """The first `listed` of the pending ones as a list tells them: those IN_PROGRESS, and those QUEUED."""
    if not queue:
        return (), ()
    in_progress, queued = pending(queue, namespace_id)
    first = tuple(e.told() for e in in_progress[:listed])
    return first, tuple(e.told() for e in queued[: listed - len(first)])


def decide(queue: Queue, request: Request, now: float, lookup: Lookup) -> Decision:
    """What `request` brings about."""
    match request:
        case GetPending():
            if not queue:
                return Decision(PendingListed(int(now), (), (), request.client_token))
            in_progress, queued = listing(queue, request.namespace_id, lookup.listed(queue, now))
            return Decision(PendingListed(int(now), in_progress, queued, request.client_token))
        case StartNext():
            return _start_next(queue, request, now, lookup)
        case Describe():
            return _describe(queue, request, now, lookup)
        case Update():
            return _update(queue, request, now, lookup)
        case _:
            assert_never(request)


def _start_next(queue: Queue, request: StartNext, now: float, lookup: Lookup) -> Decision:
    found = head(queue, request.namespace_id)
    if found is None:
        return Decision(ExecutionTold(int(now), None, request.client_token))
    document = lookup.document_of(found.key.job_id, now)
    step_minutes, started = request.step_timeout_minutes, None
    if found.status is Status.QUEUED:
        minutes = lookup.minutes_of(found.key.job_id)
        found = started = changed(found, Status.IN_PROGRESS, request.status_details, now, minutes, step_minutes)
    elif step_minutes is not None:
        # An execution in progress is handed out unchanged; that its step timer begins anew is an assumption.
        found = started = replace(found, rare=_timed(found, now, None, step_minutes))
    return Decision(ExecutionTold(int(now), found.told(document, now), request.client_token), started)


def _describe(queue: Queue, request: Describe, now: float, lookup: Lookup) -> Decision:
    if request.job_id == NEXT:
        found = head(queue, request.namespace_id)
        if found is None:
            return Decision(ExecutionTold(int(now), None, request.client_token))
    else:
        found = _find(queue, request)
        if found is None:
            return Decision(not_found(request, now))
        if found.status.is_terminal:
            return Decision(terminal(request, now))
    document = lookup.document_of(found.key.job_id, now) if request.include_document else None
    return Decision(ExecutionTold(int(now), found.told(document, now), request.client_token))


def _update(queue: Queue, request: Update, now: float, lookup: Lookup) -> Decision:
    found = _find(queue, request)
    if found is None:
        return Decision(not_found(request, now))
    if request.expected_version is not None and request.expected_version != found.version_number:
        message = f"Expected version {request.expected_version}, but the version is {found.version_number}."
        return Decision(_rejected(request, now, ErrorCode.VERSION_MISMATCH, message, _state(found)))
    if found.status.is_terminal or request.status in DEVICE_MAY_NOT_SET:
        code = ErrorCode.INVALID_STATE_TRANSITION if found.status.is_terminal else lookup.forbidden_status
        return Decision(no_transition(request, now, found, code))
    minutes = lookup.minutes_of(found.key.job_id) if found.started_at is None else None
    updated = changed(found, request.status, request.status_details, now, minutes, request.step_timeout_minutes)
    answer = UpdateAccepted(
        int(now),
        request.client_token,
        _state(updated) if request.include_state else None,
        lookup.document_of(found.key.job_id, now) if request.include_document else None,
    )
    return Decision(answer, updated)


def changed(
    execution: JobExecution,
    status: Status,
    details: StatusDetails | None,
    now: float,
    minutes: int | None = None,
    step_minutes: int | None = None,
) -> JobExecution:
    """The record after a change of status or details: one version on.

    `minutes` is how long it may be IN_PROGRESS, if it becomes that now; `step_minutes` what a device said of its step.
    """
    starts = status is Status.IN_PROGRESS and execution.started_at is None
    rare = execution.rare
    if status is not Status.IN_PROGRESS:
        rare = None if rare is None else _untimed(rare)
    elif minutes is not None or step_minutes is not None:
        rare = _timed(execution, now, minutes, step_minutes)
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
        rare,
    )


def _timed(execution: JobExecution, now: float, minutes: int | None, step_minutes: int | None) -> Rare | None:
    rare = execution.rare or COMMON
    if minutes is not None:
        rare = replace(rare, in_progress_due=now + 60 * minutes)
    if step_minutes is not None:
        rare = replace(rare, step_due=None if step_minutes < 0 else now + 60 * step_minutes)
    return None if rare == COMMON else rare


def _untimed(rare: Rare) -> Rare | None:
    left = replace(rare, in_progress_due=None, step_due=None)
    return None if left == COMMON else left


def _find(queue: Queue, request: Describe | Update) -> JobExecution | None:
    found = queue.get(request.job_id)
    if found is None or found.key.namespace_id != request.namespace_id:
        return None
    if request.execution_number not in (None, found.key.execution_number):
        return None
    return found


def _state(execution: JobExecution) -> ExecutionState:
    return ExecutionState(execution.status, execution.version_number, execution.status_details)


def not_found(request: Describe | Update, now: float) -> Rejected:
    """There is no such execution, or none any more."""
    return _rejected(request, now, ErrorCode.RESOURCE_NOT_FOUND, "No such job execution.")


def terminal(request: Describe, now: float) -> Rejected:
    """Of an execution that has ended nothing is told."""
    return _rejected(request, now, ErrorCode.TERMINAL_STATE_REACHED, "The job execution is in a terminal state.")


def no_transition(
    request: Update, now: float, found: JobExecution, code: ErrorCode = ErrorCode.INVALID_STATE_TRANSITION
) -> Rejected:
    """An execution in this state cannot become what the request says."""
    state = _state(found) if code is ErrorCode.INVALID_STATE_TRANSITION else None
    return _rejected(request, now, code, f"{found.status.value} cannot become {request.status.value}.", state)


def _rejected(
    request: Describe | Update, now: float, code: ErrorCode, message: str, state: ExecutionState | None = None
) -> Rejected:
    return Rejected(int(now), code, message, request.client_token, state)
