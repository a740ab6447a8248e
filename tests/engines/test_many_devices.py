"""More devices than a job on AWS may have targets."""

from simulator.engines.virtual import judged
from simulator.scenario import load


def test_a_scenario_of_more_than_a_hundred_devices_is_played():
    verdict = judged(load("main"), 101, 1)
    assert verdict.passed
    assert verdict.recovered == 101
