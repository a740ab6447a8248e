"""How a fleet stands, and how many of it are played."""

import pytest

from simulator.forecast.action import Waves
from simulator.forecast.played import Standing
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Asked, jobs_in_question, spread
from simulator.scenario import load

QUOTAS = Quotas()


@pytest.mark.parametrize(
    ("devices", "about", "played"),
    [
        pytest.param(10, 200, 10, id="a small fleet as it is"),
        pytest.param(1000, 200, 200, id="40 requests a second of them"),
        pytest.param(10_000, 200, 200, id="four of them"),
        pytest.param(50_000, 200, 1000, id="never fewer than four"),
        pytest.param(100_000, 200, 1000, id="fewer, of so many"),
        pytest.param(1_000_000, 200, 1000, id="and of ten times as many"),
        pytest.param(1_000_000, 5000, 5000, id="as many as were asked for"),
    ],
)
def test_a_sample_is_not_too_coarse_for_the_quota(devices: int, about: int, played: int):
    assert Asked(about, None, 0, goes_on=False).sample(devices, QUOTAS) == played


@pytest.mark.parametrize(("devices", "played"), [(3, 3), (200, 200), (210, 200), (1000, 300), (1_000_000, 2000)])
def test_those_that_are_played_stand_for_all_of_the_fleet(devices: int, played: int):
    standing = Standing((), devices, (0.0,) * played)
    stands_for = standing.stands_for
    counts = [stands_for.get(name, 1) for name in standing.names]
    assert sum(counts) == devices
    assert max(counts) - min(counts) <= 1


def test_a_sample_is_spread_over_the_fleet():
    assert spread(3, 3) == (0.0, 1.0, 2.0)
    assert spread(100, 4) == (12.0, 37.0, 62.0, 87.0)


def test_waves_come_after_one_another_with_their_pauses():
    waves = Waves(things=10, pause_seconds=30, operations_per_second=2)
    assert [waves.due(number) for number in (0, 1, 9, 10, 25)] == [0.0, 0.5, 4.5, 35.0, 72.5]


@pytest.mark.parametrize(
    ("scenario", "jobs"),
    [
        pytest.param("main", ("fw", "fw-lab"), id="all that it deletes"),
        pytest.param("bad-hash", ("fw", "fw-next"), id="that it makes, if it deletes none"),
        pytest.param("delete-before-start", ("waiting", "waiting-lab"), id="made after another is taken"),
    ],
)
def test_the_jobs_in_question(scenario: str, jobs: tuple[str, ...]):
    assert jobs_in_question(load(scenario), ()) == jobs


def test_quotas_are_the_accounts_unless_the_scenario_or_somebody_says_otherwise():
    usual, own = load("main").cloud, load("fleet-hinted-at-once").cloud
    assert Quotas.of(usual, {}) == Quotas(200, 10, 3.0, 0.001)
    assert Quotas.of(own, {"requests_per_second": None}).requests_per_second == 200
    assert Quotas.of(own, {"requests_per_second": 50, "deletion_seconds": 60.0}) == Quotas(50, 10, 60.0, 0.001)
