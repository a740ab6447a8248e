"""Parts as integers, and what may come of them as tables: Python is asked once for each key, arrays do the rest.

A `Table` is in compressed rows (CSR): a key has a row, a row is a run of entries, an entry is some integers. To expand
ten thousand keys by a table is to look up their rows, to ask Python for those that have none yet, and to gather.
"""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.index import ROOMY, Column, Index, Numbers, Words
from simulator.engines.explore.searchable import TooManyPartsError

Part = TypeVar("Part", bound=Hashable)
Entry = tuple[int, ...]
WORD_BITS: Final = 64


class Parts(Generic[Part]):
    """Equal parts are one number, counted from 0 as they are first met."""

    def __init__(self, name: str, bits: int) -> None:
        self.name, self.bits = name, bits
        self.parts: list[Part] = []
        self._numbers: dict[Part, int] = {}

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, number: int) -> Part:
        return self.parts[number]

    def number(self, part: Part) -> int:
        """Its number, a new one if it is new; `TooManyPartsError` if none is left."""
        number = self._numbers.setdefault(part, len(self.parts))
        if number == len(self.parts):
            if number == 1 << self.bits:
                raise TooManyPartsError(f"more than {number:,} parts of the kind {self.name!r}")
            self.parts.append(part)
        return number


class Trait(Generic[Part]):
    """An integer for each part of a kind, asked for once."""

    def __init__(self, parts: Parts[Part], kind: type[np.generic], of: Callable[[Part], int]) -> None:
        self._parts, self._of = parts, of
        self._known = Column(kind)

    @property
    def values(self) -> NDArray[Any]:
        """By the number of a part."""
        if len(self._known) < len(self._parts):
            self._known.extend([self._of(part) for part in self._parts.parts[len(self._known) :]])
        return self._known.values


class Table:
    """Rows of entries by key; `asked` gives the entries of a key that is new.

    A key is some integers of so many `bits` each, 64 together at most: it is looked up as one word.
    """

    def __init__(self, bits: tuple[int, ...], fields: int, asked: Callable[..., Iterable[Entry]]) -> None:
        assert sum(bits) <= WORD_BITS, "a key is a word"
        self.bits, self._asked = bits, asked
        self.asked_seconds = 0.0
        self._index = Index(1, ROOMY)
        self._starts, self._counts = Column(np.int64), Column(np.int64)
        self._fields = tuple(Column(np.int64) for _ in range(fields))

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, field: int) -> Numbers:
        """One integer of every entry."""
        return self._fields[field].values

    def expand(self, *keys: Numbers) -> tuple[Numbers, Numbers]:
        """For each entry of each key's row, in order: the position of the key, and the entry."""
        rows = self.rows(*keys)
        counts = self._counts.values[rows]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        sources = np.repeat(np.arange(len(rows)), counts)
        return sources, np.arange(total) + np.repeat(self._starts.values[rows] - ends + counts, counts)

    def entry(self, *keys: Numbers) -> Numbers:
        """The entry of each key, where a row has exactly one."""
        rows = self.rows(*keys)  # before `_starts` is looked at: it may grow
        entries: Numbers = self._starts.values[rows]
        return entries

    def answer(self, *keys: Numbers) -> Numbers:
        """The first integer of that entry."""
        entry = self.entry(*keys)
        return self[0][entry]

    def rows(self, *keys: Numbers) -> Numbers:
        """The row of each key; those that have none yet are asked for."""
        words = self._packed(keys)
        rows = self._index.find((words,))
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            rows[missing] = self._learn(words[missing], tuple(key[missing] for key in keys))
        return rows

    def _packed(self, keys: tuple[Numbers, ...]) -> Words:
        packed = keys[0]
        for key, bits in zip(keys[1:], self.bits[1:], strict=True):
            packed = packed << bits | key
        return packed.view(np.uint64)

    def _learn(self, words: Words, keys: tuple[Numbers, ...]) -> Numbers:
        rows, fresh = self._index.add((words,))
        begun = time.process_time()
        answers = [list(self._asked(*key)) for key in zip(*(key[fresh].tolist() for key in keys), strict=True)]
        self.asked_seconds += time.process_time() - begun
        counts = np.array([len(answer) for answer in answers], np.int64)
        self._starts.extend(len(self._fields[0]) + np.cumsum(counts) - counts)
        self._counts.extend(counts)
        entries = [entry for answer in answers for entry in answer]
        if entries:
            for column, values in zip(self._fields, zip(*entries, strict=True), strict=True):
                column.extend(values)
        return rows
