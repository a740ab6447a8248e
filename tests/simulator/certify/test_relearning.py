"""A device whose first job was not like its others: what a cell that struck nothing shows puts that right."""

import pytest

from simulator.certify.cell import Cell
from simulator.certify.learning import Learned
from simulator.certify.matrix import CELLS, Names
from simulator.certify.one_play import Played
from simulator.certify.relearning import learned_anew
from simulator.trace import Entry, ExecutionChanged
from simulator.verdict import Verdict
from tests.simulator.certify.test_played import THING, learned, played

NAMES = Names("cell")


def cell(name: str) -> Cell:
    (found,) = [each for each in CELLS if each.id == name]
    return found


def play(name: str, known: Learned, reports: str) -> tuple[Verdict, Played]:
    """A cell that was drawn for what is known, with a device that reports like this."""
    scenario = cell(name).scenario(known, NAMES)
    wire, _, entries = played(scenario, "reference", reports=reports)
    return wire, Played(scenario, wire, tuple(entries), 1.0, 1.0, None, ended(entries))


def ended(entries: list[Entry]) -> dict[str, str]:
    changes = (entry.event for entry in entries if isinstance(entry.event, ExecutionChanged))
    return {change.execution.job_id: change.status for change in changes}


@pytest.mark.parametrize("name", ["step-middle/calm", "recreated/same-document", "step-middle/lost-kept"])
def test_what_reported_more_in_its_first_job_is_struck_elsewhere(name: str):
    known = learned("reference", reports="progress")
    wire, missed = play(name, known, "end")
    assert wire.outcome == "inconclusive"
    anew = learned_anew(known, missed, THING)
    assert anew is not None
    assert (anew.progress, anew.listens, anew.required) == ((), known.listens, known.required)
    again, struck = play(name, anew, "end")
    assert again.outcome == "passed", again.why
    assert learned_anew(anew, struck, THING) is None


def test_a_device_that_was_struck_is_known_well_enough():
    known = learned("reference", reports="progress")
    for name in ("step-middle/calm", "report/held", "step-middle/lost-kept"):
        assert learned_anew(known, play(name, known, "progress")[1], THING) is None
