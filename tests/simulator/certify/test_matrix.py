"""The cells: each is a scenario that can be played, and says what it is for."""

from pathlib import Path

import pytest

from agent.errors import InputError
from simulator.certify.cell import Cell
from simulator.certify.draft import MARGIN_SECONDS, MARK
from simulator.certify.learning import Learned
from simulator.certify.matrix import CELLS, DEFAULT, QUICK, Names, Need, choose, not_applicable, undisturbed
from simulator.certify.moments import cells_of
from simulator.certify.one_play import slow_after
from simulator.devices.models import MODELS
from simulator.scenario import Scenario
from tests.simulator.certify.devices import DEVICES, learned

GOLDEN = Path(__file__).with_name("cells.txt")
"""Every cell with its level and what it needs: names that people have in their pipelines."""
ALL: frozenset[Need] = frozenset({"power", "restart"})
EACH = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def players(cell: Cell) -> list[Learned]:
    """The devices for which a cell means something; there is one for each."""
    found = [device for device in DEVICES.values() if not_applicable(cell, device, ALL) is None]
    assert found
    return found


def drawn(cell: Cell, device: Learned) -> Scenario:
    return cell.scenario(device, Names("ghostjob-1"))


@EACH
def test_a_cell_is_a_scenario_that_ends_with_a_job_for_the_device(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        assert Scenario.model_validate(scenario.model_dump()) == scenario, "whatever reads it, reads the same"
        last = scenario.jobs[-1]
        assert last.namespace == device.namespace_id
        assert not last.provokes
        assert last.after is not None, "it comes once something has happened"
        assert last.id not in {deletion.job for deletion in scenario.deletions} or last.after.until == "gone"


@EACH
def test_a_cell_proves_that_it_was_played(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        struck = {place.fault for place in scenario.must_reach if place.place == "fault-struck"}
        assert MARK in struck
        assert struck <= {fault.name for fault in scenario.faults}
        went_on = {place.place for place in scenario.must_reach} & {"recovered", "reused-id"}
        if scenario.deletions and cell.point not in ("cancelled", "deleting", "provoked"):
            assert went_on, "it was deleted, and the device at work again afterwards"


@EACH
def test_a_cell_ends_by_itself_only_once_all_bounds_are_over(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        bounds = scenario.bounds
        assert (
            scenario.time_limit_seconds > cell.seconds(device) + bounds.ready_seconds + bounds.uninterruptible_seconds
        )
        assert scenario.time_limit_seconds > cell.seconds(device) + bounds.silence_seconds
        assert cell.seconds(device) >= device.take_seconds + device.work_seconds


@EACH
def test_a_cell_is_slow_once_it_takes_longer_than_was_to_be_expected(cell: Cell):
    for device in players(cell):
        after, more = slow_after(drawn(cell, device))
        assert after == pytest.approx(cell.seconds(device) + MARGIN_SECONDS, abs=0.01)
        assert more >= drawn(cell, device).bounds.silence_seconds


@EACH
def test_nothing_is_held_for_longer_than_devices_wait(cell: Cell):
    for fault in drawn(cell, learned(takes_by="describe-update")).faults:
        assert fault.do != "hold" or fault.lasts <= 3
        assert fault.do != "hold" or fault.job is not None


@EACH
def test_what_a_poller_asked_before_there_was_a_job_is_no_question_for_it(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        for fault in scenario.faults:
            if fault.name == MARK and {*fault.messages} <= {"get-pending", "start-next", "describe"}:
                assert fault.after_queueing_of == (None if device.listens else scenario.jobs[0].id)


@EACH
def test_what_a_device_was_told_before_there_was_a_job_does_not_hand_it_over(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        for fault in scenario.faults:
            if fault.name == MARK and {*fault.messages} <= {"start-next-answer", "describe-answer"}:
                assert fault.after_queueing_of == scenario.jobs[0].id


ANNOUNCED = [cell for cell in CELLS if cell.id.startswith("asking/announcement")]


@pytest.mark.parametrize("cell", ANNOUNCED, ids=lambda cell: cell.id)
def test_who_asks_by_himself_as_a_job_is_announced_is_answered_when_it_is_gone(cell: Cell):
    for device in players(cell):
        scenario = drawn(cell, device)
        (held,) = [fault for fault in scenario.faults if {"get-pending", "start-next", "describe"} == {*fault.messages}]
        assert (held.do, held.job, held.until, held.nth) == ("hold", scenario.jobs[0].id, "removed", None)


@EACH
def test_a_cell_says_what_it_shows_and_which_mistake_it_finds(cell: Cell):
    assert 20 < len(cell.shows) <= 110
    assert not cell.shows.endswith(".")
    assert 10 < len(cell.mistake) <= 110
    assert set(cell.catches) <= set(MODELS)
    assert cell.condition


def test_every_cell_is_another_scenario():
    names = {}
    for cell in CELLS:
        told = drawn(cell, learned(takes_by="describe-update")).model_dump_json(exclude={"name", "about"})
        assert told not in names, f"{cell.id} is {names[told]}"
        names[told] = cell.id


def test_there_are_eight_quick_cells_and_an_order_that_ends_with_what_cuts_the_power():
    assert len(QUICK) == 8
    assert CELLS[:8] == QUICK
    assert 20 <= len(DEFAULT) <= 30
    assert len({cell.id for cell in CELLS}) == len(CELLS)
    needs_power = ["power" in cell.needs for cell in CELLS]
    assert needs_power == sorted(needs_power)


def test_quick_takes_less_than_two_minutes_and_all_less_than_fifteen_with_steps_of_a_second():
    device = learned()
    assert sum(cell.seconds(device) for cell in QUICK) < 100
    assert sum(cell.seconds(device) for cell in CELLS if not_applicable(cell, device, ALL) is None) < 840


SAID = cells_of(["erasing sector"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({"quick": True}, [cell.id for cell in QUICK], id="quick"),
        pytest.param({"full": True}, [cell.id for cell in CELLS], id="full"),
        pytest.param({}, [cell.id for cell in DEFAULT], id="nothing said"),
        pytest.param({"only": ["report/held"]}, ["report/held"], id="one cell"),
        pytest.param({"only": ["report/held"], "more": SAID}, ["report/held"], id="one cell, and no moment"),
        pytest.param({"only": ["said-1/power"], "more": SAID}, ["said-1/power"], id="a moment"),
        pytest.param({"only": ["said-1"], "more": SAID}, ["said-1/calm", "said-1/power"], id="a moment's point"),
        pytest.param({"quick": True, "more": SAID}, [cell.id for cell in (*QUICK, *SAID)], id="quick, and the moments"),
        pytest.param(
            {"only": ["cancelled", "asking/cut"]}, ["cancelled/calm", "cancelled/deleted", "asking/cut"], id="a point"
        ),
    ],
)
def test_cells_are_chosen_by_name_or_by_point_in_the_order_of_all(asked: dict[str, object], found: list[str]):
    assert [cell.id for cell in choose(**asked)] == found  # type: ignore[arg-type]


def test_a_cell_that_there_is_not_is_told_with_what_was_perhaps_meant():
    with pytest.raises(InputError, match=r"--only report/hold: no such cell or point; .*report/held"):
        choose(["report/hold"])


@pytest.mark.parametrize(
    ("device", "abilities", "cell", "why"),
    [
        pytest.param("start-next", frozenset(), "step-middle/power", "--power-cmd", id="no power"),
        pytest.param("start-next", ALL, "step-middle/power", None, id="power"),
        pytest.param("http-only", ALL, "step-middle/notification-lost", "listens to no notification", id="deaf"),
        pytest.param("silent", ALL, "step-middle/held", "reports nothing", id="silent"),
        pytest.param("silent", ALL, "step-middle/calm", None, id="silent, and at work"),
        pytest.param("one-report", ALL, "step-last/calm", "no two things", id="one report"),
        pytest.param("start-next", ALL, "reading/held", "does not read", id="takes unread"),
        pytest.param("greengrass", ALL, "execution-deleted/calm", "AWS's services", id="a namespace of AWS's"),
    ],
)
def test_what_means_nothing_for_a_device_is_not_played_and_says_why(
    device: str, abilities: frozenset[Need], cell: str, why: str | None
):
    (found,) = choose([cell])
    told = not_applicable(found, DEVICES[device], abilities)
    assert told is None if why is None else why in (told or "")


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_has_quick_cells_to_live_through(device: str):
    assert sum(not_applicable(cell, DEVICES[device], ALL) is None for cell in QUICK) >= 5


def test_no_two_jobs_of_a_session_have_one_id_nor_two_in_a_row_one_document():
    names = Names("ghostjob-1")
    jobs = [job for cell in CELLS for job in cell.scenario(learned(takes_by="describe-update"), names).jobs]
    starts = [job.id for job in jobs if job.after is None or job.after.until != "gone"]
    assert len(set(starts)) == len(starts)
    assert all(len(job.id) <= 64 for job in jobs)


def test_the_version_of_a_job_is_that_of_the_last_document_under_its_id():
    names = Names("ghostjob-1")
    (same,), (other,) = choose(["recreated/same-document"]), choose(["recreated/other-document"])
    first = same.scenario(learned(), names)
    assert names.version_of(first.jobs[-1].id) == first.jobs[0].job_document()["version"]
    second = other.scenario(learned(), names)
    assert names.version_of(second.jobs[-1].id) == second.jobs[-1].job_document()["version"]
    assert second.jobs[-1].id == second.jobs[0].id
    assert second.jobs[-1].job_document() != second.jobs[0].job_document()


def test_an_id_must_leave_room_for_what_it_says():
    with pytest.raises(InputError, match="cannot begin with"):
        Names("x" * 41)


def test_an_undisturbed_job_is_all_there_is():
    scenario = undisturbed(Names("ghostjob-1"), "lab", 600)
    assert (len(scenario.jobs), scenario.deletions, scenario.faults) == (1, (), ())
    assert scenario.jobs[0].namespace == scenario.devices[0].namespace == "lab"
    assert scenario.time_limit_seconds == scenario.bounds.ready_seconds == 600


def test_the_cells_are_these():
    told = [" ".join((cell.id, cell.level, *cell.needs)) for cell in CELLS]
    assert told == GOLDEN.read_text("utf-8").splitlines(), "if it is meant: write them to cells.txt"
