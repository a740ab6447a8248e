"""A number that differs from device to device."""

from typing import get_args

import pytest

from agent.errors import InputError
from simulator.scenario import Spread, Timings, load, parse
from simulator.scenario.differences import TimingName


@pytest.mark.parametrize(
    ("spread", "values"),
    [
        pytest.param({"least": 10, "most": 20}, {0.0: 10, 0.25: 12.5, 1.0: 20}, id="even"),
        pytest.param({"median": 8, "p95": 80}, {0.05: 0.8, 0.5: 8, 0.95: 80}, id="log-normal"),
        pytest.param({"median": 8, "p95": 8}, {0.001: 8, 0.999: 8}, id="log-normal, all alike"),
        pytest.param({"any_of": [3, 1, 1]}, {0.0: 1, 0.6: 1, 0.7: 3, 1.0: 3}, id="some"),
    ],
)
def test_so_many_devices_do_not_exceed(spread: dict[str, float], values: dict[float, float]):
    of = Spread.model_validate(spread)
    assert {quantile: of.at(quantile) for quantile in values} == pytest.approx(values, rel=1e-6)


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ("{hardware: {write: {least: 3}}}", "name exactly one of: least and most; median and p95; any_of"),
        ("{hardware: {write: {least: 3, most: 2}}}", "least: more than most"),
        ("{hardware: {write: {median: 3, p95: 2}}}", "median: more than p95"),
        ("{hardware: {write: {any_of: []}}}", "any_of"),
        ("{hardware: {fly: {least: 3, most: 4}}}", "fly"),
        ("{megabits_per_second: {least: 3, most: 4}}", "one needs the other"),
        (
            "{image_megabytes: 3, megabits_per_second: {any_of: [1]}, hardware: {download: {any_of: [1]}}}",
            "megabits_per_second says how long it takes",
        ),
    ],
)
def test_what_makes_no_sense_is_said(differences: str, said: str):
    group, job = "devices: [{group: all}]", "jobs: [{id: fw, to: [all], version: '2'}]"
    with pytest.raises(InputError, match=said):
        parse(f"name: it\n{group}\n{job}\ndifferences: {differences}\n", "it")


def test_a_scenario_that_says_nothing_has_devices_that_are_alike():
    assert load("main").differences.model_dump(exclude_defaults=True) == {}


def test_every_step_that_takes_time_may_differ():
    assert set(get_args(TimingName)) == set(Timings.model_fields)
