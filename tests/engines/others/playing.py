"""Playing cells with a device of somebody else's."""

from typing import Any

from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario
from simulator.trace import Entry
from simulator.verdict import Verdict
from tests.engines.others.device import STEPS
from tests.engines.others.stand import THING, Stand

BOUNDS = {"detection_seconds": 40, "ready_seconds": 300, "lost_job_seconds": 300, "silence_seconds": 300}
"""Generous: what is lost on the way is asked for again, later each time, and that is no fault of the device's."""


def cell(**parts: Any) -> Scenario:
    base: dict[str, Any] = {
        "name": "cell",
        "devices": [{"group": "all"}],
        "steps": STEPS,
        "jobs": [{"id": "fw", "to": ["all"], "version": "A"}],
        "bounds": BOUNDS,
        "cloud": {"deletion_seconds": 1.2},
        "time_limit_seconds": 2000,
    }
    return Scenario.model_validate(base | parts)


def played(
    stand: Stand, *, kept: list[Entry] | None = None, hands: bool = False, usual_seconds: float | None = None
) -> Verdict:
    entries: list[Entry] = [] if kept is None else kept
    with JudgedPlay(
        stand.scenario,
        stand,
        [THING],
        seed=stand.seed,
        also=(entries.append,),
        hands=stand if hands else None,
        usual_seconds=usual_seconds,
    ) as run:
        return run_virtually(run.result()).verdict


def violated(verdict: Verdict) -> dict[str, Any]:
    return {each.id: each.violations for each in verdict.invariants if each.violations}
