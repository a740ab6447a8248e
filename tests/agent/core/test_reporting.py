"""The reports of a device, and what it makes of their answers."""

import pytest

from agent.core.events import UndoStep, Verified
from agent.core.state import Executing, Reporting, Safe, Suspect
from agent.device_events import ExecutionGone, ExecutionLeft
from agent.values import Answer, Describe, ErrorCode, ExecutionTold, Rejected, StartNext, Status, Update

from .driver import NOW, Driver, execution, key


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


ENDED = (ErrorCode.INVALID_STATE_TRANSITION, ErrorCode.VERSION_MISMATCH)
"""How the service refuses a report of what has ended already."""


def nonce(device: Driver) -> str:
    """The nonce of the report under way."""
    assert isinstance(device.request, Update)
    return dict(device.request.status_details or ())["nonce"]


@pytest.mark.parametrize("code", ENDED)
def test_our_own_nonce_in_a_refusal_means_that_the_report_was_accepted(code: ErrorCode):
    device = Driver.reporting()
    device.refuse(code, Status.SUCCEEDED, nonce=nonce(device))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]
    assert not device.all(UndoStep)


def leaves_and_owes_an_account(device: Driver) -> bool:
    """Whether it has left what is not its own, and tells with its next request what runs."""
    device(Verified(True))
    assert [gone.end for gone in device.told(ExecutionGone)] == ["replaced"]
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["kept"]
    assert not device.all(UndoStep)
    assert isinstance(device.request, StartNext)
    return dict(device.request.status_details or ())["kept"] == "2.0"


@pytest.mark.parametrize("code", ENDED)
def test_the_same_status_under_another_nonce_is_somebody_elses_report(code: ErrorCode):
    """A late report of a deleted incarnation has met the one that was created again, at exactly the same version."""
    device = Driver.reporting()
    device.refuse(code, Status.SUCCEEDED, nonce="of-another-incarnation")
    assert leaves_and_owes_an_account(device)


@pytest.mark.parametrize("code", ENDED)
def test_the_same_status_without_details_proves_nothing_until_the_execution_itself_tells_them(code: ErrorCode):
    device = Driver.reporting()
    mine = nonce(device)
    device.refuse(code, Status.SUCCEEDED)
    assert isinstance(device.request, Describe)
    device.tell(execution(key(), Status.SUCCEEDED, 9, details=(("nonce", mine), ("version", "2.0"))))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["succeeded"]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(
            Rejected(NOW, ErrorCode.TERMINAL_STATE_REACHED), id="TerminalStateReached, which tells no details"
        ),
        pytest.param(ExecutionTold(NOW, execution(key(), Status.SUCCEEDED, 9)), id="no details there either"),
        pytest.param(
            ExecutionTold(NOW, execution(key(), Status.SUCCEEDED, 9, details=(("nonce", "x"),))), id="another nonce"
        ),
    ],
)
def test_a_report_that_nothing_proves_to_be_ours_is_not_taken_for_ours(told: Answer):
    device = Driver.reporting()
    device.refuse(ErrorCode.INVALID_STATE_TRANSITION, Status.SUCCEEDED)
    device.answer(told)
    assert leaves_and_owes_an_account(device)


@pytest.mark.parametrize(("is_ours", "outcome"), [(True, "succeeded"), (False, "kept")])
def test_after_a_restart_too_only_the_nonce_proves_a_report(is_ours: bool, outcome: str):
    device = Driver.reporting()
    mine = nonce(device)
    device.reboot("2.0")
    device.connect()
    device.refuse(ErrorCode.TERMINAL_STATE_REACHED)
    assert nonce(device) == mine
    device.refuse(ErrorCode.INVALID_STATE_TRANSITION, Status.SUCCEEDED, nonce=mine if is_ours else "of-another")
    device(Verified(True))
    assert [left.outcome for left in device.told(ExecutionLeft)] == [outcome]


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
