"""Holds: how a deletion is made to land where the scenario says.

The hardware stops at that percent of that step, for that job, until that device is let go, and then never again. From
outside it looks like a slow flash.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from simulator.devices.rig.values import HoldPoint


@dataclass(slots=True)
class Hold:
    """Stop each device at `percent` of `step` of `job_id`."""

    job_id: str
    step: str
    percent: int
    _to_let_go: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    """By thing; several agents may share one."""
    _held: dict[str, None] = field(default_factory=dict)

    def point(self, number: int, thing: str, let_go: Callable[[HoldPoint], None]) -> HoldPoint:
        """Where it holds a device, as its `number`th hold, until it calls `let_go`."""
        point = HoldPoint(number, self.job_id, self.step, self.percent)
        self._to_let_go.setdefault(thing, []).append(partial(let_go, point))
        return point

    def hold(self, thing: str) -> None:
        """Take note that a device is there."""
        self._held[thing] = None

    def let_go(self, thing: str) -> None:
        """Let what a device holds go on."""
        self._held.pop(thing, None)
        for let_go in self._to_let_go.pop(thing, ()):
            let_go()

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
