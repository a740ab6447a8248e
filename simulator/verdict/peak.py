"""The most requests within any one second of the cloud's."""

from collections import deque
from copy import copy
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
