"""A run in which something does not go as the scenario has it: it is told, and the run goes on or ends in one line."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.device_events import StepFinished
from agent.errors import InputError
from agent.values import ExecutionKey
from simulator.controller.hand import Hand, Owner
from simulator.controller.triggers import Observation
from simulator.devices.holds import Hold
from simulator.devices.rig.values import HoldPoint
from simulator.engines.casting import Casting
from simulator.engines.cues import Cues
from simulator.engines.holding import Holding
from simulator.engines.judged import JudgedPlay
from simulator.engines.output import OutputDirectory
from simulator.engines.play import Play
from simulator.engines.players import OwnFleet
from simulator.engines.stragglers import Stragglers
from simulator.engines.virtual import VirtualVenue, judged
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario, load, parse, thing_names
from simulator.scenario.versus import parts, side_by_side
from simulator.trace import DeletionRefused, Entry, ExecutionChanged, ExecutionRemoved, RunEnded, Sink
from simulator.trace.packed import Packs
from simulator.verdict import Verdict


def scenario(more: str, jobs: str = '{id: fw, to: [all], version: "2.0"}') -> Scenario:
    return parse(f"name: x\ndevices: [{{group: all}}]\njobs: [{jobs}]\n{more}")


def played(it: Scenario) -> tuple[Verdict, list[Entry]]:
    entries: list[Entry] = []
    verdict = judged(it, 2, 1, sink=entries.append)
    return verdict, entries


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true, force: false}]",
            id="deleting without force what is in progress",
        ),
        pytest.param(
            "deletions: [{job: fw, do: cancel-job, when: {status: SUCCEEDED}}]", id="cancelling what is completed"
        ),
    ],
)
def test_what_the_service_refuses_is_told_and_the_run_goes_on(more: str):
    verdict, entries = played(scenario(more))
    events = [entry.event for entry in entries]
    assert [event.retry for event in events if isinstance(event, DeletionRefused)] == [False]
    assert [event.why for event in events if isinstance(event, RunEnded)] == ["finished"]
    assert verdict.passed


def test_a_technician_whom_nobody_answers_has_tried():
    by_hand = "updates: [{job: fw, status: FAILED, when: {step: write, progress: 50}}]"
    verdict, entries = played(scenario(f"{by_hand}\nfaults: [{{do: lose, messages: [update], status: FAILED}}]"))
    changed = [entry.event.status for entry in entries if isinstance(entry.event, ExecutionChanged)]
    assert set(changed) == {"IN_PROGRESS", "SUCCEEDED"}
    assert verdict.passed


def test_a_job_that_the_service_does_not_make_ends_the_run_in_one_line():
    twice = '{id: fw, to: [all], version: "2.0"}, {id: fw, to: [all], version: "2.0", after: {taken: fw}}'
    with pytest.raises(InputError, match="ResourceAlreadyExistsException") as ended:
        played(scenario("", twice))
    assert "\n" not in str(ended.value)


HELD_IN_WRITE = """
deletions: [{{job: fw, do: {do}, when: {{step: write, progress: 50}}, hold: true{more}}}]
cloud: {{removal_delay_seconds: {delay}, deletion_seconds: {delay}, while_deleting: answers-and-lists}}
must_reach: [{{place: {place}-in-step, job: fw, step: write}}]
"""


@pytest.mark.parametrize(
    ("do", "delay", "place"),
    [
        pytest.param("delete-job", 0, "deleted", id="its record goes at once"),
        pytest.param("delete-job", 20, "deleted", id="its record goes long after the deletion was accepted"),
        pytest.param("delete-execution", 0, "deleted", id="its execution alone is deleted"),
        pytest.param("cancel-job", 0, "cancelled", id="its job is cancelled"),
        pytest.param("cancel-execution", 0, "cancelled", id="its execution alone is cancelled"),
    ],
)
def test_a_device_is_held_until_what_is_done_to_it_is_done(do: str, delay: int, place: str):
    verdict, _ = played(scenario(HELD_IN_WRITE.format(do=do, delay=delay, place=place, more="")))
    assert verdict.outcome == "passed", verdict.why


def test_a_device_is_held_for_as_long_again_as_the_scenario_says():
    text = HELD_IN_WRITE.format(do="delete-job", delay=20, place="deleted", more=", hold_seconds: 3")
    _, entries = played(scenario(text).cast("deaf"))
    (removed,) = {entry.at for entry in entries if isinstance(entry.event, ExecutionRemoved)}
    written = [entry.at for entry in entries if isinstance(entry.event, StepFinished) and entry.event.step == "write"]
    assert all(removed + 3 <= at < removed + 4 for at in written[:2])
    assert len(written) >= 2


class Still:
    """A device, as long as nobody lets it go."""

    is_held = True

    def let_go(self, point: HoldPoint) -> None:
        self.is_held = False


def test_nobody_is_let_go_by_what_is_done_to_another():
    fw = ExecutionKey(None, "fw", 1, 100)
    (deletion,) = scenario("deletions: [{job: fw, when: {step: write}, hold: true}]").deletions
    hold, devices = Hold(HoldPoint(0, "fw", "write", 0)), {name: Still() for name in ("thing-0", "thing-1")}
    for name, device in devices.items():
        hold.stop(name, device)

    async def removed(thing: str) -> set[str]:
        Holding(deletion, hold).feed(ExecutionRemoved(thing, fw, "IN_PROGRESS"))
        await asyncio.sleep(1)
        return {name for name, device in devices.items() if device.is_held}

    assert run_virtually(removed("thing-0")) == {"thing-1"}
    assert run_virtually(removed("thing-1")) == set()


def test_a_run_in_which_nothing_new_happens_any_more_says_what_it_waited_for():
    text = HELD_IN_WRITE.format(do="delete-job", delay=80_000, place="deleted", more="")
    verdict, entries = played(scenario(f"{text}time_limit_seconds: 30"))
    waited_for = "job fw to be removed from who is held in write: thing-0, and 1 more"
    assert [entry.event for entry in entries if isinstance(entry.event, RunEnded)] == [
        RunEnded("timed-out", waited_for)
    ]
    assert verdict.outcome == "inconclusive"
    assert verdict.why.startswith(f"the run met its time limit while it waited for {waited_for}; see engine#")


@dataclass(slots=True)
class SlowVenue(VirtualVenue):
    """The process gets to run a tenth of the time."""

    @property
    def running_time(self) -> Callable[[], float]:
        loop = asyncio.get_running_loop()
        return lambda: loop.time() / 10


@pytest.mark.parametrize(
    ("venue", "ended"),
    [
        pytest.param(VirtualVenue, "timed-out", id="that has all the time"),
        pytest.param(SlowVenue, "finished", id="that hardly runs"),
    ],
)
def test_the_time_limit_counts_the_time_of_a_process(venue: type[VirtualVenue], ended: str):
    late = "faults: [{do: delay, messages: [start-next-answer], seconds: 8}]"
    slow = scenario(f"{late}\ntime_limit_seconds: 5")
    entries: list[Entry] = []
    run_virtually(Play(slow, 2, 1, entries.append, venue(slow, 1)).play())
    assert [entry.event.why for entry in entries if isinstance(entry.event, RunEnded)] == [ended]


def test_who_hardly_runs_does_all_in_the_order_that_the_scenario_wants():
    it = load("policy-leap-when-unreachable")
    with JudgedPlay(it, SlowVenue(it, 1), len(it.devices), seed=1) as run:
        verdict = run_virtually(run.result()).verdict
    assert verdict.outcome == "passed", verdict.why


def test_a_refusal_for_good_lets_everybody_go():
    text = "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true, hold_seconds: 2, force: false}]"
    verdict, entries = played(scenario(text))
    assert verdict.outcome == "passed", verdict.why
    refused = next(entry.at for entry in entries if isinstance(entry.event, DeletionRefused))
    written = [entry.at for entry in entries if isinstance(entry.event, StepFinished) and entry.event.step == "write"]
    assert all(refused + 2 <= at < refused + 3 for at in written)
    assert len(written) == 2


class Unanswering:
    """A control plane that never says whether it has made a thing."""

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        assert operation == "CreateThing"
        await asyncio.Event().wait()
        return {}

    async def close(self) -> None:
        pass


class Unregistered(VirtualVenue):
    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        await VirtualVenue.open(self, stack, sink, things, packs)
        return Hand(Unanswering())


def test_things_that_are_never_registered_are_what_a_run_waited_for():
    it, entries = scenario("time_limit_seconds: 3"), list[Entry]()
    with JudgedPlay(it, Unregistered(it, 1), 2, seed=1, also=(entries.append,)) as run:
        assert run_virtually(run.result()).verdict.outcome == "inconclusive"
    ended = [entry.event for entry in entries if isinstance(entry.event, RunEnded)]
    assert ended == [RunEnded("timed-out", "the things to be registered")]


def test_two_runs_do_not_write_into_one_directory(tmp_path: Path):
    with OutputDirectory(tmp_path / "out"):
        with pytest.raises(InputError, match="out: another run is writing there; give each a directory of its own"):
            OutputDirectory(tmp_path / "out")
        with OutputDirectory(tmp_path / "out" / "cells"):
            pass
    with OutputDirectory(tmp_path / "out") as again:
        again.finish(None)
    assert (tmp_path / "out" / "trace.jsonl").exists()


def test_a_deletion_for_which_bad_ones_never_come_is_not_waited_for_until_the_time_limit():
    both = side_by_side(load("messages-lost"), "waits-for-ever")
    entries: list[Entry] = []
    groups = parts(load("messages-lost"), both, thing_names(2))
    with JudgedPlay(both, VirtualVenue(both, 1), 2, also=(entries.append,), groups=groups) as run:
        run_virtually(run.result())
    (ended,) = [entry for entry in entries if isinstance(entry.event, RunEnded)]
    assert isinstance(ended.event, RunEnded)
    assert ended.event.why == "finished"
    assert "thing-1, one of the bad ones, let its job wait, and did not get there" in ended.event.missed[0]
    assert ended.at < both.time_limit_seconds / 2


def test_who_is_held_for_one_whose_job_has_ended_need_not_be():
    it = scenario("deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]")
    casting = Casting(it, thing_names(2))
    (cue,) = Cues(casting, lambda: None).all
    venue = VirtualVenue(it, 1)
    stragglers = Stragglers(casting, OwnFleet(casting, venue, 1, lambda entry: None), {"thing-1": "bad"})
    assert cue.holding is not None
    cue.holding.hold.hold("thing-0")
    cue.trigger.observe(Observation("thing-0", "IN_PROGRESS", {"step": "write", "progress": "50"}, (0, 1)))
    assert not stragglers.are_certain(cue)
    cue.trigger.observe(Observation("thing-1", "FAILED", {}, (0, 1)))
    assert stragglers.are_certain(cue)

    async def given_up() -> None:
        cue.give_up(stragglers.why(cue))
        await asyncio.sleep(1)

    run_virtually(given_up())
    assert cue.held == ()
    assert cue.missed() == (
        "delete-job of job fw (at write 50%) never came: thing-1, one of the bad ones, ended FAILED, "
        "and did not get there, while thing-0 was held there"
    )
