"""Every job and execution of one account and region, found by thing and by job.

Records are changed in place, whether a command does it or a file tells of an earlier life. What a command changes is
noted down, and can be taken back, by its `transaction`.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from agent.values import Describe, ErrorCode, ExecutionKey, JobDocument, Status, Update
from simulator.cloud.jobs.agenda import Agenda
from simulator.cloud.jobs.backlog import BackgroundWork, HeldWork, OfOwner, WorkOwner, Works, owner_of
from simulator.cloud.jobs.changes import Change
from simulator.cloud.jobs.configuration import MaintenanceWindow, Presign, PresignedUrls
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.events import EventKind
from simulator.cloud.jobs.maintenance import is_open
from simulator.cloud.jobs.queue import Pending, Queue, Without, served
from simulator.cloud.jobs.quotas import Rate
from simulator.cloud.jobs.records import Job, JobAge, JobExecution, JobStatus, News, ThingNews
from simulator.cloud.jobs.rollout_order import RolloutOrder
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.stale_reads import StaleRead
from simulator.cloud.jobs.thing_order import ExecutionAge, ThingOrder
from simulator.cloud.jobs.traits import ByTrait, Trait, traits_of

NONE_YET: Final = dict.fromkeys(Status, 0)
BY_SERIAL: Final = attrgetter("serial")
NO_QUEUE: Final = Queue(MappingProxyType({}), ())
"""Of a thing that has nothing, as nearly all have nearly always."""


class JobDue(NamedTuple):
    """Something is to be done about a job."""

    job_id: str


class ExecutionDue(NamedTuple):
    """A timer of an execution runs out."""

    thing: str
    job_id: str


class WorkDue(NamedTuple):
    """Work that failed is to be tried again."""

    owner: WorkOwner


Due: TypeAlias = JobDue | ExecutionDue | WorkDue


@dataclass(slots=True)
class OfJob:
    """What is found by a job.

    `things`: every one that has or had an execution of it, once, in the order in which they got it; `gone`: of these,
    all whose execution was deleted by itself, and perhaps others. `earlier`: by thing, executions of which a later one
    took the place, oldest first. `births`: how many jobs there were before it.
    """

    births: int
    things: list[str] = field(default_factory=list)
    counts: dict[Status, int] = field(default_factory=NONE_YET.copy)
    earlier: dict[str, tuple[JobExecution, ...]] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)


class Ledger:
    """The indexes. `keep` gets the changes of each transaction, to write them down; None if nobody does."""

    def __init__(self, settings: JobsSettings) -> None:
        self.settings = settings
        self.presign: Presign | None = None
        self.keep: Callable[[tuple[Change, ...]], object] | None = None
        self.stands_for: Mapping[str, int] = {}
        """How many things each is counted for that does not stand for itself alone: where not all of a fleet play."""
        self.event_kinds: frozenset[EventKind] = frozenset()
        self.jobs: dict[str, Job] = {}
        """In the order of their creation."""
        self.by_age: list[JobAge] = []
        """Of the same jobs, so that a page of them need not look at the others; a clock may have gone back."""
        self.by_trait: ByTrait | None = None
        """Of the same jobs; None as long as nobody has asked for some of them."""
        self.of_job: dict[str, OfJob] = {}
        self.queues: dict[str, dict[str, JobExecution]] = {}
        """By thing, then job id: the latest execution of each job, in the order in which they were queued."""
        self.pending: dict[str, Pending] = {}
        """By thing, those of the latest that are pending, if there are any: a thing may have thousands that ended."""
        self.deleting: dict[str, None] = {}
        self.news: dict[str, tuple[News, ...]] = {}
        """By thing, what its jobs are still to learn of it."""
        self.agenda: Agenda[Due] = Agenda()
        self.works = Works()
        """What is under way, and what is held; changed by what is said of it below."""
        self.stale_reads: dict[str, StaleRead] = {}
        self.rate = Rate()
        self.last_serial = 0
        self.last_key = ExecutionKey(None, "", 0, 0)
        self.order = RolloutOrder()
        self.thing_order = ThingOrder()
        self._births = 0
        self._with_windows: dict[str, tuple[MaintenanceWindow, ...]] = {}
        """By job id, the maintenance windows of the jobs that have some."""
        self.active = {False: 0, True: 0}
        """How many jobs are IN_PROGRESS: snapshot ones, and continuous ones."""
        self._rolling_out: dict[str, None] = {}
        """The ids of the jobs of which not every thing has had its turn."""
        self._followed: dict[str, dict[str, None]] = {}
        """By target, the ids of the jobs that follow who joins and leaves it."""

    @property
    def forbidden_status(self) -> ErrorCode:
        """How a device is refused that sets what only the service sets."""
        return ErrorCode(self.settings.forbidden_status)

    def count(self, things: Collection[str]) -> int:
        """How many these are, with those that they stand for."""
        count = self.stands_for.get
        return sum(count(thing, 1) for thing in things) if self.stands_for else len(things)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, job_id: str) -> Job:
        """The job. Raises JobsError."""
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobsError("ResourceNotFound", f"Job {job_id} does not exist.") from None

    def queue(self, thing: str) -> Queue:
        """All of a thing's."""
        latest = self.queues.get(thing)
        return NO_QUEUE if latest is None else Queue(latest, self.pending.get(thing, ()))

    def jobs_by_age(self, before: JobAge | None = None) -> Iterator[Job]:
        """The newest first; those only that are older than that one."""
        return self._older(self.by_age, before)

    def jobs_by_trait(self, traits: Collection[Trait], before: JobAge | None = None) -> Iterator[Job]:
        """The same of those only that have the one of these traits that the fewest have."""
        if not traits:
            return self.jobs_by_age(before)
        if self.by_trait is None:
            self.by_trait = ByTrait(self.jobs.values())
        return self._older(self.by_trait.rarest(traits), before)

    def _older(self, ages: Sequence[JobAge], before: JobAge | None) -> Iterator[Job]:
        place = len(ages) if before is None else bisect_left(ages, before)
        return (self.jobs[ages[at][1]] for at in range(place - 1, -1, -1))

    def older_on_thing(
        self, thing: str, before: ExecutionAge | None, count: int
    ) -> tuple[list[JobExecution], ExecutionAge | None]:
        """A thing's executions that are older, the newest first, of so many that are looked at; where to go on."""
        of_job = partial(self.executions, thing)
        return self.thing_order.older(thing, self.queues.get(thing, {}), of_job, before, count)

    def executions(self, thing: str, job_id: str) -> list[JobExecution]:
        """A thing's executions of a job, oldest first."""
        latest = self.queues.get(thing, {}).get(job_id)
        return [] if latest is None else [*self.of_job[job_id].earlier.get(thing, ()), latest]

    def execution(self, thing: str, job_id: str, number: int | None = None) -> JobExecution:
        """The execution with that number, or the latest. Raises JobsError."""
        found = [e for e in self.executions(thing, job_id) if number in (None, e.key.execution_number)]
        if not found:
            raise JobsError("ResourceNotFound", f"Job {job_id} has no such execution on {thing}.")
        return found[-1]

    def with_number(self, thing: str, queue: Queue, request: Describe | Update) -> Queue:
        """The queue by which a request is decided that names an execution of which a later one took the place."""
        job_id, number = request.job_id, request.execution_number
        found = [e for e in self.executions(thing, job_id)[:-1] if e.key.execution_number == number]
        is_shown = found and job_id in queue.latest
        return queue._replace(latest={job_id: found[0]}) if is_shown else queue  # nothing else is looked for

    def listable(self, queue: Queue) -> Queue:
        """What lists may show of a queue: not the executions of jobs whose deletion has begun."""
        if self.settings.while_deleting == "answers-and-lists" or not any(i in queue.latest for i in self.deleting):
            return queue
        return Queue(
            Without(queue.latest, self.deleting),
            tuple(each for each in queue.pending if each.key.job_id not in self.deleting),
        )

    def is_hidden(self, execution: JobExecution) -> bool:
        """Whether no list may show it."""
        return execution.key.job_id in self.deleting and self.settings.while_deleting != "answers-and-lists"

    def document_of(self, job_id: str, now: float) -> JobDocument:
        """A job's document as it is delivered at that time."""
        new = self.jobs[job_id].new
        if self.presign is None:
            return new.document
        return self.presign(new.document, now, (new.presigned_urls or PresignedUrls()).expires_seconds)

    def minutes_of(self, job_id: str) -> int | None:
        """How long an execution of a job may be IN_PROGRESS."""
        return self.jobs[job_id].new.timeout_minutes

    def listed(self, queue: Queue, now: float) -> int:
        """How many pending executions a list of this queue holds."""
        usual, in_window = self.settings.pending_listed, self.settings.pending_listed_in_window
        if len(queue.pending) <= usual or not self._with_windows:
            return usual
        few, many = self._with_windows, queue.latest
        job_ids = [i for i in few if i in many] if len(few) < len(many) else [i for i in many if i in few]
        windows = (self._with_windows[job_id] for job_id in job_ids)
        return in_window if any(is_open(each, now) for each in windows) else usual

    def followers(self, targets: Iterable[str]) -> list[Job]:
        """The continuous jobs that follow one of these targets, the oldest first."""
        return self._by_birth({job_id for target in targets for job_id in self._followed.get(target, ())})

    def rolling_out(self) -> list[Job]:
        """The jobs of which there are things whose turn is still to come, the oldest first."""
        return self._by_birth(self._rolling_out)

    def _by_birth(self, job_ids: Iterable[str]) -> list[Job]:
        return [self.jobs[job_id] for job_id in sorted(job_ids, key=lambda job_id: self.of_job[job_id].births)]

    # ── changing: what may come to a fault is done first, so that each is done whole or not at all ─────────────

    def replace(self, before: JobExecution, after: JobExecution) -> None:
        """Have that record of a thing's latest execution instead."""
        job_id = after.key.job_id
        self._serve(after.thing, before, after)
        self.queues[after.thing][job_id] = after
        if before.status is not after.status:
            counts = self.of_job[job_id].counts
            counts[before.status] -= 1
            counts[after.status] += 1

    def add(self, execution: JobExecution) -> None:
        """Take in an execution, as the latest of its thing and job."""
        thing, job_id = execution.thing, execution.key.job_id
        of_job, queue = self.of_job[job_id], self.queues.get(thing, {})
        self._serve(thing, queue.get(job_id), execution)
        self.queues[thing] = queue
        old = queue.pop(job_id, None)
        if old is not None:
            of_job.earlier[thing] = (*of_job.earlier.get(thing, ()), old)
        elif thing not in of_job.gone:
            of_job.things.append(thing)
        queue[job_id] = execution
        of_job.counts[execution.status] += 1
        self.last_serial = execution.serial

    def remove(self, execution: JobExecution) -> None:
        """Let an execution go; if there is an earlier one, that is the latest again."""
        thing, job_id = execution.thing, execution.key.job_id
        of_job, queue = self.of_job[job_id], self.queues[thing]
        if thing in of_job.earlier:
            self.set_executions(thing, job_id, [e for e in self.executions(thing, job_id) if e is not execution])
        else:
            self._serve(thing, execution, None)
            if job_id not in self.deleting:  # nobody comes back to a job that goes
                of_job.gone[thing] = None
            del queue[job_id]
            if not queue:
                del self.queues[thing]
        of_job.counts[execution.status] -= 1

    def set_executions(self, thing: str, job_id: str, executions: list[JobExecution]) -> None:
        """These are a thing's executions of a job; queues stay in the order in which all were queued."""
        executions.sort(key=BY_SERIAL)
        queue, earlier = self.queues.get(thing, {}), self.of_job[job_id].earlier
        self._serve(thing, queue.get(job_id), executions[-1] if executions else None)
        self.queues.pop(thing, None)
        queue.pop(job_id, None)
        earlier.pop(thing, None)
        if executions:
            queue[job_id] = executions[-1]
        if executions[:-1]:
            earlier[thing] = tuple(executions[:-1])
        if queue:
            self.queues[thing] = {each.key.job_id: each for each in sorted(queue.values(), key=BY_SERIAL)}

    def _serve(self, thing: str, before: JobExecution | None, after: JobExecution | None) -> None:
        """The latest of a thing and job is another, or none."""
        pending = served(self.pending.get(thing, ()), before, after)
        if pending:
            self.pending[thing] = pending
        else:
            self.pending.pop(thing, None)

    def put_job(self, before: Job | None, job: Job | None) -> str:
        """A job was like `before` (None: it was not), and is like that (None: it is not): its id."""
        one = before or job
        assert one is not None, "one of them is there"
        job_id, age = one.job_id, one.age
        if job is None or job.is_rolled_out:
            self.order.forget(job_id)
        self._find_by_state(job_id, age, before, job)
        place = bisect_left(self.by_age, age)
        if before is None:
            self._births += 1
            self.of_job[job_id] = OfJob(self._births)
            self.by_age.insert(place, age)
        if job is not None:
            self.jobs[job_id] = job
        else:
            del self.jobs[job_id], self.of_job[job_id], self.by_age[place]
        return job_id

    def _find_by_state(self, job_id: str, age: JobAge, before: Job | None, job: Job | None) -> None:
        was = before.targets if before is not None and before.is_followed else ()
        now = job.targets if job is not None and job.is_followed else ()
        is_rolling_out = job is not None and job.is_rolling_out
        is_deleting = job is not None and job.status is JobStatus.DELETION_IN_PROGRESS
        windows = () if job is None or job.new.schedule is None else job.new.schedule.windows
        by_trait = None if self.by_trait is None else self.by_trait.ages
        had, has = (frozenset(), frozenset()) if by_trait is None else (traits_of(before), traits_of(job))
        for each, change in ((before, -1), (job, +1)):
            if each is not None and each.status is JobStatus.IN_PROGRESS:
                self.active[each.new.target_selection == "CONTINUOUS"] += change
        for found, is_in in ((self._rolling_out, is_rolling_out), (self.deleting, is_deleting)):
            if is_in:
                found[job_id] = None
            else:
                found.pop(job_id, None)
        if windows:
            self._with_windows[job_id] = windows
        else:
            self._with_windows.pop(job_id, None)
        for target in was if now != was else ():
            del self._followed[target][job_id]
            if not self._followed[target]:
                del self._followed[target]
        for target in now if now != was else ():
            self._followed.setdefault(target, {})[job_id] = None
        if by_trait is not None:
            for trait in had - has:
                del by_trait[trait][bisect_left(by_trait[trait], age)]
                if not by_trait[trait]:
                    del by_trait[trait]
            for trait in has - had:
                insort(by_trait.setdefault(trait, []), age)

    def bring_back(self, job_id: str, of_job: OfJob) -> None:
        """A job that was forgotten is in its place again, with what was found by it."""
        self.of_job[job_id] = of_job
        self.jobs = dict(sorted(self.jobs.items(), key=lambda item: self.of_job[item[0]].births))

    def set_news(self, told: ThingNews) -> None:
        """This is what the jobs of a thing are still to learn."""
        if told.news:
            self.news[told.thing] = told.news
        else:
            self.news.pop(told.thing, None)

    # ── what is due ───────────────────────────────────────────────────────────────────────────────────────────

    def set_job_time(self, job_id: str) -> None:
        """When something is to be done about a job, as its record says now."""
        job = self.jobs.get(job_id)
        self.agenda.set(JobDue(job_id), None if job is None else job.due)

    def set_execution_time(self, thing: str, job_id: str) -> None:
        """When an execution times out, as its record says now."""
        latest = self.queues.get(thing, {}).get(job_id)
        due = None if latest is None else latest.due
        self.agenda.set(ExecutionDue(thing, job_id), None if due is None else due + self.settings.timeouts_late_seconds)

    def put_work(self, work: BackgroundWork) -> None:
        """Have that work under way, as the last."""
        self.drop_work(owner_of(work))
        self.works.put(work)

    def hold_work(self, work: BackgroundWork, until: float) -> None:
        """Have that work wait until then."""
        owner = owner_of(work)
        self.drop_work(owner)
        self.works.held[owner] = HeldWork(until, work)
        self.agenda.set(WorkDue(owner), until)

    def drop_work(self, owner: WorkOwner) -> None:
        """Have the owner have no work."""
        if owner in self.works.held:
            self.agenda.set(WorkDue(owner), None)
        self.works.drop(owner)

    def bring_back_work(self, owner: WorkOwner, was: OfOwner) -> None:
        """Have the owner have what it had."""
        self.drop_work(owner)
        self.works.bring_back(owner, was)
        if was.held is not None:
            self.agenda.set(WorkDue(owner), was.held.until)

    def move_works(self, moved: Callable[[BackgroundWork], BackgroundWork], by: float) -> None:
        """Have other work in the place of each, and what is held wait by so many seconds longer."""
        self.works.move(moved, by)
        for owner, held in self.works.held.items():
            self.agenda.set(WorkDue(owner), held.until)
