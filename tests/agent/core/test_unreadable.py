"""Answers of which nobody can tell what they say, in each phase that waits for one."""

import pytest

from agent.core.events import BeginStep, SetTimer, StepEnded, Unreadable
from agent.core.state import ByName, Executing, Gated, Idle, Recovering, Reporting, Suspect
from agent.core.turn import Turn
from agent.device_events import AnswerUnreadable, request_kind
from agent.values import Describe, GetPending, PendingListed, StartNext, Status, Update
from tests.agent.core.driver import NOW, Driver, execution, key


def unreadable(driver: Driver, *, token: bool = True, problem: str = "no JSON") -> None:
    """The answer to the newest request."""
    request = driver.request
    job_id = getattr(request, "job_id", None)
    told = request.client_token if token else None
    driver(Unreadable(request_kind(request), problem, told, request.namespace_id, job_id))


def idle() -> Driver:
    driver = Driver()
    driver.connect()
    assert isinstance(driver.request, StartNext)
    return driver


@pytest.mark.parametrize("token", [True, False], ids=["by its token", "by its topic"])
def test_the_list_is_asked_for_and_each_job_by_its_name(token: bool):
    driver = idle()
    unreadable(driver, token=token)
    assert isinstance(driver.request, GetPending)
    one, two = (execution(key(job), Status.QUEUED, 1, None) for job in ("one", "two"))
    driver.answer(PendingListed(NOW, (), (one, two)))
    assert driver.request == Describe("one", driver.request.client_token)
    unreadable(driver, token=token)
    assert isinstance(driver.phase, Reporting)
    assert isinstance(driver.request, Update)
    assert (driver.request.job_id, driver.request.status, driver.request.expected_version) == ("one", "REJECTED", 1)
    assert [told.problem for told in driver.told(AnswerUnreadable)] == ["no JSON"] * 2
    driver.accept(2)
    assert isinstance(driver.request, StartNext)


def test_one_that_can_be_read_is_claimed_by_an_update_and_confirmed_before_its_first_step():
    driver = idle()
    unreadable(driver)
    driver.answer(PendingListed(NOW, (), (execution(key(), Status.QUEUED, 1, None),)))
    driver.tell(execution(key(), Status.QUEUED, 1))
    assert isinstance(driver.request, Update)
    assert driver.all(BeginStep) == []
    driver.accept(2)
    driver.tell(execution(key(), version=2, details=driver.requests[-2].status_details or ()))  # type: ignore[union-attr]
    assert isinstance(driver.phase, Executing)


@pytest.mark.parametrize("is_list_empty", [True, False], ids=["it is empty", "it cannot be read either"])
def test_where_the_list_is_no_help_the_device_waits_for_a_poll(is_list_empty: bool):
    driver = idle()
    unreadable(driver)
    asked = len(driver.requests)
    if is_list_empty:
        driver.answer(PendingListed(NOW, (), ()))
    else:
        unreadable(driver)
    assert isinstance(driver.phase, Idle)
    assert len(driver.requests) == asked
    assert driver.all(SetTimer)[-1].name == "poll"


def test_a_notification_tells_the_names_where_nobody_answers_for_the_list():
    driver = idle()
    unreadable(driver)
    assert driver.phase == ByName(listed=True)
    driver.list(key("one"))
    assert isinstance(driver.request, Describe)
    assert driver.request.job_id == "one"


def test_a_step_that_needs_a_new_document_fails_if_that_cannot_be_read():
    driver = Driver.working()
    driver(StepEnded(0, "stale", "expired"))
    unreadable(driver)
    assert isinstance(driver.phase, Recovering)
    assert "cannot be read: no JSON" in driver.phase.reason


def test_the_leap_waits_and_asks_again_later():
    driver = Driver.before_the_leap()
    asked = len(driver.requests)
    unreadable(driver)
    assert isinstance(driver.phase, Gated)
    assert len(driver.requests) == asked
    assert driver.all(SetTimer)[-1].name == "retry"
    driver.fire("retry")
    driver.tell(execution(key(), version=7, document=None))
    assert isinstance(driver.phase, Executing)


def test_a_device_in_doubt_asks_again_without_the_document():
    driver = Driver.switched()
    driver.reboot("2.0", on_trial=True)
    driver.connect()
    assert isinstance(driver.phase, Suspect)
    assert isinstance(driver.request, Describe)
    assert driver.request.include_document
    unreadable(driver)
    driver.fire("retry")
    assert isinstance(driver.request, Describe)
    assert not driver.request.include_document


def test_what_answers_no_open_question_changes_nothing():
    driver = idle()
    before = driver.machine
    for event in (
        Unreadable("start-next", "no JSON", "somebody else's"),
        Unreadable("describe", "no JSON", None, None, "fw"),
        Unreadable("start-next", "no JSON", None, "lab"),
    ):
        assert driver(event) == ()
    assert driver.machine == before


def test_waits_between_attempts_grow():
    driver = Driver.before_the_leap()
    waits = []
    for _ in range(5):
        unreadable(driver)
        waits.append(driver.timer("retry").after_seconds)
        driver.fire("retry")
    assert waits == sorted(waits)
    assert waits[-1] >= 8 * waits[0]
    assert Turn(driver.machine).backoff(100)[0] <= driver.policy.retry_ceiling
