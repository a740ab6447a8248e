"""What somebody presses while a real run goes on: it is done, the trace says who wanted it, and nobody is accused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.device_events import DeviceBooted, ExecutionLeft, PowerLost, StepProgressed, StepStarted
from simulator.cli.controls import RunControls
from simulator.engines.judged import JudgedPlay, Result
from simulator.engines.live import LiveVenue
from simulator.engines.play_time import PlayTime
from simulator.engines.steering import WHY, Steering
from simulator.page.orders import Offered, Order, Refused
from simulator.scenario import Scenario, parse
from simulator.trace import (
    ClientDisconnected,
    DeletionRequested,
    DeviceJoined,
    Entry,
    ExecutionChanged,
    ExecutionRemoved,
    FaultOver,
    FaultStruck,
    JobCreated,
    JobDeleted,
    PaceChanged,
    RunEnded,
    read,
    write_line,
)
from simulator.verdict import Judge, Verdict
from tests.within import within

LONG = """
name: long
devices: [{group: plain}, {group: lab, namespace: lab}]
jobs:
  - {id: fw, to: [plain], version: "2.0"}
  - {id: fw-lab, to: [lab], namespace: lab, version: "2.0"}
hardware: {download: 0.1, write: 0.6}
cloud: {deletion_seconds: 0.1}
time_limit_seconds: 40
"""
SECONDS = 30.0


@dataclass
class Run:
    """A play that goes on, as whoever has its page sees it."""

    steering: Steering
    controls: RunControls
    entries: list[Entry] = field(default_factory=list)
    _waiting: list[tuple[Callable[[Entry], bool], "asyncio.Future[Entry]"]] = field(default_factory=list)
    result: "asyncio.Task[Result] | None" = None

    def feed(self, entry: Entry) -> None:
        self.entries.append(entry)
        for is_it, future in self._waiting:
            if not future.done() and is_it(entry):
                future.set_result(entry)

    async def until(self, is_it: Callable[[Entry], bool], *, again: bool = False) -> Entry:
        """The first entry that is it; `again`: of those to come."""
        found = None if again else next(filter(is_it, self.entries), None)
        if found is not None:
            return found
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((is_it, future))
        return await within(future, SECONDS)

    async def press(self, do: str, **more: object) -> str:
        return await self.controls.carry_out(Order.model_validate({"do": do, **more}))

    async def verdict(self) -> Verdict:
        assert self.result is not None
        return (await within(self.result, SECONDS)).verdict

    def told(self, kind: type) -> list[object]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]


@asynccontextmanager
async def going(scenario: Scenario, devices: int = 2, **how: Any) -> AsyncIterator[Run]:
    venue = LiveVenue(scenario, 1, PlayTime())
    steering = Steering(venue, **how)
    run = Run(steering, RunControls(steering))
    with JudgedPlay(scenario, venue, devices, seed=1, also=(run.feed,), steering=steering) as play:
        run.result = asyncio.create_task(play.result())
        try:
            yield run
        finally:
            run.result.cancel()
            await asyncio.gather(run.result, return_exceptions=True)


def started(step: str, thing: str) -> Callable[[Entry], bool]:
    return lambda entry: (
        isinstance(entry.event, StepStarted) and entry.event.step == step and entry.source == f"device/{thing}"
    )


def of(kind: type, **has: object) -> Callable[[Entry], bool]:
    return lambda entry: (
        isinstance(entry.event, kind) and all(getattr(entry.event, name) == value for name, value in has.items())
    )


def left(job: str) -> Callable[[Entry], bool]:
    return lambda entry: isinstance(entry.event, ExecutionLeft) and entry.event.execution.job_id == job


def violated(verdict: Verdict) -> set[str]:
    return {each.id for each in verdict.invariants if each.outcome == "violated"}


async def test_a_job_is_deleted_by_a_press_and_created_again_by_another():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        await run.press("pause")
        assert "force-delete" in next(job.may for job in run.controls.offered().jobs if job.job == "fw")
        assert await run.press("force-delete", job="fw") == "fw is being force-deleted."
        await run.until(of(ExecutionRemoved))
        await run.until(of(JobDeleted, job_id="fw"))
        assert next(job.may for job in run.controls.offered().jobs if job.job == "fw") == ("create-again",)
        said = await run.press("create-again", job="fw")
        assert said == "fw was created again, with the same document, for 1 device."
        await run.press("go")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert verdict.recovered == 1
    assert [(event.job_id, event.why) for event in run.told(DeletionRequested)] == [("fw", WHY)]
    left = [entry.event.outcome for entry in run.entries if isinstance(entry.event, ExecutionLeft)]
    assert sorted(left) == ["recovered", "succeeded", "succeeded"]


async def test_what_was_paused_stands_still_and_costs_no_device_its_time():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        await run.press("pause")
        held = len(run.told(StepProgressed))
        offered = run.controls.offered()
        assert (offered.paused_at != "", "go" in offered.also) == (True, True)
        with pytest.raises(Refused, match="stands still already"):
            await run.press("pause")
        await asyncio.sleep(0.7)  # more than the step takes
        assert len(run.told(StepProgressed)) == held
        await run.press("go")
        verdict = await run.verdict()
    assert verdict.passed
    assert verdict.seconds is not None
    still, on = (entry.at for entry in run.entries if isinstance(entry.event, PaceChanged))
    assert on - still < 0.1


async def test_power_goes_and_comes_at_a_press_and_nobody_is_accused():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        await run.press("cut-power", thing="thing-0")
        lost = await run.until(of(PowerLost))
        assert (lost.source, lost.event) == ("device/thing-0", PowerLost(WHY))
        with pytest.raises(Refused, match="no power as it is"):
            await run.press("cut-power", thing="thing-0")
        assert [each.may for each in run.controls.offered().things] == [
            ("restore-power",),
            ("cut-power", "cut-network"),
        ]
        await run.until(of(ExecutionChanged, thing="thing-1", status="SUCCEEDED"))
        await run.press("restore-power", thing="thing-0")
        await run.until(of(DeviceBooted, why="power-lost"))
        verdict = await run.verdict()
    assert verdict.passed, verdict.why


async def test_power_that_goes_while_a_device_reboots_stays_away():
    async with going(parse(LONG.replace("write: 0.6", "write: 0.1, boot: 0.4"))) as run:
        await run.until(lambda entry: started("reboot", "thing-0")(entry))
        fleet_off = asyncio.create_task(run.until(of(PowerLost)))
        await asyncio.sleep(0.15)  # it is down, and boots
        await run.press("cut-power", thing="thing-0")
        await fleet_off
        boots = len(run.told(DeviceBooted))
        await run.until(of(ExecutionChanged, thing="thing-1", status="SUCCEEDED"))
        assert [each for each in run.told(DeviceBooted)[boots:] if each.why == "power-lost"] == []
        await run.press("restore-power", thing="thing-0")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why


async def test_a_network_is_cut_for_as_long_as_was_said():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        assert await run.press("cut-network", thing="thing-0", number=0.3) == (
            "Nothing comes through to thing-0 for 0.3 s."
        )
        await run.until(of(FaultStruck, thing="thing-0", fault="asked-for-on-the-page"))
        await run.until(of(ClientDisconnected, thing="thing-0"))
        await run.until(of(FaultOver, thing="thing-0"))
        verdict = await run.verdict()
    assert verdict.passed, verdict.why


async def test_devices_that_are_added_at_once_get_a_name_each():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        said = await asyncio.gather(*(run.press("add-device") for _ in range(3)))
        assert sorted(each.split()[0] for each in said) == ["thing-2", "thing-3", "thing-4"]
        await run.press("end")
        verdict = await run.verdict()
    assert verdict.devices == 5


async def test_a_device_joins_and_takes_the_next_job_and_is_judged():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        assert await run.press("add-device") == "thing-2 joins, and takes the next job."
        assert await run.press("create-job") == "Created fw-2 and fw-2-lab, version 3.0."
        with pytest.raises(Refused, match="thing-2 already"):
            await run.press("add-device", thing="thing-2")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert verdict.devices == 3
    again = Judge()
    for entry in read(write_line(entry) for entry in run.entries):
        again.feed(entry)
    assert again.verdict().model_dump_json() == verdict.model_dump_json()
    assert run.told(DeviceJoined) == [DeviceJoined("thing-2", "thing-0", WHY)]
    done = [
        (event.thing, event.execution.job_id) for event in run.told(ExecutionChanged) if event.status == "SUCCEEDED"
    ]
    assert ("thing-2", "fw-2") in done
    assert len(done) == 5


async def test_a_cancellation_is_a_press_too_and_holds_nobody_for_ever():
    held = LONG + "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]\n"
    async with going(parse(held), 3) as run:
        await run.until(started("write", "thing-0"))
        await run.press("cancel-force", job="fw")
        await run.until(of(ExecutionChanged, thing="thing-0", status="CANCELED"))
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert next((event.do, event.why) for event in run.told(DeletionRequested)) == ("cancel-job", WHY)


async def test_it_stops_where_it_is_dangerous_until_somebody_lets_it_go_on():
    scenario = parse(
        LONG + "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]\n"
        "must_reach: [{place: deleted-in-step, job: fw, step: write}]\n"
    )
    async with going(scenario, pauses=True) as run:
        stands = await run.until(of(PaceChanged))
        place = "thing-0 is in write at 50 % of fw, which is about to be force-deleted"
        assert (stands.event.held_at, run.controls.offered().paused_at) == (place, place)
        assert run.told(DeletionRequested) == []
        await run.press("go")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert len(run.told(DeletionRequested)) == 1


async def test_what_somebody_deleted_where_it_is_dangerous_is_not_deleted_again():
    scenario = parse(LONG + "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]\n")
    async with going(scenario, pauses=True) as run:
        await run.until(of(PaceChanged))
        await run.press("force-delete", job="fw")
        await run.press("go")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert [event.why for event in run.told(DeletionRequested)] == [WHY]


async def test_how_slow_it_goes_is_changed_while_it_goes_and_the_verdict_is_right():
    scenario = parse(
        LONG + "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]\nbounds: {detection_seconds: 0.3}"
    )
    async with going(scenario) as run:
        await run.until(started("download", "thing-0"))
        assert await run.press("slow", number=4) == "It goes 4 times slower."
        assert run.controls.offered().slow == 4
        await run.until(of(ExecutionRemoved))
        await run.press("slow", number=1)
        with pytest.raises(Refused, match="1 to 100"):
            await run.press("slow", number=0.5)
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert [(event.slow, event.held_at) for event in run.told(PaceChanged)] == [(4, ""), (1, "")]


async def test_a_run_that_somebody_ends_accuses_nobody_and_has_shown_nothing():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        await run.press("end")
        verdict = await run.verdict()
        assert run.controls.offered() == Offered()
        with pytest.raises(Refused, match="over"):
            await run.press("force-delete", job="fw")
    assert (verdict.outcome, violated(verdict)) == ("inconclusive", set())
    assert run.told(RunEnded) == [RunEnded("interrupted")]


async def test_an_open_play_goes_on_after_its_jobs_until_somebody_ends_it():
    async with going(parse(LONG), is_open=True) as run:
        await run.until(of(ExecutionChanged, thing="thing-0", status="SUCCEEDED"))
        await run.until(of(ExecutionChanged, thing="thing-1", status="SUCCEEDED"))
        await run.press("create-job", job="more")
        await run.until(of(JobCreated, job_id="more-lab"))
        for job in ("more", "more-lab"):
            await run.until(left(job))
        await run.press("end")
        verdict = await run.verdict()
    assert (verdict.outcome, violated(verdict)) == ("passed", set())


async def test_after_each_job_comes_the_next_for_whoever_has_power():
    quick = parse(LONG.replace("write: 0.6", "write: 0.05, boot: 0.02").replace("download: 0.1", "download: 0.02"))
    async with going(quick, is_open=True, rest_seconds=0.1) as run:
        await run.until(left("fw-lab"))
        await run.press("cut-power", thing="thing-0")
        await run.until(left("fw-3-lab"))  # while whoever has none gets no more than it can bear
        waiting = run.steering.open_jobs(None)["thing-0"]
        await run.press("restore-power", thing="thing-0")
        await run.press("end")
        verdict = await run.verdict()
    assert waiting <= 2
    assert violated(verdict) == set()


async def test_deletions_that_are_due_together_are_one_place_to_stop_at():
    deletions = ", ".join(
        f"{{job: {job}, when: {{step: write, progress: 50}}, hold: true}}" for job in ("fw", "fw-lab")
    )
    async with going(parse(f"{LONG}deletions: [{deletions}]\n"), pauses=True) as run:
        stands = await run.until(of(PaceChanged))
        assert "of fw, which is" in stands.event.held_at
        assert "of fw-lab, which is" in stands.event.held_at
        await run.press("go")
        verdict = await run.verdict()
    assert verdict.passed, verdict.why
    assert len(run.told(DeletionRequested)) == 2
    assert len([event for event in run.told(PaceChanged) if event.held_at]) == 1


async def test_of_a_job_that_is_cancelled_no_further_cancellation_is_offered():
    async with going(parse(LONG)) as run:
        await run.until(started("write", "thing-0"))
        await run.press("cancel", job="fw")
        assert [each.may for each in run.controls.offered().jobs if each.job == "fw"] == [("force-delete",)]
        with pytest.raises(Refused, match="fw is cancelled already"):
            await run.press("cancel-force", job="fw")
        assert violated(await run.verdict()) == set()
