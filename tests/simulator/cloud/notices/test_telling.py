"""Telling what clients did not get: at once the first time, then by number, within bounds."""

from dataclasses import replace
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from simulator.cloud.notices.refusals import CODES, DROPPED, LONGEST, Code, Denial, Notice
from simulator.cloud.notices.telling import MOST_AT_ONCE, MOST_KINDS, QUIET_SECONDS, Notices
from simulator.trace import Entry, read_line, write_line

ONE = Notice("not-allowed", "iot:Publish", "topic/a", "no statement allows it", "lamp", "c0ffee", "192.0.2.1")


class Heard:
    """What was told, as events and as lines, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events: list[Any] = []
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.notices = Notices(
            self.events.append, lambda: self.now, lambda event, said: self.lines.append((event, said))
        )

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.notices.sweep()


def test_the_first_of_its_kind_is_told_at_once():
    heard = Heard()
    heard.notices.tell(ONE)
    [event] = heard.events
    assert (event.client_id, event.principal, event.address, event.times) == ("lamp", "c0ffee", "192.0.2.1", 1)
    assert heard.lines == [
        (
            "client.refused",
            {
                "client_id": "lamp",
                "principal": "c0ffee",
                "address": "192.0.2.1",
                "action": "iot:Publish",
                "resource": "topic/a",
                "code": "not-allowed",
                "why": "no statement allows it",
            },
        )
    ]


def test_more_like_it_is_told_once_a_while_has_passed_and_again_while_it_goes_on():
    heard = Heard()
    for _ in range(4):
        heard.notices.tell(ONE)
    heard.later(QUIET_SECONDS - 1)
    assert len(heard.events) == 1
    heard.later(1)
    assert [event.times for event in heard.events] == [1, 3]
    assert heard.lines[1][1]["why"] == "no statement allows it (and 3 more like it)"
    heard.notices.tell(ONE)
    assert len(heard.events) == 2
    heard.later(QUIET_SECONDS)
    assert [event.times for event in heard.events] == [1, 3, 1]
    assert heard.lines[2][1]["why"] == "no statement allows it (and 1 more like it)"
    heard.later(QUIET_SECONDS)
    heard.notices.tell(ONE)
    assert [event.times for event in heard.events] == [1, 3, 1, 1], "after a quiet while it is the first again"


def test_another_client_action_topic_or_reason_is_another_kind():
    heard = Heard()
    others = (
        replace(ONE, client_id="other"),
        replace(ONE, action="iot:Subscribe"),
        replace(ONE, resource="topic/b"),
        replace(ONE, code="topic"),
        replace(ONE, principal="else"),
    )
    for each in (ONE, *others):
        heard.notices.tell(each)
    assert len(heard.events) == 6


def test_an_explanation_is_asked_for_only_when_it_is_told():
    heard, asked = Heard(), []

    def explain() -> Denial:
        asked.append(1)
        return Denial("policy p, statement 1 denies it", "policy p, statement 1", "do this")

    for _ in range(10):
        heard.notices.tell(replace(ONE, why="", explain=explain))
    heard.later(QUIET_SECONDS)
    assert len(asked) == 1
    first, more = heard.events
    assert (first.why, first.statement, first.hint) == (more.why, more.statement, more.hint)
    assert first.statement == "policy p, statement 1"


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=400), st.sampled_from(sorted(CODES))), max_size=60))
def test_none_is_lost_and_none_is_counted_twice(refused: list[tuple[str, str, Any]]):
    heard = Heard()
    for number, (client_id, resource, code) in enumerate(refused):
        heard.notices.tell(Notice(code, "iot:Publish", resource, "why", client_id))
        heard.later(QUIET_SECONDS / 4 if number % 3 == 0 else 0)
    heard.notices.close()
    assert sum(event.times for event in heard.events) == len(refused)
    assert all(len(event.resource) <= LONGEST for event in heard.events)
    assert len(heard.lines) == len(heard.events)
    for event in heard.events:
        assert (event.type == "message.dropped") == (event.code in DROPPED)


def test_memory_is_bounded_whatever_comes():
    heard = Heard()
    for number in range(3 * MOST_KINDS):
        heard.notices.tell(replace(ONE, client_id=f"client-{number}", resource="x" * 100_000))
    assert len(heard.notices._kinds) <= MOST_KINDS + len(CODES)
    assert len(heard.events) == MOST_KINDS + 1
    assert all(len(str(said)) < 4 * LONGEST for _, said in heard.lines)
    heard.later(QUIET_SECONDS)
    assert sum(event.times for event in heard.events) == 3 * MOST_KINDS
    assert heard.events[-1].why == "policies do not allow it: many, of which no more are told apart"


def test_every_code_is_explained_and_every_event_can_be_read_back():
    heard = Heard()
    assert tuple(CODES) == get_args(Code)
    for code in CODES:
        heard.notices.tell(replace(ONE, code=code, statement="policy p, statement 1", hint="do this"))
    for number, event in enumerate(heard.events, 1):
        entry = Entry("cloud", number, 1.5, event)
        assert read_line(write_line(entry)) == entry


def test_messages_that_a_client_loses_are_one_kind_on_all_topics():
    heard = Heard()
    for number in range(MOST_KINDS + 10):
        heard.notices.tell(replace(ONE, code="queue-full", resource=f"topic/{number}"))
    heard.notices.tell(replace(ONE, code="queue-full", client_id="other"))
    heard.later(QUIET_SECONDS)
    assert [(event.client_id, event.resource, event.times) for event in heard.events] == [
        ("lamp", "topic/0", 1),
        ("other", "topic/a", 1),
        ("lamp", "topic/0", MOST_KINDS + 9),
    ]


def test_so_many_sums_are_told_at_a_time_and_the_others_later():
    heard = Heard()
    for _ in range(2):
        for number in range(MOST_AT_ONCE * 2 + 1):
            heard.notices.tell(replace(ONE, client_id=f"{number}"))
    before = len(heard.events)
    heard.later(QUIET_SECONDS)
    for told in (1, 2):
        assert len(heard.events) - before == told * MOST_AT_ONCE
        heard.later(1)
    assert [event.client_id for event in heard.events[before:]] == [str(n) for n in range(MOST_AT_ONCE * 2 + 1)]
