"""Timers that time an execution out, and executions that are tried again."""

import pytest

from agent.values import Describe, ErrorCode, ExecutionTold, Rejected, StartNext, Status
from simulator.cloud.jobs import JobsError, JobsSettings, JobStatus, JobUpdate, RetryCriterion
from simulator.cloud.jobs.agenda import Agenda
from simulator.cloud.jobs.commands import DeleteExecution, UpdateJob

from .account import Account, numbers

MINUTE, DAY = 60, 86_400


# ── timers ────────────────────────────────────────────────────────────────────────────────────────────────────


def started(**more) -> Account:
    account = Account().create("fw", "a", **more)
    account.update("a", "fw")
    account.heard.clear()
    return account


def test_the_in_progress_timer_starts_with_the_first_in_progress_and_is_never_set_again():
    account = Account().create("fw", "a", timeout_minutes=10)
    account.later(20 * MINUTE)
    assert account.seconds_left("a", "fw") is None, "no timer runs while QUEUED"
    account.update("a", "fw")
    began = account.now
    account.later(5 * MINUTE)
    account.update("a", "fw", status_details=(("progress", "50"),))
    account.later(began + 10 * MINUTE - account.now - 1)
    assert account.statuses("fw") == {"a": "IN_PROGRESS"}
    account.later(1)
    assert account.statuses("fw") == {"a": "TIMED_OUT"}
    assert account.jobs.execution("a", "fw").version_number == 4


def test_a_time_out_is_told_and_ends_the_job():
    account = started(timeout_minutes=1)
    account.later(MINUTE)
    assert account.told("a") == ["notify []", "next -"]
    assert account.taken() == ["timed_out", "completed"]
    answer = account.update("a", "fw", Status.SUCCEEDED)
    assert isinstance(answer, Rejected)
    assert answer.state is not None
    assert answer.state.status is Status.TIMED_OUT


def test_devices_are_told_how_long_they_have():
    account = started(timeout_minutes=10)
    assert account.seconds_left("a", "fw") == 599
    account.update("a", "fw", step_timeout_minutes=2)
    assert account.seconds_left("a", "fw") == 119
    account.update("a", "fw", step_timeout_minutes=100)
    assert account.seconds_left("a", "fw") == 595, "the step is bounded by the whole"
    account.update("a", "fw", step_timeout_minutes=-1)
    assert account.seconds_left("a", "fw") == 593


def test_each_step_timer_takes_the_place_of_the_one_before():
    account = started()
    account.update("a", "fw", step_timeout_minutes=1)
    account.later(50)
    account.update("a", "fw", step_timeout_minutes=3)
    account.later(100)
    account.update("a", "fw")
    account.later(78)
    assert account.statuses("fw") == {"a": "IN_PROGRESS"}, "an update without one leaves it as it is"
    account.later(1)
    assert account.statuses("fw") == {"a": "TIMED_OUT"}


def test_a_step_timer_that_is_stopped_does_not_run_out():
    account = started()
    account.update("a", "fw", step_timeout_minutes=1)
    account.update("a", "fw", step_timeout_minutes=-1)
    account.later(7 * DAY)
    assert account.statuses("fw") == {"a": "IN_PROGRESS"}


def test_start_next_sets_a_step_timer_and_sets_it_again_without_a_new_version():
    account = Account().create("fw", "a")
    for seconds in (60, 600):
        answer = account.ask("a", StartNext(step_timeout_minutes=seconds // 60))
        assert isinstance(answer, ExecutionTold)
        assert answer.execution is not None
        assert answer.execution.approximate_seconds_before_timed_out == seconds
        assert answer.execution.version_number == 2
    account.later(599)
    assert account.statuses("fw") == {"a": "IN_PROGRESS"}
    account.later(1)
    assert account.statuses("fw") == {"a": "TIMED_OUT"}


@pytest.mark.parametrize("end", [Status.SUCCEEDED, Status.FAILED, Status.REJECTED])
def test_no_timer_survives_the_end(end: Status):
    account = started(timeout_minutes=1)
    account.update("a", "fw", end, step_timeout_minutes=1)
    assert account.jobs.next_due() is None
    account.later(DAY)
    assert account.statuses("fw") == {"a": end.value}


def test_a_timeout_that_is_changed_counts_for_those_that_start_later():
    account = Account().create("fw", "a", "b", timeout_minutes=1)
    account.update("a", "fw")
    update = JobUpdate(timeout_minutes=60)
    account.jobs.do(UpdateJob("fw", update), account.now)
    account.update("b", "fw")
    account.later(MINUTE)
    assert account.statuses("fw") == {"a": "TIMED_OUT", "b": "IN_PROGRESS"}


def test_a_time_out_may_be_late():
    account = Account(JobsSettings(timeouts_late_seconds=60)).create("fw", "a", timeout_minutes=1)
    account.update("a", "fw")
    account.later(119)
    assert account.statuses("fw") == {"a": "IN_PROGRESS"}
    assert account.seconds_left("a", "fw") == 0
    account.later(1)
    assert account.statuses("fw") == {"a": "TIMED_OUT"}


def test_the_last_of_a_million_step_timers_costs_no_more_memory_than_the_first():
    agenda: Agenda[str] = Agenda()
    for second in range(10_000):
        agenda.set("a", second + 604_800)
        agenda.set("b", 5)
    assert len(agenda._heap) < 200
    assert agenda.take_due(10) == "b"
    assert agenda.next_due() == 9_999 + 604_800
    agenda.set("a", None)
    assert agenda.next_due() is None


# ── retries ───────────────────────────────────────────────────────────────────────────────────────────────────


def retrying(*criteria: tuple[str, int], **more) -> Account:
    retries = tuple(RetryCriterion(*criterion) for criterion in criteria)
    return Account().create("fw", "a", retries=retries, timeout_minutes=1, **more)


def fail(account: Account, how: str) -> None:
    account.update("a", "fw")
    if how == "T":
        account.later(MINUTE)
    else:
        account.update("a", "fw", {"F": Status.FAILED, "R": Status.REJECTED, "S": Status.SUCCEEDED}[how])


@pytest.mark.parametrize(
    ("criteria", "ends", "executions"),
    [
        pytest.param([("FAILED", 2)], "FFF", 3, id="as often as it may"),
        pytest.param([("FAILED", 2)], "FT", 2, id="not for a failure of another kind"),
        pytest.param([("TIMED_OUT", 1)], "TT", 2, id="timed out"),
        pytest.param([("FAILED", 1), ("TIMED_OUT", 2)], "FTT", 4, id="each kind has its own count"),
        pytest.param([("FAILED", 1), ("TIMED_OUT", 2)], "FF", 2, id="and no other"),
        pytest.param([("ALL", 3)], "FTFT", 4, id="all kinds together"),
        pytest.param([("ALL", 3)], "R", 1, id="a rejection is not tried again"),
        pytest.param([("ALL", 3)], "FS", 2, id="nor is a success"),
        pytest.param([("FAILED", 0)], "F", 1, id="no retry at all"),
    ],
)
def test_how_often_a_failure_is_tried_again(criteria, ends, executions):
    account = retrying(*criteria)
    for end in ends:
        fail(account, end)
    assert numbers(account, "fw", "a") == list(range(1, executions + 1))
    is_over = executions == len(ends)
    assert account.status("fw") is (JobStatus.COMPLETED if is_over else JobStatus.IN_PROGRESS)


def test_a_retry_is_a_new_execution_and_the_old_one_can_still_be_looked_at():
    account = retrying(("FAILED", 1))
    account.update("a", "fw", Status.FAILED, status_details=(("why", "disk"),))
    old, new = account.jobs.execution("a", "fw", 1), account.jobs.execution("a", "fw")
    assert (old.status, old.status_details, old.retry_attempt) == ("FAILED", (("why", "disk"),), 0)
    assert (new.status, new.key.execution_number, new.version_number, new.retry_attempt) == ("QUEUED", 2, 1, 1)
    assert new.status_details == ()
    counts = account.jobs.counts("fw")
    assert (counts[Status.FAILED], counts[Status.QUEUED]) == (1, 1), "executions are counted, not things"
    first = account.ask("a", Describe("fw", execution_number=1))
    assert isinstance(first, Rejected)
    assert first.code is ErrorCode.TERMINAL_STATE_REACHED
    assert isinstance(account.ask("a", Describe("fw", execution_number=2)), ExecutionTold)
    stale = account.update("a", "fw", Status.SUCCEEDED, execution_number=1)
    assert isinstance(stale, Rejected)
    assert stale.code is ErrorCode.INVALID_STATE_TRANSITION
    none = account.ask("a", Describe("fw", execution_number=3))
    assert isinstance(none, Rejected)
    assert none.code is ErrorCode.RESOURCE_NOT_FOUND
    assert account.jobs.execution("a", "fw") == new


def test_a_retry_is_told_as_a_new_head():
    account = retrying(("FAILED", 1))
    account.heard.clear()
    account.update("a", "fw", Status.FAILED)
    assert account.told("a") == ["notify []", "next -", "notify [fw]", "next fw#2"]


def test_a_cancelled_job_tries_nothing_again():
    account = retrying(("FAILED", 5))
    account.update("a", "fw")
    account.cancel("fw")
    account.update("a", "fw", Status.FAILED)
    assert numbers(account, "fw", "a") == [1]


def test_retries_can_be_given_up_but_not_added():
    account = retrying(("FAILED", 5))
    more, none = (JobUpdate(retries=(RetryCriterion("FAILED", count),)) for count in (6, 0))
    with pytest.raises(JobsError, match="only be set to 0"):
        account.jobs.do(UpdateJob("fw", more), account.now)
    account.jobs.do(UpdateJob("fw", none), account.now)
    fail(account, "F")
    assert account.status("fw") is JobStatus.COMPLETED


def test_more_than_ten_retries_are_refused():
    with pytest.raises(JobsError, match="at most 10 retries"):
        retrying(("FAILED", 6), ("TIMED_OUT", 5))


def test_deleting_the_latest_execution_leaves_the_one_before():
    account = retrying(("FAILED", 1))
    fail(account, "F")
    account.jobs.do(DeleteExecution("a", "fw", number=2), account.now)
    assert account.jobs.execution("a", "fw").key.execution_number == 1
    assert account.status("fw") is JobStatus.COMPLETED
    account.jobs.do(DeleteExecution("a", "fw", number=1), account.now)
    assert account.jobs.executions_of_thing("a") == []


def test_deleting_a_job_takes_every_execution_with_it():
    account = retrying(("FAILED", 2))
    fail(account, "F")
    fail(account, "F")
    account.events.clear()
    account.delete("fw")
    assert account.taken() == ["deletion_in_progress", "deleted", "deleted", "deleted", "deleted"]
    assert account.jobs.executions_of_thing("a") == []
