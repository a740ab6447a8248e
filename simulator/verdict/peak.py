"""The most requests within any one second of the cloud's, of one judge or of several."""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from heapq import merge
from typing import Final

SECOND: Final = 1_000_000


class Peak:
    """The most events within any one second: a window that slides, and holds how many there were at which times."""

    def __init__(self) -> None:
        self.peak = 0
        self._within = 0
        self._window: deque[tuple[int, int]] = deque()

    def fork(self) -> "Peak":
        """One that has counted the same."""
        twin = copy(self)
        twin._window = self._window.copy()
        return twin

    def count(self, at: int, events: int = 1) -> None:
        """So many more, which count as not earlier than the last."""
        window = self._window
        if window and at <= (last := window[-1])[0]:
            window[-1] = (last[0], last[1] + events)
        else:
            window.append((at, events))
        self._within += events
        while window[0][0] <= at - SECOND:
            self._within -= window.popleft()[1]
        self.peak = max(self.peak, self._within)


class TimedPeak(Peak):
    """One that remembers all of them, in 16 bytes an instant, so that those of several can be put together."""

    def __init__(self) -> None:
        super().__init__()
        self._times, self._counts = array("q"), array("q")

    def fork(self) -> "TimedPeak":
        """See Peak."""
        twin = super().fork()
        assert isinstance(twin, TimedPeak)
        twin._times, twin._counts = self._times[:], self._counts[:]
        return twin

    def count(self, at: int, events: int = 1) -> None:
        """See Peak."""
        super().count(at, events)
        last, now = self._times[-1] if self._times else -1, self._window[-1][0]
        if now == last:
            self._counts[-1] += events
        else:
            self._times.append(now)
            self._counts.append(events)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """When how many came."""
        return zip(self._times, self._counts, strict=True)


def together(peaks: Iterable[TimedPeak]) -> TimedPeak:
    """All that they counted, counted by one."""
    of_all = TimedPeak()
    for at, events in merge(*peaks):
        of_all.count(at, events)
    return of_all
