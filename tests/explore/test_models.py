"""How bad models are caught is as it is on record: the short ways are looked for again."""

import pytest

from simulator.devices.models import MODELS
from simulator.devices.models.designs import DESIGNS
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from tests.explore.caught import BAD, recorded
from tests.explore.models import WORLDS, found
from tests.explore.mutations.worlds import called, world

ROWS = recorded()
SHORT = [row.model for row in ROWS.values() if row.world and row.states < 300][:8]
BY_NAME = {called(setup): setup for setup in WORLDS}


def test_every_bad_model_is_on_record_as_caught():
    assert sorted(ROWS) == sorted(BAD)
    assert all(bool(row.world) != bool(row.scenario) for row in ROWS.values())


@pytest.mark.parametrize("model", SHORT)
def test_it_breaks_that_in_its_world_after_so_many_choices(model: str):
    row = ROWS[model]
    again = found(model, [BY_NAME[row.world]])
    assert again is not None
    assert (again.invariant, again.length) == (row.invariant, row.length)


def test_a_scenario_is_named_only_for_what_it_breaks_there():
    assert all(row.invariant in MODELS[row.model].breaks for row in ROWS.values() if row.scenario)


@pytest.mark.parametrize("model", ["reference", *DESIGNS])
def test_a_correct_device_holds_in_the_world_in_which_most_are_caught(model: str):
    answer = explore(System(WORLDS[0].model_copy(update={"model": model})))
    assert answer.complete
    assert answer.holds, (answer.broken, answer.stuck, answer.cycles)


@pytest.mark.parametrize(
    ("model", "setup"),
    [
        pytest.param(
            "start-next",
            world({"delete": 1, "power-cut": 1}, policy="finish-after-switch"),
            id="a switch that was only on record is none that is to be finished",
        ),
        *(
            pytest.param(
                model,
                world(
                    {"delete": 1, "create-again": 1},
                    layout="single",
                    namespace="lab",
                    flaw="boot",
                    same_second=True,
                    records_go="at once",
                ),
                id=f"{model} can tell nobody of its recovery image: what it finds is another of the same identity",
            )
            for model in ("reference", "describe-update", "poller")
        ),
    ],
)
def test_a_correct_device_holds_where_one_was_once_accused(model: str, setup: Setup):
    answer = explore(System(setup.model_copy(update={"model": model})))
    assert answer.complete
    assert answer.holds, (answer.broken, answer.stuck, answer.cycles)
