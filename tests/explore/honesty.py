"""The judge of all runs says of a path what the monitors of a search say: it is the same on thousands of them.

    python -m tests.explore.honesty [--paths 3000] [--first 0] [--counterexamples]

A path is random, through a world of some model, layout and namespace, with troubles of its own, until they are spent
and all is well, or until it has been violated. `--counterexamples`: also all that are kept, and what searches find
of each bad model and each mutation of our agent that they catch.

Both are asked after every choice, and what they say is compared word by word; but of a ghost only that it is one. By
what it had been told the judge says, and a search keeps only that it was (`ghosts.essence`, `Heard.essence`); and where
one does more after it was told, on a schedule that goes on, the judge names the first deed, the monitors each.
What is asked is:

- on the way, what is violated: the same. What is undecided for good, by the monitors, the judge leaves undecided, too.
  He leaves more undecided there, because what comes next may decide it; of that a search says nothing before all is
  at rest, so there is nothing to compare (`questions.Questions.answer` tells once what is not kept, and no more).
- where all is at home, what is violated and what is undecided if nothing more ever comes: the same. The monitors are
  asked what the search asks them there (`System.at_rest`), the judge is given the end of a run that ends there.
- where the path ends because nothing more happens by itself, though nobody is home, the same again. A search does not
  ask its monitors there, since it says of such a state that it is stuck; here they are asked what the judge is. Where
  the agent crashed, which is violated already, the judge may leave open what the monitors call violated besides, and no
  more than that: it is not connected any more, and somebody may start it again, who then goes on or tells why not.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, get_args

from agent.abilities import Layout
from agent.log import configure
from simulator.devices.models import MODELS
from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.entries import Scribe
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.playing import held_to
from simulator.engines.explore.schedule import parse
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import is_violated
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import drawn_bounds
from simulator.engines.explore.world import Transition, is_home, played
from simulator.trace import Entry
from simulator.verdict import Judge
from tests.explore import caught, models
from tests.explore.mutations import record, worlds
from tests.explore.mutations.behind import BEHIND
from tests.explore.mutations.switched import mutations, switched
from tests.explore.mutations.worlds import called
from tests.simulator.engines.explore.walking import walked

KEPT: Final = sorted((Path(__file__).parent / "schedules").glob("*.yaml"))
LONGEST: Final = 250
"""Choices of a path; one that is not over by then has no end, and is judged by what has happened."""
GHOST: Final = "although told before that"
OTHERS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"policy": "finish-after-switch", "reports": "end"},
    {"next": True, "leap_when_unreachable": "proceed"},
    {"same_second": True, "reports": "progress", "again": "other document"},
    {"hears": "everything", "flaw": "self-test"},
)
"""What else differs from world to world, in turn."""


class Saying(NamedTuple):
    """What somebody says of an invariant that a search decides."""

    invariant: str
    why: str

    @classmethod
    def of(cls, invariant: str, why: str) -> "Saying":
        """As far as it is compared."""
        return cls(invariant, GHOST if GHOST in why else why)


class Told(NamedTuple):
    """What is violated, and what is undecided, by what somebody says."""

    violated: frozenset[Saying] = frozenset()
    undecided: frozenset[Saying] = frozenset()

    def but(self, broken: Iterable[Broken]) -> "Told":
        """With what is told besides."""
        found = tuple(broken)
        violated, undecided = (
            old | {Saying.of(each.invariant, each.why) for each in found if each.outcome == outcome}
            for old, outcome in zip(self, self._fields, strict=True)
        )
        return Told(violated, undecided)


NOTHING: Final = Told()


class Asked(NamedTuple):
    """What either says after so many choices; `at_end`: if the run ends there, and nothing more comes."""

    after: int
    at_end: bool
    watched: Told
    judged: Told
    crashed: bool = False

    @property
    def differs(self) -> bool:
        """Whether they do not say the same."""
        if self.at_end and self.crashed:
            more = {each.invariant for each in self.watched.violated - self.judged.violated}
            left_open = {each.invariant for each in self.judged.undecided}
            return not (self.judged.violated <= self.watched.violated and more <= left_open)
        if self.at_end:
            return self.watched != self.judged
        return self.watched.violated != self.judged.violated or not self.watched.undecided <= self.judged.undecided


class Walked(NamedTuple):
    """A path of a world; what either says in its end, and where they do not say the same first.

    They were asked in so many `ends` what they say if nothing more comes.
    """

    name: str
    setup: Setup
    path: tuple[Choice, ...]
    last: Asked
    difference: Asked | None
    ends: int
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
    return looked_at(f"path {number}", system, until_violated(walked(system, Random(number), world, LONGEST)))


def until_violated(steps: Iterable[Transition]) -> Iterator[Transition]:
    """As in a search: what violates something is not followed."""
    for each in steps:
        yield each
        if is_violated(each.broken):
            return


def looked_at(name: str, system: System, steps: Iterable[Transition]) -> Walked:
    """What the monitors say on the way, and the judge."""
    path = tuple(steps)
    asked = tuple(both_asked(system, path))
    return Walked(
        name,
        system.setup,
        tuple(each.choice for each in path),
        asked[-1],
        next((each for each in asked if each.differs), None),
        sum(each.at_end for each in asked),
        bool(path) and is_home(system, path[-1].world),
    )


def both_asked(system: System, path: Sequence[Transition]) -> Iterator[Asked]:
    """After every choice, and wherever a run could end."""
    scribe, judge, watched = Scribe(system), Judge(), NOTHING
    fed_with(judge, scribe.beginning())
    for after, step in enumerate(path, 1):
        fed_with(judge, scribe.transition(step, "honesty"))
        at_home = is_home(system, step.world)
        ends = at_home or step is path[-1]
        at_rest = tuple(each for side in step.world.sides for each in system.at_rest(side.watched)) if ends else ()
        watched = watched.but(step.broken[: len(step.broken) - len(at_rest)] if at_home else step.broken)
        yield Asked(after, False, watched, said(judge, system))
        at_end = fed_with(judge.fork(), scribe.fork().ended(step.world)) if ends else None
        if at_end is not None:
            crashed = any(side.device.crashed for side in step.world.sides)
            yield Asked(after, True, watched.but(at_rest), said(at_end, system), crashed)


def fed_with(judge: Judge, entries: Iterable[Entry]) -> Judge | None:
    """The same; None if there is nothing more."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007
        judge.feed(entry)
    return judge if count else None


def said(judge: Judge, system: System) -> Told:
    """What the judge says of what a search decides."""
    found = [each for each in judge.verdict().invariants if each.id in system.judges]
    violated = frozenset(Saying.of(each.id, violation.message) for each in found for violation in each.violations)
    return Told(violated, frozenset(Saying.of(each.id, doubt.message) for each in found for doubt in each.doubts))


def counterexamples() -> Iterator[Walked]:
    """The schedules that are kept, and what searches find of each bad model, and of our agent with each mutation."""
    yield from map(of_schedule, KEPT)
    for row in caught.recorded().values():
        if row.world:
            yield from of_search(row.model, _named(row.world, models.WORLDS).model_copy(update={"model": row.model}))
    known, beside = {each.name: each for each in mutations()}, [each.world for each in BEHIND.values()]
    for each in record.recorded().values():
        if each.length:
            with switched(*(known[name] for name in (each.name, each.other) if name)):
                yield from of_search(each.name, _named(each.world, (*worlds.WORLDS, *beside)))


def of_schedule(path: Path) -> Walked:
    """The way that one is."""
    schedule = parse(path.read_text("utf-8"), path.name).schedule
    system = System(schedule.world)
    return looked_at(path.stem, system, held_to(system, schedule.choices))


def of_search(name: str, setup: Setup) -> Iterator[Walked]:
    """All that a search finds of a world, until something breaks."""
    system = System(setup)
    found = explore(system, stop_at_first=True)
    cycles = ((*cycle.path, *cycle.loop) for cycle in found.cycles)
    for path in (*(each.path for each in (*found.broken, *found.undecided)), *found.stuck, *found.lost, *cycles):
        if path:  # before the first choice there is nothing to compare
            yield looked_at(name, system, played(system, (Choice(*choice) for choice in path)))


def _named(name: str, setups: Iterable[Setup]) -> Setup:
    return next(each for each in setups if called(each) == name)


def words(found: Walked) -> str:
    """One on which they differ, for people."""
    setup = found.setup.model_dump(mode="json", exclude_defaults=True, exclude={"bounds"})
    asked = found.difference or found.last
    where = f"after {asked.after} of {len(found.path)} choices{', in the end' if asked.at_end else ''}"
    told = f"monitors {_of(asked.watched)}; judge {_of(asked.judged)}"
    return f"{found.name}, {where}, {setup}: {told}"


def _of(told: Told) -> str:
    violated, undecided = ([": ".join(saying) for saying in sorted(each)] for each in told)
    return f"violated {violated}, undecided {undecided}"


def main() -> None:
    """Walk, and print on which paths they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=3_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--counterexamples", action="store_true")
    arguments = parser.parse_args()
    configure("text", "critical")
    counts, begun = Counter[str](), time.perf_counter()
    numbers = range(arguments.first, arguments.first + arguments.paths)
    # Neighbours in this order share a world's system.
    ordered = sorted(numbers, key=lambda number: (setup_of(number).model, str(setup_of(number))))
    of_searches = counterexamples() if arguments.counterexamples else iter(())
    for found in chain(map(path_of, ordered), of_searches):
        counts["paths"] += 1
        counts["choices"] += len(found.path)
        counts["ends"] += found.ends
        counts["violated"] += bool(found.last.watched.violated)
        counts["undecided"] += bool(found.last.watched.undecided)
        counts["home at last"] += found.is_home_at_last
        counts["stuck at last"] += found.last.at_end and not found.is_home_at_last
        if found.difference is not None:
            counts["differ"] += 1
            sys.stdout.write(f"{words(found)}\n")
            sys.stdout.flush()
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    sys.stdout.write(f"{told}; differ {counts['differ']}; {time.perf_counter() - begun:.0f} s\n")
    sys.exit(bool(counts["differ"]))


if __name__ == "__main__":
    main()
