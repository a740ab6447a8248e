"""A network and a power that come and go by themselves, as a scenario's differences have them."""

from itertools import pairwise

import pytest

from agent.device_events import DeviceConnected, DeviceDisconnected, PowerLost
from simulator.engines.comings import THERE_SECONDS, WHY
from simulator.engines.virtual import judged
from simulator.scenario import parse
from simulator.trace import Entry

SLOW = """
name: slow
devices: [{group: all}]
jobs: [{id: fw, to: [all], version: "2.0"}]
hardware: {download: 100}
time_limit_seconds: 1000
bounds: {silence_seconds: 200, lost_job_seconds: 200}
"""


def told(differences: str, devices: int = 1) -> list[Entry]:
    """What devices told in such a scenario, in which all goes well."""
    entries: list[Entry] = []
    verdict = judged(parse(f"{SLOW}differences: {differences}\n", "slow"), devices, 7, sink=entries.append)
    assert verdict.outcome == "passed", verdict.why
    return [entry for entry in entries if entry.source.startswith("device/")]


def network(entries: list[Entry], thing: str = "thing-0") -> list[tuple[float, bool]]:
    """When the network of a thing came and went, while it fetched its image: it reboots then."""
    changes = {DeviceConnected: True, DeviceDisconnected: False}
    mine = [entry for entry in entries if entry.source == f"device/{thing}" and type(entry.event) in changes]
    return [(entry.at, changes[type(entry.event)]) for entry in mine if entry.at < 100]


def test_a_connection_lasts_and_is_away_for_as_long_as_is_drawn():
    changes = network(told("{connection: {up_seconds: {any_of: [10]}, away_seconds: {any_of: [3]}}}"))
    assert [is_up for _, is_up in changes] == [number % 2 == 0 for number in range(len(changes))]
    went = [at for at, is_up in changes if not is_up]
    assert went == pytest.approx([10 + 13 * number for number in range(len(went))], abs=0.1)
    assert len(went) >= 7
    away = [after - at for (at, is_up), (after, _) in pairwise(changes) if not is_up]
    assert away == pytest.approx([3.0] * len(away), abs=0.1)


def test_what_is_drawn_anew_each_time_differs_from_time_to_time_and_from_device_to_device():
    entries = told("{connection: {up_seconds: {least: 2, most: 20}, away_seconds: {least: 1, most: 5}}}", devices=2)
    first, second = (network(entries, thing) for thing in ("thing-0", "thing-1"))
    assert first != second
    spans = [after - at for (at, _), (after, _) in pairwise(first)]
    assert len({round(span, 2) for span in spans}) == len(spans)
    assert all(0.9 <= span <= 20.1 for span in spans)


def test_a_device_that_sleeps_is_awake_at_regular_intervals_and_there_at_the_beginning():
    entries = told("{duty_cycle: {every_seconds: {any_of: [20]}, awake_seconds: {any_of: [5]}}}", devices=12)
    begins = set[float]()
    for number in range(12):
        changes = network(entries, f"thing-{number:02}")
        assert changes[0] == (pytest.approx(0.01), True)
        assert changes[1][0] >= THERE_SECONDS - 0.01
        woke = [at for at, is_up in changes[1:] if is_up]
        assert [after - at for at, after in pairwise(woke)] == pytest.approx([20] * (len(woke) - 1), abs=0.1)
        awake = [after - at for (at, is_up), (after, _) in pairwise(changes[1:]) if is_up]
        assert awake == pytest.approx([5] * len(awake), abs=0.1)
        begins.add(round(woke[0], 2))
    assert len(begins) == 12, "each at its own time"


def test_power_goes_by_itself_and_comes_back():
    reboots = "reboots: {every_seconds: {any_of: [40]}, off_seconds: {any_of: [2]}}"
    entries = told(f"{{hardware: {{download: {{any_of: [35]}}, write: {{any_of: [30]}}}}, {reboots}}}")
    cuts = [entry.at for entry in entries if entry.event == PowerLost(WHY)]
    assert cuts == pytest.approx([40 + 42 * number for number in range(len(cuts))], abs=0.1)
    assert len(cuts) >= 1, "it did the rest of it after that"


def test_the_time_of_an_image_is_its_size_by_the_bandwidth():
    entries = told("{image_megabytes: 20, megabits_per_second: {any_of: [4]}}")
    began, ended = (
        next(
            entry.at for entry in entries if entry.event.type == kind and getattr(entry.event, "step", "") == "download"
        )
        for kind in ("step.started", "step.finished")
    )
    assert ended - began == pytest.approx(40, abs=0.1)
