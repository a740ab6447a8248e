"""What a judge remembers: values that twins do not share, and no more of them than is needed."""

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.device_events import StepFinished, StepStarted
from agent.values import ExecutionKey
from simulator.trace import Entry, RequestReceived
from simulator.verdict import Judge, Verdict
from simulator.verdict.attendance import PENDING, WAITS
from simulator.verdict.case import Case
from simulator.verdict.frozen import Map
from simulator.verdict.testimony import EXECUTIONS, OPEN
from simulator.verdict.wire import STEPS
from tests.simulator.verdict.stories import STORIES, Story
from tests.simulator.verdict.stories.scenes import RNF, at_work, recovers_from_write
from tests.simulator.verdict.tale import BOUNDS, FW, THING, Tale, from_the_wire

any_story = st.sampled_from(STORIES)


def judge_of(entries: list[Entry]) -> Judge:
    judge = Judge()
    for entry in entries:
        judge.feed(entry)
    return judge


def device_of(judge: Judge) -> Case:
    return judge._devices[THING]


def fed(judge: Judge, entries: list[Entry]) -> Verdict:
    for entry in entries:
        judge.feed(entry)
    return judge.verdict()


@given(any_story, any_story, st.data())
def test_what_one_twin_is_fed_is_nothing_to_the_other(story: Story, other: Story, data: st.DataObject):
    entries, others = story.told().entries, other.told().entries[1:]
    forked_at = data.draw(st.integers(1, len(entries)))
    judge = judge_of(entries[:forked_at])
    before, twin = device_of(judge).twin(), judge.fork()
    fed(twin, others)
    assert device_of(judge) == before
    assert fed(judge, entries[forked_at:]) == judge_of(entries).verdict()


@given(any_story, st.data(), st.booleans())
def test_the_state_of_a_device_is_a_value(story: Story, data: st.DataObject, by_wire: bool):
    entries = story.told().entries
    told = from_the_wire(entries) if by_wire else entries
    device = device_of(judge_of(told[: data.draw(st.integers(1, len(told)))]))
    copy = pickle.loads(pickle.dumps(device))
    assert copy == device == device.twin()
    assert hash(copy) == hash(device) == hash(device.twin())


def test_two_devices_with_different_pasts_that_matter_are_different_values():
    hinted, ignorant = Tale(), Tale()
    for tale in (hinted, ignorant):
        at_work(tale)
    assert device_of(judge_of(hinted.entries)) == device_of(judge_of(ignorant.entries))
    hinted.hint()
    assert device_of(judge_of(hinted.entries)) != device_of(judge_of(ignorant.entries))


def test_a_forked_judge_counts_requests_by_itself():
    tale = Tale()
    tale.cloud(RequestReceived(THING, "describe"))
    judge = judge_of(tale.entries)
    twin = judge.fork()
    twin.feed(tale.entries[-1]._replace(n=2))
    assert (judge.verdict().requests_per_second_peak, twin.verdict().requests_per_second_peak) == (1, 2)


# ── what can grow ─────────────────────────────────────────────────────────────────────────────────────────────


def polls(tale: Tale) -> None:
    tale.wait(5)
    tale.ask(None, request="get-pending")


def is_never_answered(tale: Tale) -> None:
    tale.wait(5)
    tale.send("get-pending")


def is_answered_to_nobody(tale: Tale) -> None:
    tale.wait(5)
    tale.arrive(tale.send("get-pending"))


def restarts(tale: Tale) -> None:
    tale.lose_power()


def is_hinted(tale: Tale) -> None:
    tale.hint(FW)


def works_through_a_job(tale: Tale) -> None:
    key = ExecutionKey(None, f"job-{len(tale.entries)}", 1, 1000 + len(tale.entries))
    tale.queue(key)
    tale.take(key)
    tale.step(key, "download")
    tale.report(key)


def loses_a_job(tale: Tale) -> None:
    key = ExecutionKey(None, f"job-{len(tale.entries)}", 1, 1000 + len(tale.entries))
    tale.queue(key)
    tale.take(key)
    tale.begin(key, "download")
    tale.remove(key)
    tale.hint()
    tale.ask(key, code=RNF)
    tale.finish(key, "download", "stopped")
    tale.undo(key, "download")


HABITS = [
    polls,
    is_never_answered,
    is_answered_to_nobody,
    restarts,
    is_hinted,
    works_through_a_job,
    loses_a_job,
]


LONG = (works_through_a_job, loses_a_job)
"""Each time is some requests."""


@pytest.mark.parametrize("by_wire", [False, True], ids=["by its account", "by the wire"])
@pytest.mark.parametrize("habit", [pytest.param(habit, id=habit.__name__.replace("_", " ")) for habit in HABITS])
def test_what_is_remembered_of_a_device_does_not_grow_for_ever(habit: Callable[[Tale], None], by_wire: bool):
    tale = Tale(bounds=BOUNDS.model_copy(update={"restarts": 10_000}))
    at_work(tale)
    judge, sizes, fed_so_far = Judge(), list[int](), 0
    for times in (300 if habit in LONG else OPEN, 40, 40):
        for _ in range(times):
            habit(tale)
        new, fed_so_far = tale.entries[fed_so_far:], len(tale.entries)
        for entry in from_the_wire(new) if by_wire else new:
            judge.feed(entry)
        sizes.append(len(pickle.dumps(device_of(judge))))
    assert sizes[2] - sizes[1] < max(sizes[1] // 50, 400)


def test_a_device_that_is_told_of_ever_new_executions_is_still_judged():
    tale = Tale()
    at_work(tale)
    for number in range(200):
        keys = [ExecutionKey(None, f"job-{number}-{each}", 1, 1000 + number) for each in range(1 + number % 3)]
        tale.hint(*keys)
        tale.device(StepStarted(keys[0], "download", reversible=True), StepFinished(keys[0], "download", "done"))
    judge = judge_of(tale.entries)
    assert len(device_of(judge).own.testimony.executions) == EXECUTIONS
    judge.verdict()


def test_a_device_may_have_more_executions_pending_than_are_remembered():
    tale = Tale()
    tale.connect()
    for number in range(PENDING + 100):
        tale.queue(ExecutionKey(None, f"job-{number}", 1, number))
        if number == 3 * WAITS:
            attendance = device_of(judge_of(tale.entries)).record.attendance
            assert list(attendance.waits) == list(attendance.queue.queued)[:WAITS], "those that wait longest"
    queue = device_of(judge_of(tale.entries)).record.attendance.queue
    assert (len(queue.queued), queue.is_overfull, queue.awaits_device) == (PENDING, True, False)


def test_a_client_that_names_ever_new_steps_is_not_followed_for_ever():
    tale = Tale()
    at_work(tale)
    for number in range(STEPS + 50):
        tale.update(FW, details=(("step", f"step-{number}"),))
    [follower, *_] = device_of(judge_of(from_the_wire(tale.entries))).followers
    assert len(follower.wire.steps[FW]) == STEPS


def test_requests_of_one_moment_take_no_more_room_than_one():
    tale = Tale()
    tale.cloud(*500 * (RequestReceived(THING, "describe"),))
    judge = judge_of(tale.entries)
    assert len(judge._rate._window) == 1
    assert judge.verdict().requests_per_second_peak == 500


def test_of_too_many_the_oldest_go_that_may():
    numbers = Map((number, number) for number in range(5000))
    assert list(numbers.at_most(3, lambda _key, value: value != 1)) == [1, 4998, 4999]
    assert list(numbers.at_most(3, lambda _key, _value: False)) == [4997, 4998, 4999]


def test_of_what_is_not_remembered_a_device_is_not_accused():
    tale = Tale()
    recovers_from_write(tale)
    for _ in range(100):
        loses_a_job(tale)
    tale.begin(FW, "write")
    tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    found = {each.id: each.outcome for each in judge_of(tale.entries).verdict().invariants}
    assert (found["no-ghost-work"], found["no-ghost-update"]) == ("undecided", "undecided")


def test_a_device_whose_answers_the_cloud_does_not_tell_of_is_judged_by_what_it_says():
    tale = Tale()
    recovers_from_write(tale)
    tale.begin(FW, "write")
    told = [entry for entry in tale.entries if entry.event.type not in ("request.answered", "answer.delivered")]
    found = {each.id: each.outcome for each in judge_of(told).verdict().invariants}
    assert found["no-ghost-work"] == "violated"


def test_an_answer_that_the_cloud_never_gave_holds_a_device_up_for_so_long_only():
    tale = Tale()
    at_work(tale)
    token = tale.send("describe", FW)
    tale.answer(token, code=RNF)
    tale.begin(FW, "write")
    assert len(device_of(judge_of(tale.entries)).waiting) == 2
    for _ in range(600):
        polls(tale)
    judge = judge_of(tale.entries)
    assert len(device_of(judge).waiting) == 0
    assert all(each.outcome != "violated" for each in judge.verdict().invariants if each.id == "no-ghost-work")
