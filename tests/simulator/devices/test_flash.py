"""Flash in time: sectors are done when they are due, whoever looks, and the power goes at the very sector it should."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from simulator.devices.flash import Flash, Run
from simulator.devices.hardware import Hardware, Image, factory
from simulator.devices.sectors import ACTIONS
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Outage, PowerCut

IMAGE = Image("2.0")


class Supply:
    """Notes when the power went, and switches the flash off then, as a device does."""

    def __init__(self) -> None:
        self.flash: Flash
        self.told: list[tuple[str, float]] = []

    def lose_power(self, instant: str, off_seconds: float) -> None:
        self.told.append((instant, asyncio.get_running_loop().time()))
        self.flash.stop()
        self.flash.is_on = False

    def lose_network(self, seconds: float) -> None:
        self.told.append(("network", asyncio.get_running_loop().time()))

    def found_brick(self, hardware: Hardware) -> None:
        self.told.append(("brick", asyncio.get_running_loop().time()))


def in_virtual_time(body: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        run_virtually(body())

    test.__name__ = body.__name__
    return test


def flash_with(*cuts: PowerCut, outages: tuple[Outage, ...] = ()) -> tuple[Flash, Supply]:
    supply = Supply()
    supply.flash = Flash(factory("ab"), supply, cuts, outages)
    supply.flash.is_on = True
    return supply.flash, supply


class Worker:
    """Pauses once, and notes when."""

    def __init__(self, pause: int) -> None:
        self.pause = pause
        self.noted: list[tuple[int, float]] = []

    def next_pause(self, run: Run) -> int:
        return self.pause if run.done < self.pause else run.sectors

    def reached(self, run: Run) -> None:
        self.noted.append((run.done, round(asyncio.get_running_loop().time(), 6)))


def download(pause: int = 16) -> Run:
    """16 sectors of a tenth of a second each."""
    return Run("download", "download", ACTIONS["download"].sector, IMAGE, 16, 0.1, Worker(pause))


def noted(run: Run) -> list[tuple[int, float]]:
    assert isinstance(run.worker, Worker)
    return run.worker.noted


@in_virtual_time
async def test_whoever_looks_finds_done_what_is_done_by_then():
    flash, _ = flash_with()
    flash.begin(download())
    await asyncio.sleep(0.75)
    assert (flash.hardware.download.sectors, flash.instants) == (7, 7)
    await asyncio.sleep(10)
    assert (flash.hardware.download.sectors, flash.instants) == (16, 16)


@in_virtual_time
async def test_a_run_that_is_stopped_keeps_what_is_done_and_does_no_more():
    flash, _ = flash_with()
    flash.begin(download())
    await asyncio.sleep(0.31)
    flash.stop()
    await asyncio.sleep(10)
    assert (flash.hardware.download.sectors, flash.instants) == (3, 3)


@in_virtual_time
async def test_a_run_pauses_until_it_is_told_to_go_on_and_ends_once():
    flash, _ = flash_with()
    run = download(pause=8)
    flash.begin(run)
    await asyncio.sleep(5)
    assert noted(run) == [(8, 0.8)]
    flash.go_on(run)
    await asyncio.sleep(5)
    assert noted(run) == [(8, 0.8), (16, 5.8)]


@in_virtual_time
async def test_one_that_was_stopped_while_it_paused_does_not_go_on():
    flash, _ = flash_with()
    run = download(pause=8)
    flash.begin(run)
    await asyncio.sleep(1)
    flash.stop()
    flash.go_on(run)
    await asyncio.sleep(5)
    assert flash.hardware.download.sectors == 8


@pytest.mark.parametrize(
    ("cut", "instant", "at", "sectors"),
    [
        pytest.param(PowerCut(instant="download 5/16"), "download 5/16", 0.5, 4, id="by name: before that sector"),
        pytest.param(PowerCut(step="download", progress=50), "download 8/16", 0.8, 7, id="by progress: before it"),
        pytest.param(PowerCut(nth=3), "download 3/16", 0.3, 2, id="by number: before the third"),
        pytest.param(PowerCut(nth=16), "download 16/16", 1.6, 15, id="before the last"),
        pytest.param(PowerCut(step="write"), "", 0.0, 16, id="of another step: not at all"),
    ],
)
def test_the_power_goes_before_the_sector_that_the_scenario_names(cut: PowerCut, instant: str, at: float, sectors: int):
    async def play() -> tuple[Flash, Supply]:
        flash, supply = flash_with(cut)
        flash.begin(download())
        await asyncio.sleep(10)
        return flash, supply

    flash, supply = run_virtually(play())
    assert [(name, round(time, 6)) for name, time in supply.told] == ([(instant, at)] if instant else [])
    assert flash._hardware.download.sectors == sectors
    assert flash.is_on == (not instant)


@in_virtual_time
async def test_writes_in_between_count_as_instants_in_the_order_in_which_they_come():
    flash, supply = flash_with(PowerCut(nth=6))
    flash.begin(download())
    await asyncio.sleep(0.35)
    assert flash.instant("journal write")
    await asyncio.sleep(10)
    assert [name for name, _ in supply.told] == ["download 5/16"]
    assert flash.instants == 6


@in_virtual_time
async def test_of_instants_of_one_name_the_power_goes_at_the_one_that_is_counted():
    flash, supply = flash_with(PowerCut(instant="journal write", occurrence=2))
    assert [flash.instant(name) for name in ("journal write", "journal sync", "journal write")] == [True, True, False]
    assert supply.told == [("journal write", 0.0)]


@in_virtual_time
async def test_the_network_goes_at_the_sector_that_the_scenario_names_and_the_run_goes_on():
    flash, supply = flash_with(outages=(Outage(step="download", progress=25),))
    flash.begin(download())
    await asyncio.sleep(10)
    assert [(name, round(time, 6)) for name, time in supply.told] == [("network", 0.4)]
    assert (flash.hardware.download.sectors, flash.instants) == (16, 16)


@in_virtual_time
async def test_without_power_there_is_no_instant():
    flash, _ = flash_with()
    flash.is_on = False
    assert not flash.instant("journal write")
    assert flash.instants == 0
