"""Held messages and dead networks, whatever carries messages: as values in virtual time, and over real MQTT."""

from typing import Any

import pytest

from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.engines.virtual import judged
from simulator.scenario import Scenario
from simulator.trace import CLOUD, Entry
from simulator.verdict import Verdict

SCENARIO: dict[str, Any] = {
    "name": "stops",
    "devices": [{"group": "a"}],
    "jobs": [
        {"id": "fw", "to": ["a"], "version": "2.0"},
        {"id": "next", "to": ["a"], "version": "2.1", "after": {"deletion_of": "fw", "until": "gone"}},
    ],
    "deletions": [{"job": "fw", "when": {"status": "IN_PROGRESS", "later_seconds": 0.1}}],
    "must_reach": [{"place": "recovered", "job": "fw"}],
}
HOLD = {"name": "gap", "do": "hold", "job": "fw", "seconds": 20}
COMINGS = ("fault.struck", "client.disconnected", "fault.over", "client.connected")
CUT = {"name": "gap", "do": "cut", "seconds": 1}


def stopped(*faults: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(SCENARIO | {"faults": faults})


def untaken(*faults: dict[str, Any]) -> Scenario:
    """The same where nobody gets to be at work on the job that is deleted."""
    deletion = {"job": "fw", "when": {"after_seconds": 0.2}}
    return Scenario.model_validate(SCENARIO | {"faults": faults, "deletions": [deletion], "must_reach": []})


def told(entries: list[Entry], *types: str) -> list[Any]:
    return [entry.event for entry in entries if entry.source == CLOUD and entry.event.type in types]


def in_order(entries: list[Entry], *types: str) -> bool:
    """Whether, of each of these, the first comes before the first of the next."""
    found = [next(n for n, entry in enumerate(entries) if entry.event.type == each) for each in types]
    return found == sorted(found)


@pytest.mark.parametrize(
    ("message", "until", "awaited"),
    [
        ("update", "removed", "execution.removed"),
        ("update-answer", "removed", "execution.removed"),
        ("update", "deletion-began", "job.deletion_began"),
        ("start-next", "gone", "job.deleted"),
        ("start-next-answer", "removed", "execution.removed"),
        ("notify-next", "removed", "execution.removed"),
    ],
)
def test_virtual_devices_bear_messages_that_are_held(message: str, until: str, awaited: str):
    entries: list[Entry] = []
    hold = HOLD | {"messages": [message], "until": until, "first": 1}
    verdict = judged(stopped(hold) if message.startswith("update") else untaken(hold), 2, 1, sink=entries.append)
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert [event.thing for event in told(entries, "fault.struck")] == ["thing-0", "thing-1"]
    assert [event.why for event in told(entries, "fault.over")] == ["done", "done"]
    assert in_order(entries, "fault.struck", awaited, "fault.over")
    late = {event.request for event in told(entries, "request.received") if event.late_seconds}
    assert late == ({message} & {"update", "start-next"})


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("update", {"job": "fw"}),
        ("update-answer", {"job": "next", "status": "SUCCEEDED"}),
        ("notify-next", {"after_deletion_of": "fw"}),
    ],
)
def test_virtual_devices_bear_a_network_that_dies(message: str, more: dict[str, Any]):
    entries: list[Entry] = []
    verdict = judged(stopped(CUT | {"messages": [message], "first": 1, **more}), 2, 1, sink=entries.append)
    assert verdict.passed, verdict.model_dump_json(indent=1)
    for thing in ("thing-0", "thing-1"):
        of_it = [event for event in told(entries, *COMINGS) if event.thing == thing]
        types = [event.type for event in of_it]
        struck = types.index("fault.struck")
        assert types[struck : struck + 4] == [*COMINGS[:3], "client.connected"]
        assert of_it[struck + 1].reason == "CONNECTION_LOST"


def test_a_held_request_arrives_though_its_device_has_lost_its_connection_and_nobody_gets_the_answer():
    entries: list[Entry] = []
    hold = HOLD | {"messages": ["update"], "first": 1, "until": "gone"}
    cut = CUT | {"name": "dead", "messages": ["notify-next"], "after_deletion_of": "fw", "first": 1}
    verdict = judged(stopped(hold, cut), 1, 1, sink=entries.append)
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert in_order(entries, "fault.struck", "client.disconnected", "job.deleted")
    received = next(event for event in told(entries, "request.received") if event.late_seconds)
    answered = {entry.event.client_token for entry in entries if entry.event.type == "answer.received"}
    assert received.client_token not in answered


async def test_the_same_over_real_mqtt():
    entries: list[Entry] = []
    hold = HOLD | {"messages": ["update"], "first": 1}
    cut = CUT | {"name": "dead", "messages": ["update"], "job": "next", "first": 1, "seconds": 0.2}
    scenario = stopped(hold, cut)
    with JudgedPlay(scenario, LiveVenue(scenario, 1), 1, seed=1, also=(entries.append,)) as run:
        verdict: Verdict = (await run.result()).verdict
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert [(event.fault, event.do) for event in told(entries, "fault.struck")] == [("gap", "hold"), ("dead", "cut")]
    assert [(event.fault, event.why) for event in told(entries, "fault.over")] == [("gap", "done"), ("dead", "done")]
