"""Holds: how a deletion is made to land where the scenario says.

The hardware stops at that percent of that step, for that job, until that device is let go, and then never again. From
outside it looks like a slow flash.
"""

from dataclasses import dataclass, field
from typing import Protocol

from simulator.devices.rig.values import HoldPoint


class Stopped(Protocol):
    """What stands still at a point."""

    def let_go(self, point: HoldPoint) -> None:
        """Go on, and stop there no more."""


@dataclass(slots=True)
class Hold:
    """Stop each device at `point`."""

    point: HoldPoint
    _to_let_go: dict[str, tuple[Stopped, ...]] = field(default_factory=dict)
    """By thing; several agents may share one."""
    _held: dict[str, None] = field(default_factory=dict)

    def stop(self, thing: str, device: Stopped) -> None:
        """That one stands still at `point` once it is there, until it is let go."""
        self._to_let_go[thing] = (*self._to_let_go.get(thing, ()), device)

    def hold(self, thing: str) -> None:
        """Take note that a device is there."""
        self._held[thing] = None

    def let_go(self, thing: str) -> None:
        """Let what a device holds go on."""
        self._held.pop(thing, None)
        for device in self._to_let_go.pop(thing, ()):
            device.let_go(self.point)

    def let_all_go(self) -> None:
        """Let everything go on, what has been held longest first."""
        for thing in (*self._held, *self._to_let_go):
            self.let_go(thing)

    @property
    def is_holding(self) -> bool:
        """Whether anything is held now."""
        return bool(self._held)

    @property
    def held(self) -> tuple[str, ...]:
        """The things that are held now."""
        return tuple(self._held)
