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
from simulator.scenario import load

SEEDS = (3, 4)


def wanted(wave: int | None = None, **quotas: float) -> Wanted:
    scenario = load("main")
    used = Quotas.of(scenario.cloud, quotas)
    asked = Asked(200, None, SEEDS[0], goes_on=False)
    situation = of_scenario(scenario, jobs_in_question(scenario, ()), 4, None, asked, used)
    return Wanted(situation, used, SEEDS, wave, 1.0)


@pytest.mark.parametrize(
    ("wave", "quotas", "expected"),
    [
        pytest.param(2, {}, 11, id="five ways with two seeds, and all in one wave"),
        pytest.param(4, {}, 10, id="that wave is the one that is wanted, too"),
        pytest.param(
            1,
            {"requests_per_second": 1, "operations_per_second": 1000.0},
            11,
            id="a wave that is tried is not played again",
        ),
    ],
)
def test_everything_is_played_once(wave: int, quotas: dict[str, float], expected: int, monkeypatch: pytest.MonkeyPatch):
    counted = Counter[tuple[Action, int]]()

    def counting(scenario: object, action: Action, seed: int, *rest: object) -> Course:
        counted[action, seed] += 1
        return played(scenario, action, seed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(plays, "played", counting)
    told = list[HowFar]()
    made = forecast(wanted(wave, **quotas), tell=told.append)
    assert set(counted.values()) == {1}
    assert len(counted) == len(told) == expected + len(made.waves.tried) - 1
    assert [each.done for each in told] == list(range(1, len(told) + 1))
    assert all(each.done <= each.expected for each in told)


def test_how_long_it_takes_yet_follows_from_how_long_it_took():
    assert HowFar(4, 16, 120.0).seconds_left == 360.0
    assert HowFar(16, 16, 500.0).seconds_left == 0.0
