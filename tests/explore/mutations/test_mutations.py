"""What is on record of the mutations is so: those of one small world are tried again."""

from contextlib import suppress
from typing import get_args

import pytest

from simulator.engines.explore.system import System
from simulator.engines.explore.world import played
from simulator.verdict import INVARIANTS
from tests.explore.mutations.behind import BEHIND, RIGHT
from tests.explore.mutations.record import Outcome, recorded
from tests.explore.mutations.switched import mutations, switched
from tests.explore.mutations.trying import Caught, Known, known, tried
from tests.explore.mutations.words import wordless
from tests.explore.mutations.worlds import WORLDS, called

QUICK = next(setup for setup in WORLDS if called(setup) == "reports=end delete=1")
ROWS = recorded()
SAFETY = [each.id for each in INVARIANTS]
"""Judged in every state; a way home is not."""
ALL = {each.name: each for each in mutations()}
CAUGHT_THERE = [name for name, row in ROWS.items() if row.outcome == "caught" and row.world == called(QUICK)][:6]
THE_SAME = [name for name, row in ROWS.items() if row.outcome == "same"][:6]


@pytest.fixture(scope="module")
def worlds() -> list[Known]:
    """Our agent in that world, in which it holds."""
    return list(known([QUICK]))


def caught(name: str, worlds: list[Known]) -> Caught:
    found = tried(ALL[name], worlds).caught
    assert found is not None
    return found


@pytest.mark.parametrize("name", CAUGHT_THERE)
def test_a_rule_that_is_off_is_caught_as_it_is_on_record(name: str, worlds: list[Known]):
    found, row = caught(name, worlds), ROWS[name]
    assert (found.invariant, len(found.path)) == (row.invariant, row.length)


@pytest.mark.parametrize("name", THE_SAME)
def test_what_makes_no_difference_to_all_that_is_met_is_not_looked_for(name: str, worlds: list[Known]):
    assert tried(ALL[name], worlds).worlds == ()


def test_the_shortest_way_breaks_it_and_our_agent_goes_the_same_way_unharmed(worlds: list[Known]):
    name = next(name for name in CAUGHT_THERE if ROWS[name].invariant in SAFETY)
    found = caught(name, worlds)
    with switched(ALL[name]):
        *before, last = played(System(QUICK), found.path)
    assert not any(each.broken for each in before)
    assert found.invariant in {each.invariant for each in last.broken}
    with suppress(ValueError):  # it may do something else on the way
        for transition in played(System(QUICK), found.path):
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


def test_what_is_not_caught_says_why():
    assert {row.outcome for row in ROWS.values()} <= set(get_args(Outcome))
    assert all(bool(row.other) == (row.outcome == "behind") for row in ROWS.values())
    assert all(row.why for row in ROWS.values() if row.outcome in ("caught", "behind", "right"))


@pytest.mark.parametrize("name", [*BEHIND, *BEHIND.values(), *RIGHT])
def test_what_stands_behind_a_rule_is_generated(name: str):
    assert name in ALL


def test_our_agent_decides_nothing_by_words_or_by_waits(worlds: list[Known]):
    """So a mutation that changes no more than these leads nowhere else."""
    decided: dict[tuple[object, object], object] = {}
    for (state, event), outcome in worlds[0].new.items():
        blank = wordless(outcome)
        assert decided.setdefault((wordless(state), wordless(event)), blank) == blank
