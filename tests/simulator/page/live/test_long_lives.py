"""What a page of a cloud remembers is bounded, whoever comes by and for however long."""

import pytest

from agent.values import ExecutionKey
from simulator.page import roster
from simulator.page.picture import Picture
from simulator.trace import CLOUD, Entry, ExecutionQueued

THINGS, ENTRIES = 1_000, 40


def test_of_many_who_come_by_the_page_of_a_cloud_remembers_little_each(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "KEPT", 1_000)
    picture = Picture("cloud", "", "cloud")
    number = 0
    for round_ in range(ENTRIES):
        for index in range(THINGS):
            number += 1
            key = ExecutionKey(None, f"job-{round_}", 1, round_)
            picture.feed(Entry(CLOUD, number, number / 100, ExecutionQueued(f"thing-{index}", key)))
    devices = picture._roster.devices.values()
    assert len(devices) == THINGS
    crowd = [device for number, device in enumerate(devices) if number >= roster.MANY]
    assert {len(device.kept) for device in crowd} == {roster.FEWEST}
    assert len(picture.whole().lanes) == roster.SHOWN
