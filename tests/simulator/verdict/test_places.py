from collections.abc import Callable
from typing import get_args

import pytest

from agent.device_events import DeviceBooted, PowerLost
from simulator.scenario import PlaceName
from simulator.trace import CONTROLLER, DeletionRefused, Entry, ExecutionChanged
from simulator.verdict import PlaceToReach, Reached
from tests.simulator.verdict.stories.scenes import (
    at_work,
    commits_what_is_on_trial,
    ends_its_test,
    keeps_without_a_job,
    leapt,
    lost_in_write,
    on_trial,
    recovers_from_write,
    writes_the_only_slot,
)
from tests.simulator.verdict.tale import FW, FW_AGAIN, NEXT, THING, Tale, judge, merged

IN_WRITE = PlaceToReach(id="deleted-in-step fw write", place="deleted-in-step", job="fw", step="write", things=(THING,))
PAST_LEAP = PlaceToReach(id="deleted-after-leap fw", place="deleted-after-leap", job="fw", things=(THING,))
REUSED = PlaceToReach(id="reused-id fw", place="reused-id", job="fw", things=(THING,))
SUCCEEDED = PlaceToReach(id="succeeded fw", place="succeeded", job="fw", things=(THING,))
RECOVERED = PlaceToReach(id="recovered fw", place="recovered", job="fw", things=(THING,))


def place(name: PlaceName, **more: str) -> PlaceToReach:
    return PlaceToReach(id=name, place=name, job="fw", things=(THING,), **more)  # type: ignore[arg-type]


def removed_before_the_step(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code="ResourceNotFound")
    tale.begin(FW, "write")


def told_in_the_step_that_a_record_is_gone_which_goes_later(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write")
    tale.remove(FW)


def takes_another_before_the_record_goes(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.remove(FW)


def beside_an_older_one(tale: Tale) -> None:
    tale.queue(NEXT)
    tale.take(NEXT)
    at_work(tale)
    tale.remove(FW)


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


def reports_its_failure(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW, "FAILED")


def reports_its_success(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)


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


def reports_and_is_removed(tale: Tale) -> None:
    leapt(tale)
    token = tale.send("update", FW, status="SUCCEEDED")
    tale.arrive(token, found=FW)
    tale.remove(FW)


def removed_offline(tale: Tale) -> None:
    at_work(tale)
    tale.disconnect()
    tale.wait(1)
    tale.remove(FW)
    tale.wait(1)
    tale.connect()


def removed_before_the_first_connection(tale: Tale) -> None:
    tale.queue(FW)
    tale.remove(FW, "QUEUED")
    tale.wait(1)
    tale.connect()


def reboots(tale: Tale, step: str, *, is_removed_before: bool) -> None:
    at_work(tale)
    tale.begin(FW, step)
    tale.wait(1)
    if is_removed_before:
        tale.remove(FW)
    tale.wait(1)
    tale.device(DeviceBooted("2.0", "reboot", on_trial=True))
    tale.wait(1)
    tale.ask(FW)
    if not is_removed_before:
        tale.remove(FW)


def removed_while_rebooting(tale: Tale) -> None:
    reboots(tale, "reboot", is_removed_before=True)


def removed_after_the_reboot(tale: Tale) -> None:
    reboots(tale, "reboot", is_removed_before=False)


def loses_power(tale: Tale, instant: str, step: str | None = "write", *, is_removed: bool = False) -> None:
    at_work(tale)
    if step is not None:
        tale.begin(FW, step)
    tale.wait(1)
    tale.device(PowerLost(instant))
    tale.wait(1)
    if is_removed:
        tale.remove(FW)
    tale.wait(1)
    tale.device(DeviceBooted("1.0", "power-lost"))
    tale.ask(FW)


def removed_while_powerless(tale: Tale) -> None:
    loses_power(tale, "write 3/32", is_removed=True)


def loses_power_in_the_write(tale: Tale) -> None:
    loses_power(tale, "write 3/32")


def loses_power_after_the_journal_in_a_step(tale: Tale) -> None:
    loses_power(tale, "journal synced")


def loses_power_once_the_report_is_in_the_journal(tale: Tale) -> None:
    loses_power(tale, "journal synced", None)


def loses_power_once_the_report_is_sent(tale: Tale) -> None:
    at_work(tale)
    tale.send("update", FW, status="SUCCEEDED")
    tale.device(PowerLost("journal synced"))


def loses_power_as_it_writes_down_that_it_is_done(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW)
    tale.device(PowerLost("journal write"))


def loses_power_when_it_has_asked_for_more(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW)
    tale.send("start-next")
    tale.device(PowerLost("journal write"))


def loses_power_without_the_job(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.device(PowerLost("write 3/32"), DeviceBooted("1.0", "power-lost"))


def works_on_two(tale: Tale) -> None:
    at_work(tale)
    tale.queue(NEXT)
    tale.cloud(ExecutionChanged(THING, NEXT, "IN_PROGRESS", 2, "device"))
    tale.remove(FW)


def one_waits_beside_the_other(tale: Tale) -> None:
    at_work(tale)
    tale.queue(NEXT)
    tale.remove(FW)


def cancelled_in_write(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.wait(1)
    tale.update(FW)
    tale.cloud(ExecutionChanged(THING, FW, "CANCELED", 4, "service"))


def asks_before_the_leap(tale: Tale, *, is_removed_before_the_answer: bool) -> None:
    at_work(tale)
    tale.step(FW, "write")
    tale.update(FW)
    token = tale.send("describe", FW)
    tale.wait(1)
    if is_removed_before_the_answer:
        tale.remove(FW)
    tale.arrive(token, found=FW)
    tale.wait(1)
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.begin(FW, "switch", reversible=False)
    tale.wait(1)
    tale.update(FW)
    if not is_removed_before_the_answer:
        tale.remove(FW)


def removed_while_it_asks(tale: Tale) -> None:
    asks_before_the_leap(tale, is_removed_before_the_answer=True)


def removed_after_it_asked(tale: Tale) -> None:
    asks_before_the_leap(tale, is_removed_before_the_answer=False)


def stale_update(tale: Tale, *, arrives: bool) -> None:
    at_work(tale)
    token = tale.send("update", FW, status="IN_PROGRESS")
    tale.remove(FW)
    if not arrives:
        tale.arrive(token, code="ResourceNotFound")
    tale.queue(FW_AGAIN)
    if arrives:
        tale.arrive(token, code="VersionMismatch")


def an_update_arrives_too_late(tale: Tale) -> None:
    stale_update(tale, arrives=True)


def an_update_arrives_before_the_id_is_used_again(tale: Tale) -> None:
    stale_update(tale, arrives=False)


def throttled(tale: Tale, *, hinted: bool) -> None:
    at_work(tale)
    tale.hint(*(() if hinted else (FW,)))
    tale.ask(FW, code="RequestThrottled")


def throttled_after_a_hint(tale: Tale) -> None:
    throttled(tale, hinted=True)


def throttled_without_suspicion(tale: Tale) -> None:
    throttled(tale, hinted=False)


def is_refused_in_the_switch(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.begin(FW, "switch")
    tale.finish(FW, "switch", "failed")
    tale.report(FW, "FAILED", details=(("reason", "the image is not signed"),))


def is_rejected_after_a_rollback(tale: Tale) -> None:
    on_trial(tale)
    tale.lose_power(version="1.0")
    tale.hardware("1.0")
    tale.report(FW, "REJECTED", details=(("reason", "it does not boot"),))


def comes_down_on_trial_and_is_tried_again(tale: Tale) -> None:
    on_trial(tale)
    tale.lose_power(version="2.0", on_trial=True)
    tale.report(FW, "FAILED", details=(("reason", "it is not tested yet"),))


def loses_power_once_it_is_done(tale: Tale) -> None:
    on_trial(tale)
    tale.report(FW, "FAILED", details=(("reason", "it is not tested yet"),))
    tale.lose_power(version="1.0")


def keeps_what_it_writes_over_the_old(tale: Tale) -> None:
    writes_the_only_slot(tale)
    ends_its_test(tale, "failed")
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))


def passes_its_test(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    commits_what_is_on_trial(tale)
    tale.report(FW)


def told_that_it_lives_after_all(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW)


def asks_for_work(tale: Tale, *, is_queued: bool) -> None:
    tale.connect()
    if is_queued:
        tale.queue(FW)
    token = tale.send("describe", job_id="$next")
    tale.arrive(token)
    tale.answer(token)
    if not is_queued:
        tale.queue(FW)
    tale.take(FW)


def asks_for_work_too_early(tale: Tale) -> None:
    asks_for_work(tale, is_queued=True)


def asks_for_work_before_there_is_any(tale: Tale) -> None:
    asks_for_work(tale, is_queued=False)


def an_answer_is_lost(tale: Tale) -> None:
    at_work(tale)
    tale.arrive(tale.send("update", FW, status="IN_PROGRESS"), found=FW)
    tale.ask(FW)


def a_request_is_lost(tale: Tale) -> None:
    at_work(tale)
    tale.send("update", FW, status="IN_PROGRESS")
    tale.ask(FW)


def an_update_arrives_twice(tale: Tale) -> None:
    at_work(tale)
    token = tale.send("update", FW, status="IN_PROGRESS")
    tale.arrive(token, found=FW)
    tale.arrive(token, code="VersionMismatch")


def hears_of_it_again(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.hint(FW)


def hears_of_it_in_time(tale: Tale) -> None:
    at_work(tale)
    tale.hint(FW)
    tale.remove(FW)
    tale.hint()


def hears_nothing(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)


def is_never_connected(tale: Tale) -> None:
    tale.queue(FW)


@pytest.mark.parametrize(
    ("place", "tell", "devices"),
    [
        pytest.param(IN_WRITE, lost_in_write, 1, id="in the step, which never ends"),
        pytest.param(IN_WRITE, recovers_from_write, 1, id="in the step, which is stopped later"),
        pytest.param(IN_WRITE, told_in_the_step_that_a_record_is_gone_which_goes_later, 1, id="told in the step"),
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
        pytest.param(SUCCEEDED, reports_its_success, 1, id="SUCCEEDED"),
        pytest.param(SUCCEEDED, removed_after_the_report, 1, id="SUCCEEDED, and removed since"),
        pytest.param(SUCCEEDED, reports_its_failure, 0, id="FAILED is no success"),
        pytest.param(SUCCEEDED, lost_in_write, 0, id="removed before its end"),
        pytest.param(RECOVERED, takes_another, 1, id="IN_PROGRESS on another"),
        pytest.param(RECOVERED, takes_the_reused_id, 1, id="IN_PROGRESS on another of the same id"),
        pytest.param(RECOVERED, takes_another_before_the_record_goes, 1, id="IN_PROGRESS on another sooner than that"),
        pytest.param(RECOVERED, beside_an_older_one, 0, id="IN_PROGRESS on an older one all the time"),
        pytest.param(RECOVERED, recovers_from_write, 0, id="nothing to go on with"),
        *(
            pytest.param(place(name, **more), tell, devices, id=f"{name}: {tell.__name__.replace('_', ' ')}")  # type: ignore[arg-type]
            for name, more, tell, devices in (
                ("deleted-before-start", {}, removed_before_the_first_connection, 1),
                ("deleted-before-start", {}, lost_in_write, 0),
                ("deleted-before-leap", {}, removed_while_it_asks, 1),
                ("deleted-before-leap", {}, removed_after_it_asked, 0),
                ("deleted-before-leap", {}, lost_in_write, 0),
                ("deleted-after-report-left", {}, reports_and_is_removed, 1),
                ("deleted-after-report-left", {}, keeps_without_a_job, 0),
                ("deleted-while-offline", {}, removed_offline, 1),
                ("deleted-while-offline", {}, removed_before_the_first_connection, 0),
                ("deleted-while-offline", {}, lost_in_write, 0),
                ("deleted-while-rebooting", {}, removed_while_rebooting, 1),
                ("deleted-while-rebooting", {}, removed_after_the_reboot, 0),
                ("deleted-while-powerless", {}, removed_while_powerless, 1),
                ("deleted-while-powerless", {}, removed_while_rebooting, 0),
                ("deleted-in-step", {"step": "reboot"}, removed_while_rebooting, 1),
                ("deleted-in-step", {"step": "reboot"}, removed_after_the_reboot, 0),
                ("deleted-in-step", {"step": "write"}, removed_while_powerless, 0),
                ("deleted-beside-another", {}, works_on_two, 1),
                ("deleted-beside-another", {}, one_waits_beside_the_other, 0),
                ("cancelled-in-step", {"step": "write"}, cancelled_in_write, 1),
                ("cancelled-in-step", {"step": "write"}, lost_in_write, 0),
                ("stale-update-after-recreation", {}, an_update_arrives_too_late, 1),
                ("stale-update-after-recreation", {}, an_update_arrives_before_the_id_is_used_again, 0),
                ("power-lost-in", {"step": "write"}, loses_power_in_the_write, 1),
                ("power-lost-in", {"step": "download"}, loses_power_in_the_write, 0),
                ("power-lost-in", {"instant": "write 3/32"}, loses_power_in_the_write, 1),
                ("power-lost-in", {"instant": "write 4/32"}, loses_power_in_the_write, 0),
                ("power-lost-in", {"step": "write"}, loses_power_once_the_report_is_in_the_journal, 0),
                ("power-lost-in", {}, loses_power_without_the_job, 0),
                ("power-lost-in", {"instant": "journal write"}, loses_power_as_it_writes_down_that_it_is_done, 1),
                ("power-lost-in", {"instant": "journal write"}, loses_power_when_it_has_asked_for_more, 0),
                ("power-lost-before-publishing", {}, loses_power_once_the_report_is_in_the_journal, 1),
                ("power-lost-before-publishing", {}, loses_power_after_the_journal_in_a_step, 0),
                ("power-lost-before-publishing", {}, loses_power_once_the_report_is_sent, 0),
                ("power-lost-before-publishing", {}, loses_power_in_the_write, 0),
                ("throttled-while-suspect", {}, throttled_after_a_hint, 1),
                ("throttled-while-suspect", {}, throttled_without_suspicion, 0),
                ("failed-in-step", {"step": "switch"}, is_refused_in_the_switch, 1),
                ("failed-in-step", {"step": "write"}, is_refused_in_the_switch, 0),
                ("failed-in-step", {"step": "self-test"}, keeps_what_it_writes_over_the_old, 1),
                ("failed-in-step", {"step": "self-test"}, passes_its_test, 0),
                ("rolled-back", {}, is_rejected_after_a_rollback, 1),
                ("rolled-back", {}, comes_down_on_trial_and_is_tried_again, 0),
                ("rolled-back", {}, loses_power_once_it_is_done, 0),
                ("rolled-back", {}, keeps_what_it_writes_over_the_old, 0),
                ("rolled-back", {}, loses_power_in_the_write, 0),
                ("failed-unchanged", {}, is_refused_in_the_switch, 1),
                ("failed-unchanged", {}, is_rejected_after_a_rollback, 0),
                ("failed-unchanged", {}, keeps_what_it_writes_over_the_old, 0),
                ("failed-unchanged", {}, passes_its_test, 0),
                ("told-stale", {}, told_that_it_lives_after_all, 1),
                ("told-stale", {}, lost_in_write, 0),
                ("told-too-early", {}, asks_for_work_too_early, 1),
                ("told-too-early", {}, asks_for_work_before_there_is_any, 0),
                ("answer-lost", {}, an_answer_is_lost, 1),
                ("answer-lost", {}, a_request_is_lost, 0),
                ("delivered-twice", {}, an_update_arrives_twice, 1),
                ("delivered-twice", {}, an_answer_is_lost, 0),
                ("announced-after-deletion", {}, hears_of_it_again, 1),
                ("announced-after-deletion", {}, hears_of_it_in_time, 0),
                ("heard", {"hint": "notify"}, hears_of_it_in_time, 1),
                ("heard", {"hint": "notify-next"}, hears_of_it_in_time, 0),
                ("heard", {"hint": "notify"}, hears_nothing, 0),
                ("heard-absence", {"hint": "notify"}, hears_of_it_in_time, 1),
                ("heard-absence", {"hint": "notify"}, hears_nothing, 0),
                ("never-heard", {"hint": "notify-next"}, hears_of_it_in_time, 1),
                ("never-heard", {"hint": "notify"}, hears_of_it_in_time, 0),
                ("never-heard", {"hint": "notify"}, is_never_connected, 0),
            )
        ),
    ],
)
def test_whether_a_device_reached_a_place(place: PlaceToReach, tell: Callable[[Tale], None], devices: int):
    tale = Tale(place)
    tell(tale)
    tale.end()
    verdict = judge(tale.entries)
    assert verdict.reached == (Reached(id=place.id, devices=devices, of=1),)


@pytest.mark.parametrize(
    ("refusal", "devices"),
    [
        pytest.param(DeletionRefused("fw", "LimitExceededException", retry=True), 1, id="refused for the time being"),
        pytest.param(DeletionRefused("fw", "InvalidStateTransitionException", retry=False), 0, id="refused for good"),
        pytest.param(DeletionRefused("next", "LimitExceededException", retry=True), 0, id="another job"),
    ],
)
def test_whether_a_deletion_was_refused(refusal: DeletionRefused, devices: int):
    tale = Tale(place("deletion-refused"))
    tale.connect()
    tale.end()
    verdict = judge([*tale.entries, Entry(CONTROLLER, 1, 0.0, refusal)])
    assert verdict.reached == (Reached(id="deletion-refused", devices=devices, of=1),)


def test_every_place_has_a_test():
    names = {place for mark in test_whether_a_device_reached_a_place.pytestmark for place in _reached_in(mark)}  # type: ignore[attr-defined]
    assert names == set(get_args(PlaceName)) - {"deletion-refused", "fault-struck"}


def _reached_in(mark: pytest.Mark) -> set[str]:
    return {case.values[0].place for case in mark.args[1] if case.values[2]}


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
