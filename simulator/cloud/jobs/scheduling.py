"""Scheduled jobs: a start ahead, an end with its behaviour, maintenance windows (Developer Guide, "Scheduled jobs").

    CreateJob(startTime) ── SCHEDULED ── start_at ── IN_PROGRESS ── end_at ── as the end behaviour has it

STOP_ROLLOUT: nobody else has a turn; so it is without a behaviour, too, which is not documented. CANCEL, FORCE_CANCEL:
as CancelJob, without and with force. A behaviour without an end does not apply.
A job whose start finds as many active jobs as are allowed is CANCELED.
"""

from simulator.cloud.jobs import rollout
from simulator.cloud.jobs.cancelling import cancel_job
from simulator.cloud.jobs.configuration import Schedule
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.maintenance import read_cron
from simulator.cloud.jobs.records import Job
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.transaction import Transaction

YEAR = 366 * 86_400


def check(schedule: Schedule, now: float, settings: JobsSettings) -> None:
    """Raises JobsError if AWS would not take the schedule."""
    lead, start = settings.schedule_lead_seconds, now if schedule.start_at is None else schedule.start_at
    if schedule.start_at is not None and not now + lead <= start <= now + YEAR:
        raise JobsError("InvalidRequest", f"startTime must be {lead / 60:g} minutes to one year ahead.")
    if schedule.end_at is not None and not start + lead <= schedule.end_at <= now + 2 * YEAR:
        raise JobsError("InvalidRequest", f"endTime must be {lead / 60:g} minutes after the start, within two years.")
    for window in schedule.windows:
        read_cron(window.cron)


def starts_at(schedule: Schedule | None, now: float) -> float | None:
    """When the job begins; None if at once."""
    return None if schedule is None or schedule.start_at is None or schedule.start_at <= now else schedule.start_at


def start(tx: Transaction, job: Job) -> None:
    """The start time has come."""
    if is_full(tx.ledger, job):
        comment = "The limit of active jobs was reached at the start time."
        cancel_job(tx, job, force=False, reason_code="LIMIT_EXCEEDED", comment=comment)
    else:
        rollout.start(tx, job)


def end(tx: Transaction, job: Job) -> None:
    """The end time has come."""
    schedule = job.new.schedule
    assert schedule is not None, "it has an end"
    behavior = schedule.end_behavior or "STOP_ROLLOUT"
    if behavior == "STOP_ROLLOUT":
        rollout.stop(tx, job)
    else:
        cancel_job(tx, job, force=behavior == "FORCE_CANCEL", comment="The end time was reached.")


def is_full(ledger: Ledger, job: Job) -> bool:
    """Whether no other job of this kind may be active."""
    limit = ledger.settings.active_jobs
    return limit is not None and ledger.active[job.is_continuous] >= limit
