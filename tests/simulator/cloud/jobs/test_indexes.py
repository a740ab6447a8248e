"""What is found by an index is what a look at everything would find, whatever was done, and done in vain."""

from random import Random

import pytest

from agent.values import Status
from simulator.cloud.jobs import Job, JobExecution, JobStatus, thing_order
from simulator.cloud.jobs.ledger import Ledger

from .account import Account
from .test_restoring import SETTINGS, act


def found(ledger: Ledger) -> tuple[object, ...]:
    assert ledger.by_trait is not None, "asked for at first"
    return (
        ledger.pending,
        ledger.by_age,
        ledger.active,
        [job.job_id for job in ledger.rolling_out()],
        [*ledger.deleting],
        {job_id: of_job.counts for job_id, of_job in ledger.of_job.items()},
        ledger.by_trait.ages,
        {thing: by_age(ledger, thing) for thing in ledger.queues},
    )


def by_age(ledger: Ledger, thing: str) -> list[JobExecution]:
    """A thing's executions, a few at a time, newest first."""
    found, at = ledger.older_on_thing(thing, None, 2)
    while at is not None:
        more, at = ledger.older_on_thing(thing, at, 2)
        found += more
    return found


def having(jobs: list[Job]) -> dict[tuple[str, str], list[tuple[float, str]]]:
    """The ages of those that have something that ListJobs may ask for."""
    had: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for job in sorted(jobs, key=lambda job: (job.created_at, job.job_id)):
        groups = dict.fromkeys(target for target in job.targets if ":thinggroup/" in target)
        its = [("status", job.status.value), ("selection", job.new.target_selection), *(("group", g) for g in groups)]
        its += [] if job.namespace_id is None else [("namespace", job.namespace_id)]
        for each in its:
            had.setdefault(each, []).append((job.created_at, job.job_id))
    return had


def looked_for(ledger: Ledger) -> tuple[object, ...]:
    """The same, by looking at all jobs and executions."""
    jobs = ledger.jobs.values()
    pending = {
        thing: tuple(
            sorted(
                (each for each in queue.values() if each.status in (Status.QUEUED, Status.IN_PROGRESS)),
                key=lambda each: (each.status is Status.QUEUED, each.queued_at, each.serial),
            )
        )
        for thing, queue in ledger.queues.items()
    }
    executions = {
        job_id: [each for thing in dict.fromkeys(of_job.things) for each in ledger.executions(thing, job_id)]
        for job_id, of_job in ledger.of_job.items()
    }
    active = [job for job in jobs if job.status is JobStatus.IN_PROGRESS]
    turns_left = [job for job in jobs if job.rolled_out < job.things_in_all]
    return (
        {thing: executions for thing, executions in pending.items() if executions},
        sorted((job.created_at, job.job_id) for job in jobs),
        {kind: sum(job.is_continuous is kind for job in active) for kind in (False, True)},
        [job.job_id for job in turns_left if job.status in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED)],
        [job_id for job_id in ledger.deleting if ledger.jobs[job_id].status is JobStatus.DELETION_IN_PROGRESS],
        {
            job_id: {status: sum(each.status is status for each in its) for status in Status}
            for job_id, its in executions.items()
        },
        having([*jobs]),
        {
            thing: sorted(
                (each for job_id in queue for each in ledger.executions(thing, job_id)),
                key=lambda each: (each.queued_at, each.serial),
                reverse=True,
            )
            for thing, queue in ledger.queues.items()
        },
    )


@pytest.mark.parametrize("seed", range(30))
def test_an_index_finds_what_a_look_at_everything_finds(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(thing_order, "FEW", 2)  # the others are kept
    account, chance = Account(SETTINGS), Random(seed)
    assert not list(account.jobs.jobs({("status", "COMPLETED")}))
    for _ in range(60):
        act(account, chance)
        ledger = account.jobs._ledger
        assert found(ledger) == looked_for(ledger)
