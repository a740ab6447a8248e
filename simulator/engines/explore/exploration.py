"""What a search answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from simulator.engines.explore.searchable import Kind, Path

DEAD_END: Final = "dead end"
"""Instead of an invariant: nothing can happen by itself any more, and nobody is home."""


class Violation(NamedTuple):
    """The shortest way to break an invariant; its last choice breaks it. `times`: so many transitions do."""

    invariant: str
    why: str
    path: Path
    times: int


class Reached(NamedTuple):
    """How often; the first of the shortest ways; and from there, with no more trouble, the shortest way home.

    `home` is None where there is none, and where the way ends with a violation.
    """

    times: int
    path: Path
    home: Path | None


class Cycle(NamedTuple):
    """A way to a state in which a device is away from home, and a fair loop from there back to it that leads it home
    nowhere. `device` is its number.
    """

    path: Path
    loop: Path
    device: int


class Spent(NamedTuple):
    """Of one kind: how much there was, the most that a state has spent, and how many states have spent 0, 1, …"""

    bound: int
    most: int
    states: tuple[int, ...]


class Progress(NamedTuple):
    """After each depth: how much is known, and how many states are yet to be expanded."""

    depth: int
    states: int
    transitions: int
    waiting: int
    seconds: float
    mebibytes: float
    violations: int


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found within the bounds: all that there is, if `complete`; else `stopped_by` says what ended it.

    `depth`: the most choices on a shortest way. `expanded`: states of which every choice was tried; only of these is
    anything said. What breaks an invariant is told and not followed further, and its end not counted as a state;
    what is `undecided` accuses nobody, and is followed. `broken` has the shortest way of each invariant;
    `broken_by_trouble` that of each invariant and set of kinds of trouble that had come by then.
    `stuck`: the first states from which nothing leads home, of `stuck_count`; `cycles`: the same for loops in which a
    device may stay away from home on a fair run (`loop_count` components). `dead_end`: the first way to where nothing
    happens by itself any more, away from home, if there is one. `lost`: the first states, of `lost_count`, from which
    all ways home end with a failure (`has_failed`); that accuses nobody. `places`: where each phase was first met.
    """

    states: int
    transitions: int
    depth: int
    expanded: int
    complete: bool
    stopped_by: str
    spent: Mapping[Kind, Spent]
    broken: tuple[Violation, ...]
    undecided: tuple[Violation, ...]
    cells: Mapping[tuple[str, Kind], Reached]
    places: Mapping[str, Reached]
    stuck: tuple[Path, ...]
    stuck_count: int
    cycles: tuple[Cycle, ...]
    loop_count: int
    dead_end: Path | None
    jobs: int
    seconds: float
    bytes_a_state: float
    seconds_of: Mapping[str, float] = field(default_factory=dict)
    broken_by_trouble: tuple[Violation, ...] = ()
    lost: tuple[Path, ...] = ()
    lost_count: int = 0
    walks: int = 0
    """So many were walked; 0: it was a search."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found that is wrong."""
        return not (self.broken or self.stuck_count or self.loop_count)
