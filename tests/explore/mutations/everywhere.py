"""What can happen from many states at once: all of it, in the fewest rounds, and without ways.

A search from the first state takes as many rounds as the longest way has choices, and with a mutation most of these go
through states that are there without it. Begun at all of those, it takes the rounds that lead elsewhere. So it finds
what a search would find, and perhaps more, since it begins where the mutation may never come; where it finds nothing,
there is nothing.
"""

from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from simulator.engines.explore import shard
from simulator.engines.explore.expansion import Expansion
from simulator.engines.explore.found import found_by
from simulator.engines.explore.index import Words
from simulator.engines.explore.liveness import judged
from simulator.engines.explore.shard import NO_PARENT, Shard
from simulator.engines.explore.system import System


class Everywhere(NamedTuple):
    """`states` as words; the `broken` invariants; whether all come home, and from which all can be done; the phases."""

    states: tuple[Words, ...]
    broken: frozenset[str]
    comes_home: bool
    can_do: bool
    phases: frozenset[str]


def from_everywhere(
    system: System, expansion: Expansion, begun: tuple[Words, ...], most: int | None = None
) -> Everywhere | None:
    """All that comes of these states, by what is known of its moves; None if there are more than `most`."""
    with patch.object(shard, "Expansion", lambda _: expansion):
        all_of_it = _Shard(system)
    all_of_it.begin_at(begun)
    expanded, ranked = 0, 0
    while expanded < (count := len(all_of_it)):
        found = all_of_it.expand(expanded, count)
        if len(all_of_it.labels) > ranked:
            all_of_it.rank(sorted(all_of_it.labels))
            ranked = len(all_of_it.labels)
        all_of_it.take(found)
        all_of_it.number(np.arange(count, len(all_of_it)))
        expanded = count
        if most is not None and len(all_of_it) > most:
            return None
    known = found_by([all_of_it.kept()], len(system.first().sides))
    liveness = judged(known, expanded)
    return Everywhere(
        all_of_it.states,
        frozenset(all_of_it.broken),
        not (liveness.stuck_count or liveness.loop_count),
        not liveness.lost_count,
        frozenset(met.phase for met in known.phases),
    )


class _Shard(Shard):
    @property
    def states(self) -> tuple[Words, ...]:
        """All that it has seen."""
        return tuple(column.values.copy() for column in self._visited.words)

    def begin_at(self, words: tuple[Words, ...]) -> None:
        """Keep these, each once, as the first states of all."""
        _, fresh = self._visited.add(words)
        for column in (self._parent, self._label):
            column.extend(np.full(len(fresh), NO_PARENT))
        self._standing.extend(self.expansion.standing(tuple(word[fresh] for word in words)))
        self.number(np.arange(len(fresh)))
