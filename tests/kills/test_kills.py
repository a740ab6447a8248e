"""A part of `python -m tests.kills`, which is for two hundred deaths and takes ten minutes."""

from pathlib import Path

from rich.progress import Progress

from tests.kills.__main__ import kill_all
from tests.kills.plan import AT_LEAST, TARGETS, plan

SEED, RUNS = 11, 10


async def test_an_agent_killed_anywhere_comes_back_whole_and_takes_the_next_job(tmp_path: Path):
    reports, lab = await kill_all(RUNS, SEED, 4, tmp_path, Progress(disable=True))
    assert {str(report.run): report.problems for report in reports if report.problems} == {}
    verdict = lab.verdict(report.run for report in reports)
    assert {each.id: each.violations for each in verdict.invariants if each.violations} == {}


def test_the_plan_of_two_hundred_deaths_meets_every_phase_and_every_journal_boundary_often_enough():
    for seed in range(5):
        met = [run.at for run in plan(200, seed)]
        assert min(met.count(target) for target in TARGETS) >= AT_LEAST
