"""The states that one process keeps: all of them, or those of which it owns the first device.

A search goes round by round. `expand` makes all moves of some states and says what they lead to; `take` looks those up
and keeps the new ones; `number` gives these the numbers that they have in the whole search. A state's number is its
place in a breadth-first search that tries each state's choices in their order, however many processes there are and in
whichever order parts were met: so the first way to a state is the same everywhere.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.expansion import Expansion, Moves
from simulator.engines.explore.index import Column, Index, Numbers
from simulator.engines.explore.local_moves import Label
from simulator.engines.explore.notes import Breach, Costly, Met, Notes
from simulator.engines.explore.packing import shared_numbers
from simulator.engines.explore.searchable import Kind, Searchable, State
from simulator.engines.explore.standing import Standing, all_home

LABEL_BITS = 20
"""Of what orders transitions: the state where one begins, then the rank of its label."""
NO_PARENT = -1
AHEAD: Final = 1 << 10
"""So many transitions are followed at a time by who looks ahead: in some milliseconds somebody may want him."""
UNRANKED: Final = -1
"""Of a label that was met by looking ahead, and not yet told."""


class Edges(NamedTuple):
    """Transitions that happen by themselves (`is_owed`); labels by the numbers of `Kept.labels`."""

    before: NDArray[np.int32]
    after: NDArray[np.int32]
    label: NDArray[np.int32]


class Kept(NamedTuple):
    """All that a shard knows in the end, states by their numbers in the whole search.

    `states` are its own, ascending; `parent`, `label` (the first way there) and `standing` (see `standing`) are of
    each of these. `excused` have a transition by itself that violates something. `left`: how many states have
    so much left.
    """

    labels: list[Label]
    states: NDArray[np.int32]
    parent: NDArray[np.int32]
    label: NDArray[np.int32]
    standing: Standing
    edges: Edges
    excused: NDArray[np.int32]
    costly: list[Costly]
    breaches: list[Breach]
    phases: list[Met]
    left: list[tuple[Mapping[Kind, int], int]]


class Shard:
    """States, the first way to each, and what leads from one to another by itself."""

    def __init__(self, system: Searchable) -> None:
        self._system = system
        self.expansion = Expansion(system)
        self._visited = Index(self.expansion.known.side_count + 1)
        self._states, self._parent, self._label = Column(np.int32), Column(np.int32), Column(np.int32)
        self._standing = Column(np.uint8)
        self._edges = tuple(Column(np.int32) for _ in range(3))
        self._notes = Notes(self.expansion.known)
        self._ranks: dict[Label, int] = {}
        self._rank_of = Column(np.int64)
        self._taken: tuple[Moves, Numbers] | None = None
        self.transitions = 0
        self.has_dead_end = False
        """Whether it has expanded a state away from home at which nothing happens by itself."""

    def __len__(self) -> int:
        return len(self._visited)

    @property
    def edge_count(self) -> int:
        """Transitions that happen by themselves."""
        return len(self._edges[0])

    @property
    def asked_seconds(self) -> float:
        """For so long the system was asked for moves that were not known yet."""
        return self.expansion.known.asked_seconds

    @property
    def labels(self) -> list[Label]:
        """All that it has met, in that order."""
        return self.expansion.known.labels.parts

    @property
    def broken(self) -> set[str]:
        """Invariants that are violated."""
        return {breach.invariant for breach in self._notes.breaches() if breach.outcome == "violated"}

    def begin(self, state: State) -> None:
        """Keep the first state of all."""
        words = self.expansion.words(state)
        self._visited.add(words)
        self._parent.extend([NO_PARENT])
        self._label.extend([NO_PARENT])
        self._standing.extend(self.expansion.standing(words))
        self.number(np.array([0]))

    # ── a round ───────────────────────────────────────────────────────────────────────────────────────────────────

    def expand(self, low: int, high: int) -> Moves:
        """All that its states from `low` to `high` lead to; where each begins, by its number."""
        bounds = np.array([low, high], np.int32)  # of the column's own type, or numpy would convert all of it
        first, last = np.searchsorted(self._states.values, bounds)
        moves = self.expansion.moves(tuple(column.values[first:last] for column in self._visited.words))
        goes_on = all_home(self._standing.values[first:last], self.expansion.known.side_count)
        goes_on[moves.source[self.expansion.known.owed.values[moves.label]]] = True
        self.has_dead_end |= not goes_on.all()
        moves = moves._replace(source=self._states.values[first:last][moves.source].astype(np.int64))
        self.transitions += len(moves.source)
        self._notes.count(moves.label)
        broke = np.flatnonzero(moves.broken)
        budgets = shared_numbers(moves.words[-1][broke])[1]
        self._notes.broke(moves.label[broke], moves.source[broke], moves.broken[broke], budgets)
        if not len(broke):
            return moves
        return moves.take(~self.expansion.known.violated.values[moves.broken])

    def rank(self, labels: list[Label]) -> None:
        """All labels that any process has met, in their order: the choices' own."""
        assert len(labels) < 1 << LABEL_BITS
        self._ranks = {label: rank for rank, label in enumerate(labels)}
        self._rank_of = Column(np.int64)

    def take(self, moves: Moves) -> Numbers:
        """Keep what is new of that to which moves lead: what orders each new state among all, ascending."""
        order = (moves.source << LABEL_BITS) | self._rank_by_number()[moves.label]
        found = self._visited.find(moves.words)
        missing = np.flatnonzero(found < 0)
        missing = missing[np.argsort(order[missing])]
        words = tuple(word[missing] for word in moves.words)
        found[missing], fresh = self._visited.add(words)
        new = missing[fresh]
        self._parent.extend(moves.source[new])
        self._label.extend(moves.label[new])
        self._standing.extend(self.expansion.standing(tuple(word[fresh] for word in words)))
        self._taken = moves, found
        return order[new]

    def number(self, numbers: Numbers) -> None:
        """The new ones' numbers in the whole search, ascending."""
        new = len(self._states)
        self._states.extend(numbers)
        phases = self.expansion.phases(tuple(column.values[new:] for column in self._visited.words))
        self._notes.reached(phases, self._states.values[new:])
        if self._taken is not None:
            self._keep_transitions(*self._taken)
            self._taken = None

    def _keep_transitions(self, moves: Moves, found: Numbers) -> None:
        costly = self.expansion.known.costly.values[moves.label]
        after = self._states.values[found]
        self._notes.followed(moves.label[costly], moves.source[costly], after[costly])
        owed = np.flatnonzero(self.expansion.known.owed.values[moves.label])
        for column, values in zip(self._edges, (moves.source, after, moves.label), strict=True):
            column.extend(values[owed])

    def _rank_by_number(self) -> Numbers:
        self._rank_of.extend([self._ranks.get(label, UNRANKED) for label in self.labels[len(self._rank_of) :]])
        ranks: Numbers = self._rank_of.values
        return ranks

    def ahead(self, moves: Moves) -> Iterator[None]:
        """Ask what will be asked of the new states to which these lead, some at a time: that it is known is all."""
        for first in range(0, len(moves.source), AHEAD):
            words = tuple(word[first : first + AHEAD] for word in moves.words)
            new = np.flatnonzero(self._visited.find(words) < 0)
            self.expansion.moves(tuple(word[new] for word in words))
            yield

    # ── in the end ────────────────────────────────────────────────────────────────────────────────────────────────

    def kept(self) -> Kept:
        """All that is numbered: a round that was not ended counts for nothing."""
        budgets, count = self.expansion.known.budgets, len(self._states)
        shared = self._visited.words[-1].values[:count]
        uses = np.bincount(shared_numbers(shared)[1], minlength=len(budgets)).tolist()
        return Kept(
            self.labels,
            self._states.values,
            self._parent.values[:count],
            self._label.values[:count],
            self._standing.values[:count],
            Edges(*(column.values for column in self._edges)),
            self._notes.excused.values,
            self._notes.costly(),
            self._notes.breaches(),
            self._notes.phases(),
            [(self._system.left(part), count) for part, count in zip(budgets.parts, uses, strict=True)],
        )
