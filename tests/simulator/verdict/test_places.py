from collections.abc import Callable

import pytest

from simulator.trace import Entry
from simulator.verdict import PlaceToReach, Reached
from tests.simulator.verdict.stories import (
    at_work,
    keeps_without_a_job,
    leapt,
    lost_in_write,
    recovers_from_write,
)
from tests.simulator.verdict.tale import FW, FW_AGAIN, NEXT, THING, Tale, judge, merged

IN_WRITE = PlaceToReach(id="deleted-in-step fw write", place="deleted-in-step", job="fw", step="write", things=(THING,))
PAST_LEAP = PlaceToReach(id="deleted-after-leap fw", place="deleted-after-leap", job="fw", things=(THING,))
REUSED = PlaceToReach(id="reused-id fw", place="reused-id", job="fw", things=(THING,))
RECOVERED = PlaceToReach(id="recovered fw", place="recovered", job="fw", things=(THING,))


def removed_before_the_step(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code="ResourceNotFound")
    tale.begin(FW, "write")


def removed_after_the_step(tale: Tale) -> None:
    at_work(tale)
    tale.step(FW, "write")
    tale.update(FW)
    tale.remove(FW)


def removed_so_close_to_the_start_that_clocks_leave_it_open(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.remove(FW)


def removed_in_the_step_before(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.take(FW)
    tale.begin(FW, "download")
    tale.update(FW)
    tale.remove(FW)


def removed_after_the_report(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.remove(FW, "SUCCEEDED")


def takes_the_reused_id(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)


def takes_the_id_reused_within_the_second(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)


def sees_the_reused_id_queued(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)


def takes_another(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.take(NEXT)


@pytest.mark.parametrize(
    ("place", "tell", "devices"),
    [
        pytest.param(IN_WRITE, lost_in_write, 1, id="in the step, which never ends"),
        pytest.param(IN_WRITE, recovers_from_write, 1, id="in the step, which is stopped later"),
        pytest.param(IN_WRITE, removed_before_the_step, 0, id="before the step"),
        pytest.param(IN_WRITE, removed_after_the_step, 0, id="after the step"),
        pytest.param(IN_WRITE, removed_in_the_step_before, 0, id="in another step"),
        pytest.param(
            IN_WRITE, removed_so_close_to_the_start_that_clocks_leave_it_open, 0, id="too close to its start to tell"
        ),
        pytest.param(PAST_LEAP, keeps_without_a_job, 1, id="past the leap"),
        pytest.param(PAST_LEAP, removed_after_the_report, 0, id="past the leap, but after the report"),
        pytest.param(PAST_LEAP, lost_in_write, 0, id="not past the leap"),
        pytest.param(REUSED, takes_the_reused_id, 1, id="IN_PROGRESS under the id again"),
        pytest.param(REUSED, takes_the_id_reused_within_the_second, 1, id="IN_PROGRESS again, in the same second"),
        pytest.param(REUSED, sees_the_reused_id_queued, 0, id="only queued under the id again"),
        pytest.param(REUSED, takes_another, 0, id="IN_PROGRESS under another id"),
        pytest.param(RECOVERED, takes_another, 1, id="IN_PROGRESS on another"),
        pytest.param(RECOVERED, takes_the_reused_id, 1, id="IN_PROGRESS on another of the same id"),
        pytest.param(RECOVERED, recovers_from_write, 0, id="nothing to go on with"),
    ],
)
def test_whether_a_device_reached_a_place(place: PlaceToReach, tell: Callable[[Tale], None], devices: int):
    tale = Tale(place)
    tell(tale)
    tale.end()
    verdict = judge(tale.entries)
    assert verdict.reached == (Reached(id=place.id, devices=devices, of=1),)


def two_devices_of_which_one_gets_there(place: PlaceToReach) -> list[Entry]:
    there = Tale(thing="there")
    recovers_from_write(there)
    elsewhere = Tale(thing="elsewhere")
    elsewhere.connect()
    return merged(there, elsewhere, places=(place.model_copy(update={"things": ("there", "elsewhere")}),))


def test_a_place_that_only_some_devices_reach_is_not_reached_by_all():
    verdict = judge(two_devices_of_which_one_gets_there(IN_WRITE))
    assert verdict.reached == (Reached(id=IN_WRITE.id, devices=1, of=2),)
    assert not verdict.passed


def test_a_place_that_any_device_may_reach_is_reached_by_one():
    verdict = judge(two_devices_of_which_one_gets_there(IN_WRITE.model_copy(update={"devices": "any"})))
    assert verdict.reached == (Reached(id=IN_WRITE.id, devices=1, of=2),)
    assert verdict.passed


def test_a_place_that_any_device_may_reach_needs_one():
    tale = Tale(IN_WRITE.model_copy(update={"devices": "any"}))
    tale.connect()
    tale.end()
    assert not judge(tale.entries).passed


def test_a_place_that_no_device_is_asked_to_reach_is_no_obstacle():
    tale = Tale(IN_WRITE.model_copy(update={"things": ()}))
    tale.connect()
    tale.end()
    assert judge(tale.entries).passed
