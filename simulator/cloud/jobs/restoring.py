"""The service begins again where its records say that it was: the indexes are built anew from jobs and executions."""

from collections.abc import Iterable
from dataclasses import replace

from simulator.cloud.jobs import cancelling, deletion, rollout, targets
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.places import changed
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, ThingNews


def restore(
    ledger: Ledger, jobs: Iterable[Job], executions: Iterable[JobExecution], news: Iterable[ThingNews], now: float
) -> None:
    """Fill an empty ledger; what was under way is left to be gone on with."""
    doing = Doing(at_once=0)  # what it notes is known already
    for job in sorted(jobs, key=lambda job: job.created_at):
        ledger.add_job(doing, _with_skipped_turns(ledger, job) if job.skipped else job)
        if job.status is JobStatus.DELETION_IN_PROGRESS:
            ledger.deleting[job.job_id] = None
    for execution in sorted(executions, key=lambda execution: execution.serial):
        ledger.add_execution(execution)
    for job in tuple(ledger.jobs.values()):
        _resume(ledger, doing, job, now)
    for told in news:
        ledger.put_news(doing, told.thing, told.news)
        ledger.under_way.append(targets.TellJobs(told.thing))


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
