"""The flash as the page draws it between two entries: every sector is what the hardware has there."""

import json
from dataclasses import replace

import pytest

from simulator.page.flash import FlashFold
from simulator.trace import Entry, FlashArea, FlashChanged
from tests.simulator.devices.flash_works import WORKS
from tests.simulator.page.browser import made
from tests.simulator.page.browser.tab import Json, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

NOW = 8.0
ERASED = "." * 16
CELLS = """flashes => Object.fromEntries(flashes.map(flash => [flash.dataset.thing, Object.fromEntries(
    [...flash.querySelectorAll('.slot')].map(slot => [slot.dataset.slot,
        [...slot.querySelectorAll('[data-cell]')].map(cell => cell.dataset.cell).join('')]))]))"""


def history(told: FlashChanged, at: float) -> list[Json]:
    """What the page is given of a device that told this, and nothing since."""
    fold = FlashFold(8)
    fold.feed(Entry("device/thing", 1, at, told))
    return [json.loads(each.model_dump_json()) for each in fold.shown(lambda when: when.at)]


def cells_of(flash: FlashChanged, area: str) -> str:
    return next((each.cells for each in (*flash.slots, *flash.incoming) if each.name == area), ERASED)


async def test_every_sector_is_drawn_as_the_hardware_has_it_while_it_works(tab: Tab) -> None:
    cases = {
        f"{number}-{done}": (work, done)
        for number, work in enumerate(WORKS)
        for done in range(0, len(work.after) - 1, 5)
    }
    flash: Json = {}
    for name, (work, done) in cases.items():
        assert work.told.work is not None
        # In the middle of the next sector.
        flash[name] = history(work.told, NOW - (done + 0.5) * work.told.work.seconds)
    await tab.show(made.page(list(cases), now=NOW, flash=flash))
    drawn = await tab.page.locator(".flash").evaluate_all(CELLS)
    for name, (work, done) in cases.items():
        assert work.told.work is not None
        worked = [work.told.work.area] if work.told.work.area else [slot.name for slot in work.told.slots]
        for area, cells in drawn[name].items():
            there = cells_of(work.after[done], area)
            at_work = [index for index, cell in enumerate(cells) if cell in "<>"]
            assert len(at_work) == (area in worked), (work.name, done, area)
            seen = [cell for index, cell in enumerate(cells) if index not in at_work]
            assert seen == [cell for index, cell in enumerate(there) if index not in at_work], (work.name, done, area)


async def test_what_is_held_stands_still(tab: Tab) -> None:
    told = next(work.told for work in WORKS if work.name == "ab: write")
    assert told.work is not None
    held = replace(told, work=replace(told.work, done=16, seconds=0.0))
    await tab.show(made.page(["thing-0"], now=NOW, flash={"thing-0": history(held, 0.0)}))
    (drawn,) = (await tab.page.locator(".flash").evaluate_all(CELLS)).values()
    assert drawn == {area.name: area.cells for area in (*held.slots, *held.incoming)}
    assert "is held there" in await tab.text(".flash .does")


async def test_a_slot_says_what_it_holds_and_what_it_is_to_the_bootloader(tab: Tab) -> None:
    areas = (FlashArea("A", "1.0", "whole", "#" * 16), FlashArea("B", "2.0", "flawed", "x" * 16))
    told = FlashChanged(areas, "A", "B", trial="requested", config="7", files=("a.bin",))
    await tab.show(made.page(["thing-0"], now=NOW, flash={"thing-0": history(told, 0.0)}))
    assert await tab.texts(".flash .slot-holds") == ["1.0 ▸ runs", "2.0, flawed ▸ boots next on trial"]
    assert await tab.texts(".flash .store") == ["configuration: 7", "files: a.bin"]
    assert await tab.at(".flash [data-slot=B] .cells").get_attribute("aria-label") == "16 of no use"
