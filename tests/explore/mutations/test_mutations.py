"""What is on record of the mutations is so: some of those that small worlds catch are tried again."""

from contextlib import suppress
from functools import cache
from typing import get_args

import pytest

from simulator.engines.explore.system import System
from simulator.engines.explore.world import played
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS
from tests.explore.mutations.begun_once import BEGINS_ONCE, system_of
from tests.explore.mutations.behind import BEHIND, MISSED, RIGHT
from tests.explore.mutations.plays import OWN
from tests.explore.mutations.record import Outcome, recorded
from tests.explore.mutations.switched import mutations, switched
from tests.explore.mutations.trying import Caught, Known, known, tried
from tests.explore.mutations.words import wordless
from tests.explore.mutations.worlds import WORLDS, called

WORLD = {called(setup): setup for setup in WORLDS}
QUICK = "reports=end delete=1"
ROWS = recorded()
SAFETY = [each.id for each in INVARIANTS]
"""Judged in every state; a way home is not."""
ALL = {each.name: each for each in mutations()}
SCENARIOS = {f"scenario {name}" for name in (*shipped(), *(path.stem for path in OWN.glob("*.yaml")))}
SMALL = list(WORLD)[:16]
"""Worlds that take less than a second."""
SAMPLE = [
    name
    for world in (QUICK, *SMALL)
    for name in [
        name for name, row in ROWS.items() if row.outcome == "caught" and row.world == world and row.length < 100
    ][:3]
]
THE_SAME = [name for name, row in ROWS.items() if row.outcome == "same"][:6]


@cache
def alone(world: str) -> Known:
    """Our agent in that world, in which it holds."""
    (known_world,) = known([WORLD[world]])
    return known_world


def caught(name: str) -> Caught:
    found = tried(ALL[name], [alone(ROWS[name].world)]).caught
    assert found is not None
    return found


@pytest.mark.parametrize("name", SAMPLE)
def test_a_rule_that_is_off_is_caught_as_it_is_on_record(name: str):
    found, row = caught(name), ROWS[name]
    assert (found.invariant, len(found.path)) == (row.invariant, row.length)


@pytest.mark.parametrize("name", THE_SAME)
def test_what_makes_no_difference_to_all_that_is_met_is_not_looked_for(name: str):
    assert tried(ALL[name], [alone(QUICK)]).worlds == ()


def test_the_shortest_way_breaks_it_and_our_agent_goes_the_same_way_unharmed():
    name = next(name for name in SAMPLE if ROWS[name].invariant in SAFETY and ROWS[name].world == QUICK)
    found, setup = caught(name), WORLD[QUICK]
    with switched(ALL[name]):
        *before, last = played(System(setup), found.path)
    assert not any(each.broken for each in before)
    assert found.invariant in {each.invariant for each in last.broken}
    with suppress(ValueError):  # it may do something else on the way
        for transition in played(System(setup), found.path):
            assert not transition.broken


def test_at_least_fifteen_are_caught_in_several_files_and_ways():
    rows = [row for row in ROWS.values() if row.outcome == "caught"]
    assert len(rows) >= 15
    assert len({row.invariant for row in rows}) >= 5
    assert len({row.file for row in rows}) >= 5


def test_what_is_on_record_is_generated():
    assert [name for name in ROWS if name not in ALL] == []
    assert all(row.line == ALL[row.name].line for row in ROWS.values())


def test_no_rule_of_safety_is_missed_by_nobody():
    assert [name for name, row in ROWS.items() if row.outcome == "escaped"] == []


def test_it_was_caught_in_a_world_or_a_scenario_that_there_is():
    assert {row.world for row in ROWS.values() if row.outcome == "caught"} <= {*WORLD, *SCENARIOS}


def test_what_is_not_caught_says_why():
    assert {row.outcome for row in ROWS.values()} <= set(get_args(Outcome))
    assert all(bool(row.other) == (row.outcome == "behind") for row in ROWS.values())
    assert all(row.why for row in ROWS.values() if row.outcome in ("caught", "behind", "right", "missed"))


@pytest.mark.parametrize("name", [*BEHIND, *(each.other for each in BEHIND.values()), *RIGHT, *MISSED])
def test_what_stands_behind_a_rule_is_generated(name: str):
    assert name in ALL


@pytest.mark.parametrize("world", [QUICK, "asks=program power-cut=1", "reports=progress lose-answer=1"])
def test_our_agent_decides_nothing_by_words_or_by_waits(world: str):
    """So a mutation that changes no more than these leads nowhere else."""
    decided: dict[tuple[object, object], object] = {}
    for each in alone(world).new:
        blank = wordless(each.outcome)
        assert decided.setdefault((wordless(each.state), wordless(each.event)), blank) == blank


def test_what_is_changed_where_nothing_ran_makes_no_difference():
    met = alone(QUICK).met
    for name in list(ALL)[::40]:
        place = ALL[name].place
        unasked = [each for each in met if place.function not in each.ran]
        with switched(ALL[name]):
            assert all(each.outcome_now() == each.outcome for each in unasked)


TWICE = "recovery.TABLE: `Remedy.GO_ON` for `Remedy.FAIL` (2)"


@pytest.mark.parametrize("world", ["asks=program power-cut=1", "asks=program power-cut=1 journal-back=1"])
def test_a_program_that_is_begun_twice_is_counted(world: str):
    found = tried(ALL[TWICE], [alone(world)]).caught
    assert found is not None
    assert found.invariant == BEGINS_ONCE
    with suppress(ValueError):  # our agent does something else on the way
        for transition in played(system_of(WORLD[world]), found.path):
            assert not transition.broken
