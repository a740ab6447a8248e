"""What a device in the field does by itself, before a model says what is its own."""

import pytest

from agent.core import DevicePolicy
from agent.core.events import Answered, BeginStep, Disconnected, JournalFailed, Remember, StopStep
from agent.device_events import AnswerReceived, ExecutionTaken, PhaseChanged, RequestSent
from agent.values import Describe, ErrorCode, ExecutionTold, Status, Update
from simulator.devices.models.field.agent import FieldAgent, Memory, stepping
from simulator.devices.models.model import Model
from tests.agent.core.driver import NOW, execution, key
from tests.simulator.devices.models.hands import FW, Hands

PLAIN = Model(stepping(FieldAgent[Memory]), Memory)


def working(**policy: object) -> Hands:
    device = Hands(model=PLAIN, policy=DevicePolicy(**policy))  # type: ignore[arg-type]  # the test names the fields
    device.tell(FW)
    return device


@pytest.mark.parametrize("namespace_id", [None, "lab"])
def test_it_describes_the_head_claims_what_is_queued_and_begins_the_plan(namespace_id: str | None):
    device = Hands(model=PLAIN, policy=DevicePolicy(namespace_id=namespace_id))
    assert device.request == Describe("$next", device.request.client_token, namespace_id)
    head = key(namespace_id=namespace_id)
    device.tell(head, Status.QUEUED, 1)
    assert isinstance(device.request, Update)
    assert (device.request.status, device.request.expected_version) == (Status.IN_PROGRESS, None)
    assert [taken.execution for taken in device.told(ExecutionTaken)] == [head]
    assert device.begun == ["download"]


def test_a_whole_update_across_a_reboot_ends_in_a_report_and_the_next_question():
    device = working()
    device.to_trial()
    device.step_done()
    device.step_done()
    assert device.begun == ["download", "write", "switch", "reboot", "self-test", "commit"]
    assert isinstance(device.request, Update)
    assert device.request.status is Status.SUCCEEDED
    device.accept()
    assert device.outcomes == [(FW, "succeeded")]
    assert isinstance(device.request, Describe)
    assert device.state.rests


def test_the_step_that_is_about_to_begin_is_on_record_before_it_begins():
    device = working()
    effects = device.effects
    begin = next(index for index, effect in enumerate(effects) if isinstance(effect, BeginStep))
    remembered = [effect for effect in effects[:begin] if isinstance(effect, Remember)]
    assert remembered[-1].record.work is not None
    assert remembered[-1].record.work.begun == 1


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        pytest.param("progress", [("download", "50"), ("download", "100")], id="progress: within steps and after each"),
        pytest.param("steps", [("download", "100")], id="steps: after each"),
        pytest.param("end", [], id="end: nothing more"),
    ],
)
def test_it_reports_what_the_policy_wants(reports: str, told: list[tuple[str, str]]):
    device = working(reports=reports)
    device.advance()
    device.step_done()
    details = [dict(request.status_details or ()) for request in device.requests if isinstance(request, Update)]
    assert [(each["step"], each["progress"]) for each in details] == told


def test_a_lost_answer_is_asked_for_again_later_each_time():
    device = Hands(model=PLAIN)
    for _ in range(2):
        device.fire("request")
        device.fire("retry")
    assert [sent.attempt for sent in device.told(RequestSent)] == [1, 2, 3]
    first, second = device.timers("retry")
    assert second.after_seconds > first.after_seconds


def test_a_late_answer_to_an_attempt_before_the_last_counts_for_nothing():
    device = Hands(model=PLAIN)
    first = device.request.client_token
    device.fire("request")
    device.fire("retry")
    device(Answered(ExecutionTold(NOW, execution(FW), first)))
    assert device.state.rests
    assert not device.told(AnswerReceived)


@pytest.mark.parametrize("code", [ErrorCode.REQUEST_THROTTLED, ErrorCode.INTERNAL_ERROR])
def test_a_passing_refusal_is_answered_by_asking_again_later(code: ErrorCode):
    device = Hands(model=PLAIN)
    device.refuse(code)
    assert len(device.requests) == 1
    device.fire("retry")
    assert [sent.attempt for sent in device.told(RequestSent)] == [1, 2]


def test_a_failed_step_is_undone_and_then_reported():
    device = working()
    device.step_done()
    device.step_failed("no room")
    device.restore_all()
    assert device.undone == ["write", "download"]
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["reason"] == "write: no room"


def test_what_cannot_be_recorded_is_taken_back_and_reported():
    device = working()
    device(JournalFailed("the disk is full"))
    assert not device.all(StopStep), "it had not begun"
    device.restore_all()
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED


def test_off_line_the_plan_goes_on_and_the_report_waits_for_the_connection():
    device = working()
    device(Disconnected())
    device.step_done()
    assert device.begun == ["download", "write"]
    asked = len(device.requests)
    device.to_trial()
    device(Disconnected())
    device.step_done()
    device.step_done()
    assert len(device.requests) == asked
    device.reconnect()
    assert isinstance(device.request, Update)
    assert device.request.status is Status.SUCCEEDED


def test_its_account_names_every_phase_it_goes_through():
    device = working()
    device.to_trial()
    assert [changed.phase for changed in device.told(PhaseChanged)] == ["executing", "trial"]
