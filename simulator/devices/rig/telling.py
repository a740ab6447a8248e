"""What the flash is at, for whoever looks on: told when it begins, stands still, goes on, and when it is over."""

from typing import Final

from agent.core.events import BeginStep, UndoStep
from simulator.devices.flash import DOWNLOAD, FILE, SLOTS, tell_flash
from simulator.devices.hardware import SECTORS
from simulator.devices.rig.values import Rig, SectorRun
from simulator.devices.sectors import ACTIONS, action_of
from simulator.trace.flash_events import FlashChanged, FlashWork

UNCHANGED: Final = frozenset({"self-test", "validate", "run"})
"""Actions that leave the flash as it is."""


def flash(rig: Rig) -> tuple[FlashChanged]:
    """Its flash, and what goes on there."""
    work = None if rig.run is None else _work(rig, rig.run)
    return (tell_flash(rig.hardware, work, is_up=rig.power == "up"),)


def flash_at_work(rig: Rig) -> tuple[FlashChanged, ...]:
    """The same while its run changes more than one sector of something; else nothing."""
    return flash(rig) if rig.run is not None and _work(rig, rig.run) is not None else ()


def flash_after(rig: Rig, run: SectorRun) -> tuple[FlashChanged, ...]:
    """The same once `run` is over, if that can have changed anything."""
    effect = run.work
    is_same = isinstance(effect, BeginStep | UndoStep) and effect.step.action in UNCHANGED
    return () if is_same else flash(rig)


def _work(rig: Rig, run: SectorRun) -> FlashWork | None:
    seconds = 0.0 if run.held is not None else run.seconds
    if not isinstance(run.work, BeginStep | UndoStep):
        return FlashWork("", 0, 0, run.sectors, run.done, seconds)
    area = _area(rig, run.work)
    if not area or not run.sectors:
        return None
    if isinstance(run.work, UndoStep):
        return FlashWork(area, run.sectors, 0, 0, run.done, seconds)
    erases = SECTORS if run.work.step.action == "write" else 0
    return FlashWork(area, erases, run.sectors - erases, 0, run.done, seconds)


def _area(rig: Rig, effect: BeginStep | UndoStep) -> str:
    """What an action writes, or erases, sector by sector; empty: nothing of that size."""
    hardware = rig.hardware
    if effect.step.action == "write":
        return SLOTS[hardware.layout][hardware.spare]
    if effect.step.action != "download":
        return ""
    if action_of(effect.step) is not ACTIONS["fetch"]:
        return DOWNLOAD
    is_there = isinstance(effect, UndoStep) and hardware.file.image is None
    return "" if is_there else FILE
