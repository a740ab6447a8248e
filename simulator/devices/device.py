"""One simulated device: hardware, a journal in flash, a power supply, and an agent for as long as there is power.

A reboot or a power cut ends the agent at that very instant. What comes up afterwards knows what the bootloader found
in flash and what the journal holds, and nothing else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agent.account import BootReason, DeviceBooted, DeviceCrashed, DeviceDisconnected, DeviceEvent, PowerLost
from agent.core.events import Booted, Event
from agent.core.record import Record
from agent.errors import GhostjobError
from agent.journal import Journal
from agent.runner import Runner
from simulator.devices.flash import Flash, Run
from simulator.devices.hardware import SECTORS, Hardware, Image, describe, swap_sectors, try_to_boot
from simulator.devices.sectors import exchange
from simulator.devices.storage import FILE_BYTES, FlashFile, Survival, recalled, snapshot_of
from simulator.devices.workbench import SimulatedWorkbench
from simulator.pace import LOOP_TIME, Alarm, Pace
from simulator.scenario import Group, Outage, PowerCut, Timings

WATCHDOG_SECONDS: Final = 0.05
"""How long an image hangs before it is reset; short, for the sake of those who wait."""
NO_IMAGE: Final = Image("")
"""For work that is about no image in particular."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a device is put together from, the same for a whole fleet.

    `make_agent` gives the agent that runs from one boot to the next: a runner, and the workbench that it drives.
    """

    timings: Timings
    cuts: tuple[PowerCut, ...]
    outages: tuple[Outage, ...]
    make_agent: Callable[["SimulatedDevice"], tuple[Runner[Any], SimulatedWorkbench]]
    pace: Pace = LOOP_TIME


class SimulatedDevice:
    """A device on the event loop. `observe` gets its account."""

    __slots__ = (
        "_bench",
        "_boots",
        "_journal",
        "_off",
        "_offline_until",
        "_storage",
        "_wiring",
        "flash",
        "group",
        "observe",
        "runner",
        "survives",
        "thing",
    )

    def __init__(
        self, thing: str, group: Group, hardware: Hardware, wiring: Wiring, observe: Callable[[DeviceEvent], None]
    ) -> None:
        self.thing = thing
        self.group = group
        self.observe = observe
        self.runner: Runner[Any] | None = None
        self.survives: Survival = "nothing"
        self._wiring = wiring
        self._bench: SimulatedWorkbench | None = None
        cuts = tuple(cut for cut in wiring.cuts if not cut.groups or group.group in cut.groups)
        outages = tuple(each for each in wiring.outages if not each.groups or group.group in each.groups)
        self.flash = Flash(hardware, self, cuts, outages, wiring.pace)
        self._storage = FlashFile(self.flash.instant)
        self._journal = Journal(self._storage, limit_bytes=FILE_BYTES)
        self._boots = 0
        self._offline_until = 0.0
        self._off: Alarm | None = None

    @property
    def hardware(self) -> Hardware:
        """As it is by now."""
        return self.flash.hardware

    @property
    def instants(self) -> int:
        """How many sectors and writes there have been: so often the power could have gone."""
        return self.flash.instants

    @property
    def rests(self) -> bool:
        """Whether it has nothing in hand, or cannot come up any more."""
        if self.runner is None:
            return not self.flash.is_on and self._off is None
        return self.runner.crashed or self.runner.rests

    @property
    def boots(self) -> int:
        """How often it has booted."""
        return self._boots

    # ── power ─────────────────────────────────────────────────────────────────────────────────────────────────

    def power_on(self) -> None:
        """Boot for the first time."""
        self._boot("power-on")

    def lose_power(self, instant: str, off_seconds: float) -> None:
        """The power goes, and comes back after `off_seconds`."""
        self.observe(PowerLost(instant))
        self._end_agent()
        self._storage.lose_power(self.survives)
        self._later(off_seconds, "power-lost")

    def lose_network(self, seconds: float) -> None:
        """The network goes, and comes back after `seconds`, reboot or not. What led to this is dealt with before."""
        self._offline_until = self._wiring.pace.now() + seconds
        asyncio.get_running_loop().call_soon(self._lose_network, seconds)

    def _lose_network(self, seconds: float) -> None:
        if self.runner is not None:
            self.runner.interrupt(seconds)

    def found_brick(self, hardware: Hardware) -> None:
        """A sector left nothing to boot from; a later one may have mended that."""
        self.observe(describe(hardware))

    def reboot(self, why: BootReason) -> None:
        """Restart in good order as far as the hardware goes; what is in memory is lost all the same."""
        self._end_agent()
        self._later(self._wiring.timings.boot, why)

    async def stop(self) -> None:
        """End for good."""
        if self._off is not None:
            self._off.cancel()
        self.flash.stop()
        if self._bench is not None:
            self._bench.cut()
        if self.runner is not None:
            await self.runner.stop()

    def _later(self, seconds: float, why: BootReason) -> None:
        self._off = self._wiring.pace.call_later(seconds, self._boot, why)

    def _end_agent(self) -> None:
        self.flash.stop()
        self.flash.is_on = False
        if self.runner is not None and self._bench is not None:
            self.runner.halt()
            self._bench.cut()
            self.observe(DeviceDisconnected("the power is off", planned=True))
        self.runner = self._bench = None

    # ── the bootloader at work ────────────────────────────────────────────────────────────────────────────────

    def _boot(self, why: BootReason) -> None:
        """Exchange the slots if that was asked for, or goes on; a power cut on the way is as good as any."""
        self._off = None
        self.flash.is_on = True
        sectors = swap_sectors(self.flash.hardware)
        if not sectors:
            self.try_to_boot(why)
            return
        seconds = self._wiring.timings.write / SECTORS
        self.flash.begin(Run("exchange", "", exchange, NO_IMAGE, sectors, seconds, _Exchanging(self, why)))

    def try_to_boot(self, why: BootReason) -> None:
        """Start what the bootloader chooses, once the slots have been exchanged."""
        hardware, hangs = try_to_boot(self.flash.hardware, after_hang=why == "watchdog")
        self.flash.hardware = hardware
        if hangs:
            self.flash.is_on = False
            self._later(WATCHDOG_SECONDS, "watchdog")
            return
        on_trial = hardware.trial == "running"
        self.observe(DeviceBooted(hardware.version, why, on_trial))
        self.observe(describe(hardware))
        if hardware.running is None:
            self.flash.is_on = False
            return
        try:
            record = self._recall()
        except GhostjobError as error:
            self.observe(DeviceCrashed(f"the agent cannot begin: {error}"))
            self.flash.is_on = False
            return
        self._boots += 1
        self.runner, self._bench = self._wiring.make_agent(self)
        in_recovery = hardware.layout == "single" and hardware.running == 1
        booted = Booted(record, hardware.version, on_trial, in_recovery=in_recovery)
        self.runner.start(booted, offline_seconds=self._offline_until - self._wiring.pace.now())

    def deliver(self, event: Event) -> None:
        """Tell the agent, if there is one."""
        if self.runner is not None:
            self.runner.feed(event)

    # ── memory ────────────────────────────────────────────────────────────────────────────────────────────────

    def _recall(self) -> Record | None:
        """What the journal holds. Raises JournalError, RecordError."""
        snapshot = self._journal.open()
        return None if snapshot is None else recalled(snapshot)

    def remember(self, record: Record) -> None:
        """Write a record down. Raises JournalError."""
        self._journal.append(snapshot_of(record))


@dataclass(frozen=True, slots=True)
class _Exchanging:
    """Whose work the bootloader's exchange is (see `flash.Worker`): it never pauses."""

    device: SimulatedDevice
    why: BootReason

    def next_pause(self, run: Run) -> int:
        return run.sectors

    def reached(self, run: Run) -> None:
        self.device.try_to_boot(self.why)
