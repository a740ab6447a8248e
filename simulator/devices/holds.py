"""Holds: how a deletion is made to land where the scenario says.

The hardware stops at that percent of that step, for that job, until that device is let go, and then never again. From
outside it looks like a slow flash.
"""

from dataclasses import dataclass, field
from typing import Protocol

from simulator.devices.rig.values import HoldPoint


class Holdable(Protocol):
    """A device."""

    def let_go(self, point: HoldPoint) -> None:
        """It is not to be held there any more; if it is, it goes on."""


@dataclass(slots=True)
class Hold:
    """Stop each device at `percent` of `step` of `job_id`."""

    job_id: str
    step: str
    percent: int
    _devices: dict[str, list[tuple[Holdable, HoldPoint]]] = field(default_factory=dict)
    """Those to be let go, by thing: several agents may share one."""
    _held: dict[str, None] = field(default_factory=dict)

    def point(self, number: int, thing: str, device: Holdable) -> HoldPoint:
        """Where it holds that device, as its `number`th hold."""
        point = HoldPoint(number, self.job_id, self.step, self.percent)
        self._devices.setdefault(thing, []).append((device, point))
        return point

    def hold(self, thing: str) -> None:
        """Take note that a device is there."""
        self._held[thing] = None

    def let_go(self, thing: str) -> None:
        """Let what a device holds go on."""
        self._held.pop(thing, None)
        for device, point in self._devices.pop(thing, ()):
            device.let_go(point)

    def let_all_go(self) -> None:
        """Let everything go on, what has been held longest first."""
        for thing in (*self._held, *self._devices):
            self.let_go(thing)

    @property
    def held(self) -> tuple[str, ...]:
        """The things that are held now."""
        return tuple(self._held)
