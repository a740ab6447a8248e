"""What belongs to an entry of a trace: what stands next to it, and what it caused or was caused by."""

import pytest

from agent.device_events import AnswerReceived, DeviceConnected, ExecutionGone, HintReceived, RequestSent, StepStarted
from agent.values import ExecutionKey
from simulator.report.causality import NEAR, is_about_job, is_about_thing, surroundings
from simulator.trace import (
    CLOUD,
    CONTROLLER,
    PROBE,
    DeletionRequested,
    Entry,
    Event,
    ExecutionRemoved,
    HintPublished,
    JobDeletionBegan,
    ProbeSampled,
    RequestAnswered,
    RequestReceived,
)

KEY, LATER = ExecutionKey(None, "fw", 1, 1000), ExecutionKey(None, "fw", 1, 2000)


def trace(*told: tuple[str, Event]) -> list[Entry]:
    """Numbered as a recorder would."""
    counts: dict[str, int] = {}
    entries = []
    for source, event in told:
        counts[source] = counts.get(source, 0) + 1
        entries.append(Entry(source, counts[source], 0.0, event))
    return entries


TALE = trace(
    ("device/a", DeviceConnected()),
    ("device/a", StepStarted(KEY, "write", True)),
    (CONTROLLER, DeletionRequested("fw", True, "")),
    (CLOUD, JobDeletionBegan("fw", True)),
    (CLOUD, ExecutionRemoved("a", KEY, "IN_PROGRESS")),
    (CLOUD, HintPublished("a", "notify", None)),
    (CLOUD, ExecutionRemoved("b", KEY, "IN_PROGRESS")),
    ("device/a", HintReceived("notify", None)),
    ("device/b", HintReceived("notify", None)),
    ("device/a", RequestSent("t-1", "describe", None, "fw", KEY)),
    ("device/b", RequestSent("t-1", "describe", None, "fw", KEY)),
    (CLOUD, RequestReceived("a", "describe", "t-1", None, "fw")),
    (CLOUD, RequestAnswered("a", "describe", False, "t-1", "ResourceNotFound")),
    (CLOUD, RequestReceived("b", "get-pending")),
    (CLOUD, RequestReceived("a", "get-pending")),
    ("device/a", AnswerReceived("t-1", False, "ResourceNotFound")),
    ("device/a", ExecutionGone(KEY, "gone", "t-1")),
    ("device/a", ExecutionGone(LATER, "gone", "t-9")),
)


def entry(entry_id: str) -> Entry:
    return next(each for each in TALE if each.id == entry_id)


@pytest.mark.parametrize(
    ("entry_id", "linked"),
    [
        pytest.param("device/a#4", ["cloud#5", "cloud#6", "device/a#6"], id="a request: its way"),
        pytest.param(
            "cloud#2",
            ["controller#1", "cloud#1", "cloud#4", "device/a#6"],
            id="a record: who had it removed",
        ),
        pytest.param("device/a#3", ["cloud#3"], id="a hint: as it was published, to this thing"),
        pytest.param("cloud#1", ["controller#1", "cloud#2", "cloud#4"], id="a deletion: what went with it"),
        pytest.param("cloud#8", [], id="a request without a token"),
        pytest.param("device/a#7", [], id="a later incarnation"),
        pytest.param("device/a#1", [], id="what nothing caused"),
    ],
)
def test_what_is_linked_by_cause(entry_id: str, linked: list[str]):
    found = surroundings(entry(entry_id), TALE)
    near = {each.id for each in (*found.before, *found.after)}
    assert [each.id for each in found.linked] == [each for each in linked if each not in near]


def test_what_is_near_is_of_the_same_account_and_thing():
    found = surroundings(entry("cloud#5"), TALE)
    assert [each.id for each in found.before] == ["cloud#2", "cloud#3"]
    assert [each.id for each in found.after] == ["cloud#6", "cloud#8"]
    assert NEAR == 3


def test_it_tells_what_is_about_a_thing_and_an_agent_on_it():
    about = [each.id for each in TALE if is_about_thing(each, "b")]
    assert about == ["cloud#4", "device/b#1", "device/b#2", "cloud#7"]
    beside = Entry("device/b@lab", 1, 0.0, DeviceConnected())
    assert is_about_thing(beside, "b")
    assert is_about_thing(beside, "b@lab")
    assert not is_about_thing(beside, "a")


def test_a_sample_is_about_the_thing_that_was_sampled():
    (sample,) = trace((PROBE, ProbeSampled("a", "cmd:it", True, "1.0")))
    assert is_about_thing(sample, "a")
    assert not is_about_thing(sample, "b")


def test_it_tells_what_is_about_a_job():
    told = [each.id for each in TALE if each.source == CLOUD and is_about_job(each, "fw")]
    assert told == ["cloud#1", "cloud#2", "cloud#4", "cloud#5"]
    assert is_about_job(Entry(CLOUD, 1, 0.0, HintPublished("a", "notify", None, (KEY,))), "fw")
    assert not is_about_job(Entry(CLOUD, 1, 0.0, HintPublished("a", "notify", None, (KEY,))), "fw-2")
