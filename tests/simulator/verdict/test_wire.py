"""What is said of a device that gives no account: only what the wire shows, and never more than is certain."""

from dataclasses import replace
from typing import Any

import pytest

from agent.device_events import DeviceConnected
from simulator.trace import Entry, ExecutionChanged, HintPublished, RequestReceived
from simulator.verdict import INVARIANTS, SEEN_FROM_THE_WIRE, InvariantVerdict
from tests.simulator.verdict.stories import STORIES, Story, with_outcome
from tests.simulator.verdict.stories.scenes import RNF, at_work, lost_in_write, main_job
from tests.simulator.verdict.tale import FW, FW_AGAIN, NEXT, TIP, Tale, from_the_wire, judge

WIRE_STORIES: list[Story] = []


def story(invariant: str, outcome: Any, *shown_by: str, opportunities: int | None = None) -> Any:
    def add(tell: Any) -> Any:
        WIRE_STORIES.append(Story(invariant, outcome, tell, shown_by, opportunities))
        return tell

    return add


def found(entries: list[Entry], invariant: str) -> InvariantVerdict:
    return next(each for each in judge(entries).invariants if each.id == invariant)


def reports_of_a_ghost(tale: Tale) -> str:
    """It reports a step, and in answer to the next report is told that its execution is gone; that report's token."""
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    return tale.say(FW, "write", code=RNF)


# ── no-ghost-update ───────────────────────────────────────────────────────────────────────────────────────────


@story("no-ghost-update", "violated", "request.received", "request.answered", "request.received")
def goes_on_reporting(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.wait(0.5)
    tale.update(FW, "SUCCEEDED", code=RNF)


@story("no-ghost-update", "held", opportunities=1)
def falls_silent(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.queue(NEXT)
    tale.take(NEXT)


@story("no-ghost-update", "held")
def had_sent_the_next_before_the_answer_came(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    first, second = (tale.send("update", FW, status="IN_PROGRESS", expected_version=2) for _ in range(2))
    for token in (first, second):
        tale.arrive(token, code=RNF)
    for token in (first, second):
        tale.answer(token, code=RNF)


@story("no-ghost-update", "not-exercised")
def no_longer_awaited_the_answer(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    tale.arrive(token, code=RNF)
    tale.wait(1.5)
    tale.answer(token, code=RNF)
    tale.arrive(tale.send("update", FW, status="IN_PROGRESS", expected_version=2), code=RNF)


@story("no-ghost-update", "not-exercised")
def had_asked_something_else_before_the_answer_came(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    first = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    tale.arrive(first, code=RNF)
    second = tale.send("describe", FW)
    tale.arrive(second, code="InternalError")
    tale.answer(first, code=RNF)
    tale.arrive(tale.send("update", FW, status="IN_PROGRESS", expected_version=2), code=RNF)


@story("no-ghost-update", "held")
def is_reconnected_and_may_have_forgotten(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.disconnect()
    tale.connect()
    tale.update(FW, code=RNF)


@story("no-ghost-update", "violated", "request.received", "request.answered", "request.received")
def had_time_to_write_it_down_before_it_reconnected(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.wait(1.5)
    tale.ask(None, request="get-pending")
    tale.disconnect()
    tale.connect()
    tale.update(FW, code=RNF)


@story("no-ghost-update", "held")
def is_answered_on_the_next_connection(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    tale.arrive(token, code=RNF)
    tale.disconnect()
    tale.connect(session_present=True)
    tale.answer(token, code=RNF)
    tale.update(FW, code=RNF)


@story("no-ghost-update", "held")
def is_resent_by_the_network(tale: Tale) -> None:
    token = reports_of_a_ghost(tale)
    tale.wait(0.5)
    tale.arrive(token, code=RNF, dup=True)


@story("no-ghost-update", "held")
def was_sent_before_and_kept_back_by_the_network(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    late = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    tale.ask(FW, code=RNF)
    tale.wait(0.5)
    tale.arrive(late, code=RNF, late_seconds=0.5 + 5 * TIP)


@story("no-ghost-update", "held", opportunities=1)
def may_mean_the_new_one(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.queue(FW_AGAIN)
    tale.cloud(HintPublished(tale.thing, "notify-next", None, (FW_AGAIN,)))
    tale.update(FW_AGAIN)


@story("no-ghost-update", "held")
def asks_with_qos_0_and_goes_on_at_once(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    for _ in range(2):
        token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
        tale.arrive(token, code=RNF)
        tale.deliver(token, acknowledged=False)
        tale.wait(0.3)


@story("no-ghost-update", "held")
def asks_with_qos_0_and_goes_on_at_once_but_is_read_long_after(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    for _ in range(2):
        token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
        tale.arrive(token, code=RNF)
        tale.deliver(token, acknowledged=False)
        tale.wait(3)
        tale.stall("cloud", 2.5)


@story("no-ghost-update", "violated", "request.received", "request.answered", "request.received")
def asks_with_qos_0_and_goes_on_long_after(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    for _ in range(2):
        token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
        tale.arrive(token, code=RNF)
        tale.deliver(token, acknowledged=False)
        tale.wait(3)


def repeats(tale: Tale, times: int, seconds: float, status: str | None = "SUCCEEDED") -> None:
    """The same report of a ghost with QoS 0, so many times, so long after the refusal of the one before."""
    at_work(tale)
    tale.remove(FW)
    for _ in range(times):
        token = tale.send("update", FW, status=status, expected_version=2)
        tale.arrive(token, code=RNF)
        tale.deliver(token, acknowledged=False)
        tale.wait(seconds)


@story("no-ghost-update", "violated", "request.received", "request.answered", *["request.received"] * 5)
def repeats_its_success_with_qos_0_at_every_refusal(tale: Tale) -> None:
    repeats(tale, 8, 0.005)


@story("no-ghost-update", "held")
def repeats_its_success_with_qos_0_for_want_of_an_answer(tale: Tale) -> None:
    repeats(tale, 8, 0.2)


@story("no-ghost-update", "held")
def tells_of_its_progress_with_qos_0_without_waiting(tale: Tale) -> None:
    repeats(tale, 8, 0.005, "IN_PROGRESS")


@story("no-hammering", "held")
def asks_anew_at_each_notification_with_qos_0(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    for _ in range(6):
        tale.cloud(HintPublished(tale.thing, "notify", None, ()))
    for _ in range(6):
        token = tale.send("describe", FW)
        tale.arrive(token, code=RNF)
        tale.deliver(token, acknowledged=False)
        tale.wait(0.002)


@story("no-ghost-update", "held")
def sends_its_success_twice_to_be_sure(tale: Tale) -> None:
    repeats(tale, 2, 0.001)


# ── no-ghost-work, stops-in-time ──────────────────────────────────────────────────────────────────────────────


@story("no-ghost-work", "violated", "request.received", "request.answered", "request.received")
def names_step_after_step_of_a_ghost(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.say(FW, "switch", code=RNF)
    tale.say(FW, "reboot", code=RNF)


@story("no-ghost-work", "held")
def names_one_that_it_may_have_begun_before(tale: Tale) -> None:
    reports_of_a_ghost(tale)
    tale.say(FW, "switch", code=RNF)


@story("no-ghost-work", "held")
def sends_all_at_once_what_it_could_not_send_off_line(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.disconnect()
    tale.remove(FW)
    tale.connect()
    for step in ("write", "switch", "reboot"):
        tale.say(FW, step, code=RNF)


@story("stops-in-time", "violated", "execution.removed", "request.received")
def names_a_step_that_began_beyond_the_bound(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    for step in ("write", "switch"):
        tale.wait(2.5)
        tale.arrive(tale.send("update", FW, status="IN_PROGRESS", details=(("step", step),)), code=RNF)


@story("stops-in-time", "held")
def names_a_step_late_that_may_have_begun_in_time(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    tale.wait(2.5)
    tale.say(FW, "write", code=RNF)


@story("stops-in-time", "undecided")
def works_on_one_of_two_that_look_alike(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    tale.queue(FW)
    tale.take(FW)
    for step in ("write", "switch"):
        tale.wait(2.5)
        tale.say(FW, step)


# ── no-cross-incarnation ──────────────────────────────────────────────────────────────────────────────────────


def ends_the_second(tale: Tale, *, expected_version: int | None = None) -> None:
    token = tale.send("update", FW, status="SUCCEEDED", expected_version=expected_version)
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "SUCCEEDED", 2, "device"))
    tale.answer(token)


@story(
    "no-cross-incarnation", "violated", "execution.queued", "request.received", "request.received", "request.answered"
)
def could_not_know_of_the_second(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.disconnect()
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    tale.cloud(HintPublished(tale.thing, "notify-next", None, (FW_AGAIN,)))
    tale.connect()
    ends_the_second(tale)


@story("no-cross-incarnation", "undecided")
def may_have_heard_of_the_second_in_its_session(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.disconnect()
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    tale.cloud(HintPublished(tale.thing, "notify-next", None, (FW_AGAIN,)))
    tale.connect(session_present=True)
    ends_the_second(tale)


def hears_of_the_second(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    tale.cloud(HintPublished(tale.thing, "notify-next", None, (FW_AGAIN,)))


def fails_the_second(tale: Tale) -> None:
    token = tale.send("update", FW_AGAIN, status="FAILED")
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "FAILED", 2, "device"))
    tale.answer(token)


@story(
    "no-cross-incarnation", "violated", "execution.queued", "request.received", "request.received", "request.answered"
)
def fails_what_it_has_heard_of_and_never_begun(tale: Tale) -> None:
    hears_of_the_second(tale)
    fails_the_second(tale)


@story("no-cross-incarnation", "undecided")
def fails_what_it_has_heard_of_and_begun(tale: Tale) -> None:
    hears_of_the_second(tale)
    token = tale.send("update", FW_AGAIN, status="IN_PROGRESS")
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "IN_PROGRESS", 2, "device"))
    tale.answer(token)
    fails_the_second(tale)


@story("no-cross-incarnation", "held")
def fails_what_it_was_told_of_when_it_asked(tale: Tale) -> None:
    hears_of_the_second(tale)
    tale.ask(FW, found=FW_AGAIN, status="QUEUED")
    fails_the_second(tale)


@story("no-cross-incarnation", "undecided")
def could_not_know_but_named_a_version(tale: Tale) -> None:
    at_work(tale)
    tale.say(FW, "download")
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    ends_the_second(tale, expected_version=1)


# ── no-hammering ──────────────────────────────────────────────────────────────────────────────────────────────


@story("no-hammering", "violated", "request.received", "request.answered", "request.received")
def repeats_what_was_refused_for_good(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    for _ in range(2):
        tale.ask(FW, code=RNF)


@story("no-hammering", "violated", "request.received", "request.answered", "request.received")
def repeats_at_once_what_was_throttled(tale: Tale) -> None:
    at_work(tale)
    for _ in range(2):
        tale.ask(FW, code="RequestThrottled")


@story("no-hammering", "held")
def waits_after_it_was_throttled(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="RequestThrottled")
    tale.wait(1)
    tale.ask(FW)


@story("no-hammering", "not-exercised")
def is_hinted_after_it_was_throttled(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="RequestThrottled")
    tale.cloud(HintPublished(tale.thing, "notify", None))
    tale.ask(FW)


@story("no-hammering", "not-exercised")
def repeats_what_nobody_answered_as_far_as_it_knows(tale: Tale) -> None:
    at_work(tale)
    for _ in range(3):
        tale.arrive(tale.send("describe", FW), found=FW, status="IN_PROGRESS")


# ── accounted-for ─────────────────────────────────────────────────────────────────────────────────────────────


@story("accounted-for", "held", opportunities=1)
def reports_what_it_installed(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, "SUCCEEDED", details=(("version", "2.0"),))


@story("accounted-for", "undecided")
def installed_what_nobody_took_the_report_of(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, "SUCCEEDED", details=(("version", "2.0"),), code=RNF)


@story("accounted-for", "held")
def owns_up_with_the_next_job(tale: Tale) -> None:
    installed_what_nobody_took_the_report_of(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT, details=(("kept", "2.0"),))


# ── readiness ─────────────────────────────────────────────────────────────────────────────────────────────────


@story("no-lost-job", "violated", "execution.queued")
def never_takes_it(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(6)


@story("no-lost-job", "undecided")
def takes_nothing_more_and_may_be_safe(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.wait(20)


@story("ready-in-time", "violated", "execution.removed", "execution.queued")
def takes_nothing_more_and_is_not_ready(tale: Tale) -> None:
    takes_nothing_more_and_may_be_safe(tale)


@story("no-lost-job", "undecided")
def was_gone_long_before_its_keep_alive_lapsed(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(40)
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT")
    tale.connect()


@story("alive", "undecided")
def may_have_rebooted(tale: Tale) -> None:
    tale.connect()
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT")
    tale.connect()


@story("alive", "violated", "client.disconnected")
def never_comes_back_after_a_reboot(tale: Tale) -> None:
    at_work(tale)
    tale.disconnect()
    tale.wait(31)


@story("alive", "held")
def takes_leave_with_work_pending(tale: Tale) -> None:
    at_work(tale)
    tale.disconnect("CLIENT_INITIATED_DISCONNECT")
    tale.wait(31)


# ── tests ─────────────────────────────────────────────────────────────────────────────────────────────────────

params = [pytest.param(each, id=f"{each.invariant}: {each.tell.__name__.replace('_', ' ')}") for each in WIRE_STORIES]


@pytest.mark.parametrize("story", params)
def test_a_story_told_by_the_wire_alone(story: Story):
    tale = story.told()
    entries = from_the_wire(tale.entries)
    judged = found(entries, story.invariant)
    assert judged.outcome == story.outcome
    assert story.opportunities in (None, judged.opportunities)
    by_id = {entry.id: entry.event.type for entry in entries}
    for violation in judged.violations:
        assert tuple(by_id[event] for event in violation.events) == story.shown_by


@pytest.mark.parametrize("story", with_outcome("held", "undecided"))
def test_without_its_own_account_a_device_is_accused_of_nothing_more(story: Story):
    entries = story.told().entries
    whole, seen = judge(entries).invariants, judge(from_the_wire(entries)).invariants
    before = {each.id for each in whole if each.outcome in ("held", "undecided")}
    assert {each.id for each in seen if each.outcome == "violated"} & before == set()


def test_the_main_job_holds_from_the_wire_too():
    tale = Tale()
    main_job(tale)
    tale.end()
    verdict = judge(from_the_wire(tale.entries))
    assert verdict.passed
    assert verdict.recovered == 1


def test_the_table_of_what_the_wire_shows_is_that_of_the_stories():
    violated = {each.invariant for each in WIRE_STORIES if each.outcome == "violated"}
    assert {name for name, how in SEEN_FROM_THE_WIRE.items() if how.startswith("yes")} == violated
    assert list(SEEN_FROM_THE_WIRE) == [invariant.id for invariant in INVARIANTS]
    judged = {each.invariant for each in WIRE_STORIES if each.outcome != "not-exercised"}
    assert {name for name, how in SEEN_FROM_THE_WIRE.items() if not how.startswith("no")} == judged


# ── devices that give an account, but not of everything ───────────────────────────────────────────────────────


def ghost(tale: Tale) -> None:
    goes_on_reporting(tale)
    tale.end()


@pytest.mark.parametrize("hidden", ["request.sent", "answer.received"])
def test_a_device_that_hides_what_it_asks_or_is_told_is_judged_by_the_wire(hidden: str):
    tale = Tale()
    ghost(tale)
    told = [entry for entry in tale.entries if entry.event.type != hidden]
    assert found(told, "no-ghost-update").outcome == "violated"


def test_another_client_of_the_thing_is_judged_by_the_wire():
    tale = Tale()
    ghost(tale)
    entries = [
        entry._replace(event=replace(entry.event, client="tool")) if isinstance(entry.event, RequestReceived) else entry
        for entry in from_the_wire(tale.entries)
    ]
    idle = tale.entries[0]._replace(source="device/lamp", n=1, event=DeviceConnected())
    assert found([*entries, idle], "no-ghost-update").outcome == "violated"


def test_what_one_client_was_told_another_may_not_know():
    tale = Tale()
    ghost(tale)
    received = [entry.id for entry in tale.entries if isinstance(entry.event, RequestReceived)]
    entries = [
        entry._replace(event=replace(entry.event, client="tool")) if entry.id == received[-1] else entry
        for entry in from_the_wire(tale.entries)
    ]
    assert found(entries, "no-ghost-update").outcome == "held"
    assert all(each.outcome != "violated" for each in judge(entries).invariants)


def test_the_stories_tell_of_every_invariant():
    assert {each.invariant for each in STORIES} == {invariant.id for invariant in INVARIANTS}
