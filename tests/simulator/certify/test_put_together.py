"""One certificate of cells that were each played alone: nobody's is missing, and none says more than it knows."""

from simulator.certify.certificate import Bricked, Certificate, Evidence, NotMet
from simulator.certify.put_together import Whole, put_together
from simulator.certify.result import not_applicable, not_played
from simulator.certify.session import Given

from .played import certificate, named, result

FIRST, SECOND, THIRD = CELLS = (named("a/first"), named("a/second"), named("b/third"))
WHOLE = Whole("pump-7", None, Given(("cmd:true",), ("./agent",), ("--wait", "9"), 7), "2026-01-02T03:04:05+00:00", 4.0)
PASSED = {cell.id: certificate(result("reference", cell)) for cell in CELLS}
UNMET = NotMet(why="the device did not come by")


def unmet(cell_id: str) -> Certificate:
    return certificate(not_played(named(cell_id), UNMET.why), learned=None, not_met=UNMET)


def ids(of: Certificate) -> list[str]:
    return [cell.id for cell in of.cells]


def test_rows_stand_in_the_order_that_was_asked_for_whoever_came_first():
    whole = put_together(CELLS, dict(reversed(PASSED.items())), WHOLE)
    assert (whole.outcome, whole.why) == ("passed", "3 of 3 cells passed")
    assert ids(whole) == ["a/first", "a/second", "b/third"]
    assert (whole.seed, whole.command, whole.options, whole.probes) == (7, ("./agent",), ("--wait", "9"), ("cmd:true",))
    assert whole.learned == {"carrier": "mqtt"}


def test_the_share_of_the_device_is_that_of_the_sessions_which_went_on_at_a_time():
    whole = put_together(CELLS, PASSED, WHOLE)
    assert (whole.seconds, whole.device_share) == (4.0, 0.25)


def test_a_cell_that_is_not_there_is_a_row_that_says_why():
    whole = put_together(CELLS, {"b/third": PASSED["b/third"]}, WHOLE, "ray: a/first was lost 3 times")
    assert whole.outcome == "inconclusive"
    assert [cell.outcome for cell in whole.cells] == ["inconclusive", "inconclusive", "passed"]
    assert whole.cells[0].why == "not played: ray: a/first was lost 3 times"
    assert whole.why == "ray: a/first was lost 3 times; 1 of 3 cells passed"


def test_what_failed_counts_though_others_are_missing():
    whole = put_together(CELLS, {"a/second": certificate(result("hammering", SECOND))}, WHOLE, "interrupted")
    assert whole.outcome == "failed"
    assert "the first is a/second" in whole.why or "it is a/second" in whole.why


def test_a_device_that_came_nowhere_was_not_met():
    whole = put_together((FIRST, SECOND), {"a/first": unmet("a/first"), "a/second": unmet("a/second")}, WHOLE)
    assert (whole.outcome, whole.why, whole.not_met) == ("inconclusive", UNMET.why, UNMET)
    assert whole.learned == {}


def test_one_that_came_only_once_has_a_row_that_says_so():
    whole = put_together(CELLS, PASSED | {"a/first": unmet("a/first")}, WHOLE)
    assert whole.not_met is None
    assert (whole.outcome, whole.cells[0].why) == ("inconclusive", f"not played: {UNMET.why}")
    assert whole.learned == {"carrier": "mqtt"}


def test_the_first_that_bricked_it_is_told_and_what_the_others_showed_is_not_unsaid():
    bricked = Bricked(cell="a/second", why="it stays away", evidence=(Evidence(id="cloud#1", at=1.0, text="it left"),))
    alone = PASSED | {"a/second": certificate(result("reference", SECOND), bricked=bricked)}
    whole = put_together(CELLS, alone, WHOLE)
    assert (whole.outcome, whole.bricked) == ("failed", bricked)
    assert [cell.outcome for cell in whole.cells] == ["passed", "passed", "passed"]


def test_what_could_not_be_seen_anywhere_and_every_warning_is_said_once():
    skipped = not_applicable(SECOND, "it speaks no MQTT")
    alone = {
        "a/first": certificate(result("reference", FIRST), not_seen={"bootable": "no probe"}, warnings=("it is slow",)),
        "a/second": certificate(skipped),
        "b/third": certificate(result("reference", THIRD), not_seen={"bootable": "no probe"}, warnings=("it is slow",)),
    }
    whole = put_together(CELLS, alone, WHOLE)
    assert (dict(whole.not_seen), whole.warnings) == ({"bootable": "no probe"}, ("it is slow",))
    assert whole.why == "2 of 2 cells passed, 1 did not apply"
