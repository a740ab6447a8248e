"""The Jobs service: commands in, answers, changes and hints out. Time is an argument; nothing here does I/O.

What is decided is decided per thing by the pure functions of `queue` and `notifications`; here the changes are
applied in place to two indexes, by thing and by job.

Deletion (Developer Guide, "Jobs and job execution states"; CLI reference, `iot delete-job`): the job's status becomes
DELETION_IN_PROGRESS first, the executions' records go then, and the job itself, whose id is taken until the end.
"""

from dataclasses import replace
from typing import Literal, TypeAlias

from agent.values import (
    NEXT,
    Describe,
    ErrorCode,
    ExecutionKey,
    GetPending,
    Hint,
    JobDocument,
    Rejected,
    Request,
    Status,
)
from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    Outcome,
)
from simulator.cloud.jobs.notifications import hints
from simulator.cloud.jobs.queue import Queue, changed, decide
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, NewJob
from simulator.cloud.jobs.settings import JobsSettings

ErrorKind: TypeAlias = Literal[
    "InvalidRequest",
    "ResourceNotFound",
    "ResourceAlreadyExists",
    "LimitExceeded",
    "InvalidStateTransition",
    "VersionConflict",
]


class JobsError(Exception):
    """The control plane refuses; `kind` is the exception's name in AWS's model, without the suffix."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message


def _asks_for_work(request: Request) -> bool:
    return isinstance(request, GetPending) or (isinstance(request, Describe) and request.job_id == NEXT)


def _check_owner(namespace_id: str | None, by_aws: bool) -> None:
    """AWS's own services own what begins with `aws-`: customers neither create nor delete there (observed)."""
    if (namespace_id or "").startswith("aws-") and not by_aws:
        raise JobsError("InvalidRequest", f"Namespace {namespace_id} is reserved for AWS.")


class _Doing:
    """One command's changes and hints as they come about."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.hints: list[tuple[str, Hint]] = []

    def outcome(self) -> Outcome:
        return Outcome(None, tuple(self.changes), tuple(self.hints))


class Jobs:
    """Every job and execution of one account and region."""

    def __init__(self, settings: JobsSettings | None = None) -> None:
        self.settings = settings or JobsSettings()
        self._jobs: dict[str, Job] = {}
        self._queues: dict[str, dict[str, JobExecution]] = {}
        self._things_of: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, int] = {}
        self._serial = 0
        self._deleting: dict[str, None] = {}
        self._before: dict[str, tuple[float, dict[str, JobExecution]]] = {}
        self._spent: tuple[int, list[int]] = (0, [0, 0])

    # ── the device plane ──────────────────────────────────────────────────────────────────────────────────────

    def device_request(self, thing: str, request: Request, now: float) -> Outcome:
        """Answer a device. Never raises: a refusal is an answer."""
        if self.settings.requests_per_second is not None and not self._within_quota(request, now):
            return Outcome(Rejected(int(now), ErrorCode.REQUEST_THROTTLED, "Rate exceeded.", request.client_token))
        queue = self._visible(thing)
        if thing in self._before and isinstance(request, Describe | GetPending):
            queue = self._stale(thing, queue, now)
        if self.settings.stale_reads_seconds and _asks_for_work(request):
            queue = {job_id: each for job_id, each in queue.items() if not self._is_too_new(each, now)}
        answer, record = decide(queue, request, now, self._document, self.settings.pending_listed)
        if record is None:
            return Outcome(answer)
        doing = _Doing()
        self._change(doing, record, "device", now)
        return Outcome(answer, tuple(doing.changes), tuple(doing.hints))

    # ── the control plane ─────────────────────────────────────────────────────────────────────────────────────

    def create_job(self, new: NewJob, now: float, *, by_aws: bool = False) -> Outcome:
        """CreateJob: queue one execution for each thing. Raises JobsError."""
        if new.job_id in self._jobs:
            raise JobsError("ResourceAlreadyExists", f"Job {new.job_id} already exists.")
        _check_owner(new.namespace_id, by_aws)
        doing = _Doing()
        self._put_job(doing, None, Job(new, JobStatus.IN_PROGRESS, now, now))
        self._things_of[new.job_id] = new.things
        self._open[new.job_id] = len(new.things)
        key = ExecutionKey(new.namespace_id, new.job_id, 1, int(now))
        for thing in new.things:
            self._serial += 1
            execution = JobExecution(thing, key, self._serial, Status.QUEUED, 1, now, now)
            self._apply(doing, thing, execution, ExecutionQueued(execution), now)
        return doing.outcome()

    def cancel_job(
        self, job_id: str, *, force: bool, reason_code: str | None, comment: str | None, now: float
    ) -> Outcome:
        """CancelJob: QUEUED executions are cancelled, those IN_PROGRESS only with `force`. Raises JobsError."""
        job = self.job(job_id)
        if job.status is not JobStatus.IN_PROGRESS:
            raise JobsError("InvalidRequest", f"Job {job_id} cannot be cancelled while {job.status.value}.")
        doing = _Doing()
        cancelled = replace(
            job,
            status=JobStatus.CANCELED,
            last_updated_at=now,
            completed_at=now,
            force_canceled=force,
            reason_code=reason_code,
            comment=comment,
        )
        self._put_job(doing, job, cancelled)
        for execution in self.executions_of_job(job_id):
            if execution.status is Status.QUEUED or (force and execution.status is Status.IN_PROGRESS):
                after = replace(changed(execution, Status.CANCELED, None, now), force_canceled=force)
                self._change(doing, after, "service", now)
        return doing.outcome()

    def delete_job(
        self, job_id: str, *, force: bool, namespace_id: str | None, now: float, by_aws: bool = False
    ) -> Outcome:
        """DeleteJob: begin the deletion; `tick` ends it. Raises JobsError."""
        _check_owner(namespace_id, by_aws)
        job = self.job(job_id)
        if job.namespace_id != namespace_id:
            # AWS does not say what a missing or other namespaceId brings: taken as a part of the job's name.
            raise JobsError("ResourceNotFound", f"Job {job_id} does not exist in this namespace.")
        if job.status is JobStatus.DELETION_IN_PROGRESS:
            raise JobsError("InvalidStateTransition", f"Job {job_id} is being deleted already.")
        if job.status not in (JobStatus.COMPLETED, JobStatus.CANCELED) and not force:
            raise JobsError("InvalidStateTransition", f"Job {job_id} is {job.status.value}; deleting it needs force.")
        if len(self._deleting) >= self.settings.deletions_at_once:
            limit = self.settings.deletions_at_once
            raise JobsError("LimitExceeded", f"{limit} jobs are DELETION_IN_PROGRESS; wait until one is gone.")
        removal_due = now + self.settings.removal_delay_seconds
        gone_due = max(removal_due, now + self.settings.deletion_seconds)
        doing = _Doing()
        deleting = replace(
            job,
            status=JobStatus.DELETION_IN_PROGRESS,
            last_updated_at=now,
            removal_due=removal_due,
            gone_due=gone_due,
        )
        self._deleting[job_id] = None
        self._put_job(doing, job, deleting)
        self._finish_deletions(doing, now)
        return doing.outcome()

    def cancel_execution(self, thing: str, job_id: str, *, force: bool, now: float) -> Outcome:
        """CancelJobExecution: one IN_PROGRESS only with `force`. Raises JobsError."""
        execution = self.execution(thing, job_id)
        if execution.status.is_terminal or (execution.status is Status.IN_PROGRESS and not force):
            raise JobsError("InvalidStateTransition", f"The execution of {job_id} on {thing} is {execution.status}.")
        doing = _Doing()
        after = replace(changed(execution, Status.CANCELED, None, now), force_canceled=force)
        self._change(doing, after, "service", now)
        return doing.outcome()

    def delete_execution(
        self,
        thing: str,
        job_id: str,
        *,
        number: int,
        force: bool,
        namespace_id: str | None,
        now: float,
        by_aws: bool = False,
    ) -> Outcome:
        """DeleteJobExecution: one that is IN_PROGRESS only with `force`. Raises JobsError."""
        _check_owner(namespace_id, by_aws)
        execution = self.execution(thing, job_id, number)
        if execution.key.namespace_id != namespace_id:
            raise JobsError("ResourceNotFound", f"Job {job_id} does not exist in this namespace.")
        if execution.status is Status.IN_PROGRESS and not force:
            raise JobsError("InvalidStateTransition", f"The execution of {job_id} on {thing} is {execution.status}.")
        doing = _Doing()
        self._remove(doing, execution, now)
        if not execution.status.is_terminal:
            self._count_terminal(doing, job_id, now)
        return doing.outcome()

    def tick(self, now: float) -> Outcome:
        """Do what is due by `now`."""
        doing = _Doing()
        self._finish_deletions(doing, now)
        return doing.outcome()

    def next_due(self) -> float | None:
        """When `tick` has something to do; None if nothing waits."""
        deleting = [self._jobs[job_id] for job_id in self._deleting]
        times = [time for job in deleting for time in (job.removal_due, job.gone_due) if time is not None]
        return min(times, default=None)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, job_id: str) -> Job:
        """DescribeJob. Raises JobsError."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise JobsError("ResourceNotFound", f"Job {job_id} does not exist.") from None

    def jobs(self, *, status: JobStatus | None = None, namespace_id: str | None = None) -> list[Job]:
        """ListJobs, newest first; None for a filter that is not set."""
        return [
            job
            for job in reversed(self._jobs.values())
            if status in (None, job.status) and namespace_id in (None, job.namespace_id)
        ]

    def executions_of_job(self, job_id: str, *, status: Status | None = None) -> list[JobExecution]:
        """ListJobExecutionsForJob, in the order of its targets. Raises JobsError."""
        self.job(job_id)
        found = (self._queues.get(thing, {}).get(job_id) for thing in self._things_of[job_id])
        return [execution for execution in found if execution is not None and status in (None, execution.status)]

    def executions_of_thing(self, thing: str) -> list[JobExecution]:
        """ListJobExecutionsForThing, newest first."""
        return list(reversed(self._queues.get(thing, {}).values()))

    def execution(self, thing: str, job_id: str, execution_number: int | None = None) -> JobExecution:
        """The control plane's DescribeJobExecution, which answers in every state. Raises JobsError."""
        found = self._queues.get(thing, {}).get(job_id)
        if found is None or execution_number not in (None, found.key.execution_number):
            raise JobsError("ResourceNotFound", f"Job {job_id} has no such execution on {thing}.")
        return found

    def counts(self, job_id: str) -> dict[Status, int]:
        """How many executions of a job have each status. Raises JobsError."""
        counted = dict.fromkeys(Status, 0)
        for execution in self.executions_of_job(job_id):
            counted[execution.status] += 1
        return counted

    # ── changing ──────────────────────────────────────────────────────────────────────────────────────────────

    def _document(self, job_id: str) -> JobDocument:
        return self._jobs[job_id].new.document

    def _visible(self, thing: str) -> Queue:
        """What a device may know of: not the executions of jobs whose deletion has begun."""
        queue = self._queues.get(thing, {})
        if not self._deleting or not any(job_id in self._deleting for job_id in queue):
            return queue
        return {job_id: execution for job_id, execution in queue.items() if job_id not in self._deleting}

    def _within_quota(self, request: Request, now: float) -> bool:
        """Count a request against the quota of this second; reads and writes have one each."""
        second, spent = self._spent
        if second != int(now):
            spent = [0, 0]
            self._spent = (int(now), spent)
        kind = isinstance(request, Describe | GetPending)
        spent[kind] += 1
        return self.settings.requests_per_second is None or spent[kind] <= self.settings.requests_per_second

    def _is_too_new(self, execution: JobExecution, now: float) -> bool:
        """Whether a read that lags behind does not show an execution yet."""
        return execution.version_number == 1 and now - execution.queued_at < self.settings.stale_reads_seconds

    def _stale(self, thing: str, queue: Queue, now: float) -> Queue:
        """What a read that lags behind still shows."""
        until, before = self._before[thing]
        if now >= until or not all(job_id in self._jobs for job_id in before):
            del self._before[thing]
            return queue
        return before

    def _remember(self, thing: str, before: dict[str, JobExecution], now: float) -> None:
        if self.settings.stale_reads_seconds and thing not in self._before:
            self._before[thing] = (now + self.settings.stale_reads_seconds, before)

    def _put_job(self, doing: _Doing, before: Job | None, job: Job) -> None:
        self._jobs[job.job_id] = job
        doing.changes.append(JobChanged(before, job))

    def _change(self, doing: _Doing, after: JobExecution, by: Literal["device", "service"], now: float) -> None:
        before = self._queues[after.thing][after.key.job_id]
        self._apply(doing, after.thing, after, ExecutionChanged(before, after, by), now)
        if after.status.is_terminal and not before.status.is_terminal:
            self._count_terminal(doing, after.key.job_id, now)

    def _apply(
        self,
        doing: _Doing,
        thing: str,
        execution: JobExecution,
        change: ExecutionQueued | ExecutionChanged,
        now: float,
    ) -> None:
        queue = self._queues.setdefault(thing, {})
        if isinstance(change, ExecutionChanged) and change.before.status is execution.status:
            queue[execution.key.job_id] = execution  # progress: neither the list nor the head can change
            doing.changes.append(change)
            return
        before = dict(queue)
        if isinstance(change, ExecutionChanged) and change.by == "service":
            self._remember(thing, before, now)
        queue[execution.key.job_id] = execution
        doing.changes.append(change)
        self._tell(doing, before, execution, now)

    def _remove(self, doing: _Doing, execution: JobExecution, now: float) -> None:
        queue = self._queues[execution.thing]
        before = dict(queue)
        self._remember(execution.thing, before, now)
        del queue[execution.key.job_id]
        if not queue:
            del self._queues[execution.thing]
        doing.changes.append(ExecutionRemoved(execution))
        self._tell(doing, before, execution, now)

    def _tell(self, doing: _Doing, before: Queue, touched: JobExecution, now: float) -> None:
        after = self._queues.get(touched.thing, {})
        published = hints(before, after, touched, now, self.settings, self._document)
        doing.hints.extend((touched.thing, hint) for hint in published)

    def _count_terminal(self, doing: _Doing, job_id: str, now: float) -> None:
        """A snapshot job is COMPLETED once all its executions are terminal."""
        self._open[job_id] -= 1
        job = self._jobs[job_id]
        if not self._open[job_id] and job.status is JobStatus.IN_PROGRESS and job.new.target_selection == "SNAPSHOT":
            done = replace(job, status=JobStatus.COMPLETED, last_updated_at=now, completed_at=now)
            self._put_job(doing, job, done)

    def _finish_deletions(self, doing: _Doing, now: float) -> None:
        for job_id in tuple(self._deleting):
            job = self._jobs[job_id]
            if job.removal_due is not None and job.removal_due <= now:
                for execution in self.executions_of_job(job_id):
                    self._remove(doing, execution, now)
                job = self._jobs[job_id] = replace(job, removal_due=None)
            if job.gone_due is not None and job.gone_due <= now:
                del self._jobs[job_id], self._things_of[job_id], self._open[job_id], self._deleting[job_id]
                doing.changes.append(JobChanged(job, None))
