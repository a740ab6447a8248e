"""How a device works through a plan, up to the leap and over it."""

import pytest

from agent.abilities import Abilities
from agent.core.events import (
    Answered,
    BeginStep,
    Disconnected,
    StepEnded,
    StepRestored,
    StopStep,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.state import DevicePolicy, Gated, Recovering, Reporting, Suspect
from agent.device_events import ExecutionGone, ExecutionLeft, RequestSent
from agent.values import Describe, ErrorCode, ExecutionTold, JobDocument, StartNext, Status, Update, UpdateAccepted

from .driver import LEAP, NOW, Driver, execution, key


def test_a_whole_update_reports_each_step_asks_before_the_leap_and_ends_succeeded():
    device = Driver.reporting()
    assert isinstance(device.phase, Reporting)
    device.accept(6)
    kinds = [(sent.request, sent.status) for sent in device.told(RequestSent)]
    assert kinds == [
        ("start-next", None),
        *[("update", "IN_PROGRESS")] * 3,
        ("describe", None),
        *[("update", "IN_PROGRESS")] * 2,
        ("describe", None),
        ("update", "SUCCEEDED"),
        ("start-next", None),
    ]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]


def test_every_update_says_which_version_it_expects():
    device = Driver.reporting()
    versions = [request.expected_version for request in device.requests if isinstance(request, Update)]
    assert versions == [2, 3, 4, 5, 6, LEAP]


def test_a_step_does_not_begin_before_the_report_of_the_last_one_is_accepted():
    device = Driver.working()
    device.step_done()
    assert isinstance(device.phase, Gated)
    assert len(device.all(BeginStep)) == 1
    device.accept()
    assert len(device.all(BeginStep)) == 2


def test_progress_made_while_a_report_is_under_way_is_reported_after_it():
    device = Driver.working()
    device.advance(10)
    device.advance(50)
    assert len([r for r in device.requests if isinstance(r, Update)]) == 1
    device.accept()
    assert isinstance(device.request, Update)
    assert dict(device.request.status_details or ())["progress"] == "50"


@pytest.mark.parametrize("reports", ["steps", "end"])
def test_a_policy_that_wants_no_progress_reports_none(reports: str):
    device = Driver.working(reports=reports)
    device.advance(50)
    assert not [request for request in device.requests if isinstance(request, Update)]


def test_a_failed_step_is_undone_and_then_reported():
    device = Driver.working()
    device(StepEnded(0, "failed", "no such image"))
    assert device.all(UndoStep)[0].step.name == "download"
    device(StepRestored(0, True))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert "no such image" in dict(device.request.status_details or ())["reason"]
    assert not device.told(ExecutionGone)


HANDLERS = JobDocument.of(
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": name, "type": "runHandler", "input": {"handler": f"{name}.sh"}}}
            for name in ("first", "second")
        ],
    }
)


def at_a_handler() -> Driver:
    device = Driver()
    device.connect()
    device.tell(execution(key(), document=HANDLERS))
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    return device


def test_a_document_whose_first_step_nobody_knows_is_rejected():
    device = at_a_handler()
    device(StepEnded(0, "refused", "there is no handler first.sh"))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.REJECTED
    assert dict(device.request.status_details or ())["reason"] == "first: there is no handler first.sh"
    device.answer(UpdateAccepted(NOW))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["rejected"]


def test_a_document_of_which_a_step_was_done_fails_at_one_that_nobody_knows():
    device = at_a_handler()
    device.step_done()
    device.accept(4)
    device.accept(5)
    device.tell(execution(key(), version=5, document=None))
    device(StepEnded(1, "refused", "there is no handler second.sh"))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED


def test_what_was_done_before_a_step_that_is_refused_is_taken_back():
    device = Driver()
    device.connect()
    document = JobDocument.of({"operation": "configure", "to": "a.json", "content": "{}"})
    device.tell(execution(key(), document=document))
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    for version in (4, 5, 6):
        device.step_done()
        device.accept(version)
    device.accept(7)
    device.tell(execution(key(), version=7, document=None))
    assert device.all(BeginStep)[-1].step.name == "restart"
    device(StepEnded(3, "refused", "it is not in its place any more"))
    for index in (2, 1, 0):
        assert device.all(UndoStep)[-1].index == index
        device(StepRestored(index, True))
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED


@pytest.mark.parametrize("asks", [False, True], ids=["at work", "while it asks whether its execution lives"])
def test_a_step_that_takes_too_long_is_stopped_and_fails(asks: bool):
    device = Driver.working()
    if asks:
        device.head(None)
        assert isinstance(device.phase, Suspect)
    device.fire("step")
    assert device.all(StopStep) == [StopStep(0)]
    assert isinstance(device.phase, Recovering)


def test_the_leap_needs_an_answer_of_the_very_execution():
    device = Driver.before_the_leap()
    assert isinstance(device.request, Describe)
    assert device.all(BeginStep)[-1].step.name == "self-test"
    device.tell(execution(key(), version=LEAP, document=None))
    assert device.all(BeginStep)[-1].step.name == "commit"


def test_a_hint_before_the_leap_makes_the_answer_under_way_too_old():
    device = Driver.before_the_leap()
    stale = device.request.client_token
    device.list(key())
    device(Answered(ExecutionTold(NOW, execution(key(), version=LEAP), stale)))
    assert device.all(BeginStep)[-1].step.name == "self-test"
    device.tell(execution(key(), version=LEAP, document=None))
    assert device.all(BeginStep)[-1].step.name == "commit"


@pytest.mark.parametrize("choice", ["proceed", "give-up"])
def test_unreachable_at_the_leap_the_policy_decides_after_the_deadline(choice: str):
    device = Driver.before_the_leap(leap_when_unreachable=choice)
    device(Disconnected())
    device.fire("leap")
    if choice == "proceed":
        assert device.all(BeginStep)[-1].step.name == "commit"
    else:
        assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_unreachable_past_the_leap_of_its_firmware_it_goes_on_after_the_deadline_whatever_the_policy():
    device = Driver(DevicePolicy(abilities=Abilities("single"), reports="end", leap_when_unreachable="give-up"))
    device.connect()
    device.tell(execution(key()))
    device.step_done()
    device.tell(execution(key(), version=2, document=None))
    device(Disconnected())
    device.step_done()
    assert device.all(BeginStep)[-1].step.name == "write"
    device.fire("leap")
    assert device.all(BeginStep)[-1].step.name == "reboot"


def test_gone_before_the_leap_undoes_in_reverse_order():
    device = Driver.before_the_leap()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(StepRestored(4, True))
    assert device.all(UndoStep)[-1].step.name == "reboot"
    device.reboot("1.0")
    for index in (2, 1, 0):
        device(StepRestored(index, True))
    undone = [undo.step.name for undo in device.all(UndoStep)]
    assert undone == ["self-test", "reboot", "switch", "write", "download"]
    assert device.all(Verify)


def test_gone_during_the_leap_finishes_forward_and_tells_with_the_next_job():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device.list()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert not device.all(StopStep)
    device.step_done()
    device(Verified(True))
    assert not device.all(UndoStep)
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["kept"]
    assert isinstance(device.request, StartNext)
    assert dict(device.request.status_details or ())["kept"] == "2.0"


def test_gone_after_a_leap_that_ended_while_asking_does_not_leap_again():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=LEAP, document=None))
    device.list()
    device.step_done()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(Verified(True))
    begun = [effect.step.name for effect in device.all(BeginStep)]
    assert begun == ["download", "write", "switch", "reboot", "self-test", "commit"]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["kept"]
