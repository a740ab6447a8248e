"""The graph of what happens by itself: whether it leads home from everywhere, and what may go on without end.

Its vertices are states, by their numbers in the search; its edges are transitions that somebody owes (`is_owed`), by
where they begin. Home, here, are also the states that were never expanded and those that break something by
themselves: nothing is said of what comes after these.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.index import Numbers
from simulator.engines.explore.standing import Flags

Narrow = NDArray[np.int32]
NO_WAY: Final = -1


class Graph(NamedTuple):
    """`starts[v]` to `starts[v + 1]` are the edges that begin at v: they end at `after`, and are called `label`."""

    starts: Numbers
    after: Narrow
    label: Narrow

    @property
    def vertices(self) -> int:
        """How many vertices there are."""
        return len(self.starts) - 1

    def edges_of(self, vertices: Numbers) -> tuple[Numbers, Numbers]:
        """For each edge of these: the position of the vertex, and the edge."""
        first = self.starts[vertices]
        counts = self.starts[vertices + 1] - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        return np.repeat(np.arange(len(vertices)), counts), np.arange(total) + np.repeat(first - ends + counts, counts)

    def neighbours(self, vertices: Numbers) -> Numbers:
        """Where their edges end; one that several lead to is there several times."""
        return self.after[self.edges_of(vertices)[1]].astype(np.int64)


def graph_of(count: int, before: Narrow, after: Narrow, label: Narrow) -> Graph:
    """The graph of edges in any order."""
    order = order_of(before)
    return Graph(_starts(count, before), after[order], label[order])


def reversed_of(count: int, before: Narrow, after: Narrow) -> Graph:
    """The graph of the same edges, each the other way round, and called nothing."""
    return Graph(_starts(count, after), before[order_of(after)], before[:0])


def _starts(count: int, before: Narrow) -> Numbers:
    return np.concatenate([[0], np.cumsum(np.bincount(before, minlength=count))])


def order_of(keys: Narrow) -> Numbers:
    """A stable order of keys that are not negative: radix sort by halves, as numpy has it for 16 bits."""
    order = np.argsort((keys & 0xFFFF).astype(np.uint16), kind="stable")
    return order[np.argsort((keys >> 16).astype(np.uint16)[order], kind="stable")]


def distances(backward: Graph, home: Flags) -> Narrow:
    """How many edges it takes to get home, at the least; NO_WAY where nothing leads there. `backward` is reversed."""
    distance = np.full(backward.vertices, NO_WAY, np.int32)
    distance[home] = 0
    reached, steps = np.flatnonzero(home), 0
    while len(reached):
        steps += 1
        nearer = backward.neighbours(reached)
        nearer = nearer[distance[nearer] == NO_WAY]
        distance[nearer] = steps
        reached = once(nearer, backward.vertices)
    return distance


def once(vertices: Numbers | Narrow, count: int) -> Numbers:
    """Each of these once; where they are many, a flag for each vertex that there is costs less than to sort them."""
    if len(vertices) < count // 64:
        return np.unique(vertices).astype(np.int64)
    flags = np.zeros(count, np.bool_)
    flags[vertices] = True
    return np.flatnonzero(flags)
