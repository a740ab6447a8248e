"""What a device tells of its flash: every sector as the hardware has it, when it changes, and no more often."""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from agent.device_events import DeviceBooted, ExecutionTaken, PowerLost
from simulator.devices.flash import tell_flash
from simulator.devices.hardware import EMPTY, FACTORY, RECOVERY, SECTORS, Area, Hardware, Image, boot
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import load
from simulator.trace import Entry, FlashChanged, read_line, write_line
from simulator.verdict import Judge, Verdict
from tests.simulator.devices.flash_works import WORKS, Work

GONE = "." * SECTORS
OLD, NEW, BAD = "#" * SECTORS, "+" * SECTORS, "x" * SECTORS
TWO = Image("2.0", counter=2)


@pytest.mark.parametrize(
    ("hardware", "slots", "runs_and_boots"),
    [
        pytest.param(Hardware(), [("A", "1.0", "whole", OLD), ("B", "", "empty", GONE)], "A A", id="two slots"),
        pytest.param(
            Hardware("swap"), [("primary", "1.0", "whole", OLD), ("secondary", "", "empty", GONE)], "primary primary"
        ),
        pytest.param(
            Hardware("single", (FACTORY, RECOVERY)),
            [("main", "1.0", "whole", OLD), ("recovery", "recovery", "whole", OLD)],
            "main main",
        ),
        pytest.param(
            Hardware(slots=(FACTORY, Area(TWO, 5)), download=Area(TWO, SECTORS)),
            [("A", "1.0", "whole", OLD), ("B", "2.0", "partial", "+++++...........")],
            "A A",
            id="being written",
        ),
        pytest.param(
            Hardware(slots=(FACTORY, Area(TWO, 5))),
            [("A", "1.0", "whole", OLD), ("B", "2.0", "partial", "xxxxx...........")],
            "A A",
            id="what is left of an image",
        ),
        pytest.param(
            Hardware(slots=(FACTORY, Area(TWO, SECTORS)), trial="requested", tries=3),
            [("A", "1.0", "whole", OLD), ("B", "2.0", "whole", NEW)],
            "A B",
            id="to be tried",
        ),
        pytest.param(
            Hardware(slots=(FACTORY, Area(replace(TWO, flaw="signature"), SECTORS)), trial="requested", tries=3),
            [("A", "1.0", "whole", OLD), ("B", "2.0", "flawed", BAD)],
            "A A",
            id="not signed",
        ),
        pytest.param(
            Hardware(slots=(FACTORY, Area(replace(TWO, flaw="boot"), SECTORS)), trial="requested", tries=3),
            [("A", "1.0", "whole", OLD), ("B", "2.0", "flawed", NEW)],
            "A A",
            id="it hangs, and the bootloader falls back in the end",
        ),
        pytest.param(
            Hardware("swap", (FACTORY, Area(TWO, SECTORS)), trial="requested", tries=1, swapped=2),
            [("primary", "1.0", "partial", "++" + OLD[2:]), ("secondary", "2.0", "partial", "##" + NEW[2:])],
            "primary secondary",
            id="an exchange under way brings it from the other slot",
        ),
        pytest.param(
            Hardware(slots=(Area(FACTORY.image, 9), EMPTY), running=None),
            [("A", "1.0", "partial", "xxxxxxxxx......."), ("B", "", "empty", GONE)],
            " ",
            id="a brick",
        ),
    ],
)
def test_every_sector_is_told_as_it_is(hardware: Hardware, slots: list[tuple[str, ...]], runs_and_boots: str):
    told = tell_flash(hardware)
    assert [(area.name, area.holds, area.state, area.cells) for area in told.slots] == slots
    assert f"{told.running} {told.boots}" == runs_and_boots
    assert bool(told.boots) == (boot(hardware).running is not None)
    assert tell_flash(hardware, is_up=False).running == ""


def cells_during(told: FlashChanged, done: int) -> dict[str, str]:
    """What whoever reads that it begins makes of it once so many sectors are done: as `FlashWork` says."""
    work = told.work
    assert work is not None
    cells = {area.name: [*area.cells] for area in (*told.slots, *told.incoming)}
    if work.exchanges:
        first, second = (cells[area.name] for area in told.slots)
        for number in range(done):
            at = SECTORS - work.exchanges + number
            first[at], second[at] = second[at], first[at]
        return {name: "".join(each) for name, each in cells.items()}
    area = cells.setdefault(work.area, [*GONE])
    if done and work.erases:
        area[:] = ["x" if cell == "#" else cell for cell in area]
    for number in range(done):
        if number < work.erases:
            area[work.erases - 1 - number] = "."
        else:
            area[SECTORS - work.writes + number - work.erases] = "+"
    return {name: "".join(each) for name, each in cells.items()}


@pytest.mark.parametrize("work", WORKS, ids=[work.name for work in WORKS])
def test_what_begins_says_how_every_sector_of_it_will_be(work: Work):
    for done, after in enumerate(work.after[:-1]):
        there = {area.name: area.cells for area in (*after.slots, *after.incoming)}
        expected = cells_during(work.told, done)
        assert {name: there.get(name, GONE) for name in expected} == expected, done


# ── in a run ──────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def played(scenario: str, devices: int = 2) -> tuple[tuple[Entry, ...], Verdict]:
    whole, entries = load(scenario), list[Entry]()
    with JudgedPlay(whole, VirtualVenue(whole, 0), devices, also=(entries.append,)) as play:
        verdict = run_virtually(play.result()).verdict
    return tuple(entries), verdict


def flashes(entries: tuple[Entry, ...]) -> list[FlashChanged]:
    return [entry.event for entry in entries if isinstance(entry.event, FlashChanged)]


@pytest.mark.parametrize("scenario", ["main", "delete-while-rebooting", "power-lost-in-the-only-slot"])
def test_an_update_tells_of_its_flash_at_most_twenty_times(scenario: str):
    entries, _ = played(scenario)
    told = Counter(entry.source for entry in entries if isinstance(entry.event, FlashChanged))
    updates = Counter(entry.source for entry in entries if isinstance(entry.event, ExecutionTaken))
    assert len(told) == 2
    assert all(count <= 20 * updates[source] for source, count in told.items())


def test_a_write_that_is_held_stands_still_goes_on_and_is_taken_back():
    entries, _ = played("main")
    own = tuple(entry for entry in entries if entry.source == "device/thing-0")
    works = [flash.work for flash in flashes(own) if flash.work is not None and flash.work.area == "B"]
    assert [(work.erases, work.writes, work.done, work.seconds > 0) for work in works[:4]] == [
        (16, 16, 0, True),
        (16, 16, 16, False),
        (16, 16, 16, True),
        (7, 0, 0, True),
    ]


def test_a_power_cut_shows_what_it_left():
    entries, _ = played("power-lost-in-the-only-slot")
    own = [entry.event for entry in entries if entry.source == "device/thing-0"]
    at = next(index for index, event in enumerate(own) if isinstance(event, PowerLost))
    left = own[at + 1]
    assert isinstance(left, FlashChanged)
    assert (left.running, left.boots, left.slots[0].cells, left.work) == ("", "recovery", "+++++++.........", None)


@pytest.mark.parametrize("scenario", ["delete-while-rebooting", "hanging-image", "power-lost-in-the-only-slot"])
def test_what_is_said_to_boot_is_what_runs_after_the_next_boot(scenario: str):
    entries, _ = played(scenario)
    following: dict[str, str] = {}
    booted = 0
    for entry in entries:
        if isinstance(entry.event, FlashChanged):
            slots = {area.name: area.holds for area in entry.event.slots}
            following[entry.source] = slots[entry.event.boots]
        elif isinstance(entry.event, DeviceBooted) and entry.source in following:
            assert entry.event.version == following[entry.source]
            booted += 1
    assert booted


@pytest.mark.parametrize("scenario", ["main", "power-lost-in-the-only-slot"])
def test_no_verdict_depends_on_it(scenario: str):
    entries, verdict = played(scenario)
    judge = Judge()
    for entry in entries:
        if not isinstance(entry.event, FlashChanged):
            judge.feed(entry)
    assert judge.verdict() == verdict


def test_it_is_read_as_it_was_written():
    entries, _ = played("delete-while-rebooting")
    kept = [entry for entry in entries if isinstance(entry.event, FlashChanged)]
    assert any(entry.event.work for entry in kept if isinstance(entry.event, FlashChanged))
    for entry in kept:
        read = read_line(write_line(entry))
        assert read is not None
        assert read.event == entry.event


def test_devices_of_a_fleet_share_what_is_told():
    entries, _ = played("main", 4)
    assert len({id(flash) for flash in flashes(entries)}) * 2 < len(flashes(entries))
