"""The service begins again where its records say that it was: the indexes are built anew from jobs and executions.

What lasts goes on, as far as the clock is believed (see `spans`).
"""

from collections.abc import Iterable

from simulator.cloud.jobs import cancelling, deletion, rollout, spans
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus


def restore(ledger: Ledger, jobs: Iterable[Job], executions: Iterable[JobExecution], now: float) -> int:
    """Fill an empty ledger; what was under way is left to be gone on with. Of how many records a span begins anew."""
    doing = Doing(at_once=0)  # what it notes is known already
    begun_anew = 0
    for kept in sorted(jobs, key=lambda job: job.created_at):
        job = spans.restored_job(kept, now)
        begun_anew += job is not kept
        ledger.add_job(doing, job)
        if job.status is JobStatus.DELETION_IN_PROGRESS:
            ledger.deleting[job.job_id] = None
    for told in sorted(executions, key=lambda execution: execution.serial):
        execution = spans.restored_execution(told, now)
        begun_anew += execution is not told
        ledger.add_execution(execution)
    for job in tuple(ledger.jobs.values()):
        _resume(ledger, doing, job, now)
    ledger.undo.clear()
    return begun_anew


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
