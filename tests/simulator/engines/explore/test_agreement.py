"""The fast search and the simple one agree to the letter on our worlds, watched by the verdict's own monitors."""

from typing import Any

import pytest

from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System, all_heard
from tests.simulator.engines.explore.simple_search import searched, stuck
from tests.simulator.engines.explore.test_search import agrees


@pytest.mark.parametrize(
    "world",
    [
        pytest.param({"bounds": {"delete": 1}, "layout": "single", "reports": "end"}, id="a deletion"),
        pytest.param({"bounds": {"journal-back": 1}, "reports": "end"}, id="a record that goes bad"),
        pytest.param({"bounds": {"lose-answer": 1}, "layout": "swap", "reports": "end"}, id="an answer that is lost"),
        pytest.param(
            {"bounds": {"delete": 1}, "model": "recovers-without-undoing", "layout": "single", "reports": "end"},
            id="one that rests half changed",
        ),
        pytest.param(
            {"bounds": {"other-namespace": 1}, "namespace": "lab", "hears": "everything", "reports": "end"},
            id="one that hears of every namespace",
        ),
    ],
)
def test_the_same_is_found_with_tables_and_without(world: dict[str, Any]):
    system = System(Setup.model_validate(world))
    known, found = searched(system, all_heard), explore(system)
    assert found.complete
    agrees(system, found, known)
    assert found.stuck_count == len(stuck(system, known))
