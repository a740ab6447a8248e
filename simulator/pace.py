"""What time is for what is simulated: the loop's, or that in which the process ran.

After a moment in which a process did not run, everything that was due by the loop's time is due at once: the network is
back before anybody has missed it, and a step that a deletion was to meet is over. By the time in which the process ran
nothing has happened meanwhile, and all goes on in the order that the scenario wants.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Final

from agent.loop_time import Alarm

LEAST_SECONDS: Final = 0.001
"""What it waits at least, however near it is: event loops count in whole milliseconds."""


class Pace:
    """Calls and waits by `clock`, in seconds; None: by the time of the running loop.

    By a clock that may stand still, the loop calls too early, and the later the process is the more often. So it calls
    for all that wait, and not for each of them.
    """

    __slots__ = ("_clock", "_number", "_rings_at", "_timer", "_waiting")

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, _Awaited]] = []
        """A heap."""
        self._number = count()
        """In which order those are called that are due at the same time."""
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = inf
        """For what by the clock the loop is to call."""

    def now(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def call_at(self, at: float, call: Callable[..., object], *args: object) -> Alarm:
        """Call when `now()` is `at`."""
        if self._clock is None:
            return asyncio.get_running_loop().call_at(at, call, *args)
        awaited = _Awaited(call, args)
        heappush(self._waiting, (at, next(self._number), awaited))
        if at < self._rings_at:
            self._wait(at, self._clock)
        return awaited

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> Alarm:
        """Call after so many seconds."""
        if self._clock is None:
            return asyncio.get_running_loop().call_later(seconds, call, *args)
        return self.call_at(self._clock() + seconds, call, *args)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        if self._clock is None:
            await asyncio.sleep(seconds)
            return
        over = asyncio.Event()
        alarm = self.call_later(seconds, over.set)
        try:
            await over.wait()
        finally:
            alarm.cancel()

    def _wait(self, at: float, clock: Callable[[], float]) -> None:
        """Have the loop call for what is due first."""
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        left = max(at - clock(), LEAST_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(left, self._ring, clock)

    def _ring(self, clock: Callable[[], float]) -> None:
        waiting, now, newest = self._waiting, clock(), next(self._number)
        self._rings_at = -inf  # nobody who is called need see to what comes next
        try:
            while waiting and waiting[0][0] <= now and waiting[0][1] < newest:  # lest one calls itself for ever
                heappop(waiting)[2].ring()
        finally:
            self._timer, self._rings_at = None, inf
            if waiting:
                self._wait(waiting[0][0], clock)


LOOP_TIME: Final = Pace()


class _Awaited:
    """Whom it is to call, unless that is cancelled."""

    __slots__ = ("_args", "_call")

    def __init__(self, call: Callable[..., object], args: tuple[object, ...]) -> None:
        self._call: Callable[..., object] | None = call
        self._args = args

    def ring(self) -> None:
        if self._call is not None:
            self._call(*self._args)

    def cancel(self) -> None:
        self._call, self._args = None, ()
