"""What steps do to the hardware, and what undoing them does: sector operations, each of which is there or not.

Images are erased from the end, so that what is left of one never looks whole. Selector, trial flag, counter and the
pointer to the configuration are small enough to be written in one sector.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias, get_args

from agent.causes import Cause
from agent.plan import Args, Step
from simulator.devices.hardware import EMPTY, SECTORS, TRIES, Area, Flaw, Hardware, Image, revert, swap_sector


@lru_cache(maxsize=256)
def image_of(args: Args) -> Image:
    """The image that a step's arguments speak of. Raises ValueError for a flaw that does not exist."""
    given = dict(args)
    flaw = given.get("image.flaw", "")
    known: tuple[Flaw, ...] = get_args(Flaw)
    if flaw not in known:
        raise ValueError(f"image.flaw: no '{flaw}'; there are {', '.join(name for name in known if name)}")
    version = given.get("version") or given.get("to", "")
    return Image(version, int(given.get("image.counter", "0")), known[known.index(flaw)])


Sector: TypeAlias = Callable[[Hardware, Image, int], Hardware]
"""One sector operation of several, numbered from 0."""


@dataclass(frozen=True, slots=True)
class HardwareAction:
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


@lru_cache(maxsize=4096)
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


WRONG_HASH: Final = "the SHA-256 of the image does not match"
NOT_SIGNED: Final = "the image is not signed by a key that this device knows"
TOO_OLD: Final = "the image is older than the anti-rollback counter"
TEST_FAILED: Final = "the self-test failed"
CAUSES: Final = {WRONG_HASH: Cause.HASH_MISMATCH, NOT_SIGNED: Cause.SIGNATURE, TEST_FAILED: Cause.SELF_TEST}


def cause_of(fault: str) -> str:
    """What a fault is called in a report; empty if there is none."""
    return CAUSES.get(fault, Cause.WRONG_CONTENT) if fault else ""


def _download_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """It goes on where an earlier one of the same image ended; of another image nothing is kept."""
    there = hardware.download.sectors if hardware.download.image == image else 0
    return replace(hardware, download=Area(image, there + 1))


def _download_fault(hardware: Hardware, image: Image) -> str:
    return WRONG_HASH if image.flaw == "hash" else ""


def _download_to_undo(hardware: Hardware, image: Image) -> int:
    return _to_erase(hardware.download)


def _download_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, download=_erased(hardware.download, hardware.download.sectors - 1))


def _write_sectors(hardware: Hardware, image: Image) -> int:
    return 2 * SECTORS if hardware.download.is_whole else 0


def _write_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """First every sector is erased, then every sector is written; nobody is to boot meanwhile what was there."""
    hardware = _not_asked_for(hardware)
    if number < SECTORS:
        left = _erased(hardware.slots[hardware.spare], SECTORS - 1 - number)
        return _with_slot(hardware, hardware.spare, left)
    written = Area(hardware.download.image, number - SECTORS + 1)
    if hardware.layout == "single" and number == 2 * SECTORS - 1:
        return replace(_with_slot(hardware, 0, replace(written, proven=True)), download=EMPTY)
    return _with_slot(hardware, hardware.spare, written)


def _not_asked_for(hardware: Hardware) -> Hardware:
    return revert(hardware) if hardware.trial == "requested" else hardware


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
        return NOT_SIGNED
    return TOO_OLD if area.image.counter < hardware.fuse else ""


def _switch_to_undo(hardware: Hardware, image: Image) -> int:
    return int(hardware.trial == "requested")


def _switch_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    return replace(hardware, trial="", tries=0)


def _self_test_fault(hardware: Hardware, image: Image) -> str:
    running = None if hardware.running is None else hardware.slots[hardware.running].image
    return TEST_FAILED if running is not None and running.flaw == "self-test" else ""


def _commit_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    if hardware.trial == "requested":
        return _commit_untried(hardware)
    slot = hardware.running if hardware.running is not None else hardware.selected
    area = hardware.slots[slot]
    counter = area.image.counter if area.image is not None else 0
    proven = _with_slot(hardware, slot, replace(area, proven=True))
    return replace(
        proven, selected=slot, trial="", tries=0, fuse=max(hardware.fuse, counter), download=EMPTY, swapped=None
    )


def _commit_untried(hardware: Hardware) -> Hardware:
    """What a device must not do: commit what has not run yet. The next boot takes it, on no trial, and it stays.

    To a swap bootloader a committed image in the secondary slot is one that is not to be changed back.
    """
    slot = hardware.spare
    area = replace(hardware.slots[slot], proven=True)
    counter = area.image.counter if area.image is not None else 0
    stays = replace(_with_slot(hardware, slot, area), fuse=max(hardware.fuse, counter), download=EMPTY)
    return stays if hardware.layout == "swap" else replace(stays, selected=slot, trial="", tries=0)


def _commit_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    """What a device must not do: select the old image again, and call the new one unproven."""
    slot = hardware.selected
    unproven = _with_slot(hardware, slot, replace(hardware.slots[slot], proven=False))
    return replace(unproven, selected=1 - slot) if hardware.layout == "ab" else unproven


def _stage_sector(hardware: Hardware, image: Image, number: int) -> Hardware:
    """One sector is erased, one is written."""
    return replace(hardware, staged="" if number == 0 else image.version or "staged")


def _stage_to_undo(hardware: Hardware, image: Image) -> int:
    return int(hardware.staged != "" or hardware.previous != "")


def _stage_undo(hardware: Hardware, image: Image, number: int) -> Hardware:
    """An older record may know of no more than the staging, where the new file has been swapped in already."""
    return replace(hardware, config=hardware.previous or hardware.config, previous="", staged="")


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


ACTIONS: Final[dict[str, HardwareAction]] = {
    "download": HardwareAction(_download_left, _download_sector, _download_fault, _download_to_undo, _download_undo),
    "write": HardwareAction(_write_sectors, _write_sector, _write_fault, _write_to_undo, _write_undo),
    "switch": HardwareAction(_always(1), _switch_sector, _switch_fault, _switch_to_undo, _switch_undo),
    "self-test": HardwareAction(_always(4), _same, _self_test_fault, _nothing, _same),
    "commit": HardwareAction(_always(1), _commit_sector, _fine, _always(1), _commit_undo),
    "fetch": HardwareAction(_fetch_left, _fetch_sector, _fine, _fetch_to_undo, _fetch_undo),
    "stage": HardwareAction(_always(2), _stage_sector, _fine, _stage_to_undo, _stage_undo),
    "validate": HardwareAction(_always(1), _same, _fine, _nothing, _same),
    "swap": HardwareAction(_always(1), _swap_config, _fine, _swap_config_to_undo, _swap_config_undo),
    "restart": HardwareAction(_always(1), _restart_sector, _fine, _nothing, _same),
    "run": HardwareAction(_always(4), _same, _fine, _nothing, _same),
}
"""By action; `fetch` is the download of a file, and a reboot is no sector operation, see `boot`."""


def knows(step: Step) -> bool:
    """Whether this hardware can do, or undo, what another agent put into a plan."""
    return step.action in ACTIONS or step.action == "reboot"


def action_of(step: Step) -> HardwareAction:
    """How a step changes the hardware. Raises KeyError for a reboot."""
    return ACTIONS["fetch" if step.action == "download" and "to" in dict(step.args) else step.action]


# ── what the hardware does for nobody ─────────────────────────────────────────────────────────────────────────


def refuses_to_do(hardware: Hardware, step: Step) -> bool:
    """Whether a step would write over what runs, or would boot next; to do that to the only slot is its purpose."""
    spared = _not_asked_for(hardware)
    return step.action == "write" and hardware.layout != "single" and spared.spare in spared.needed


def refuses_to_undo(hardware: Hardware, step: Step, image: Image) -> bool:
    """Whether it lies past the point of no return, or taking it back changes what runs, or would boot next."""
    if not step.reversible or step.action == "commit":
        return True
    if step.action == "reboot":
        return False
    work = action_of(step)
    after, _ = worked(work.undo, hardware, image, 0, work.to_undo(hardware, image))
    return any(after.slots[slot] != hardware.slots[slot] for slot in hardware.needed)


def exchange(hardware: Hardware, image: Image, number: int) -> Hardware:
    """The bootloader's work (see `swap_sector`) as a Sector."""
    return swap_sector(hardware)
