"""How long a device is waited for: a correct one as long as AWS's SDKs wait, one at fault until that is certain."""

from math import inf

import pytest

from simulator.certify.cell import Cell
from simulator.certify.draft import PATIENCE_SECONDS
from simulator.certify.learning import Learned, learn
from simulator.certify.matrix import CELLS, Names, choose, not_applicable, undisturbed
from simulator.engines.patience import Patience
from simulator.trace import Entry
from simulator.verdict import Verdict
from simulator.verdict.bounds import Bounds
from tests.engines.others.device import Design
from tests.engines.others.playing import cell, played, violated
from tests.engines.others.stand import THING, Accident, stand

FIRST_ATTEMPT = 1.5
"""So much longer than its patience a device of these waits for its first answer."""
PATIENT = {
    "that listens": Design(patience=PATIENCE_SECONDS / FIRST_ATTEMPT),
    "that polls": Design(patience=PATIENCE_SECONDS / FIRST_ATTEMPT, listens=False, poll=2.0, undo_seconds=1.0),
}


def learned(design: Design) -> Learned:
    entries: list[Entry] = []
    scenario = undisturbed(Names("first"), None, 600)
    assert played(stand(scenario, design), kept=entries).outcome == "passed"
    return learn(entries, THING, scenario.jobs[0].id)


UNSEEN_BY_POLLERS = {"asking/cut"}
"""This one has asked by the time that its question is to be struck."""
KNOWN = {name: learned(design) for name, design in PATIENT.items()}
PLAYS = [
    pytest.param(each, name, id=f"{each.id} {name}")
    for name, known in KNOWN.items()
    for each in CELLS
    if each.drawn(known).patience_seconds and not_applicable(each, known, frozenset()) is None
]


@pytest.mark.parametrize(("which", "name"), PLAYS)
def test_a_device_that_waits_a_minute_for_an_answer_passes_each_cell_that_loses_one(which: Cell, name: str):
    verdict = played(stand(which.scenario(KNOWN[name], Names("cell")), PATIENT[name]))
    assert violated(verdict) == {}
    assert verdict.outcome == "passed" or which.id in UNSEEN_BY_POLLERS, verdict.why


@pytest.mark.parametrize(
    ("which", "broken"),
    [("step-middle/lost", "ready-in-time"), ("report/lost-kept", "alive"), ("step-middle/cut-kept", "alive")],
)
def test_one_that_waits_for_ever_is_found_once_that_is_longer_than_a_minute(which: str, broken: str):
    known = learned(Design())
    (chosen,) = choose([which])
    verdict = played(stand(chosen.scenario(known, Names("cell")), Design(patience=10_000)))
    assert set(violated(verdict)) == {broken}
    assert verdict.seconds is not None
    assert PATIENCE_SECONDS < verdict.seconds < 1.6 * PATIENCE_SECONDS


# ── who is at fault already ───────────────────────────────────────────────────────────────────────────────────

FW = {"id": "fw", "to": ["all"], "version": "A"}
NEXT = {"id": "next", "to": ["all"], "version": "B", "after": {"deletion_of": "fw"}}
LATE = {"name": "late", "do": "lose", "messages": ["get-pending"], "job": "nobodys"}


def after_a_crash(usual_seconds: float | None) -> Verdict:
    """A device that crashes as its job is deleted, and takes nothing more."""
    scenario = cell(jobs=[FW, NEXT], faults=[LATE], deletions=[{"job": "fw", "when": {"fault": "late"}}])
    accidents = (Accident(1.1, "crash"), Accident(1.15, "late"))
    return played(stand(scenario, Design(undo_seconds=10_000), *accidents), hands=True, usual_seconds=usual_seconds)


def test_a_device_that_has_crashed_is_granted_what_it_usually_needs():
    verdict = after_a_crash(20)
    assert set(violated(verdict)) == {"alive"}
    assert verdict.seconds is not None
    assert 20 < verdict.seconds < 25


def test_if_that_is_not_known_it_is_granted_what_the_bounds_say():
    verdict = after_a_crash(None)
    assert verdict.seconds is not None
    assert 300 < verdict.seconds < 305


BOUNDS = Bounds(ready_seconds=70, uninterruptible_seconds=5, lost_job_seconds=80, silence_seconds=90)


@pytest.mark.parametrize(
    ("violated", "usual_seconds", "from_seconds"),
    [
        pytest.param({}, 20.0, inf, id="nothing is held against it: it has the whole of the scenario's time"),
        pytest.param({"ready-in-time"}, 20.0, 20.0, id="it let a job wait, and now does nothing"),
        pytest.param({"ready-in-time"}, None, 75.0, id="it lets a job wait"),
        pytest.param({"alive"}, 20.0, 20.0, id="it has crashed, and does nothing"),
        pytest.param({"no-ghost-update"}, 20.0, 20.0, id="it was a ghost, and does nothing"),
        pytest.param({"no-ghost-update"}, 100.0, 100.0, id="it was a ghost, and usually needs long"),
        pytest.param({"no-ghost-update", "alive"}, 100.0, 75.0, id="it was a ghost, and lets a job wait"),
        pytest.param({"no-ghost-update"}, None, inf, id="it was a ghost, and nobody knows what it needs"),
    ],
)
async def test_patience_is_over(violated: set[str], usual_seconds: float | None, from_seconds: float):
    async def judged(_: float) -> frozenset[str]:
        return frozenset(violated)

    patience = Patience(BOUNDS, usual_seconds, judged)
    is_over = [seconds for seconds in range(200) if await patience.is_over(seconds, 1000.0 + seconds)]
    assert is_over == [seconds for seconds in range(200) if seconds >= from_seconds]
    assert patience.shortest_seconds <= from_seconds
