"""The Jobs service: commands in, answers, changes, hints and events out. Time is an argument; nothing here does I/O.

    jobs.do(DeleteJob("fw", force=True), now)                    # a live one: changed in place
    service, outcome = step(service, Tick(), now)                # a value: the next one comes out
    service = jobs.value();  jobs = Jobs.of(service)             # from one to the other

Each command is told in a file of its own; here they are put together. What is due later is done by `tick`, and what
takes long goes on there, so much at a time as the caller says.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, Generic, Self, TypeVar, assert_never

from agent.values import Answer, Describe, ErrorCode, JobDocument, Rejected, Request, StartNext, Status, Update
from simulator.cloud.jobs import (
    cancelling,
    commands,
    deletion,
    endings,
    rollout,
    scheduling,
    spans,
    stale_reads,
    targets,
    ticking,
    updating,
)
from simulator.cloud.jobs.changes import Change, Outcome
from simulator.cloud.jobs.commands import Command, Operation, ThingDeleted, ThingMoved
from simulator.cloud.jobs.configuration import Presign
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.events import EventKind
from simulator.cloud.jobs.ledger import BY_SERIAL, Ledger
from simulator.cloud.jobs.queue import decide
from simulator.cloud.jobs.quotas import RATE_EXCEEDED, check_job, excess
from simulator.cloud.jobs.records import Job, JobAge, JobExecution, JobStatus, NewJob, ThingNews
from simulator.cloud.jobs.restoring import restore
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.thing_order import ExecutionAge
from simulator.cloud.jobs.traits import Trait
from simulator.cloud.jobs.transaction import Transaction
from simulator.cloud.jobs.value import Service, ledger_of, value_of

TELLING: Final = frozenset({StartNext, Update})
"""Requests that carry statusDetails."""


def step(service: Service, command: Command, now: float) -> tuple[Service, Outcome]:
    """The service after a command, and what came of it; costs some 20 µs where there are a few records.

    Raises JobsError if the command is refused: the service is as it was. Nobody keeps anything, and documents are
    delivered as they were written.
    """
    jobs = Jobs.of(service)
    outcome = jobs.do(command, now)
    return jobs.value(), outcome


T = TypeVar("T")


class _Set(Generic[T]):
    """What users of the service set, and the ledger has."""

    def __set_name__(self, _jobs: type, name: str) -> None:
        self._get, self._name = attrgetter(f"_ledger.{name}"), name

    def __get__(self, jobs: "Jobs", _jobs: type) -> T:
        value: T = self._get(jobs)
        return value

    def __set__(self, jobs: "Jobs", value: T) -> None:
        setattr(jobs._ledger, self._name, value)


class Jobs:
    """Every job and job execution of one account and region."""

    settings = _Set[JobsSettings]()
    """What AWS does not say; may be replaced at any time."""
    event_kinds = _Set[frozenset[EventKind]]()
    """Which events somebody wants to know (UpdateEventConfigurations)."""
    presign = _Set[Presign | None]()
    """What puts URLs in the place of a document's placeholders when it is delivered; None leaves them alone."""
    keep = _Set[Callable[[tuple[Change, ...]], object] | None]()
    """What writes the changes of each command down; if it raises, the command has not been. None keeps nothing."""

    stands_for = _Set[Mapping[str, int]]()
    """How many things each is counted for, in a rollout, a deletion and the quota of requests; one, if not named."""

    def __init__(self, settings: JobsSettings | None = None) -> None:
        self._ledger = Ledger(settings or JobsSettings())
        self.begun_anew = 0
        """Of how many records, when they were restored, the clock was not believed (see `spans`)."""

    def value(self) -> Service:
        """All of it as a value, but for `presign`, `keep` and `stands_for`, which are not its own."""
        return value_of(self._ledger)

    @classmethod
    def of(cls, service: Service) -> Self:
        """A live one that goes on from there."""
        jobs = cls.__new__(cls)
        jobs._ledger, jobs.begun_anew = ledger_of(service), 0
        return jobs

    def __reduce__(self) -> tuple[Callable[[Service], Self], tuple[Service]]:
        """A copy goes on from there, and nobody keeps what becomes of it."""
        return self.of, (self.value(),)

    # ── commands ──────────────────────────────────────────────────────────────────────────────────────────────

    def do(self, command: Command, now: float) -> Outcome:
        """Carry out a command. Raises JobsError if it is refused."""
        match command:
            case commands.DeviceRequest(thing, request):
                return self.device_request(thing, request, now)
            case commands.Tick(at_most):
                return self.tick(now, at_most)
            case commands.ClockMoved(by):
                spans.clock_moved(self._ledger, by, now)
                return Outcome()
            case _:
                with Transaction(self._ledger, now) as tx:
                    _carry_out(tx, command)
                return tx.outcome()

    def device_request(self, thing: str, request: Request, now: float) -> Outcome:
        """Answer a device. Never raises: a refusal is an answer."""
        ledger, settings = self._ledger, self._ledger.settings
        limit = settings.requests_per_second
        if limit is not None and not ledger.rate.allows(request, now, limit, ledger.stands_for.get(thing, 1)):
            return Outcome(Rejected(int(now), ErrorCode.REQUEST_THROTTLED, RATE_EXCEEDED, request.client_token))
        queue = ledger.queue(thing)
        if ledger.deleting:
            meanwhile = deletion.answer_meanwhile(ledger, queue, request, now)
            if isinstance(meanwhile, Answer):
                return Outcome(meanwhile)
            queue = meanwhile
        if settings.stale_reads_seconds:
            queue = stale_reads.shown(ledger.stale_reads, thing, queue, request, now, settings.stale_reads_seconds)
        if (type(request) is Update or type(request) is Describe) and request.execution_number is not None:
            queue = ledger.with_number(thing, queue, request)
        if type(request) in TELLING and (message := excess(request, settings)) is not None:
            return Outcome(Rejected(int(now), ErrorCode.INVALID_REQUEST, message, request.client_token))
        answer, record = decide(queue, request, now, ledger)
        if record is None:
            return Outcome(answer)
        with Transaction(ledger, now) as tx:
            endings.change(tx, record, "device")
            return tx.outcome(answer)

    def is_throttled(self, thing: str, request: Request, at: float) -> bool:
        """Whether a request of a device that comes then is refused for the quota, whatever comes before it."""
        ledger, limit = self._ledger, self._ledger.settings.requests_per_second
        return limit is not None and ledger.rate.is_spent(request, at, limit, ledger.stands_for.get(thing, 1))

    def tick(self, now: float, at_most: int | None = None) -> Outcome:
        """Do what is due by `now`, and go on with what is under way: so many executions at most, None for all.

        Never raises: a transaction that fails is undone, and told with the outcome.
        """
        return ticking.tick(self._ledger, now, at_most)

    def check_news(self, thing: str) -> None:
        """Whether a thing may join and leave groups, or has done so too often just now. Raises JobsError."""
        targets.check_news(self._ledger, thing)

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

    def jobs(self, traits: Collection[Trait] = (), *, before: JobAge | None = None) -> Iterator[Job]:
        """ListJobs, newest first, until something changes: of several traits those that have the rarest, and perhaps
        the others. `before`: only those that are older than that.
        """
        return self._ledger.jobs_by_trait(traits, before)

    def executions_of_job(self, job_id: str, *, status: Status | None = None) -> list[JobExecution]:
        """ListJobExecutionsForJob, in the order of its targets; of one thing the oldest first. Raises JobsError."""
        things = dict.fromkeys(self.things_of(job_id))
        found = [execution for thing in things for execution in self.executions_on(job_id, thing)]
        return found if status is None else [execution for execution in found if execution.status is status]

    def things_of(self, job_id: str) -> Sequence[str]:
        """Every thing that has or had an execution of a job, in the order in which they got it. Raises JobsError.

        One whose record was deleted, and that got another one, is there twice.
        """
        self.job(job_id)
        return self._ledger.of_job[job_id].things

    def executions_on(self, job_id: str, thing: str) -> list[JobExecution]:
        """A job's executions on one thing, the oldest first."""
        return self._ledger.executions(thing, job_id)

    def executions_of_thing(self, thing: str) -> list[JobExecution]:
        """All of a thing, newest first; for who wants a page of them see `older_on_thing`."""
        job_ids = self._ledger.queues.get(thing, ())
        found = [execution for job_id in job_ids for execution in self.executions_on(job_id, thing)]
        return sorted(found, key=BY_SERIAL, reverse=True)

    def older_on_thing(
        self, thing: str, before: ExecutionAge | None, count: int
    ) -> tuple[list[JobExecution], ExecutionAge | None]:
        """Those of a thing that are older, newest first, of so many that are looked at; and what to go on with, if
        there are more.
        """
        return self._ledger.older_on_thing(thing, before, count)

    def has_executions(self, thing: str) -> bool:
        """Whether there is any on a thing."""
        return thing in self._ledger.queues

    def execution(self, thing: str, job_id: str, execution_number: int | None = None) -> JobExecution:
        """The control plane's DescribeJobExecution, which answers in every state. Raises JobsError."""
        return self._ledger.execution(thing, job_id, execution_number)

    def counts(self, job_id: str) -> dict[Status, int]:
        """How many executions of a job have each status, retries included. Raises JobsError."""
        self.job(job_id)
        return dict(self._ledger.of_job[job_id].counts)

    def document(self, job_id: str, now: float) -> JobDocument:
        """A job's document as it is delivered to a device. Raises JobsError."""
        return self._ledger.document_of(self.job(job_id).job_id, now)


def _carry_out(tx: Transaction, command: Operation | ThingMoved | ThingDeleted) -> None:
    match command:
        case commands.CreateJob(new, by_aws):
            _create_job(tx, new, by_aws)
        case commands.UpdateJob(job_id, update, namespace_id, by_aws):
            updating.update_job(tx, _own(tx, job_id, namespace_id, by_aws), update)
        case commands.AssociateTargets():
            job = _own(tx, command.job_id, command.namespace_id, command.by_aws)
            targets.associate(tx, job, command.targets, command.things, command.comment)
        case commands.CancelJob(job_id, force, reason_code, comment):
            cancelling.cancel_job(tx, tx.ledger.job(job_id), force=force, reason_code=reason_code, comment=comment)
        case commands.CancelExecution(thing, job_id, force, expected_version, status_details):
            execution = tx.ledger.execution(thing, job_id)
            after = cancelling.cancelled_execution(tx, execution, force, expected_version, status_details)
            endings.change(tx, after, "service")
        case commands.DeleteJob(job_id, force, namespace_id, tags, by_aws):
            deletion.delete_job(tx, _own(tx, job_id, namespace_id, by_aws), force=force, tags=dict(tags))
        case commands.DeleteExecution():
            _check_owner(tx, command.namespace_id, command.by_aws)
            execution = tx.ledger.execution(command.thing, command.job_id, command.number)
            _check_namespace(tx, command.job_id, execution.key.namespace_id, command.namespace_id)
            deletion.delete_execution(tx, execution, force=command.force)
        case ThingMoved(what, thing, targets_, others):
            targets.moved(tx, thing, what, targets_, others)
        case ThingDeleted(thing):
            targets.deleted(tx, thing)
        case _:
            assert_never(command)


def _create_job(tx: Transaction, new: NewJob, by_aws: bool) -> None:
    ledger, now = tx.ledger, tx.now
    if new.job_id in ledger.jobs:
        raise JobsError("ResourceAlreadyExists", f"Job {new.job_id} already exists.")
    _check_owner(tx, new.namespace_id, by_aws)
    check_job(new, ledger.settings)
    if new.schedule is not None:
        scheduling.check(new.schedule, now, ledger.settings)
    starts_at = scheduling.starts_at(new.schedule, now)
    status = JobStatus.IN_PROGRESS if starts_at is None else JobStatus.SCHEDULED
    job = Job(new, status, now, now, rollout_due=starts_at)
    if starts_at is None and scheduling.is_full(ledger, job):
        raise JobsError("LimitExceeded", f"{ledger.settings.active_jobs} jobs are active.")
    tx.put_job(job)
    if starts_at is None:
        rollout.advance(tx, job)


def _check_owner(tx: Transaction, namespace_id: str | None, by_aws: bool) -> None:
    """AWS's own services own what begins with `aws-`: customers neither create nor delete there (observed)."""
    is_reserved = tx.ledger.settings.aws_namespaces_reserved and (namespace_id or "").startswith("aws-")
    if is_reserved and not by_aws:
        raise JobsError("InvalidRequest", f"Namespace {namespace_id} is reserved for AWS.")


def _check_namespace(tx: Transaction, job_id: str, namespace_id: str | None, given: str | None) -> None:
    # AWS does not say what a missing or other namespaceId brings: taken as a part of the job's name.
    if namespace_id != given:
        raise JobsError(tx.ledger.settings.wrong_namespace, f"Job {job_id} does not exist in this namespace.")


def _own(tx: Transaction, job_id: str, namespace_id: str | None, by_aws: bool) -> Job:
    _check_owner(tx, namespace_id, by_aws)
    job = tx.ledger.job(job_id)
    _check_namespace(tx, job_id, job.namespace_id, namespace_id)
    return job
