"""One question at a time: put again, later each time, and only its first answer counts."""

import pytest

from agent.core.events import Answered, SetTimer
from agent.core.state import DevicePolicy, Idle
from agent.device_events import RequestSent
from agent.values import ErrorCode, ExecutionTold, UpdateAccepted

from .driver import NOW, Driver, execution, key


@pytest.mark.parametrize("code", [code for code in ErrorCode if not code.is_permanent])
def test_a_passing_refusal_is_asked_again_later_each_time(code: ErrorCode):
    device = Driver()
    device.connect()
    waits = []
    for _ in range(4):
        device.refuse(code)
        waits.append(device.timer("retry").after_seconds)
        device.fire("retry")
    assert waits == sorted(set(waits))
    assert len(device.requests) == 5


@pytest.mark.parametrize("code", [code for code in ErrorCode if code.is_permanent])
def test_a_refusal_for_good_is_not_asked_again(code: ErrorCode):
    device = Driver()
    device.connect()
    device.refuse(code)
    device.fire("retry")
    device.fire("request")
    assert len(device.requests) == 1
    assert device.timer("poll").after_seconds == device.policy.poll
    device.fire("poll")
    assert len(device.requests) == 2, "but for the poll, since the queue may be another one by then"


def test_back_off_grows_to_its_ceiling_and_carries_its_jitter_as_data():
    device = Driver(DevicePolicy(retry_first=1, retry_growth=2, retry_ceiling=4, retry_spread=0.5))
    device.connect()
    for _ in range(4):
        device.fire("request")
        device.fire("retry")
    waits = [(timer.after_seconds, timer.spread_seconds) for timer in device.all(SetTimer) if timer.name == "retry"]
    assert waits == [(1, 0.5), (2, 1), (4, 2), (4, 2)]


def test_only_the_first_answer_to_the_newest_token_counts():
    device = Driver()
    device.connect()
    token = device.request.client_token
    device.tell(None)
    device(Answered(ExecutionTold(NOW, execution(key()), token)))
    assert isinstance(device.phase, Idle)


def test_fifty_polls_that_find_nothing_are_two_states():
    device = Driver()
    device.connect()
    device.tell(None)
    device.fire("ask-again")
    device.tell(None)
    found = set()
    for _ in range(50):
        device.fire("poll")
        found.add(device.machine)
        device.tell(None)
        found.add(device.machine)
    assert len(found) == 2
    assert len(device.requests) == len({request.client_token for request in device.requests}) == 52


def test_fifty_attempts_are_no_more_states_than_there_are_waits():
    device = Driver(DevicePolicy(retry_first=1, retry_growth=2, retry_ceiling=8))
    device.connect()
    found = set()
    for _ in range(50):
        device.fire("request")
        found.add(device.machine)
        device.fire("retry")
        found.add(device.machine)
    assert len(found) == 2 * len((1, 2, 4, 8))
    assert [sent.attempt for sent in device.told(RequestSent)] == list(range(1, 52))


def test_fifty_answers_that_settle_no_doubt_are_no_more_states_than_there_are_waits():
    device = Driver.working(retry_first=1, retry_growth=2, retry_ceiling=64)
    device.list()
    found = set()
    for _ in range(50):
        device.answer(UpdateAccepted(NOW))
        found.add(device.machine)
        device.fire("retry")
        found.add(device.machine)
    assert len(found) == 2 * len((1, 2, 4, 8, 16, 32, 64))
