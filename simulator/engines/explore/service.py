"""The Jobs service, what operators do with it, and what goes on there by itself.

Time is one second for each creation of a job, since queuedAt is all that a device can tell two incarnations by; within
it, the spans of a deletion are fractions. So nothing grows but with what was paid for: seconds and serials count
creations, and versions count what a device reports of one execution, up to MOST_VERSIONS:
a bad one may report for ever.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from agent.values import Answer, Hint, Rejected
from simulator.cloud.device_api.trace_events import change_events, hint_events, kind_of, request_events
from simulator.cloud.jobs import JobStatus, NewJob, Outcome
from simulator.cloud.jobs.commands import CancelJob, Command, CreateJob, DeleteExecution, DeleteJob, DeviceRequest, Tick
from simulator.cloud.jobs.ledger import JobDue
from simulator.cloud.jobs.records import Job, JobExecution
from simulator.cloud.jobs.service import step
from simulator.cloud.jobs.value import Service
from simulator.engines.explore.choice import Actor, Choice, Kind
from simulator.engines.explore.net import Message
from simulator.engines.explore.pieces import piece
from simulator.engines.explore.setup import FW, NEXT_JOB, OTHER, OTHER_NAMESPACE, Setup
from simulator.engines.explore.tokens import Names
from simulator.trace import CloudEvent, ExecutionChanged, RequestReceived

EPOCH: Final = 1_700_000_000
"""What its clock shows at the start."""
MOST_VERSIONS: Final = 32
"""Of one execution. What goes on for ever is seen to come round by then; a device that is well needs few of them."""


class Cloud(NamedTuple):
    """The service; how many seconds have passed, one a creation; and the ids that have been made so far."""

    jobs: Service
    seconds: int = 0
    made: tuple[str, ...] = ()

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return float(EPOCH + self.seconds)

    def job(self, job_id: str) -> Job | None:
        """The job of that id; None if there is none."""
        return next((each.job for each in self.jobs.jobs if each.job.job_id == job_id), None)

    def named(self, thing: str, namespace: str | None, names: Names) -> "Cloud":
        """The same with what the device of a thing, or its agent in that namespace, wrote called as that calls it."""
        queues = tuple(
            tuple(_renamed(each, thing, namespace, names) for each in queue) if queue else queue
            for queue in self.jobs.queues
        )
        return self if queues == self.jobs.queues else self._replace(jobs=self.jobs._replace(queues=queues))


class ServiceMove(NamedTuple):
    """What comes of it: the service, what it sends, and what the cloud tells."""

    choice: Choice
    cost: Kind | None
    actor: Actor
    service: Cloud
    out: tuple[Message, ...] = ()
    told: tuple[CloudEvent, ...] = ()


class Operations:
    """What can be done with the service of one setup."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._seats = setup.seats
        self._things = setup.things

    def begun(self) -> Cloud:
        """Nobody has made anything."""
        return Cloud(Service(self._setup.jobs_settings))

    def of_itself(self, cloud: Cloud) -> tuple[ServiceMove, ...]:
        """What operators can do, and what is due."""
        return (*self._by_hand(cloud), *self._due(cloud))

    def on_request(self, cloud: Cloud, message: Message) -> ServiceMove:
        """A request arrived: the service afterwards, its answer, and after that the hints."""
        request, thing = message.body, self._seats[message.side].thing
        assert not isinstance(request, Answer | Hint), "requests go up"
        jobs, outcome = step(cloud.jobs, DeviceRequest(thing, request), cloud.now)
        jobs, answer = within_versions(jobs), outcome.answer
        assert answer is not None, "a device is always answered"
        told = request_events(thing, request, outcome, dup=message.is_copy, client_id=self._seats[message.side].name)
        word = "rejected" if isinstance(answer, Rejected) else "accepted"
        out = (Message(f"{message.name} {word}", piece(answer), message.side), *self._heard(outcome))
        return ServiceMove(Choice(""), None, "up", cloud._replace(jobs=jobs), out, hashable(told))

    # ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────

    def _by_hand(self, cloud: Cloud) -> Iterator[ServiceMove]:
        setup, bounds = self._setup, self._setup.bounds
        fw, is_made = cloud.job(FW), FW in cloud.made
        if not is_made:
            yield self._create(cloud, FW, None)
        elif fw is None and bounds.create_again:
            yield self._create(cloud, FW, "create-again")
        if fw is not None and fw.status is not JobStatus.DELETION_IN_PROGRESS:
            if bounds.delete:
                delete = DeleteJob(FW, force=True, namespace_id=setup.namespace)
                yield self._done(cloud, Choice("delete", FW), "delete", "operator", delete)
            if bounds.cancel and fw.status is JobStatus.IN_PROGRESS:
                yield self._done(cloud, Choice("cancel", FW), "cancel", "operator", CancelJob(FW, force=True))
            for thing, number in _executions(cloud, FW) if bounds.delete_execution else ():
                delete_it = DeleteExecution(thing, FW, number, force=True, namespace_id=setup.namespace)
                at = thing if len(self._things) > 1 else ""
                choice = Choice("delete execution", FW, at=at)
                yield self._done(cloud, choice, "delete-execution", "operator", delete_it)
        if setup.next and is_made and NEXT_JOB not in cloud.made:
            yield self._create(cloud, NEXT_JOB, None)
        yield from self._others(cloud)

    def _others(self, cloud: Cloud) -> Iterator[ServiceMove]:
        """A job in another namespace, which its own agent will have done, and somebody then clears away."""
        other, setup = cloud.job(OTHER), self._setup
        if OTHER not in cloud.made and setup.bounds.other_namespace and FW in cloud.made:
            yield self._create(cloud, OTHER, "other-namespace")
        elif other is not None and other.status is JobStatus.IN_PROGRESS and setup.devices != "two namespaces":
            yield self._done(cloud, Choice("cancel", OTHER), None, "operator", CancelJob(OTHER, force=True))

    def _create(self, cloud: Cloud, job_id: str, cost: Kind | None) -> ServiceMove:
        again = job_id in cloud.made
        namespace = OTHER_NAMESPACE if job_id == OTHER else self._setup.namespace
        document = self._setup.document(job_id, again=again)
        is_same_second = again and self._setup.same_second
        later = cloud._replace(
            seconds=cloud.seconds if is_same_second else cloud.seconds + 1, made=_with(cloud.made, job_id)
        )
        choice = Choice("create again" if again and cost == "create-again" else "create", job_id)
        things = self._things[:1] if job_id == OTHER else self._things
        new = NewJob(job_id, things, document, namespace_id=namespace)
        return self._done(later, choice, cost, "operator", CreateJob(new))

    # ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────

    def _due(self, cloud: Cloud) -> Iterator[ServiceMove]:
        """The next that is due, which is a deletion's part: nothing else here has a time. Records go one by one."""
        if cloud.jobs.backlog.under_way:
            yield self._done(cloud, Choice("records go"), None, "service", Tick(1))
            return
        for due, item in cloud.jobs.agenda[:1]:
            job = cloud.job(item.job_id) if isinstance(item, JobDue) else None
            assert job is not None, "what is due is a deletion's"
            choice = Choice("job gone" if job.removal_due is None else "records go", job.job_id)
            slice_of = None if len(self._things) == 1 else 1
            yield self._done(cloud, choice, None, "service", Tick(slice_of), due)

    def _done(
        self, cloud: Cloud, choice: Choice, cost: Kind | None, actor: Actor, command: Command, now: float | None = None
    ) -> ServiceMove:
        jobs, outcome = step(cloud.jobs, command, cloud.now if now is None else now)
        told = hashable((*change_events(outcome.changes), *hint_events(outcome.hints)))
        return ServiceMove(choice, cost, actor, cloud._replace(jobs=jobs), self._heard(outcome), told)

    def _heard(self, outcome: Outcome) -> tuple[Message, ...]:
        """The hints for which the device listens."""
        everything = self._setup.hears == "everything"
        return tuple(
            Message(kind_of(hint), piece(hint), side)
            for thing, hint in outcome.hints
            for side, seat in enumerate(self._seats)
            if thing == seat.thing and (everything or hint.namespace_id == seat.namespace)
        )


def within_versions(jobs: Service) -> Service:
    """The same, where an execution has been updated more than MOST_VERSIONS times, as if it were that often."""
    if all(each.version_number <= MOST_VERSIONS for queue in jobs.queues for each in queue):
        return jobs
    queues = (
        tuple(replace(each, version_number=min(each.version_number, MOST_VERSIONS)) for each in queue)
        for queue in jobs.queues
    )
    return jobs._replace(queues=tuple(queues))


def _renamed(execution: JobExecution, thing: str, namespace: str | None, names: Names) -> JobExecution:
    if execution.thing != thing or execution.key.namespace_id != namespace:
        return execution
    details = names.details(execution.status_details)
    return execution if details is execution.status_details else replace(execution, status_details=details)


def _executions(cloud: Cloud, job_id: str) -> Iterator[tuple[str, int]]:
    """The things that have an execution of a job, each with the number of its latest."""
    for queue in cloud.jobs.queues:
        yield from ((each.thing, each.key.execution_number) for each in queue if each.key.job_id == job_id)


def hashable(told: Iterable[CloudEvent]) -> tuple[CloudEvent, ...]:
    """The same events, of which some have details."""
    return tuple(
        replace(event, details=Details(event.details))
        if isinstance(event, RequestReceived | ExecutionChanged) and event.details is not None
        else event
        for event in told
    )


class Details(dict[str, str]):
    """statusDetails as an event has them, for whoever tells events apart by their hash; not to be changed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


def _with(made: tuple[str, ...], job_id: str) -> tuple[str, ...]:
    return made if job_id in made else tuple(sorted((*made, job_id)))
