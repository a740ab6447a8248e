"""Breadth-first search of all that can happen within the bounds of a system, and what is wrong with it.

    explore(system, seconds=600, mebibytes=4096, jobs=2, on_level=print)

Whole groups of states are expanded at once (`expansion.py`), by one process or several (`sharing.py`); then the graph
of what happens by itself is judged (`liveness.py`).
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from simulator.engines.explore.exploration import DEAD_END, Exploration, Progress, Spent, Violation
from simulator.engines.explore.found import Found, found_by
from simulator.engines.explore.limits import IsInterrupted, Limits, never
from simulator.engines.explore.liveness import judged
from simulator.engines.explore.notes import Breach, first_breach
from simulator.engines.explore.paths import cells, places
from simulator.engines.explore.searchable import Kind, Searchable, TooManyPartsError
from simulator.engines.explore.sharing import Shards, Standing, shards_of

FIRST: Final = 1 << 10
FEWEST: Final = 1 << 15
MOST: Final = 1 << 17
"""States of a round. A round costs some milliseconds however small it is, and its end is when limits are looked at."""
ROUND_SECONDS: Final = 2.0
LAST: Final = 1 << 8
"""States of a round for which hardly any time is left."""
SHARE: Final = 0.75
"""Of the time that is left, a round takes so much at most, at the pace of the last one."""


def explore(
    system: Searchable,
    *,
    seconds: float | None = None,
    mebibytes: float | None = None,
    jobs: int = 1,
    on_level: Callable[[Progress], None] = lambda progress: None,
    stop_at_first: bool | str = False,
    is_interrupted: IsInterrupted = never,
) -> Exploration:
    """Everything that can happen; with `stop_at_first`, up to the depth at which something (or that) is broken.

    `seconds`, `mebibytes` (of all processes together) and an interruption, which is looked for after every round, end
    it early; the graph of what was expanded is judged even then. Raises `WorkerDiedError` if one of `jobs` processes
    ends before its time.
    """
    with _without_collection():
        limits = Limits(seconds, mebibytes, is_interrupted)
        return _Search(system, limits, jobs, on_level, stop_at_first).run()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Parts are frozen and make no cycles: millions of them would be walked through for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.unfreeze()  # among the oldest, or the next small collection would walk through all that is still there
            gc.enable()


class _Search:
    """One search, until it is done or a limit is reached."""

    def __init__(
        self,
        system: Searchable,
        limits: Limits,
        jobs: int,
        on_level: Callable[[Progress], None],
        stop_at_first: bool | str,
    ) -> None:
        self._system, self._limits, self._jobs = system, limits, jobs
        self._on_level, self._stop_at_first = on_level, stop_at_first
        self._expanded, self._count, self._depth = 0, 1, 0
        self._group = FIRST
        self._pace = float(MOST)
        """States a second, in the last round."""
        self._stopped_by = ""

    def run(self) -> Exploration:
        with shards_of(self._system, self._jobs) as shards:
            before = shards.standing().held_bytes
            self._expand_all(shards)
            standing = shards.standing()
            grown = standing.held_bytes - before
            searched = self._limits.seconds
            jobs = shards.jobs
            found = found_by(shards.kept(), len(self._system.first().sides), jobs)
        seconds_of = {"asking for moves": standing.asked_seconds, "search": searched}
        return self._answer(found, standing.transitions, jobs, max(0, grown) / self._count, seconds_of)

    def _expand_all(self, shards: Shards) -> None:
        while self._expanded < self._count and not self._stopped_by:
            level_end = self._count
            self._expand_level(shards, level_end)
            if self._expanded == level_end and self._count > level_end:
                self._depth += 1
            self._on_level(self._progress(shards))
            if self._is_found(shards.standing()):
                break

    def _is_found(self, standing: Standing) -> bool:
        if self._stop_at_first == DEAD_END:
            return standing.has_dead_end
        if isinstance(self._stop_at_first, str):
            return self._stop_at_first in standing.broken
        return self._stop_at_first and bool(standing.broken)

    def _expand_level(self, shards: Shards, level_end: int) -> None:
        while self._expanded < level_end and not self._stopped_by:
            high = min(level_end, self._expanded + self._group, self._expanded + self._in_time(shards))
            begun = time.monotonic()
            try:
                self._count += shards.round(self._expanded, high)
            except TooManyPartsError as error:
                self._stopped_by = str(error)
                return
            seconds = time.monotonic() - begun
            self._fit_group(seconds)
            self._pace, self._expanded = (high - self._expanded) / seconds, high
            standing = shards.standing()
            self._stopped_by = self._limits.reached(self._count, standing.edges, standing.held_bytes)

    def _in_time(self, shards: Shards) -> int:
        """So many states can be expanded in the time that is left, or a few more."""
        left = self._limits.seconds_left(shards.standing().edges) * self._pace * SHARE
        return MOST if left >= MOST else max(LAST, int(left))

    def _fit_group(self, seconds: float) -> None:
        if seconds > ROUND_SECONDS:
            self._group = max(FEWEST, self._group // 2)
        elif seconds < ROUND_SECONDS / 4:
            self._group = min(MOST, self._group * 2)

    def _progress(self, shards: Shards) -> Progress:
        standing = shards.standing()
        return Progress(
            self._depth,
            self._count,
            standing.transitions,
            self._count - self._expanded,
            self._limits.seconds,
            standing.held_bytes / 2**20,
            len(standing.broken),
        )

    def _answer(
        self, found: Found, transitions: int, jobs: int, bytes_a_state: float, seconds_of: Mapping[str, float]
    ) -> Exploration:
        liveness = judged(found, self._expanded, jobs)
        complete = self._expanded == self._count and not self._stopped_by
        seconds = self._limits.seconds
        return Exploration(
            states=self._count,
            transitions=transitions,
            depth=self._depth,
            expanded=self._expanded,
            complete=complete,
            stopped_by="" if complete else self._stopped_by or "the first violation",
            spent=_spent(found, self._system.left(self._system.first().budgets)),
            broken=_breaches(_first_of_each(found.breaches), found, "violated"),
            broken_by_trouble=_breaches(found.breaches, found, "violated"),
            undecided=_breaches(_first_of_each(found.breaches), found, "undecided"),
            cells=cells(found, liveness.distance),
            places=places(found, liveness.distance),
            stuck=liveness.stuck,
            stuck_count=liveness.stuck_count,
            cycles=liveness.cycles,
            loop_count=liveness.loop_count,
            dead_end=liveness.dead_end,
            lost=liveness.lost,
            lost_count=liveness.lost_count,
            jobs=jobs,
            seconds=seconds,
            bytes_a_state=bytes_a_state,
            seconds_of=dict(seconds_of) | {"liveness": seconds - seconds_of["search"]},
        )


def _first_of_each(breaches: Iterable[Breach]) -> list[Breach]:
    """Of each invariant and outcome, whatever trouble had come."""
    first: dict[tuple[str, str], Breach] = {}
    for each in breaches:
        name = each.invariant, each.outcome
        first[name] = first_breach(first[name], each) if name in first else each
    return list(first.values())


def _breaches(breaches: Iterable[Breach], found: Found, outcome: str) -> tuple[Violation, ...]:
    """Those of that outcome, the shortest first."""
    those = [breach for breach in breaches if breach.outcome == outcome]
    first = sorted(those, key=lambda breach: (breach.before, breach.label.choice, breach.invariant, breach.spent))
    return tuple(
        Violation(each.invariant, each.why, (*found.path(each.before), each.label.choice), each.times) for each in first
    )


def _spent(found: Found, bounds: Mapping[Kind, int]) -> dict[Kind, Spent]:
    states = {kind: [0] * (bound + 1) for kind, bound in bounds.items()}
    for left, count in found.left.items():
        for kind, rest in left:
            states[kind][bounds[kind] - rest] += count
    return {
        kind: Spent(bounds[kind], max((used for used, count in enumerate(counts) if count), default=0), tuple(counts))
        for kind, counts in states.items()
    }
