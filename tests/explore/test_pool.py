"""A pool of seeds: random walks of our agent, deep in worlds that are too large to be searched."""

from typing import Any, cast

import pytest

from simulator.engines.explore.searchable import Searchable
from simulator.engines.explore.setup import STANDARD, Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import walks

POOL = (0, 1_000, 2_000)
"""Where seeds begin. One that found something goes here."""
SIDE_BY_SIDE = 8
DEPTH = 120
BOUNDS = STANDARD.model_copy(update={"delay": 2, "early": 1, "lose_hint": 1, "fail": 1})


@pytest.mark.parametrize(
    "world",
    [
        pytest.param({}, id="two slots"),
        pytest.param({"layout": "single", "policy": "finish-after-switch"}, id="one slot, forward"),
        pytest.param({"layout": "swap", "namespace": "lab", "next": True}, id="swap, with another job after it"),
    ],
)
def test_our_agent_stumbles_nowhere_on_the_walks_of_the_pool(world: dict[str, Any]):
    system = System(Setup.model_validate({"bounds": BOUNDS} | world))
    bounds = {str(kind): left for kind, left in system.left(system.setup.bounds.budgets).items()}
    for seed in POOL:
        walked = walks(cast("Searchable", system), SIDE_BY_SIDE, seed, bounds=bounds, depth=DEPTH)
        assert walked.walks == SIDE_BY_SIDE
        assert walked.steps > 5 * SIDE_BY_SIDE
        assert not walked.stumbled
