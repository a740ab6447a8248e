"""The page of a certification: its matrix, its story and its invariants, while it goes on and in the end."""

import pytest

from simulator.certify.certificate import Afterwards, Bricked, Certificate, NotMet
from simulator.certify.matrix import CELLS
from simulator.certify.result import not_applicable, not_played
from simulator.page.brief import outcome_of_session
from simulator.page.data import PageData
from simulator.page.picture import Picture
from tests.simulator.certify.played import certificate, played, result
from tests.simulator.page.shown import check, dumped, followed, same

PASSED, FAILED = result("reference", CELLS[0]), result("hammering", CELLS[1])
NOT_FOR_IT = not_applicable(CELLS[2], "it speaks HTTP only")
TO_COME = not_played(CELLS[3], "nobody asked for it")
FAILED_AT_FIRST = NotMet(why="it crashed over its first job", failed=True, evidence=FAILED.evidence)


def page(kept: Certificate, *, final: bool = True) -> PageData:
    picture = Picture("certify pump-7", "", "certify")
    for entry in played("hammering").entries:
        picture.feed(entry)
    picture.certified(kept, final)
    shown = picture.whole()
    check(shown)
    return shown


def test_while_it_goes_on_what_was_not_played_is_yet_to_come():
    kept = certificate(PASSED, NOT_FOR_IT, TO_COME)
    shown = page(kept, final=False)
    assert shown.matrix is not None
    assert [cell.outcome for cell in shown.matrix.cells] == ["passed", "not-applicable", "pending"]
    assert (shown.state, shown.is_over) == ("running", False)
    assert shown.story[0].startswith("pump-7 has been put through 1 cell so far: ")


def test_in_the_end_it_says_what_the_certificate_says():
    kept = certificate(PASSED, FAILED, NOT_FOR_IT, TO_COME)
    shown = page(kept)
    assert shown.matrix is not None
    assert [(cell.id, cell.outcome) for cell in shown.matrix.cells] == [(cell.id, cell.outcome) for cell in kept.cells]
    assert shown.matrix.points == tuple(dict.fromkeys(cell.point for cell in kept.cells))
    assert shown.sentence == outcome_of_session(kept)
    assert shown.why == kept.why
    assert (shown.state, shown.is_over) == ("failed", True)
    assert shown.story[1] == "1 passed and 1 failed."
    assert shown.story[2].startswith(f"The first that failed is {CELLS[1].id}, in which ")


def test_an_invariant_is_as_bad_as_in_its_worst_cell_and_names_that():
    shown = page(certificate(PASSED, FAILED))
    (hammering,) = (each for each in shown.invariants if each.id == "no-hammering")
    assert hammering.outcome == "violated"
    assert all(found.message.endswith(f"(in {CELLS[1].id})") for found in hammering.violations)
    assert all(found.events for found in hammering.violations)
    assert hammering.opportunities == sum(
        each.opportunities for cell in (PASSED, FAILED) for each in cell.invariants if each.id == "no-hammering"
    )


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        pytest.param(
            certificate(TO_COME, not_met=NotMet(why="the device did not come by")),
            "pump-7 was never put to the test.",
            id="it never came",
        ),
        pytest.param(
            certificate(TO_COME, not_met=FAILED_AT_FIRST),
            "pump-7 failed its first job, which nobody disturbed, so no cell was played.",
            id="it failed before the cells",
        ),
        pytest.param(
            certificate(PASSED, bricked=Bricked(cell=CELLS[0].id, why="it stayed away", evidence=FAILED.evidence)),
            f"After {CELLS[0].id} it could not be brought back to work.",
            id="bricked",
        ),
        pytest.param(
            certificate(PASSED.model_copy(update={"afterwards": Afterwards(left="by-restart", why="it was silent")})),
            f"After 1 cell it had to be helped back to work, first after {CELLS[0].id}.",
            id="helped",
        ),
        pytest.param(certificate(PASSED, PASSED), "All of them passed.", id="all passed"),
    ],
)
def test_the_story_says_what_cells_came_to(kept: Certificate, says: str):
    assert says in page(kept).story


def test_who_follows_a_session_has_what_there_is():
    picture = Picture("certify pump-7", "", "certify")
    known = dumped(picture)
    followed(picture, played("hammering").entries, 50, known)
    picture.certified(certificate(PASSED, TO_COME), final=False)
    same(followed(picture, (), 1, known), dumped(picture))
    picture.certified(certificate(PASSED, FAILED))
    same(followed(picture, (), 1, known), dumped(picture))
