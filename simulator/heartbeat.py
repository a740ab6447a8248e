"""Whether a process runs: a beat on its event loop, and how late each came.

A loop that is late was kept from running by the machine, or was busy with something else. Either way what waited for
its turn waited, and a device whose turn it was is not to blame. So each process of a run tells in the trace when it
did not get round to what was due, and the verdict does not charge that to any device.
"""

import asyncio
import time
from collections.abc import Callable
from math import inf
from typing import Final, Self

from simulator.trace import ProcessName, ProcessStalled

BEAT_SECONDS: Final = 0.02
LATE_SECONDS: Final = 0.01
"""What is worth telling: no bound is so near that it matters who loses less."""


class Heartbeat:
    """Beats on the running loop while the context lasts; `record` gets each delay that is worth telling.

    `clock` and `processor` are seconds: of the source that records, and of this process's own work.
    """

    def __init__(
        self,
        process: ProcessName,
        record: Callable[[ProcessStalled], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self._process = process
        self._record = record
        self._clock = clock
        self._processor = processor
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf
        self._worked = 0.0
        self._lost = 0.0

    def running_time(self) -> float:
        """Seconds by the same clock, less what the process has lost: for what is to have no less time for that.

        It stands still from when a beat was due until the process gets round to it: nobody who is called before that
        beat takes the time since for its own.
        """
        return min(self._clock(), self._due) - self._lost

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)
        self._due, self._worked = self._clock() + BEAT_SECONDS, self._processor()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = inf

    def _beat(self) -> None:
        # Set again before anything else: time goes on for whoever waits by it, whatever comes of this beat.
        self._timer = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)
        now, processor = self._clock(), self._processor()
        late, worked = now - self._due, processor - self._worked
        self._due, self._worked = now + BEAT_SECONDS, processor
        if late > LATE_SECONDS:
            self._lost += late
            self._record(ProcessStalled(self._process, round(late, 6), round(min(worked, late), 6)))
