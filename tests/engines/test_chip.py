"""A flash in a file: whatever instant its process dies at, the device goes on with what was done by then."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.events import StepAdvanced, StepEnded
from agent.errors import InputError
from agent.runner import Runner
from simulator.devices.device import Kept, SimulatedDevice, Wiring
from simulator.devices.hardware import SECTORS, Area, Hardware, Image, factory
from simulator.devices.rig.steps import power_on
from simulator.devices.rig.values import Make
from simulator.engines.chip import ChipFile
from simulator.scenario import Group
from tests.simulator.devices.clocked import DOWNLOAD, TIMINGS, Deaf, in_virtual_time

texts = st.text(max_size=8)
images = st.builds(Image, texts, st.integers(0, 9), st.sampled_from(["", "hash", "signature", "boot", "self-test"]))
areas = st.builds(Area, st.none() | images, st.integers(0, SECTORS), st.booleans())
hardware = st.builds(
    Hardware,
    st.sampled_from(["ab", "swap", "single"]),
    st.tuples(areas, areas),
    areas,
    st.integers(0, 1),
    st.sampled_from(["", "requested", "running"]),
    st.integers(0, 3),
    st.none() | st.integers(0, SECTORS),
    st.integers(0, 9),
    st.none() | st.integers(0, 1),
    texts,
    texts,
    texts,
    st.lists(texts, max_size=3).map(tuple),
    areas,
)


class Memory:
    """A chip in memory: all that it ever held."""

    def __init__(self, *held: Kept) -> None:
        self.held = list(held)

    def read(self) -> Kept | None:
        return self.held[-1] if self.held else None

    def write(self, kept: Kept) -> None:
        self.held.append(kept)


class OnChip(SimulatedDevice):
    """Powered on, with an agent that only notes what comes, and what the chip held when it came."""

    def __init__(self, chip: Memory) -> None:
        self.noted: list[tuple[Any, Kept]] = []
        self.chip = chip
        wiring = Wiring((), (), lambda _: cast("Runner[Any]", Deaf(cast("Any", self))), chip=lambda _: chip)
        super().__init__("thing", Group(group="g"), Make(TIMINGS), wiring, self.note)
        self.do(power_on)

    def note(self, what: Any) -> None:
        self.noted.append((what, self.chip.held[-1]))


@given(st.builds(Kept, hardware, st.binary(max_size=40), st.integers(0, 99)))
def test_what_was_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, kept: Kept):
    directory = tmp_path_factory.mktemp("chip")
    ChipFile(directory, "thing").write(kept)
    assert ChipFile(directory, "thing").read() == kept


@in_virtual_time
async def test_every_sector_is_in_the_chip_when_it_is_done():
    device = OnChip(chip := Memory())
    device.begin(DOWNLOAD)
    for done in range(1, SECTORS + 1):
        await asyncio.sleep(0.1 if done > 1 else 0.15)
        assert chip.held[-1].hardware.download.sectors == done


@in_virtual_time
async def test_nothing_is_told_that_a_power_cut_would_undo():
    device = OnChip(Memory())
    device.begin(DOWNLOAD)
    await asyncio.sleep(2)
    told = {type(what): kept.hardware.download.sectors for what, kept in device.noted}
    assert (told[StepAdvanced], told[StepEnded]) == (SECTORS // 2, SECTORS)


@in_virtual_time
async def test_a_device_goes_on_from_whatever_its_chip_ever_held():
    OnChip(first := Memory()).begin(DOWNLOAD)
    await asyncio.sleep(2)
    for kept in tuple(first.held):
        again = OnChip(Memory(kept))
        assert (again.hardware, again.boots) == (kept.hardware, kept.boots + 1)
        again.begin(DOWNLOAD)
        await asyncio.sleep(2)
        assert isinstance(again.noted[-1][0], StepEnded)


def test_the_version_that_runs_lies_beside_it(tmp_path: Path):
    chip = ChipFile(tmp_path, "thing")
    chip.write(Kept(factory("ab"), b"", 1))
    assert (tmp_path / "thing.version").read_text() == "1.0\n"
    bricked = Hardware("ab", running=None)
    chip.write(Kept(bricked, b"", 2))
    assert (tmp_path / "thing.version").read_text() == "\n"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "hardware": {}}'])
def test_what_is_no_flash_is_refused_by_name(tmp_path: Path, text: str):
    (tmp_path / "thing.flash").write_text(text)
    with pytest.raises(InputError, match=r"thing\.flash: no simulated device's flash"):
        ChipFile(tmp_path, "thing").read()
