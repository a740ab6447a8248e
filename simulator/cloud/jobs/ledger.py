"""Every job and execution of one account and region, and the few ways in which they change.

A command is made of these changes. They are applied in place to the indexes by thing and by job, noted down for the
outcome, and what they publish is worked out at once, from the thing's queue before and after.

What takes longer than one turn is kept here as well; how it goes on is told in `under_way`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from agent.values import Describe, ErrorCode, ExecutionKey, JobDocument, Request, Status, Update
from simulator.cloud.jobs.agenda import Agenda
from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    NewsChanged,
)
from simulator.cloud.jobs.configuration import MaintenanceWindow, Presign, PresignedUrls
from simulator.cloud.jobs.doing import Doing, Forgotten, Work
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.events import (
    ENDED,
    EventKind,
    ExecutionEvent,
    ExecutionOperation,
    JobEvent,
    JobOperation,
)
from simulator.cloud.jobs.lagging import Lag
from simulator.cloud.jobs.maintenance import is_open
from simulator.cloud.jobs.notifications import hints
from simulator.cloud.jobs.places import Places
from simulator.cloud.jobs.queue import Queue, Terms
from simulator.cloud.jobs.records import Job, JobExecution, News, Rare, ThingNews
from simulator.cloud.jobs.settings import JobsSettings


class JobDue(NamedTuple):
    """Something is to be done about a job."""

    job_id: str


class ExecutionDue(NamedTuple):
    """A timer of an execution runs out."""

    thing: str
    job_id: str


class WorkDue(NamedTuple):
    """What was under way, and failed, is to be tried again."""

    whose: str
    """As `Work.whose`."""


Due: TypeAlias = JobDue | ExecutionDue | WorkDue


class Ledger:
    """The indexes. `ended` is called after each execution that reaches a terminal state.

    `keep` gets the changes of each turn, to write them down; None if nobody does.
    """

    def __init__(self, settings: JobsSettings, ended: Callable[[Doing, JobExecution, float], None]) -> None:
        self.use(settings)
        self.presign: Presign | None = None
        """What takes the place of a document's placeholders when it is delivered; None leaves them alone."""
        self.jobs: dict[str, Job] = {}
        self.queues: dict[str, dict[str, JobExecution]] = {}
        """By thing, then job id: the latest execution of each job."""
        self.earlier: dict[str, dict[str, tuple[JobExecution, ...]]] = {}
        """By job id, then thing: executions of which a later one took the place."""
        self.things_of: dict[str, list[str]] = {}
        """By job id, every thing that has or had an execution of it."""
        self.counts: dict[str, dict[Status, int]] = {}
        self.deleting: dict[str, None] = {}
        self.event_kinds: frozenset[EventKind] = frozenset()
        self.agenda: Agenda[Due] = Agenda()
        self.under_way: deque[Work] = deque()
        self.held: dict[str, tuple[float, tuple[Work, ...]]] = {}
        """By whose it is: what failed, and when it is under way again."""
        self.failed: dict[str, int] = {}
        """By whose they are: how many turns have failed since the last one that did not."""
        self.undo: list[Callable[[], object]] = []
        """How to take back, last first, what the turn has done to what is under way; its changes tell the rest."""
        self.keep: Callable[[tuple[Change, ...]], object] | None = None
        self._ended = ended
        self._serial = 0
        self.lag = Lag()
        self.places = Places()
        self.news: dict[str, tuple[News, ...]] = {}
        """By thing, what its jobs are still to learn of it."""
        self.born: dict[str, int] = {}
        """By job id, how many jobs there were before it."""
        self._births = 0
        self._with_windows: dict[str, tuple[MaintenanceWindow, ...]] = {}
        """By job id, the maintenance windows of the jobs that have some."""
        self._followed: dict[str, dict[str, None]] = {}
        """By target, the ids of the jobs that follow who joins and leaves it."""
        self._key = ExecutionKey(None, "", 0, 0)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, job_id: str) -> Job:
        """The job. Raises JobsError."""
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobsError("ResourceNotFound", f"Job {job_id} does not exist.") from None

    def execution(self, thing: str, job_id: str, number: int | None = None) -> JobExecution:
        """The execution with that number, or the latest. Raises JobsError."""
        found = self.queues.get(thing, {}).get(job_id)
        if found is not None and number not in (None, found.key.execution_number):
            found = next((e for e in self.earlier_of(job_id, thing) if e.key.execution_number == number), None)
        if found is None:
            raise JobsError("ResourceNotFound", f"Job {job_id} has no such execution on {thing}.")
        return found

    def earlier_of(self, job_id: str, thing: str) -> tuple[JobExecution, ...]:
        """Executions of which a later one took the place, oldest first."""
        return self.earlier.get(job_id, {}).get(thing, ())

    def with_number(self, thing: str, queue: Queue, request: Request) -> Queue:
        """The queue by which a request is decided that names an execution of which a later one took the place."""
        if not isinstance(request, Describe | Update) or request.execution_number is None:
            return queue
        number, earlier = request.execution_number, self.earlier_of(request.job_id, thing)
        found = next((e for e in earlier if e.key.execution_number == number), None)
        return queue if found is None or request.job_id not in queue else {**queue, request.job_id: found}

    def listable(self, queue: Queue) -> Queue:
        """What lists may show of a queue: not the executions of jobs whose deletion has begun."""
        deleting = self.deleting
        if self.settings.while_deleting == "answers-and-lists" or not any(job_id in deleting for job_id in queue):
            return queue
        return {job_id: execution for job_id, execution in queue.items() if job_id not in deleting}

    def use(self, settings: JobsSettings) -> None:
        """Go by these settings from now on."""
        self.settings = settings
        self.terms = Terms(self._document, self._minutes, self.listed, ErrorCode(settings.forbidden_status))

    def _document(self, job_id: str, now: float) -> JobDocument:
        return self.deliver(self.jobs[job_id], now)

    def deliver(self, job: Job, now: float) -> JobDocument:
        """A job's document as it is delivered at that time."""
        if self.presign is None:
            return job.new.document
        expires_seconds = (job.new.presigned_urls or PresignedUrls()).expires_seconds
        return self.presign(job.new.document, now, expires_seconds)

    def _minutes(self, job_id: str) -> int | None:
        return self.jobs[job_id].new.timeout_minutes

    def listed(self, queue: Queue, now: float) -> int:
        """How many pending executions a list of this queue holds."""
        usual, in_window = self.settings.pending_listed, self.settings.pending_listed_in_window
        if len(queue) <= usual or not self._with_windows:
            return usual
        windows = [windows for job_id, windows in self._with_windows.items() if job_id in queue]
        return in_window if any(is_open(each, now) for each in windows) else usual

    # ── changing ──────────────────────────────────────────────────────────────────────────────────────────────

    def add_job(self, doing: Doing, job: Job) -> None:
        """Add a job that has no executions yet."""
        self.put_job(doing, job)
        self._births += 1
        self.born[job.job_id] = self._births
        self.things_of[job.job_id] = []
        self.counts[job.job_id] = dict.fromkeys(Status, 0)

    def put_job(self, doing: Doing, job: Job) -> None:
        """Add a job, or replace its record."""
        job_id, before = job.job_id, self.jobs.get(job.job_id)
        doing.changes.append(JobChanged(before, job))
        self.jobs[job_id] = job
        self.agenda.set(JobDue(job_id), job.due)
        self.index(job_id, before, job)
        if job.is_rolled_out:
            self.places.forget(job_id)

    def index(self, job_id: str, before: Job | None, job: Job | None) -> None:
        """Find a job by what it is now, where it was found by what it was before."""
        if job is not None and job.new.schedule is not None and job.new.schedule.windows:
            self._with_windows[job_id] = job.new.schedule.windows
        elif self._with_windows:
            self._with_windows.pop(job_id, None)
        was = before.targets if before is not None and before.is_followed else ()
        now = job.targets if job is not None and job.is_followed else ()
        for target in was if now != was else ():
            jobs = self._followed.get(target, {})
            jobs.pop(job_id, None)
            if not jobs:
                self._followed.pop(target, None)
        for target in now if now != was else ():
            self._followed.setdefault(target, {})[job_id] = None

    def followers(self, targets: Iterable[str]) -> list[Job]:
        """The continuous jobs that follow one of these targets, the oldest first."""
        found = {job_id for target in targets for job_id in self._followed.get(target, ())}
        return [self.jobs[job_id] for job_id in sorted(found, key=self.born.__getitem__)]

    def forget_job(self, doing: Doing, job: Job) -> None:
        """Remove a job that has no executions any more."""
        job_id = job.job_id
        for thing, news in tuple(self.news.items()):
            if any(job_id in each.job_ids for each in news):  # another job of that id is not concerned
                left = (replace(each, job_ids=tuple(i for i in each.job_ids if i != job_id)) for each in news)
                self.put_news(doing, thing, tuple(each for each in left if each.job_ids))
        doing.forgotten[job_id] = Forgotten(self.things_of[job_id], self.counts[job_id], self.born[job_id])
        doing.changes.append(JobChanged(job, None))
        del self.jobs[job_id], self.things_of[job_id], self.counts[job_id], self.born[job_id]
        self.places.forget(job_id)
        self.index(job_id, job, None)
        self.earlier.pop(job_id, None)
        self.deleting.pop(job_id, None)
        if (times := self.failed.pop(job_id, None)) is not None:
            self.undo.append(partial(self.failed.__setitem__, job_id, times))
        self.lag.forget(job_id)
        self.agenda.set(JobDue(job_id), None)

    def put_news(self, doing: Doing, thing: str, news: tuple[News, ...]) -> None:
        """This is what the jobs of a thing are still to learn."""
        doing.changes.append(NewsChanged(ThingNews(thing, self.news.get(thing, ())), ThingNews(thing, news)))
        self.set_news(thing, news)

    def set_news(self, thing: str, news: tuple[News, ...]) -> None:
        """The same, without a change of it."""
        if news:
            self.news[thing] = news
        else:
            self.news.pop(thing, None)

    def queue_execution(
        self, doing: Doing, job: Job, thing: str, number: int, now: float, rare: Rare | None = None
    ) -> None:
        """Queue a new execution; one of the same job that is there already is an earlier one from now on."""
        job_id = job.job_id
        key = ExecutionKey(job.namespace_id, job_id, number, int(now))
        if key == self._key:
            key = self._key  # one object for all the executions of a job that are queued within a second
        else:
            self._key = key
        execution = JobExecution(thing, key, self._serial + 1, Status.QUEUED, 1, now, now, rare=rare)
        before = dict(self.queues.get(thing, ()))
        doing.changes.append(ExecutionQueued(execution))
        self.add_execution(execution)
        self._tell(doing, before, execution, now)

    def add_execution(self, execution: JobExecution) -> None:
        """Take an execution into the indexes, as the latest of its thing and job."""
        thing, job_id = execution.thing, execution.key.job_id
        queue = self.queues.setdefault(thing, {})
        old = queue.pop(job_id, None)
        if old is not None:
            of_job = self.earlier.setdefault(job_id, {})
            of_job[thing] = (*of_job.get(thing, ()), old)
        else:
            self.things_of[job_id].append(thing)
        queue[job_id] = execution
        self.counts[job_id][execution.status] += 1
        self._serial = execution.serial
        if execution.rare is not None:
            self.set_timer(thing, job_id, execution.due)

    def change(self, doing: Doing, after: JobExecution, by: Literal["device", "service"], now: float) -> None:
        """Replace the record of a thing's latest execution."""
        thing, job_id = after.thing, after.key.job_id
        queue = self.queues[thing]
        before = queue[job_id]
        doing.changes.append(ExecutionChanged(before, after, by))
        if after.rare is not before.rare:
            self.set_timer(thing, job_id, after.due)
        if before.status is after.status:
            queue[job_id] = after  # progress: neither the list nor the head can change
            return
        was = dict(queue)
        if by == "service":
            self.lag.remember(thing, was, now, self.settings.stale_reads_seconds)
        queue[job_id] = after
        counts = self.counts[job_id]
        counts[before.status] -= 1
        counts[after.status] += 1
        self._tell(doing, was, after, now)
        if after.status.is_terminal:
            self._tell_execution(doing, ENDED[after.status], after, now)
            self._ended(doing, after, now)

    def remove(self, doing: Doing, execution: JobExecution, now: float) -> None:
        """Delete an execution's record; if there is an earlier one, that is the latest again."""
        thing, job_id = execution.thing, execution.key.job_id
        queue = self.queues[thing]
        was = dict(queue)
        self.lag.remember(thing, was, now, self.settings.stale_reads_seconds)
        earlier = self.earlier_of(job_id, thing)
        doing.changes.append(ExecutionRemoved(execution))
        self.counts[job_id][execution.status] -= 1
        if queue[job_id] is execution:
            del queue[job_id]
            if earlier:
                queue[job_id] = earlier[-1]
            elif not queue:
                del self.queues[thing]
        if earlier:
            left = tuple(e for e in earlier if e is not execution and e is not queue[job_id])
            self.keep_earlier(job_id, thing, left)
        if execution.due is not None:
            self.set_timer(thing, job_id, None)
        self._tell(doing, was, execution, now)
        self._tell_execution(doing, "deleted", execution, now)

    def keep_earlier(self, job_id: str, thing: str, executions: tuple[JobExecution, ...]) -> None:
        """These are the executions of which a later one took the place."""
        if executions:
            self.earlier.setdefault(job_id, {})[thing] = executions
        elif job_id in self.earlier:
            self.earlier[job_id].pop(thing, None)

    def set_timer(self, thing: str, job_id: str, due: float | None) -> None:
        """When an execution times out; None: not at all."""
        late = self.settings.timeouts_late_seconds
        self.agenda.set(ExecutionDue(thing, job_id), None if due is None else due + late)

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, doing: Doing, before: Queue, touched: JobExecution, now: float) -> None:
        after: Queue = self.queues.get(touched.thing, {})
        if self.deleting and len(before) + len(after) > 1:
            # What is being deleted is in no list any more, except that its own removal is told.
            job_id, shown = touched.key.job_id, self.listable(before)
            if shown is not before and job_id in before:
                still = after.get(job_id)
                if job_id in self.deleting and still is not None and not still.status.is_terminal:
                    return  # how it goes on until its removal is nobody's news
                shown = {**shown, job_id: before[job_id]}
            before, after = shown, self.listable(after)
        published = hints(before, after, touched, now, self.settings, self.terms)
        doing.hints.extend((touched.thing, hint) for hint in published)

    def tell_job(self, doing: Doing, operation: JobOperation, job: Job, now: float) -> None:
        """Tell of a job, if somebody wants to know."""
        if "JOB" in self.event_kinds:
            counts = tuple(self.counts[job.job_id].items()) if operation == "completed" else ()
            doing.events.append(JobEvent(operation, job, now, len(doing.hints), counts))

    def _tell_execution(self, doing: Doing, operation: ExecutionOperation, execution: JobExecution, now: float) -> None:
        if "JOB_EXECUTION" in self.event_kinds:
            doing.events.append(ExecutionEvent(operation, execution, now, len(doing.hints)))
