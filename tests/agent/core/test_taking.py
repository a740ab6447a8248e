"""How a device comes by work: what it begins, claims, and rejects."""

import json

import pytest

from agent.core.events import BeginStep
from agent.core.state import DevicePolicy, Executing, Idle, Starting
from agent.device_events import ExecutionLeft
from agent.values import Describe, Execution, JobDocument, StartNext, Status, Update

from .driver import NOW, Driver, execution, key


def test_a_connected_device_takes_the_head_of_the_default_queue_by_start_next():
    device = Driver()
    device.connect()
    assert isinstance(device.request, StartNext)
    device.tell(execution(key()))
    assert isinstance(device.phase, Executing)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


def test_after_connecting_to_an_empty_queue_it_asks_once_more_and_then_polls():
    device = Driver()
    device.connect()
    device.tell(None)
    assert device.timer("ask-again").after_seconds == device.policy.ask_again
    device.fire("ask-again")
    device.tell(None)
    assert device.timer("poll").after_seconds == device.policy.poll
    assert len(device.requests) == 2


def test_an_empty_answer_after_a_list_that_had_work_is_asked_again_with_back_off():
    device = Driver()
    device.connect()
    device.tell(None)
    device.list(key())
    device.tell(None)
    first = device.timer("ask-again").after_seconds
    device.fire("ask-again")
    device.tell(None)
    assert device.timer("ask-again").after_seconds > first


def test_in_a_namespace_nothing_begins_before_claim_and_confirmation():
    device = Driver(DevicePolicy(namespace_id="lab"))
    ours = key(namespace_id="lab")
    device.connect()
    assert device.request == Describe("$next", device.request.client_token, "lab")
    device.tell(execution(ours, Status.QUEUED, 1))
    claim = device.request
    assert isinstance(claim, Update)
    assert (claim.status, claim.expected_version, claim.namespace_id) == (Status.IN_PROGRESS, 1, "lab")
    device.accept(2)
    assert isinstance(device.phase, Starting)
    assert not device.all(BeginStep)
    device.tell(execution(ours, version=2))
    assert isinstance(device.phase, Executing)


@pytest.mark.parametrize(
    "confirmation",
    [
        pytest.param(execution(key(namespace_id="lab", queued_at=NOW + 5), version=2), id="queued at another time"),
        pytest.param(execution(key(namespace_id="lab", number=2), version=2), id="another execution number"),
        pytest.param(execution(key(namespace_id="lab"), Status.QUEUED, 1), id="queued again within the second"),
        pytest.param(execution(key(namespace_id="lab"), version=7), id="another version than the claim made"),
        pytest.param(execution(key(namespace_id="lab"), version=2, document=JobDocument.of({})), id="another document"),
    ],
)
def test_a_claim_that_another_incarnation_accepted_begins_nothing(confirmation: Execution):
    device = Driver(DevicePolicy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, 1))
    device.accept(2)
    device.tell(confirmation)
    assert isinstance(device.phase, Idle)
    assert not device.all(BeginStep)
    device.fire("ask-again")
    assert isinstance(device.request, Describe)


def test_a_document_that_is_no_plan_is_rejected_with_the_reason():
    device = Driver()
    device.connect()
    device.tell(execution(key(), document=JobDocument.of({"operation": ["dance"]})))
    report = device.request
    assert isinstance(report, Update)
    assert report.status is Status.REJECTED
    assert "operation" in dict(report.status_details or ())["reason"]
    device.accept()
    assert [left.outcome for left in device.told(ExecutionLeft)] == ["rejected"]


def claimed(document: JobDocument) -> Driver:
    """In namespace lab, an execution described, claimed, and about to be confirmed."""
    device = Driver(DevicePolicy(namespace_id="lab"))
    device.connect()
    device.tell(execution(key(namespace_id="lab"), Status.QUEUED, version=1, document=document))
    device.accept(2)
    return device


def test_a_claim_is_confirmed_by_a_document_that_was_signed_anew_and_the_fresh_urls_are_used():
    signed = [f'{{"operation": "update", "version": "2.0", "url": "https://x/f?X-Amz-Signature={n}"}}' for n in "12"]
    first, second = (JobDocument.of(json.loads(text)) for text in signed)
    device = claimed(first)
    device.tell(execution(key(namespace_id="lab"), version=2, document=second))
    (begun,) = device.all(BeginStep)
    assert dict(begun.step.args)["url"] == "https://x/f?X-Amz-Signature=2"


def test_a_claimed_document_whose_fresh_urls_make_no_plan_is_rejected():
    url = "https://x/f?X-Amz-Signature="
    first, second = (
        JobDocument.of({"operation": "update", "version": "2.0", "url": url + n}) for n in ("1", "2" * 9000)
    )
    device = claimed(first)
    device.tell(execution(key(namespace_id="lab"), version=2, document=second))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.REJECTED
