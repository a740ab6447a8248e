"""A document whose URL has expired is asked for again; with its URL signed anew, it still is the same document."""

from dataclasses import replace

import pytest

from agent.core import DevicePolicy
from agent.core.events import BeginStep, Disconnected, StepEnded, UndoStep
from agent.core.state import Executing, Gated, Recovering, Suspect
from agent.values import Describe, ErrorCode, JobDocument, Status
from tests.agent.core.driver import Driver, execution, key

URL = "https://bucket.s3.amazonaws.com/fw.bin?X-Amz-Date={0}T000000Z&X-Amz-Expires=60&X-Amz-Signature={0}"


def delivery(day: str, **more: str) -> JobDocument:
    return JobDocument.of({"operation": "update", "version": "2.0", "url": URL.format(day), **more})


def stale() -> Driver:
    """In mid-download at version 2, when the URL expires."""
    driver = Driver()
    driver.connect()
    driver.tell(execution(key(), document=delivery("20260101")))
    driver(StepEnded(0, "stale", "refused with HTTP 403"))
    return driver


def begun_with(driver: Driver) -> list[str]:
    return [dict(begin.step.args)["url"] for begin in driver.all(BeginStep)]


def test_the_step_is_begun_again_with_the_url_of_a_new_delivery():
    driver = stale()
    assert isinstance(driver.phase, Gated)
    assert isinstance(driver.request, Describe)
    assert (driver.request.job_id, driver.request.include_document) == ("fw", True)
    driver.tell(execution(key(), document=delivery("20260102")))
    assert isinstance(driver.phase, Executing)
    assert begun_with(driver) == [URL.format("20260101"), URL.format("20260102")]
    assert driver.all(UndoStep) == []


def test_a_document_of_other_steps_fails_the_job():
    driver = stale()
    driver.tell(execution(key(), document=JobDocument.of({"operation": "reboot"})))
    assert isinstance(driver.phase, Recovering)
    assert [undo.index for undo in driver.all(UndoStep)] == [0]


def test_an_execution_that_has_gone_meanwhile_is_given_up():
    driver = stale()
    driver.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert isinstance(driver.phase, Recovering)
    assert driver.phase.end == "gone"


def test_another_incarnation_is_not_taken_for_ours():
    driver = stale()
    driver.tell(execution(replace(key(), queued_at=key().queued_at + 5), Status.QUEUED, 1, delivery("20260102")))
    assert isinstance(driver.phase, Recovering)
    assert driver.phase.end == "replaced"


def test_a_lost_connection_doubts_first_and_then_asks_again():
    driver = stale()
    driver(Disconnected())
    driver.connect()
    assert isinstance(driver.phase, Suspect)
    driver.tell(execution(key(), document=None))
    assert isinstance(driver.phase, Executing)
    assert begun_with(driver) == [URL.format("20260101")] * 2


def test_a_url_that_expires_while_the_execution_is_in_doubt_is_asked_about_afterwards():
    driver = Driver()
    driver.connect()
    driver.tell(execution(key(), document=delivery("20260101")))
    driver.head(None)
    driver(StepEnded(0, "stale", "refused with HTTP 403"))
    assert isinstance(driver.phase, Suspect)
    driver.tell(execution(key(), document=None))
    assert driver.request == replace(driver.request, include_document=True)  # type: ignore[call-arg]  # a Describe
    driver.tell(execution(key(), document=delivery("20260102")))
    assert begun_with(driver)[-1] == URL.format("20260102")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(delivery("20260102"), True, id="signed anew"),
        pytest.param(delivery("20260101", sha256="0" * 64), False, id="with a digest"),
        pytest.param(
            JobDocument.of({"operation": "update", "version": "2.0", "url": "https://x/fw.bin"}), False, id="else"
        ),
    ],
)
def test_a_digest_does_not_depend_on_signatures(other: JobDocument, same: bool):
    assert (delivery("20260101").digest == other.digest) is same


def test_in_a_namespace_a_claim_is_confirmed_by_a_document_that_was_signed_anew():
    driver = Driver(DevicePolicy(namespace_id="lab"))
    mine = key(namespace_id="lab")
    driver.connect()
    driver.tell(execution(mine, Status.QUEUED, 1, delivery("20260101")))
    driver.accept(2)
    driver.tell(execution(mine, Status.IN_PROGRESS, 2, delivery("20260102")))
    assert isinstance(driver.phase, Executing)
    assert begun_with(driver) == [URL.format("20260102")]
