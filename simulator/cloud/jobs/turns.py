"""A turn: what one command does, or one thing that is due. All of it is done, or nothing.

The ledger is changed in place, so a fault in the middle would leave half of a command behind: a job that was refused
and is there, an execution in the memory of the service that its store knows nothing of. So a turn that does not come
to its end is undone. It needs no copy for that: every change is noted down before it is made, with what was before,
and is taken back from there, the last one first. What is written down is written down by the turn itself (`keep`), and
if that cannot be done, the turn is undone too.

    with Turn(ledger, doing):
        ...                                 # raises: nothing of it has happened
"""

from types import TracebackType

from agent.values import Status
from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    NewsChanged,
)
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.ledger import JobDue, Ledger
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus


class Turn:
    """One turn; a `doing` may be that of several, of which each is undone alone."""

    __slots__ = ("_changes", "_doing", "_events", "_hints", "_ledger")

    def __init__(self, ledger: Ledger, doing: Doing) -> None:
        self._ledger = ledger
        self._doing = doing

    def __enter__(self) -> Doing:
        doing = self._doing
        self._changes, self._hints, self._events = len(doing.changes), len(doing.hints), len(doing.events)
        self._ledger.undo.clear()
        return doing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        doing, keep = self._doing, self._ledger.keep
        if kind is not None:
            self._undo()
        elif keep is not None and len(doing.changes) > self._changes:
            try:
                keep(tuple(doing.changes[self._changes :]))
            except BaseException:
                self._undo()
                raise
        self._ledger.undo.clear()

    def _undo(self) -> None:
        ledger, doing = self._ledger, self._doing
        changes = doing.changes[self._changes :]
        del doing.changes[self._changes :], doing.hints[self._hints :], doing.events[self._events :]
        for change in reversed(changes):
            _take_back(ledger, doing, change)
        for undo in reversed(ledger.undo):
            undo()
        _set_times(ledger, changes)


def _take_back(ledger: Ledger, doing: Doing, change: Change) -> None:
    """A change as if it had not been: one that was noted down and not made yet as well."""
    match change:
        case JobChanged():
            _take_back_job(ledger, doing, change)
        case ExecutionQueued(execution=execution):
            _unqueue(ledger, execution)
        case ExecutionChanged(before=before, execution=after):
            queue = ledger.queues.get(after.thing, {})
            if queue.get(after.key.job_id) is after:
                queue[after.key.job_id] = before
                _count(ledger, after, -1)
                _count(ledger, before, +1)
        case ExecutionRemoved(execution=execution):
            _put_back(ledger, execution)
        case NewsChanged(before=before):
            ledger.set_news(before.thing, before.news)


def _take_back_job(ledger: Ledger, doing: Doing, change: JobChanged) -> None:
    before, job = change
    _unindex(ledger, before, job)
    if before is None:
        assert job is not None, "it was created"
        for index in (ledger.jobs, ledger.things_of, ledger.counts, ledger.earlier, ledger.deleting, ledger.born):
            index.pop(job.job_id, None)
    elif job is None:
        _bring_back(ledger, doing, before)
    else:
        ledger.jobs[before.job_id] = before
        if before.status is not JobStatus.DELETION_IN_PROGRESS:
            ledger.deleting.pop(before.job_id, None)


def _unindex(ledger: Ledger, before: Job | None, job: Job | None) -> None:
    one = before or job
    assert one is not None, "one of them is there"
    ledger.index(one.job_id, job, before)
    ledger.places.forget(one.job_id)


def _bring_back(ledger: Ledger, doing: Doing, job: Job) -> None:
    """A job that was forgotten. Jobs stand in the order of their creation."""
    job_id = job.job_id
    ledger.things_of[job_id], ledger.counts[job_id], ledger.born[job_id] = doing.forgotten[job_id]
    if job_id not in ledger.jobs:
        jobs = {**ledger.jobs, job_id: job}
        ledger.jobs = dict(sorted(jobs.items(), key=lambda item: ledger.born[item[0]]))
    ledger.deleting[job_id] = None


def _unqueue(ledger: Ledger, execution: JobExecution) -> None:
    """An execution that was queued is not there, and an earlier one is the latest again."""
    thing, job_id = execution.thing, execution.key.job_id
    queue = ledger.queues.get(thing, {})
    if queue.get(job_id) is not execution:
        return
    _count(ledger, execution, -1)
    earlier = ledger.earlier_of(job_id, thing)
    if earlier:
        queue[job_id] = earlier[-1]
        ledger.keep_earlier(job_id, thing, earlier[:-1])
        return
    del queue[job_id]
    if not queue:
        del ledger.queues[thing]
    things = ledger.things_of[job_id]
    del things[len(things) - 1 - things[::-1].index(thing)]


def _put_back(ledger: Ledger, execution: JobExecution) -> None:
    """An execution that was removed is there again, in its place among those of its thing and job."""
    thing, job_id = execution.thing, execution.key.job_id
    queue = ledger.queues.setdefault(thing, {})
    latest, earlier = queue.get(job_id), ledger.earlier_of(job_id, thing)
    there = earlier if latest is None else (*earlier, latest)
    if not any(each is execution for each in there):
        *before, queue[job_id] = sorted((*there, execution), key=lambda each: each.serial)
        ledger.keep_earlier(job_id, thing, tuple(before))
        _count(ledger, execution, +1)


def _count(ledger: Ledger, execution: JobExecution, by: int) -> None:
    counts: dict[Status, int] = ledger.counts[execution.key.job_id]
    counts[execution.status] += by


def _set_times(ledger: Ledger, changes: list[Change]) -> None:
    """When something is to be done about what was touched follows from the records."""
    for change in changes:
        if isinstance(change, JobChanged):
            job_id = (change.before or change.job).job_id  # type: ignore[union-attr]  # one of them is there
            job = ledger.jobs.get(job_id)
            ledger.agenda.set(JobDue(job_id), None if job is None else job.due)
        elif not isinstance(change, NewsChanged):
            thing, job_id = change.execution.thing, change.execution.key.job_id
            latest = ledger.queues.get(thing, {}).get(job_id)
            ledger.set_timer(thing, job_id, None if latest is None else latest.due)
