"""A transaction: what one command does, one thing that is due, or one piece of what is under way. All, or nothing.

It holds what is read (the ledger), the time, and what comes about: changes, hints, events.
Commands are functions of it. Each change is noted down and applied at once, and what it publishes is worked out from
the thing's queue before and after. What is written down is written down by the transaction itself (`keep`); if that
cannot be done, or the command does not come to its end, all of it is taken back.

    with Transaction(ledger, now) as tx:
        ...                                 # raises: nothing of it has happened
"""

from dataclasses import replace
from types import TracebackType
from typing import Literal, Self, assert_never

from agent.values import Answer, ExecutionKey, Hint, Status
from simulator.cloud.jobs.backlog import AT_ONCE, BackgroundWork, OfOwner, WorkOwner, owner_of
from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    NewsChanged,
    Outcome,
)
from simulator.cloud.jobs.events import ENDED, Event, ExecutionEvent, ExecutionOperation, JobEvent, JobOperation
from simulator.cloud.jobs.ledger import Ledger, OfJob
from simulator.cloud.jobs.notifications import News as ListNews
from simulator.cloud.jobs.notifications import hints
from simulator.cloud.jobs.queue import Pending
from simulator.cloud.jobs.records import Job, JobExecution, News, Rare, ThingNews
from simulator.cloud.jobs.stale_reads import StaleRead


class Transaction:
    """One of them. `now`: epoch seconds. `at_once`: so many executions of what takes long are done here at most; the
    rest is put into the backlog.
    """

    _stale: dict[str, StaleRead | None] | None = None
    """By thing, what was known of stale reads, where that was touched."""
    _forgotten: dict[str, OfJob] | None = None
    """By job id, what was found by the jobs that are gone."""
    _works: dict[WorkOwner, OfOwner] | None = None
    """What those had in the backlog whose work was touched."""

    def __init__(self, ledger: Ledger, now: float, at_once: int = AT_ONCE) -> None:
        self.ledger = ledger
        self.now = now
        self.at_once = at_once
        self.changes: list[Change] = []
        self.hints: list[tuple[str, Hint]] = []
        self.events: list[Event] = []
        self._serial = ledger.last_serial

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        keep = self.ledger.keep
        if kind is not None:
            self._roll_back()
        elif keep is not None and self.changes:
            try:
                keep(tuple(self.changes))
            except BaseException:
                self._roll_back()
                raise

    def outcome(self, answer: Answer | None = None) -> Outcome:
        """What came of it."""
        return Outcome(answer, tuple(self.changes), tuple(self.hints), tuple(self.events))

    def _roll_back(self) -> None:
        """Take back what was changed, the last first: the ledger is changed in place, and half a command is none."""
        ledger = self.ledger
        for change in reversed(self.changes):
            self._take_back(change)
        for owner, had in (self._works or {}).items():
            ledger.bring_back_work(owner, had)
        ledger.last_serial = self._serial
        for thing, stale in (self._stale or {}).items():
            if stale is None:
                ledger.stale_reads.pop(thing, None)
            else:
                ledger.stale_reads[thing] = stale

    def _take_back(self, change: Change) -> None:
        ledger = self.ledger
        match change:
            case ExecutionChanged(before, after):
                ledger.replace(after, before)
                ledger.set_execution_time(after.thing, after.key.job_id)
            case ExecutionQueued(execution):
                thing, job_id = execution.thing, execution.key.job_id
                of_job = ledger.of_job[job_id]
                was_gone = thing in of_job.gone
                ledger.remove(execution)
                if not was_gone and not ledger.executions(thing, job_id):
                    del of_job.gone[thing]
                    of_job.things.pop()
                ledger.set_execution_time(thing, job_id)
            case ExecutionRemoved(execution):
                thing, job_id = execution.thing, execution.key.job_id
                ledger.set_executions(thing, job_id, [*ledger.executions(thing, job_id), execution])
                ledger.of_job[job_id].counts[execution.status] += 1
                ledger.set_execution_time(thing, job_id)
            case JobChanged(before_job, job):
                job_id = ledger.put_job(job, before_job)
                if job is None and self._forgotten is not None:
                    ledger.bring_back(job_id, self._forgotten[job_id])
                ledger.set_job_time(job_id)
            case NewsChanged(before=news):
                ledger.set_news(news)
            case _:
                assert_never(change)

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

    def put_job(self, job: Job) -> None:
        """Add a job, or replace its record."""
        self._put_job(self.ledger.jobs.get(job.new.job_id), job)

    def forget_job(self, job: Job) -> None:
        """Remove a job that has no executions any more."""
        ledger, job_id = self.ledger, job.job_id
        for thing, news in tuple(ledger.news.items()):
            if any(job_id in each.job_ids for each in news):  # another job of that id is not concerned
                left = (replace(each, job_ids=tuple(i for i in each.job_ids if i != job_id)) for each in news)
                self.put_news(thing, tuple(each for each in left if each.job_ids))
        for thing in [thing for thing, stale in ledger.stale_reads.items() if stale.is_of(job_id)]:
            self._note_stale(thing)
            del ledger.stale_reads[thing]
        self._forgotten = {**(self._forgotten or {}), job_id: ledger.of_job[job_id]}
        self._put_job(job, None)
        self.forget_failures(WorkOwner(job_id))

    def _put_job(self, before: Job | None, job: Job | None) -> None:
        job_id = self.ledger.put_job(before, job)
        self.changes.append(JobChanged(before, job))
        self.ledger.set_job_time(job_id)

    def tell_job(self, operation: JobOperation, job: Job) -> None:
        """Tell of a job, if somebody wants to know."""
        if "JOB" in self.ledger.event_kinds:
            counts = tuple(self.ledger.of_job[job.job_id].counts.items()) if operation == "completed" else ()
            self.events.append(JobEvent(operation, job, self.now, len(self.hints), counts))

    def put_news(self, thing: str, news: tuple[News, ...]) -> None:
        """This is what the jobs of a thing are still to learn."""
        before, told = ThingNews(thing, self.ledger.news.get(thing, ())), ThingNews(thing, news)
        self.ledger.set_news(told)
        self.changes.append(NewsChanged(before, told))

    # ── executions ────────────────────────────────────────────────────────────────────────────────────────────

    def queue_execution(self, job: Job, thing: str, number: int, rare: Rare | None = None) -> None:
        """Queue a new execution; one of the same job that is there already is an earlier one from now on."""
        ledger, now = self.ledger, self.now
        key = ExecutionKey(job.namespace_id, job.job_id, number, int(now))
        if key == ledger.last_key:
            key = ledger.last_key  # one object for all the executions of a job that are queued within a second
        else:
            ledger.last_key = key
        execution = JobExecution(thing, key, ledger.last_serial + 1, Status.QUEUED, 1, now, now, rare=rare)
        was = ledger.pending.get(thing, ())
        ledger.add(execution)
        self.changes.append(ExecutionQueued(execution))
        if rare is not None:
            ledger.set_execution_time(thing, key.job_id)
        self._tell(execution, "added", was)

    def change(self, after: JobExecution, by: Literal["device", "service"]) -> bool:
        """Replace the record of a thing's latest execution; whether it has ended so (what follows: see `endings`)."""
        ledger, thing = self.ledger, after.thing
        before, was = ledger.queues[thing][after.key.job_id], ledger.pending.get(thing, ())
        is_progress = before.status is after.status  # neither the list nor the head can change
        if by == "service" and not is_progress and ledger.settings.stale_reads_seconds:
            self._remember(thing)
        ledger.replace(before, after)
        self.changes.append(ExecutionChanged(before, after, by))
        if after.rare is not before.rare:
            ledger.set_execution_time(thing, after.key.job_id)
        if is_progress:
            return False
        self._tell(after, "removed" if after.status.is_terminal else "as before", was)
        if not after.status.is_terminal:
            return False
        self._tell_execution(ENDED[after.status], after)
        return True

    def remove(self, execution: JobExecution) -> None:
        """Delete an execution's record; if there is an earlier one, that is the latest again."""
        ledger, thing = self.ledger, execution.thing
        latest, was = ledger.queues[thing][execution.key.job_id], ledger.pending.get(thing, ())
        if ledger.settings.stale_reads_seconds:
            self._remember(thing)
        ledger.remove(execution)
        self.changes.append(ExecutionRemoved(execution))
        if execution.rare is not None:
            ledger.set_execution_time(thing, execution.key.job_id)
        is_listed = latest.key == execution.key and not execution.status.is_terminal
        self._tell(execution, "removed" if is_listed else "as before", was)
        self._tell_execution("deleted", execution)

    def _remember(self, thing: str) -> None:
        """Something is about to be taken away from this queue."""
        known = self.ledger.stale_reads.get(thing)
        if known is None or self.now >= known.until:
            self._note_stale(thing)
            until = self.now + self.ledger.settings.stale_reads_seconds
            self.ledger.stale_reads[thing] = StaleRead(until, tuple(self.ledger.queues[thing].values()))

    def _note_stale(self, thing: str) -> None:
        self._stale = {} if self._stale is None else self._stale
        self._stale.setdefault(thing, self.ledger.stale_reads.get(thing))

    def _tell(self, touched: JobExecution, news: ListNews, before: Pending) -> None:
        ledger, job_id = self.ledger, touched.key.job_id
        after = ledger.queue(touched.thing)
        if ledger.deleting and len(before) + len(after.pending) > 1:
            # What is being deleted is in no list any more, except that its own removal is told.
            still = after.latest.get(job_id)
            if still is not None and not still.status.is_terminal and ledger.is_hidden(still):
                return  # how it goes on until its removal is nobody's news
            before = tuple(each for each in before if each.key.job_id == job_id or not ledger.is_hidden(each))
            after = ledger.listable(after)
        published = hints(touched.key, news, before, after, self.now, ledger.settings, ledger)
        self.hints.extend((touched.thing, hint) for hint in published)

    def _tell_execution(self, operation: ExecutionOperation, execution: JobExecution) -> None:
        if "JOB_EXECUTION" in self.ledger.event_kinds:
            self.events.append(ExecutionEvent(operation, execution, self.now, len(self.hints)))

    # ── work that takes longer ────────────────────────────────────────────────────────────────────────────────

    def put(self, work: BackgroundWork | None) -> None:
        """Leave it to `tick`; None is nothing."""
        if work is not None:
            self._note_work(owner_of(work))
            self.ledger.put_work(work)

    def hold(self, work: BackgroundWork, until: float) -> None:
        """Leave it to `tick`, from then on."""
        self._note_work(owner_of(work))
        self.ledger.hold_work(work, until)

    def drop(self, owner: WorkOwner) -> None:
        """The owner's work is not to be done any more."""
        if self.ledger.works.of(owner) is not None:
            self._note_work(owner)
            self.ledger.drop_work(owner)

    def forget_failures(self, owner: WorkOwner) -> None:
        """The owner has not failed."""
        if self.ledger.works.failures.get(owner):
            self._note_work(owner)
            self.ledger.works.fail(owner, 0)

    def _note_work(self, owner: WorkOwner) -> None:
        self._works = {} if self._works is None else self._works
        self._works.setdefault(owner, self.ledger.works.of_owner(owner))
