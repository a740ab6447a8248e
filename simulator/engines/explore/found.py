"""What a search knows in the end, put together from all processes: the states, the first way to each, the graph."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.graph import Graph, graph_of, reversed_of
from simulator.engines.explore.local_moves import Label
from simulator.engines.explore.notes import Breach, Costly, Met, first_breach, first_costly
from simulator.engines.explore.searchable import Choice, Kind, Path
from simulator.engines.explore.shard import NO_PARENT, Kept
from simulator.engines.explore.standing import Flags, all_done, all_home, is_home

Element = TypeVar("Element", bound=np.generic)


class Found(NamedTuple):
    """By the numbers of states: the first way there, where all are home, and where these have `done` all.

    `homes` says of each device where it is home. `labels` are in order, and so are their numbers. `backward` is the
    graph with each edge the other way round, without labels.
    """

    labels: list[Label]
    parent: NDArray[np.int32]
    label: NDArray[np.int32]
    home: Flags
    done: Flags
    homes: tuple[Flags, ...]
    graph: Graph
    backward: Graph
    excused: NDArray[np.int32]
    costly: list[Costly]
    breaches: list[Breach]
    phases: list[Met]
    left: Counter[tuple[tuple[Kind, int], ...]]

    def path(self, state: int) -> Path:
        """The first of the shortest ways there."""
        choices: list[Choice] = []
        while (parent := int(self.parent[state])) != NO_PARENT:
            choices.append(self.labels[self.label[state]].choice)
            state = parent
        return tuple(reversed(choices))


def found_by(shards: list[Kept], devices: int, jobs: int = 1) -> Found:
    """All that these know of a world with so many devices, put together by so many `jobs` at once."""
    labels = sorted({label for kept in shards for label in kept.labels})
    ranks = {label: rank for rank, label in enumerate(labels)}
    renamed = [np.array([ranks[label] for label in kept.labels], np.int32) for kept in shards]
    states = [kept.states for kept in shards]
    count = sum(map(len, states))
    standing = _by_state(count, states, [kept.standing for kept in shards])
    return Found(
        labels,
        _by_state(count, states, [kept.parent for kept in shards]),
        _by_state(count, states, [_renamed(kept.label, names) for kept, names in zip(shards, renamed, strict=True)]),
        all_home(standing, devices),
        all_done(standing, devices),
        tuple(is_home(standing, device) for device in range(devices)),
        *_graphs(count, shards, renamed, jobs),
        np.concatenate([kept.excused for kept in shards]),
        _merged_costly(each for kept in shards for each in kept.costly),
        _merged_breaches(each for kept in shards for each in kept.breaches),
        _merged_phases(each for kept in shards for each in kept.phases),
        _merged_left(each for kept in shards for each in kept.left),
    )


def _by_state(count: int, states: list[NDArray[np.int32]], values: list[NDArray[Element]]) -> NDArray[Element]:
    merged = np.empty(count, values[0].dtype)
    for where, what in zip(states, values, strict=True):
        merged[where] = what
    return merged


def _renamed(label: NDArray[np.int32], names: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(label >= 0, names[label], NO_PARENT)


def _graphs(count: int, shards: list[Kept], renamed: list[NDArray[np.int32]], jobs: int) -> tuple[Graph, Graph]:
    """Forward and backward: arrays are worked on without the interpreter's lock."""
    before, after = (np.concatenate([kept.edges[field] for kept in shards]) for field in range(2))
    label = np.concatenate([names[kept.edges.label] for kept, names in zip(shards, renamed, strict=True)])
    with ThreadPoolExecutor(jobs) as pool:
        forward = pool.submit(graph_of, count, before, after, label)
        backward = pool.submit(reversed_of, count, before, after)
    return forward.result(), backward.result()


def _merged_costly(all_of_them: Iterable[Costly]) -> list[Costly]:
    """But for what was met only in a round that was not ended."""
    merged: dict[Label, Costly] = {}
    for each in all_of_them:
        merged[each.label] = first_costly(merged[each.label], each) if each.label in merged else each
    return [merged[label] for label in sorted(merged) if not merged[label].is_elsewhere]


def _merged_breaches(all_of_them: Iterable[Breach]) -> list[Breach]:
    merged: dict[tuple[str, str, tuple[Kind, ...]], Breach] = {}
    for each in all_of_them:
        merged[each.sort] = first_breach(merged[each.sort], each) if each.sort in merged else each
    return [merged[sort] for sort in sorted(merged)]


def _merged_phases(all_of_them: Iterable[Met]) -> list[Met]:
    merged: dict[str, Met] = {}
    for each in all_of_them:
        known = merged.get(each.phase, each._replace(times=0))
        merged[each.phase] = Met(each.phase, min(known.first, each.first), known.times + each.times)
    return sorted(merged.values(), key=lambda met: met.first)


def _merged_left(all_of_them: Iterable[tuple[Mapping[Kind, int], int]]) -> Counter[tuple[tuple[Kind, int], ...]]:
    merged: Counter[tuple[tuple[Kind, int], ...]] = Counter()
    for left, count in all_of_them:
        merged[tuple(sorted(left.items()))] += count
    return merged
