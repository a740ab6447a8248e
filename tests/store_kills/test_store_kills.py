"""A part of `python -m tests.store_kills`, which is for two hundred deaths and takes some minutes."""

from pathlib import Path

from rich.progress import Progress

from tests.store_kills.__main__ import kill_all
from tests.store_kills.plan import TARGETS, plan

SEED, DEATHS = 6673, 3
"""In a commit, between a commit and what waits for it, and under load, each after some dozens of commits."""


async def test_a_cloud_killed_anywhere_has_forgotten_nothing_that_it_told_and_goes_on(tmp_path: Path):
    reports = await kill_all(DEATHS, SEED, 2, tmp_path, Progress(disable=True))
    assert [problem for report in reports for problem in report.problems] == []
    assert sum(report.died.total() for report in reports) == DEATHS
    assert min(report.answers for report in reports) > 100


def test_the_plan_of_two_hundred_deaths_meets_every_boundary_often():
    for seed in range(5):
        met = [death.at for life in plan(200, seed) for death in life.deaths]
        assert len(met) == 200
        assert min(met.count(target) for target in TARGETS) >= 20
