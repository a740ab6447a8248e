"""The Jobs service: commands in, answers, changes, hints and events out. Time is an argument; nothing here does I/O.

Each command is told in a file of its own; here they are put together. What is due later is done by `tick`, and what
takes long goes on there, so much at a time as the caller says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from agent.values import (
    Answer,
    ErrorCode,
    JobDocument,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
)
from simulator.cloud.jobs import cancelling, deletion, rollout, scheduling, spans, targets, ticking, updating
from simulator.cloud.jobs.changes import Change, Outcome
from simulator.cloud.jobs.configuration import JobUpdate, Presign
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.endings import complete_if_done, ended
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.events import EventKind
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.queue import Queue, decide
from simulator.cloud.jobs.quotas import Rate, check_job, excess
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, NewJob, ThingNews
from simulator.cloud.jobs.restoring import restore
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.turns import Turn

NO_TAGS: Final[Mapping[str, str]] = {}
NO_QUEUE: Final[Queue] = {}
TELLING: Final = frozenset({StartNext, Update})
"""Requests that carry statusDetails."""


class Jobs:
    """Every job and job execution of one account and region."""

    def __init__(self, settings: JobsSettings | None = None) -> None:
        self._ledger = Ledger(settings or JobsSettings(), self._ended)
        self._rate = Rate()
        self.begun_anew = 0
        """Of how many records, when they were restored, the clock was not believed (see `spans`)."""

    @property
    def settings(self) -> JobsSettings:
        """What AWS does not say; may be replaced at any time."""
        return self._ledger.settings

    @settings.setter
    def settings(self, settings: JobsSettings) -> None:
        self._ledger.use(settings)

    @property
    def event_kinds(self) -> frozenset[EventKind]:
        """Which events somebody wants to know (UpdateEventConfigurations)."""
        return self._ledger.event_kinds

    @event_kinds.setter
    def event_kinds(self, kinds: frozenset[EventKind]) -> None:
        self._ledger.event_kinds = kinds

    @property
    def presign(self) -> Presign | None:
        """What puts URLs in the place of a document's placeholders when it is delivered; None leaves them alone."""
        return self._ledger.presign

    @presign.setter
    def presign(self, presign: Presign | None) -> None:
        self._ledger.presign = presign

    @property
    def keep(self) -> Callable[[tuple[Change, ...]], object] | None:
        """What writes the changes of each command down; if it raises, the command has not been. None keeps nothing."""
        return self._ledger.keep

    @keep.setter
    def keep(self, keep: Callable[[tuple[Change, ...]], object] | None) -> None:
        self._ledger.keep = keep

    # ── the device plane ──────────────────────────────────────────────────────────────────────────────────────

    def device_request(self, thing: str, request: Request, now: float) -> Outcome:
        """Answer a device. Never raises: a refusal is an answer."""
        ledger, settings = self._ledger, self._ledger.settings
        limit = settings.requests_per_second
        if limit is not None and not self._rate.allows(request, now, limit):
            return Outcome(Rejected(int(now), ErrorCode.REQUEST_THROTTLED, "Rate exceeded.", request.client_token))
        queue: Queue = ledger.queues.get(thing, NO_QUEUE)
        if ledger.deleting:
            meanwhile = deletion.answer_meanwhile(ledger, queue, request, now)
            if isinstance(meanwhile, Answer):
                return Outcome(meanwhile)
            queue = meanwhile
        if settings.stale_reads_seconds:
            queue = ledger.lag.shown(thing, queue, request, now, settings.stale_reads_seconds)
        if ledger.earlier:
            queue = ledger.with_number(thing, queue, request)
        if type(request) in TELLING and (message := excess(request, settings)) is not None:
            return Outcome(Rejected(int(now), ErrorCode.INVALID_REQUEST, message, request.client_token))
        answer, record = decide(queue, request, now, ledger.terms)
        if record is None:
            return Outcome(answer)
        with self._turn() as doing:
            ledger.change(doing, record, "device", now)
            return doing.outcome(answer)

    # ── the control plane ─────────────────────────────────────────────────────────────────────────────────────

    def create_job(self, new: NewJob, now: float, *, by_aws: bool = False) -> Outcome:
        """CreateJob: an execution for each thing, when it is its turn. Raises JobsError."""
        ledger = self._ledger
        if new.job_id in ledger.jobs:
            raise JobsError("ResourceAlreadyExists", f"Job {new.job_id} already exists.")
        self._check_owner(new.namespace_id, by_aws)
        check_job(new, ledger.settings)
        if new.schedule is not None:
            scheduling.check(new.schedule, now, ledger.settings)
        starts_at = scheduling.starts_at(new.schedule, now)
        status = JobStatus.IN_PROGRESS if starts_at is None else JobStatus.SCHEDULED
        job = Job(new, status, now, now, rollout_due=starts_at)
        if starts_at is None and scheduling.is_full(ledger, job):
            raise JobsError("LimitExceeded", f"{ledger.settings.active_jobs} jobs are active.")
        with self._turn() as doing:
            ledger.add_job(doing, job)
            if starts_at is None:
                rollout.go_on(ledger, doing, job, now)
        return doing.outcome()

    def update_job(
        self, job_id: str, update: JobUpdate, *, namespace_id: str | None, now: float, by_aws: bool = False
    ) -> Outcome:
        """UpdateJob. Raises JobsError."""
        job = self._own(job_id, namespace_id, by_aws)
        with self._turn() as doing:
            updating.update_job(self._ledger, doing, job, update, now)
        return doing.outcome()

    def associate_targets(
        self,
        job_id: str,
        targets_: tuple[str, ...],
        things: tuple[str, ...],
        *,
        comment: str | None = None,
        namespace_id: str | None,
        now: float,
        by_aws: bool = False,
    ) -> Outcome:
        """AssociateTargetsWithJob; `things` are those of `targets_`. Raises JobsError."""
        job = self._own(job_id, namespace_id, by_aws)
        with self._turn() as doing:
            targets.associate(self._ledger, doing, job, targets_, things, comment, now)
        return doing.outcome()

    def cancel_job(
        self, job_id: str, *, force: bool, reason_code: str | None, comment: str | None, now: float
    ) -> Outcome:
        """CancelJob. Raises JobsError."""
        job = self.job(job_id)
        with self._turn() as doing:
            cancelling.cancel_job(self._ledger, doing, job, now, force=force, reason_code=reason_code, comment=comment)
        return doing.outcome()

    def cancel_execution(
        self,
        thing: str,
        job_id: str,
        *,
        force: bool,
        expected_version: int | None = None,
        status_details: StatusDetails | None = None,
        now: float,
    ) -> Outcome:
        """CancelJobExecution. Raises JobsError."""
        execution = self.execution(thing, job_id)
        with self._turn() as doing:
            cancelling.cancel_execution(
                self._ledger,
                doing,
                execution,
                now,
                force=force,
                expected_version=expected_version,
                status_details=status_details,
            )
        return doing.outcome()

    def delete_job(
        self,
        job_id: str,
        *,
        force: bool,
        namespace_id: str | None,
        now: float,
        by_aws: bool = False,
        tags: Mapping[str, str] = NO_TAGS,
    ) -> Outcome:
        """DeleteJob: begin the deletion; `tick` ends it. The job's `tags` may stretch it. Raises JobsError."""
        job = self._own(job_id, namespace_id, by_aws)
        with self._turn() as doing:
            deletion.delete_job(self._ledger, doing, job, now, force=force, tags=tags)
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
        self._check_owner(namespace_id, by_aws)
        execution = self.execution(thing, job_id, number)
        self._check_namespace(job_id, execution.key.namespace_id, namespace_id)
        with self._turn() as doing:
            deletion.delete_execution(self._ledger, doing, execution, now, force=force)
            complete_if_done(self._ledger, doing, job_id, now)
        return doing.outcome()

    # ── the registry's news ───────────────────────────────────────────────────────────────────────────────────

    def thing_joined(self, thing: str, targets_: Iterable[str], now: float, *, others: Iterable[str] = ()) -> Outcome:
        """A thing now belongs to the groups with these ARNs, parents included; `others`: what names it as a target
        besides, and did before, its own ARN included.
        """
        with self._turn() as doing:
            targets.joined(self._ledger, doing, thing, targets_, others, now)
        return doing.outcome()

    def thing_left(self, thing: str, targets_: Iterable[str], now: float, *, others: Iterable[str] = ()) -> Outcome:
        """A thing no longer belongs to the groups with these ARNs; `others`: what still names it as a target."""
        with self._turn() as doing:
            targets.left(self._ledger, doing, thing, targets_, others, now)
        return doing.outcome()

    def thing_deleted(self, thing: str, now: float) -> Outcome:
        """A thing is deleted from the registry."""
        with self._turn() as doing:
            targets.deleted(self._ledger, doing, thing, now)
        return doing.outcome()

    def check_news(self, thing: str) -> None:
        """Whether a thing may join and leave groups, or has done so too often just now. Raises JobsError."""
        targets.check_news(self._ledger, thing)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float, at_most: int | None = None) -> Outcome:
        """Do what is due by `now`, and go on with what is under way: so many executions at most, None for all.

        Never raises: a turn that fails is undone, and told with the outcome.
        """
        return ticking.tick(self._ledger, now, at_most)

    def clock_moved(self, by: float, now: float) -> None:
        """The time of day jumped by so many seconds, and is `now`: what lasts goes on lasting as long."""
        spans.clock_moved(self._ledger, by, now)

    def next_due(self) -> float | None:
        """When `tick` has something to do, 0 if at once; None if nothing waits."""
        return ticking.next_due(self._ledger)

    @classmethod
    def restored(
        cls,
        settings: JobsSettings,
        jobs: Iterable[Job],
        executions: Iterable[JobExecution],
        now: float,
        news: Iterable[ThingNews] = (),
    ) -> "Jobs":
        """The service as it was when these were the records, in any order; what was under way goes on with `tick`."""
        service = cls(settings)
        service.begun_anew = restore(service._ledger, jobs, executions, news, now)
        return service

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, job_id: str) -> Job:
        """DescribeJob. Raises JobsError."""
        return self._ledger.job(job_id)

    def jobs(self, *, status: JobStatus | None = None, namespace_id: str | None = None) -> list[Job]:
        """ListJobs, newest first; None for a filter that is not set."""
        return [
            job
            for job in reversed(self._ledger.jobs.values())
            if status in (None, job.status) and namespace_id in (None, job.namespace_id)
        ]

    def executions_of_job(self, job_id: str, *, status: Status | None = None) -> list[JobExecution]:
        """ListJobExecutionsForJob, in the order of its targets; of one thing the oldest first. Raises JobsError."""
        self.job(job_id)
        ledger, found = self._ledger, list[JobExecution]()
        for thing in ledger.things_of[job_id]:
            found += ledger.earlier_of(job_id, thing)
            latest = ledger.queues.get(thing, {}).get(job_id)
            if latest is not None:
                found.append(latest)
        return found if status is None else [execution for execution in found if execution.status is status]

    def things_of(self, job_id: str) -> Sequence[str]:
        """Every thing that has or had an execution of a job, in the order in which they got it. Raises JobsError."""
        self.job(job_id)
        return self._ledger.things_of[job_id]

    def executions_on(self, job_id: str, thing: str) -> list[JobExecution]:
        """A job's executions on one thing, the oldest first."""
        latest = self._ledger.queues.get(thing, {}).get(job_id)
        found = list(self._ledger.earlier_of(job_id, thing))
        return found if latest is None else [*found, latest]

    def executions_of_thing(self, thing: str) -> list[JobExecution]:
        """ListJobExecutionsForThing, newest first."""
        found: list[JobExecution] = []
        for job_id, latest in self._ledger.queues.get(thing, {}).items():
            found += (*self._ledger.earlier_of(job_id, thing), latest)
        return sorted(found, key=lambda execution: execution.serial, reverse=True)

    def execution(self, thing: str, job_id: str, execution_number: int | None = None) -> JobExecution:
        """The control plane's DescribeJobExecution, which answers in every state. Raises JobsError."""
        return self._ledger.execution(thing, job_id, execution_number)

    def counts(self, job_id: str) -> dict[Status, int]:
        """How many executions of a job have each status, retries included. Raises JobsError."""
        self.job(job_id)
        return dict(self._ledger.counts[job_id])

    def document(self, job_id: str, now: float) -> JobDocument:
        """A job's document as it is delivered to a device. Raises JobsError."""
        return self._ledger.deliver(self.job(job_id), now)

    # ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────

    def _turn(self) -> Turn:
        return Turn(self._ledger, Doing())

    def _ended(self, doing: Doing, execution: JobExecution, now: float) -> None:
        ended(self._ledger, doing, execution, now)

    def _check_owner(self, namespace_id: str | None, by_aws: bool) -> None:
        """AWS's own services own what begins with `aws-`: customers neither create nor delete there (observed)."""
        is_reserved = self.settings.aws_namespaces_reserved and (namespace_id or "").startswith("aws-")
        if is_reserved and not by_aws:
            raise JobsError("InvalidRequest", f"Namespace {namespace_id} is reserved for AWS.")

    def _check_namespace(self, job_id: str, namespace_id: str | None, given: str | None) -> None:
        # AWS does not say what a missing or other namespaceId brings: taken as a part of the job's name.
        if namespace_id != given:
            raise JobsError(self.settings.wrong_namespace, f"Job {job_id} does not exist in this namespace.")

    def _own(self, job_id: str, namespace_id: str | None, by_aws: bool) -> Job:
        self._check_owner(namespace_id, by_aws)
        job = self.job(job_id)
        self._check_namespace(job_id, job.namespace_id, namespace_id)
        return job
