"""Every topic of the Jobs API, built and parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.topics import (
    AnswerTopic,
    HintTopic,
    RequestTopic,
    everything,
    hint_topic,
    parse,
    request_topic,
    subscriptions,
)
from agent.values import Describe, GetPending, StartNext, Status, Update
from simulator.cloud.mqtt.filters import Subscriptions

J = "$aws/things/T/jobs"


@pytest.mark.parametrize(
    ("topic", "meaning"),
    [
        (f"{J}/get", RequestTopic("T", "get-pending")),
        (f"{J}/get/accepted", AnswerTopic(RequestTopic("T", "get-pending"), True)),
        (f"{J}/start-next", RequestTopic("T", "start-next")),
        (f"{J}/start-next/rejected", AnswerTopic(RequestTopic("T", "start-next"), False)),
        (f"{J}/$next/get", RequestTopic("T", "describe", None, "$next")),
        (f"{J}/fw/get/accepted", AnswerTopic(RequestTopic("T", "describe", None, "fw"), True)),
        (f"{J}/fw/update", RequestTopic("T", "update", None, "fw")),
        (f"{J}/fw/update/rejected", AnswerTopic(RequestTopic("T", "update", None, "fw"), False)),
        (f"{J}/get/get", RequestTopic("T", "describe", None, "get")),
        (f"{J}/$next/namespace-lab/get", RequestTopic("T", "describe", "lab", "$next")),
        (f"{J}/fw/namespace-lab/update", RequestTopic("T", "update", "lab", "fw")),
        (f"{J}/fw/namespace-lab/update/accepted", AnswerTopic(RequestTopic("T", "update", "lab", "fw"), True)),
        (f"{J}/notify", HintTopic("T", "notify")),
        (f"{J}/notify-next", HintTopic("T", "notify-next")),
        (f"{J}/notify-namespace-lab", HintTopic("T", "notify", "lab")),
        (f"{J}/notify-next-namespace-lab", HintTopic("T", "notify-next", "lab")),
        (f"{J}/fw/notify-namespace-lab/", HintTopic("T", "notify-documented", "lab", "fw")),
        (f"{J}/$next/update", None),
        (f"{J}/fw/notify-namespace-lab", None),
        (f"{J}/fw/cancel", None),
        (f"{J}", None),
        ("$aws/things/T/shadow/get", None),
        ("$aws/things//jobs/get", None),
        ("things/T/jobs/get", None),
    ],
)
def test_a_topic_means(topic: str, meaning: object):
    assert parse(topic) == meaning


_NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
_NAMESPACES = st.none() | _NAMES


@given(_NAMES, _NAMES, _NAMESPACES)
def test_every_request_topic_parses_back(thing: str, job_id: str, ns: str | None):
    requests = {
        "get-pending": GetPending(namespace_id=ns),
        "start-next": StartNext(namespace_id=ns),
        "describe": Describe(f"job-{job_id}", namespace_id=ns),
        "update": Update(f"job-{job_id}", Status.SUCCEEDED, namespace_id=ns),
    }
    for verb, request in requests.items():
        job = f"job-{job_id}" if verb in ("describe", "update") else None
        topic = request_topic(thing, request)
        assert parse(topic) == RequestTopic(thing, verb, ns, job)
        assert parse(f"{topic}/accepted") == AnswerTopic(RequestTopic(thing, verb, ns, job), True)


@given(_NAMES, _NAMES, _NAMES)
def test_every_hint_topic_parses_back(thing: str, job_id: str, ns: str):
    for hint in (
        HintTopic(thing, "notify"),
        HintTopic(thing, "notify-next"),
        HintTopic(thing, "notify", ns),
        HintTopic(thing, "notify-next", ns),
        HintTopic(thing, "notify-documented", ns, f"job-{job_id}"),
    ):
        assert parse(hint_topic(hint)) == hint


def test_a_device_in_a_namespace_listens_to_the_real_forms_and_to_the_documented_one():
    assert set(subscriptions("T", "lab")) >= {
        f"{J}/notify-namespace-lab",
        f"{J}/notify-next-namespace-lab",
        f"{J}/+/notify-namespace-lab/",
    }


@pytest.mark.parametrize("ns", [None, "lab"])
def test_who_subscribes_to_everything_hears_every_namespace(ns: str | None):
    subscriptions, (text,) = Subscriptions[str](), everything("T")
    subscriptions.add(text, "subscriber", 1)
    assert subscriptions.matching(hint_topic(HintTopic("T", "notify", ns)))
    assert not subscriptions.matching(hint_topic(HintTopic("other", "notify", ns)))


@pytest.mark.parametrize("ns", [None, "lab"])
def test_subscriptions_fit_into_one_subscribe_of_aws(ns: str | None):
    assert len(subscriptions("T", ns)) <= 8
