"""What the network does to a message: how many copies arrive, and how late."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from agent.values import ErrorCode, ExecutionKey, JobDocument, Status, Update
from simulator.cloud.device_api.fault_injection import About, Faults
from simulator.cloud.device_api.network import Network
from simulator.cloud.jobs import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    Job,
    JobChanged,
    JobExecution,
    JobStatus,
    NewJob,
)
from simulator.cloud.settings.service import Fault
from simulator.trace import FaultStruck

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


def test_one_of_each_device_is_struck_and_told_by_its_name():
    told: list[FaultStruck] = []
    faults = Faults((fault(name="second", nth=2, status="FAILED"),), "seed", told.append)
    last = About("fw", "FAILED", {"step": "write"})
    struck = [not faults.fate(thing, "update", last).delays for thing in ("a", "a", "b", "a", "b")]
    assert struck == [False, True, False, False, True]
    assert told == [FaultStruck(thing, "second", "lose", "update", "fw", "FAILED", "write") for thing in ("a", "b")]


@pytest.mark.parametrize(
    ("given", "details", "struck"),
    [
        ({"step": "write"}, {"step": "write"}, True),
        ({"step": "write", "step_key": "phase"}, {"phase": "write"}, True),
        ({"step": "write", "step_key": "phase"}, {"step": "write"}, False),
        ({"step": "7"}, {"step": 7}, False),
    ],
)
def test_a_step_has_the_key_that_devices_report_it_under(given: Any, details: Any, struck: bool):
    about = About.read("fw", json.dumps({"status": "IN_PROGRESS", "statusDetails": details}).encode())
    assert (Faults((fault(**given),), "seed").fate("a", "update", about).delays == ()) is struck


EXECUTION = JobExecution("a", ExecutionKey(None, "old", 1, 0), 1, Status.IN_PROGRESS, 1, 0.0, 0.0)
DELETED = Job(NewJob("old", ("a", "b"), JobDocument("{}")), JobStatus.DELETION_IN_PROGRESS, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "struck"),
    [
        pytest.param(JobChanged(None, replace(DELETED, status=JobStatus.IN_PROGRESS)), "", id="created"),
        pytest.param(JobChanged(DELETED, DELETED), "ab", id="its deletion began"),
        pytest.param(JobChanged(DELETED, None), "ab", id="gone"),
        pytest.param(ExecutionRemoved(EXECUTION), "a", id="one device's execution removed"),
        pytest.param(
            ExecutionChanged(EXECUTION, replace(EXECUTION, status=Status.CANCELED), "service"), "a", id="cancelled"
        ),
        pytest.param(ExecutionChanged(EXECUTION, replace(EXECUTION, status=Status.SUCCEEDED), "device"), "", id="done"),
    ],
)
def test_some_faults_begin_with_a_deletion(change: Change, struck: str):
    faults = Faults((fault(after_deletion_of="old"), fault(after_deletion_of="other")), "seed")
    faults.deletions.learn(change)
    assert "".join(thing for thing in "ab" if not faults.fate(thing, "update", About("next")).delays) == struck


def test_some_faults_begin_once_a_thing_has_been_given_a_job():
    held = {"do": "hold", "messages": ["start-next"], "job": "old"}
    faults = Faults((fault(after_queueing_of="old", messages=["start-next"]), fault(**held)), "seed")
    for queued, struck in ((None, ""), (replace(EXECUTION, thing="b"), "b"), (EXECUTION, "ab")):
        if queued is not None:
            faults.deletions.learn(ExecutionQueued(queued))
        assert "".join(thing for thing in "ab" if not faults.fate(thing, "start-next", About()).delays) == struck


@pytest.mark.parametrize(
    ("do", "code"), [("throttle", ErrorCode.REQUEST_THROTTLED), ("fail", ErrorCode.INTERNAL_ERROR)]
)
def test_a_passing_refusal_ends_with_what_befalls_the_deleted_job(do: str, code: ErrorCode):
    faults = Faults((fault(do=do, after_deletion_of="old", until="gone"),), "seed")
    found = [faults.refusal("a", "update", About("next"))]
    for change in (JobChanged(DELETED, DELETED), JobChanged(DELETED, None)):
        faults.deletions.learn(change)
        found.append(faults.refusal("a", "update", About("next")))
    assert found == [None, code, None]


@pytest.mark.parametrize(
    ("topic", "request_", "answer", "job_id"),
    [
        ("start-next/accepted", b"{}", b'{"execution": {"jobId": "fw"}}', "fw"),
        ("start-next/accepted", b"{}", b'{"execution": null}', None),
        ("start-next/rejected", b"{", b"nonsense", None),
        ("$next/get", b"{}", b"", None),
        ("$next/get/accepted", b"{}", b'{"execution": {"jobId": "fw"}}', "fw"),
        ("fw/get/accepted", b"{}", b'{"execution": {"jobId": "other"}}', "fw"),
    ],
)
def test_an_answer_is_about_the_job_that_it_tells_of(topic: str, request_: bytes, answer: bytes, job_id: str | None):
    messages = ["start-next-answer", "describe", "describe-answer"]
    network = Network((fault(job="fw", messages=messages),), "seed", lambda: 0.0, lambda *_: None)
    assert (arrivals(network, f"$aws/things/lamp/jobs/{topic}", request_, answer) == ()) is (job_id == "fw")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"first": 1, "nth": 2}, "first, nth: one of these"),
        ({"do": "throttle", "messages": ["notify"]}, "throttle is for requests, not for notify"),
        ({"do": "lose", "until": "gone"}, "until: for hold, throttle and fail, not for lose"),
        ({"do": "fail", "messages": ["update"], "until": "gone"}, "until: fail needs after_deletion_of"),
    ],
)
def test_what_a_fault_cannot_be(given: dict[str, Any], says: str):
    with pytest.raises(ValidationError, match=says):
        fault(**given)


@pytest.mark.parametrize(("do", "seconds"), [("delay", 0.3), ("hold", 30.0), ("cut", 0.5)])
def test_what_is_usual_where_nothing_is_said(do: str, seconds: float):
    assert fault(do=do).lasts == seconds
    assert fault(do=do, seconds=2).lasts == 2
    assert Fault.model_validate(fault(do=do).model_dump()) == fault(do=do)
