"""Rollout, abort, cancellation and completion: who has a turn when, and when a job ends."""

import pytest

from agent.values import Status
from simulator.cloud.jobs import AbortCriterion, ExponentialRate, JobsError, JobsSettings, JobStatus, JobUpdate, Rollout
from simulator.cloud.jobs.backlog import AT_ONCE
from simulator.cloud.jobs.commands import CancelExecution, DeleteExecution, UpdateJob
from simulator.cloud.jobs.rollout import exponential

from .account import Account, names

MINUTE, DAY = 60, 86_400


def test_without_a_rate_everybody_has_a_turn_at_once():
    account = Account()
    account.create("fw", *names(AT_ONCE + 500))
    assert len(account.jobs.executions_of_job("fw")) == AT_ONCE
    account.left_to_tick(100)
    assert account.jobs.counts("fw")[Status.QUEUED] == AT_ONCE + 500
    assert account.jobs.next_due() is None


def test_a_constant_rate_is_so_many_a_minute():
    account = Account().create("fw", *names(25), rollout=Rollout(maximum_per_minute=10))
    queued = [account.jobs.counts("fw")[Status.QUEUED]]
    for _ in range(3):
        account.later(MINUTE - 0.5)
        assert account.jobs.counts("fw")[Status.QUEUED] == queued[-1]
        account.later(0.5)
        queued.append(account.jobs.counts("fw")[Status.QUEUED])
    assert queued == [10, 20, 25, 25]
    assert account.jobs.next_due() is None


def test_no_rate_is_above_a_thousand_a_minute():
    account = Account().create("fw", *names(2500), rollout=Rollout(maximum_per_minute=5000))
    account.left_to_tick(100)
    assert account.jobs.counts("fw")[Status.QUEUED] == 1000


@pytest.mark.parametrize(
    ("rate", "notified", "succeeded", "expected"),
    [
        pytest.param(ExponentialRate(50, 2, per_notified=1000), 999, 0, 50, id="below the first step"),
        pytest.param(ExponentialRate(50, 2, per_notified=1000), 1000, 0, 100, id="the first step"),
        pytest.param(ExponentialRate(50, 2, per_notified=1000), 3000, 0, 400, id="the third"),
        pytest.param(ExponentialRate(50, 2, per_succeeded=1000), 9000, 2000, 200, id="by those that succeeded"),
        pytest.param(ExponentialRate(10, 1.5, per_notified=10), 20, 0, 22, id="whole things only"),
    ],
)
def test_an_exponential_rate_grows_with_each_step(rate, notified, succeeded, expected):
    assert exponential(rate, notified, succeeded) == expected


def test_an_exponential_rollout_minute_by_minute():
    rate = ExponentialRate(10, 2, per_succeeded=5)
    account = Account().create("fw", *names(100), rollout=Rollout(exponential=rate))
    for thing in names(5):
        account.update(thing, "fw", Status.SUCCEEDED)
    account.later(MINUTE - 5)
    assert sum(account.jobs.counts("fw").values()) == 30
    account.later(MINUTE)
    assert sum(account.jobs.counts("fw").values()) == 50


def test_a_rate_that_is_changed_counts_from_the_next_minute():
    account = Account().create("fw", *names(100), rollout=Rollout(maximum_per_minute=1))
    update = JobUpdate(rollout=Rollout(maximum_per_minute=50))
    account.jobs.do(UpdateJob("fw", update), account.now)
    account.later(30)
    assert account.jobs.counts("fw")[Status.QUEUED] == 1
    account.later(30)
    assert account.jobs.counts("fw")[Status.QUEUED] == 51


def test_seven_days_of_a_rollout_take_no_time():
    account = Account().create("fw", *names(5000), rollout=Rollout(maximum_per_minute=1))
    account.later(3 * DAY)
    assert account.jobs.counts("fw")[Status.QUEUED] == 3 * 24 * 60 + 1
    account.later(4 * DAY)
    assert account.jobs.counts("fw")[Status.QUEUED] == 5000


# ── completion ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_job_is_not_completed_before_everybody_has_had_a_turn():
    account = Account().create("fw", *names(2), rollout=Rollout(maximum_per_minute=1))
    account.update("t0", "fw", Status.SUCCEEDED)
    assert account.status("fw") is JobStatus.IN_PROGRESS
    account.later(MINUTE)
    account.update("t1", "fw", Status.SUCCEEDED)
    assert account.status("fw") is JobStatus.COMPLETED
    assert account.taken() == ["succeeded", "succeeded", "completed"]


def test_a_snapshot_job_for_nobody_is_completed_at_once():
    assert Account().create("fw").status("fw") is JobStatus.COMPLETED


def test_a_continuous_job_is_never_completed():
    account = Account().create("fw", "a", target_selection="CONTINUOUS")
    account.update("a", "fw", Status.SUCCEEDED)
    assert account.status("fw") is JobStatus.IN_PROGRESS


def test_a_snapshot_job_is_completed_when_its_last_pending_execution_is_deleted():
    account = Account().create("fw", "a", "b")
    account.update("a", "fw", Status.SUCCEEDED)
    account.jobs.do(DeleteExecution("b", "fw", number=1, force=False), account.now)
    assert account.status("fw") is JobStatus.COMPLETED


# ── abort ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("criteria", "ends", "aborted_after"),
    [
        pytest.param([("FAILED", 50, 4)], "SFSF", 4, id="the threshold, and enough executions"),
        pytest.param([("FAILED", 50, 4)], "FFSS", 4, id="not before enough have ended"),
        pytest.param([("FAILED", 51, 4)], "SFSF", None, id="below the threshold"),
        pytest.param([("REJECTED", 10, 1)], "FFFF", None, id="another failure"),
        pytest.param([("ALL", 75, 4)], "SFRR", 4, id="all failures together"),
        pytest.param([("FAILED", 100, 1), ("REJECTED", 30, 2)], "SRSS", 2, id="one of several"),
        pytest.param([("FAILED", 0, 1)], "SSSS", None, id="no failure at all"),
    ],
)
def test_a_job_is_aborted_when_too_many_failed(criteria, ends, aborted_after):
    abort = tuple(AbortCriterion(*criterion) for criterion in criteria)
    account = Account().create("fw", *names(6), abort=abort)
    account.update("t5", "fw")
    states = {"S": Status.SUCCEEDED, "F": Status.FAILED, "R": Status.REJECTED}
    aborted = None
    for number, end in enumerate(ends):
        account.update(f"t{number}", "fw", states[end])
        if account.status("fw") is JobStatus.CANCELED:
            aborted = number + 1
            break
    assert aborted == aborted_after
    if aborted:
        job = account.jobs.job("fw")
        assert (job.reason_code, job.force_canceled) == ("ABORT_CRITERIA_MET", False)
        assert account.statuses("fw")["t5"] == "IN_PROGRESS"
        assert set(list(account.statuses("fw").values())[aborted:5]) == {"CANCELED"}


def test_an_aborted_job_rolls_out_no_further():
    abort, rollout = (AbortCriterion("FAILED", 1, 1),), Rollout(maximum_per_minute=1)
    account = Account().create("fw", *names(3), abort=abort, rollout=rollout)
    account.update("t0", "fw", Status.FAILED)
    account.later(DAY)
    assert account.statuses("fw") == {"t0": "FAILED"}
    assert account.taken() == ["failed", "cancellation_in_progress", "canceled"]


# ── cancellation ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("force", "running", "is_forced"), [(False, "IN_PROGRESS", False), (True, "CANCELED", True)])
def test_a_big_job_is_cancelled_in_slices_and_those_that_finish_meanwhile_stay_finished(force, running, is_forced):
    account = Account().create("fw", *names(AT_ONCE + 200))
    account.left_to_tick(100)
    first, last = "t0", f"t{AT_ONCE + 199}"
    account.update(first, "fw")
    account.update(last, "fw")
    account.events.clear()
    account.cancel("fw", force=force)
    assert account.status("fw") is JobStatus.CANCELED
    account.update(f"t{AT_ONCE + 100}", "fw", Status.SUCCEEDED)
    account.left_to_tick(16)
    assert account.statuses("fw")[first] == account.statuses("fw")[last] == running
    assert account.statuses("fw")[f"t{AT_ONCE + 100}"] == "SUCCEEDED"
    assert account.jobs.execution("t1", "fw").force_canceled is is_forced
    operations = account.taken()
    assert (operations[0], operations[-1]) == ("cancellation_in_progress", "canceled")
    assert operations.count("canceled") == AT_ONCE + 198 + (2 if force else 0)


def test_a_cancelled_job_can_be_deleted_without_force():
    account = Account().create("fw", "a")
    account.update("a", "fw")
    account.cancel("fw")
    account.delete("fw", force=False)
    assert list(account.jobs.jobs()) == []


def test_cancelling_an_execution_checks_its_version_and_keeps_what_is_said_of_it():
    account = Account().create("fw", "a", "b")
    why = (("why", "test"),)
    with pytest.raises(JobsError) as caught:
        account.jobs.do(CancelExecution("a", "fw", expected_version=2, status_details=why), account.now)
    assert caught.value.kind == "VersionConflict"
    account.jobs.do(CancelExecution("a", "fw", expected_version=1, status_details=why), account.now)
    execution = account.jobs.execution("a", "fw")
    assert (execution.status, execution.version_number, execution.status_details) == ("CANCELED", 2, (("why", "test"),))


# ── quotas ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "more", "kind"),
    [
        ({}, {"targets": tuple(map(str, range(101)))}, "LimitExceeded"),
        ({"document_bytes": 10}, {}, "LimitExceeded"),
        ({"active_jobs": 0}, {}, "LimitExceeded"),
    ],
    ids=["101 targets", "a document of more bytes than it may have", "as many active jobs as are allowed"],
)
def test_a_job_that_is_too_much_is_refused(settings, more, kind):
    with pytest.raises(JobsError) as caught:
        Account(JobsSettings(**settings)).create("fw", "a", **more)
    assert caught.value.kind == kind
