"""CancelJob and CancelJobExecution: QUEUED executions are cancelled, those IN_PROGRESS only with `force`.

The job is CANCELED at once; a big job's executions follow in slices, and what is left IN_PROGRESS may still end as the
device has it (Developer Guide; observed: tgsong/amazon-freertos-examples#4).
"""

from dataclasses import dataclass, replace

from agent.values import Status, StatusDetails
from simulator.cloud.jobs import under_way
from simulator.cloud.jobs.doing import Doing, WorkOnJob
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus


def cancel_job(
    ledger: Ledger,
    doing: Doing,
    job: Job,
    now: float,
    *,
    force: bool,
    reason_code: str | None = None,
    comment: str | None = None,
) -> None:
    """Cancel the job, and begin with its executions. Raises JobsError."""
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        raise JobsError(ledger.settings.cancelling_deleted, f"Job {job.job_id} is being deleted.")
    if job.status not in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED):
        raise JobsError("InvalidRequest", f"Job {job.job_id} cannot be cancelled while {job.status.value}.")
    cancelled = replace(
        job,
        status=JobStatus.CANCELED,
        last_updated_at=now,
        completed_at=now,
        force_canceled=force,
        reason_code=reason_code,
        comment=comment,
        rollout_due=None,
        is_cancelling=True,
    )
    under_way.drop(ledger, job.job_id)
    ledger.put_job(doing, cancelled)
    ledger.tell_job(doing, "cancellation_in_progress", cancelled, now)
    cancel_executions(ledger, doing, cancelled, now)


def cancel_executions(ledger: Ledger, doing: Doing, job: Job, now: float) -> None:
    """Cancel what is to be cancelled of a job's executions, the first of them at once."""
    under_way.begin(ledger, doing, CancelRest(job.job_id, tuple(ledger.things_of[job.job_id]), job.force_canceled), now)


@dataclass(frozen=True, slots=True)
class CancelRest(WorkOnJob):
    """What is to be cancelled of a job's executions is, one thing after the other."""

    force: bool

    def each(self, ledger: Ledger, doing: Doing, thing: str, now: float) -> None:
        """What is QUEUED, and with force what is IN_PROGRESS."""
        execution = ledger.queues.get(thing, {}).get(self.job_id)
        if execution is not None and (
            execution.status is Status.QUEUED or (self.force and execution.status is Status.IN_PROGRESS)
        ):
            ledger.change(doing, _cancelled(execution, None, now, force=self.force), "service", now)

    def finish(self, ledger: Ledger, doing: Doing, now: float) -> None:
        """The cancellation is over, and told."""
        cancelled = replace(ledger.jobs[self.job_id], is_cancelling=False)
        ledger.put_job(doing, cancelled)
        ledger.tell_job(doing, "canceled", cancelled, now)


def cancel_execution(
    ledger: Ledger,
    doing: Doing,
    execution: JobExecution,
    now: float,
    *,
    force: bool,
    expected_version: int | None,
    status_details: StatusDetails | None,
) -> None:
    """Cancel one. Raises JobsError."""
    where = f"The execution of {execution.key.job_id} on {execution.thing}"
    if execution.key.job_id in ledger.deleting:
        raise JobsError("ResourceNotFound", f"{where} is being deleted.")
    if expected_version not in (None, execution.version_number):
        raise JobsError("VersionConflict", f"{where} is at version {execution.version_number}.")
    if execution.status.is_terminal or (execution.status is Status.IN_PROGRESS and not force):
        raise JobsError("InvalidStateTransition", f"{where} is {execution.status}.")
    ledger.change(doing, _cancelled(execution, status_details, now, force=force), "service", now)


def _cancelled(execution: JobExecution, details: StatusDetails | None, now: float, *, force: bool) -> JobExecution:
    after = changed(execution, Status.CANCELED, details, now)
    return after.canceled_by_force() if force else after
