"""How what takes long goes on in slices, so that others have their turn between two of them."""

import time
from collections.abc import Callable
from typing import Final

SLICE_SECONDS: Final = 0.0002
PAUSE_SECONDS: Final = 0.001
"""The least time after a slice, so that what takes long leaves most of a core to others; less is nothing to uvloop."""
SHARE_OF_LATENESS: Final = 0.25
"""A slice may last for so much of the time by which it came too late, if that is more.

Where others keep the loop for long at a time, what takes long would hardly get on, and they wait that long anyway.
"""
LONGEST_SECONDS: Final = 0.025
"""No slice may last longer for that: a process that was stopped, or a machine that slept, comes late by hours."""


class Pace:
    """When the next slice begins, and how long it may last.

    `slice_seconds` is what a slice may last that comes in time, of `clock`, in seconds.
    """

    def __init__(
        self,
        slice_seconds: float = SLICE_SECONDS,
        share_of_lateness: float = SHARE_OF_LATENESS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._slice_seconds = slice_seconds
        self._share_of_lateness = share_of_lateness
        self._clock = clock
        self._wanted_at = 0.0
        self._began_at = 0.0
        self._until = 0.0
        self.pause_seconds = PAUSE_SECONDS
        """How long nothing that takes long goes on, from the last slice's end: as long as that lasted, at least.

        Where other processes want the core as well, a slice lasts longer than it computes.
        """

    def want(self, seconds: float) -> None:
        """The next slice is to begin in so many seconds."""
        self._wanted_at = self._clock() + seconds

    def begin(self) -> None:
        """A slice begins."""
        self._began_at = self._clock()
        for_lateness = min(LONGEST_SECONDS, self._share_of_lateness * (self._began_at - self._wanted_at))
        self._until = self._began_at + max(self._slice_seconds, for_lateness)

    def is_spent(self) -> bool:
        """Whether the slice has lasted as long as it may."""
        return self._clock() >= self._until

    def end(self) -> None:
        """The slice is over."""
        self.pause_seconds = max(PAUSE_SECONDS, self._clock() - self._began_at)
