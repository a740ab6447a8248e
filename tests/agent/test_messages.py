"""The payloads: what is written reads back, what real clients send is understood, what is wrong is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.messages import RequestRefused, read_answer, read_hint, read_request, write_answer, write_hint, write_request
from agent.topics import AnswerTopic, HintTopic, RequestTopic, Verb, parse, request_topic
from agent.values import (
    Describe,
    ErrorCode,
    Execution,
    ExecutionKey,
    ExecutionState,
    ExecutionTold,
    GetPending,
    JobDocument,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)

NOW = 1_700_000_000
_WORDS = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
_NS = st.none() | _WORDS
_TOKENS = st.none() | _WORDS
_DETAILS = st.dictionaries(_WORDS, _WORDS, min_size=1, max_size=4).map(lambda d: tuple(sorted(d.items())))
_NUMBERS = st.integers(1, 10_000)
_DOCUMENTS = (
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    .filter(lambda value: value is not None)
    .map(JobDocument.of)
)
_KEYS = st.builds(ExecutionKey, st.just("lab"), _WORDS, _NUMBERS, _NUMBERS)
_EXECUTIONS = st.builds(
    Execution,
    _KEYS,
    st.sampled_from(list(Status)),
    _NUMBERS,
    _NUMBERS,
    st.none() | _NUMBERS,
    st.just(()) | _DETAILS,
    st.none() | _DOCUMENTS,
    st.none() | _NUMBERS,
)


def _listed(status: Status):
    return st.lists(st.builds(lambda k, v, u: Execution(k, status, v, u), _KEYS, _NUMBERS, _NUMBERS), max_size=3).map(
        tuple
    )


_REQUESTS = st.one_of(
    st.builds(GetPending, _TOKENS, _NS),
    st.builds(StartNext, _TOKENS, st.none() | _DETAILS, st.none() | st.integers(1, 10080), _NS),
    st.builds(
        Describe, st.just("$next") | _WORDS.map("job-{}".format), _TOKENS, _NS, st.none() | _NUMBERS, st.booleans()
    ),
    st.builds(
        Update,
        _WORDS.map("job-{}".format),
        st.sampled_from(list(Status)),
        _TOKENS,
        _NS,
        st.none() | _DETAILS,
        st.none() | _NUMBERS,
        st.none() | _NUMBERS,
        st.booleans(),
        st.booleans(),
        st.none() | st.integers(1, 10080) | st.just(-1),
    ),
)
_STATES = st.none() | st.builds(ExecutionState, st.sampled_from(list(Status)), _NUMBERS, st.just(()) | _DETAILS)
_ANSWERS: list[tuple[Verb, st.SearchStrategy]] = [
    ("get-pending", st.builds(PendingListed, _NUMBERS, _listed(Status.IN_PROGRESS), _listed(Status.QUEUED), _TOKENS)),
    ("start-next", st.builds(ExecutionTold, _NUMBERS, st.none() | _EXECUTIONS, _TOKENS)),
    ("describe", st.builds(ExecutionTold, _NUMBERS, st.none() | _EXECUTIONS, _TOKENS)),
    ("update", st.builds(UpdateAccepted, _NUMBERS, _TOKENS, _STATES, st.none() | _DOCUMENTS)),
    ("update", st.builds(Rejected, _NUMBERS, st.sampled_from(list(ErrorCode)), st.text(), _TOKENS, _STATES)),
]


@given(_REQUESTS)
def test_a_request_reads_back_as_it_was_written(request_):
    topic = parse(request_topic("T", request_))
    assert isinstance(topic, RequestTopic)
    assert read_request(topic, write_request(request_)) == request_


@pytest.mark.parametrize(("verb", "answers"), _ANSWERS)
@given(st.data())
def test_an_answer_reads_back_as_it_was_written(verb, answers, data):
    answer = data.draw(answers)
    topic = AnswerTopic(RequestTopic("T", verb, "lab", "fw"), not isinstance(answer, Rejected))
    assert read_answer(topic, "t", write_answer(answer)) == answer


@given(st.builds(PendingChanged, _NUMBERS, st.just("lab"), _listed(Status.IN_PROGRESS), _listed(Status.QUEUED)))
def test_a_notify_reads_back_as_it_was_written(hint):
    assert read_hint(HintTopic("T", "notify", "lab"), "t", write_hint(hint)) == hint


@given(st.builds(NextChanged, _NUMBERS, st.just("lab"), st.none() | _EXECUTIONS))
def test_a_notify_next_reads_back_as_it_was_written(hint):
    assert read_hint(HintTopic("T", "notify-next", "lab"), "t", write_hint(hint)) == hint


# ── what goes over the wire ───────────────────────────────────────────────────────────────────────────────────


def test_an_empty_list_and_no_head_look_as_aws_documents_them():
    assert json.loads(write_hint(PendingChanged(NOW, None, (), ()))) == {"timestamp": NOW, "jobs": {}}
    assert json.loads(write_hint(NextChanged(NOW, None, None))) == {"timestamp": NOW}
    assert json.loads(write_answer(ExecutionTold(NOW, None, "c"))) == {"timestamp": NOW, "clientToken": "c"}


def test_an_execution_carries_its_document_as_json_and_leaves_out_what_is_not():
    key = ExecutionKey(None, "fw", 1, NOW)
    execution = Execution(key, Status.QUEUED, 1, NOW, document=JobDocument.of({"a": None}))
    assert json.loads(write_hint(NextChanged(NOW, None, execution)))["execution"] == {
        "jobId": "fw",
        "status": "QUEUED",
        "queuedAt": NOW,
        "lastUpdatedAt": NOW,
        "versionNumber": 1,
        "executionNumber": 1,
        "jobDocument": {"a": None},
    }


# ── what real clients send ────────────────────────────────────────────────────────────────────────────────────

UPDATE = RequestTopic("T", "update", None, "fw")


@pytest.mark.parametrize(
    ("verb", "payload", "request_"),
    [
        pytest.param("start-next", b"", StartNext(), id="an empty payload (embedded SDK)"),
        pytest.param("get-pending", b'{"moon":1}', GetPending(), id="unknown keys"),
        pytest.param("describe", b'{"jobId":"fw","thingName":"T"}', Describe("fw"), id="Greengrass lite's extra keys"),
        pytest.param(
            "update",
            b'{"status":"SUCCEEDED","expectedVersion":"2"}',
            Update("fw", Status.SUCCEEDED, expected_version=2),
            id="expectedVersion as a string",
        ),
        pytest.param(
            "update", b'{"status":"FAILED","clientToken":null}', Update("fw", Status.FAILED), id="a null token"
        ),
    ],
)
def test_what_real_clients_send_is_understood(verb: Verb, payload: bytes, request_):
    assert (
        read_request(RequestTopic("T", verb, None, "fw" if verb in ("describe", "update") else None), payload)
        == request_
    )


@pytest.mark.parametrize(
    ("payload", "code", "token"),
    [
        pytest.param(b"{", ErrorCode.INVALID_JSON, None, id="broken JSON"),
        pytest.param(b"\xff\xfe", ErrorCode.INVALID_JSON, None, id="no UTF-8"),
        pytest.param(b"[]", ErrorCode.INVALID_REQUEST, None, id="no object"),
        pytest.param(b'{"clientToken":"c"}', ErrorCode.INVALID_REQUEST, "c", id="no status"),
        pytest.param(b'{"status":"DONE","clientToken":"c"}', ErrorCode.INVALID_REQUEST, "c", id="no such status"),
        pytest.param(
            b'{"status":"FAILED","statusDetails":{"a b":"x"}}', ErrorCode.INVALID_REQUEST, None, id="a bad details key"
        ),
        pytest.param(
            b'{"status":"FAILED","statusDetails":{"a":"x\\n"}}',
            ErrorCode.INVALID_REQUEST,
            None,
            id="a newline in details",
        ),
        pytest.param(
            b'{"status":"FAILED","statusDetails":{"a":""}}', ErrorCode.INVALID_REQUEST, None, id="an empty detail"
        ),
        pytest.param(
            json.dumps({"status": "FAILED", "statusDetails": {str(n): "x" for n in range(11)}}).encode(),
            ErrorCode.INVALID_REQUEST,
            None,
            id="eleven details",
        ),
        pytest.param(
            b'{"status":"IN_PROGRESS","stepTimeoutInMinutes":0}', ErrorCode.INVALID_REQUEST, None, id="step timeout 0"
        ),
        pytest.param(
            b'{"status":"IN_PROGRESS","stepTimeoutInMinutes":10081}',
            ErrorCode.INVALID_REQUEST,
            None,
            id="step timeout of a week and a minute",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_the_code_and_the_token(payload: bytes, code: ErrorCode, token: str | None):
    with pytest.raises(RequestRefused) as refused:
        read_request(UPDATE, payload)
    assert (refused.value.code, refused.value.client_token) == (code, token)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b'{"timestamp":1,"execution":{"jobId":"fw"}}', b'{"timestamp":"soon"}', b"\xff"]
)
def test_what_the_service_may_not_say_is_a_wire_error_that_names_the_topic(payload: bytes):
    with pytest.raises(WireError, match="the/topic"):
        read_answer(AnswerTopic(RequestTopic("T", "describe", None, "fw"), True), "the/topic", payload)
    with pytest.raises(WireError, match="the/topic"):
        read_hint(HintTopic("T", "notify-next"), "the/topic", payload)


def test_half_a_surrogate_pair_in_a_document_of_old_is_told_as_json_has_it():
    key = ExecutionKey(None, "fw", 1, 1)
    told = Execution(key, Status.QUEUED, 1, 1, document=JobDocument('{"a":"\ud800","b":"\u00e4"}'))
    payload = write_answer(ExecutionTold(1, told))
    assert b'"jobDocument":{"a":"\\ud800","b":"\xc3\xa4"}' in payload
    assert json.loads(payload)["execution"]["jobDocument"] == {"a": "\ud800", "b": "\u00e4"}
