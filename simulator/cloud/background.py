"""What goes on in the background of an event loop: what is done every so often, and a task that nobody waits for."""

import asyncio
from collections.abc import Callable
from typing import Any

from simulator.cloud.contained import contained, tell_fault


def listen_for_faults(loop: asyncio.AbstractEventLoop) -> None:
    """What a loop catches itself, as of a task that nobody waits for, stands in the log in the log's own form."""

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        tell_fault(str(context.get("message", "")).partition("\n")[0][:100], context.get("exception"))

    loop.set_exception_handler(tell)


class Every:
    """`act`, once every so many seconds from `start` to `stop`, whatever comes of it."""

    def __init__(self, seconds: float, during: str, act: Callable[[], object]) -> None:
        self._seconds = seconds
        self._during = during
        self._act = act
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The first time is now."""
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self.start)
        contained(self._during, self._act)

    def stop(self) -> None:
        """Not any more."""
        if self._timer is not None:
            self._timer.cancel()
