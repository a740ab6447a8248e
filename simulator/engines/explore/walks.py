"""Random walks beyond what a search can finish: deep, and each with troubles of its own.

A walk draws which kinds of trouble there are in it at all, and how much of each (swarm testing: A. Groce and others,
ISSTA 2012; what is left out makes room for what is left in). Then it draws choice after choice. All comes of the walk's
own seed alone, so `walks(system, 1, seed)` is one walk again, whoever walked beside it. Thousands go at once, by the
tables of the search.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.engines.explore.expansion import Expansion, Moves
from simulator.engines.explore.exploration import DEAD_END
from simulator.engines.explore.index import Numbers, Words
from simulator.engines.explore.limits import IsInterrupted, Limits, never, resident_bytes
from simulator.engines.explore.packing import shared_numbers, shared_word
from simulator.engines.explore.searchable import Kind, Path, Searchable, TooManyPartsError

AT_ONCE: Final = 2048
MOST_DEVICES: Final = 200_000
"""So many devices are remembered from walk to walk; then all is forgotten, which changes nothing but the time."""
RATE: Final = -1
KIND: Final = -2
"""What a walk draws before its first step, and below that for each kind: instead of the number of a step."""
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Stumbled(NamedTuple):
    """A walk that broke an invariant with its last choice: by its `seed` it is walked again. `bounds` are its own, of
    which it has `spent` something of these kinds, in order.
    """

    seed: int
    invariant: str
    why: str
    path: Path
    spent: tuple[Kind, ...]
    bounds: Mapping[Kind, int]


class Walked(NamedTuple):
    """So many walks, of so many steps together; those that stumbled, by their seeds; and what ended them early."""

    walks: int
    steps: int
    stumbled: tuple[Stumbled, ...]
    seconds: float
    stopped_by: str = ""


OnWalked: TypeAlias = Callable[[int, int, float, int], None]
"""Hears how many walks there were so far, of how many choices, in how many seconds, and how many stumbled."""


def unseen(_walks: int, _choices: int, _seconds: float, _stumbled: int) -> None:
    """Nobody looks on."""


def walks(
    system: Searchable,
    count: int,
    seed: int,
    *,
    bounds: Mapping[Kind, int],
    depth: int = 400,
    seconds: float | None = None,
    mebibytes: float | None = None,
    is_interrupted: IsInterrupted = never,
    on_walked: OnWalked = unseen,
) -> Walked:
    """Walk `count` times, with the seeds `seed`, `seed` + 1, …, each at most `depth` choices far.

    `bounds`: the most that there can be of each kind. After so many `seconds`, or at so many `mebibytes` of this
    process, or once it is interrupted, no further walks are begun, and those under way end where they are. `on_walked`
    hears again and again how far it is.
    """
    limits, walked, steps, stopped_by = Limits(seconds, mebibytes, is_interrupted), 0, 0, ""
    stumbled: list[Stumbled] = []
    wide = system.bounded(bounds)
    expansion = Expansion(wide)
    for first in range(seed, seed + count, AT_ONCE):
        if stopped_by := stopped_by or _reached(limits):
            break
        seeds = range(first, min(first + AT_ONCE, seed + count))
        if len(expansion.known.devices) > MOST_DEVICES:
            expansion = Expansion(wide)
        group = _Group(expansion, seeds, bounds, limits)
        stumbled += group.walk(depth)
        walked, steps, stopped_by = walked + len(seeds), steps + group.steps, group.stopped_by
        on_walked(walked, steps, limits.seconds, len(stumbled))
    return Walked(walked, steps, tuple(sorted(stumbled)), limits.seconds, stopped_by)


def _reached(limits: Limits) -> str:
    """Which limit is; empty if none is."""
    return limits.reached(0, 0, resident_bytes())


def drawn_bounds(seed: int, bounds: Mapping[Kind, int]) -> dict[Kind, int]:
    """What trouble there is in the walk with this seed: every other kind, and of it as much as may come."""
    drawn: dict[Kind, int] = {}
    for number, (kind, most) in enumerate(sorted(bounds.items())):
        draw = int(_draws(np.array([seed], np.uint64), KIND - number)[0])
        if most and draw & 1:
            drawn[kind] = 1 + (draw >> 1) % most
    return drawn


def _draws(seeds: Words, step: int) -> Words:
    """For each seed a number of 64 bits that nobody foresees (splitmix64)."""
    mixed = (seeds + np.uint64(1)) * _GOLDEN + np.uint64(step * 0xD1B54A32D192ED03 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    drawn: Words = mixed ^ (mixed >> np.uint64(31))
    return drawn


class _Group:
    """Walks side by side."""

    def __init__(self, expansion: Expansion, seeds: range, bounds: Mapping[Kind, int], limits: Limits) -> None:
        self._limits = limits
        self.stopped_by = ""
        self._expansion, self._bounds = expansion, bounds
        self._seeds = np.array(seeds, np.uint64)
        self._words = self._begin()
        self._walking = np.arange(len(seeds))
        self._taken: list[tuple[Numbers, Numbers]] = []
        """Step by step: who still walked, and the label of what each did."""
        self.steps = 0

    def _begin(self) -> tuple[Words, ...]:
        known = self._expansion.known
        first = self._expansion.words(known.system.first())
        budgets = [
            known.budgets.number(known.system.begun_with(drawn_bounds(seed, self._bounds)))
            for seed in self._seeds.tolist()
        ]
        sides = tuple(np.repeat(word, len(budgets)) for word in first[:-1])
        service = np.repeat(shared_numbers(first[-1])[0], len(budgets))
        return (*sides, shared_word(service, np.array(budgets)))

    def walk(self, depth: int) -> Iterator[Stumbled]:
        for step in range(depth):
            if not len(self._walking):
                return
            self.stopped_by = _reached(self._limits)
            if self.stopped_by:
                return
            try:
                moves = self._ordered(self._expansion.moves(self._words))
            except TooManyPartsError as error:
                self.stopped_by = str(error)
                return
            ends = self._dead_ends(moves)
            for walk in self._walking[ends].tolist():
                yield self._stumbled(walk, DEAD_END, "nothing can happen any more, and nobody is home")
            which = self._chosen(moves, ends, step)
            self._walking = self._walking[moves.source[which]]
            moves = moves.take(which)
            self._taken.append((self._walking, moves.label))
            self.steps += len(which)
            yield from self._broken(moves)
            going = ~self._expansion.known.violated.values[moves.broken]
            self._walking = self._walking[going]
            self._words = tuple(word[going] for word in moves.words)

    def _ordered(self, moves: Moves) -> Moves:
        """By where they begin, what costs nothing first, and then by their choices."""
        known = self._expansion.known
        ranks = np.empty(len(known.labels), np.int64)
        ranks[sorted(range(len(ranks)), key=lambda number: known.labels[number])] = np.arange(len(ranks))
        return moves.take(np.lexsort((ranks[moves.label], known.costly.values[moves.label], moves.source)))

    def _chosen(self, moves: Moves, ends: Numbers, step: int) -> Numbers:
        """One move of each walk that has any: trouble now and then, at a rate that is the walk's own."""
        seeds = self._seeds[self._walking]
        costly = self._expansion.known.costly.values[moves.label]
        free = np.bincount(moves.source[~costly], minlength=len(seeds))
        paid = np.bincount(moves.source[costly], minlength=len(seeds))
        starts = np.concatenate([[0], np.cumsum(free + paid)[:-1]])
        draws = _draws(seeds, step)
        rate = np.uint64(4) << (_draws(seeds, RATE) & np.uint64(3))
        in_trouble = ((draws >> np.uint64(40)) % rate == 0) & (paid > 0) | (free == 0)
        among = np.where(in_trouble, paid, free)
        among[ends] = 0
        some = np.flatnonzero(among)
        picked = (draws[some] & np.uint64(0xFF_FFFF_FFFF)) % among[some].astype(np.uint64)
        return starts[some] + np.where(in_trouble, free, 0)[some] + picked.astype(np.int64)

    def _dead_ends(self, moves: Moves) -> Numbers:
        """Walks for which nothing more happens by itself, away from home."""
        goes_on = np.zeros(len(self._walking), np.bool_)
        goes_on[moves.source[self._expansion.known.owed.values[moves.label]]] = True
        ends = np.flatnonzero(~goes_on)
        return ends[~self._expansion.all_home(tuple(word[ends] for word in self._words))]

    def _broken(self, moves: Moves) -> Iterator[Stumbled]:
        known = self._expansion.known
        for at in np.flatnonzero(known.violated.values[moves.broken]).tolist():
            whys: dict[str, str] = {}
            for broken in known.broken[int(moves.broken[at])]:
                if broken.outcome == "violated":
                    whys.setdefault(broken.invariant, broken.why)
            for invariant, why in whys.items():
                yield self._stumbled(int(self._walking[at]), invariant, why)

    def _stumbled(self, walk: int, invariant: str, why: str) -> Stumbled:
        labels = self._expansion.known.labels
        path = [labels[int(label[np.searchsorted(who, walk)])] for who, label in self._taken if _has(who, walk)]
        spent = tuple(sorted({kind for label in path for kind in label.kinds}))
        seed = int(self._seeds[walk])
        choices = tuple(label.choice for label in path)
        return Stumbled(seed, invariant, why, choices, spent, drawn_bounds(seed, self._bounds))


def _has(sorted_numbers: NDArray[np.int64], number: int) -> bool:
    at = int(np.searchsorted(sorted_numbers, number))
    return at < len(sorted_numbers) and int(sorted_numbers[at]) == number
