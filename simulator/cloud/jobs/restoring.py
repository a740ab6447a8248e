"""The service begins again where its records say that it was: the indexes are built anew from jobs and executions.

What lasts goes on, as far as the clock is believed (see `spans`).
"""

from collections.abc import Iterable
from dataclasses import replace

from simulator.cloud.jobs import cancelling, deletion, rollout, spans
from simulator.cloud.jobs.backlog import TellJobs
from simulator.cloud.jobs.ledger import BY_SERIAL, Ledger
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, ThingNews
from simulator.cloud.jobs.rollout_order import with_skip
from simulator.cloud.jobs.transaction import Transaction


def restore(
    ledger: Ledger, jobs: Iterable[Job], executions: Iterable[JobExecution], news: Iterable[ThingNews], now: float
) -> int:
    """Fill an empty ledger; what was under way is left to be gone on with. Of how many records a span begins anew."""
    begun_anew = 0
    for kept in sorted(jobs, key=lambda job: job.created_at):
        job = spans.restored_job(kept, now)
        begun_anew += job is not kept
        ledger.set_job_time(ledger.put_job(None, _with_skipped_turns(ledger, job) if job.skipped else job))
    for told in sorted(executions, key=BY_SERIAL):
        execution = spans.restored_execution(told, now)
        begun_anew += execution is not told
        ledger.add(execution)
        if execution.rare is not None:
            ledger.set_execution_time(execution.thing, execution.key.job_id)
    tx = Transaction(ledger, now, at_once=0)  # what it notes is known already
    for job in tuple(ledger.jobs.values()):
        _resume(tx, job)
    for told_later in news:
        ledger.set_news(told_later)
    if ledger.news:
        tx.put(TellJobs())
    return begun_anew


def _with_skipped_turns(ledger: Ledger, job: Job) -> Job:
    """A job that an earlier version wrote down."""
    bits = job.skipped_turns
    for thing in job.skipped:
        if (place := ledger.order.of(job, thing)) is not None:
            bits = with_skip(bits, place, to=True)
    return replace(job, skipped=(), skipped_turns=bits)


def _resume(tx: Transaction, job: Job) -> None:
    match job.status:
        case JobStatus.DELETION_IN_PROGRESS if job.removal_due is None and not job.is_emptied:
            deletion.remove_records(tx, job)
        case JobStatus.CANCELED if job.is_cancelling:
            cancelling.cancel_executions(tx, job)
        case JobStatus.IN_PROGRESS if job.rollout_due is None and not job.is_rolled_out:
            rollout.advance(tx, job)
        case _:
            pass
