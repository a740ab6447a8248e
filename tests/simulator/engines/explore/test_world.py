"""A world: what can happen, what comes of it, and that it is one value."""

import pickle
import re
from pathlib import Path

import pytest

from simulator.devices.models import MODELS
from simulator.engines import explore
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.world import Transition, apply, choices, first, played, transitions
from tests.simulator.engines.explore.walking import is_home, walk

NOTHING = Bounds()


def by_itself(system: System, world: World) -> Transition:
    """What comes next if nobody does anything: messages first, timers last."""
    free = [each for each in transitions(system, world) if not each.costs]
    return next((each for each in free if each.actor != "timer"), free[0])


@pytest.mark.parametrize("namespace", [None, "lab"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_brings_an_update_home_where_nothing_befalls_it(model: str, namespace: str | None):
    system = System(Setup(model=model, namespace=namespace, bounds=NOTHING))
    world = system.first()
    assert is_home(system, world)
    world = next(each.world for each in transitions(system, world) if each.choice == Choice("create", "fw"))
    for _ in range(80):
        if is_home(system, world):
            break
        world = by_itself(system, world).world
    (side,) = world.sides
    assert is_home(system, world)
    assert side.device.rig.hardware.version == "2.0"


def test_a_world_can_be_pickled_and_goes_on_from_there():
    setup = Setup(bounds=Bounds(delete=1, power_cut=1, disconnect=1))
    world = first(setup)
    for number in (0, 1, 2, 0, 1, 3, 0, 2, 1, 0):
        there = choices(setup, world)
        world = apply(setup, world, there[number % len(there)])
        copy = pickle.loads(pickle.dumps(world))
        assert copy == world
        assert hash(copy) == hash(world)
        assert choices(setup, copy) == choices(setup, world)


def test_a_choice_is_one_of_its_kind_and_applying_it_changes_nothing_else():
    setup = Setup(bounds=Bounds(delete=1, power_cut=1, disconnect=1, duplicate=1, delay=1, lose_answer=1, fail=1))
    system, seen = System(setup), dict[World, tuple[Choice, ...] | None]({first(setup): None})
    for _ in range(150):
        world = next(each for each in seen if seen[each] is None)
        kept, there = pickle.dumps(world), choices(setup, world)
        assert len(set(there)) == len(there), there
        seen[world] = there
        for each in transitions(system, world):
            assert each.world == apply(setup, world, each.choice)
            seen.setdefault(each.world, None)
        assert pickle.dumps(world) == kept


@pytest.mark.parametrize("devices", ["two things", "two namespaces"])
def test_two_devices_share_a_service_and_come_home(devices: str):
    setup = Setup.model_validate({"devices": devices, "bounds": {"delete": 1, "disconnect": 1, "other-namespace": 1}})
    system = System(setup)
    path, world = walk(system, 4, 400)
    assert len(world.sides) == 2
    assert is_home(system, world)
    assert {choice.at for choice in path} == {"", "device 2"}
    for step in played(system, path):
        there = choices(setup, step.world)
        assert len(set(there)) == len(there), there


def test_the_map_of_the_folder_has_each_of_its_files():
    folder = Path(explore.__file__).parent
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there <= set(re.findall(r"\w+", explore.__doc__ or ""))
