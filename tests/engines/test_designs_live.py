"""Correct devices of other designs over real MQTT, in the main job."""

import pytest

from simulator.devices.models.designs import DESIGNS
from simulator.scenario import load
from tests.engines.test_live import play


@pytest.mark.parametrize("design", DESIGNS)
async def test_a_correct_device_of_another_design_does_the_main_job_over_real_mqtt(design: str):
    verdict, _ = await play(load("main").cast(design), 4)
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert (verdict.devices, verdict.recovered) == (4, 4)
