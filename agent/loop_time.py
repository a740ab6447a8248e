"""What waits, by whatever is called time: the running loop's, as a rule."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol


class Alarm(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come."""


class Time(Protocol):
    """What timers run by, in seconds."""

    def now(self) -> float:
        """How late it is."""

    def call_at(self, at: float, call: Callable[..., object], *args: object) -> Alarm:
        """Call when it is that late."""


class LoopTime:
    """That of the running loop."""

    def now(self) -> float:
        """How late it is."""
        return asyncio.get_running_loop().time()

    def call_at(self, at: float, call: Callable[..., object], *args: object) -> Alarm:
        """Call when it is that late."""
        return asyncio.get_running_loop().call_at(at, call, *args)


LOOP_TIME: Final = LoopTime()
