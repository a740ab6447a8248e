"""An event loop whose clock jumps to the next timer instead of waiting for it.

Everything that waits on this loop, waits in virtual time: `asyncio.sleep`, `call_later`, `timeout`. There are no
sockets and no threads on it. If nothing is due ever again while somebody still waits, that is a deadlock, and said so.
"""

import asyncio
import contextlib
import gc
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from heapq import heappop, heappush
from typing import Any, Final, TypeVar, cast

from agent.errors import GhostjobError

T = TypeVar("T")
EPOCH: Final = 1_700_000_000.0
"""What the service's clock shows at the start, in epoch seconds; the loop's own time starts at 0."""


GC_THRESHOLDS: Final = (50_000, 20, 20)


class StuckError(GhostjobError):
    """Everybody waits for somebody else, and no timer will end it."""


class _Timer(list[Any]):
    """An asyncio.TimerHandle as far as anybody uses one: when, a number, what to call, with what.

    A list, so that it stands in the heap itself, and is compared there without any Python code: no two numbers are
    the same, so the comparison ends with them.
    """

    __slots__ = ()

    def cancel(self) -> None:
        """Never call it; what it would have been called with is let go."""
        self[2:] = None, ()

    def cancelled(self) -> bool:
        """Whether it will not be called, or has been already."""
        return self[2] is None

    def when(self) -> float:
        """The virtual time at which it is called."""
        when: float = self[0]
        return when

    def call(self) -> None:
        """Call it, once."""
        callback, self[2] = self[2], None
        if callback is not None:
            callback(*self[3])


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at time 0; two loops that do the same have the same times, down to the last digit.

    Tasks and futures are asyncio's. Timers, of which there are hundreds for each device, are a heap of plain lists.
    """

    # asyncio's own, in every version from 3.11 on: what is to be called next, and whether somebody wants it to stop.
    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self._timers: list[_Timer] = []
        self._count = itertools.count()
        super().__init__()

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._virtual_now

    def call_later(  # type: ignore[override]  # typeshed binds the arguments to the callback; asyncio does not
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Call after so many virtual seconds. `context` is ignored: nothing here uses context variables."""
        return self.call_at(self._virtual_now + delay, callback, *args)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Call at a virtual time; those of the same time in the order in which they were set."""
        timer = _Timer((when, next(self._count), callback, args))
        heappush(self._timers, timer)
        return cast("asyncio.TimerHandle", timer)

    def _run_once(self) -> None:
        """Call what is ready; if nothing is, jump from timer to timer until something is.

        Replaces asyncio's turn, which asks sockets.
        """
        timers, ready = self._timers, self._ready
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        self._call(self._due())
        while not ready and not self._stopping:
            while timers and timers[0][2] is None:
                heappop(timers)
            if not timers:
                raise StuckError("virtual time: everybody waits, and no timer is set")
            self._virtual_now = max(self._virtual_now, timers[0][0])
            self._call(self._due())

    def _due(self) -> list[_Timer]:
        """The timers that are due now; what they set for now is due in the next turn."""
        timers, now = self._timers, self._virtual_now
        due: list[_Timer] = []
        while timers and timers[0][0] <= now:
            due.append(heappop(timers))
        return due

    def _call(self, due: list[_Timer]) -> None:
        for timer in due:
            try:
                timer.call()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self.call_exception_handler({"message": "exception in a timer", "exception": error})


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """Let other loops run in the middle of a turn of this one, if one runs: of its own time nothing passes."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Fleets and traces are many small objects that live to the end and hardly a cycle among them, so the collector
    looks for cycles less often while this lasts.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a VirtualLoop. Raises StuckError."""
    with seldom_collected(), contextlib.closing(main), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
