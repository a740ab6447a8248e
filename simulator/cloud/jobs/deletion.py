"""DeleteJob and DeleteJobExecution.

    DeleteJob ── DELETION_IN_PROGRESS ─── removal_due ─── the records go, one after the other ─── gone_due ── gone
                 counted against the ten                  notify, notify-next, event deleted       the id is free

(Developer Guide, "Jobs and job execution states"; CLI reference, `iot delete-job`.) The job's status changes first, the
executions' records go then, and the job itself goes last. On AWS both spans exist and nobody can choose them; here the
first is `removal_delay_seconds`, zero by default, and the second ends `deletion_seconds` after the command, and
`deletion_seconds_per_execution` more for each execution; or with the last record, if that goes later.
Between its job's deletion and its own removal an execution is in neither list nor `$next`; what else a device meets
there is not documented, and the setting `while_deleting` says it.

A big job's records go in slices, so that nobody else waits: the command removes the first few, `tick` the others. With
a setting `removals_per_second` the slices have pauses between them.
"""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from agent.values import NEXT, Answer, Describe, Request, Status, Update
from simulator.cloud.jobs.backlog import RemoveRecords, WorkOwner
from simulator.cloud.jobs.endings import complete_if_done
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.queue import Queue, no_transition, not_found, terminal
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.transaction import Transaction

REMOVAL_DELAY_TAG: Final = "ghostjob:removal-delay-seconds"
DELETION_TAG: Final = "ghostjob:deletion-seconds"
"""Tags of a job by which it has spans of its own: AWS gives them no meaning."""
_UNFORCED = (JobStatus.COMPLETED, JobStatus.CANCELED)


def spans(job_id: str, settings: JobsSettings, tags: Mapping[str, str], executions: int) -> tuple[float, float]:
    """How long after the command the records begin to go, and how long the job stays. A tag says it before a pattern,
    and how long the job stays however many executions it has.

    Raises JobsError if a tag's value is no number of seconds.
    """
    by_pattern = next((s for pattern, s in settings.removal_delays if fnmatchcase(job_id, pattern)), None)
    delay = settings.removal_delay_seconds if by_pattern is None else by_pattern
    delay = _seconds(tags, REMOVAL_DELAY_TAG, delay)
    stays = settings.deletion_seconds + settings.deletion_seconds_per_execution * executions
    return delay, max(delay, _seconds(tags, DELETION_TAG, stays))


def _seconds(tags: Mapping[str, str], tag: str, otherwise: float) -> float:
    text = tags.get(tag)
    if text is None:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise JobsError("InvalidRequest", f"Tag {tag}: {text!r} is no number of seconds from 0 to 86400.")
    return seconds


def delete_job(tx: Transaction, job: Job, *, force: bool, tags: Mapping[str, str]) -> None:
    """Begin the deletion. Raises JobsError."""
    settings, job_id = tx.ledger.settings, job.job_id
    if job.status is JobStatus.DELETION_IN_PROGRESS:
        raise JobsError(settings.deleting_again, f"Job {job_id} is being deleted already.")
    if job.status not in _UNFORCED and not force:
        raise JobsError("InvalidStateTransition", f"Job {job_id} is {job.status.value}; deleting it needs force.")
    if len(tx.ledger.deleting) >= settings.deletions_at_once:
        limit = settings.deletions_at_once
        raise JobsError("LimitExceeded", f"{limit} jobs are DELETION_IN_PROGRESS; wait until one is gone.")
    delay, stays = spans(job_id, settings, tags, _executions(tx.ledger, job_id))
    tx.drop(WorkOwner(job_id))
    deleting = replace(
        job,
        status=JobStatus.DELETION_IN_PROGRESS,
        last_updated_at=tx.now,
        is_cancelling=False,
        rollout_due=None,
        removal_due=tx.now + delay,
        gone_due=tx.now + stays,
        force_deleted=force,
    )
    tx.put_job(deleting)
    tx.tell_job("deletion_in_progress", deleting)
    if not delay:
        remove_records(tx, deleting)


def remove_records(tx: Transaction, job: Job) -> None:
    """Let the records of a job's executions go, the first of them at once."""
    if job.removal_due is not None:
        tx.put_job(replace(job, removal_due=None))
    at_once = tx.at_once if tx.ledger.settings.removals_per_second is None else 0
    tx.put(remove_next(tx, RemoveRecords(job.job_id), at_once))


def goes_on_at(ledger: Ledger, before: RemoveRecords, left: RemoveRecords, now: float) -> float | None:
    """When what is left of it goes on, after what was done; None: at once."""
    rate = ledger.settings.removals_per_second
    if rate is None:
        return None
    return now + ledger.count(ledger.of_job[left.job_id].things[before.done : left.done]) / rate


def _executions(ledger: Ledger, job_id: str) -> int:
    """How many a job has, with those of things that others stand for."""
    of_job = ledger.of_job[job_id]
    if not ledger.stands_for:
        return sum(of_job.counts.values())
    return ledger.count([thing for thing in of_job.things if job_id in ledger.queues.get(thing, ())])


def remove_next(tx: Transaction, work: RemoveRecords, count: int) -> RemoveRecords | None:
    """Of so many more things, the latest execution and those before it. What is left then; None: nothing.

    The job is empty then, and goes too if its time has come.
    """
    job_id, things, until = work.job_id, tx.ledger.of_job[work.job_id].things, work.done + count
    for thing in things[work.done : until]:
        while (queue := tx.ledger.queues.get(thing)) and (latest := queue.get(job_id)) is not None:
            tx.remove(latest)
    if until <= len(things):
        return replace(work, done=until)
    empty = replace(tx.ledger.jobs[job_id], is_emptied=True)
    tx.put_job(empty)
    if empty.gone_due is not None and empty.gone_due <= tx.now:
        end(tx, empty)
    return None


def end(tx: Transaction, job: Job) -> None:
    """The job is gone, and its id is free."""
    tx.tell_job("deleted", job)
    tx.forget_job(job)


def delete_execution(tx: Transaction, execution: JobExecution, *, force: bool) -> None:
    """Delete one record at once; the job stays, and is perhaps COMPLETED. Raises JobsError."""
    where = f"The execution of {execution.key.job_id} on {execution.thing}"
    if execution.key.job_id in tx.ledger.deleting:
        raise JobsError("ResourceNotFound", f"{where} is being deleted.")
    needs_force = execution.status is Status.IN_PROGRESS or (
        execution.status is Status.QUEUED and tx.ledger.settings.queued_deletion_needs_force
    )
    if needs_force and not force:
        raise JobsError("InvalidStateTransition", f"{where} is {execution.status}; deleting it needs force.")
    tx.remove(execution)
    complete_if_done(tx, execution.key.job_id)


# ── what a device meets meanwhile ─────────────────────────────────────────────────────────────────────────────


def answer_meanwhile(ledger: Ledger, queue: Queue, request: Request, now: float) -> Answer | Queue:
    """What a request gets while jobs are being deleted: an answer, or the queue by which it is to be decided."""
    shown = ledger.listable(queue)
    if not isinstance(request, Describe | Update) or request.job_id == NEXT or request.job_id not in ledger.deleting:
        return shown
    found = queue.latest.get(request.job_id)
    if found is None:
        return shown  # its record is gone before its job: what a read that lags may still tell
    if found.key.namespace_id != request.namespace_id:
        return not_found(request, now)
    match ledger.settings.while_deleting:
        case "answers" | "answers-and-lists":
            return queue
        case "reads-answer" if isinstance(request, Describe):
            return queue
        case "terminal":
            ended = found if found.status.is_terminal else replace(found, status=Status.REMOVED)
            return terminal(request, now) if isinstance(request, Describe) else no_transition(request, now, ended)
        case _:
            return not_found(request, now)
