"""The processes of a search: one that does it all, or several that share the states by their first device.

Each round goes in three steps that all take together. First each expands its own states, and packs what belongs to
another for that one: states by the numbers of their parts, and each part once, pickled. Then each looks up what came
for it. Then the new states of all are put in order and get their numbers. So everything is the same as in one process,
but that each asks only for the moves of its own devices, which are most of what Python is asked for.

Who owns a device is decided by its hash: with `fork`, processes agree on it. Where there is no `fork`, one does it all.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from simulator.engines.explore.limits import resident_bytes
from simulator.engines.explore.searchable import Searchable
from simulator.engines.explore.shard import Kept, Shard


class Shards(ABC):
    """Whoever keeps the states."""

    @property
    @abstractmethod
    def jobs(self) -> int:
        """How many processes."""

    @property
    @abstractmethod
    def transitions(self) -> int:
        """All that were made."""

    @property
    @abstractmethod
    def edges(self) -> int:
        """Those of them that cost nothing."""

    @property
    @abstractmethod
    def broken(self) -> set[str]:
        """Invariants that do not hold."""

    @property
    @abstractmethod
    def resident_bytes(self) -> int:
        """Of all processes."""

    @property
    @abstractmethod
    def seconds_of(self) -> dict[str, float]:
        """Where the time went, summed over all processes."""

    @abstractmethod
    def round(self, low: int, high: int) -> int:
        """Expand the states with these numbers: how many new ones there are."""

    @abstractmethod
    def kept(self) -> list[Kept]:
        """All of it, for the last time."""


class Alone(Shards):
    """One process."""

    jobs = 1

    def __init__(self, system: Searchable) -> None:
        self._shard = Shard(system)
        self._shard.begin(system.first())
        self._ranked = 0

    @property
    def transitions(self) -> int:
        """All that were made."""
        return self._shard.transitions

    @property
    def edges(self) -> int:
        """Those of them that cost nothing."""
        return self._shard.edge_count

    @property
    def broken(self) -> set[str]:
        """Invariants that do not hold."""
        return self._shard.broken

    @property
    def resident_bytes(self) -> int:
        """Of this process."""
        return resident_bytes()

    @property
    def seconds_of(self) -> dict[str, float]:
        """Where the time went."""
        return self._shard.seconds_of

    def round(self, low: int, high: int) -> int:
        """Expand the states with these numbers: how many new ones there are."""
        shard = self._shard
        moves = shard.expand(low, high)
        if len(shard.labels) > self._ranked:
            shard.rank(sorted(shard.labels))
            self._ranked = len(shard.labels)
        count = len(shard)
        new = len(shard.take(moves))
        shard.number(np.arange(count, count + new))
        return new

    def kept(self) -> list[Kept]:
        """All of it."""
        return [self._shard.kept()]


@contextmanager
def shards_of(system: Searchable, jobs: int) -> Iterator[Shards]:
    """So many processes."""
    yield Alone(system)
