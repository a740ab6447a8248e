"""The judge of all runs says of a path what the monitors of a search say: of random ways, and of counterexamples.

`python -m tests.explore.honesty` looks at thousands.
"""

from pathlib import Path

import pytest

from simulator.engines.explore.playing import held_to
from simulator.engines.explore.schedule import Schedule, parse
from simulator.engines.explore.system import System
from tests.explore.caught import Row, recorded
from tests.explore.honesty import counterexamples, differs, looked_at, path_of, setup_of, words
from tests.explore.models import WORLDS
from tests.explore.mutations.worlds import called

KEPT = sorted((Path(__file__).parent / "schedules").glob("*.yaml"))
FEW = 30
APART = 101
"""Paths so far apart are of all layouts and namespaces, and of many models."""
SHORT = [row for row in recorded().values() if row.world and row.invariant != "gets home" and row.states < 300]


def test_random_ways_are_judged_as_they_are_watched():
    found = [path_of(number * APART) for number in range(FEW)]
    assert [words(each) for each in found if differs(each)] == []
    assert any(each.watched.violated for each in found)
    assert any(each.is_home_at_last for each in found)


def test_the_random_ways_are_of_all_sorts_of_worlds():
    setups = [setup_of(number * APART) for number in range(FEW)]
    assert len({(setup.layout, setup.namespace) for setup in setups}) == 6
    assert len({setup.model for setup in setups}) > FEW / 2


@pytest.mark.parametrize("row", SHORT, ids=[row.model for row in SHORT])
def test_the_judge_agrees_to_what_a_search_finds(row: Row):
    world = next(each for each in WORLDS if called(each) == row.world)
    found = list(counterexamples([row.model], [world]))
    assert row.invariant in {each for path in found for each in path.watched.violated}
    assert [words(each) for each in found if differs(each)] == []


def schedule_of(path: Path) -> Schedule:
    return parse(path.read_text("utf-8"), path.name).schedule


@pytest.mark.parametrize(
    "path", [path for path in KEPT if schedule_of(path).expects.violated], ids=lambda path: path.stem
)
def test_the_judge_agrees_to_every_counterexample_that_is_kept(path: Path):
    schedule = schedule_of(path)
    system = System(schedule.world)
    found = looked_at(0, system, held_to(system, schedule.choices))
    assert set(schedule.expects.violated) <= found.watched.violated
    assert not differs(found), words(found)
