"""What certify finds of bad models is found, and no more is claimed of them."""

import pytest

from simulator.certify.matrix import CELLS, Names, not_applicable
from simulator.devices.models import MODELS
from simulator.verdict import SEEN_FROM_THE_WIRE
from tests.simulator.certify.from_outside import FOUND, bad_models, unseen
from tests.simulator.certify.test_played import CAN, learned, played

FINDS = [
    pytest.param(model, cell, {each for each in found if found[each] == cell}, id=f"{model} {cell}")
    for model, found in FOUND.items()
    for cell in dict.fromkeys(found.values())
]


@pytest.mark.parametrize(("model", "name", "found"), FINDS)
def test_what_a_model_does_wrong_is_found(model: str, name: str, found: set[str]):
    (cell,) = [each for each in CELLS if each.id == name]
    device = learned(model)
    assert not_applicable(cell, device, CAN) is None
    wire, own, _ = played(cell.scenario(device, Names("cell")), model)
    violated = {each.id for each in wire.invariants if each.outcome == "violated"}
    assert found <= violated, wire.why
    assert violated <= {each.id for each in own.invariants if each.outcome == "violated"}, "it did what it is told of"


@pytest.mark.parametrize("model", bad_models())
def test_all_else_that_a_model_does_wrong_is_known_to_be_out_of_sight(model: str):
    found, missed = FOUND.get(model, {}), unseen(model)
    assert {*found, *missed} >= MODELS[model].breaks
    assert not {*found} & {*missed}
    assert all(SEEN_FROM_THE_WIRE[invariant].startswith("yes") for invariant in found)
    assert all(len(why) > 20 for why in missed.values())
