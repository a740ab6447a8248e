"""Rollout: when each of a job's things has its turn, and gets its execution (Developer Guide, "Job rollout").

A job without a rate has all of them at once. One with a rate has so many in the minute after its start, so many in the
next, and so on; how AWS spreads them within a minute is not documented, here they come at its beginning. An exponential
rate is looked up at the beginning of each minute: it is the base rate times the factor once for every `per_notified`
or `per_succeeded` things that were reached by then. While maintenance windows are closed nothing is rolled out.
"""

from dataclasses import replace
from typing import Final

from agent.values import Status
from simulator.cloud.jobs.backlog import RollOut, WorkOwner
from simulator.cloud.jobs.configuration import ExponentialRate
from simulator.cloud.jobs.endings import complete_if_done
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.maintenance import opening
from simulator.cloud.jobs.records import Job, JobStatus
from simulator.cloud.jobs.rollout_order import is_set
from simulator.cloud.jobs.transaction import Transaction

MINUTE: Final = 60.0
MANY_STEPS: Final = 150
"""After so many, any rate is above every limit."""


def per_minute(ledger: Ledger, job: Job) -> int | None:
    """How many things have their turn in the minute that begins; None for all of them."""
    rollout, limit = job.new.rollout, ledger.settings.rollout_per_minute
    if rollout is None:
        return None
    if rollout.exponential is not None:
        succeeded = ledger.of_job[job.job_id].counts[Status.SUCCEEDED]
        return min(exponential(rollout.exponential, job.rolled_out, succeeded), limit)
    return None if rollout.maximum_per_minute is None else min(rollout.maximum_per_minute, limit)


def exponential(rate: ExponentialRate, notified: int, succeeded: int) -> int:
    """The rate once so many things were notified, and so many succeeded."""
    steps = notified // rate.per_notified if rate.per_notified else succeeded // (rate.per_succeeded or 1)
    return int(rate.base_per_minute * rate.increment_factor ** min(steps, MANY_STEPS))


def advance(tx: Transaction, job: Job) -> None:
    """Begin the turns of the next minute, or wait until a maintenance window opens."""
    schedule, now = job.new.schedule, tx.now
    if schedule is not None and schedule.windows:
        opens = opening(schedule.windows, now)
        if opens is None or opens > now:
            tx.put_job(replace(job, rollout_due=opens))
            return
    rate, until = per_minute(tx.ledger, job), job.things_in_all
    if job.rollout_due is not None:
        tx.put_job(replace(job, rollout_due=None))
    next_due = None
    if rate is not None:
        until, reached = _turns(tx.ledger, job, rate)
        next_due = now + MINUTE * max(1.0, reached / rate)
    tx.put(roll_out(tx, RollOut(job.job_id, job.rolled_out, until, next_due), tx.at_once))


def _turns(ledger: Ledger, job: Job, rate: int) -> tuple[int, int]:
    """Up to which place so many things have their turn, and how many these are: one may stand for many."""
    if not ledger.stands_for:
        until = min(job.things_in_all, job.rolled_out + rate)
        return until, until - job.rolled_out
    until, reached = job.rolled_out, 0
    for thing in job.turns(job.rolled_out, job.things_in_all):
        if reached >= rate:
            break
        until, reached = until + 1, reached + ledger.count((thing,))
    return until, reached


def roll_out(tx: Transaction, work: RollOut, count: int) -> RollOut | None:
    """So many more things have their turn, but for those that are skipped by then. What is left; None: nothing."""
    job_id, until = work.job_id, work.next + count
    for thing in tx.ledger.jobs[job_id].turns(work.next, min(until, work.until)):
        # What has an execution has had its turn: before the service was killed, or by joining a group meanwhile.
        job = tx.ledger.jobs[job_id]
        if job_id not in tx.ledger.queues.get(thing, ()) and not is_skipped(tx.ledger, job, thing):
            tx.queue_execution(job, thing, 1)
    if until <= work.until:
        return replace(work, next=until)
    after = replace(tx.ledger.jobs[job_id], rolled_out=work.until)
    if not after.is_rolled_out:
        after = replace(after, rollout_due=tx.now if work.next_due is None else work.next_due)
    tx.put_job(after)
    complete_if_done(tx, job_id)
    return None


def start(tx: Transaction, job: Job) -> None:
    """The job is IN_PROGRESS from now on, and its things have their turns."""
    started = replace(job, status=JobStatus.IN_PROGRESS, last_updated_at=tx.now, rollout_due=None)
    tx.put_job(started)
    advance(tx, started)


def stop(tx: Transaction, job: Job) -> None:
    """Nobody else has a turn; a job whose start was missed with its end has had nobody."""
    tx.drop(WorkOwner(job.job_id))
    stopped = replace(
        job,
        status=JobStatus.IN_PROGRESS,
        is_stopped=True,
        rolled_out=len(job.new.things) + len(job.more_things),
        rollout_due=None,
        last_updated_at=tx.now,
    )
    tx.put_job(stopped)
    complete_if_done(tx, job.job_id)


def is_skipped(ledger: Ledger, job: Job, thing: str) -> bool:
    """Whether that thing shall have no turn."""
    if not job.skipped_turns:
        return False
    place = ledger.order.of(job, thing)
    return place is not None and is_set(job.skipped_turns, place)


def place_ahead(ledger: Ledger, job: Job, thing: str) -> int | None:
    """The place of a thing whose turn is still to come; None if it has none, or had it."""
    if job.is_rolled_out or (place := ledger.order.of(job, thing)) is None:
        return None
    return place if place >= _next(ledger, job) else None


def _next(ledger: Ledger, job: Job) -> int:
    """Whose turn comes next, of those whose turns are under way or still to come."""
    if job.rollout_due is not None:
        return job.rolled_out  # there may be much under way, but not for this job
    work = ledger.works.of(WorkOwner(job.job_id))
    return work.next if isinstance(work, RollOut) else job.rolled_out
