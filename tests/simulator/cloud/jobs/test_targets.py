"""Things that join and leave a job's groups, and things that are deleted."""

from dataclasses import replace

import pytest

from agent.values import Status
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, JobStatus, Rollout, Schedule
from simulator.cloud.jobs.backlog import AT_ONCE
from simulator.cloud.jobs.commands import AssociateTargets, DeleteExecution, ThingDeleted, ThingMoved

from .account import Account, names, numbers

G, H = "arn:aws:iot:us-east-1:000000000000:thinggroup/g", "arn:aws:iot:us-east-1:000000000000:thinggroup/h"


def continuous(*things: str, targets: tuple[str, ...] = (G,), **more) -> Account:
    return Account().create("fw", *things, target_selection="CONTINUOUS", targets=targets, **more)


def join(account: Account, thing: str, *targets: str, others: tuple[str, ...] = ()) -> None:
    account.now += 1
    account.did(account.jobs.do(ThingMoved("joined", thing, targets, others=others), account.now))


def leave(account: Account, thing: str, *targets: str, others: tuple[str, ...] = ()) -> None:
    account.now += 1
    account.did(account.jobs.do(ThingMoved("left", thing, targets, others=others), account.now))


def test_a_thing_that_joins_gets_an_execution():
    account = continuous("a")
    join(account, "b", G)
    assert account.statuses("fw") == {"a": "QUEUED", "b": "QUEUED"}
    assert account.told("b") == ["notify [fw]", "next fw#1"]


def test_a_thing_that_joins_another_group_gets_nothing():
    account = continuous("a")
    join(account, "b", H)
    assert account.statuses("fw") == {"a": "QUEUED"}


def test_a_thing_that_joins_a_second_group_of_the_same_job_gets_no_second_execution():
    account = continuous("a", targets=(G, H))
    account.update("a", "fw", Status.SUCCEEDED)
    join(account, "a", H, others=(G,))
    assert numbers(account, "fw", "a") == [1]
    leave(account, "a", G, others=(H,))
    leave(account, "a", H)
    join(account, "a", H)
    assert numbers(account, "fw", "a") == [1, 2]


def test_a_snapshot_job_does_not_care():
    account = Account().create("fw", "a", targets=(G,))
    join(account, "b", G)
    leave(account, "a", G)
    assert account.statuses("fw") == {"a": "QUEUED"}


def test_who_leaves_has_what_is_pending_removed_and_who_comes_back_begins_anew():
    account = continuous("a")
    account.update("a", "fw")
    account.heard.clear()
    account.events.clear()
    leave(account, "a", G)
    assert account.statuses("fw") == {"a": "REMOVED"}
    assert account.told("a") == ["notify []", "next -"]
    assert account.taken() == ["removed"]
    join(account, "a", G)
    assert numbers(account, "fw", "a") == [1, 2]
    first, second = (account.jobs.execution("a", "fw", number) for number in (1, 2))
    assert second.queued_at > first.queued_at
    assert second.retry_attempt == 0


def test_who_leaves_after_the_end_keeps_what_was():
    account = continuous("a")
    account.update("a", "fw", Status.SUCCEEDED)
    leave(account, "a", G)
    assert account.statuses("fw") == {"a": "SUCCEEDED"}
    join(account, "a", G)
    assert account.statuses("fw") == {"a": "QUEUED"}


def test_a_job_that_is_over_takes_nobody():
    account = continuous("a")
    account.cancel("fw")
    join(account, "b", G)
    assert account.statuses("fw") == {"a": "CANCELED"}


def test_who_joins_during_the_rollout_does_not_wait_and_has_no_second_turn():
    account = continuous(*names(3), rollout=Rollout(maximum_per_minute=1))
    join(account, "late", G)
    assert account.statuses("fw") == {"t0": "QUEUED", "late": "QUEUED"}
    leave(account, "t2", G)
    account.later(300)
    assert account.statuses("fw") == {"t0": "QUEUED", "late": "QUEUED", "t1": "QUEUED"}


def test_who_leaves_and_comes_back_before_its_turn_has_its_turn():
    account = continuous(*names(3), rollout=Rollout(maximum_per_minute=1))
    leave(account, "t2", G)
    join(account, "t2", G)
    account.later(300)
    assert numbers(account, "fw", "t2") == [1]


def test_who_joins_and_leaves_a_scheduled_job_is_counted_when_it_starts():
    account = continuous("a", "b", schedule=Schedule(start_at=1_003_600))
    join(account, "c", G)
    leave(account, "b", G)
    assert account.status("fw") is JobStatus.SCHEDULED
    account.later(3600)
    assert account.statuses("fw") == {"a": "QUEUED", "c": "QUEUED"}


# ── targets that are added ────────────────────────────────────────────────────────────────────────────────────


def test_targets_can_be_added_to_a_continuous_job():
    account = continuous("a")
    account.jobs.do(AssociateTargets("fw", (H,), ("a", "b"), comment="more"), account.now)
    job = account.jobs.job("fw")
    assert (job.targets, job.comment) == ((G, H), "more")
    assert account.statuses("fw") == {"a": "QUEUED", "b": "QUEUED"}
    join(account, "c", H)
    assert account.statuses("fw")["c"] == "QUEUED"


def test_things_of_added_targets_wait_for_their_turn_as_the_others_do():
    account = continuous(*names(2), rollout=Rollout(maximum_per_minute=1))
    account.jobs.do(AssociateTargets("fw", (H,), ("b",)), account.now)
    assert list(account.statuses("fw")) == ["t0"]
    account.later(60)
    assert list(account.statuses("fw")) == ["t0", "t1"]
    account.later(60)
    assert list(account.statuses("fw")) == ["t0", "t1", "b"]


@pytest.mark.parametrize(
    ("more", "targets", "kind"),
    [
        pytest.param({}, (H,), "InvalidRequest", id="a snapshot job"),
        pytest.param(
            {"target_selection": "CONTINUOUS"}, tuple(map(str, range(101))), "LimitExceeded", id="too many targets"
        ),
    ],
)
def test_targets_are_not_added(more, targets, kind):
    account = Account().create("fw", "a", **more)
    with pytest.raises(JobsError) as caught:
        account.jobs.do(AssociateTargets("fw", targets, ()), account.now)
    assert caught.value.kind == kind


# ── turns that are skipped ────────────────────────────────────────────────────────────────────────────────────


def test_who_leaves_while_a_rollout_is_under_way_has_no_turn_and_who_comes_back_has_it():
    things = names(AT_ONCE + 20)
    account = continuous(*things)
    assert len(account.statuses("fw")) == AT_ONCE
    for thing in things[-2:]:
        leave(account, thing, G)
    join(account, things[-1], G)
    account.left_to_tick(4)
    assert set(account.statuses("fw")) == {*things} - {things[-2]}


def test_who_comes_back_when_its_turn_is_over_gets_its_execution_at_once():
    things = names(AT_ONCE + 20)
    account = continuous(*things)
    leave(account, things[AT_ONCE], G)
    account.did(account.jobs.tick(account.now, 10))
    assert things[AT_ONCE] not in account.statuses("fw")
    join(account, things[AT_ONCE], G)
    assert account.statuses("fw")[things[AT_ONCE]] == "QUEUED"
    account.left_to_tick(4)
    leave(account, things[0], G)
    join(account, things[0], G)
    assert numbers(account, "fw", things[0]) == [1, 2]


def test_what_is_kept_of_a_thousand_that_left_is_a_bit_each():
    things = names(1000)
    account = continuous(*things, rollout=Rollout(maximum_per_minute=1))
    for thing in things[1:]:
        leave(account, thing, G)
    assert len(account.jobs.job("fw").skipped_turns) == 125
    account.later(1000 * 60)
    assert account.statuses("fw") == {"t0": "QUEUED"}


def test_turns_that_an_earlier_version_skipped_by_name_are_skipped():
    account = continuous(*names(3), rollout=Rollout(maximum_per_minute=1))
    job = replace(account.jobs.job("fw"), skipped=("t2", "nobody"))
    account.jobs = Jobs.restored(account.settings, [job], account.jobs.executions_of_job("fw"), account.now)
    assert account.jobs.job("fw").skipped == ()
    account.later(600)
    assert set(account.statuses("fw")) == {"t0", "t1"}


def test_jobs_that_follow_a_group_come_in_the_order_of_their_creation():
    account = Account()
    for name, targets in (("a", (H,)), ("b", (G,)), ("c", (G, H))):
        account.create(name, target_selection="CONTINUOUS", targets=targets)
    account.jobs.do(AssociateTargets("a", (G,), ()), account.now)
    account.cancel("b")
    account.create("d", target_selection="CONTINUOUS", targets=(G,))
    join(account, "t", G, H)
    assert [each.key.job_id for each in account.jobs.executions_of_thing("t")] == ["d", "c", "a"]
    account.delete("c")
    leave(account, "t", G, H)
    assert {each.key.job_id: each.status.value for each in account.jobs.executions_of_thing("t")} == {
        "a": "REMOVED",
        "d": "REMOVED",
    }


# ── things that are deleted ───────────────────────────────────────────────────────────────────────────────────


def test_the_executions_of_a_deleted_thing_are_removed_and_its_turns_are_skipped():
    account = Account().create("fw", *names(2), rollout=Rollout(maximum_per_minute=1)).create("other", "t0", "t1")
    account.update("t1", "other", Status.SUCCEEDED)
    for thing in names(2):
        account.did(account.jobs.do(ThingDeleted(thing), account.now))
    account.later(300)
    assert account.statuses("fw") == {"t0": "REMOVED"}
    assert account.statuses("other") == {"t0": "REMOVED", "t1": "SUCCEEDED"}
    assert account.status("fw") is account.status("other") is JobStatus.COMPLETED


def test_a_deleted_thing_may_keep_its_executions():
    account = Account(JobsSettings(deleted_thing="stays")).create("fw", "a")
    account.jobs.do(ThingDeleted("a"), account.now)
    assert account.statuses("fw") == {"a": "QUEUED"}


def test_who_gets_an_execution_again_after_its_record_was_deleted_is_listed_once():
    account = continuous("a")
    account.jobs.do(DeleteExecution("a", "fw", 1), account.now)
    leave(account, "a", G)
    join(account, "a", G)
    assert [each.thing for each in account.jobs.executions_of_job("fw")] == ["a"]
