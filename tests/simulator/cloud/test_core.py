"""The clock that drives the service: slices between which others have their turn, and timers that devices set."""

import asyncio
import time

import pytest

from agent.values import Describe, JobDocument, Rejected, StartNext
from simulator.cloud.core import PIECE, CloudCore
from simulator.cloud.jobs import JobsError, JobsSettings, NewJob, Outcome
from simulator.cloud.jobs.backlog import AT_ONCE
from simulator.cloud.jobs.commands import CancelJob, CreateJob, DeleteJob
from simulator.cloud.pace import Pace
from simulator.engines.virtual_time import run_virtually
from simulator.trace import CloudEvent, JobDeletionBegan

DOCUMENT = JobDocument.of({})
THINGS = tuple(f"t{number}" for number in range(AT_ONCE + 40 * PIECE))


def crowded(pace: Pace | None) -> tuple[CloudCore, list[Outcome]]:
    """A cloud with one big job, and the outcomes that it publishes."""
    published: list[Outcome] = []
    core = CloudCore(
        JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0),
        time.time,
        published.append,
        pace=pace,
    )
    core.jobs.do(CreateJob(NewJob("big", THINGS, DOCUMENT)), time.time())
    core.jobs.tick(time.time())
    return core, published


async def until_gone(core: CloudCore) -> int:
    """How many turns of the loop others had until the job was gone."""
    turns = 0
    while True:
        try:
            core.jobs.job("big")
        except JobsError:
            return turns
        turns += 1
        await asyncio.sleep(0)


async def test_others_have_their_turn_between_two_slices_of_a_deletion():
    core, published = crowded(Pace(0.0000001, share_of_lateness=0.0))
    core._carry(core.jobs.do(DeleteJob("big", force=True), time.time()))
    told = core.device_api.ask(THINGS[-1], Describe("big"))
    assert isinstance(told.answer, Rejected), "gone before its record is"
    assert len(core.jobs.executions_of_job("big")) == 40 * PIECE
    assert await until_gone(core) >= 40
    slices = [len(outcome.hints) for outcome in published if outcome.hints]
    assert slices == [2 * AT_ONCE] + [2 * PIECE] * 40
    core.close()


async def test_by_hand_a_deletion_goes_on_when_it_is_told_to_and_time_is_what_it_is_told_to_be():
    settings = JobsSettings(deletion_seconds=0.01, deletion_seconds_per_execution=0.0, removal_delay_seconds=0.0)
    core = CloudCore(settings, time.time, lambda outcome: None)
    now = 1_700_000_000.0
    core.go_by_hand(lambda: now)
    core._carry(core.jobs.do(CreateJob(NewJob("one", ("t",), DOCUMENT)), core.now()))
    (execution,) = core.jobs.executions_of_job("one")
    assert execution.key.queued_at == 1_700_000_000
    core._carry(core.jobs.do(DeleteJob("one", force=True), core.now()))
    assert core._tick is None
    core.do_due(now)
    assert core.jobs.job("one").job_id == "one"
    core.do_due(now + 0.01)
    with pytest.raises(JobsError):
        core.jobs.job("one")


async def test_where_nobody_waits_it_is_done_in_one_go():
    core, published = crowded(None)
    core._carry(core.jobs.do(DeleteJob("big", force=True), time.time()))
    await until_gone(core)
    assert [len(outcome.hints) for outcome in published] == [2 * AT_ONCE, 2 * 40 * PIECE]
    core.close()


@pytest.mark.parametrize("closes", [False, True], ids=["up", "closed"])
def test_a_timer_that_a_device_sets_runs_out(closes: bool):
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        told: list[float] = []
        core = CloudCore(JobsSettings(), loop.time, lambda _: told.append(loop.time()))
        core._carry(core.jobs.do(CreateJob(NewJob("fw", ("t",), DOCUMENT, timeout_minutes=10)), loop.time()))
        core.device_api.ask("t", StartNext(step_timeout_minutes=1))
        if closes:
            core.close()
        await asyncio.sleep(700)
        core.close()
        return core.jobs.execution("t", "fw").status.value, told[-1]

    assert run_virtually(main()) == (("IN_PROGRESS", 0.0) if closes else ("TIMED_OUT", 60.0))


@pytest.mark.parametrize(("force", "cancelled"), [(True, False), (True, True), (False, True)])
def test_the_trace_says_whether_a_deletion_was_forced(force: bool, cancelled: bool):
    seen: list[CloudEvent] = []
    core = CloudCore(JobsSettings(), time.time, lambda outcome: None, seen.append)
    core.device_api.record(core.jobs.do(CreateJob(NewJob("fw", ("t",), DOCUMENT)), time.time()))
    if cancelled:
        core.jobs.do(CancelJob("fw", force=False), time.time())
    core.device_api.record(core.jobs.do(DeleteJob("fw", force=force), time.time()))
    assert [event for event in seen if isinstance(event, JobDeletionBegan)] == [JobDeletionBegan("fw", force)]
