"""What lasts lasts as long as it was to, whatever becomes of the time of day.

Records say when something is due by the time of day, as everything that is told. Two things are not as they seem then.

The time of day jumps. What is due after a span (a deletion, a timer, the next minute of a rollout) moves with it; what
is due at a time (a schedule's start and end, a maintenance window) does not.

The service ends, and begins again from its records. The time that passed meanwhile counts, as the clock has it: timers
ran out while nobody looked. But a clock may be a year off at the start, in either direction, and must neither end
everything at once nor hold it for a year. So it is not believed if it is before the record that a span began with, or
more than `LONGEST_SECONDS` after it: no span is longer, and nobody can tell such a clock from a machine that was
switched off for so long. The span begins anew then, and ends late.
"""

from dataclasses import replace
from typing import Final

from simulator.cloud.jobs.backlog import BackgroundWork, RollOut
from simulator.cloud.jobs.ledger import ExecutionDue, Ledger
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, Rare
from simulator.cloud.jobs.rollout import MINUTE

LONGEST_SECONDS: Final = 7 * 86_400.0
"""inProgressTimeoutInMinutes and stepTimeoutInMinutes are 10080 at most."""


# ── a jump ────────────────────────────────────────────────────────────────────────────────────────────────────


def clock_moved(ledger: Ledger, by: float, now: float) -> None:
    """The time of day jumped by so many seconds, and is `now`. Costs a few microseconds for each timer that runs.

    Nothing of it is a change to be kept: when the service begins again, spans are read from the records as they are.
    """
    for job in tuple(ledger.jobs.values()):
        ledger.jobs[job.job_id] = _moved_job(job, by, now - by)
        ledger.set_job_time(job.job_id)
    for item in ledger.agenda.items():
        if isinstance(item, ExecutionDue):
            execution = ledger.queues[item.thing][item.job_id]
            rare = execution.rare
            if rare is not None:
                ledger.replace(execution, replace(execution, rare=_moved_rare(rare, by)))
            ledger.set_execution_time(item.thing, item.job_id)
    ledger.move_works(lambda work: _moved_work(work, by), by)
    ledger.stale_reads = {thing: stale.moved(by) for thing, stale in ledger.stale_reads.items()}


def _moved_job(job: Job, by: float, before: float) -> Job:
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        return replace(job, removal_due=_plus(job.removal_due, by), gone_due=_plus(job.gone_due, by))
    if job.status is JobStatus.IN_PROGRESS and job.rollout_due is not None:
        has_windows = job.new.schedule is not None and job.new.schedule.windows
        if not (has_windows and job.rollout_due - before > MINUTE):  # or it waits until one opens
            return replace(job, rollout_due=job.rollout_due + by)
    return job


def _moved_work(work: BackgroundWork, by: float) -> BackgroundWork:
    return replace(work, next_due=_plus(work.next_due, by)) if isinstance(work, RollOut) else work


def _moved_rare(rare: Rare, by: float) -> Rare:
    return replace(rare, in_progress_due=_plus(rare.in_progress_due, by), step_due=_plus(rare.step_due, by))


def _plus(due: float | None, by: float) -> float | None:
    return None if due is None else due + by


# ── a new beginning ───────────────────────────────────────────────────────────────────────────────────────────


def is_believed(since: float, now: float) -> bool:
    """Whether it can be `now`, if a record is of the time `since`."""
    return 0 <= now - since <= LONGEST_SECONDS


def restored_job(job: Job, now: float) -> Job:
    """The job as it goes on now; itself if the clock is believed."""
    since = job.last_updated_at  # nothing touches it after the deletion's beginning
    if job.status is JobStatus.DELETION_IN_PROGRESS and not is_believed(since, now):
        removal, gone = _anew(job.removal_due, since, now), _anew(job.gone_due, since, now)
        return replace(job, removal_due=removal, gone_due=gone)
    if job.status is JobStatus.IN_PROGRESS and job.rollout_due is not None and job.new.schedule is None:
        return job if job.rollout_due <= now + MINUTE else replace(job, rollout_due=now + MINUTE)
    return job


def restored_execution(execution: JobExecution, now: float) -> JobExecution:
    """The execution as it goes on now; itself if the clock is believed, or no timer of it runs."""
    rare, reported = execution.rare, execution.last_updated_at
    if rare is None or rare.due is None:
        return execution
    started = reported if execution.started_at is None else execution.started_at
    in_progress, step = rare.in_progress_due, rare.step_due
    if not is_believed(started, now):
        in_progress = _anew(in_progress, started, now)
    if not is_believed(reported, now):
        step = _anew(step, reported, now)
    if (in_progress, step) == (rare.in_progress_due, rare.step_due):
        return execution
    return replace(execution, rare=replace(rare, in_progress_due=in_progress, step_due=step))


def _anew(due: float | None, since: float, now: float) -> float | None:
    return None if due is None else now + min(max(due - since, 0.0), LONGEST_SECONDS)
