"""What lasts goes on after a restart: with the time that passed meanwhile, or anew if the clock cannot be believed."""

from collections.abc import Callable

import pytest

from agent.values import StartNext, Status
from simulator.cloud.jobs import Jobs, JobsSettings, MaintenanceWindow, Rollout, Schedule
from simulator.cloud.jobs.commands import ClockMoved
from simulator.cloud.jobs.spans import LONGEST_SECONDS

from .account import Account

YEAR = 365 * 86_400.0
MINUTE = 60.0
SETTINGS = JobsSettings(deletion_seconds=30, deletion_seconds_per_execution=0, schedule_lead_seconds=60)


def deleting(account: Account) -> Account:
    account.create("fw", "t").delete("fw")
    return account


def timing(account: Account) -> Account:
    account.create("fw", "t", timeout_minutes=10).ask("t", StartNext())
    return account


def stepping(account: Account) -> Account:
    account.create("fw", "t").ask("t", StartNext(step_timeout_minutes=10))
    return account


def rolling_out(account: Account) -> Account:
    return account.create("fw", "a", "b", rollout=Rollout(maximum_per_minute=1))


def restarted(account: Account, now: float) -> Jobs:
    jobs = account.jobs
    all_jobs = list(jobs.jobs())
    executions = [each for job in all_jobs for each in jobs.executions_of_job(job.job_id)]
    return Jobs.restored(account.settings, all_jobs, executions, now)


# Seconds after the last record at which the service begins again; how long it then is until something is due.
@pytest.mark.parametrize("begin", [deleting, timing, stepping], ids=lambda begin: begin.__name__)
@pytest.mark.parametrize(
    ("after", "left", "anew"),
    [
        pytest.param(10.0, -10.0, False, id="a moment later: the time counts"),
        pytest.param(3 * 86_400.0, None, False, id="after the weekend: it is due"),
        pytest.param(LONGEST_SECONDS + 1, 0.0, True, id="more than a week later: not believed"),
        pytest.param(YEAR, 0.0, True, id="a year ahead: not everything at once"),
        pytest.param(-2.0, 0.0, True, id="two seconds back: as long again"),
        pytest.param(-YEAR, 0.0, True, id="a year back: not for a year"),
    ],
)
def test_a_span_after_a_restart(begin: Callable[[Account], Account], after: float, left: float | None, anew: bool):
    account = begin(Account(SETTINGS))
    span = account.jobs.next_due() - account.now
    jobs = restarted(account, account.now + after)
    due = jobs.next_due() - (account.now + after)
    assert due <= 0 if left is None else due == span + left
    assert jobs.begun_anew == anew


@pytest.mark.parametrize("after", [-YEAR, -2.0, 10.0, YEAR])
def test_a_rollout_goes_on_within_a_minute(after: float):
    account = rolling_out(Account(SETTINGS))
    jobs = restarted(account, account.now + after)
    assert jobs.next_due() <= account.now + after + MINUTE
    assert len(jobs.tick(account.now + after + MINUTE).hints) > 0


@pytest.mark.parametrize("after", [-YEAR, YEAR])
def test_a_schedule_goes_by_the_clock_as_it_is(after: float):
    account = Account(SETTINGS)
    account.create("fw", "t", schedule=Schedule(account.now + 3600, None, None, ()))
    jobs = restarted(account, account.now + after)
    assert jobs.next_due() == account.jobs.next_due()


@pytest.mark.parametrize("by", [-3600.0, 3600.0])
def test_a_jump_moves_what_failed_and_waits_and_what_is_under_way(by: float):
    account = Account(SETTINGS).create("fw", *(f"t{n}" for n in range(90)), rollout=Rollout(maximum_per_minute=60))
    ledger = account.jobs._ledger
    ledger.hold_work(ledger.works.first, account.now + 8)
    account.create("other", *(f"t{n}" for n in range(90)), rollout=Rollout(maximum_per_minute=60))
    account.jobs.do(ClockMoved(by), account.now + by)
    account.now += by
    account.left_to_tick(100)
    assert account.jobs.job("other").rollout_due == account.now + MINUTE
    assert account.jobs.next_due() == account.now - 1 + 8, "it was held a second ago"
    account.later(7)
    account.left_to_tick(100)
    assert len(account.jobs.executions_of_job("fw")) == 60


def test_a_jump_leaves_windows_and_ends_where_they_are():
    account = Account(SETTINGS)
    schedule = Schedule(None, account.now + 7200, "CANCEL", (MaintenanceWindow("0 20 ? * * *", 10),))
    account.create("fw", "t", schedule=schedule)
    before = account.jobs.job("fw")
    account.jobs.do(ClockMoved(600), account.now + 600)
    assert account.jobs.job("fw") == before


def test_what_ended_has_no_time_that_could_move():
    account = timing(Account(SETTINGS))
    account.update("t", "fw", Status.SUCCEEDED)
    before = account.jobs.execution("t", "fw")
    account.jobs.do(ClockMoved(600), account.now + 600)
    assert account.jobs.execution("t", "fw") == before
    assert account.jobs.next_due() is None


def test_a_read_that_lags_does_so_no_longer_after_a_jump():
    account = Account(JobsSettings(stale_reads_seconds=5, deletion_seconds=0, deletion_seconds_per_execution=0))
    account.create("fw", "t")
    account.now -= 3600
    account.jobs.do(ClockMoved(-3600), account.now)
    assert account.ask("t", StartNext()).execution is not None
    account.delete("fw")
    account.create("fw", "t")
    account.cancel("fw", force=True)
    account.jobs.do(ClockMoved(-3600), account.now)
    assert [(thing, stale.until) for thing, stale in account.jobs.value().stale_reads] == [
        ("t", account.now + 5 - 3600)
    ]
