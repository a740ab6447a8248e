"""Things that become a job's targets after its creation, and things that are targets no more.

A continuous job queues an execution for each thing that joins one of its groups, and again when it left them all and
comes back; when it leaves them all, what is pending becomes REMOVED (Developer Guide; observed:
aws-greengrass-lite#1127). The executions of a deleted thing become REMOVED too, whatever the job.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.values import Status
from simulator.cloud.jobs import places, rollout
from simulator.cloud.jobs.doing import Doing
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.ledger import Ledger
from simulator.cloud.jobs.places import is_set
from simulator.cloud.jobs.queue import changed
from simulator.cloud.jobs.quotas import check_targets
from simulator.cloud.jobs.records import Job, JobStatus
from simulator.cloud.jobs.rollout import place_ahead


def associate(
    ledger: Ledger,
    doing: Doing,
    job: Job,
    targets: tuple[str, ...],
    things: tuple[str, ...],
    comment: str | None,
    now: float,
) -> None:
    """AssociateTargetsWithJob. Raises JobsError."""
    if not job.is_continuous or job.is_stopped or job.status is not JobStatus.IN_PROGRESS:
        raise JobsError("InvalidRequest", f"Job {job.job_id} is not a continuous job IN_PROGRESS.")
    new_targets = tuple(dict.fromkeys(target for target in targets if target not in job.targets))
    check_targets(len(job.targets) + len(new_targets), ledger.settings)
    known = {*job.new.things, *job.more_things, *ledger.things_of[job.job_id]}
    new_things = tuple(dict.fromkeys(thing for thing in things if thing not in known))
    was_rolled_out = job.is_rolled_out
    more = replace(
        job,
        more_targets=job.more_targets + new_targets,
        more_things=job.more_things + new_things,
        comment=job.comment if comment is None else comment,
        last_updated_at=now,
    )
    ledger.put_job(doing, more)
    if was_rolled_out and not more.is_rolled_out:
        rollout.go_on(ledger, doing, more, now)


def joined(ledger: Ledger, doing: Doing, thing: str, targets: Iterable[str], others: Iterable[str], now: float) -> None:
    """A thing now belongs to `targets`; it belongs to `others` besides, as it did before."""
    others = frozenset(others)
    for job in ledger.followers(targets):
        if others.isdisjoint(job.targets):
            _take(ledger, doing, job, thing, now)


def _take(ledger: Ledger, doing: Doing, job: Job, thing: str, now: float) -> None:
    place = place_ahead(ledger, job, thing)
    if place is not None and is_set(job.skipped_turns, place):
        ledger.put_job(doing, replace(job, skipped_turns=places.changed(job.skipped_turns, place, to=False)))
    elif job.status is JobStatus.SCHEDULED:
        if place is None:
            ledger.put_job(doing, replace(job, more_things=(*job.more_things, thing)))
    else:
        latest = ledger.queues.get(thing, {}).get(job.job_id)
        if latest is None or latest.status.is_terminal:
            number = 1 if latest is None else latest.key.execution_number + 1
            ledger.queue_execution(doing, job, thing, number, now)


def left(ledger: Ledger, doing: Doing, thing: str, targets: Iterable[str], others: Iterable[str], now: float) -> None:
    """A thing no longer belongs to `targets`; it still belongs to `others`."""
    others = frozenset(others)
    for job in ledger.followers(targets):
        if others.isdisjoint(job.targets):
            _drop(ledger, doing, job, thing, now)


def deleted(ledger: Ledger, doing: Doing, thing: str, now: float) -> None:
    """A thing is deleted."""
    if ledger.settings.deleted_thing == "removed":
        waiting = [job for job in ledger.jobs.values() if rollout.is_rolling_out(job)]
        of_thing: Sequence[str] = tuple(ledger.queues.get(thing, ()))
        for job_id in dict.fromkeys((*of_thing, *(job.job_id for job in waiting))):
            _drop(ledger, doing, ledger.jobs[job_id], thing, now)


def _drop(ledger: Ledger, doing: Doing, job: Job, thing: str, now: float) -> None:
    latest = ledger.queues.get(thing, {}).get(job.job_id)
    if latest is not None:
        if not latest.status.is_terminal and job.job_id not in ledger.deleting:
            ledger.change(doing, changed(latest, Status.REMOVED, None, now), "service", now)
    elif (place := place_ahead(ledger, job, thing)) is not None and not is_set(job.skipped_turns, place):
        ledger.put_job(doing, replace(job, skipped_turns=places.changed(job.skipped_turns, place, to=True)))
