"""What is to be done when: one time for each item, the earliest first.

An item that was put off or dropped leaves its old entry in the heap, to be passed over when it comes up; when there
are more such entries than others the heap is built anew, so that a device which sets a step timer of a week with
every update costs no more than one that sets it once.
"""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Agenda(Generic[T]):
    """Items by their time; those of the same time come in the order in which they were set."""

    def __init__(self, value: tuple[tuple[float, T], ...] = ()) -> None:
        self._heap: list[tuple[float, int, T]] = [(due, serial, item) for serial, (due, item) in enumerate(value)]
        self._times: dict[T, tuple[float, int]] = {item: (due, serial) for due, serial, item in self._heap}
        self._serial = len(value)

    def set(self, item: T, due: float | None) -> None:
        """Set or move an item; None drops it."""
        if due is None:
            self._times.pop(item, None)
            return
        known = self._times.get(item)
        if known is not None and known[0] == due:
            return
        self._serial += 1
        self._times[item] = (due, self._serial)
        if len(self._heap) > 2 * len(self._times) + 64:
            self._heap = [(due, serial, item) for item, (due, serial) in self._times.items()]
            heapify(self._heap)
        else:
            heappush(self._heap, (due, self._serial, item))

    def value(self) -> tuple[tuple[float, T], ...]:
        """The items with their times, in the order in which they come up: what an agenda like this one is made of."""
        return tuple((due, item) for due, _, item in sorted((*time, item) for item, time in self._times.items()))

    def items(self) -> tuple[T, ...]:
        """Every item that has a time."""
        return tuple(self._times)

    def next_due(self) -> float | None:
        """The time of the first item; None if there is none."""
        heap = self._heap
        while heap:
            due, serial, item = heap[0]
            if self._times.get(item) == (due, serial):
                return due
            heappop(heap)
        return None

    def take_due(self, now: float) -> T | None:
        """Take the first item whose time has come; None if none has."""
        due = self.next_due()
        if due is None or due > now:
            return None
        item = heappop(self._heap)[2]
        del self._times[item]
        return item
