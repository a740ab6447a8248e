"""Whoever keeps the last record of each job and execution can begin again from there."""

import contextlib
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from agent.values import StartNext, Status
from simulator.cloud.jobs import (
    AbortCriterion,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    Job,
    JobChanged,
    JobExecution,
    Jobs,
    JobsError,
    JobsSettings,
    JobUpdate,
    MaintenanceWindow,
    NewsChanged,
    Outcome,
    RetryCriterion,
    Rollout,
    Schedule,
    ThingNews,
)
from simulator.cloud.jobs.commands import DeleteExecution, ThingDeleted, ThingMoved, UpdateJob

from .account import Account, names

THINGS = names(150)
GROUP = "group"
SETTINGS = JobsSettings(removal_delays=(("*2", 40.0),), deletion_seconds=5, schedule_lead_seconds=60)
CONFIGURATIONS = (
    {},
    {"rollout": Rollout(maximum_per_minute=20)},
    {"timeout_minutes": 1, "retries": (RetryCriterion("ALL", 2),)},
    {"abort": (AbortCriterion("FAILED", 40, 3),), "rollout": Rollout(maximum_per_minute=30)},
    {"target_selection": "CONTINUOUS", "targets": (GROUP,)},
    {"namespace_id": "lab"},
)


@dataclass
class Kept:
    """The last record of everything, by its key: what a store has."""

    jobs: dict[str, Job] = field(default_factory=dict)
    executions: dict[tuple[str, str, int], JobExecution] = field(default_factory=dict)
    news: dict[str, ThingNews] = field(default_factory=dict)

    def keep(self, outcome: Outcome) -> None:
        for change in outcome.changes:
            match change:
                case JobChanged(before=before, job=None):
                    assert before is not None
                    del self.jobs[before.job_id]
                case JobChanged(job=job):
                    assert job is not None
                    self.jobs[job.job_id] = job
                case ExecutionQueued(execution=new) | ExecutionChanged(execution=new):
                    self.executions[_key(new)] = new
                case ExecutionRemoved(execution=old):
                    del self.executions[_key(old)]
                case NewsChanged(told=told):
                    self.news.pop(told.thing, None)
                    if told.news:
                        self.news[told.thing] = told

    def restored(self, now: float) -> Jobs:
        # In an order of the store's own.
        jobs, executions = list(self.jobs.values()), list(self.executions.values())
        Random(1).shuffle(jobs)
        Random(2).shuffle(executions)
        return Jobs.restored(SETTINGS, jobs, executions, now, self.news.values())


def _key(execution: JobExecution) -> tuple[str, str, int]:
    return execution.thing, execution.key.job_id, execution.key.execution_number


def act(account: Account, chance: Random) -> None:
    """One command of any kind; what is refused is refused."""
    job_id, thing = f"j{chance.randrange(4)}", chance.choice(THINGS)
    things = chance.sample(THINGS, chance.choice((1, 3, 140)))
    end = chance.choice((Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED))
    schedule = Schedule(account.now + 90, account.now + 400, "CANCEL", (MaintenanceWindow("0/2 * ? * * *", 1),))
    jobs, now = account.jobs, account.now
    commands = (
        lambda: account.create(job_id, *things, **chance.choice(CONFIGURATIONS)),
        lambda: account.create(job_id, *things, schedule=schedule),
        lambda: account.ask(thing, StartNext(step_timeout_minutes=chance.choice((None, 1, 3)))),
        lambda: account.update(thing, job_id, end),
        lambda: account.cancel(job_id, force=chance.random() < 0.5),
        lambda: account.delete(job_id, namespace_id=jobs.job(job_id).namespace_id),
        lambda: account.did(
            jobs.do(
                DeleteExecution(thing, job_id, number=1, force=True, namespace_id=jobs.job(job_id).namespace_id), now
            )
        ),
        lambda: account.did(jobs.do(ThingMoved("joined", thing, (GROUP,)), now)),
        lambda: account.did(jobs.do(ThingMoved("left", thing, (GROUP,)), now)),
        lambda: account.did(jobs.do(ThingDeleted(thing), now)),
        lambda: account.did(
            jobs.do(UpdateJob(job_id, JobUpdate(timeout_minutes=2), namespace_id=jobs.job(job_id).namespace_id), now)
        ),
        lambda: account.did(jobs.tick(now, 16)),
        lambda: account.later(chance.choice((1, 45, 100))),
    )
    with contextlib.suppress(JobsError):
        chance.choices(commands, weights=(4, 1, 8, 8, 1, 2, 1, 1, 1, 1, 1, 3, 3))[0]()


def state(jobs: Jobs) -> tuple[object, ...]:
    """All that can be seen from outside."""
    all_jobs = sorted(jobs.jobs(), key=lambda job: job.job_id)
    executions = {job.job_id: set(jobs.executions_of_job(job.job_id)) for job in all_jobs}
    of_things = {thing: jobs.executions_of_thing(thing) for thing in THINGS}
    return all_jobs, executions, of_things, {job.job_id: jobs.counts(job.job_id) for job in all_jobs}


@pytest.mark.parametrize("seed", range(12))
def test_the_service_goes_on_from_its_records_wherever_it_was(seed: int):
    account, chance, kept = Account(SETTINGS), Random(seed), Kept()
    for _ in range(60):
        act(account, chance)
        for outcome in account.outcomes:
            kept.keep(outcome)
        account.outcomes.clear()
        if chance.random() < 0.15:
            restored = kept.restored(account.now)
            assert state(restored) == state(account.jobs)
            account.jobs = restored
    account.later(3600)
    for outcome in account.outcomes:
        kept.keep(outcome)
    assert state(kept.restored(account.now)) == state(account.jobs)
    assert account.jobs.next_due() is None or account.jobs.next_due() > account.now


@pytest.mark.parametrize("seed", range(6))
def test_a_restored_service_and_the_one_that_was_never_killed_end_alike(seed: int):
    chance, kept, one = Random(seed), Kept(), Account(SETTINGS)
    for _ in range(40):
        act(one, chance)
    for outcome in one.outcomes:
        kept.keep(outcome)
    other = replace(one)
    other.jobs = kept.restored(one.now)
    for account in (one, other):
        account.now = one.now if account is one else other.now
        account.later(3600)
    assert _ends(one) == _ends(other)


def _ends(account: Account) -> object:
    return {
        job.job_id: (job.status, {(e.thing, e.key.execution_number, e.status) for e in found})
        for job in account.jobs.jobs()
        for found in (account.jobs.executions_of_job(job.job_id),)
    }
