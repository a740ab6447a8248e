"""What is played for a forecast, and how far that is."""

from collections import Counter

import pytest

from simulator.forecast import plays
from simulator.forecast.action import Action
from simulator.forecast.course import Course
from simulator.forecast.forecasting import Wanted, forecast
from simulator.forecast.played import played
from simulator.forecast.plays import HowFar
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Asked, jobs_in_question, of_scenario
from simulator.scenario import Scenario, load
from tests.bench.forecast import ROLLOUT

SEEDS = (3, 4)


def main_of_four(wave: int, **quotas: float) -> Wanted:
    return wanted(load("main"), 4, None, None, wave, quotas)


def rollout_of_32(wave: int) -> Wanted:
    """In the middle of which more are at work than may be hinted at once."""
    return wanted(load(str(ROLLOUT)), 32, 60.0, 40.0, wave, {"requests_per_second": 8, "operations_per_second": 1000.0})


def wanted(
    scenario: Scenario, devices: int, per_minute: float | None, at: float | None, wave: int, quotas: dict[str, float]
) -> Wanted:
    used = Quotas.of(scenario.cloud, quotas)
    asked = Asked(200, per_minute, SEEDS[0], goes_on=False)
    situation = of_scenario(scenario, jobs_in_question(scenario, ()), devices, at, asked, used)
    return Wanted(situation, used, SEEDS, wave, 1.0)


@pytest.mark.parametrize(
    ("wanted", "tried", "expected"),
    [
        pytest.param(main_of_four(2), 1, 12, id="the wave that is wanted, and all in one"),
        pytest.param(main_of_four(4), 1, 10, id="all in one is the one that is wanted, too"),
        pytest.param(
            rollout_of_32(8), 3, 13, id="a wave that is tried is not played again, one too large with one seed"
        ),
    ],
)
def test_everything_is_played_once(wanted: Wanted, tried: int, expected: int, monkeypatch: pytest.MonkeyPatch):
    counted = Counter[tuple[Action, int]]()

    def counting(scenario: object, action: Action, seed: int, *rest: object) -> Course:
        counted[action, seed] += 1
        return played(scenario, action, seed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(plays, "played", counting)
    told = list[HowFar]()
    made = forecast(wanted, tell=told.append)
    assert set(counted.values()) == {1}
    assert len(made.waves.tried) == tried
    assert len(counted) == len(told) == expected
    assert [each.done for each in told] == list(range(1, len(told) + 1))
    assert all(each.done <= each.expected for each in told)


def test_a_size_of_waves_is_judged_by_every_seed():
    made = forecast(main_of_four(4, requests_per_second=1, operations_per_second=1000.0))
    waves, tried = made.alternatives[4], made.waves.tried[0]
    assert waves.reads_peak.low != waves.reads_peak.high
    assert (tried.reads_peak, tried.writes_peak) == (waves.reads_peak.high, waves.writes_peak.high)


def test_how_long_it_takes_yet_follows_from_how_long_it_took():
    assert HowFar(4, 16, 120.0).seconds_left == 360.0
    assert HowFar(16, 16, 500.0).seconds_left == 0.0
    assert HowFar(0, 16, 10.0).seconds_left is None
