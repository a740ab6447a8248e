"""A schedule as a cell of certify: what is drawn of it, which packet each of its choices is about, what is refused."""

from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.certify.cell import Cell
from simulator.certify.held_to_schedule import is_meant, may_stand_for
from simulator.certify.names import Names
from simulator.certify.schedules import cell_of
from simulator.certify.turns import HELD, OVER
from simulator.cli.schedule_files import schedule_in
from simulator.cloud.device_api.fault_injection import About
from simulator.cloud.settings.service import MessageKind
from simulator.engines.conductor.packets import Packet
from simulator.engines.explore.schedule import parse
from simulator.scenario import After, Scenario
from tests.simulator.certify.devices import learned

KEPT = Path(__file__).parents[2] / "explore" / "schedules"


def cell(name: str) -> Cell:
    return cell_of(schedule_in(KEPT / f"{name}.yaml"))


def drawn(name: str) -> Scenario:
    return cell(name).scenario(learned(), Names("t"))


def test_what_is_done_to_the_job_waits_for_its_turn_and_the_last_job_for_the_end():
    scenario = drawn("works-for-the-one-before")
    lost, again, then = scenario.jobs
    assert (lost.after, again.after, then.after) == (None, After(fault="choice-13"), After(fault=OVER))
    assert lost.id == again.id != then.id
    ((deletion, when),) = [(each.job, each.when.fault) for each in scenario.deletions]
    assert (deletion, when) == (lost.id, "choice-10")
    assert set(scenario.moments) == {"choice-10", "choice-13", HELD, OVER}


def test_the_power_goes_with_the_choice_in_the_midst_of_which_it_does():
    name = "power-cut-before-a-step-begins"
    turns = cell(name).turns
    assert turns is not None
    (turn,) = turns.power_cuts
    assert turn.choice.then.startswith("power-cut before begin ")
    assert [cut.fault for cut in drawn(name).power_cuts] == [turn.moment]
    assert cell(name).needs == ("mqtt", "power")


def test_each_choice_of_a_packet_knows_which_it_is():
    turns = cell("deleted-while-writing").turns
    assert turns is not None
    told = {str(turn.choice): (turn.kind, turn.goes_up, turn.status, turn.role) for turn in turns.all if turn.kind}
    assert told["deliver notify"] == ("notify", False, None, None)
    assert told["arrive start-next"] == ("start-next", True, None, "asks for work")
    assert told["deliver start-next accepted"] == ("start-next-answer", False, None, None)
    assert told["arrive update fw IN_PROGRESS"] == ("update", True, "IN_PROGRESS", "report")
    assert told["arrive describe fw"] == ("describe", True, None, "question")


def test_of_a_job_that_fails_as_the_schedule_has_it_nobody_wants_that_it_succeeds():
    fails, does_not = drawn("cannot-write-the-only-slot"), drawn("update")
    assert [place.job for place in fails.must_reach if place.place == "succeeded"] == [fails.jobs[-1].id]
    assert [place.job for place in does_not.must_reach if place.place == "succeeded"] == [
        does_not.jobs[-1].id,
        does_not.jobs[0].id,
    ]


@pytest.mark.parametrize(
    ("kind", "about", "meant", "in_other_words"),
    [
        pytest.param("describe", About("fw"), True, False, id="the same question"),
        pytest.param("describe", About(None), False, False, id="a question for any job"),
        pytest.param("start-next", About(), False, False, id="another one"),
        pytest.param("update", About("fw", "IN_PROGRESS"), False, True, id="a report, which asks as well"),
        pytest.param("update", About("fw", "SUCCEEDED"), False, False, id="the last report, which ends it"),
    ],
)
def test_a_question_about_its_job_is_put_in_so_many_words(
    kind: MessageKind, about: About, meant: bool, in_other_words: bool
):
    turns = cell("deleted-while-writing").turns
    assert turns is not None
    turn = next(turn for turn in turns.all if str(turn.choice) == "arrive describe fw")
    packet = Packet(kind, lambda *_, **__: None, 0.0, about=about)
    assert (is_meant(turn, packet), may_stand_for(turn, packet)) == (meant, in_other_words)


@pytest.mark.parametrize("kind", ["get-pending", "start-next", "describe"])
def test_a_question_for_work_is_one_whichever_it_is(kind: MessageKind):
    turns = cell("update").turns
    assert turns is not None
    turn = next(turn for turn in turns.all if str(turn.choice) == "arrive start-next")
    assert is_meant(turn, Packet(kind, lambda *_, **__: None, 0.0))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("choices: [deliver notify]", r"^it:1: choice 1 of 1, 'deliver notify', cannot be played here"),
        ("choices: []", r"^it: choices: no job is made"),
        ("world: {devices: two things}\nchoices: [create fw]", r"^it: world\.devices: there is one device"),
    ],
)
def test_what_no_device_could_be_put_through_is_refused(text: str, complaint: str):
    with pytest.raises(InputError, match=complaint):
        cell_of(parse(text, "it"))
