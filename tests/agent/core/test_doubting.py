"""What makes a device doubt that its execution lives, and what it takes for an answer."""

import pytest

from agent.core.events import BeginStep, Disconnected, StepEnded, StepRestored, StopStep, Verified
from agent.core.state import DevicePolicy, Executing, Suspect
from agent.device_events import ExecutionGone, ExecutionLeft
from agent.values import (
    Describe,
    ErrorCode,
    Execution,
    ExecutionTold,
    JobMentioned,
    Rejected,
    StartNext,
    Status,
    Update,
)

from .driver import NOW, Driver, execution, key

OTHER = key("other")


@pytest.mark.parametrize(
    ("hint", "then"),
    [
        pytest.param(lambda d: d.list(key()), Executing, id="still listed: go on"),
        pytest.param(lambda d: d.list(), Suspect, id="empty list: ask, do not abort"),
        pytest.param(lambda d: d.list(OTHER), Suspect, id="only another job listed: ask"),
        pytest.param(lambda d: d.list(key(queued_at=NOW + 9)), Suspect, id="same id, queued later: ask"),
        pytest.param(lambda d: d.head(key()), Executing, id="still the head: go on"),
        pytest.param(lambda d: d.head(None), Suspect, id="no head: ask"),
        pytest.param(lambda d: d.head(OTHER), Suspect, id="another head: ask"),
        pytest.param(lambda d: d.head(None, "lab"), Executing, id="another namespace's head: none of ours"),
        pytest.param(lambda d: d.list(namespace_id="lab"), Executing, id="another namespace's list: none of ours"),
    ],
)
def test_executing_device_hears(hint, then):
    device = Driver.working()
    hint(device)
    assert isinstance(device.phase, then)
    assert not device.all(StopStep), "a hint alone stops nothing"
    if then is Suspect:
        assert isinstance(device.request, Describe)
        assert device.request.job_id == "fw"


def test_a_message_on_the_documented_topic_is_a_hint_like_any_other():
    device = Driver(DevicePolicy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, 1))
    device.accept(2)
    device.tell(execution(key(namespace_id="lab"), version=2))
    device.hint(JobMentioned("lab", "fw"))
    assert isinstance(device.phase, Suspect)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        pytest.param(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND), "gone", id="no such execution"),
        pytest.param(ExecutionTold(NOW, execution(key(queued_at=NOW + 9))), "replaced", id="queued at another time"),
        pytest.param(ExecutionTold(NOW, execution(key(number=2))), "replaced", id="another execution number"),
    ],
)
def test_a_device_told_that_its_execution_is_gone_stops_undoes_and_asks_for_the_next(answer, end):
    device = Driver.working()
    device.list()
    device.answer(answer)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]
    assert device.all(StopStep) == [StopStep(0)]
    device(StepEnded(0, "stopped"))
    device(StepRestored(0, True))
    device(Verified(True))
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["recovered"]
    assert isinstance(device.request, StartNext)


def test_still_there_once_is_enough_when_no_list_omits_it():
    device = Driver.working()
    device.head(None)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


def test_still_there_is_asked_again_while_a_list_omits_it():
    device = Driver.working()
    device.list()
    for _ in range(device.policy.confirmations - 1):
        device.tell(execution(key(), document=None))
        assert isinstance(device.phase, Suspect)
        device.fire("retry")
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


def test_an_answer_to_a_question_older_than_the_last_hint_does_not_clear():
    device = Driver.working()
    device.head(None)
    device.head(OTHER)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Suspect)
    device.tell(execution(key(), document=None))
    assert isinstance(device.phase, Executing)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(execution(key(), Status.QUEUED, 1, None), id="back in QUEUED"),
        pytest.param(execution(key(), Status.IN_PROGRESS, 1, None), id="a version below ours"),
    ],
)
def test_a_read_older_than_our_own_writes_is_asked_again_before_it_is_believed(told: Execution):
    device = Driver.working()
    device.head(None)
    for _ in range(device.policy.confirmations - 1):
        device.tell(told)
        assert isinstance(device.phase, Suspect)
        device.fire("retry")
    device.tell(told)
    assert [gone.end for gone in device.told(ExecutionGone)] == ["replaced"]


@pytest.mark.parametrize(
    ("status", "end"),
    [(Status.CANCELED, "cancelled"), (Status.TIMED_OUT, "timed-out"), (Status.REMOVED, "removed")],
)
def test_terminal_state_reached_names_no_status_so_an_update_asks_for_it(status: Status, end: str):
    device = Driver.working()
    device.list()
    device.refuse(ErrorCode.TERMINAL_STATE_REACHED)
    assert isinstance(device.request, Update)
    assert not device.told(ExecutionGone)
    device.refuse(ErrorCode.INVALID_STATE_TRANSITION, status)
    assert [gone.end for gone in device.told(ExecutionGone)] == [end]


def test_a_step_that_ends_while_suspect_is_followed_by_none_until_the_answer():
    device = Driver.working(reports="end")
    device.head(None)
    device.step_done()
    assert len(device.all(BeginStep)) == 1
    device.tell(execution(key(), document=None))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download", "write"]


def test_after_a_reconnection_the_execution_in_hand_is_asked_about():
    device = Driver.working()
    device(Disconnected())
    device.connect()
    assert isinstance(device.phase, Suspect)
    assert isinstance(device.request, Describe)
    assert device.request.job_id == "fw"
