"""Correct devices pass every shipped scenario, and the wire alone accuses them of nothing; bad ones it catches.

The agent's own design and all others: they hold every invariant, and reach every place that a scenario names.
"""

import pytest

from simulator.devices.models.designs import DESIGNS
from simulator.scenario import shipped
from simulator.verdict import SEEN_FROM_THE_WIRE
from tests.simulator.devices.models.playing import judged_twice, violated

CORRECT = ("reference", *DESIGNS)

CAUGHT = [
    ("reports-success-for-a-gone-job", "delete-in-write", "no-ghost-update"),
    ("device-client-old", "delete-in-self-test", "no-hammering"),
    ("rests-after-a-success", "two-in-progress-other-deleted", "no-lost-job"),
    ("greengrass-nucleus", "main", "alive"),
    ("greengrass-nucleus", "main", "ready-in-time"),
]


@pytest.mark.parametrize("model", CORRECT)
@pytest.mark.parametrize("scenario", shipped())
def test_a_correct_device_passes(scenario: str, model: str):
    verdict = judged_twice(scenario, model).whole
    assert verdict.passed, verdict.model_dump_json(indent=1)


@pytest.mark.parametrize("scenario", shipped())
@pytest.mark.parametrize("model", CORRECT)
def test_a_correct_device_is_accused_of_nothing_from_the_wire(model: str, scenario: str):
    verdicts = judged_twice(scenario, model)
    assert violated(verdicts.wire) - violated(verdicts.whole) == set()


def test_all_that_can_be_seen_from_the_wire_is_exercised_by_the_shipped_scenarios():
    verdicts = [judged_twice(scenario).wire for scenario in shipped()]
    seen = {each.id for verdict in verdicts for each in verdict.invariants if each.opportunities}
    assert seen == {name for name, how in SEEN_FROM_THE_WIRE.items() if how != "no"}


@pytest.mark.parametrize(("model", "scenario", "broken"), CAUGHT)
def test_a_bad_device_is_caught_from_the_wire(model: str, scenario: str, broken: str):
    assert broken in violated(judged_twice(scenario, model).wire)
