"""What is to be done in another turn, or when its time has come, without a loop.

Whoever drives it gives the time, and is woken when there is something to do. Work that takes long is done in turns,
between which others have theirs.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Final, TypeAlias

from simulator.cloud.contained import contained

Act: TypeAlias = Callable[[], object]

TURN_SECONDS: Final = 0.001
"""How long a turn takes, of whatever kind: giving to many, sweeping, or packets of one client, who may send 100,000."""


class Scheduler:
    """`stopwatch` gives seconds, and says when a turn that takes `turn_seconds` is over.

    `wake` is called with None when something is to be done in the next turn, or with the time that it is to be done at.
    """

    __slots__ = ("_numbers", "_soon", "_timed", "stopwatch", "turn_seconds", "wake")

    def __init__(self, stopwatch: Callable[[], float], turn_seconds: float = TURN_SECONDS) -> None:
        self.stopwatch = stopwatch
        self.turn_seconds = turn_seconds
        self.wake: Callable[[float | None], object] = lambda due: None
        self._soon: dict[Act, None] = {}
        self._timed: list[tuple[float, int, Act]] = []
        self._numbers = count()

    def soon(self, act: Act) -> None:
        """Have it done in the next turn, once."""
        if not self._soon:
            self.wake(None)
        self._soon[act] = None

    def at(self, due: float, act: Act) -> None:
        """Have it done when the time has come."""
        heappush(self._timed, (due, next(self._numbers), act))
        self.wake(due)

    def turn_ends(self) -> float:
        """When a turn that begins now is over, by the stopwatch."""
        return self.stopwatch() + self.turn_seconds

    def run(self, now: float) -> None:
        """One turn: what is due, and what was to be done in the next turn when this one began."""
        acts, self._soon = list(self._soon), {}
        while self._timed and self._timed[0][0] <= now:
            acts.append(heappop(self._timed)[2])
        for act in acts:
            contained("a turn of the broker", act)
