"""The reference agent holds every invariant in every shipped scenario, and reaches every place it names."""

import pytest

from simulator.scenario import shipped
from tests.simulator.devices.models.playing import played


@pytest.mark.parametrize("scenario", shipped())
def test_the_reference_agent_passes(scenario: str):
    verdict = played(scenario)
    assert verdict.passed, verdict.model_dump_json(indent=1)
