"""A device's hardware as pure state: flash in sectors, a bootloader, a configuration store, a file store.

What a step does to it is a sequence of sector operations; power may be cut before any of them, and what was done up to
there is what the next boot finds. Three layouts, each with its own point of no return:

    ab       two slots and a selector; the other slot is tried after a reboot, at most three times, until it is
             committed. The commit is the point of no return.
    swap     the bootloader exchanges the primary and the secondary slot, sector by sector, and goes on with that after
             a power cut; it changes them back at the next boot unless the new image was confirmed (as MCUboot does).
    single   the image is written over the running one, from the first erased sector a point of no return; what then
             boots until it is whole again is a small recovery image.

The bootloader boots no image that is not whole, not signed, or older than the anti-rollback counter, which a commit
raises. An image that hangs is reset by the watchdog.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from agent.account import HardwareChanged
from agent.plan import Args, Layout, Step

SECTORS: Final = 16
"""Sectors of an image area."""
TRIES: Final[dict[Layout, int]] = {"ab": 3, "swap": 1, "single": 0}
"""How often an image on trial is booted before the bootloader falls back."""

Flaw: TypeAlias = Literal["", "hash", "signature", "boot", "self-test"]


@dataclass(frozen=True, slots=True)
class Image:
    """A firmware image. `counter` is compared with the anti-rollback counter; `flaw` is what is wrong with it."""

    version: str
    counter: int = 0
    flaw: Flaw = ""


@lru_cache(maxsize=256)
def image_of(args: Args) -> Image:
    """The image that a step's arguments speak of. Raises ValueError for a flaw that does not exist."""
    given = dict(args)
    flaw = given.get("image.flaw", "")
    flaws: dict[str, Flaw] = {
        "": "",
        "hash": "hash",
        "signature": "signature",
        "boot": "boot",
        "self-test": "self-test",
    }
    if flaw not in flaws:
        raise ValueError(f"image.flaw: no '{flaw}'; there are {', '.join(name for name in flaws if name)}")
    version = given.get("version") or given.get("to", "")
    return Image(version, int(given.get("image.counter", "0")), flaws[flaw])


@dataclass(frozen=True, slots=True)
class Area:
    """A run of sectors; the first `sectors` of them hold `image`, the others nothing. `proven`: it was committed."""

    image: Image | None = None
    sectors: int = 0
    proven: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all of the image is there."""
        return self.image is not None and self.sectors == SECTORS


EMPTY: Final = Area()
FACTORY: Final = Area(Image("1.0"), SECTORS, proven=True)
RECOVERY: Final = Area(Image("recovery"), SECTORS, proven=True)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Everything that survives a power cut, and `running`, the slot that runs; None while nothing does.

    `slots` are A and B, primary and secondary, or main and recovery. `trial`: another image was asked for at the next
    boot, or is running without having been committed; `tries` is how often it may still be booted. `swapped` counts
    the sectors of an exchange under way, None while there is none. `fuse` is the anti-rollback counter. `staged` and
    `previous` are the configuration to come and the one to go back to; empty while there is none.
    """

    layout: Layout = "ab"
    slots: tuple[Area, Area] = (FACTORY, EMPTY)
    download: Area = EMPTY
    selected: int = 0
    trial: Literal["", "requested", "running"] = ""
    tries: int = 0
    swapped: int | None = None
    fuse: int = 0
    running: int | None = 0
    config: str = "1"
    staged: str = ""
    previous: str = ""
    files: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """What runs; empty while nothing does."""
        image = None if self.running is None else self.slots[self.running].image
        return image.version if image is not None else ""

    @property
    def spare(self) -> int:
        """The slot that an update is written to."""
        return {"ab": 1 - self.selected, "swap": 1, "single": 0}[self.layout]

    @property
    def pending(self) -> tuple[str, ...]:
        """What is half done, in words."""
        area, found = self.slots[self.spare], []
        if self.download is not EMPTY:
            found.append("download")
        if self.layout == "single" and not (area.is_whole and self.running in (0, None)):
            found.append("main slot")
        elif self.layout != "single" and area.image is not None and not area.proven:
            found.append("spare slot")
        if self.trial:
            found.append(f"trial {self.trial}")
        found.extend(name for name in ("staged", "previous") if getattr(self, name))
        return tuple(found)

    @property
    def is_whole(self) -> bool:
        """Running, and nothing half done."""
        return self.running is not None and not self.pending

    def describe(self) -> HardwareChanged:
        """What the trace says of it."""
        return HardwareChanged(boot(self).hardware.running is not None, self.version, self.pending)


def factory(layout: Layout) -> Hardware:
    """A device as it left the factory, running version 1.0."""
    return Hardware(layout, (FACTORY, RECOVERY if layout == "single" else EMPTY))


# ── the bootloader ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Boot:
    """What came up; `watchdog` counts the times that an image hung first."""

    hardware: Hardware
    watchdog: int = 0


def swap_sectors(hardware: Hardware) -> int:
    """How many sectors the bootloader will exchange at the next boot."""
    if hardware.layout != "swap" or not _wants_swap(hardware):
        return 0
    return SECTORS - (hardware.swapped or 0)


def swap_sector(hardware: Hardware) -> Hardware:
    """One more sector exchanged; after the last the slots have changed places."""
    swapped = (hardware.swapped or 0) + 1
    if swapped < SECTORS:
        return replace(hardware, swapped=swapped)
    primary, secondary = hardware.slots
    asked = hardware.trial == "requested"
    return replace(hardware, slots=(secondary, primary), swapped=None, trial="running" if asked else "", tries=1)


def boot(hardware: Hardware) -> Boot:
    """Power on: what runs then. `running` is None if there is nothing that may be booted: a brick."""
    hardware = replace(hardware, running=None)
    if hardware.layout == "single":
        main = hardware.slots[0]
        hangs = main.image is not None and main.image.flaw == "boot"
        slot = 0 if _is_bootable(hardware, 0) and not hangs else 1
        return Boot(replace(hardware, running=slot if _is_bootable(hardware, slot) else None), int(hangs))
    return _boot_swap(hardware) if hardware.layout == "swap" else _boot_ab(hardware)


def _boot_ab(hardware: Hardware) -> Boot:
    watchdog = 0
    while hardware.trial and hardware.tries and _is_bootable(hardware, hardware.spare):
        hardware = replace(hardware, trial="running", tries=hardware.tries - 1)
        if not _hangs(hardware, hardware.spare):
            return Boot(replace(hardware, running=hardware.spare), watchdog)
        watchdog += 1
    hardware = replace(hardware, trial="", tries=0)
    slot = next((slot for slot in (hardware.selected, hardware.spare) if _is_bootable(hardware, slot)), None)
    return Boot(replace(hardware, running=slot, selected=hardware.selected if slot is None else slot), watchdog)


def _boot_swap(hardware: Hardware) -> Boot:
    """`tries` is 1 right after an exchange: the image has one boot, and at the next the slots change back."""
    watchdog = 0
    for _ in range(3):
        while swap_sectors(hardware):
            hardware = swap_sector(hardware)
        if hardware.trial == "running":
            hardware = replace(hardware, tries=0)
        if not _is_bootable(hardware, 0) or not _hangs(hardware, 0):
            break
        watchdog += 1
    return Boot(replace(hardware, running=0 if _is_bootable(hardware, 0) else None), watchdog)


def _wants_swap(hardware: Hardware) -> bool:
    if hardware.swapped is not None:
        return True
    asked = hardware.trial == "requested" or (hardware.trial == "running" and not hardware.tries)
    return asked and _is_bootable(hardware, 1)


def _is_bootable(hardware: Hardware, slot: int) -> bool:
    area = hardware.slots[slot]
    if not area.is_whole or area.image is None:
        return False
    recovery = hardware.layout == "single" and slot == 1
    return recovery or (area.image.flaw not in ("hash", "signature") and area.image.counter >= hardware.fuse)


def _hangs(hardware: Hardware, slot: int) -> bool:
    image = hardware.slots[slot].image
    return image is not None and image.flaw == "boot"


# ── what steps do, sector by sector ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Work:
    """How one action changes the hardware.

    `sectors` says how many operations it takes from here; `begin` is what the first one destroys; `sector` is one of
    them, numbered from 0; `fault` says in the end why it failed, or nothing; `undo` takes it back, be it whole or half.
    """

    sectors: Callable[[Hardware, Image], int]
    begin: Callable[[Hardware, Image], Hardware]
    sector: Callable[[Hardware, Image, int], Hardware]
    fault: Callable[[Hardware, Image], str]
    undo: Callable[[Hardware, Image], Hardware]


def _same(hardware: Hardware, image: Image, number: int = 0) -> Hardware:
    return hardware


def _fine(hardware: Hardware, image: Image) -> str:
    return ""


def _with_slot(hardware: Hardware, slot: int, area: Area) -> Hardware:
    first, second = hardware.slots
    return replace(hardware, slots=(area, second) if slot == 0 else (first, area))


def _download_left(hardware: Hardware, image: Image) -> int:
    return SECTORS - (hardware.download.sectors if hardware.download.image == image else 0)


def _download_begin(hardware: Hardware, image: Image) -> Hardware:
    return hardware if hardware.download.image == image else replace(hardware, download=Area(image, 0))


def _download_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, download=Area(image, hardware.download.sectors + 1))


def _download_fault(hardware: Hardware, image: Image) -> str:
    return "the SHA-256 of the image does not match" if image.flaw == "hash" else ""


def _download_undo(hardware: Hardware, image: Image) -> Hardware:
    return replace(hardware, download=EMPTY)


def _write_begin(hardware: Hardware, image: Image) -> Hardware:
    return _with_slot(hardware, hardware.spare, EMPTY) if hardware.download.is_whole else hardware


def _write_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """First every sector is erased, then every sector is written."""
    if number < SECTORS or not hardware.download.is_whole:
        return hardware
    written = _with_slot(hardware, hardware.spare, Area(image, number - SECTORS + 1))
    if hardware.layout == "single" and number == 2 * SECTORS - 1:
        return replace(_with_slot(written, 0, Area(image, SECTORS, proven=True)), download=EMPTY)
    return written


def _write_fault(hardware: Hardware, image: Image) -> str:
    return "" if hardware.slots[hardware.spare].image == image else "there is no whole image to write"


def _write_undo(hardware: Hardware, image: Image) -> Hardware:
    """Whatever stands in the spare slot, and was never committed."""
    if hardware.slots[hardware.spare].proven and hardware.layout == "ab":
        return hardware
    erased = _with_slot(hardware, hardware.spare, EMPTY)
    return replace(erased, running=None) if hardware.running == hardware.spare else erased


def _switch_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    if _switch_fault(hardware, image):
        return hardware
    return replace(hardware, trial="requested", tries=TRIES[hardware.layout])


def _switch_fault(hardware: Hardware, image: Image) -> str:
    area = hardware.slots[hardware.spare]
    if hardware.trial == "requested":
        return ""
    if not area.is_whole or area.image is None:
        return "the spare slot holds no whole image"
    if area.image.flaw == "signature":
        return "the image is not signed by a key that this device knows"
    return "the image is older than the anti-rollback counter" if area.image.counter < hardware.fuse else ""


def _switch_undo(hardware: Hardware, image: Image) -> Hardware:
    return replace(hardware, trial="", tries=0) if hardware.trial == "requested" else hardware


def _self_test_fault(hardware: Hardware, image: Image) -> str:
    running = None if hardware.running is None else hardware.slots[hardware.running].image
    return "the self-test failed" if running is not None and running.flaw == "self-test" else ""


def _commit_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    slot = hardware.running if hardware.running is not None else hardware.selected
    area = hardware.slots[slot]
    counter = area.image.counter if area.image is not None else 0
    proven = _with_slot(hardware, slot, replace(area, proven=True))
    return replace(
        proven, selected=slot, trial="", tries=0, fuse=max(hardware.fuse, counter), download=EMPTY, swapped=None
    )


def _commit_undo(hardware: Hardware, image: Image) -> Hardware:
    """What a device must not do: select the old image again, and call the new one unproven."""
    slot = hardware.selected
    unproven = _with_slot(hardware, slot, replace(hardware.slots[slot], proven=False))
    return replace(unproven, selected=1 - slot) if hardware.layout == "ab" else unproven


def _stage_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, staged=image.version or "staged")


def _stage_undo(hardware: Hardware, image: Image) -> Hardware:
    return replace(hardware, staged="")


def _swap_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    if not hardware.staged:
        return hardware
    return replace(hardware, config=hardware.staged, previous=hardware.config, staged="")


def _swap_undo(hardware: Hardware, image: Image) -> Hardware:
    return replace(hardware, config=hardware.previous, previous="") if hardware.previous else hardware


def _restart_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, previous="")


def _fetch_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """A file appears whole, with its last sector."""
    if number < SECTORS - 1 or image.version in hardware.files:
        return hardware
    return replace(hardware, files=(*hardware.files, image.version))


def _fetch_undo(hardware: Hardware, image: Image) -> Hardware:
    return replace(hardware, files=tuple(name for name in hardware.files if name != image.version))


def _always(count: int) -> Callable[[Hardware, Image], int]:
    return lambda hardware, image: count


ACTIONS: Final[dict[str, Work]] = {
    "download": Work(_download_left, _download_begin, _download_sector, _download_fault, _download_undo),
    "write": Work(_always(2 * SECTORS), _write_begin, _write_sector, _write_fault, _write_undo),
    "switch": Work(_always(1), _same, _switch_sector, _switch_fault, _switch_undo),
    "self-test": Work(_always(4), _same, _same, _self_test_fault, _same),
    "commit": Work(_always(1), _same, _commit_sector, _fine, _commit_undo),
    "fetch": Work(_always(SECTORS), _same, _fetch_sector, _fine, _fetch_undo),
    "stage": Work(_always(2), _same, _stage_sector, _fine, _stage_undo),
    "validate": Work(_always(1), _same, _same, _fine, _same),
    "swap": Work(_always(1), _same, _swap_sector, _fine, _swap_undo),
    "restart": Work(_always(1), _same, _restart_sector, _fine, _same),
    "run": Work(_always(4), _same, _same, _fine, _same),
}
"""By action; `fetch` is the download of a file, and a reboot is no sector operation, see `boot`."""


def work_of(step: Step) -> Work:
    """How a step changes the hardware. Raises KeyError for a reboot."""
    return ACTIONS["fetch" if step.action == "download" and "to" in dict(step.args) else step.action]


def revert(hardware: Hardware) -> Hardware:
    """Ask the bootloader to go back to the proven image at the next boot."""
    if hardware.trial != "running":
        return replace(hardware, trial="", tries=0)
    return replace(hardware, trial="running" if hardware.layout == "swap" else "", tries=0)
