"""An event loop whose clock jumps to the next timer instead of waiting for it.

Everything that waits on this loop, waits in virtual time: `asyncio.sleep`, `call_later`, `timeout`. There are no
sockets and no threads on it. If nothing is due ever again while somebody still waits, that is a deadlock, and said so.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from agent.errors import GhostjobError

T = TypeVar("T")
EPOCH: Final = 1_700_000_000.0
"""What the service's clock shows at the start, in epoch seconds; the loop's own time starts at 0."""


class StuckError(GhostjobError):
    """Everybody waits for somebody else, and no timer will end it."""


class _Jumping(selectors.SelectSelector):
    """Never waits: says instead how long it would have."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("virtual time: everybody waits, and no timer is set")
        if timeout > 0:
            self._jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at time 0; two loops that do the same have the same times, down to the last digit."""

    def __init__(self) -> None:
        self._virtual_now = 0.0
        super().__init__(_Jumping(self._jump))

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._virtual_now

    def _jump(self, seconds: float) -> None:
        self._virtual_now += seconds


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a VirtualLoop. Raises StuckError."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
