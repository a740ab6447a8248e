"""A certificate claims nothing without evidence, and says what its cells say."""

from typing import Any

import pytest
from pydantic import ValidationError

from simulator.certify.certificate import Afterwards, Bricked, CellResult, Certificate, Evidence, NotMet, came_back
from simulator.certify.result import cell_result, not_applicable, not_played
from simulator.trace import Entry
from simulator.verdict import InvariantVerdict, Violation

from .played import certificate, named, played, result, seen

PACKET = Evidence(id="cloud#1", at=1.0, text="pump-7 to $aws/things/pump-7/jobs/get: {}", pointed_at=True)
VIOLATED = InvariantVerdict(
    id="no-hammering",
    outcome="violated",
    opportunities=1,
    violations=(Violation(thing="pump-7", job="fw", message="asked again and again", events=("cloud#1",)),),
)
HELD = VIOLATED.model_copy(update={"outcome": "held", "violations": ()})


def cell(**members: Any) -> CellResult:
    usual = {"id": "a/b", "point": "a", "condition": "b", "shows": "it", "why": "so", "seconds": 1, "device_seconds": 1}
    return CellResult(**(usual | members))


@pytest.mark.parametrize(
    "evidence", [(), (PACKET.model_copy(update={"pointed_at": False}),)], ids=["none", "nothing but surroundings"]
)
def test_a_failed_cell_without_evidence_cannot_be_made(evidence: tuple[Evidence, ...]):
    assert cell(outcome="failed", invariants=(VIOLATED,), evidence=(PACKET,)).outcome == "failed"
    with pytest.raises(ValidationError, match="failed, without an entry of the trace that shows it"):
        cell(outcome="failed", invariants=(VIOLATED,), evidence=evidence)


@pytest.mark.parametrize(
    ("outcome", "invariants"),
    [("failed", ()), ("failed", (HELD,)), ("passed", (HELD, VIOLATED)), ("inconclusive", (VIOLATED,))],
)
def test_a_cell_fails_by_a_violated_invariant_and_by_nothing_else(outcome: str, invariants: Any):
    with pytest.raises(ValidationError, match="a cell fails by a violated invariant, and by nothing else"):
        cell(outcome=outcome, invariants=invariants, evidence=(PACKET,))


def test_nothing_is_called_bricked_without_evidence():
    with pytest.raises(ValidationError, match="at least 1 item"):
        Bricked(cell="a/b", why="gone", evidence=())


def test_no_first_job_has_failed_without_evidence():
    assert NotMet(why="it did not come").failed is False
    assert NotMet(why="it reported FAILED", failed=True, evidence=(PACKET,)).failed
    with pytest.raises(ValidationError, match="a first job that failed, without an entry of the trace"):
        NotMet(why="it reported FAILED", failed=True)


def test_a_certificate_cannot_say_something_else_than_its_cells():
    failed = certificate(result("hammering"))
    assert failed.outcome == "failed"
    for outcome in ("passed", "inconclusive"):
        with pytest.raises(ValidationError, match=f"the cells come to failed, and not to {outcome}"):
            Certificate(**(failed.model_dump() | {"outcome": outcome}))
    with pytest.raises(ValidationError, match="the cells come to passed, and not to failed"):
        Certificate(**(certificate(result("reference")).model_dump() | {"outcome": "failed"}))


SKIPPED = not_applicable(named("c/d"), "it speaks no MQTT")
CUT = not_played(named("e/f"), "interrupted")
PASSED, FAILED = "passed", "failed"
"""Cells that are played when they are wanted."""
ABSENT = NotMet(why="it never came")
REFUSES = NotMet(why="its first job is FAILED", failed=True, evidence=(PACKET,))
GONE = Bricked(cell="p/q", why="it took no job", evidence=(PACKET,))


def ended(cell: CellResult | str) -> CellResult:
    """As it is, or as it ends."""
    if isinstance(cell, CellResult):
        return cell
    return result("reference", named("p/q")) if cell == PASSED else result("hammering")


@pytest.mark.parametrize(
    ("cells", "more", "outcome", "why"),
    [
        ([PASSED, SKIPPED], {}, "passed", "1 of 1 cell passed, 1 did not apply"),
        ([PASSED, FAILED, CUT], {}, "failed", "1 of 3 cells failed; it is step/calm: no-hammering was violated: "),
        ([FAILED, PASSED, FAILED], {}, "failed", "2 of 3 cells failed; the first is step/calm: no-hammering was "),
        ([PASSED, CUT], {}, "inconclusive", "1 of 2 cells could not show it; it is e/f: not played: interrupted"),
        ([SKIPPED], {}, "inconclusive", "no cell applied to this device"),
        ([], {}, "inconclusive", "no cell was played"),
        ([PASSED], {"cut_short": "interrupted"}, "inconclusive", "interrupted; 1 of 1 cell passed"),
        ([], {"cut_short": "it never came"}, "inconclusive", "it never came; no cell was played"),
        ([FAILED], {"cut_short": "interrupted"}, "failed", "1 of 1 cell failed; "),
        ([CUT], {"not_met": ABSENT}, "inconclusive", "it never came"),
        ([], {"not_met": REFUSES}, "failed", "its first job is FAILED"),
        ([PASSED], {"bricked": GONE}, "failed", "the device could not be brought back to work after p/q: it took"),
        ([PASSED, FAILED], {"bricked": GONE}, "failed", "the device could not be brought back to work after p/q: "),
    ],
)
def test_it_says_the_worst_of_what_is_known(cells: list[CellResult | str], more: Any, outcome: str, why: str):
    made = certificate(*map(ended, cells), **more)
    assert (made.outcome, made.why[: len(why)]) == (outcome, why)


def test_it_reads_back_as_it_was_written():
    made = certificate(
        ended(PASSED), ended(FAILED), SKIPPED, CUT, bricked=GONE, command=["./agent", "a\udcff"], probes=["cmd:x"]
    )
    assert Certificate.model_validate_json(made.model_dump_json()) == made


def test_the_share_of_the_device_is_of_the_whole_session():
    assert certificate(result("reference", device_seconds=2.5), seconds=10.0).device_share == 0.25
    assert certificate(result("reference", seconds=9, device_seconds=9), seconds=6.0).device_share == 1
    assert certificate(seconds=0.0).device_share == 0


@pytest.mark.parametrize(
    ("model", "more", "outcome", "why"),
    [
        ("reference", {}, "passed", "no invariant was violated and every place was reached"),
        ("hammering", {}, "failed", "no-hammering was violated: the device sent describe fw again 4 times"),
        ("reference", {"trouble": "the probe could not be asked"}, "inconclusive", "the probe could not be asked"),
        pytest.param(
            "hammering", {"trouble": "it fell over"}, "failed", "no-hammering was violated", id="packets stay"
        ),
    ],
)
def test_a_cell_comes_to_what_its_verdict_says(model: str, more: Any, outcome: str, why: str):
    found = result(model, **more)
    assert (found.outcome, found.why[: len(why)]) == (outcome, why)


def test_a_failed_cell_names_the_packet_in_its_sentence():
    why = result("hammering").why
    assert 'thing-0 to $aws/things/thing-0/jobs/fw/get: {"clientToken":"' in why
    assert why.endswith("[cloud#47]")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("sent an update", "the device sent an update"),
        ("its update was accepted by a later one", "its update was accepted by a later one"),
    ],
)
def test_what_was_found_is_a_sentence(message: str, says: str):
    verdict = played("hammering").verdict
    worded = [
        each.model_copy(
            update={"violations": tuple(v.model_copy(update={"message": message}) for v in each.violations)}
        )
        for each in verdict.invariants
    ]
    made = cell_result(
        named(), verdict.model_copy(update={"invariants": tuple(worded)}), played("hammering").entries, seconds=1
    )
    assert f"was violated: {says}: " in made.why


def test_nothing_is_said_to_be_held_that_could_not_have_been_seen_to_be_broken():
    seen = {each.id: each for each in result("reference").invariants}
    assert (seen["no-hammering"].outcome, seen["no-ghost-update"].outcome) == ("held", "held")
    unseen = {each.id: each for each in result("reference", unseen={"no-hammering"}).invariants}
    assert (unseen["no-hammering"].outcome, unseen["no-hammering"].opportunities) == ("not-exercised", 0)
    assert {**unseen, "no-hammering": None} == {**seen, "no-hammering": None}


def test_what_is_broken_is_said_whether_or_not_it_could_be_seen():
    broken = next(each for each in result("hammering").invariants if each.outcome == "violated")
    assert broken in result("hammering", unseen={broken.id}).invariants


@pytest.mark.parametrize("kept", ["deletion", "end"])
def test_what_was_not_reached_or_not_ended_is_inconclusive(kept: str):
    entries = played("reference").entries
    cut: list[Entry] = [each for each in entries if each.event.type != "run.ended"]
    if kept == "end":
        cut = [each for each in entries if "removed" not in each.event.type]
    found = seen(cut)
    made = cell_result(named(), found.verdict, found.entries, seconds=1)
    assert made.outcome == "inconclusive"
    assert made.why.startswith(
        "'deleted-in-step fw write' was reached by 0 of 1" if kept == "end" else "the run has not"
    )


def test_an_accusation_that_nothing_shows_is_ours_and_not_the_devices():
    verdict = played("hammering").verdict
    bare = [
        each.model_copy(update={"violations": tuple(v.model_copy(update={"events": ()}) for v in each.violations)})
        for each in verdict.invariants
    ]
    made = cell_result(named(), verdict.model_copy(update={"invariants": tuple(bare)}), (), seconds=1)
    assert made.outcome == "inconclusive"
    assert "a fault of ghostjob's own" in made.why
    assert {each.outcome for each in made.invariants} == {"held", "undecided", "not-exercised"}


@pytest.mark.parametrize(
    ("left", "outcome"), [("ready", "passed"), ("by-a-job", "inconclusive"), ("bricked", "inconclusive")]
)
def test_a_device_that_was_not_ready_afterwards_has_not_passed(left: Any, outcome: str):
    found = result("reference", afterwards=Afterwards(left=left, why="job fw-2 is FAILED"))
    assert found.outcome == outcome
    assert ("job fw-2 is FAILED" in found.why) is (outcome != "passed")
    assert came_back(found) == ""


def test_what_is_violated_counts_whatever_it_was_afterwards():
    found = result("hammering", afterwards=Afterwards(left="by-a-job", why="job fw-2 is FAILED"))
    assert (found.outcome, found.why.partition(" was ")[0]) == ("failed", "no-hammering")
    assert came_back(found).endswith("another job: job fw-2 is FAILED")
