"""Rollout: when each of a job's things has its turn, and gets its execution (Developer Guide, "Job rollout").

A job without a rate has all of them at once. One with a rate has so many in the minute after its start, so many in the
next, and so on; how AWS spreads them within a minute is not documented, here they come at its beginning. An exponential
rate is looked up at the beginning of each minute: it is the base rate times the factor once for every `per_notified`
or `per_succeeded` things that were reached by then. While maintenance windows are closed nothing is rolled out.
"""

from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from agent.values import Status
from simulator.cloud.jobs import under_way
from simulator.cloud.jobs.configuration import ExponentialRate
from simulator.cloud.jobs.doing import Doing, WorkOnJob
from simulator.cloud.jobs.endings import complete_if_done
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.maintenance import opening
from simulator.cloud.jobs.places import is_set
from simulator.cloud.jobs.records import Job, JobStatus

MINUTE: Final = 60.0
MANY_STEPS: Final = 150
"""After so many, any rate is above every limit."""


def per_minute(ledger: Ledger, job: Job) -> int | None:
    """How many things have their turn in the minute that begins; None for all of them."""
    rollout, limit = job.new.rollout, ledger.settings.rollout_per_minute
    if rollout is None:
        return None
    if rollout.exponential is not None:
        succeeded = ledger.counts[job.job_id][Status.SUCCEEDED]
        return min(exponential(rollout.exponential, job.rolled_out, succeeded), limit)
    return None if rollout.maximum_per_minute is None else min(rollout.maximum_per_minute, limit)


def exponential(rate: ExponentialRate, notified: int, succeeded: int) -> int:
    """The rate once so many things were notified, and so many succeeded."""
    steps = notified // rate.per_notified if rate.per_notified else succeeded // (rate.per_succeeded or 1)
    return int(rate.base_per_minute * rate.increment_factor ** min(steps, MANY_STEPS))


def go_on(ledger: Ledger, doing: Doing, job: Job, now: float) -> None:
    """Begin the turns of the next minute, or wait until a maintenance window opens."""
    schedule = job.new.schedule
    if schedule is not None and schedule.windows:
        opens = opening(schedule.windows, now)
        if opens is None or opens > now:
            ledger.put_job(doing, replace(job, rollout_due=opens))
            return
    rate = per_minute(ledger, job)
    things = job.turns(None if rate is None else job.rolled_out + rate)
    if job.rollout_due is not None:
        ledger.put_job(doing, replace(job, rollout_due=None))
    next_due = None if rate is None else now + MINUTE
    under_way.begin(ledger, doing, RollOut(job.job_id, things, next_due), now)


@dataclass(frozen=True, slots=True)
class RollOut(WorkOnJob):
    """A job's next things have their turn, one after the other, but for those that are skipped by then.

    `next_due` is when those after them have theirs; None: at once, should there be any by then.
    """

    next_due: float | None

    def each(self, ledger: Ledger, doing: Doing, thing: str, now: float) -> None:
        """Queue its execution."""
        # What has an execution has had its turn: before the service was killed, or by joining a group meanwhile.
        job = ledger.jobs[self.job_id]
        if self.job_id not in ledger.queues.get(thing, ()) and not is_skipped(ledger, job, thing):
            ledger.queue_execution(doing, job, thing, 1, now)

    def finish(self, ledger: Ledger, doing: Doing, now: float) -> None:
        """They have had their turn."""
        current = ledger.jobs[self.job_id]
        after = replace(current, rolled_out=current.rolled_out + len(self.things))
        if not after.is_rolled_out:
            after = replace(after, rollout_due=now if self.next_due is None else self.next_due)
        ledger.put_job(doing, after)
        complete_if_done(ledger, doing, self.job_id, now)


def start(ledger: Ledger, doing: Doing, job: Job, now: float) -> None:
    """The job is IN_PROGRESS from now on, and its things have their turns."""
    started = replace(job, status=JobStatus.IN_PROGRESS, last_updated_at=now, rollout_due=None)
    if job is not started:
        ledger.put_job(doing, started)
    go_on(ledger, doing, started, now)


def stop(ledger: Ledger, doing: Doing, job: Job, now: float) -> None:
    """Nobody else has a turn; a job whose start was missed with its end has had nobody."""
    under_way.drop(ledger, job.job_id)
    stopped = replace(
        job,
        status=JobStatus.IN_PROGRESS,
        is_stopped=True,
        rolled_out=len(job.new.things) + len(job.more_things),
        rollout_due=None,
        last_updated_at=now,
    )
    ledger.put_job(doing, stopped)
    complete_if_done(ledger, doing, job.job_id, now)


def is_skipped(ledger: Ledger, job: Job, thing: str) -> bool:
    """Whether that thing shall have no turn."""
    if not job.skipped_turns:
        return False
    place = ledger.places.of(job, thing)
    return place is not None and is_set(job.skipped_turns, place)


def place_ahead(ledger: Ledger, job: Job, thing: str) -> int | None:
    """The place of a thing whose turn is still to come; None if it has none, or had it."""
    if job.is_rolled_out or (place := ledger.places.of(job, thing)) is None:
        return None
    return place if place >= job.rolled_out + _done(ledger, job) else None


def _done(ledger: Ledger, job: Job) -> int:
    """How many of those whose turns are under way have had it."""
    if job.rollout_due is not None:
        return 0  # there may be much under way, but not for this job
    works = chain(ledger.under_way, ledger.held.get(job.job_id, (0.0, ()))[1])
    return next((work.done for work in works if isinstance(work, RollOut) and work.is_of(job.job_id)), 0)


def is_rolling_out(job: Job) -> bool:
    """Whether processingTargets is shown: there are things whose turn is still to come."""
    return job.status in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED) and not job.is_rolled_out
