"""The verdict's own monitors, and one thing that none of them counts: that what is begun once only is not begun twice.

A program, a reboot or a restart leaves nothing on the hardware that shows that it was begun, so an agent that cannot
know fails the execution instead (see `agent.core.told`). The verdict counts commits; of a program it hears no more than
the name of a step, by which a step of firmware, which may be done again, could be meant as well.

Of firmware, a leap that fails is made once more, and not for ever, which would wear the flash out. How often others do
that is theirs to say, so that no invariant counts it either.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent.device_events import DeviceBooted, DeviceEvent, ExecutionLeft, StepFinished, StepStarted
from agent.values import ExecutionKey
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.monitors import Broken, Watched, Watcher
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.watching import watcher_of

BEGINS_ONCE: Final = "begins once"
MOST_LEAPS: Final = 3
"""So often it makes a leap that fails: once more than that, and once while it asks whether its job still lives."""


def system_of(setup: Setup) -> System:
    """The world of one device, watched so where something may be begun once only, or a leap may fail for ever."""
    (seat,) = setup.seats
    if setup.asks in ("firmware", "configuration") and setup.bounds.fail <= MOST_LEAPS:
        return System(setup)
    return System(setup, _Watching(watcher_of(setup, seat), once=setup.asks not in ("firmware", "configuration")))


class _Kept(NamedTuple):
    watched: Watched
    begun: tuple[tuple[ExecutionKey, str], ...] = ()
    leap: str = ""
    """The step without a way back that was begun last, since the machine booted, and how often it has `failed`."""
    failed: int = 0


class _Watching:
    """See `simulator.engines.explore.watching.Watching`."""

    def __init__(self, watcher: Watcher, *, once: bool) -> None:
        self._watcher, self._once = watcher, once
        self.judges = watcher.judges

    def start(self) -> _Kept:
        return _Kept(self._watcher.start())

    def gist(self, told: Heard) -> Heard:
        return self._watcher.gist(told)

    def watch(self, watched: _Kept, told: Piece[Heard]) -> tuple[_Kept, tuple[Broken, ...]]:
        after, broken = self._watcher.watch(watched.watched, told)
        kept, count = watched._replace(watched=after), self._begun_once if self._once else self._leapt
        for event in told.value.by_device:
            kept, also = count(kept, event)
            broken = (*broken, *also)
        return kept, broken

    def _begun_once(self, kept: _Kept, event: DeviceEvent) -> tuple[_Kept, tuple[Broken, ...]]:
        if not isinstance(event, StepStarted) or event.reversible:
            return kept, ()
        which = event.execution, event.step
        if which in kept.begun:
            return kept, (Broken(BEGINS_ONCE, f"began {event.step} of one execution twice"),)
        return kept._replace(begun=(*kept.begun, which)), ()

    def _leapt(self, kept: _Kept, event: DeviceEvent) -> tuple[_Kept, tuple[Broken, ...]]:
        match event:
            case StepStarted(step=step, reversible=False):
                if step == kept.leap and kept.failed >= MOST_LEAPS:
                    return kept, (Broken(BEGINS_ONCE, f"began {step} again, which had failed {kept.failed} times"),)
                return kept._replace(leap=step, failed=kept.failed if step == kept.leap else 0), ()
            case StepFinished(step=step, outcome="failed") if step == kept.leap:
                return kept._replace(failed=kept.failed + 1), ()
            case DeviceBooted() | ExecutionLeft():
                return kept._replace(leap="", failed=0), ()
            case _:
                return kept, ()

    def at_rest(self, watched: _Kept) -> tuple[Broken, ...]:
        return self._watcher.at_rest(watched.watched)

    def forget(self, watched: _Kept, alive: int) -> _Kept:
        return watched._replace(watched=self._watcher.forget(watched.watched, alive))

    def places(self, watched: _Kept) -> int:
        return self._watcher.places(watched.watched)

    def renamed(self, watched: Any, names: Mapping[str, str]) -> _Kept:
        return watched._replace(watched=self._watcher.renamed(watched.watched, names))  # type: ignore[no-any-return]
