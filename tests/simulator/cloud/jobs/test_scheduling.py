"""Scheduled jobs and maintenance windows; time is data, so a week takes milliseconds."""

import calendar

import pytest

from agent.values import Status
from simulator.cloud.jobs import JobsError, JobsSettings, JobStatus, MaintenanceWindow, Rollout, Schedule
from simulator.cloud.jobs.maintenance import is_open, next_openings, opening, read_cron

from .account import Account, names

HOUR, DAY = 3600, 86_400


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return float(calendar.timegm((year, month, day, hour, minute, 0)))


NOW = at(2026, 3, 2, 9)  # a Monday


def account_at(now: float = NOW, settings: JobsSettings | None = None) -> Account:
    account = Account(settings) if settings else Account()
    account.now = now - 1  # creating takes a second
    return account


def test_a_scheduled_job_starts_at_its_time():
    account = account_at().create("fw", "a", "b", schedule=Schedule(NOW + DAY))
    assert account.status("fw") is JobStatus.SCHEDULED
    assert account.statuses("fw") == {}
    account.later(DAY - 1)
    assert account.status("fw") is JobStatus.SCHEDULED
    account.later(1)
    assert account.status("fw") is JobStatus.IN_PROGRESS
    assert account.statuses("fw") == {"a": "QUEUED", "b": "QUEUED"}


@pytest.mark.parametrize(
    ("behavior", "executions", "status"),
    [
        ("STOP_ROLLOUT", {"t0": "IN_PROGRESS", "t1": "QUEUED"}, "IN_PROGRESS"),
        (None, {"t0": "IN_PROGRESS", "t1": "QUEUED"}, "IN_PROGRESS"),
        ("CANCEL", {"t0": "IN_PROGRESS", "t1": "CANCELED"}, "CANCELED"),
        ("FORCE_CANCEL", {"t0": "CANCELED", "t1": "CANCELED"}, "CANCELED"),
    ],
)
def test_what_happens_at_the_end_time(behavior, executions, status):
    schedule = Schedule(NOW + HOUR, NOW + 2 * HOUR, behavior)
    account = account_at().create("fw", *names(100), schedule=schedule, rollout=Rollout(maximum_per_minute=1))
    account.later(HOUR + 65)
    account.update("t0", "fw")
    for name in names(100)[2:61]:
        account.later(60)
        account.update(name, "fw", Status.SUCCEEDED) if name in account.statuses("fw") else None
    account.later(NOW + 2 * HOUR - account.now)
    left = {thing: status for thing, status in account.statuses("fw").items() if thing in ("t0", "t1")}
    assert left == executions
    assert account.status("fw").value == status
    rolled_out = len(account.statuses("fw"))
    account.later(DAY)
    assert len(account.statuses("fw")) == rolled_out < 100


def test_a_job_whose_rollout_was_stopped_is_completed_when_the_others_are_done():
    schedule = Schedule(None, NOW + HOUR, "STOP_ROLLOUT")
    account = account_at().create("fw", *names(500), schedule=schedule, rollout=Rollout(maximum_per_minute=1))
    account.later(HOUR)
    for thing in account.statuses("fw"):
        account.update(thing, "fw", Status.SUCCEEDED)
    assert account.status("fw") is JobStatus.COMPLETED


def test_a_job_whose_start_and_end_were_both_missed_is_over():
    schedule = Schedule(NOW + HOUR, NOW + 2 * HOUR, "STOP_ROLLOUT")
    account = account_at().create("fw", "a", schedule=schedule)
    account.did(account.jobs.tick(NOW + DAY))
    assert (account.status("fw"), account.statuses("fw")) == (JobStatus.COMPLETED, {})
    assert account.jobs.next_due() is None


def test_a_scheduled_job_can_be_cancelled_and_force_deleted_before_it_starts():
    account = account_at().create("fw", "a", schedule=Schedule(NOW + DAY)).create("b", schedule=Schedule(NOW + DAY))
    account.cancel("fw")
    with pytest.raises(JobsError, match="needs force"):
        account.delete("b", force=False)
    account.delete("b")
    account.later(2 * DAY)
    assert [(job.job_id, job.status.value) for job in account.jobs.jobs()] == [("fw", "CANCELED")]
    assert account.statuses("fw") == {}


def test_a_job_that_starts_when_too_many_are_active_is_cancelled():
    account = account_at(settings=JobsSettings(active_jobs=1))
    account.create("late", "a", schedule=Schedule(NOW + DAY)).create("now", "a").later(DAY)
    assert account.status("late") is JobStatus.CANCELED
    assert account.jobs.job("late").reason_code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(Schedule(NOW + 29 * 60), id="a start too soon"),
        pytest.param(Schedule(NOW + 367 * DAY), id="a start too far"),
        pytest.param(Schedule(NOW + HOUR, NOW + HOUR + 29 * 60, "CANCEL"), id="an end too soon after the start"),
        pytest.param(Schedule(None, NOW + 800 * DAY, "CANCEL"), id="an end too far"),
        pytest.param(Schedule(windows=(MaintenanceWindow("0 25 * * ? *", 60),)), id="a window at 25 o'clock"),
    ],
)
def test_a_schedule_that_aws_would_not_take(schedule):
    with pytest.raises(JobsError) as caught:
        account_at().create("fw", "a", schedule=schedule)
    assert caught.value.kind == "InvalidRequest"


# ── maintenance windows ───────────────────────────────────────────────────────────────────────────────────────


def test_a_job_is_rolled_out_in_its_maintenance_windows_only():
    schedule = Schedule(windows=(MaintenanceWindow("cron(0 22 ? * * *)", 2),))
    account = account_at().create("fw", *names(5), schedule=schedule, rollout=Rollout(maximum_per_minute=1))
    rolled_out = []
    for _ in range(7):
        account.later(DAY)
        rolled_out.append(len(account.statuses("fw")))
    assert rolled_out == [2, 4, 5, 5, 5, 5, 5], "two minutes every evening"


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        pytest.param("cron(30 22 ? * * *)", ["2026-03-02 22:30", "2026-03-03 22:30"], id="every day"),
        pytest.param("0 9 ? * * *", ["2026-03-02 09:00", "2026-03-03 09:00"], id="now"),
        pytest.param("15 10 ? * MON-FRI *", ["2026-03-02 10:15", "2026-03-03 10:15"], id="weekdays"),
        pytest.param("0 0 ? * SAT,SUN *", ["2026-03-07 00:00", "2026-03-08 00:00"], id="weekends"),
        pytest.param("0 0 ? * 1 *", ["2026-03-08 00:00", "2026-03-15 00:00"], id="1 is Sunday"),
        pytest.param("0 0 29 2 ? *", ["2028-02-29 00:00"], id="a leap day, once within the horizon"),
        pytest.param("0 0 L * ? *", ["2026-03-31 00:00", "2026-04-30 00:00"], id="the last day of a month"),
        pytest.param("0 0 ? * THU#2 *", ["2026-03-12 00:00", "2026-04-09 00:00"], id="the second Thursday"),
        pytest.param("0 0 ? * 6L *", ["2026-03-27 00:00", "2026-04-24 00:00"], id="the last Friday"),
        pytest.param("0/20 12 1 JAN ? 2027", ["2027-01-01 12:00", "2027-01-01 12:20"], id="steps, a month, a year"),
        pytest.param("0 0 1 1 ? 2020", [], id="never again"),
    ],
)
def test_when_windows_open(cron, expected):
    found = next_openings((MaintenanceWindow(cron, 60),), NOW, 2)
    shown = ["{}-{:02}-{:02} {:02}:{:02}".format(*_utc(seconds)) for seconds in found]
    assert shown == expected


def _utc(seconds: float) -> tuple[int, ...]:
    import time

    return tuple(time.gmtime(seconds)[:5])


def test_a_window_is_open_from_its_opening_until_it_has_lasted():
    windows = (MaintenanceWindow("0 9 ? * MON *", 90),)
    assert [is_open(windows, NOW + minutes * 60) for minutes in (-1, 0, 89.9, 90)] == [False, True, True, False]
    assert opening(windows, NOW + HOUR) == NOW + HOUR
    assert opening(windows, NOW + 2 * HOUR) == NOW + 7 * DAY


@pytest.mark.parametrize("cron", ["0 22 ? * MON *", "0/7 * ? * * *", "30 23 L * ? *", "0 0 30 2 ? *", "0 9 2 3 ? 2026"])
@pytest.mark.parametrize("minutes", [1, 60, 1430, 3000])
def test_a_window_is_open_when_its_opening_is_now(cron: str, minutes: int):
    windows = (MaintenanceWindow(cron, minutes),)
    for number in range(0, 15 * 24 * 6, 181):
        for second in (0.0, 0.25, 59.75):
            now = NOW + number * 600 + second
            assert is_open(windows, now) == (opening(windows, now) == now), now


def test_several_windows_make_one_list_of_openings():
    windows = (MaintenanceWindow("0 10 ? * * *", 60), MaintenanceWindow("0 12 ? * * *", 60))
    assert next_openings(windows, NOW, 3) == (NOW + HOUR, NOW + 3 * HOUR, NOW + 25 * HOUR)


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 0 ? * * *", "0 0 1 * 1 *", "0 0 ? * ? *", "0 0 ? XXX * *", "5-1 0 ? * * *", "0/0 0 ? * * *"],
)
def test_what_is_no_cron_expression(text):
    with pytest.raises(JobsError, match="Maintenance window"):
        read_cron(text)
