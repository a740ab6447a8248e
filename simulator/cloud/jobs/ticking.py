"""What is due, and what goes on: one transaction after the other, so much at a time as the caller says.

One that fails is undone, and told with the outcome. It stops nobody: those of other jobs go on, and its own is tried
again after a pause, which doubles with every time that it fails.
"""

from typing import Final, assert_never

from agent.values import Status
from simulator.cloud.jobs import cancelling, deletion, endings, rollout, scheduling, targets
from simulator.cloud.jobs.backlog import (
    BackgroundWork,
    CancelRest,
    RemoveRecords,
    RollOut,
    TellJobs,
    WorkOwner,
    owner_of,
)
from simulator.cloud.jobs.changes import Outcome, TransactionFailed, in_one
from simulator.cloud.jobs.ledger import Due, ExecutionDue, JobDue, Ledger, WorkDue
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.records import JobStatus
from simulator.cloud.jobs.transaction import Transaction

PIECE: Final = 16
"""So many executions of one job before another job under way goes on."""
PAUSE_SECONDS: Final = 1.0
"""How long a job waits after the first time that it failed: what is wrong may pass, and a spin costs everybody."""
LONGEST_PAUSE_SECONDS: Final = 300.0
"""The pause grows no longer, so that a job goes on minutes after what was wrong has passed."""


def go_on(tx: Transaction, work: BackgroundWork, count: int) -> BackgroundWork | None:
    """Do so many more of what is under way: what is left then; None if it is finished."""
    match work:
        case RemoveRecords():
            return deletion.remove_next(tx, work, count)
        case CancelRest():
            return cancelling.cancel_rest(tx, work, count)
        case RollOut():
            return rollout.roll_out(tx, work, count)
        case TellJobs():
            return targets.tell_next(tx, work, count)
        case _:
            assert_never(work)


def tick(ledger: Ledger, now: float, at_most: int | None) -> Outcome:
    """Do what is due by `now`, and go on with what is under way: so many executions at most, None for all."""
    outcomes, left, failures = list[Outcome](), at_most, list[TransactionFailed]()
    while left is None or left > 0:
        item, owner, count = ledger.agenda.take_due(now), None, 1
        if item is None and not ledger.works.under_way:
            break
        try:
            with Transaction(ledger, now, at_once=0) as tx:
                owner = _owner(ledger, item)
                if item is not None:
                    _do(tx, item)
                else:
                    count = 1 if ledger.works.times_failed(owner) else PIECE if left is None else min(PIECE, left)
                    _go_on_with_the_first(tx, 1 if ledger.stands_for else count)
                if not isinstance(item, WorkDue):  # which only lets it go on
                    tx.forget_failures(owner)
        except Exception as error:  # whatever it is: the others go on
            failures.append(_put_off(ledger, item, owner or _owner(ledger, item), now, error))
        else:
            outcomes.append(tx.outcome())
        left = None if left is None else left - count
    return in_one(outcomes, tuple(failures))


def _go_on_with_the_first(tx: Transaction, count: int) -> None:
    """What is left of it goes on with its next turn, or later."""
    work, until = tx.ledger.works.first, None
    left = go_on(tx, work, count)
    if isinstance(work, RemoveRecords) and isinstance(left, RemoveRecords):
        until = deletion.goes_on_at(tx.ledger, work, left, tx.now)
    tx.drop(owner_of(work))
    if left is not None and until is not None:
        tx.hold(left, until)
    else:
        tx.put(left)


def _work_of(ledger: Ledger, owner: WorkOwner) -> BackgroundWork:
    work = ledger.works.of(owner)
    assert work is not None, "it has some"
    return work


def _owner(ledger: Ledger, item: Due | None) -> WorkOwner:
    """Whom it concerns, what is due or what is the first under way."""
    match item:
        case JobDue() | ExecutionDue():
            return WorkOwner(item.job_id)
        case WorkDue():
            return item.owner
        case None:
            work = ledger.works.first
            return WorkOwner(None, targets.next_told(ledger)) if isinstance(work, TellJobs) else owner_of(work)


def _put_off(ledger: Ledger, item: Due | None, owner: WorkOwner, now: float, error: Exception) -> TransactionFailed:
    """Have what is due, or the owner's work, tried again, later each time."""
    times = ledger.works.times_failed(owner) + 1
    until = now + (pause := min(PAUSE_SECONDS * 2.0 ** (times - 1), LONGEST_PAUSE_SECONDS))
    ledger.works.fail(owner, times)
    if isinstance(item, JobDue | ExecutionDue):
        ledger.agenda.set(item, until)
    elif owner.thing is None:
        ledger.hold_work(_work_of(ledger, owner), until)
    else:
        if times > 1:  # the first of its jobs alone was tried
            targets.put_last(ledger, owner.thing)
        ledger.hold_work(TellJobs(owner.thing), until)
    return TransactionFailed(owner.job_id, item.thing if isinstance(item, ExecutionDue) else owner.thing, error, pause)


def next_due(ledger: Ledger) -> float | None:
    """When `tick` has something to do, 0 if at once; None if nothing waits."""
    return 0.0 if ledger.works.under_way else ledger.agenda.next_due()


def _do(tx: Transaction, item: Due) -> None:
    ledger = tx.ledger
    match item:
        case ExecutionDue():
            execution = ledger.queues[item.thing][item.job_id]
            if item.job_id not in ledger.deleting:
                endings.change(tx, changed(execution, Status.TIMED_OUT, None, tx.now), "service")
        case WorkDue():
            work = _work_of(ledger, item.owner)
            tx.drop(item.owner)
            tx.put(TellJobs() if isinstance(work, TellJobs) else work)
        case JobDue():
            _do_job(tx, item.job_id)


def _do_job(tx: Transaction, job_id: str) -> None:
    job = tx.ledger.jobs[job_id]
    schedule = job.new.schedule
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        if job.removal_due is not None:
            deletion.remove_records(tx, job)
        else:
            deletion.end(tx, job)
    elif schedule is not None and schedule.end_at is not None and schedule.end_at <= tx.now:
        scheduling.end(tx, job)
    elif job.status is JobStatus.SCHEDULED:
        scheduling.start(tx, job)
    else:
        rollout.advance(tx, job)
