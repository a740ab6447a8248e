"""Strongly connected components in which a run may stay, away from home: by arrays, never by a stack.

Most of the graph is soon out of the question. States are numbered breadth first, so that a cycle has an edge that leads
no further down, and there are few of these (`_between`). What no cycle can hold is trimmed. What is left is coloured:
the largest number spreads along the edges, and whatever reaches back to the vertex of its colour is one component with
it (S. Orzan, "On Distributed Verification and Verified Distribution", 2004, chapter 4).
"""

from collections.abc import Iterator

import numpy as np

from simulator.engines.explore.graph import Graph, once
from simulator.engines.explore.index import Numbers
from simulator.engines.explore.standing import Flags


def cyclic_components(forward: Graph, backward: Graph, home: Flags) -> Iterator[Numbers]:
    """The vertices of each component without home that has an edge in itself, ascending; in order of their first."""
    alive = _between(forward, backward, home)
    vertices = np.flatnonzero(alive)
    position, edge = forward.edges_of(vertices)
    names = np.full(forward.vertices, -1, np.int32)
    names[vertices] = np.arange(len(vertices), dtype=np.int32)
    ends = names[forward.after[edge]].astype(np.int64)
    inside = ends >= 0
    component = _components(len(vertices), position[inside], ends[inside])
    order = np.argsort(component, kind="stable")
    cuts = np.flatnonzero(np.diff(component[order])) + 1
    looped = np.zeros(len(vertices), np.bool_)
    looped[position[inside][position[inside] == ends[inside]]] = True
    groups = [
        vertices[group]
        for group in np.split(order, cuts)
        if len(group) and component[group[0]] >= 0 and (len(group) > 1 or looped[group[0]])
    ]
    return iter(sorted(groups, key=lambda group: int(group[0])))


def _between(forward: Graph, backward: Graph, home: Flags) -> Flags:
    """What lies on a way from the end of an edge that leads no further down to the beginning of such a one."""
    before = np.repeat(np.arange(forward.vertices, dtype=np.int32), np.diff(forward.starts))
    back = (forward.after <= before) & ~home[before] & ~home[forward.after]
    leading = _reached(backward, once(before[back], forward.vertices), ~home)
    ends = once(forward.after[back], forward.vertices)
    return _reached(forward, ends[leading[ends]], leading)


def _reached(graph: Graph, start: Numbers, within: Flags) -> Flags:
    reached = np.zeros(graph.vertices, np.bool_)
    reached[start] = True
    while len(start):
        further = graph.neighbours(start)
        further = further[within[further] & ~reached[further]]
        reached[further] = True
        start = once(further, graph.vertices)
    return reached


def _components(count: int, before: Numbers, after: Numbers) -> Numbers:
    """For each vertex the largest of its component; -1 of one in which there is no edge."""
    component = np.full(count, -1, np.int64)
    while True:
        before, after = _trimmed(count, before, after)
        if not len(before):
            return component
        colour = _coloured(count, before, after)
        alike = colour[before] == colour[after]
        found = _back_to_roots(count, colour, before[alike], after[alike])
        component[found] = colour[found]
        rest = ~(found[before] | found[after])
        before, after = before[rest], after[rest]


def _trimmed(count: int, before: Numbers, after: Numbers) -> tuple[Numbers, Numbers]:
    """Without the edges of vertices into which, or out of which, nothing leads."""
    while True:
        into, out = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        into[after], out[before] = True, True
        kept = into[before] & out[after]
        if kept.all():
            return before, after
        before, after = before[kept], after[kept]


def _coloured(count: int, before: Numbers, after: Numbers) -> Numbers:
    """The largest vertex from which each can be reached."""
    colour = np.arange(count)
    while len(spreading := np.flatnonzero(colour[before] > colour[after])):
        np.maximum.at(colour, after[spreading], colour[before[spreading]])
    return colour


def _back_to_roots(count: int, colour: Numbers, before: Numbers, after: Numbers) -> Flags:
    """What leads to the vertex of its colour, of those that have edges."""
    found = np.zeros(count, np.bool_)
    touched = np.concatenate([before, after])
    found[touched[colour[touched] == touched]] = True
    while len(leading := np.flatnonzero(found[after] & ~found[before])):
        found[before[leading]] = True
    return found
