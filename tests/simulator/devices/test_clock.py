"""A rig on a clock: sectors are done when they are due, whoever looks, and the power goes at the very one it should."""

import asyncio

import pytest

from agent.core.events import StopStep
from simulator.devices.holds import Hold
from simulator.devices.rig.power import instant
from simulator.devices.rig.values import HoldPoint
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Outage, PowerCut
from tests.simulator.devices.clocked import DOWNLOAD, ClockedDevice, in_virtual_time

BEGINS = 1
"""Instants before the first sector."""


def held_half() -> Hold:
    return Hold(HoldPoint(0, "fw", "download", 50))


@in_virtual_time
async def test_whoever_looks_finds_done_what_is_done_by_then():
    device = ClockedDevice()
    device.begin(DOWNLOAD)
    await asyncio.sleep(0.75)
    assert (device.hardware.download.sectors, device.instants) == (7, BEGINS + 7)
    await asyncio.sleep(10)
    assert (device.hardware.download.sectors, device.instants) == (16, BEGINS + 16)


@in_virtual_time
async def test_a_run_that_is_stopped_keeps_what_is_done_and_does_no_more():
    device = ClockedDevice()
    device.begin(DOWNLOAD)
    await asyncio.sleep(0.31)
    device.stop(StopStep(0))
    await asyncio.sleep(10)
    assert (device.hardware.download.sectors, device.instants) == (3, BEGINS + 3)
    assert device.ends == [("stopped", 0.31)]


@in_virtual_time
async def test_a_run_pauses_until_it_is_told_to_go_on_and_ends_once():
    hold = held_half()
    device = ClockedDevice(holds=(hold,))
    device.begin(DOWNLOAD)
    await asyncio.sleep(5)
    assert (device.hardware.download.sectors, device.ends, hold.held) == (8, [], ("thing",))
    hold.let_go("thing")
    await asyncio.sleep(5)
    assert (device.ends, hold.held) == ([("done", 5.8)], ())


@in_virtual_time
async def test_one_that_was_stopped_while_it_paused_does_not_go_on():
    hold = held_half()
    device = ClockedDevice(holds=(hold,))
    device.begin(DOWNLOAD)
    await asyncio.sleep(1)
    device.stop(StopStep(0))
    hold.let_all_go()
    await asyncio.sleep(5)
    assert device.hardware.download.sectors == 8


@in_virtual_time
async def test_a_hold_that_is_over_before_a_run_gets_there_holds_nothing():
    hold = held_half()
    device = ClockedDevice(holds=(hold,))
    device.begin(DOWNLOAD)
    hold.let_all_go()
    await asyncio.sleep(5)
    assert device.ends == [("done", 1.6)]


@pytest.mark.parametrize(
    ("cut", "instant", "at", "sectors"),
    [
        pytest.param(PowerCut(instant="download 5/16"), "download 5/16", 0.5, 4, id="by name: before that sector"),
        pytest.param(PowerCut(step="download", progress=50), "download 8/16", 0.8, 7, id="by progress: before it"),
        pytest.param(PowerCut(nth=BEGINS + 3), "download 3/16", 0.3, 2, id="by number: before the third"),
        pytest.param(PowerCut(nth=BEGINS + 16), "download 16/16", 1.6, 15, id="before the last"),
        pytest.param(PowerCut(step="write"), "", 0.0, 16, id="of another step: not at all"),
    ],
)
def test_the_power_goes_before_the_sector_that_the_scenario_names(cut: PowerCut, instant: str, at: float, sectors: int):
    async def play() -> tuple[ClockedDevice, bool]:
        device = ClockedDevice(cut)
        device.begin(DOWNLOAD)
        await asyncio.sleep(1.65)
        return device, device.rig.is_on

    device, is_on = run_virtually(play())
    assert device.losses == ([(instant, at)] if instant else [])
    assert device.rig.hardware.download.sectors == sectors
    assert is_on == (cut.step == "write" or at < 1.6)


@in_virtual_time
async def test_writes_in_between_count_as_instants_in_the_order_in_which_they_come():
    device = ClockedDevice(PowerCut(nth=BEGINS + 6))
    device.begin(DOWNLOAD)
    await asyncio.sleep(0.35)
    device.do(instant, "journal write")
    assert device.rig.is_on
    await asyncio.sleep(0.2)
    assert device.losses == [("download 5/16", 0.5)]
    assert device.instants == BEGINS + 6


@in_virtual_time
async def test_of_instants_of_one_name_the_power_goes_at_the_one_that_is_counted():
    device = ClockedDevice(PowerCut(instant="journal write", occurrence=2))
    went = []
    for name in ("journal write", "journal sync", "journal write"):
        device.do(instant, name)
        went.append(device.rig.is_on)
    assert went == [True, True, False]
    assert device.losses == [("journal write", 0.0)]


@in_virtual_time
async def test_the_network_goes_at_the_sector_that_the_scenario_names_and_the_run_goes_on():
    device = ClockedDevice(outages=(Outage(step="download", progress=25),))
    device.begin(DOWNLOAD)
    await asyncio.sleep(10)
    assert [at for at, what in device.noted if what == "the network is gone"] == [0.4]
    assert (device.hardware.download.sectors, device.instants) == (16, BEGINS + 16)


@in_virtual_time
async def test_without_power_there_is_no_instant():
    device = ClockedDevice(PowerCut(instant="journal write", off_seconds=5))
    device.do(instant, "journal write")
    device.do(instant, "journal write")
    assert not device.rig.is_on
    assert device.instants == 1


@in_virtual_time
async def test_what_was_begun_before_the_power_went_does_not_go_on_when_it_is_back():
    device = ClockedDevice(PowerCut(instant="download 5/16", off_seconds=0.5))
    device.begin(DOWNLOAD)
    await asyncio.sleep(10)
    assert (device.boots, device.hardware.download.sectors, device.ends) == (2, 4, [])
