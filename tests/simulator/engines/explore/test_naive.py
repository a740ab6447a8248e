"""What the plain search finds in worlds that are small enough for it."""

import pytest

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.search import explore
from simulator.engines.explore.searchable import is_violated
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.world import played
from tests.simulator.engines.explore.naive import search
from tests.simulator.engines.explore.walking import is_home


@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
def test_whenever_its_job_is_deleted_our_agent_finds_home_by_itself(layout: str):
    system = System(Setup.model_validate({"layout": layout, "bounds": {"delete": 1}}))
    found = search(system)
    assert found.complete
    assert not is_violated(found.broken)
    homes = {world for world in found.came if is_home(system, world)}
    assert found.without_a_way_to(homes) == []
    versions = [e.version_number for world in found.came for queue in world.service.jobs.queues for e in queue]
    assert max(versions) <= 8


@pytest.mark.parametrize(
    ("model", "layout", "invariant"),
    [
        ("undoes-past-the-point-of-no-return", "single", "alive"),
        ("crashes-on-an-empty-head", "ab", "alive"),
    ],
)
def test_a_device_that_errs_is_caught_on_a_shortest_way_that_can_be_played_again(
    model: str, layout: str, invariant: str
):
    system = System(Setup.model_validate({"model": model, "layout": layout, "bounds": {"delete": 1}}))
    found = search(system, most=3000)
    broken, (world, choice) = next((each, where) for each, where in found.broken.items() if each.invariant == invariant)
    way = [*found.way_to(world), choice]
    *_, last = played(system, way)
    assert broken in last.broken
    assert Choice("delete", "fw") in way


def test_a_device_that_rests_half_changed_is_caught_as_it_comes_to_rest():
    system = System(Setup(model="recovers-without-undoing", bounds=Bounds(delete=1)))
    found = search(system)
    assert found.complete
    assert {each.invariant for each in found.broken if each.outcome == "violated"} == {"bootable"}


@pytest.mark.parametrize("model", ["device-client-old", "ota-self-test-flag"])
def test_what_a_bad_device_repeats_for_ever_comes_round(model: str):
    found = explore(System(Setup(model=model, bounds=Bounds(delete=1))))
    assert found.complete
    assert found.stuck_count


@pytest.mark.parametrize("model", ["crashes-on-an-empty-head", "device-client-old"])
def test_both_searches_count_the_same_where_something_breaks(model: str):
    system = System(Setup(model=model, bounds=Bounds(delete=1)))
    slow, fast = search(system), explore(system)
    assert (len(slow.came), slow.transitions, slow.depth) == (fast.states, fast.transitions, fast.depth)
    told = {(each.invariant, "violated") for each in fast.broken} | {
        (each.invariant, "undecided") for each in fast.undecided
    }
    assert {(each.invariant, each.outcome) for each in slow.broken} == told
