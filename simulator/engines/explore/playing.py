"""A schedule played in the explorer's own world, choice by choice, where it is byte for byte the same each time."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.placing import Placed, placed
from simulator.engines.explore.schedule import Schedule, Unplayable
from simulator.engines.explore.system import System
from simulator.engines.explore.world import Transition, system_of, transitions
from simulator.trace import Entry
from simulator.verdict import Judge, Verdict


class Played(NamedTuple):
    """What came of it: its trace as people see it, the verdict of the judge of all runs, and what the world's own
    monitors say. `is_home`: all is well and nothing is to be done, so nothing need be waited for.
    """

    entries: tuple[Placed, ...]
    verdict: Verdict
    broken: tuple[Broken, ...]
    is_home: bool


def in_world(schedule: Schedule, name: str) -> Played:
    """In the explorer's world. Raises Unplayable."""
    system = system_of(schedule.world)
    return of_path(system, tuple(held_to(system, schedule.choices)), name)


def held_to(system: System, choices: Iterable[str]) -> Iterator[Transition]:
    """One choice after the other, from the beginning. Raises Unplayable at the first that cannot happen."""
    wanted, world = tuple(map(str, choices)), system.first()
    for number, spelled in enumerate(wanted, 1):
        there = {str(each.choice): each for each in transitions(system, world)}
        if spelled not in there:
            raise Unplayable(number, len(wanted), spelled, there)
        yield there[spelled]
        world = there[spelled].world


def of_path(system: System, path: tuple[Transition, ...], name: str) -> Played:
    """Of what was played."""
    world = path[-1].world if path else system.first()
    is_home = all(system.is_home(side.device, side.net, world.service) for side in world.sides)
    entries = tuple(told_on_the_way(system, (transition.choice for transition in path), name))
    judge = Judge()
    for entry in entries:
        judge.feed(entry)
    broken = dict.fromkeys(each for step in path for each in step.broken if each.outcome == "violated")
    return Played(tuple(placed(system, path, entries)), judge.verdict(), tuple(broken), is_home)


class Prefixes:
    """Paths of one system played once: the many that a search names begin alike."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._known: dict[tuple[Choice, ...], Transition] = {}

    def played(self, path: tuple[Choice, ...]) -> tuple[Transition, ...]:
        """The transitions of a path."""
        return tuple(self._after(path[: number + 1]) for number in range(len(path)))

    def _after(self, path: tuple[Choice, ...]) -> Transition:
        if path not in self._known:
            world = self._known[path[:-1]].world if len(path) > 1 else self._system.first()
            found = next(each for each in transitions(self._system, world) if each.choice == path[-1])
            self._known[path] = found
        return self._known[path]


def entries_of(played: Played) -> tuple[Entry, ...]:
    """The trace alone."""
    return tuple(each.entry for each in played.entries)
