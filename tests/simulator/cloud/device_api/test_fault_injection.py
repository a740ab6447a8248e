"""What the network does to a message: how many copies arrive, and how late."""

import json

import pytest

from agent.values import ErrorCode, Status, Update
from simulator.cloud.device_api.fault_injection import About, Faults
from simulator.cloud.device_api.network import Network
from simulator.cloud.settings.service import Fault

UPDATE = "$aws/things/lamp/jobs/fw/update"


def payload(status: str, step: str | None = None) -> bytes:
    details = {"statusDetails": {"step": step}} if step else {}
    return json.dumps({"status": status, **details}).encode()


def arrivals(network: Network, topic: str, request: bytes = b"", answer: bytes = b"") -> tuple[float, ...]:
    """How late each copy comes, as soon as it is on its way."""
    came: list[tuple[float, ...]] = [()]
    network.carry_topic(topic, request, lambda delays, held: came.append(delays), answer=answer)
    return came[-1]


def fault(**given: object) -> Fault:
    return Fault.model_validate({"do": "lose", "messages": ["update"], **given})


@pytest.mark.parametrize(
    ("faults", "topic", "request_", "delays"),
    [
        pytest.param([], UPDATE, b"", (0.0,), id="no fault"),
        pytest.param([fault()], UPDATE, b"", (), id="lost"),
        pytest.param([fault()], f"{UPDATE}/accepted", b"", (0.0,), id="its answer is another message"),
        pytest.param([fault(messages=["update-answer"])], f"{UPDATE}/rejected", b"", (), id="the answer is lost"),
        pytest.param([fault(do="duplicate")], UPDATE, b"", (0.0, 0.0), id="twice"),
        pytest.param([fault(do="delay", seconds=2)], UPDATE, b"", (2.0,), id="late"),
        pytest.param(
            [fault(do="duplicate"), fault(do="delay", seconds=2)], UPDATE, b"", (2.0, 2.0), id="twice, and late"
        ),
        pytest.param([fault(job="fw")], UPDATE, b"", (), id="about the job"),
        pytest.param([fault(job="other")], UPDATE, b"", (0.0,), id="about another job"),
        pytest.param([fault(status="SUCCEEDED")], UPDATE, payload("SUCCEEDED"), (), id="the last report"),
        pytest.param([fault(status="SUCCEEDED")], UPDATE, payload("IN_PROGRESS"), (0.0,), id="not the last report"),
        pytest.param([fault(step="write")], UPDATE, payload("IN_PROGRESS", "write"), (), id="the step's report"),
        pytest.param([fault(step="write")], UPDATE, payload("IN_PROGRESS", "switch"), (0.0,), id="another step's"),
        pytest.param([fault(step="write")], UPDATE, b"[]", (0.0,), id="a report that is none"),
        pytest.param([fault(step="write")], UPDATE, b"\xff", (0.0,), id="a report that is no text"),
        pytest.param(
            [fault(messages=["update-answer"], status="SUCCEEDED")],
            f"{UPDATE}/accepted",
            payload("SUCCEEDED"),
            (),
            id="the answer to the last report",
        ),
        pytest.param([fault(messages=["notify"])], "$aws/things/lamp/jobs/notify", b"", (), id="a notification"),
        pytest.param([fault()], "lamp/state", b"", (0.0,), id="no topic of ours"),
    ],
)
def test_what_becomes_of_a_message(faults: list[Fault], topic: str, request_: bytes, delays: tuple[float, ...]):
    assert arrivals(Network(tuple(faults), "seed", lambda: 0.0, lambda *_: None), topic, request_) == delays


def test_only_the_first_of_each_device_are_struck():
    faults = Faults((fault(first=2),), "seed")
    struck = [faults.fate(thing, "update", About("fw")).delays for thing in ("a", "a", "b", "a", "b")]
    assert struck == [(), (), (), (0.0,), ()]


def test_by_chance_some_are_struck_and_the_same_ones_with_the_same_seed():
    def lost(seed: str) -> list[bool]:
        faults = Faults((fault(rate=0.3),), seed)
        return [not faults.fate("a", "update").delays for _ in range(200)]

    assert 30 < sum(lost("one")) < 90
    assert lost("one") == lost("one") != lost("other")


def test_a_service_that_is_to_fail_says_how_and_only_about_what_it_was_told():
    faults = Faults((fault(do="throttle", status="SUCCEEDED"), fault(do="fail", step="write")), "seed")
    last = About.request(Update("fw", Status.SUCCEEDED))
    progress = About.request(Update("fw", Status.IN_PROGRESS, status_details=(("step", "write"),)))
    other = About.request(Update("fw", Status.IN_PROGRESS))
    assert faults.refusal("a", "update", last) is ErrorCode.REQUEST_THROTTLED
    assert faults.refusal("a", "update", progress) is ErrorCode.INTERNAL_ERROR
    assert faults.refusal("a", "update", other) is None
