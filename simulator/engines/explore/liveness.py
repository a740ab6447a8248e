"""Whether all is well in the end: a way home from every state, and no fair run on which a device stays away for ever.

A way home takes nobody who owes no move: an operator who makes one more job may wake a device that hangs, and need not.

Each device is looked at by itself: two that poll by turns are never home at once, and nothing is wrong with either.
Weak fairness: whoever could always make a move makes one some day. A run that goes on without end, away from home,
stays in one strongly connected component of what is not home at last, and can visit all of it. So such a run is fair
exactly if each actor that can move in all states of the component has a move that stays there; one whose every move
leads out would have been owed that.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.components import cyclic_components
from simulator.engines.explore.exploration import Cycle
from simulator.engines.explore.found import Found
from simulator.engines.explore.graph import NO_WAY, Graph, distances
from simulator.engines.explore.index import Numbers
from simulator.engines.explore.local_moves import Label
from simulator.engines.explore.loops import fair_loop
from simulator.engines.explore.searchable import UNFAIR, Path
from simulator.engines.explore.standing import Flags

SHOWN: Final = 5
"""So many counterexamples are told of each sort, the shortest; the others are counted."""


class Liveness(NamedTuple):
    """`distance` home of each state; what is wrong, and what is `lost`, as in `Exploration`."""

    distance: NDArray[np.int32]
    stuck: tuple[Path, ...]
    stuck_count: int
    cycles: tuple[Cycle, ...]
    loop_count: int
    lost: tuple[Path, ...]
    lost_count: int
    dead_end: Path | None


def judged(found: Found, expanded: int, jobs: int = 1) -> Liveness:
    """States from `expanded` on were not expanded, and nothing is said of what comes after them.

    So many `jobs` are done at once: arrays are worked on without the interpreter's lock.
    """
    home, done, *homes = (
        _with_what_is_not_judged(found, expanded, those) for those in (found.home, found.done, *found.homes)
    )
    with ThreadPoolExecutor(jobs) as pool:
        looked_for = pool.submit(list, _fair_components(found, homes))
        measured = [pool.submit(distances, found.backward, those) for those in (home, done)]
    loops, (distance, to_done) = looked_for.result(), (each.result() for each in measured)
    stuck = np.flatnonzero(distance == NO_WAY)
    cycles = tuple(_cycle(found, *loop) for loop in loops[:SHOWN])
    lost = np.flatnonzero((to_done == NO_WAY) & (distance != NO_WAY))
    dead_ends = np.flatnonzero((np.diff(found.graph.starts) == 0) & ~home)
    return Liveness(
        distance,
        _ways(found, distance, stuck),
        len(stuck),
        cycles,
        len(loops),
        _ways(found, to_done, lost),
        len(lost),
        found.path(int(dead_ends[0])) if len(dead_ends) else None,
    )


def _with_what_is_not_judged(found: Found, expanded: int, those: Flags) -> Flags:
    """And states that lead to what is broken, or were not expanded."""
    flags = those.copy()
    flags[found.excused] = True
    flags[expanded:] = True
    return flags


def _ways(found: Found, distance: NDArray[np.int32], those: Numbers) -> tuple[Path, ...]:
    return tuple(found.path(int(state)) for state in _entrances(found, distance, those)[:SHOWN])


def _entrances(found: Found, distance: NDArray[np.int32], stuck: Numbers) -> Numbers:
    """Those to which the first way leads through no other."""
    parent = found.parent[stuck]
    entrances: Numbers = stuck[(parent < 0) | (distance[parent] != NO_WAY)]
    return entrances


def _fair_components(found: Found, homes: list[Flags]) -> Iterator[tuple[int, Numbers]]:
    """Where a device, by its number, may stay away from home for ever."""
    actors = actor_bits(found.labels)
    for device, home in enumerate(homes):
        components = cyclic_components(found.graph, found.backward, home)
        yield from ((device, each) for each in components if _is_fair(found.graph, each, actors))


def actor_bits(labels: list[Label]) -> Numbers:
    """For each label a bit that is its actor's; none for an actor that owes nobody a move."""
    names = sorted({label.actor for label in labels} - UNFAIR)
    bits = {name: 1 << number for number, name in enumerate(names)}
    assert len(names) < 63, "an actor a bit"
    return np.array([bits.get(label.actor, 0) for label in labels], np.int64)


def _is_fair(graph: Graph, component: Numbers, actors: Numbers) -> bool:
    position, edge = graph.edges_of(component)
    bits = actors[graph.label[edge]]
    able = np.zeros(len(component), np.int64)
    np.bitwise_or.at(able, position, bits)
    after = graph.after[edge]
    place = np.searchsorted(component, after)
    stays = component[np.minimum(place, len(component) - 1)] == after
    return not int(np.bitwise_and.reduce(able)) & ~int(np.bitwise_or.reduce(bits[stays]))


def _cycle(found: Found, device: int, component: Numbers) -> Cycle:
    """From its first state, to which the first way is the shortest."""
    labels = fair_loop(found.graph, component, actor_bits(found.labels))
    return Cycle(found.path(int(component[0])), tuple(found.labels[label].choice for label in labels), device)
