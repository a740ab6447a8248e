"""Scenarios over real MQTT, played to the end: what good and bad devices get for a verdict."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from agent.transports.endpoint import Endpoint
from simulator.controller.hand import Hand
from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.engines.mqtt_connections import MqttConnections
from simulator.engines.play_time import PlayTime
from simulator.scenario import Scenario, load, parse
from simulator.trace import Entry, RunEnded, Sink, read, write_line
from simulator.trace.packed import Packs
from simulator.verdict import Judge, Verdict
from tests.simulator.verdict.tale import from_the_wire, judge

LOST_IN_DOWNLOAD = """
name: lost-in-download
devices:
  - {{group: all, model: {model}, reports: {reports}, namespace: {namespace}}}
jobs:
  - {{id: fw, to: [all], version: "2.0", namespace: {namespace}}}
  - {{id: fw-2, to: [all], version: "2.1", namespace: {namespace}, after: {{deletion_of: fw}}}}
deletions:
  - {{job: fw, when: {when}, hold: {hold}, hold_seconds: 0.8}}
must_reach:
  - {{place: deleted-in-step, job: fw, step: download}}
  - {{place: recovered, job: fw}}
bounds: {{detection_seconds: 0.4}}
time_limit_seconds: 60
"""


def scenario(model: str, reports: str, namespace: str = "null") -> Scenario:
    """The job is deleted in mid-download, and the download goes on for longer than the detection bound."""
    when = "{step: download, progress: 50}"
    return parse(LOST_IN_DOWNLOAD.format(model=model, reports=reports, namespace=namespace, when=when, hold="true"))


async def play(scenario: Scenario, devices: int, slow: float = 1.0) -> tuple[Verdict, list[Entry]]:
    entries: list[Entry] = []
    venue = LiveVenue(scenario, 1, PlayTime(slow))
    with JudgedPlay(scenario, venue, devices, seed=1, also=(entries.append,)) as run:
        return (await run.result()).verdict, entries


def violated(verdict: Verdict) -> set[str]:
    return {invariant.id for invariant in verdict.invariants if invariant.outcome == "violated"}


async def test_the_main_job_passes_and_its_trace_judges_the_same_from_the_file():
    verdict, entries = await play(load("main"), 10)
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert (verdict.devices, verdict.recovered) == (10, 10)
    assert {place.id: (place.devices, place.of) for place in verdict.reached} == {
        "deleted-in-step fw write": (5, 5),
        "deleted-in-step fw-lab write": (5, 5),
        "reused-id fw plain-same": (3, 3),
        "reused-id fw-lab lab-same": (2, 2),
        "recovered fw": (5, 5),
        "recovered fw-lab": (5, 5),
    }
    again = Judge()
    for entry in read(write_line(entry) for entry in entries):
        again.feed(entry)
    assert json.loads(again.verdict().model_dump_json()) == json.loads(verdict.model_dump_json())
    assert not violated(judge(from_the_wire(entries)))


@pytest.mark.parametrize("namespace", ["null", "lab"])
@pytest.mark.parametrize(
    ("model", "reports", "breaks"),
    [
        pytest.param("deaf", "end", {"stops-in-time"}, id="deaf and silent: starts the next step too late"),
        pytest.param("deaf", "steps", set(), id="deaf but updating at each step: learns in time"),
        pytest.param("reference", "end", set(), id="silent but listening: learns from the notification"),
        pytest.param("hammering", "progress", {"no-hammering"}, id="repeats what was refused for good"),
    ],
)
async def test_a_device_that_loses_its_job_in_mid_download(model: str, reports: str, breaks: set[str], namespace: str):
    verdict, _ = await play(scenario(model, reports, namespace), 3)
    assert violated(verdict) == breaks, verdict.model_dump_json(indent=1)
    assert verdict.passed == (not breaks)
    assert verdict.recovered == 3


@pytest.mark.parametrize(
    ("model", "reports", "breaks"),
    [
        pytest.param("deaf", "end", {"stops-in-time"}, id="a bound from above"),
        pytest.param("hammering", "progress", {"no-hammering"}, id="a bound from below"),
        pytest.param("reference", "end", set(), id="a correct device"),
    ],
)
async def test_who_plays_three_times_slower_gets_the_same_verdict(model: str, reports: str, breaks: set[str]):
    verdict, _ = await play(scenario(model, reports), 2, slow=3.0)
    assert (violated(verdict), verdict.recovered) == (breaks, 2), verdict.model_dump_json(indent=1)


async def test_a_deletion_that_never_comes_due_leaves_the_run_inconclusive_for_the_places_it_did_not_reach():
    text = LOST_IN_DOWNLOAD.format(
        model="reference", reports="progress", namespace="null", when="{status: REJECTED}", hold="false"
    )
    verdict, entries = await play(parse(text), 2)
    assert verdict.outcome == "inconclusive"
    assert not violated(verdict)
    assert {place.id: place.devices for place in verdict.reached} == {
        "deleted-in-step fw download": 0,
        "recovered fw": 0,
    }
    assert [entry.event for entry in entries if entry.source == "engine"][-1] == RunEnded("finished")


class Unreachable(LiveVenue):
    """Its devices know a port on which nobody listens."""

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        hand = await super().open(stack, sink, things, packs)
        self._connections = await stack.enter_async_context(MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1))
        return hand


async def test_a_run_that_hangs_ends_at_its_time_limit_and_has_not_passed():
    slow, entries = load("main").model_copy(update={"time_limit_seconds": 0.05}), list[Entry]()
    with JudgedPlay(slow, Unreachable(slow, 1), 2, seed=1, also=(entries.append,)) as run:
        verdict = (await run.result()).verdict
    assert verdict.outcome == "inconclusive"
    ended = [entry.event for entry in entries if isinstance(entry.event, RunEnded)]
    assert ended == [RunEnded("timed-out", "every device to connect: thing-0, and 1 more")]
