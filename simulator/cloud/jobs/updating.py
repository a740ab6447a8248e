"""UpdateJob: what of a job may be changed while it lasts.

A timeout that is changed counts for the executions that become IN_PROGRESS later, a rate from the next minute on.
Retries may only be given up, that is set to 0 (Developer Guide, "Job executions retry configuration").
"""

from dataclasses import replace

from simulator.cloud.jobs.configuration import JobUpdate, RetryCriterion
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.records import Job, JobStatus
from simulator.cloud.jobs.transaction import Transaction


def update_job(tx: Transaction, job: Job, update: JobUpdate) -> None:
    """Change what `update` names. Raises JobsError."""
    if job.status not in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED):
        # Which states it is refused in is not documented.
        raise JobsError("InvalidRequest", f"Job {job.job_id} cannot be updated while {job.status.value}.")
    if update.retries is not None and any(criterion.retries for criterion in update.retries):
        _check_unchanged(job, update.retries)
    new = job.new
    new = replace(
        new,
        description=new.description if update.description is None else update.description,
        presigned_urls=update.presigned_urls or new.presigned_urls,
        rollout=update.rollout or new.rollout,
        abort=new.abort if update.abort is None else update.abort,
        timeout_minutes=update.timeout_minutes or new.timeout_minutes,
        retries=new.retries if update.retries is None else update.retries,
    )
    tx.put_job(replace(job, new=new, last_updated_at=tx.now))


def _check_unchanged(job: Job, retries: tuple[RetryCriterion, ...]) -> None:
    if any(criterion.retries and criterion not in job.new.retries for criterion in retries):
        raise JobsError("InvalidRequest", "jobExecutionsRetryConfig: retries can only be set to 0 after the creation.")
