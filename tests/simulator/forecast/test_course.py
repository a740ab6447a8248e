"""What a trace comes to: each row a few entries, and what the course says of them."""

import pytest

from agent.device_events import ExecutionLeft, ExecutionTaken, HardwareChanged, StepStarted
from agent.values import ErrorCode, ExecutionKey
from simulator.forecast.course import Busiest, Course, Reckoning, quantile
from simulator.trace import (
    CLOUD,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobDeleted,
    RequestAnswered,
    RequestReceived,
    device_source,
)

KEY = ExecutionKey(None, "fw", 1, 100)
NEXT = ExecutionKey(None, "fw-next", 1, 100)
QUEUED = ExecutionQueued("t", KEY)
TAKEN = ExecutionTaken(KEY)
WRITES = StepStarted(KEY, "write", reversible=True)
LEAPS = StepStarted(KEY, "commit", reversible=False)
REMOVED = ExecutionRemoved("t", KEY, "IN_PROGRESS")
SUCCEEDED = ExecutionChanged("t", KEY, "SUCCEEDED", 3, "device")
CANCELED = ExecutionChanged("t", KEY, "CANCELED", 3, "service")
WHOLE = HardwareChanged(True, "1.0")
HALF = HardwareChanged(True, "1.0", ("slot b",))
BRICK = HardwareChanged(False, "1.0")


def course(before: list[Event], after: list[Event]) -> Course:
    """What happened before the pressing, at second 0, and after it, one thing in each second from 1 on."""
    reckoning = Reckoning(frozenset({"fw"}))
    for event in before:
        _feed(reckoning, 0.0, event)
    reckoning.press(0.0)
    for second, event in enumerate(after, 1):
        _feed(reckoning, float(second), event)
    return reckoning.course()


def _feed(reckoning: Reckoning, at: float, event: Event) -> None:
    of_device = isinstance(event, ExecutionTaken | ExecutionLeft | StepStarted | HardwareChanged)
    reckoning.feed(Entry(device_source("t") if of_device else CLOUD, 1, at, event))


@pytest.mark.parametrize(
    ("before", "where", "past"),
    [
        pytest.param([QUEUED], "QUEUED", 0, id="nobody has taken it"),
        pytest.param([QUEUED, TAKEN], "starting", 0, id="before the first step"),
        pytest.param([QUEUED, TAKEN, WRITES], "write", 0, id="in a step"),
        pytest.param([QUEUED, TAKEN, WRITES, LEAPS], "commit", 1, id="past the point of no return"),
        pytest.param([QUEUED, TAKEN, LEAPS, SUCCEEDED, ExecutionLeft(KEY, "succeeded")], "ended", 0, id="over"),
    ],
)
def test_where_an_execution_is_at_the_pressing(before: list[Event], where: str, past: int):
    told = course(before, [])
    assert (told.where, told.past_no_return) == (((where, 1),), past)


@pytest.mark.parametrize(
    ("before", "after", "healthy"),
    [
        pytest.param([QUEUED], [REMOVED], 1.0, id="whoever never began is so with the removal"),
        pytest.param([QUEUED, TAKEN], [REMOVED], None, id="not while the device has it in hand"),
        pytest.param([QUEUED, TAKEN], [REMOVED, ExecutionLeft(KEY, "recovered")], 2.0, id="when it has let go"),
        pytest.param([QUEUED, TAKEN], [ExecutionLeft(KEY, "succeeded"), SUCCEEDED], 2.0, id="once both are done"),
        pytest.param(
            [QUEUED, TAKEN, HALF],
            [REMOVED, ExecutionLeft(KEY, "recovered"), WHOLE],
            3.0,
            id="at rest on whole firmware",
        ),
        pytest.param(
            [QUEUED, TAKEN], [REMOVED, ExecutionLeft(KEY, "recovered"), HALF], 2.0, id="whatever the next job does then"
        ),
        pytest.param([QUEUED, TAKEN], [REMOVED, ExecutionLeft(KEY, "safe")], None, id="never in SAFE"),
        pytest.param([QUEUED, TAKEN, BRICK], [REMOVED, ExecutionLeft(KEY, "recovered")], None, id="never if bricked"),
        pytest.param([QUEUED], [REMOVED, TAKEN], None, id="taken in the last moment"),
    ],
)
def test_when_a_device_is_healthy(before: list[Event], after: list[Event], healthy: float | None):
    assert course(before, after).healthy == (healthy,)


def test_what_had_ended_before_is_not_among_those_that_get_healthy():
    assert course([QUEUED, SUCCEEDED], []).healthy == ()
    assert course([QUEUED, TAKEN, SUCCEEDED], [ExecutionLeft(KEY, "succeeded")]).healthy == (1.0,), "in hand until then"


@pytest.mark.parametrize(
    ("before", "after", "stranded"),
    [
        pytest.param([QUEUED, TAKEN, LEAPS], [REMOVED], 1, id="deleted past the leap"),
        pytest.param([QUEUED, TAKEN, LEAPS], [CANCELED, REMOVED], 1, id="cancelled there counts once"),
        pytest.param([QUEUED, TAKEN, WRITES], [REMOVED, LEAPS], 0, id="deleted before it"),
        pytest.param([QUEUED, TAKEN, LEAPS], [SUCCEEDED, REMOVED], 0, id="its own end came first"),
    ],
)
def test_who_is_stranded(before: list[Event], after: list[Event], stranded: int):
    assert course(before, after).stranded == stranded


def test_what_is_lost_for_good_and_what_became_of_devices():
    safe = course([QUEUED, TAKEN], [REMOVED, ExecutionLeft(KEY, "safe")])
    assert (safe.records, safe.safe, safe.undone, safe.kept, safe.bricked) == (1, 1, 0, 0, 0)
    kept = course([QUEUED, TAKEN], [REMOVED, ExecutionLeft(KEY, "kept"), JobDeleted("fw")])
    assert (kept.safe, kept.kept, kept.deleted_seconds) == (0, 1, 3.0)
    bricked = course([QUEUED, TAKEN], [CANCELED, BRICK])
    assert (bricked.records, bricked.bricked, bricked.deleted_seconds) == (0, 1, None)


def test_requests_count_from_the_pressing_on_reads_apart_from_writes():
    before: list[Event] = [QUEUED, RequestReceived("t", "update")]
    after: list[Event] = [
        RequestReceived("t", "describe"),
        RequestReceived("t", "get-pending"),
        RequestReceived("t", "update"),
        RequestAnswered("t", "update", False, code=ErrorCode.REQUEST_THROTTLED),
    ]
    told = course(before, after)
    assert (told.reads, told.writes, told.throttled) == ((0, 1, 1), (0, 0, 0, 1), 1)
    assert (told.reads_peak, told.writes_peak) == (1, 1)


def test_other_jobs_and_what_is_queued_afterwards_do_not_count():
    assert course([ExecutionQueued("t", NEXT), QUEUED], [ExecutionQueued("u", KEY), REMOVED]).healthy == (2.0,)


@pytest.mark.parametrize(
    ("healthy", "share", "at"),
    [((1.0, 2.0, 3.0, None), 0.5, 2.0), ((1.0, 2.0, 3.0, None), 0.9, None), ((1.0,), 0.9, 1.0), ((), 0.5, 0.0)],
)
def test_a_share_by_nearest_rank(healthy: tuple[float | None, ...], share: float, at: float | None):
    assert quantile(healthy, share) == at


@pytest.mark.parametrize(
    ("least", "times", "rate"),
    [
        pytest.param(1, (0.0, 0.2, 0.4, 5.0), 3.0, id="within a second"),
        pytest.param(3, (0.0, 0.2, 0.4, 5.0), 3.0, id="enough of them within a second"),
        pytest.param(4, (0.0, 0.2, 0.4, 4.0), 1.0, id="too few of them: in as many seconds as enough came"),
        pytest.param(5, (0.0, 0.2, 0.4, 4.0), 0.0, id="never enough"),
    ],
)
def test_of_a_sample_a_few_requests_are_no_peak(least: int, times: tuple[float, ...], rate: float):
    busiest = Busiest(least)
    for at in times:
        busiest.count(at)
    assert busiest.rate == rate
