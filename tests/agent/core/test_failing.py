"""Work that fails by itself, and a journal that cannot be written."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.abilities import Abilities, Layout
from agent.core.events import (
    BeginStep,
    Booted,
    Disconnected,
    JournalFailed,
    Remember,
    StepEnded,
    StepRestored,
    UndoStep,
    Verified,
)
from agent.core.machine import start
from agent.core.state import DevicePolicy, Executing, Gated, Idle, Recovering, Reporting, Safe
from agent.device_events import ExecutionGone, ExecutionLeft
from agent.values import Describe, ErrorCode, ExecutionState, Rejected, Status, Update, UpdateAccepted

from .driver import LEAP, NOW, Driver, execution, key

OTHER = key("other")


@pytest.mark.parametrize("in_recovery", [True, False])
def test_what_was_not_whole_with_nothing_in_hand_is_no_fault_of_later_work(in_recovery: bool):
    device = Driver(DevicePolicy(abilities=Abilities("single")))
    device(Booted(None, "recovery", in_recovery=in_recovery))
    device.connect()
    device.tell(execution(key()))
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepEnded(0, "stopped"))
    device(StepRestored(0, True))
    device(Verified(False))
    assert isinstance(device.phase, Idle if in_recovery else Safe)
    assert device.machine.unaccounted == ("recovery" if in_recovery else None)


def test_in_a_recovery_image_with_work_in_hand_it_is_whole_or_safe():
    device = Driver(DevicePolicy(abilities=Abilities("single")))
    device.connect()
    device.tell(execution(key()))
    device.step_done()
    (*_, remembered) = device.all(Remember)
    device.machine = start(device.policy)
    device(Booted(remembered.record, "recovery", in_recovery=True))
    device.connect()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepRestored(0, True))
    device(Verified(False))
    assert isinstance(device.phase, Safe)


def test_a_device_that_cannot_undo_ends_safe_and_takes_no_job():
    device = Driver.working()
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepEnded(0, "stopped"))
    device(StepRestored(0, False))
    assert isinstance(device.phase, Safe)
    before = len(device.requests)
    device.list(OTHER)
    device.connect()
    assert len(device.requests) == before


def test_a_failure_past_the_leap_says_which_version_stays():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(StepEnded(5, "failed", "no"))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ()).items() >= {"kept": "2.0", "reason": "commit: no"}.items()


def test_a_step_that_could_not_be_recorded_is_not_begun_and_the_job_fails_with_the_reason():
    device = Driver.working()
    device.step_done()
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["download"]
    device(StepRestored(0, True))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["reason"] == "the journal cannot be written: disk full"


def test_a_leap_that_could_not_be_recorded_is_taken_back():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def finishing() -> Driver:
    """On trial, told that its job is gone, with the policy of finishing: the self-test runs on."""
    device = Driver.on_trial(point_of_no_return="finish-after-switch")
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert isinstance(device.phase, Recovering)
    return device


def test_finishing_turns_round_at_a_step_that_could_not_be_recorded_while_there_is_a_way_back():
    device = finishing()
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "commit"
    device(JournalFailed("disk full", withheld=True))
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_finishing_goes_on_with_the_step_that_runs_although_the_journal_cannot_be_written():
    device = finishing()
    device(JournalFailed("disk full"))
    assert not device.all(UndoStep)
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "commit"


def writing_its_only_slot() -> Driver:
    device = Driver(DevicePolicy(abilities=Abilities("single")))
    device.connect()
    device.tell(execution(key()))
    device.step_done()
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    return device


def test_finishing_past_the_leap_ends_safe_at_a_step_that_could_not_be_recorded():
    device = writing_its_only_slot()
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "reboot"
    device(JournalFailed("disk full", withheld=True))
    assert device.phase == Safe("the journal cannot be written: disk full")


def test_a_step_that_is_on_record_as_begun_is_done_once_more_whatever_the_journal_takes():
    device = writing_its_only_slot()
    write = device.all(BeginStep)[-1]
    (*_, remembered) = device.all(Remember)
    device.machine = start(device.policy)
    device(Booted(remembered.record, in_recovery=True, unproven=True))
    device.connect()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert (write.step.action, write.again) == ("write", False)
    assert device.all(BeginStep)[-1] == replace(write, again=True)


def stuck() -> Driver:
    """The first step failed and could not be undone; the report of that is under way."""
    device = Driver.working()
    device(StepEnded(0, "failed", "disk full"))
    device.undone(ok=False)
    return device


def not_whole() -> Driver:
    """The commit failed twice, and nothing is left that would boot; the report of that is under way."""
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device(StepEnded(device.all(BeginStep)[-1].index, "failed", "flash worn out"))
    device(Verified(False))
    device.tell(execution(key(), version=LEAP, document=None))
    device(StepEnded(device.all(BeginStep)[-1].index, "failed", "flash worn out"))
    device(Verified(False))
    return device


def half_leapt(layout: Layout, leap: str) -> Driver:
    """The step that makes the leap failed, and left the hardware half changed; asking whether the job lives."""
    device = Driver(DevicePolicy(abilities=Abilities(layout), reports="end"))
    device.connect()
    device.tell(execution(key()))
    while device.all(BeginStep)[-1].step.name != leap:
        device.step_done()
        if isinstance(device.phase, Gated):
            device.tell(execution(key(), version=2, document=None))
    device(StepEnded(device.all(BeginStep)[-1].index, "failed", "a bad sector"))
    begun = [each.step.name for each in device.all(BeginStep)]
    device(Verified(False))
    assert [each.step.name for each in device.all(BeginStep)] == begun
    assert isinstance(device.request, Describe)
    return device


LEAPS = pytest.mark.parametrize(("layout", "leap"), [("ab", "commit"), ("swap", "commit"), ("single", "write")])


@LEAPS
def test_the_step_that_makes_the_leap_is_done_once_more_if_it_left_the_hardware_half_changed(layout: Layout, leap: str):
    device = half_leapt(layout, leap)
    device.tell(execution(key(), version=2, document=None))
    assert [begun.step.name for begun in device.all(BeginStep)][-2:] == [leap, leap]
    for _ in range(10):
        if isinstance(device.phase, Gated):
            device.tell(execution(key(), version=2, document=None))
        elif isinstance(device.phase, Executing):
            device.step_done()
    assert isinstance(device.request, Update)
    assert device.request.status is Status.SUCCEEDED
    assert "cause" not in dict(device.request.status_details or ())


@LEAPS
def test_half_a_leap_is_brought_to_its_end_though_its_job_is_gone(layout: Layout, leap: str):
    device = half_leapt(layout, leap)
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert [begun.step.name for begun in device.all(BeginStep)][-2:] == [leap, leap]
    device(StepEnded(device.all(BeginStep)[-1].index, "failed", "a bad sector"))
    device(Verified(False))
    assert device.phase == Safe("the hardware is not whole")


@LEAPS
def test_half_a_leap_is_made_whole_once_nobody_has_answered_for_long_enough(layout: Layout, leap: str):
    device = half_leapt(layout, leap)
    begun = len(device.all(BeginStep))
    device(Disconnected())
    assert len(device.all(BeginStep)) == begun
    device.fire("leap")
    assert [each.step.name for each in device.all(BeginStep)][begun:] == [leap]
    assert isinstance(device.phase, Executing)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(stuck, "download: disk full; could not undo download", id="a step that cannot be undone"),
        pytest.param(not_whole, "commit: flash worn out; the hardware is not whole", id="hardware that is not whole"),
    ],
)
def test_work_that_failed_beyond_repair_is_reported_with_both_reasons_before_the_device_is_safe(
    broken: Callable[[], Driver], reason: str
):
    device = broken()
    assert isinstance(device.phase, Reporting)
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["reason"] == reason
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe(reason.partition("; ")[2])
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["safe"]
    before = len(device.requests)
    device.list(OTHER)
    device.connect()
    assert len(device.requests) == before


def test_a_failure_beyond_repair_is_told_off_line_as_soon_as_there_is_a_connection():
    device = Driver.working()
    device(Disconnected("gone"))
    device(StepEnded(0, "failed", "disk full"))
    device.undone(ok=False)
    device.connect()
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe("could not undo download")


def test_a_failure_beyond_repair_is_told_after_a_restart_too_and_the_device_is_safe_after_that():
    device = stuck()
    told = device.request
    device.reboot("1.0")
    assert isinstance(device.phase, Reporting)
    device.connect()
    device.tell(execution(key(), version=2))
    assert replace(device.request, client_token=None) == replace(told, client_token=None)
    device.answer(UpdateAccepted(NOW))
    assert device.phase == Safe("could not undo download")
    device.reboot("1.0")
    assert device.phase == Safe("could not undo download")


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        pytest.param(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND), "gone", id="its job was deleted"),
        pytest.param(
            Rejected(NOW, ErrorCode.INVALID_STATE_TRANSITION, state=ExecutionState(Status.TIMED_OUT, 3)),
            "timed-out",
            id="its time was up",
        ),
    ],
)
def test_a_failure_beyond_repair_of_an_execution_that_ended_meanwhile_leaves_the_device_safe(
    answer: Rejected, end: str
):
    device = stuck()
    device.answer(answer)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["safe"]
    assert device.phase == Safe("could not undo download")
    assert len(device.all(UndoStep)) == 1
