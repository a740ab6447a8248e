"""The verdict's own monitors, and one thing that none of them counts: that what is begun once only is not begun twice.

A program, a reboot or a restart leaves nothing on the hardware that shows that it was begun, so an agent that cannot
know fails the execution instead (see `agent.core.told`). The verdict counts commits; of a program it hears no more than
the name of a step, by which a step of firmware, which may be done again, could be meant as well.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent.device_events import StepStarted
from agent.values import ExecutionKey
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.monitors import Broken, Watched, Watcher
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.watching import watcher_of

BEGINS_ONCE: Final = "begins once"


def system_of(setup: Setup) -> System:
    """The world of one device, watched so where its job is about something that may be begun once only."""
    (seat,) = setup.seats
    if setup.asks in ("firmware", "configuration"):
        return System(setup)
    return System(setup, _Watching(watcher_of(setup, seat)))


class _Kept(NamedTuple):
    watched: Watched
    begun: tuple[tuple[ExecutionKey, str], ...] = ()


class _Watching:
    """See `simulator.engines.explore.watching.Watching`."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.judges = watcher.judges

    def start(self) -> _Kept:
        return _Kept(self._watcher.start())

    def gist(self, told: Heard) -> Heard:
        return self._watcher.gist(told)

    def watch(self, watched: _Kept, told: Piece[Heard]) -> tuple[_Kept, tuple[Broken, ...]]:
        after, broken = self._watcher.watch(watched.watched, told)
        begun = watched.begun
        for event in told.value.by_device:
            if isinstance(event, StepStarted) and not event.reversible:
                which = event.execution, event.step
                if which in begun:
                    broken = (*broken, Broken(BEGINS_ONCE, f"began {event.step} of one execution twice"))
                begun = (*begun, which)
        return _Kept(after, tuple(dict.fromkeys(begun))), broken

    def at_rest(self, watched: _Kept) -> tuple[Broken, ...]:
        return self._watcher.at_rest(watched.watched)

    def forget(self, watched: _Kept, alive: int) -> _Kept:
        return watched._replace(watched=self._watcher.forget(watched.watched, alive))

    def places(self, watched: _Kept) -> int:
        return self._watcher.places(watched.watched)

    def renamed(self, watched: Any, names: Mapping[str, str]) -> _Kept:
        return _Kept(self._watcher.renamed(watched.watched, names), watched.begun)
