"""Correct devices of other designs hold every invariant as well, and reach every place that a scenario names."""

import pytest

from simulator.devices.models.designs import DESIGNS
from simulator.scenario import shipped
from tests.simulator.devices.models.playing import played


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("scenario", shipped())
def test_a_correct_device_of_another_design_passes(scenario: str, design: str):
    verdict = played(scenario, design)
    assert verdict.passed, verdict.model_dump_json(indent=1)
