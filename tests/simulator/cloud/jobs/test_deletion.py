"""Deletion: in slices, in order, stretchable, and what a device meets meanwhile."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agent.values import (
    Describe,
    ErrorCode,
    ExecutionTold,
    GetPending,
    PendingListed,
    Rejected,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)
from simulator.cloud.jobs import JobsError, JobsSettings, JobStatus
from simulator.cloud.jobs.backlog import AT_ONCE
from simulator.cloud.jobs.deletion import DELETION_TAG, REMOVAL_DELAY_TAG

from .account import Account, names

SLOW = JobsSettings(
    removal_delay_seconds=10, deletion_seconds=10, deletion_seconds_per_execution=0, documented_notify="none"
)


def big(things: int, settings: JobsSettings | None = None) -> Account:
    account = Account(settings) if settings else Account()
    account.create("big", *names(things)).left_to_tick(1000)
    return account


# ── slices ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_big_job_goes_in_slices_and_each_tick_does_no_more_than_it_may():
    account = big(AT_ONCE + 1000)
    account.delete("big")
    assert len(account.jobs.executions_of_job("big")) == 1000
    account.outcomes.clear()
    assert account.left_to_tick(16) == 63, "62 full ticks and one of 8, which ends it"
    assert max(len(outcome.hints) for outcome in account.outcomes) == 32
    with pytest.raises(JobsError, match="does not exist"):
        account.jobs.job("big")


def test_what_is_under_way_is_due_at_once_and_a_tick_of_nothing_does_nothing():
    account = big(AT_ONCE + 1)
    account.delete("big")
    assert account.jobs.next_due() == 0
    assert account.jobs.tick(account.now, 0).changes == ()
    account.jobs.tick(account.now, 1)
    assert account.jobs.executions_of_job("big") == []


def test_two_big_deletions_take_turns():
    account = big(AT_ONCE + 100)
    account.create("other", *names(AT_ONCE + 100, "u")).left_to_tick(1000)
    account.delete("big")
    account.delete("other")
    account.did(account.jobs.tick(account.now, 64))
    assert [len(account.jobs.executions_of_job(job_id)) for job_id in ("big", "other")] == [68, 68]


def test_other_things_are_served_between_two_slices_and_a_new_job_of_the_same_things_is_not_mistaken():
    account = big(AT_ONCE + 200)
    account.delete("big")
    last = f"t{AT_ONCE + 199}"
    account.create("next", last)
    account.heard.clear()
    assert isinstance(account.update(last, "next"), UpdateAccepted)
    account.left_to_tick(10)
    assert account.told(last) == ["notify [next]"], "it knew its head already"
    assert account.status("next") is JobStatus.IN_PROGRESS


def test_a_job_that_is_still_being_rolled_out_or_cancelled_is_deleted_all_the_same():
    for begin in (lambda account: None, lambda account: account.cancel("big")):
        account = Account()
        account.create("big", *names(AT_ONCE + 50))
        begin(account)
        account.delete("big")
        account.left_to_tick(8)
        with pytest.raises(JobsError, match="does not exist"):
            account.jobs.job("big")
        assert account.jobs.executions_of_thing(f"t{AT_ONCE + 49}") == []
        account.create("big", "t0")
        assert account.statuses("big") == {"t0": "QUEUED"}


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_come_in_order_and_each_after_the_notifications_of_its_execution():
    account = Account()
    account.create("fw", "a", "b")
    account.update("a", "fw")
    account.heard.clear()
    account.events.clear()
    account.delete("fw")
    assert [(event.operation, event.after_hints) for event in account.events] == [
        ("deletion_in_progress", 0),
        ("deleted", 2),
        ("deleted", 4),
        ("deleted", 4),
    ]
    assert account.told("a") == account.told("b") == ["notify []", "next -"]


def test_nobody_is_told_of_events_that_are_switched_off():
    account = Account()
    account.jobs.event_kinds = frozenset()
    account.create("fw", "a")
    account.delete("fw")
    assert account.events == []


def test_an_id_is_free_only_when_the_last_record_and_the_job_are_gone():
    account = big(AT_ONCE + 1)
    account.delete("big")
    with pytest.raises(JobsError, match="already exists"):
        account.create("big", "t0")
    account.left_to_tick(8)
    account.create("big", "t0")
    assert account.statuses("big") == {"t0": "QUEUED"}


# ── spans ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tags", "delays", "removed_after", "gone_after"),
    [
        pytest.param({}, (), 10, 20, id="the settings"),
        pytest.param({REMOVAL_DELAY_TAG: "3"}, (), 3, 20, id="a tag for the records"),
        pytest.param({DELETION_TAG: "60"}, (), 10, 60, id="a tag for the job"),
        pytest.param({REMOVAL_DELAY_TAG: "30.5"}, (), 30.5, 30.5, id="a job outlasts its records"),
        pytest.param({}, (("x*", 1), ("f?", 2), ("*", 4)), 2, 20, id="the first pattern that matches"),
        pytest.param({REMOVAL_DELAY_TAG: "5"}, (("fw", 2),), 5, 20, id="a tag before a pattern"),
    ],
)
def test_how_long_a_deletion_lasts_can_be_said_for_each_job(tags, delays, removed_after, gone_after):
    account = Account(
        replace(SLOW, deletion_seconds=20, deletion_seconds_per_execution=0, removal_delays=delays)
    ).create("fw", "a")
    account.delete("fw", tags=tuple(tags.items()))
    began = account.now
    account.later(removed_after - 0.25)
    assert len(account.jobs.executions_of_job("fw")) == 1
    account.later(0.25)
    assert account.jobs.executions_of_job("fw") == [] if gone_after > removed_after else True
    while (due := account.jobs.next_due()) is not None:
        account.later(due - account.now)
    assert account.now == began + gone_after


@pytest.mark.parametrize("text", ["soon", "-1", "86401", "nan", ""])
def test_a_tag_that_is_no_number_of_seconds_is_refused(text: str):
    account = Account().create("fw", "a")
    with pytest.raises(JobsError, match="no number of seconds"):
        account.delete("fw", tags=((REMOVAL_DELAY_TAG, text),))
    assert account.status("fw") is JobStatus.IN_PROGRESS


def test_records_go_no_faster_than_so_many_a_second():
    things = tuple(f"thing-{number}" for number in range(100))
    account = Account(replace(SLOW, removal_delay_seconds=0, removals_per_second=10)).create("fw", *things)
    account.later(0)
    account.delete("fw")
    left = [100]
    for _ in range(9):
        account.later(1)
        left.append(len(account.jobs.executions_of_job("fw")))
    assert max(before - after for before, after in pairwise(left)) <= 16, "a piece at a time"
    assert left == pytest.approx([100 - 10 * second for second in range(10)], abs=16)
    assert list(account.later(3).jobs.jobs()) == []


# ── meanwhile ─────────────────────────────────────────────────────────────────────────────────────────────────

GONE, ENDED, MOVED = ErrorCode.RESOURCE_NOT_FOUND, ErrorCode.TERMINAL_STATE_REACHED, ErrorCode.INVALID_STATE_TRANSITION


@pytest.mark.parametrize(
    ("setting", "read", "update", "is_listed"),
    [
        ("gone", GONE, GONE, False),
        ("reads-answer", None, GONE, False),
        ("answers", None, None, False),
        ("answers-and-lists", None, None, True),
        ("terminal", ENDED, MOVED, False),
    ],
)
def test_what_a_device_meets_between_the_deletion_and_the_removal(setting, read, update, is_listed):
    account = Account(replace(SLOW, while_deleting=setting)).create("fw", "a")
    account.update("a", "fw")
    account.heard.clear()
    account.delete("fw")
    assert account.told("a") == []
    listed = account.ask("a", GetPending())
    assert isinstance(listed, PendingListed)
    assert bool(listed.in_progress) is is_listed
    for request in (Describe("$next"), StartNext()):
        told = account.ask("a", request)
        assert isinstance(told, ExecutionTold)
        assert (told.execution is not None) is is_listed
    assert _code(account.ask("a", Describe("fw"))) is read
    answer = account.ask("a", Update("fw", Status.IN_PROGRESS, expected_version=2))
    assert _code(answer) is update
    assert (isinstance(answer, Rejected) and answer.state is not None) is (update is MOVED)
    account.later(10)
    assert account.told("a") == ["notify []", "next -"]
    assert _code(account.ask("a", Describe("fw"))) is GONE


@pytest.mark.parametrize(
    ("reported", "told"), [(Status.IN_PROGRESS, Status.REMOVED), (Status.SUCCEEDED, Status.SUCCEEDED)]
)
def test_what_is_called_ended_is_not_told_to_be_in_progress(reported: Status, told: Status):
    account = Account(replace(SLOW, while_deleting="terminal")).create("fw", "a")
    account.update("a", "fw", reported)
    account.delete("fw")
    answer = account.ask("a", Update("fw", Status.IN_PROGRESS))
    assert isinstance(answer, Rejected)
    assert answer.state is not None
    assert answer.state.status is told
    assert answer.message.startswith(f"{told} cannot become")


def test_a_read_may_lag_behind_a_record_that_is_gone_although_its_job_is_still_being_deleted():
    account = Account(
        JobsSettings(stale_reads_seconds=3, deletion_seconds=10, deletion_seconds_per_execution=0)
    ).create("fw", "a")
    account.update("a", "fw")
    account.delete("fw")
    assert account.jobs.executions_of_thing("a") == []
    assert isinstance(account.ask("a", Describe("fw")), ExecutionTold)
    assert _code(account.ask("a", Update("fw", Status.SUCCEEDED, expected_version=2))) is GONE, "a write never lags"
    account.later(3)
    assert _code(account.ask("a", Describe("fw"))) is GONE


def test_an_end_that_is_accepted_meanwhile_is_told_and_no_timer_runs_out():
    account = Account(replace(SLOW, while_deleting="answers"))
    account.create("fw", "a", "b", timeout_minutes=1)
    account.update("a", "fw")
    account.update("b", "fw")
    account.later(51)
    account.delete("fw")
    assert isinstance(account.update("a", "fw", Status.SUCCEEDED), UpdateAccepted)
    account.later(8)
    assert account.now > 60 + account.jobs.execution("b", "fw").last_updated_at
    assert account.statuses("fw") == {"a": "SUCCEEDED", "b": "IN_PROGRESS"}
    account.later(1)
    assert account.jobs.executions_of_thing("a") == account.jobs.executions_of_thing("b") == []


def test_a_device_that_goes_on_with_what_is_in_no_list_is_told_of_its_removal_once_and_of_nothing_before():
    account = Account(replace(SLOW, while_deleting="answers")).create("fw", "a")
    account.delete("fw")
    account.heard.clear()
    assert isinstance(account.update("a", "fw"), UpdateAccepted)
    assert account.told("a") == []
    account.later(10)
    assert account.told("a") == ["notify []", "next -"]


def _code(answer) -> ErrorCode | None:
    return answer.code if isinstance(answer, Rejected) else None


# ── errors that AWS does not name ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "do", "kind"),
    [
        ({}, lambda a: a.delete("fw"), "InvalidStateTransition"),
        ({"deleting_again": "InvalidRequest"}, lambda a: a.delete("fw"), "InvalidRequest"),
        ({}, lambda a: a.cancel("fw"), "InvalidRequest"),
        ({"cancelling_deleted": "InvalidStateTransition"}, lambda a: a.cancel("fw"), "InvalidStateTransition"),
        ({}, lambda a: a.delete("other", namespace_id="lab"), "ResourceNotFound"),
        ({"wrong_namespace": "InvalidRequest"}, lambda a: a.delete("other", namespace_id="lab"), "InvalidRequest"),
    ],
)
def test_errors_that_aws_does_not_name_are_settings(settings, do, kind: str):
    account = Account(replace(SLOW, **settings)).create("fw", "a").create("other", "a")
    account.delete("fw")
    with pytest.raises(JobsError) as caught:
        do(account)
    assert caught.value.kind == kind
