"""Ways through what was found: to each cell of the table phase × kind, and from there home without more trouble."""

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.exploration import Reached
from simulator.engines.explore.found import Found
from simulator.engines.explore.graph import NO_WAY
from simulator.engines.explore.notes import Costly
from simulator.engines.explore.searchable import Choice, Kind, Path


def way_home(found: Found, distance: NDArray[np.int32], state: int) -> Path | None:
    """The first of the shortest; None if there is none, or if it ends where nobody is home."""
    if distance[state] == NO_WAY:
        return None
    choices: list[Choice] = []
    while distance[state]:
        first, last = found.graph.starts[state], found.graph.starts[state + 1]
        nearer = np.flatnonzero(distance[found.graph.after[first:last]] == distance[state] - 1) + first
        edge = nearer[np.argmin(found.graph.label[nearer])]
        choices.append(found.labels[found.graph.label[edge]].choice)
        state = int(found.graph.after[edge])
    return tuple(choices) if found.home[state] else None


def cells(found: Found, distance: NDArray[np.int32]) -> dict[tuple[str, Kind], Reached]:
    """For each phase and kind: what was done to a device there for the first time. In order of phases and kinds."""
    by_cell: dict[tuple[str, Kind], list[Costly]] = {}
    for costly in found.costly:
        for kind in dict.fromkeys(costly.label.kinds):
            by_cell.setdefault((costly.label.phase, kind), []).append(costly)
    return {cell: _reached(found, distance, by_cell[cell]) for cell in sorted(by_cell)}


def _reached(found: Found, distance: NDArray[np.int32], those: list[Costly]) -> Reached:
    first = min(those, key=lambda costly: (costly.before, costly.label))
    home = None if first.after < 0 else way_home(found, distance, first.after)
    return Reached(sum(costly.times for costly in those), (*found.path(first.before), first.label.choice), home)


def places(found: Found, distance: NDArray[np.int32]) -> dict[str, Reached]:
    """Where each phase was first met, in that order."""
    return {
        phase: Reached(count, found.path(first), way_home(found, distance, first))
        for phase, first, count in found.phases
    }
