"""The flash of a device as it tells of it, sector by sector: for whoever looks, and nobody judges by it.

A fleet goes through the same few states again and again, and what is told of one is made once.
"""

from functools import lru_cache
from typing import Final

from agent.abilities import Layout
from simulator.devices.hardware import SECTORS, Area, Hardware, boot, is_refused
from simulator.trace.flash_events import FlashArea, FlashChanged, FlashState, FlashWork

SLOTS: Final[dict[Layout, tuple[str, str]]] = {
    "ab": ("A", "B"),
    "swap": ("primary", "secondary"),
    "single": ("main", "recovery"),
}
"""What they are called."""
DOWNLOAD: Final = "download"
FILE: Final = "file"


@lru_cache(maxsize=1024)
def tell_flash(hardware: Hardware, work: FlashWork | None = None, *, is_up: bool = True) -> FlashChanged:
    """Every sector, and what is being done to them. Not `is_up`: it has no power, or is at its bootloader."""
    names, arriving = SLOTS[hardware.layout], ((DOWNLOAD, hardware.download), (FILE, hardware.file))
    following = _following(hardware)
    return FlashChanged(
        slots=_exchanged(hardware, *(_slot(hardware, number) for number in (0, 1))),
        running="" if hardware.running is None or not is_up else names[hardware.running],
        boots="" if following is None else names[following],
        incoming=tuple(_arriving(name, area) for name, area in arriving if area.image is not None),
        trial=hardware.trial,
        tries=hardware.tries,
        swapped=hardware.swapped,
        config=hardware.config,
        staged=hardware.staged,
        previous=hardware.previous,
        files=hardware.files,
        work=work,
    )


def _following(hardware: Hardware) -> int | None:
    """The slot in which what would run in the end stands now: an exchange that is due brings it from the other."""
    after = boot(hardware)
    if after.running is None:
        return None
    image, here = after.slots[after.running].image, (after.running, 1 - after.running)
    return next(number for number in here if hardware.slots[number].image == image)


def _slot(hardware: Hardware, number: int) -> FlashArea:
    area, name = hardware.slots[number], SLOTS[hardware.layout][number]
    if area.image is None:
        return FlashArea(name, "", "empty", "." * SECTORS)
    if not area.is_whole:
        sign = "+" if area.image == hardware.download.image else "x"
        return FlashArea(name, area.image.version, "partial", _cells(sign, area))
    if is_refused(hardware, number):
        return FlashArea(name, area.image.version, "flawed", _cells("x", area))
    state: FlashState = "flawed" if area.image.flaw else "whole"
    return FlashArea(name, area.image.version, state, _cells("#" if area.proven else "+", area))


def _exchanged(hardware: Hardware, first: FlashArea, second: FlashArea) -> tuple[FlashArea, FlashArea]:
    """As far as an exchange has come: a slot has the other's sectors up to there."""
    if hardware.swapped is None:
        return first, second
    at = hardware.swapped
    return (
        FlashArea(first.name, first.holds, "partial", second.cells[:at] + first.cells[at:]),
        FlashArea(second.name, second.holds, "partial", first.cells[:at] + second.cells[at:]),
    )


def _arriving(name: str, area: Area) -> FlashArea:
    image = area.image
    assert image is not None, "asked of what arrives"
    state: FlashState = "partial" if not area.is_whole else "flawed" if image.flaw else "whole"
    return FlashArea(name, image.version, state, _cells("+", area))


def _cells(sign: str, area: Area) -> str:
    return (sign * area.sectors).ljust(SECTORS, ".")
