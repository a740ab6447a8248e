"""The reports of a device, and what it makes of their answers."""

import pytest

from agent.account import ExecutionLeft
from agent.core.events import UndoStep, Verified
from agent.core.state import Executing, Reporting, Safe, Suspect
from agent.values import Describe, ErrorCode, Status, Update

from .driver import Driver, execution, key


def test_a_terminal_report_without_an_answer_is_repeated_under_the_same_nonce():
    device = Driver.reporting()
    first = device.request
    device.fire("request")
    device.fire("retry")
    again = device.request
    assert isinstance(first, Update)
    assert isinstance(again, Update)
    assert first.client_token != again.client_token
    assert first.status_details == again.status_details


@pytest.mark.parametrize(
    ("code", "status"),
    [(ErrorCode.INVALID_STATE_TRANSITION, Status.SUCCEEDED), (ErrorCode.VERSION_MISMATCH, Status.SUCCEEDED)],
)
def test_our_own_status_in_a_refusal_means_that_the_report_was_accepted(code: ErrorCode, status: Status):
    device = Driver.reporting()
    device.refuse(code, status)
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]
    assert not device.all(UndoStep)


def test_a_report_refused_because_the_job_is_gone_keeps_the_update_and_owes_an_account_of_it():
    device = Driver.reporting()
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device(Verified(True))
    assert device.machine.unaccounted == "2.0"
    device.tell(execution(key("next"), version=2))
    device.step_done()
    assert isinstance(device.request, Update)
    assert dict(device.request.status_details or ())["kept"] == "2.0"


def test_a_version_mismatch_on_the_report_is_resynchronised_not_abandoned():
    device = Driver.reporting()
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=9)
    assert isinstance(device.request, Describe)
    device.tell(execution(key(), version=9, document=None))
    assert isinstance(device.request, Update)
    assert device.request.expected_version == 9
    assert isinstance(device.phase, Reporting)


def test_a_version_mismatch_with_our_own_nonce_is_our_own_write():
    device = Driver.working()
    device.step_done()
    mine = dict(device.request.status_details or ())["nonce"]  # type: ignore[union-attr]  # it is an update
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=3, nonce=mine)
    assert isinstance(device.phase, Executing)
    assert device.phase.work.version_number == 3


def test_a_version_mismatch_while_executing_asks_about_the_execution():
    device = Driver.working()
    device.advance(50)
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=9)
    assert isinstance(device.phase, Suspect)
    device.tell(execution(key(), version=9, document=None))
    assert isinstance(device.phase, Executing)
    assert device.phase.work.version_number == 9


def test_a_report_that_the_service_cannot_read_ends_safe_rather_than_in_a_loop():
    device = Driver.reporting()
    device.refuse(ErrorCode.INVALID_REQUEST)
    assert device.phase == Safe("the report of fw was refused: InvalidRequest")
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["safe"]
