"""Shipped scenarios over real MQTT and in virtual time: they pass in both, and what each device did is the same.

A chosen few, each for something that the two engines do by other means; `python -m tests.live --all` plays them all.
"""

from collections.abc import Iterator

import pytest

from agent.device_events import (
    DeviceBooted,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    PowerLost,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.cli.options import run_loop
from simulator.engines.virtual import judged
from simulator.scenario import load
from simulator.trace import Entry, device_source
from simulator.verdict import Verdict
from tests.live import Played, devices_for, play_several

CHOSEN = (
    "cancel-beside-delete",
    "delete-in-self-test",
    "delete-just-after-the-leap",
    "greengrass-held-back",
    "hanging-image",
    "power-lost-before-the-report",
    "recreated-identically",
    "report-delivered-answer-lost",
    "two-in-progress-other-deleted",
)
TOLD = (
    DeviceBooted,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    PowerLost,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
"""What a device did, one thing because of the other; when it heard and asked is a matter of time."""


@pytest.fixture(scope="module")
def live() -> dict[str, Played]:
    """All of the chosen, several at once on one loop, of the kind that `ghostjob run` uses."""

    async def play() -> dict[str, Played]:
        scenarios = [load(name) for name in CHOSEN]
        return {played.scenario.name: played async for played in play_several(scenarios, at_once=4)}

    return run_loop(play())


def in_virtual_time(name: str) -> tuple[Verdict, list[Entry]]:
    scenario, entries = load(name), list[Entry]()
    return judged(scenario, devices_for(scenario), 1, sink=entries.append), entries


def outcomes(verdict: Verdict) -> dict[str, str]:
    """All but one: whether a request had to be repeated, and could have been too soon, depends on the load."""
    return {each.id: each.outcome for each in verdict.invariants if each.id != "no-hammering"}


def projection(entries: list[Entry]) -> dict[str, list[tuple[object, ...]]]:
    """What each device did, in its own order, with incarnations counted instead of dated."""
    told: dict[str, list[tuple[object, ...]]] = {}
    incarnations: dict[tuple[str, str], dict[ExecutionKey, int]] = {}
    for entry in entries:
        if entry.source.startswith(device_source("")) and isinstance(entry.event, TOLD):
            told.setdefault(entry.source, []).append(tuple(_plain(entry, incarnations)))
    return told


def _plain(entry: Entry, incarnations: dict[tuple[str, str], dict[ExecutionKey, int]]) -> Iterator[object]:
    event = entry.event
    yield event.type
    for name in ("step", "outcome", "end", "version", "why", "on_trial", "instant", "ok"):
        if hasattr(event, name):
            yield getattr(event, name)
    if (key := getattr(event, "execution", None)) is not None:
        known = incarnations.setdefault((entry.source, key.job_id), {})
        yield key.job_id, known.setdefault(key, len(known))


@pytest.mark.parametrize("name", CHOSEN)
def test_a_shipped_scenario_passes_over_real_mqtt(live: dict[str, Played], name: str):
    verdict = live[name].verdict
    assert verdict.passed, verdict.model_dump_json(indent=1)


@pytest.mark.parametrize("name", CHOSEN)
def test_both_engines_come_to_the_same_verdict_and_reach_the_same_places(live: dict[str, Played], name: str):
    here, there = live[name].verdict, in_virtual_time(name)[0]
    assert outcomes(here) == outcomes(there)
    assert here.reached == there.reached
    assert (here.devices, here.recovered) == (there.devices, there.recovered)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_device_does_the_same_in_both_engines(live: dict[str, Played], name: str):
    assert projection(live[name].entries) == projection(in_virtual_time(name)[1])
