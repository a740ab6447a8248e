"""The judge of all runs says of a path what the monitors of a search say: it is the same on thousands of them.

    python -m tests.explore.honesty [--paths 3000] [--first 0] [--counterexamples]

A path is random, through a world of some model, layout and namespace, with troubles of its own, until they are spent
and all is well, or until it has been violated. `--counterexamples`: also what searches find of each bad model.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from random import Random
from typing import Any, Final, NamedTuple, get_args

from agent.abilities import Layout
from agent.log import configure
from simulator.devices.models import MODELS
from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.entries import told_of
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import is_violated
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import drawn_bounds
from simulator.engines.explore.world import Transition, is_home, played
from simulator.verdict import Judge
from tests.simulator.engines.explore.walking import walked

LONGEST: Final = 250
"""Choices of a path; one that is not over by then has no end, and is judged by what has happened."""
OTHERS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"policy": "finish-after-switch", "reports": "end"},
    {"next": True, "leap_when_unreachable": "proceed"},
    {"same_second": True, "reports": "progress", "again": "other document"},
    {"hears": "everything", "flaw": "self-test"},
)
"""What else differs from world to world, in turn."""


class Told(NamedTuple):
    """Of the invariants that a search decides, those of which somebody says so."""

    violated: frozenset[str]
    undecided: frozenset[str]
    if_it_rests: frozenset[str] = frozenset()
    """Of the violated, those that are so because nothing more ever happens: in a trace, which ends, undecided."""


class Walked(NamedTuple):
    """A path of a world, by its number, and what either says of it."""

    number: int
    setup: Setup
    path: tuple[Choice, ...]
    watched: Told
    judged: Told
    is_home_at_last: bool


@lru_cache(maxsize=4)
def system_of(setup: Setup) -> System:
    """A world's, which remembers much."""
    return System(setup)


def setup_of(number: int) -> Setup:
    """The world of the path of that number: all models come before the next layout, and all layouts and namespaces."""
    models, layouts, namespaces = tuple(MODELS), get_args(Layout), (None, "lab")
    rest, model = divmod(number, len(models))
    place = {"layout": layouts[rest % len(layouts)], "namespace": namespaces[rest // len(layouts) % 2]}
    bounds = dict.fromkeys(KINDS, 1)
    return Setup.model_validate({"model": models[model], "bounds": bounds} | place | OTHERS[number % len(OTHERS)])


def path_of(number: int) -> Walked:
    """The random path of that number, and what either says."""
    setup = setup_of(number)
    system = system_of(setup)
    drawn = drawn_bounds(number, dict.fromkeys(KINDS, 1))
    world = system.first()._replace(budgets=tuple(min(drawn.get(kind, 0), 1) for kind in KINDS))
    return looked_at(number, system, until_violated(walked(system, Random(number), world, LONGEST)))


def until_violated(steps: Iterable[Transition]) -> Iterator[Transition]:
    """As in a search: what violates something is not followed."""
    for each in steps:
        yield each
        if is_violated(each.broken):
            return


def looked_at(number: int, system: System, steps: Iterable[Transition]) -> Walked:
    """What the monitors say on the way, and the judge."""
    path = tuple(steps)
    judge = Judge()
    for entry in told_of(system, path):
        judge.feed(entry)
    verdict, at = judge.verdict(), path[-1].world if path else system.first()
    # What is undecided where the device rests is so only if nothing comes after it.
    broken = [each for step in path for each in step.broken if step is path[-1] or not _is_of_rest(system, step, each)]
    outcomes = ("violated", "undecided")
    watched = (frozenset(each.invariant for each in broken if each.outcome == outcome) for outcome in outcomes)
    judged = (frozenset(each.id for each in verdict.invariants if each.outcome == outcome) for outcome in outcomes)
    at_rest = (each for step in path[-1:] for each in step.broken if _is_of_rest(system, step, each))
    return Walked(
        number,
        system.setup,
        tuple(each.choice for each in path),
        Told(*watched, frozenset(each.invariant for each in at_rest if each.outcome == "violated")),
        Told(*(each & system.judges for each in judged)),
        is_home(system, at),
    )


def _is_of_rest(system: System, step: Transition, broken: Broken) -> bool:
    resting = (each for side in step.world.sides for each in system.at_rest(side.watched))
    return is_home(system, step.world) and broken in resting


def differs(found: Walked) -> bool:
    """Whether the two do not say the same. What is undecided a search says where all is well and nothing more comes."""
    watched, judged = found.watched.violated, found.judged.violated
    if watched - judged - (found.watched.if_it_rests & found.judged.undecided) or judged - watched:
        return True
    return found.is_home_at_last and not found.watched.violated and found.watched.undecided != found.judged.undecided


def counterexamples(models: Sequence[str], setups: Sequence[Setup]) -> Iterator[Walked]:
    """What searches find of these, up to where the first is found."""
    for model in models:
        for setup in setups:
            system = System(setup.model_copy(update={"model": model}))
            found = explore(system, stop_at_first=True, seconds=20)
            for number, each in enumerate(found.broken):
                yield looked_at(number, system, played(system, (Choice(*choice) for choice in each.path)))
            if found.broken:
                break


def words(found: Walked) -> str:
    """One on which they differ, for people."""
    setup = found.setup.model_dump(mode="json", exclude_defaults=True, exclude={"bounds"})
    told = f"monitors {_of(found.watched)}; judge {_of(found.judged)}"
    return f"path {found.number} of {len(found.path)} choices, {setup}: {told}"


def _of(told: Told) -> str:
    return f"violated {sorted(told.violated)}, undecided {sorted(told.undecided)}"


def main() -> None:
    """Walk, and print on which paths they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=3_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--counterexamples", action="store_true")
    arguments = parser.parse_args()
    configure("text", "critical")
    from tests.explore.models import BAD, WORLDS

    counts, begun = Counter[str](), time.perf_counter()
    numbers = range(arguments.first, arguments.first + arguments.paths)
    # Neighbours in this order share a world's system.
    ordered = sorted(numbers, key=lambda number: (setup_of(number).model, str(setup_of(number))))
    of_searches = counterexamples(BAD, WORLDS) if arguments.counterexamples else iter(())
    for found in chain(map(path_of, ordered), of_searches):
        counts["paths"] += 1
        counts["choices"] += len(found.path)
        counts["violated"] += bool(found.watched.violated)
        counts["home at last"] += found.is_home_at_last
        if differs(found):
            counts["differ"] += 1
            sys.stdout.write(f"{words(found)}\n")
            sys.stdout.flush()
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    sys.stdout.write(f"{told}; differ {counts['differ']}; {time.perf_counter() - begun:.0f} s\n")
    sys.exit(bool(counts["differ"]))


if __name__ == "__main__":
    main()
