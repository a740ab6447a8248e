"""Topic filters: which are valid, and which topics they match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from simulator.cloud.mqtt.filters import Subscriptions, is_valid_filter
from tests.effort import lines_run


@pytest.mark.parametrize(
    ("text", "topic", "is_matched"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("a/+/c", "a/b/c", True),
        ("+/b", "a/b", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a", False),  # AWS deviates from the standard here
        ("#", "a/b", True),
        ("#", "$aws/things/t/jobs/notify", False),
        ("+/things/t/jobs/notify", "$aws/things/t/jobs/notify", False),
        ("$aws/things/t/jobs/+/update/accepted", "$aws/things/t/jobs/j/update/accepted", True),
        ("$aws/things/t/jobs/+/update/accepted", "$aws/things/t/jobs/j/namespace-lab/update/accepted", False),
        ("$aws/things/t/jobs/+/notify-namespace-lab/", "$aws/things/t/jobs/j/notify-namespace-lab/", True),
        ("$aws/things/t/jobs/#", "$aws/things/t/jobs/notify-next", True),
    ],
)
def test_a_filter_matches(text: str, topic: str, is_matched: bool):
    subscriptions: Subscriptions[str] = Subscriptions()
    subscriptions.add(text, "me", 1)
    assert bool(subscriptions.matching(topic)) is is_matched
    subscriptions.remove(text, "me")
    assert not subscriptions.matching(topic)


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "a/b+", "+a/b", "##"])
def test_a_wildcard_where_none_may_stand_is_invalid(text: str):
    assert not is_valid_filter(text)


_LEVELS = st.sampled_from(["a", "b", "+", ""])
_FILTERS = st.builds(
    lambda levels, many: "/".join([*levels, "#"] if many else levels),
    st.lists(_LEVELS, min_size=1, max_size=4),
    st.booleans(),
)
_TOPICS = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=5).map("/".join)


@given(st.lists(_FILTERS, max_size=6, unique=True), _TOPICS)
def test_the_index_agrees_with_paho_on_what_matches(filters: list[str], topic: str):
    subscriptions: Subscriptions[str] = Subscriptions()
    for text in filters:
        if text:
            subscriptions.add(text, text, 1)
    # Both but for the one deviation: `a/#` and `a`.
    expected = {
        f
        for f in filters
        if f and topic_matches_sub(f, topic) and not (f.endswith("/#") and f.count("/") > topic.count("/"))
    }
    if topic:
        assert set(subscriptions.matching(topic)) == expected


def test_overlapping_filters_deliver_once_with_the_highest_qos():
    subscriptions: Subscriptions[str] = Subscriptions()
    for text, qos in (("a/+", 0), ("a/b", 0), ("a/#", 1)):
        subscriptions.add(text, "me", qos)
    assert subscriptions.matching("a/b") == {"me": (1, False)}


def test_who_is_gone_is_found_no_more_and_taken_out_piece_by_piece():
    index = Subscriptions[str]()
    texts = [f"a/{number}" for number in range(5)] + ["a/+", "#"]
    for number, text in enumerate(texts):
        index.add(text, "gone", number % 2)
        index.add(text, "there", 1)
    index.leave("gone", texts)
    assert index.matching("a/1") == {"there": (1, 0)}
    assert index.clear_up(3)
    assert index.clear_up(3)
    assert not index.clear_up(3)
    assert index.matching("a/1") == {"there": (1, 0)}
    for text in texts:
        index.remove(text, "there")
    assert not index


def test_a_changed_qos_takes_the_place_of_the_one_before():
    subscriptions: Subscriptions[str] = Subscriptions()
    for text in ("a/b", "a/+"):
        subscriptions.add(text, "me", 1, 8)
        subscriptions.add(text, "me", 0)
    assert subscriptions.matching("a/b") == {"me": (0, 0)}


@pytest.mark.parametrize("text", ["a/{}", "a/+/{}", "a/+/{}/#", "+/{}", "{}/+"])
def test_filters_that_do_not_match_cost_a_topic_nothing(text: str):
    few: Subscriptions[int] = Subscriptions()
    many: Subscriptions[int] = Subscriptions()
    few.add(text.format("x"), 0, 1)
    for number in range(1000):
        many.add(text.format(f"x{number}"), number, 1)
    assert lines_run(lambda: many.matching("a/b/c")) == lines_run(lambda: few.matching("a/b/c"))


def test_who_has_many_filters_that_match_costs_no_more_than_one_of_each():
    subscriptions: Subscriptions[int] = Subscriptions()
    filters = ("a/+/c", "a/+/+", "+/b/c", "a/#", "#", "a/b/#")

    def cost() -> int:
        return lines_run(lambda: subscriptions.matching("a/b/c"))

    for text in filters:
        subscriptions.add(text, 0, 1)
    one = cost()
    for subscriber in range(1, 400):
        for text in filters:
            subscriptions.add(text, subscriber, 1)
    assert len(subscriptions.matching("a/b/c")) == 400
    assert cost() == one
