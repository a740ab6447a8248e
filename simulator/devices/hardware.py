"""A device's hardware as pure state: flash in sectors, a bootloader, a configuration store, a file store.

What a step does to it, what undoing that step does, and what the bootloader does when it exchanges two slots, is a
sequence of sector operations; power may be cut before any of them, and what was done up to there is what the next boot
finds. Three layouts, each with its own point of no return:

    ab       two slots and a selector; the other slot is tried after a reboot, at most three times, until it is
             committed. The commit is the point of no return.
    swap     the bootloader exchanges the primary and the secondary slot, sector by sector, and goes on with that after
             a power cut; it changes them back at the next boot unless the new image was confirmed (as MCUboot does).
    single   the image is written over the running one, from the first erased sector a point of no return; what then
             boots until it is whole again is a small recovery image.

The bootloader boots no image that is not whole, not signed, or older than the anti-rollback counter, which a commit
raises. An image that hangs is reset by the watchdog.

Images are erased from the end, so that what is left of one never looks whole. Selector, trial flag, counter and the
pointer to the configuration are small enough to be written in one sector, which is there or not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final, Literal, TypeAlias, assert_never

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
    `previous` are the configuration to come and the one to go back to; empty while there is none. `file` is one that
    has not arrived whole yet.
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
    file: Area = EMPTY

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
        if self.download != EMPTY:
            found.append("download")
        if self.file != EMPTY:
            found.append("file")
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

    @property
    def is_bootable(self) -> bool:
        """Whether something would come up if the power went now."""
        return boot(self).hardware.running is not None


@lru_cache(maxsize=4096)
def describe(hardware: Hardware) -> HardwareChanged:
    """What the trace says of it. A fleet goes through the same few states again and again."""
    return HardwareChanged(hardware.is_bootable, hardware.version, hardware.pending)


@cache
def factory(layout: Layout) -> Hardware:
    """A device as it left the factory, running version 1.0."""
    return Hardware(layout, (FACTORY, RECOVERY if layout == "single" else EMPTY))


# ── the bootloader ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Boot:
    """What came up; `watchdog` counts the times that an image hung first."""

    hardware: Hardware
    watchdog: int = 0


def boot(hardware: Hardware) -> Boot:
    """Power on, and nothing comes between: what runs then. `running` is None if nothing can: a brick."""
    watchdog, hangs = 0, False
    while True:
        while swap_sectors(hardware):
            hardware = swap_sector(hardware)
        hardware, hangs = try_to_boot(hardware, after_hang=hangs)
        if not hangs:
            return Boot(hardware, watchdog)
        watchdog += 1


def try_to_boot(hardware: Hardware, *, after_hang: bool = False) -> tuple[Hardware, bool]:
    """One try, after any exchange of slots: what runs then, and whether it hangs, so that the watchdog will reset it.

    `after_hang`: it has done so just now. Where there is nothing else to be tried, a hanging image counts as none.
    """
    match hardware.layout:
        case "ab":
            return _try_ab(replace(hardware, running=None))
        case "swap":
            return _try_swap(replace(hardware, running=None))
        case "single":
            return _try_single(replace(hardware, running=None), after_hang)
        case _:
            assert_never(hardware.layout)


def _try_ab(hardware: Hardware) -> tuple[Hardware, bool]:
    if hardware.trial and hardware.tries and _is_bootable(hardware, hardware.spare):
        tried = replace(hardware, trial="running", tries=hardware.tries - 1)
        if _hangs(hardware, hardware.spare):
            return tried, True
        return replace(tried, running=hardware.spare), False
    slots = (hardware.selected, hardware.spare)
    slot = next((slot for slot in slots if _is_bootable(hardware, slot) and not _hangs(hardware, slot)), None)
    selected = hardware.selected if slot is None else slot
    return replace(hardware, trial="", tries=0, running=slot, selected=selected), False


def _try_swap(hardware: Hardware) -> tuple[Hardware, bool]:
    """`tries` is 1 right after an exchange: the image has one boot, and at the next the slots change back."""
    if hardware.trial == "running":
        hardware = replace(hardware, tries=0)
    if not _is_bootable(hardware, 0):
        return hardware, False
    if _hangs(hardware, 0):
        return hardware, _wants_swap(hardware)
    return replace(hardware, running=0), False


def _try_single(hardware: Hardware, after_hang: bool) -> tuple[Hardware, bool]:
    if _is_bootable(hardware, 0) and not after_hang:
        return (hardware, True) if _hangs(hardware, 0) else (replace(hardware, running=0), False)
    return replace(hardware, running=1 if _is_bootable(hardware, 1) else None), False


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

Sector: TypeAlias = Callable[[Hardware, Image, int], Hardware]
"""One sector operation of several, numbered from 0."""


@dataclass(frozen=True, slots=True)
class Work:
    """How one action changes the hardware.

    `sectors` says how many operations it takes from here; `sector` is one of them; `fault` says in the end why it
    failed, or nothing. `undo` is an operation that takes it back, be it whole or half, and `to_undo` says how many
    of them that takes from here.
    """

    sectors: Callable[[Hardware, Image], int]
    sector: Sector
    fault: Callable[[Hardware, Image], str]
    to_undo: Callable[[Hardware, Image], int]
    undo: Sector


@lru_cache(maxsize=16_384)
def worked(sector: Sector, hardware: Hardware, image: Image, first: int, end: int) -> tuple[Hardware, Hardware | None]:
    """The hardware after the sectors from `first` until before `end`, and the first state among them that is a brick.

    Remembered, because a fleet does the same to the same hardware again and again, and then shares what comes of it.
    """
    brick: Hardware | None = None
    for number in range(first, end):
        hardware = sector(hardware, image, number)
        if brick is None and not hardware.is_bootable:
            brick = hardware
    return hardware, brick


def _same(hardware: Hardware, image: Image, number: int) -> Hardware:
    return hardware


def _fine(hardware: Hardware, image: Image) -> str:
    return ""


def _nothing(hardware: Hardware, image: Image) -> int:
    return 0


def _always(count: int) -> Callable[[Hardware, Image], int]:
    return lambda hardware, image: count


def _with_slot(hardware: Hardware, slot: int, area: Area) -> Hardware:
    first, second = hardware.slots
    return replace(hardware, slots=(area, second) if slot == 0 else (first, area))


def _erased(area: Area, sectors: int) -> Area:
    """What is left of an area once no more than its first `sectors` are."""
    left = min(area.sectors, sectors)
    return Area(area.image, left) if left > 0 else EMPTY


def _to_erase(area: Area) -> int:
    return 0 if area.image is None else max(area.sectors, 1)


def _download_left(hardware: Hardware, image: Image) -> int:
    return SECTORS - (hardware.download.sectors if hardware.download.image == image else 0)


def _download_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """It goes on where an earlier one of the same image ended; of another image nothing is kept."""
    there = hardware.download.sectors if hardware.download.image == image else 0
    return replace(hardware, download=Area(image, there + 1))


def _download_fault(hardware: Hardware, image: Image) -> str:
    return "the SHA-256 of the image does not match" if image.flaw == "hash" else ""


def _download_to_undo(hardware: Hardware, image: Image) -> int:
    return _to_erase(hardware.download)


def _download_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, download=_erased(hardware.download, hardware.download.sectors - 1))


def _write_sectors(hardware: Hardware, image: Image) -> int:
    return 2 * SECTORS if hardware.download.is_whole else 0


def _write_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """First every sector is erased, then every sector is written."""
    if number < SECTORS:
        left = _erased(hardware.slots[hardware.spare], SECTORS - 1 - number)
        return _with_slot(hardware, hardware.spare, left)
    written = Area(hardware.download.image, number - SECTORS + 1)
    if hardware.layout == "single" and number == 2 * SECTORS - 1:
        return replace(_with_slot(hardware, 0, replace(written, proven=True)), download=EMPTY)
    return _with_slot(hardware, hardware.spare, written)


def _write_fault(hardware: Hardware, image: Image) -> str:
    area = hardware.slots[hardware.spare]
    return "" if area.is_whole and area.image == image else "there is no whole image to write"


def _write_to_undo(hardware: Hardware, image: Image) -> int:
    """An image that was committed is what was there before: there, nothing has been written yet.

    Not so if it is what a trial would fall back to, and not in the only slot: whoever undoes the write there, errs.
    """
    area, on_trial = hardware.slots[hardware.spare], hardware.trial == "running"
    if area.proven and (hardware.layout == "ab" or (hardware.layout == "swap" and not on_trial)):
        return 0
    return _to_erase(area)


def _write_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    area = hardware.slots[hardware.spare]
    erased = _with_slot(hardware, hardware.spare, _erased(area, area.sectors - 1))
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


def _switch_to_undo(hardware: Hardware, image: Image) -> int:
    return int(hardware.trial == "requested")


def _switch_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, trial="", tries=0)


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


def _commit_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    """What a device must not do: select the old image again, and call the new one unproven."""
    slot = hardware.selected
    unproven = _with_slot(hardware, slot, replace(hardware.slots[slot], proven=False))
    return replace(unproven, selected=1 - slot) if hardware.layout == "ab" else unproven


def _stage_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """One sector is erased, one is written."""
    return replace(hardware, staged="" if number == 0 else image.version or "staged")


def _stage_to_undo(hardware: Hardware, image: Image) -> int:
    return int(hardware.staged != "")


def _stage_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, staged="")


def _swap_config(hardware: Hardware, image: Image, number: int) -> Hardware:
    if not hardware.staged:
        return hardware
    return replace(hardware, config=hardware.staged, previous=hardware.config, staged="")


def _swap_config_to_undo(hardware: Hardware, image: Image) -> int:
    return int(hardware.previous != "")


def _swap_config_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    """What was swapped in is staged again."""
    return replace(hardware, config=hardware.previous, previous="", staged=hardware.config)


def _restart_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, previous="")


def _fetch_left(hardware: Hardware, image: Image) -> int:
    return SECTORS - (hardware.file.sectors if hardware.file.image == image else 0)


def _fetch_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """A file has its name once its last sector is there."""
    there = hardware.file.sectors if hardware.file.image == image else 0
    if there + 1 < SECTORS:
        return replace(hardware, file=Area(image, there + 1))
    others = (name for name in hardware.files if name != image.version)
    return replace(hardware, file=EMPTY, files=(*others, image.version))


def _fetch_to_undo(hardware: Hardware, image: Image) -> int:
    return _to_erase(hardware.file) or int(image.version in hardware.files)


def _fetch_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    """What has not arrived whole is erased; a file that has is one name less."""
    if hardware.file.image is not None:
        return replace(hardware, file=_erased(hardware.file, hardware.file.sectors - 1))
    return replace(hardware, files=tuple(name for name in hardware.files if name != image.version))


ACTIONS: Final[dict[str, Work]] = {
    "download": Work(_download_left, _download_sector, _download_fault, _download_to_undo, _download_undo),
    "write": Work(_write_sectors, _write_sector, _write_fault, _write_to_undo, _write_undo),
    "switch": Work(_always(1), _switch_sector, _switch_fault, _switch_to_undo, _switch_undo),
    "self-test": Work(_always(4), _same, _self_test_fault, _nothing, _same),
    "commit": Work(_always(1), _commit_sector, _fine, _always(1), _commit_undo),
    "fetch": Work(_fetch_left, _fetch_sector, _fine, _fetch_to_undo, _fetch_undo),
    "stage": Work(_always(2), _stage_sector, _fine, _stage_to_undo, _stage_undo),
    "validate": Work(_always(1), _same, _fine, _nothing, _same),
    "swap": Work(_always(1), _swap_config, _fine, _swap_config_to_undo, _swap_config_undo),
    "restart": Work(_always(1), _restart_sector, _fine, _nothing, _same),
    "run": Work(_always(4), _same, _fine, _nothing, _same),
}
"""By action; `fetch` is the download of a file, and a reboot is no sector operation, see `boot`."""


def knows(step: Step) -> bool:
    """Whether this hardware can do, or undo, what another agent put into a plan."""
    return step.action in ACTIONS or step.action == "reboot"


def work_of(step: Step) -> Work:
    """How a step changes the hardware. Raises KeyError for a reboot."""
    return ACTIONS["fetch" if step.action == "download" and "to" in dict(step.args) else step.action]


def exchange(hardware: Hardware, image: Image, number: int) -> Hardware:
    """The bootloader's work (see `swap_sector`) as a Sector."""
    return swap_sector(hardware)


def revert(hardware: Hardware) -> Hardware:
    """Ask the bootloader to go back to the proven image at the next boot."""
    if hardware.trial != "running":
        return replace(hardware, trial="", tries=0)
    return replace(hardware, trial="running" if hardware.layout == "swap" else "", tries=0)
