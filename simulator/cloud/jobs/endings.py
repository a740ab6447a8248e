"""What follows when an execution ends: a retry, the abort of the job, its completion. In this order.

Retry (Developer Guide, "Job executions retry configuration"): one that is FAILED or TIMED_OUT is queued again, as often
as the criterion for its failure allows; as a new execution of the same job, whose number is the next (an assumption).
Abort: criteria are looked at in their order; each needs so many executions that ended, and then that part of them to
have failed in its way. The guide and the API reference differ in what counts as executed: those that ended do here.
Completion: a snapshot job is COMPLETED once everybody has had a turn and no execution is pending.
"""

from dataclasses import replace
from typing import Final, Literal

from agent.values import Status
from simulator.cloud.jobs.cancelling import cancel_job
from simulator.cloud.jobs.configuration import AbortCriterion, FailureType, RetryCriterion
from simulator.cloud.jobs.records import COMMON, JobExecution, JobStatus, Rare
from simulator.cloud.jobs.transaction import Transaction

MEANT: Final[dict[FailureType, tuple[Status, ...]]] = {
    "FAILED": (Status.FAILED,),
    "TIMED_OUT": (Status.TIMED_OUT,),
    "REJECTED": (Status.REJECTED,),
    "ALL": (Status.FAILED, Status.REJECTED, Status.TIMED_OUT),
}


def change(tx: Transaction, after: JobExecution, by: Literal["device", "service"]) -> None:
    """Replace the record of a thing's latest execution, with what follows if it ends so."""
    if tx.change(after, by):
        _ended(tx, after)


def _ended(tx: Transaction, execution: JobExecution) -> None:
    job_id = execution.key.job_id
    job = tx.ledger.jobs[job_id]
    if job.status is not JobStatus.IN_PROGRESS:
        return
    if job.new.retries and (rare := retried(execution, job.new.retries)) is not None:
        tx.queue_execution(job, execution.thing, execution.key.execution_number + 1, rare)
    if job.new.abort and (met := criterion_met(job.new.abort, tx.ledger.of_job[job_id].counts)) is not None:
        comment = f"{met.failure_type} reached {met.threshold_percentage:g} % of the executions that ended."
        cancel_job(tx, job, force=False, reason_code="ABORT_CRITERIA_MET", comment=comment)
        return
    complete_if_done(tx, job_id)


def retried(execution: JobExecution, criteria: tuple[RetryCriterion, ...]) -> Rare | None:
    """What the next attempt knows of the ones before; None if there is none."""
    rare = execution.rare or COMMON
    failed, timed_out = rare.failed_retries, rare.timed_out_retries
    for criterion in criteria:
        if execution.status is Status.REJECTED or execution.status not in MEANT[criterion.failure_type]:
            continue
        used = {"FAILED": failed, "TIMED_OUT": timed_out}.get(criterion.failure_type, failed + timed_out)
        if used < criterion.retries:
            if execution.status is Status.FAILED:
                return Rare(failed_retries=failed + 1, timed_out_retries=timed_out)
            return Rare(failed_retries=failed, timed_out_retries=timed_out + 1)
    return None


def criterion_met(criteria: tuple[AbortCriterion, ...], counts: dict[Status, int]) -> AbortCriterion | None:
    """The first criterion that is met."""
    over = sum(count for status, count in counts.items() if status.is_terminal)
    for criterion in criteria:
        failed = sum(counts[status] for status in MEANT[criterion.failure_type])
        if over >= criterion.min_executed and 100 * failed >= criterion.threshold_percentage * over and failed:
            return criterion
    return None


def complete_if_done(tx: Transaction, job_id: str) -> None:
    """Complete a snapshot job if nobody is left to be told or to answer."""
    job, counts = tx.ledger.jobs[job_id], tx.ledger.of_job[job_id].counts
    if (
        job.status is JobStatus.IN_PROGRESS
        and not counts[Status.QUEUED]
        and not counts[Status.IN_PROGRESS]
        and job.is_rolled_out
        and not job.is_continuous
    ):
        done = replace(job, status=JobStatus.COMPLETED, last_updated_at=tx.now, completed_at=tx.now)
        tx.put_job(done)
        tx.tell_job("completed", done)
