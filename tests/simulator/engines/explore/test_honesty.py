"""The judge of all runs says of a path what the monitors of a search say: of random ways, and of counterexamples."""

from collections.abc import Iterable
from typing import Any

import pytest

from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.world import played
from simulator.verdict import Judge
from tests.simulator.engines.explore.walking import walk


def violated_on(system: System, path: Iterable[Choice]) -> set[str]:
    """As the search sees it."""
    broken = (each for transition in played(system, path) for each in transition.broken)
    return {each.invariant for each in broken if each.outcome == "violated"}


def judged_on(system: System, path: Iterable[Choice]) -> set[str]:
    """As the judge does, of what a search decides."""
    judge = Judge()
    for entry in told_on_the_way(system, path):
        judge.feed(entry)
    return {each.id for each in judge.verdict().invariants if each.violations} & system.judges


@pytest.mark.parametrize(
    ("world", "seed"),
    [
        ({"layout": "ab", "next": True}, 1),
        ({"layout": "single", "namespace": "lab"}, 2),
        ({"layout": "swap", "policy": "finish-after-switch", "leap_when_unreachable": "proceed"}, 3),
        ({"model": "acts-on-the-hint-alone"}, 4),
        ({"model": "works-on-although-told"}, 5),
        ({"model": "recovers-without-undoing", "layout": "single"}, 6),
    ],
)
def test_a_random_way_is_judged_as_it_is_watched(world: dict[str, Any], seed: int):
    system = System(Setup.model_validate(world | {"bounds": dict.fromkeys(KINDS, 1)}))
    path, _ = walk(system, seed)
    assert violated_on(system, path) == judged_on(system, path)


@pytest.mark.parametrize("model", ["recovers-without-undoing", "works-on-although-told", "crashes-on-an-empty-head"])
def test_the_judge_agrees_to_every_counterexample(model: str):
    system = System(Setup.model_validate({"model": model, "bounds": {"delete": 1}}))
    found = explore(system)
    assert found.broken
    for each in found.broken:
        path = [Choice(*choice) for choice in each.path]
        assert each.invariant in violated_on(system, path) == judged_on(system, path)
