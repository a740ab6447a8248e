"""CancelJob and CancelJobExecution: QUEUED executions are cancelled, those IN_PROGRESS only with `force`.

The job is CANCELED at once; a big job's executions follow in slices, and what is left IN_PROGRESS may still end as the
device has it (Developer Guide; observed: tgsong/amazon-freertos-examples#4).
"""

from dataclasses import replace

from agent.values import Status, StatusDetails
from simulator.cloud.jobs.backlog import CancelRest, WorkOwner
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus
from simulator.cloud.jobs.transaction import Transaction


def cancel_job(
    tx: Transaction, job: Job, *, force: bool, reason_code: str | None = None, comment: str | None = None
) -> None:
    """Cancel the job, and begin with its executions. Raises JobsError."""
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        raise JobsError(tx.ledger.settings.cancelling_deleted, f"Job {job.job_id} is being deleted.")
    if job.status not in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED):
        raise JobsError("InvalidRequest", f"Job {job.job_id} cannot be cancelled while {job.status.value}.")
    canceled = replace(
        job,
        status=JobStatus.CANCELED,
        last_updated_at=tx.now,
        completed_at=tx.now,
        force_canceled=force,
        reason_code=reason_code,
        comment=comment,
        rollout_due=None,
        is_cancelling=True,
    )
    tx.drop(WorkOwner(job.job_id))
    tx.put_job(canceled)
    tx.tell_job("cancellation_in_progress", canceled)
    cancel_executions(tx, canceled)


def cancel_executions(tx: Transaction, job: Job) -> None:
    """Cancel what is to be cancelled of a job's executions, the first of them at once."""
    tx.put(cancel_rest(tx, CancelRest(job.job_id), tx.at_once))


def cancel_rest(tx: Transaction, work: CancelRest, count: int) -> CancelRest | None:
    """Of so many more things: what is QUEUED, and with force what is IN_PROGRESS. What is left then; None: nothing."""
    job_id, things, until = work.job_id, tx.ledger.of_job[work.job_id].things, work.done + count
    force = tx.ledger.jobs[job_id].force_canceled
    for thing in things[work.done : until]:
        execution = tx.ledger.queues.get(thing, {}).get(job_id)
        if execution is not None and (
            execution.status is Status.QUEUED or (force and execution.status is Status.IN_PROGRESS)
        ):
            tx.change(_cancelled(execution, None, tx.now, force=force), "service")
    if until <= len(things):
        return replace(work, done=until)
    canceled = replace(tx.ledger.jobs[job_id], is_cancelling=False)
    tx.put_job(canceled)
    tx.tell_job("canceled", canceled)
    return None


def cancelled_execution(
    tx: Transaction,
    execution: JobExecution,
    force: bool,
    expected_version: int | None,
    status_details: StatusDetails | None,
) -> JobExecution:
    """The record of an execution that CancelJobExecution cancels. Raises JobsError."""
    where = f"The execution of {execution.key.job_id} on {execution.thing}"
    if execution.key.job_id in tx.ledger.deleting:
        raise JobsError("ResourceNotFound", f"{where} is being deleted.")
    if expected_version not in (None, execution.version_number):
        raise JobsError("VersionConflict", f"{where} is at version {execution.version_number}.")
    if execution.status.is_terminal or (execution.status is Status.IN_PROGRESS and not force):
        raise JobsError("InvalidStateTransition", f"{where} is {execution.status}.")
    return _cancelled(execution, status_details, tx.now, force=force)


def _cancelled(execution: JobExecution, details: StatusDetails | None, now: float, *, force: bool) -> JobExecution:
    after = changed(execution, Status.CANCELED, details, now)
    return after.canceled_by_force() if force else after
