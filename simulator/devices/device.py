"""One simulated device: hardware, a journal in flash, a power supply, and an agent for as long as there is power.

A reboot or a power cut ends the agent at that very instant. What comes up afterwards knows what the bootloader found
in flash and what the journal holds, and nothing else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agent.account import DeviceBooted, DeviceDisconnected, DeviceEvent, PowerLost
from agent.core.events import Booted
from agent.core.record import Record
from agent.journal import Journal
from agent.records import read_record, write_record
from agent.runner import Runner
from simulator.devices.hardware import Hardware, boot, swap_sector, swap_sectors
from simulator.devices.storage import FlashFile, Survival
from simulator.devices.workbench import SimulatedWorkbench
from simulator.scenario import Group, Outage, PowerCut, Timings

WATCHDOG_SECONDS: Final = 0.05
"""How long an image hangs before it is reset; short, for the sake of those who wait."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a device is put together from, the same for a whole fleet.

    `make_agent` gives the agent that runs from one boot to the next: a runner, and the workbench that it drives.
    """

    timings: Timings
    cuts: tuple[PowerCut, ...]
    outages: tuple[Outage, ...]
    make_agent: Callable[["SimulatedDevice"], tuple[Runner[Any], SimulatedWorkbench]]


class SimulatedDevice:
    """A device on the event loop. `observe` gets its account."""

    __slots__ = (
        "_bench",
        "_boots",
        "_cuts",
        "_journal",
        "_off",
        "_outages",
        "_storage",
        "_wiring",
        "group",
        "hardware",
        "instants",
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
        self.hardware = hardware
        self.observe = observe
        self.runner: Runner[Any] | None = None
        self.instants = 0
        self.survives: Survival = "nothing"
        self._wiring = wiring
        self._bench: SimulatedWorkbench | None = None
        self._storage = FlashFile(self.instant)
        self._journal = Journal(self._storage)
        self._cuts = tuple(cut for cut in wiring.cuts if not cut.groups or group.group in cut.groups)
        self._outages = tuple(each for each in wiring.outages if not each.groups or group.group in each.groups)
        self._boots = 0
        self._off: asyncio.TimerHandle | None = None

    @property
    def rests(self) -> bool:
        """Whether there is power, or nothing that could boot, and nothing in hand."""
        if self.runner is None:
            return self.hardware.running is None and self._off is None
        return self.runner.crashed or self.runner.rests

    @property
    def boots(self) -> int:
        """How often it has booted."""
        return self._boots

    # ── power ─────────────────────────────────────────────────────────────────────────────────────────────────

    def power_on(self) -> None:
        """Boot for the first time."""
        self._boot("power-on")

    def instant(self, name: str, step: str = "", percent: int = 0) -> bool:
        """Whether there is power for one more sector or write; a cut that the scenario wants here happens here."""
        if self.runner is None:
            return False
        self.instants += 1
        for cut in self._cuts:
            if cut.applies(name, self.instants, step, percent):
                self._cuts = tuple(other for other in self._cuts if other is not cut)
                self.lose_power(name, cut.off_seconds)
                return False
        for outage in self._outages:
            if step == outage.step and percent >= outage.progress:
                self._outages = tuple(other for other in self._outages if other is not outage)
                asyncio.get_running_loop().call_soon(self._lose_network, outage.seconds)
        return True

    def lose_power(self, instant: str, off_seconds: float) -> None:
        """The power goes, and comes back after `off_seconds`."""
        self.observe(PowerLost(instant))
        self._end_agent()
        self._storage.lose_power(self.survives)
        self._later(off_seconds, "power-lost")

    def _lose_network(self, seconds: float) -> None:
        if self.runner is not None:
            self.runner.interrupt(seconds)

    def reboot(self, why: str) -> None:
        """Restart in good order as far as the hardware goes; what is in memory is lost all the same."""
        self._end_agent()
        seconds = self._wiring.timings.boot + self._wiring.timings.write * swap_sectors(self.hardware) / 16
        self._later(seconds, why)

    async def stop(self) -> None:
        """End for good."""
        if self._off is not None:
            self._off.cancel()
        if self._bench is not None:
            self._bench.cut()
        if self.runner is not None:
            await self.runner.stop()

    def _later(self, seconds: float, why: str) -> None:
        self._off = asyncio.get_running_loop().call_later(seconds, self._boot, why)

    def _end_agent(self) -> None:
        if self.runner is not None and self._bench is not None:
            self.runner.halt()
            self._bench.cut()
            self.observe(DeviceDisconnected("the power is off", planned=True))
        self.runner = self._bench = None

    def _boot(self, why: Any) -> None:
        self._off = None
        while swap_sectors(self.hardware):
            self.hardware = swap_sector(self.hardware)
        came_up = boot(self.hardware)
        self.hardware = came_up.hardware
        on_trial = self.hardware.trial == "running"
        self.observe(DeviceBooted(self.hardware.version, "watchdog" if came_up.watchdog else why, on_trial))
        self.observe(self.hardware.describe())
        if self.hardware.running is None:
            return
        self._boots += 1
        self.runner, self._bench = self._wiring.make_agent(self)
        self.runner.start(Booted(self._recall(), self.hardware.version, on_trial))

    # ── memory ────────────────────────────────────────────────────────────────────────────────────────────────

    def _recall(self) -> Record | None:
        snapshot = self._journal.open()
        return None if snapshot is None else read_record(snapshot)

    def remember(self, record: Record) -> None:
        """Write a record down. Raises JournalError."""
        self._journal.append(write_record(record))
