"""The service begins again where its records say that it was: the indexes are built anew from jobs and executions.

What lasts goes on, as far as the clock is believed (see `spans`).
"""

from collections.abc import Iterable
from dataclasses import replace

from simulator.cloud.jobs import cancelling, deletion, rollout, spans, targets, under_way
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.places import changed
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, ThingNews


def restore(
    ledger: Ledger, jobs: Iterable[Job], executions: Iterable[JobExecution], news: Iterable[ThingNews], now: float
) -> int:
    """Fill an empty ledger; what was under way is left to be gone on with. Of how many records a span begins anew."""
    doing = Doing(at_once=0)  # what it notes is known already
    begun_anew = 0
    for kept in sorted(jobs, key=lambda job: job.created_at):
        job = spans.restored_job(kept, now)
        begun_anew += job is not kept
        ledger.add_job(doing, _with_skipped_turns(ledger, job) if job.skipped else job)
        if job.status is JobStatus.DELETION_IN_PROGRESS:
            ledger.deleting[job.job_id] = None
    for told in sorted(executions, key=lambda execution: execution.serial):
        execution = spans.restored_execution(told, now)
        begun_anew += execution is not told
        ledger.add_execution(execution)
    for job in tuple(ledger.jobs.values()):
        _resume(ledger, doing, job, now)
    for told_later in news:
        ledger.set_news(told_later.thing, told_later.news)
        under_way.put(ledger, targets.TellJobs.of(told_later.thing))
    ledger.undo.clear()
    return begun_anew


def _with_skipped_turns(ledger: Ledger, job: Job) -> Job:
    """A job that an earlier version wrote down."""
    bits = job.skipped_turns
    for thing in job.skipped:
        if (place := ledger.places.of(job, thing)) is not None:
            bits = changed(bits, place, to=True)
    return replace(job, skipped=(), skipped_turns=bits)


def _resume(ledger: Ledger, doing: Doing, job: Job, now: float) -> None:
    match job.status:
        case JobStatus.DELETION_IN_PROGRESS if job.removal_due is None and not job.is_emptied:
            deletion.remove_records(ledger, doing, job, now)
        case JobStatus.CANCELED if job.is_cancelling:
            cancelling.cancel_executions(ledger, doing, job, now)
        case JobStatus.IN_PROGRESS if job.rollout_due is None and not job.is_rolled_out:
            rollout.go_on(ledger, doing, job, now)
        case _:
            pass
