"""A thing that has many jobs, and joins or leaves their groups, or is deleted: its jobs learn it in slices."""

import pytest

from agent.values import Status
from simulator.cloud.jobs import Jobs, JobsError, NewsChanged, Rollout
from simulator.cloud.jobs.commands import ThingDeleted
from simulator.cloud.jobs.targets import AT_ONCE, MOST_NEWS

from .account import Account
from .test_restoring import Kept
from .test_targets import G, join, leave

JOBS = tuple(f"j{number:02}" for number in range(3 * AT_ONCE))


def followed() -> Account:
    """A group that many continuous jobs follow, and a thing that all of them have come to."""
    account = Account()
    for job_id in JOBS:
        account.create(job_id, "t", target_selection="CONTINUOUS", targets=(G,))
    return account


def latest(account: Account) -> list[str]:
    """The status of each job's latest execution on the thing, and its number, in the order of the jobs."""
    found = {each.key.job_id: each for each in reversed(account.jobs.executions_of_thing("t"))}
    return [f"{found[job_id].status.value} {found[job_id].key.execution_number}" for job_id in sorted(found)]


@pytest.mark.parametrize("is_deleted", [False, True], ids=["leaves", "is deleted"])
def test_the_first_jobs_of_a_thing_that_goes_learn_it_at_once_and_the_others_in_slices(is_deleted: bool):
    account = followed()
    if is_deleted:
        account.did(account.jobs.do(ThingDeleted("t"), account.now))
    else:
        leave(account, "t", G)
    assert latest(account) == ["REMOVED 1"] * AT_ONCE + ["QUEUED 1"] * 2 * AT_ONCE
    assert account.jobs.next_due() == 0
    account.did(account.jobs.tick(account.now, 4))
    assert latest(account).count("REMOVED 1") == AT_ONCE + 4
    account.left_to_tick(4)
    assert latest(account) == ["REMOVED 1"] * len(JOBS)
    assert account.jobs.next_due() is None


def test_a_thing_that_is_deleted_before_its_jobs_learn_that_it_came_has_nothing_to_do_in_the_end():
    account = Account()
    for job_id in JOBS:
        account.create(job_id, "other", target_selection="CONTINUOUS", targets=(G,))
    join(account, "t", G)
    account.did(account.jobs.do(ThingDeleted("t"), account.now))
    account.left_to_tick(4)
    assert latest(account) == ["REMOVED 1"] * len(JOBS)


def test_what_comes_meanwhile_waits_behind_it():
    account, patient = followed(), followed()
    for each, waits in ((account, False), (patient, True)):
        for change in (leave, join, leave, join):
            change(each, "t", G)
            if waits:
                each.left_to_tick(4)
        each.left_to_tick(4)
    assert latest(account) == latest(patient) == ["QUEUED 3"] * len(JOBS)


def test_each_is_told_to_the_device_as_if_it_came_alone():
    account = followed()
    account.heard.clear()
    leave(account, "t", G)
    account.left_to_tick(4)
    told = account.told("t")
    assert told.count("next -") == 1
    assert [hint.split("[")[1] for hint in told if hint.startswith("notify")][-2:] == [f"{JOBS[-1]}]", "]"]


def test_a_device_may_go_on_with_what_is_not_taken_away_yet():
    account = followed()
    leave(account, "t", G)
    account.update("t", JOBS[-1], Status.SUCCEEDED)
    account.left_to_tick(4)
    assert latest(account) == ["REMOVED 1"] * (len(JOBS) - 1) + ["SUCCEEDED 1"]


def test_a_job_that_ends_meanwhile_and_one_made_under_its_id_are_not_concerned():
    account = followed()
    leave(account, "t", G)
    account.cancel(JOBS[-2])
    account.delete(JOBS[-1])
    account.create(JOBS[-1], "t")
    account.left_to_tick(4)
    assert latest(account) == ["REMOVED 1"] * (len(JOBS) - 2) + ["CANCELED 1", "QUEUED 1"]


def test_turns_that_are_still_to_come_are_skipped_in_slices_too():
    account = Account()
    for job_id in JOBS:
        account.create(job_id, "first", "t", rollout=Rollout(maximum_per_minute=1))
    account.did(account.jobs.do(ThingDeleted("t"), account.now))
    account.left_to_tick(4)
    account.later(120)
    assert latest(account) == []


def test_whoever_kept_the_records_goes_on_where_it_was():
    account, kept = followed(), Kept()
    leave(account, "t", G)
    join(account, "t", G)
    account.did(account.jobs.tick(account.now, 4))
    for outcome in account.outcomes:
        kept.keep(outcome)
    restored = Account(account.settings, account.now)
    restored.jobs = jobs_at(account, kept)
    account.left_to_tick(4)
    restored.left_to_tick(4)
    assert latest(restored) == latest(account) == ["QUEUED 2"] * len(JOBS)


def test_of_a_job_whose_records_were_lost_nothing_is_told_and_the_others_learn_it():
    account, kept = followed(), Kept()
    leave(account, "t", G)
    for outcome in account.outcomes:
        kept.keep(outcome)
    del kept.jobs[JOBS[-2]]  # as a state file may be that was salvaged
    kept.executions = {key: each for key, each in kept.executions.items() if key[1] != JOBS[-2]}
    account.jobs = jobs_at(account, kept)
    account.outcomes.clear()
    account.left_to_tick(4)
    assert latest(account) == ["REMOVED 1"] * (len(JOBS) - 1)
    assert not any(outcome.failures for outcome in account.outcomes)
    assert account.jobs.next_due() is None


def jobs_at(account: Account, kept: Kept) -> Jobs:
    return Jobs.restored(
        account.settings, kept.jobs.values(), kept.executions.values(), account.now, kept.news.values()
    )


def test_when_all_have_learned_it_nothing_is_kept():
    account = followed()
    leave(account, "t", G)
    account.left_to_tick(4)
    last = [change for outcome in account.outcomes for change in outcome.changes if isinstance(change, NewsChanged)][-1]
    assert last.told.news == ()


def test_a_thing_that_changes_faster_than_its_jobs_learn_it_has_to_wait():
    account = followed()
    for _ in range(MOST_NEWS // 2):
        leave(account, "t", G)
        join(account, "t", G)
    account.jobs.check_news("another")
    with pytest.raises(JobsError) as caught:
        account.jobs.check_news("t")
    assert caught.value.kind == "Throttling"
    account.left_to_tick(100)
    account.jobs.check_news("t")
