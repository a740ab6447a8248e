"""Client tokens, attempts and nonces: minted for one life of an agent, and never seen by the core."""

from dataclasses import replace

import pytest

from agent.core.events import Answered, Booted, Hinted, Publish, Remember, Tell, Unreadable
from agent.core.marks import OTHER, OURS, REPORTS, mark_in, new_report
from agent.core.record import Finished, Record, Work
from agent.correlation import Correlation
from agent.device_events import AnswerReceived, DeviceEvent, ExecutionGone, HintReceived, RequestSent
from agent.plan import MISSING, Plan
from agent.values import (
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionState,
    ExecutionTold,
    GetPending,
    NextChanged,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
    UpdateAccepted,
)
from tests.agent.core.driver import NOW, execution, key

FIRST, SECOND = REPORTS


def noted(mark: str) -> StatusDetails:
    return (("nonce", mark), ("step", "write"))


def update(mark: str = OURS, status: Status = Status.IN_PROGRESS) -> Publish:
    return Publish(Update("fw", status, status_details=noted(mark)), key())


def reporting(mark: str, finished: str = "") -> Record:
    last = Finished(key("old"), "d", Status.SUCCEEDED, finished, 3) if finished else None
    work = Work(key(), Plan("", ()), "d", 0)
    return Record(work, "reporting", status=Status.FAILED, nonce=mark, finished=last)


def resting(finished: str) -> Record:
    return replace(reporting("", finished), work=None, doing="working", status=None)


def sent(correlation: Correlation, effect: Publish) -> tuple[Correlation, Request, int]:
    after, *(told, published) = correlation.write(effect)
    assert isinstance(told, Tell)
    assert isinstance(told.event, RequestSent)
    assert isinstance(published, Publish)
    assert told.event.client_token == published.request.client_token == after.token
    return after, published.request, told.event.attempt


def written(correlation: Correlation, record: Record) -> tuple[Correlation, Record]:
    after, *(effect,) = correlation.write(Remember(record))
    assert isinstance(effect, Remember)
    return after, effect.record


def told(correlation: Correlation, effect: Tell) -> DeviceEvent:
    _, *(told,) = correlation.write(effect)
    assert isinstance(told, Tell)
    return told.event


def nonce(request: Request) -> str | None:
    assert isinstance(request, StartNext | Update)
    return mark_in(request.status_details)


# ── out ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_attempt_has_a_token_of_its_own_and_a_question_keeps_its_nonce_and_counts_its_attempts():
    correlation, once, first = sent(Correlation("life-"), update())
    correlation, again, second = sent(correlation, replace(update(), attempt=None))
    correlation, other, third = sent(correlation, update())
    assert [each.client_token for each in (once, again, other)] == ["life-1", "life-2", "life-3"]
    assert [nonce(each) for each in (once, again, other)] == ["life-1", "life-1", "life-3"]
    assert (first, second, third) == (1, 2, 1)


def test_a_report_has_the_nonce_that_went_on_record_before_it_however_often_it_is_put():
    correlation, record = written(Correlation("life-"), reporting(FIRST))
    assert record.nonce == "life-1"
    for _ in range(2):
        correlation, request, attempt = sent(correlation, update(FIRST, Status.FAILED))
        assert (nonce(request), attempt) == ("life-1", 1)


def test_the_report_of_the_last_execution_keeps_its_nonce_beside_the_one_that_is_open():
    correlation, _ = written(Correlation("life-"), reporting(FIRST))
    correlation, _, _ = sent(correlation, update(FIRST, Status.FAILED))
    correlation, _ = written(correlation, resting(FIRST))
    assert new_report(FIRST) == SECOND
    correlation, record = written(correlation, reporting(SECOND, FIRST))
    assert record.finished is not None
    assert (record.finished.nonce, record.nonce) == ("life-1", "life-2")


def test_a_name_that_went_off_the_record_is_another_nonce_when_it_comes_back():
    correlation, lost = written(Correlation("life-"), reporting(FIRST))
    correlation, _, _ = sent(correlation, update(FIRST, Status.FAILED))
    correlation, _ = written(correlation, Record())
    _, other = written(correlation, reporting(FIRST))
    assert (lost.nonce, other.nonce) == ("life-1", "life-2")


@pytest.mark.parametrize(
    ("effect", "token"),
    [
        pytest.param(Tell(AnswerReceived("", True), from_answer=True), "life-1", id="an answer"),
        pytest.param(Tell(ExecutionGone(key(), "gone"), from_answer=True), "life-1", id="what follows from it"),
        pytest.param(Tell(ExecutionGone(key(), "gone")), "", id="what follows from none"),
    ],
)
def test_what_was_learned_is_told_with_the_token_of_the_answer(effect: Tell, token: str):
    correlation, _, _ = sent(Correlation("life-"), update())
    event = told(correlation, effect)
    assert (event.client_token if isinstance(event, AnswerReceived) else getattr(event, "learned_from", None)) == token


def test_what_follows_from_no_answer_is_told_as_it_is():
    hint = HintReceived("notify", None)
    assert told(Correlation("life-"), Tell(hint, from_answer=True)) is hint


# ── in ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("token", "is_read"),
    [
        pytest.param("life-2", True, id="the newest attempt's"),
        pytest.param("life-1", False, id="an older attempt's"),
        pytest.param("life-3", False, id="one that is not sent yet"),
        pytest.param("else-2", False, id="another life's"),
        pytest.param(None, False, id="none"),
    ],
)
def test_only_answers_to_the_newest_attempt_are_read(token: str | None, is_read: bool):
    correlation, _, _ = sent(Correlation("life-"), update())
    correlation, _, _ = sent(correlation, replace(update(), attempt=None))
    _, read = correlation.read(Answered(UpdateAccepted(NOW, token)))
    assert read == (Answered(UpdateAccepted(NOW)) if is_read else None)
    unread = Unreadable("update", "torn", token, None, "fw")
    assert (correlation.read(unread)[1] is unread) == (is_read or token is None)


@pytest.mark.parametrize("token", ["", "life-0", None])
def test_before_the_first_request_nothing_is_an_answer(token: str | None):
    fresh = Correlation("life-")
    assert fresh.read(Answered(UpdateAccepted(NOW, token)))[1] is None
    assert fresh.read(Unreadable("update", "torn", token, None, "fw"))[1] is None


@pytest.mark.parametrize(
    ("question", "unread", "is_read"),
    [
        (Describe("fw"), Unreadable("describe", "torn", job_id="fw"), True),
        (Describe("fw"), Unreadable("describe", "torn", job_id="other"), False),
        (Describe("fw", namespace_id="lab"), Unreadable("describe", "torn", job_id="fw"), False),
        (Describe("fw"), Unreadable("update", "torn", job_id="fw"), False),
        (StartNext(), Unreadable("start-next", "torn"), True),
        (GetPending(namespace_id="lab"), Unreadable("get-pending", "torn", namespace_id="lab"), True),
    ],
)
def test_an_answer_without_a_token_that_can_be_read_is_known_by_its_topic(
    question: Request, unread: Unreadable, is_read: bool
):
    correlation, _, _ = sent(Correlation("life-"), Publish(question))
    assert (correlation.read(unread)[1] is unread) == is_read


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        pytest.param("life-1", FIRST, id="the report on record"),
        pytest.param("life-17", OURS, id="another write of this life"),
        pytest.param("else-1", OTHER, id="a write of another life"),
        pytest.param(FIRST, OTHER, id="what only looks like a name of ours"),
        pytest.param(OURS, OTHER, id="and so"),
    ],
)
def test_the_core_hears_of_a_nonce_no_more_than_whose_it_is(found: str, mark: str):
    correlation, _ = written(Correlation("life-"), reporting(FIRST))
    correlation, _, _ = sent(correlation, update(FIRST, Status.FAILED))
    state = ExecutionState(Status.FAILED, 4, noted(found))
    answers: list[Answer] = [
        Rejected(NOW, ErrorCode.INVALID_STATE_TRANSITION, client_token="life-1", state=state),
        UpdateAccepted(NOW, "life-1", state),
        ExecutionTold(NOW, replace(execution(key()), status_details=noted(found)), "life-1"),
    ]
    for answer in answers:
        _, read = correlation.read(Answered(answer))
        assert isinstance(read, Answered)
        told = read.answer.execution if isinstance(read.answer, ExecutionTold) else getattr(read.answer, "state", None)
        assert isinstance(told, Execution | ExecutionState)
        assert told.status_details == noted(mark)
    head = replace(execution(key()), status_details=noted(found))
    _, heard = correlation.read(Hinted(NextChanged(NOW, None, head)))
    assert heard == Hinted(NextChanged(NOW, None, replace(head, status_details=noted(mark))))


def test_an_answer_brings_the_plan_of_its_document():
    correlation, _, _ = sent(Correlation("life-"), Publish(Describe("fw"), key()))
    for answer, has_plan in (
        (ExecutionTold(NOW, execution(key()), "life-1"), True),
        (ExecutionTold(NOW, execution(key(), document=None), "life-1"), False),
        (ExecutionTold(NOW, None, "life-1"), False),
        (PendingListed(NOW, (), (), "life-1"), False),
    ):
        _, read = correlation.read(Answered(answer))
        assert isinstance(read, Answered)
        assert (read.planned != MISSING) == has_plan


# ── from one life to the next ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Record(), id="nothing"),
        pytest.param(reporting("one-7"), id="an open report"),
        pytest.param(resting("one-7"), id="the last report"),
        pytest.param(reporting("one-9", "one-7"), id="both"),
        pytest.param(reporting("one-7", "one-7"), id="the last report, once more"),
    ],
)
def test_the_next_life_reads_the_record_and_writes_the_same_and_knows_its_reports_again(record: Record):
    correlation, booted = Correlation("two-").read(Booted(record))
    assert isinstance(booted, Booted)
    assert booted.record is not None
    assert written(correlation, booted.record)[1] == record
    if booted.record.nonce:
        correlation, request, _ = sent(correlation, update(booted.record.nonce, Status.FAILED))
        assert nonce(request) == record.nonce
        state = ExecutionState(Status.FAILED, 4, noted(record.nonce))
        refusal = Rejected(NOW, ErrorCode.INVALID_STATE_TRANSITION, client_token=correlation.token, state=state)
        _, read = correlation.read(Answered(refusal))
        known = replace(state, status_details=noted(booted.record.nonce))
        assert read == Answered(refusal._replace(client_token=None, state=known))


def test_no_record_is_none():
    booted = Booted()
    assert Correlation("life-").read(booted) == (Correlation("life-"), booted)
