"""An exact index of rows of words, made of arrays: which number a row has, thousands of rows at a time.

Open addressing with linear probing. A slot holds the number of a row (low half) and a print of it (high half), so that
most comparisons end at the slot; where prints are equal, the words themselves are compared, so nothing is ever taken
for what it is not. Numbers count from 0 in the order in which rows were first met.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_EMPTY: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_LOW: Final = np.uint64(0x0000_0000_FFFF_FFFF)
_HIGH: Final = np.uint64(0xFFFF_FFFF_0000_0000)
CLOSE: Final = 0.6
ROOMY: Final = 0.3
"""At such a share of its slots an index grows: few bytes a row, or few probes a row that is not there."""
MOST: Final = 2**32 - 2
"""So many rows fit; nobody has the memory for them."""


class Column:
    """One array that grows at its end."""

    __slots__ = ("_array", "_count")

    def __init__(self, kind: type[np.generic], first: int = 64) -> None:
        self._array: NDArray[Any] = np.empty(first, kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, values: Any) -> None:
        """Append what converts to the array's type."""
        end = self._count + len(values)
        if end > len(self._array):
            larger = np.empty(max(end, len(self._array) * 3 // 2), self._array.dtype)
            larger[: self._count] = self._array[: self._count]
            self._array = larger
        self._array[self._count : end] = values
        self._count = end

    @property
    def values(self) -> NDArray[Any]:
        """What is there now; not to be kept across `extend`."""
        return self._array[: self._count]


class Index:
    """Rows of `width` words each."""

    def __init__(self, width: int, filled: float = CLOSE) -> None:
        self._filled = filled
        self.words = tuple(Column(np.uint64) for _ in range(width))
        self._slots: Words = np.full(256, _EMPTY, np.uint64)

    def __len__(self) -> int:
        return len(self.words[0])

    def find(self, rows: tuple[Words, ...]) -> Numbers:
        """The number of each row; -1 where it is not there."""
        if not len(self):
            return np.full(len(rows[0]), -1, np.int64)
        mixed = _mixed(rows)
        at = self._home(mixed)
        slots = self._slots[at]
        found: Numbers = (slots & _LOW).astype(np.int64)
        # Most are there, in the first slot that is looked at: to compare prints before words would cost them more.
        elsewhere = np.flatnonzero(~self._equal(rows, found))
        found[elsewhere] = -1
        waiting = elsewhere[slots[elsewhere] != _EMPTY]
        prints, at = mixed[waiting] & _HIGH, self._next(at[waiting])
        while len(waiting):
            slots = self._slots[at]
            alike = np.flatnonzero((slots & _HIGH) == prints)
            asked, numbers = waiting[alike], (slots[alike] & _LOW).astype(np.int64)
            same = self._equal(_some(rows, asked), numbers)
            found[asked[same]] = numbers[same]
            going = slots != _EMPTY
            going[alike[same]] = False
            on = np.flatnonzero(going)
            waiting, prints, at = waiting[on], prints[on], self._next(at[on])
        return found

    def add(self, rows: tuple[Words, ...]) -> tuple[Numbers, Numbers]:
        """The number of each row, of which none may be there yet, and the positions of those that came first.

        Equal rows get one number, that of the first of them.
        """
        count = len(rows[0])
        self._make_room(count)
        base = len(self)
        firsts, owners, slots = self._place(rows, base)
        order = np.cumsum(firsts, dtype=np.int64) - 1 + base
        fresh = np.flatnonzero(firsts)
        at = slots[fresh]
        self._slots[at] = (self._slots[at] & _HIGH) | order[fresh].astype(np.uint64)
        for column, words in zip(self.words, rows, strict=True):
            column.extend(words[fresh])
        assert len(self) < MOST
        return order[owners], fresh

    def _place(self, rows: tuple[Words, ...], base: int) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
        """Every row in its slot, numbered for now by its position: who came first, each one's first, its slot."""
        count = len(rows[0])
        owners = np.arange(count, dtype=np.int64)
        settled = np.zeros(count, np.int64)
        mixed = _mixed(rows)
        prints, at = mixed & _HIGH, self._home(mixed)
        waiting = owners.copy()
        while len(waiting):
            slots = self._slots[at]
            free = np.flatnonzero(slots == _EMPTY)[::-1]
            # Of several that want one slot the last that is written has it, so the first of them is written last.
            self._slots[at[free]] = prints[free] | (waiting[free] + base).astype(np.uint64)
            slots = self._slots[at]
            numbers = (slots & _LOW).astype(np.int64) - base
            alike = np.flatnonzero(((slots & _HIGH) == prints) & (numbers >= 0))
            same = alike[_alike(_some(rows, waiting[alike]), _some(rows, numbers[alike]))]
            owners[waiting[same]] = numbers[same]
            settled[waiting[same]] = at[same]
            going = np.ones(len(waiting), np.bool_)
            going[same] = False
            on = np.flatnonzero(going)
            waiting, prints, at = waiting[on], prints[on], self._next(at[on])
        return owners == np.arange(count), owners, settled

    def _make_room(self, more: int) -> None:
        size = len(self._slots)
        while len(self) + more > size * self._filled:
            size *= 2
        if size == len(self._slots):
            return
        self._slots = np.full(size, _EMPTY, np.uint64)
        for start in range(0, len(self), 1 << 18):
            rows = tuple(column.values[start : start + (1 << 18)] for column in self.words)
            self._place(rows, start)

    def _equal(self, rows: tuple[Words, ...], numbers: Numbers) -> NDArray[np.bool_]:
        """Whether each row has that number.

        What an empty slot says is taken for the last row; who equals that one meets its slot before any empty one.
        """
        return _alike(rows, tuple(column.values.take(numbers, mode="clip") for column in self.words))

    def _home(self, mixed: Words) -> Numbers:
        return (mixed & np.uint64(len(self._slots) - 1)).astype(np.int64)

    def _next(self, at: Numbers) -> Numbers:
        return (at + 1) & (len(self._slots) - 1)


def _some(rows: tuple[Words, ...], which: Numbers) -> tuple[Words, ...]:
    return tuple(words[which] for words in rows)


def _alike(rows: tuple[Words, ...], others: tuple[Words, ...]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = rows[0] == others[0]
    for words, theirs in zip(rows[1:], others[1:], strict=True):
        same &= words == theirs
    return same


def _mixed(rows: tuple[Words, ...]) -> Words:
    """A hash of each row (Stafford's mix 13, once a word); it decides where a row lies, never what is equal."""
    mixed = np.zeros(len(rows[0]), np.uint64)
    for words in rows:
        mixed ^= words
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
