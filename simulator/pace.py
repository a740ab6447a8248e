"""What time is for what is simulated: the loop's, or that in which the process ran.

After a moment in which a process did not run, everything that was due by the loop's time is due at once: the network is
back before anybody has missed it, and a step that a deletion was to meet is over. By the time in which the process ran
nothing has happened meanwhile, and all goes on in the order that the scenario wants.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

LEAST_SECONDS: Final = 0.001
"""What it waits at least, however near it is: event loops count in whole milliseconds."""


class Alarm(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come."""


class Pace:
    """Calls and waits by `clock`, in seconds; None: by the time of the running loop."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def call_at(self, at: float, call: Callable[..., object], *args: object) -> Alarm:
        """Call when `now()` is `at`."""
        if self._clock is None:
            return asyncio.get_running_loop().call_at(at, call, *args)
        return _Patient(self._clock, at, call, args)

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


LOOP_TIME: Final = Pace()


class _Patient:
    """Is called by the loop, and waits on if its own clock has not come so far."""

    __slots__ = ("_args", "_at", "_call", "_clock", "_timer")

    def __init__(
        self, clock: Callable[[], float], at: float, call: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        self._clock = clock
        self._at = at
        self._call = call
        self._args = args
        self._wait()

    def _wait(self) -> None:
        left = max(self._at - self._clock(), LEAST_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(left, self._ring)

    def _ring(self) -> None:
        if self._at > self._clock():
            self._wait()
        else:
            self._call(*self._args)

    def cancel(self) -> None:
        self._timer.cancel()
