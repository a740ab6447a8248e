"""A network and a power that come and go by themselves, as the scenario's `differences` have them.

A connection is interrupted only if it is there, and power is cut only if there is any: what would go while it is away
has gone already.
"""

from collections.abc import Iterator
from typing import Final

from agent.jitter import Jitter
from agent.loop_time import Alarm
from simulator.devices.device import SimulatedDevice
from simulator.engines.stand_ins import Cycle, Lot
from simulator.pace import Pace
from simulator.scenario import Differences

THERE_SECONDS: Final = 1.0
"""So long a device that would sleep at the beginning is there, so that the run can begin."""
WHY: Final = "by itself"
"""The instant at which the power goes, as the trace calls it."""


class Comings:
    """Of the devices of a fleet, from where each begins to the end of all."""

    def __init__(self, differences: Differences, seed: int, pace: Pace) -> None:
        self._wanted = differences
        self._seed = seed
        self._pace = pace
        self._alarms: dict[Iterator[float], Alarm] = {}

    def begin(self, device: SimulatedDevice, lot: Lot) -> None:
        """Have a device's network and power come and go by its lot."""
        if self._wanted.connection is not None:
            self._go_on(self._connection(device, Jitter(f"{self._seed}/{lot.chance}/connection")))
        if self._wanted.reboots is not None:
            self._go_on(self._power(device, Jitter(f"{self._seed}/{lot.chance}/reboots")))
        if lot.cycle is not None and lot.cycle.awake_seconds < lot.cycle.every_seconds:
            self._go_on(_sleeps(device, lot.cycle))

    def end(self) -> None:
        """Nothing comes or goes any more."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def _go_on(self, life: Iterator[float]) -> None:
        """Until it next waits for so many seconds."""
        self._alarms[life] = self._pace.call_later(next(life), self._go_on, life)

    def _connection(self, device: SimulatedDevice, chance: Jitter) -> Iterator[float]:
        wanted = self._wanted.connection
        while wanted is not None:
            yield wanted.up_seconds.at(chance.random())
            away = wanted.away_seconds.at(chance.random())
            device.cut_network(away)
            yield away

    def _power(self, device: SimulatedDevice, chance: Jitter) -> Iterator[float]:
        wanted = self._wanted.reboots
        while wanted is not None:
            yield wanted.every_seconds.at(chance.random())
            off = wanted.off_seconds.at(chance.random())
            device.cut_power(WHY, off)
            yield off


def _sleeps(device: SimulatedDevice, cycle: Cycle) -> Iterator[float]:
    """It begins somewhere in its interval, awake or not."""
    awake = max(THERE_SECONDS, cycle.awake_seconds - cycle.begins)
    asleep = cycle.every_seconds - cycle.begins - awake
    while True:
        yield awake
        if asleep > 0:
            device.cut_network(asleep)
            yield asleep
        awake, asleep = cycle.awake_seconds, cycle.every_seconds - cycle.awake_seconds
