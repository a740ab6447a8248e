"""The fast search and the plain one agree on our worlds, as they are watched by the verdict's own monitors."""

from typing import Any

import pytest

from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from tests.simulator.engines.explore.naive import search


@pytest.mark.parametrize(
    "world",
    [
        pytest.param({"bounds": {"delete": 1}}, id="a deletion"),
        pytest.param({"bounds": {"lose-answer": 1}, "layout": "swap"}, id="an answer that is lost"),
        pytest.param({"bounds": {"cancel": 1}, "namespace": "lab"}, id="a namespace"),
        pytest.param({"bounds": {"delete": 1}, "model": "recovers-without-undoing"}, id="one that rests half changed"),
    ],
)
def test_as_many_states_transitions_and_violations_are_found_with_tables_and_without(world: dict[str, Any]):
    setup = Setup.model_validate(world)
    plain, fast = search(System(setup)), explore(System(setup))
    assert plain.complete
    assert (fast.states, fast.transitions, fast.depth) == (len(plain.came), plain.transitions, plain.depth)
    ways = {
        (each.invariant, each.outcome): len(plain.way_to(world)) + 1
        for each, (world, _) in reversed(plain.broken.items())
    }
    told = [("violated", each) for each in fast.broken] + [("undecided", each) for each in fast.undecided]
    assert {(each.invariant, outcome): len(each.path) for outcome, each in told} == ways
