"""The time of day jumps, and what lasts goes on lasting as long: by an hour, in either direction, and back again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from agent.values import Describe, ExecutionTold, JobDocument, StartNext
from simulator.cloud.core import LOOK_SECONDS, CloudCore
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, MaintenanceWindow, NewJob, Outcome, Rollout, Schedule
from simulator.cloud.jobs.commands import CreateJob, DeleteJob
from simulator.cloud.pace import Pace
from simulator.engines.virtual_time import run_virtually

DOCUMENT = JobDocument.of({})
EPOCH = 1_800_000_000.0
HOUR = 3600.0
JUMPS = pytest.mark.parametrize(
    "jumps",
    [
        pytest.param((-HOUR,), id="an hour back"),
        pytest.param((HOUR,), id="an hour ahead"),
        pytest.param((-HOUR, HOUR), id="an hour back, and put right"),
        pytest.param((HOUR, -HOUR), id="an hour ahead, and put right"),
        pytest.param((365 * 86_400.0,), id="a year ahead"),
    ],
)


@dataclass
class Clocked:
    """A service whose time of day is set by hand; `said` is when each outcome was published, by the steady clock."""

    ahead: float = EPOCH
    said: list[tuple[float, Outcome]] = field(default_factory=list)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        settings = JobsSettings(deletion_seconds=30, deletion_seconds_per_execution=0, schedule_lead_seconds=60)
        self.core = CloudCore(
            settings,
            lambda: loop.time() + self.ahead,
            lambda outcome: self.said.append((loop.time(), outcome)),
            pace=Pace(0.001),
            steady=loop.time,
        )

    @property
    def jobs(self) -> Jobs:
        return self.core.jobs

    def create(self, job_id: str, *things: str, **more: object) -> None:
        self.core._carry(self.jobs.do(CreateJob(NewJob(job_id, things, DOCUMENT, **more)), self.core.now()))

    def delete(self, job_id: str) -> None:
        self.core._carry(self.jobs.do(DeleteJob(job_id, force=True), self.core.now()))

    def is_gone(self, job_id: str) -> bool:
        try:
            self.jobs.job(job_id)
        except JobsError:
            return True
        return False

    async def jump(self, jumps: tuple[float, ...], apart: float) -> None:
        for by in jumps:
            await asyncio.sleep(apart)
            self.ahead += by


def play(scene: Callable[[Clocked], Awaitable[None]]) -> None:
    async def main() -> None:
        clocked = Clocked()
        try:
            await scene(clocked)
        finally:
            clocked.core.close()

    run_virtually(main())


@JUMPS
@pytest.mark.parametrize("asked", [False, True], ids=["nobody asks", "devices ask meanwhile"])
def test_a_deletion_ends_when_it_would_have(jumps: tuple[float, ...], asked: bool):
    async def scene(clocked: Clocked) -> None:
        clocked.create("fw", "t")
        clocked.delete("fw")
        for by in jumps:
            await asyncio.sleep(10)
            clocked.ahead += by
            if asked:
                clocked.core.device_api.ask("t", Describe("fw"))
        await asyncio.sleep(29.9 - 10 * len(jumps))
        assert not clocked.is_gone("fw")
        await asyncio.sleep(0.2)
        assert clocked.is_gone("fw")

    play(scene)


@JUMPS
def test_timers_and_rollouts_go_on_as_they_would_have(jumps: tuple[float, ...]):
    async def scene(clocked: Clocked) -> None:
        clocked.create("fw", "a", "b", "c", rollout=Rollout(maximum_per_minute=1), timeout_minutes=2)
        clocked.core.device_api.ask("a", StartNext(step_timeout_minutes=1))
        await clocked.jump(jumps, 20)
        await asyncio.sleep(59.9 - 20 * len(jumps))
        assert len(clocked.jobs.executions_of_job("fw")) == 1
        assert clocked.jobs.execution("a", "fw").status == "IN_PROGRESS"
        await asyncio.sleep(0.2)
        assert clocked.jobs.execution("a", "fw").status == "TIMED_OUT"
        assert len(clocked.jobs.executions_of_job("fw")) == 2
        await asyncio.sleep(60)
        assert len(clocked.jobs.executions_of_job("fw")) == 3

    play(scene)


@JUMPS
def test_devices_are_told_the_time_of_day_and_how_long_is_left(jumps: tuple[float, ...]):
    async def scene(clocked: Clocked) -> None:
        clocked.create("fw", "a", timeout_minutes=10)
        clocked.core.device_api.ask("a", StartNext())
        await clocked.jump(jumps, 60)
        told = clocked.core.device_api.ask("a", Describe("fw")).answer
        assert isinstance(told, ExecutionTold)
        assert told.execution is not None
        assert told.timestamp == int(EPOCH + 60 * len(jumps) + sum(jumps))
        left = told.execution.approximate_seconds_before_timed_out
        assert left is not None
        assert abs(left - (600 - 60 * len(jumps))) <= 1

    play(scene)


@pytest.mark.parametrize(
    ("jumps", "starts"),
    [
        pytest.param((2 * HOUR,), 60 + LOOK_SECONDS, id="ahead of it: it begins once somebody looks"),
        pytest.param((-HOUR,), 2 * HOUR, id="back: it begins an hour later"),
        pytest.param((-HOUR, HOUR), HOUR, id="back, and put right: when it was to begin"),
    ],
)
def test_what_is_due_at_a_time_goes_by_the_time_of_day(jumps: tuple[float, ...], starts: float):
    async def scene(clocked: Clocked) -> None:
        clocked.create("fw", "t", schedule=Schedule(EPOCH + HOUR, None, None, ()))
        await clocked.jump(jumps, 60)
        await asyncio.sleep(starts - 60 * len(jumps) - LOOK_SECONDS - 1)
        assert clocked.jobs.job("fw").status == "SCHEDULED"
        await asyncio.sleep(LOOK_SECONDS + 2)
        assert clocked.jobs.job("fw").status == "IN_PROGRESS"

    play(scene)


def test_a_job_that_waits_for_a_window_waits_for_the_window():
    """2027-01-15 08:00 UTC is EPOCH; the window opens at nine."""

    async def scene(clocked: Clocked) -> None:
        windows = (MaintenanceWindow("0 9 ? * * *", 10),)
        clocked.create("fw", "t", schedule=Schedule(None, None, None, windows))
        assert clocked.jobs.executions_of_job("fw") == []
        await clocked.jump((HOUR - 100,), 10)
        await asyncio.sleep(89)
        assert clocked.jobs.executions_of_job("fw") == []
        await asyncio.sleep(2 + LOOK_SECONDS)
        assert len(clocked.jobs.executions_of_job("fw")) == 1

    play(scene)


def test_a_clock_that_is_put_right_slowly_moves_nothing_until_it_is_half_a_second():
    async def scene(clocked: Clocked) -> None:
        clocked.create("fw", "t")
        clocked.delete("fw")
        for _ in range(20):
            await asyncio.sleep(1)
            clocked.ahead -= 0.2
        await asyncio.sleep(9.5)
        assert not clocked.is_gone("fw")
        await asyncio.sleep(1)
        assert clocked.is_gone("fw")

    play(scene)


def test_a_process_that_stands_still_between_two_looks_takes_that_for_no_jump():
    """Stopped between reading one clock and the other, it would take the pause for a jump of an hour."""

    async def scene(clocked: Clocked) -> None:
        loop = asyncio.get_running_loop()
        pauses = [0.0, HOUR, 0.0]
        clock = clocked.core._clock

        def stopped() -> float:
            wall = clock()
            if pauses:
                loop._virtual_now += pauses.pop(0)
            return wall

        clocked.create("fw", "t")
        clocked.delete("fw")
        clocked.core._clock = stopped
        clocked.core.now()
        clocked.core.now()
        assert not clocked.is_gone("fw")
        due = clocked.jobs.next_due()
        assert due == EPOCH + 30, "by neither clock has anything jumped"

    play(scene)
