"""A device's hardware as pure state: flash in sectors, a bootloader, a configuration store, a file store.

What stands in it, and what comes up when the power comes; what changes it, sector by sector, is in `sectors`. Power may
be cut before any of those, and what was done up to there is what the next boot finds. Three layouts, each with its own
point of no return:

    ab       two slots and a selector; the other slot is tried after a reboot, at most three times, until it is
             committed. The commit is the point of no return.
    swap     the bootloader exchanges the primary and the secondary slot, sector by sector, and goes on with that after
             a power cut; it changes them back at the next boot unless the new image was confirmed (as MCUboot does).
    single   the image is written over the running one, from the first erased sector a point of no return; what then
             boots until it is whole again is a small recovery image.

The bootloader boots no image that is not whole, not signed, or older than the anti-rollback counter, which a commit
raises. An image that hangs is reset by the watchdog.
"""

from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from operator import attrgetter
from typing import Final, Literal, TypeAlias, assert_never

from agent.abilities import Layout
from agent.device_events import HardwareChanged

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


class _Hashed:
    """Keeps its hash: caches are asked about the same few states again and again, and to make it takes as long as to
    do a sector's work.
    """

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(_values(self)))
            return self._hash


@dataclass(frozen=True, slots=True)
class Hardware(_Hashed):
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

    __hash__ = _Hashed.__hash__

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
    def unproven(self) -> bool:
        """Whether the spare slot holds an image, be it in part, that was never committed."""
        area = self.slots[self.spare]
        return self.layout != "single" and area.image is not None and not area.proven

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
        elif self.unproven:
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
        return boot(self).running is not None

    @property
    def needed(self) -> tuple[int, ...]:
        """The slots that hold what runs, and what would come up if the power went now."""
        following = 1 if swap_sectors(self) else boot(self).running
        return tuple(slot for slot in (0, 1) if slot in (self.running, following))


_values: Final = attrgetter(*(each.name for each in fields(Hardware)))
"""All that makes it up."""


@lru_cache(maxsize=4096)
def describe(hardware: Hardware) -> HardwareChanged:
    """What the trace says of it. A fleet goes through the same few states again and again."""
    return HardwareChanged(hardware.is_bootable, hardware.version, hardware.pending)


def swept(hardware: Hardware) -> Hardware:
    """Without what nobody will finish: for a device that has nothing in hand. What runs on trial is left to its tries.

    A switch that no boot has followed is taken back, and an image that was never committed is dropped with it.
    """
    kept = replace(hardware, download=EMPTY, file=EMPTY, staged="", previous="")
    if kept.trial == "running":
        return kept
    kept = revert(kept) if kept.trial else kept
    if not kept.unproven:
        return kept
    first, second = kept.slots
    return replace(kept, slots=(EMPTY, second) if kept.spare == 0 else (first, EMPTY))


@cache
def factory(layout: Layout) -> Hardware:
    """A device as it left the factory, running version 1.0."""
    return Hardware(layout, (FACTORY, RECOVERY if layout == "single" else EMPTY))


# ── the bootloader ────────────────────────────────────────────────────────────────────────────────────────────


def boot(hardware: Hardware) -> Hardware:
    """Power on, and nothing comes between: what runs then. `running` is None if nothing can: a brick."""
    hangs = False
    while True:
        while swap_sectors(hardware):
            hardware = swap_sector(hardware)
        hardware, hangs = try_to_boot(hardware, after_hang=hangs)
        if not hangs:
            return hardware


@lru_cache(maxsize=4096)
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
    is_tried = hardware.trial == "requested" and not secondary.proven
    return replace(hardware, slots=(secondary, primary), swapped=None, trial="running" if is_tried else "", tries=1)


def _wants_swap(hardware: Hardware) -> bool:
    if hardware.swapped is not None:
        return True
    asked = hardware.trial == "requested" or (hardware.trial == "running" and not hardware.tries)
    return asked and _is_bootable(hardware, 1)


def _is_bootable(hardware: Hardware, slot: int) -> bool:
    return hardware.slots[slot].is_whole and not is_refused(hardware, slot)


def is_refused(hardware: Hardware, slot: int) -> bool:
    """Whether the bootloader would not boot the image there, were it whole: it is not genuine, or too old."""
    image = hardware.slots[slot].image
    if image is None or (hardware.layout == "single" and slot == 1):
        return False
    return image.flaw in ("hash", "signature") or image.counter < hardware.fuse


def _hangs(hardware: Hardware, slot: int) -> bool:
    image = hardware.slots[slot].image
    return image is not None and image.flaw == "boot"


def revert(hardware: Hardware) -> Hardware:
    """Ask the bootloader to go back to the proven image at the next boot."""
    if hardware.trial != "running":
        return replace(hardware, trial="", tries=0)
    return replace(hardware, trial="running" if hardware.layout == "swap" else "", tries=0)
