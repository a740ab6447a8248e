"""A loop through a component that a weakly fair run may follow for ever, as short as is easily found.

It begins and ends at the component's first state. On its way each actor moves, or is for a moment unable to. The
shortest loop often does; where it does not, it is led to the nearest place that pleases the next actor, and so on.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from simulator.engines.explore.graph import Graph
from simulator.engines.explore.index import Numbers


class _Edge(NamedTuple):
    label: int
    after: int


class _Inside(NamedTuple):
    """A component: for each state its edges that stay, in order, and who of all the actors (bits) can move there."""

    edges: dict[int, list[_Edge]]
    able: dict[int, int]


def fair_loop(graph: Graph, component: Numbers, actors: Numbers) -> tuple[int, ...]:
    """The labels of its edges."""
    first = int(component[0])
    inside = _inside(graph, component, actors)
    short = _way(inside, first, lambda edge: edge.after == first)
    assert short is not None, "a component with an edge has a loop"
    return tuple(edge.label for edge in _pleasing(inside, first, short, actors))


def _inside(graph: Graph, component: Numbers, actors: Numbers) -> _Inside:
    vertices = component.tolist()
    edges: dict[int, list[_Edge]] = {vertex: [] for vertex in vertices}
    able = dict.fromkeys(vertices, 0)
    position, edge = graph.edges_of(component)
    for place, label, after in zip(
        position.tolist(), graph.label[edge].tolist(), graph.after[edge].tolist(), strict=True
    ):
        able[vertices[place]] |= int(actors[label])
        if after in edges:
            edges[vertices[place]].append(_Edge(label, after))
    for leaving in edges.values():
        leaving.sort()
    return _Inside(edges, able)


def _pleasing(inside: _Inside, first: int, short: list[_Edge], actors: Numbers) -> list[_Edge]:
    """The short loop if every actor moves in it or is unable to somewhere; else a longer one in which they do."""
    if not (owed := _owed(inside, first, short, actors)):
        return short
    loop: list[_Edge] = []
    at = first
    while owed:
        bit = owed & -owed

        def pleases(edge: _Edge, bit: int = bit) -> bool:
            return bool(actors[edge.label] & bit) or not inside.able[edge.after] & bit

        loop += _way(inside, at, pleases) or []
        at = loop[-1].after
        owed = _owed(inside, first, loop, actors)
    if at != first:
        loop += _way(inside, at, lambda edge: edge.after == first) or []
    return loop


def _owed(inside: _Inside, first: int, loop: list[_Edge], actors: Numbers) -> int:
    """Who can move all along, and does not: bits."""
    owed = inside.able[first]
    for edge in loop:
        owed &= inside.able[edge.after]
    for edge in loop:
        owed &= ~int(actors[edge.label])
    return owed


def _way(inside: _Inside, start: int, ends: Callable[[_Edge], bool]) -> list[_Edge] | None:
    """The first of the shortest ways whose last edge is such; None if there is none."""
    came: dict[int, tuple[int, _Edge]] = {}
    waiting = [start]
    for at in waiting:
        for edge in inside.edges[at]:
            if ends(edge):
                return [*reversed(list(_back(came, start, at))), edge]
            if edge.after not in came and edge.after != start:
                came[edge.after] = at, edge
                waiting.append(edge.after)
    return None


def _back(came: dict[int, tuple[int, _Edge]], start: int, at: int) -> Iterator[_Edge]:
    while at != start:
        at, edge = came[at]
        yield edge
