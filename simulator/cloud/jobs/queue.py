"""One thing's executions: the order in which they are served, and what a device's request does to them.

Pure: `decide` takes the thing's executions and gives the answer and the one record that changes, if any.
Order of service: IN_PROGRESS before QUEUED, then by queue time (Developer Guide, "Jobs notifications").
Order of checks, which AWS does not document: existence, expectedVersion, transition.

Timers (Developer Guide, "Job execution timeouts"): the in-progress timer starts with the first IN_PROGRESS and is never
set again; each stepTimeoutInMinutes takes the place of the one before, and -1 stops it; what comes first counts.
"""

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeAlias, assert_never

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

Pending: TypeAlias = tuple[JobExecution, ...]
"""Those of a thing's executions that are QUEUED or IN_PROGRESS, in the order of service, whatever their namespace.

A value: what publishes a change compares the one before with the one after, and what has ended is in neither.
"""


class Without(Mapping[str, JobExecution]):
    """The latest of each job, but for those of a few jobs: a thing may have thousands, of which one is looked for."""

    __slots__ = ("_latest", "_others")

    def __init__(self, latest: Mapping[str, JobExecution], others: Container[str]) -> None:
        self._latest = latest
        self._others = others

    def __getitem__(self, job_id: str) -> JobExecution:
        if job_id in self._others:
            raise KeyError(job_id)
        return self._latest[job_id]

    def __iter__(self) -> Iterator[str]:
        return (job_id for job_id in self._latest if job_id not in self._others)

    def __len__(self) -> int:
        return sum(1 for _ in self)


Decision: TypeAlias = tuple[Answer, JobExecution | None]
"""The answer, and the record that takes the place of the one with the same key, if any does."""


class Queue(NamedTuple):
    """A thing's executions: the latest of each job by its id, as they were queued; and those that are pending."""

    latest: Mapping[str, JobExecution]
    pending: Pending

    @classmethod
    def of(cls, latest: Mapping[str, JobExecution]) -> "Queue":
        """With these."""
        return cls(latest, in_order_of_service(latest.values()))


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
    def listed(self, queue: Queue, now: float) -> int: ...  # noqa: D102


def service_order(execution: JobExecution) -> tuple[bool, float, int]:
    """Where it stands among the pending ones of its thing."""
    return execution.status is Status.QUEUED, execution.queued_at, execution.serial


def in_order_of_service(executions: Iterable[JobExecution]) -> Pending:
    """Those of them that are pending."""
    return tuple(sorted((each for each in executions if not each.status.is_terminal), key=service_order))


def served(pending: Pending, before: JobExecution | None, after: JobExecution | None) -> Pending:
    """The pending ones once `before`, which is one of them unless it has ended, is `after`."""
    if before is not None and not before.status.is_terminal:
        place = bisect_left(pending, service_order(before), key=service_order)
        pending = pending[:place] + pending[place + 1 :]
    if after is None or after.status.is_terminal:
        return pending
    place = bisect_left(pending, service_order(after), key=service_order)
    return (*pending[:place], after, *pending[place:])


def head(pending: Pending, namespace_id: str | None) -> JobExecution | None:
    """The next execution of a namespace."""
    for each in pending:
        if each.key.namespace_id == namespace_id:
            return each
    return None


def listing(
    pending: Pending, namespace_id: str | None, listed: int
) -> tuple[tuple[Execution, ...], tuple[Execution, ...]]:
    """The first `listed` of a namespace as a list tells them: those IN_PROGRESS, and those QUEUED."""
    in_progress: list[Execution] = []
    queued: list[Execution] = []
    for each in pending:
        if len(in_progress) + len(queued) == listed:
            break
        if each.key.namespace_id == namespace_id:
            (queued if each.status is Status.QUEUED else in_progress).append(each.told())
    return tuple(in_progress), tuple(queued)


def decide(queue: Queue, request: Request, now: float, lookup: Lookup) -> Decision:
    """What `request` brings about."""
    match request:
        case GetPending():
            if not queue.pending:
                return PendingListed(int(now), (), (), request.client_token), None
            in_progress, queued = listing(queue.pending, request.namespace_id, lookup.listed(queue, now))
            return PendingListed(int(now), in_progress, queued, request.client_token), None
        case StartNext():
            return _start_next(queue, request, now, lookup)
        case Describe():
            return _describe(queue, request, now, lookup)
        case Update():
            return _update(queue, request, now, lookup)
        case _:
            assert_never(request)


def _start_next(queue: Queue, request: StartNext, now: float, lookup: Lookup) -> Decision:
    found = head(queue.pending, request.namespace_id)
    if found is None:
        return ExecutionTold(int(now), None, request.client_token), None
    document = lookup.document_of(found.key.job_id, now)
    step_minutes, started = request.step_timeout_minutes, None
    if found.status is Status.QUEUED:
        minutes = lookup.minutes_of(found.key.job_id)
        found = started = changed(found, Status.IN_PROGRESS, request.status_details, now, minutes, step_minutes)
    elif step_minutes is not None:
        # An execution in progress is handed out unchanged; that its step timer begins anew is an assumption.
        found = started = replace(found, rare=_timed(found, now, None, step_minutes))
    return ExecutionTold(int(now), found.told(document, now), request.client_token), started


def _describe(queue: Queue, request: Describe, now: float, lookup: Lookup) -> Decision:
    if request.job_id == NEXT:
        found = head(queue.pending, request.namespace_id)
        if found is None:
            return ExecutionTold(int(now), None, request.client_token), None
    else:
        found = _find(queue, request)
        if found is None:
            return not_found(request, now), None
        if found.status.is_terminal:
            return terminal(request, now), None
    document = lookup.document_of(found.key.job_id, now) if request.include_document else None
    return ExecutionTold(int(now), found.told(document, now), request.client_token), None


def _update(queue: Queue, request: Update, now: float, lookup: Lookup) -> Decision:
    found = _find(queue, request)
    if found is None:
        return not_found(request, now), None
    if request.expected_version is not None and request.expected_version != found.version_number:
        message = f"Expected version {request.expected_version}, but the version is {found.version_number}."
        return _rejected(request, now, ErrorCode.VERSION_MISMATCH, message, _state(found)), None
    if found.status.is_terminal or request.status in DEVICE_MAY_NOT_SET:
        code = ErrorCode.INVALID_STATE_TRANSITION if found.status.is_terminal else lookup.forbidden_status
        return no_transition(request, now, found, code), None
    minutes = lookup.minutes_of(found.key.job_id) if found.started_at is None else None
    updated = changed(found, request.status, request.status_details, now, minutes, request.step_timeout_minutes)
    answer = UpdateAccepted(
        int(now),
        request.client_token,
        _state(updated) if request.include_state else None,
        lookup.document_of(found.key.job_id, now) if request.include_document else None,
    )
    return answer, updated


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
    found = queue.latest.get(request.job_id)
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
