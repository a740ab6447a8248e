"""The judge of all runs says of a path what the monitors of a search say: of random ways, and of counterexamples.

`python -m tests.explore.honesty` looks at thousands.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.engines.explore.schedule import parse
from tests.explore.caught import Row, recorded
from tests.explore.honesty import KEPT, Walked, of_schedule, of_search, path_of, setup_of, words
from tests.explore.models import WORLDS
from tests.explore.mutations.worlds import called

FEW = 18
APART = 101
"""Paths so far apart are of all layouts and namespaces, and of many models."""
ONCE = (233, 1488, 2428, 2867)
"""On these the two once said different things."""
REMEMBERED = (383, 1977)
"""On these it shows if a monitor of a search forgets what is half done, or what was committed."""
SMALL = 1_500
"""So many states are soon searched."""
BOTH = 2
"""So many models show an invariant."""


def smallest() -> Iterator[Row]:
    """Those of each invariant in the smallest worlds."""
    rows = [row for row in recorded().values() if row.world and row.invariant != "gets home" and row.states < SMALL]
    for invariant in sorted({row.invariant for row in rows}):
        yield from sorted((row for row in rows if row.invariant == invariant), key=lambda row: row.states)[:BOTH]


ROWS = tuple(smallest())


def differing(found: list[Walked]) -> list[str]:
    return [words(each) for each in found if each.difference is not None]


def violated(found: Walked) -> set[str]:
    return {each.invariant for each in found.last.watched.violated}


def test_random_ways_are_judged_as_they_are_watched():
    found = [path_of(number) for number in (*ONCE, *REMEMBERED, *(number * APART for number in range(FEW)))]
    assert differing(found) == []
    assert any(each.last.watched.violated for each in found)
    assert sum(each.ends for each in found) > FEW
    assert {(each.is_home_at_last, each.last.at_end) for each in found} >= {(True, True), (False, False)}


def test_the_random_ways_are_of_all_sorts_of_worlds():
    setups = [setup_of(number * APART) for number in range(FEW)]
    assert len({(setup.layout, setup.namespace) for setup in setups}) == 6
    assert len({setup.model for setup in setups}) > FEW / 2


@pytest.mark.parametrize("row", ROWS, ids=[row.model for row in ROWS])
def test_the_judge_agrees_to_what_a_search_finds(row: Row):
    world = next(each for each in WORLDS if called(each) == row.world)
    found = list(of_search(row.model, world.model_copy(update={"model": row.model})))
    assert row.invariant in {invariant for each in found for invariant in violated(each)}
    assert differing(found) == []


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_judge_agrees_to_every_schedule_that_is_kept(path: Path):
    expected = parse(path.read_text("utf-8"), path.name).schedule.expects.violated
    found = of_schedule(path)
    assert set(expected) <= violated(found)
    assert differing([found]) == []
