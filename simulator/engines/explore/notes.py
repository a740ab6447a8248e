"""What a search notes down on its way: the first of each sort, by the numbers of the states, and how many there were.

Numbers of states are the same in every search of a system, and so are these notes, whoever shares the work.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.index import Column, Numbers
from simulator.engines.explore.local_moves import Label, LocalMoves
from simulator.engines.explore.searchable import Kind, is_violated

NOT_FOLLOWED = -1
ELSEWHERE = (-1, -1)
"""Where another process knows the states of a transition."""


class Breach(NamedTuple):
    """What a transition broke, and the state where it begins. `times`: so many transitions broke the invariant.

    `outcome` is "violated", or "undecided"; `spent` are the kinds of trouble that had come by then, in order: by which
    it is told whether anybody is to blame, so the first of each is noted.
    """

    invariant: str
    outcome: str
    spent: tuple[Kind, ...]
    before: int
    label: Label
    why: str
    times: int

    @property
    def sort(self) -> tuple[str, str, tuple[Kind, ...]]:
        """Of each of these there is one."""
        return self.invariant, self.outcome, self.spent


class Costly(NamedTuple):
    """How often a label that costs something was met, and the states before and after its first transition."""

    label: Label
    before: int
    after: int
    times: int

    @property
    def is_elsewhere(self) -> bool:
        """Whether its states are known to another process, if to any."""
        return (self.before, self.after) == ELSEWHERE


class Met(NamedTuple):
    """A phase: the first state in it, and how many are."""

    phase: str
    first: int
    times: int


class Notes:
    """Of one process; labels and phases by its own numbers."""

    def __init__(self, known: LocalMoves) -> None:
        self._known = known
        self._counts: Numbers = np.zeros(0, np.int64)
        self._ends: dict[int, tuple[int, int]] = {}
        self._not_followed: dict[int, tuple[int, int]] = {}
        """Of transitions that violate something: apart, since they are told before the others of their round."""
        self._breaches: dict[tuple[str, str, tuple[Kind, ...]], Breach] = {}
        self.excused = Column(np.int32)
        self._first_of_phase: dict[int, int] = {}
        self._phases: Numbers = np.zeros(0, np.int64)

    # ── transitions ───────────────────────────────────────────────────────────────────────────────────────────────

    def count(self, label: Numbers) -> None:
        """These transitions were met."""
        self._counts = _counted(self._counts, label)

    def followed(self, label: Numbers, before: Numbers, after: Numbers) -> None:
        """These transitions cost something."""
        seen = np.zeros(len(self._known.labels), np.bool_)
        seen[list(self._ends)] = True
        for at in np.flatnonzero(~seen[label]).tolist():
            _note_first(self._ends, int(label[at]), (int(before[at]), int(after[at])))

    def broke(self, label: Numbers, before: Numbers, broken: Numbers, budgets: Numbers) -> None:
        """These transitions break something; the budgets are what they leave."""
        owed, violated = self._known.owed.values[label], self._known.violated.values[broken]
        self.excused.extend(before[owed & violated])
        columns = label.tolist(), before.tolist(), broken.tolist(), budgets.tolist()
        for number, state, which, left in zip(*columns, strict=True):
            spent = self._known.spent(left)
            for each in self._known.broken[which]:
                self._add(Breach(each.invariant, each.outcome, spent, state, self._known.labels[number], each.why, 1))
            if self._known.labels[number].kinds and is_violated(self._known.broken[which]):
                _note_first(self._not_followed, number, (state, NOT_FOLLOWED))

    def _add(self, breach: Breach) -> None:
        known = self._breaches.get(breach.sort)
        self._breaches[breach.sort] = breach if known is None else first_breach(known, breach)

    # ── states ────────────────────────────────────────────────────────────────────────────────────────────────────

    def reached(self, phases: Numbers, states: NDArray[np.int32]) -> None:
        """New states, ascending."""
        self._phases = _counted(self._phases, phases)
        seen = np.zeros(len(self._known.phases), np.bool_)
        seen[list(self._first_of_phase)] = True
        for at in np.flatnonzero(~seen[phases]).tolist():
            self._first_of_phase.setdefault(int(phases[at]), int(states[at]))

    # ── in the end ────────────────────────────────────────────────────────────────────────────────────────────────

    def costly(self) -> list[Costly]:
        """Each label that costs something."""
        ends = dict(self._ends)
        for label, not_followed in self._not_followed.items():
            _note_first(ends, label, not_followed)
        labels, counts = self._known.labels.parts, self._counts.tolist()
        counts += [0] * (len(labels) - len(counts))
        met = [number for number, label in enumerate(labels) if label.kinds and (counts[number] or number in ends)]
        return [Costly(labels[each], *ends.get(each, ELSEWHERE), counts[each]) for each in met]

    def breaches(self) -> list[Breach]:
        """The first of each sort."""
        return list(self._breaches.values())

    def phases(self) -> list[Met]:
        """Each phase of the first device."""
        return [
            Met(self._known.phases[phase], state, int(self._phases[phase]))
            for phase, state in self._first_of_phase.items()
        ]


def _note_first(known: dict[int, tuple[int, int]], label: int, ends: tuple[int, int]) -> None:
    known[label] = min(known.get(label, ends), ends)


def _counted(counts: Numbers, more: Numbers) -> Numbers:
    """How often each number came up, after these."""
    both = np.bincount(more, minlength=len(counts))
    both[: len(counts)] += counts
    return both


def first_breach(one: Breach, other: Breach) -> Breach:
    """The one that comes first, with the number of both."""
    first = min(one, other, key=lambda breach: (breach.before, breach.label.choice))
    return first._replace(times=one.times + other.times)


def first_costly(one: Costly, other: Costly) -> Costly:
    """The one that comes first, with the number of both."""
    known = [costly for costly in (one, other) if not costly.is_elsewhere]
    first = min(known or [one], key=lambda costly: costly.before)
    return first._replace(times=one.times + other.times)
