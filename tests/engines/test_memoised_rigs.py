"""Hardware of a fleet that is remembered: it does what it would do, and what is alike is one object."""

import pytest

from simulator.devices.device import carried_out
from simulator.engines import memoised_rigs
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import load
from simulator.trace import Entry

DEVICES = 8
NAMES = (
    "main",
    "bad-hash-deleted",
    "configuration-deleted",
    "nobody-answers-past-the-leap",
    "power-lost-in-the-only-slot",
    "power-lost-while-undoing",
)
"""With cuts and outages, and of every layout."""


def played(name: str) -> tuple[Play, list[Entry]]:
    scenario, entries = load(name), list[Entry]()
    play = Play(scenario, DEVICES, 1, entries.append, VirtualVenue(scenario, 1))
    run_virtually(play.play())
    return play, entries


@pytest.mark.parametrize("name", NAMES)
def test_what_is_remembered_is_what_would_come_of_it(name: str, monkeypatch: pytest.MonkeyPatch):
    _, remembered = played(name)
    monkeypatch.setattr(memoised_rigs, "carried_out", carried_out)
    _, done = played(name)
    assert remembered == done


def test_devices_that_have_done_the_same_share_all_that_they_are():
    play, _ = played("main")
    assert play.fleet is not None
    rigs = {device.group.group: device.rig for device in play.fleet.devices}
    assert len(rigs) == DEVICES / 2
    assert all(device.rig is rigs[device.group.group] for device in play.fleet.devices)
