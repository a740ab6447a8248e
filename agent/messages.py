"""The JSON payloads of the Jobs device API over MQTT, read through the models of `agent.bodies`, and written.

Four directions, two for each side:

    device  ── write_request ──►  service          service ── write_answer, write_hint ──►  device
    service ◄── read_request ──   device           device  ◄── read_answer, read_hint ──    service

Reading is lenient where real clients and the real service are: unknown keys are ignored, an empty payload is
`{}`, `expectedVersion` may be a decimal string, `thingName` may be absent. Writing follows the captured payloads:
keys without a value are left out, timestamps are integer epoch seconds, `jobDocument` is a JSON value and not a
string, empty notification lists are `"jobs":{}`. A job document's text is put into the payload as it was written, and
taken out of it so: it is not parsed here, and whatever is wrong with it is no fault of the message.

A message that cannot be parsed for another reason is told as far as it can be read (`agent.envelope`): an execution by
its identity and version, with the fault; an accepted update as accepted. Where not even the client token and an
identity are there, it is a WireError.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from agent.bodies import (
    DescribeBody,
    ExecutionAnswerBody,
    ExecutionBody,
    NotifyBody,
    NotifyNextBody,
    PendingBody,
    RejectedBody,
    RequestBody,
    StartNextBody,
    StateBody,
    UpdateAnswerBody,
    UpdateBody,
    document_of,
    pairs_of,
    values_of,
)
from agent.envelope import split
from agent.errors import WireError
from agent.partial import answer_in_part, execution_in_part, token_in
from agent.topics import AnswerTopic, HintTopic, RequestTopic, Verb
from agent.values import (
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionState,
    ExecutionTold,
    GetPending,
    Hint,
    JobDocument,
    JobMentioned,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
    UpdateAccepted,
)
from agent.wording import dotted, first_wrong

NOT_JSON: Final = "The payload is not UTF-8 JSON."
LONGEST_PAYLOAD: Final = 256 * 1024
"""Bytes of a message that is parsed; AWS's own have at most 128 KiB (AWS IoT Core quotas, "Payload")."""


class RequestRefused(Exception):  # noqa: N818 - it is an answer on its way, not a fault of ours
    """A device's payload is not a request; carries what `rejected` has to say."""

    def __init__(self, code: ErrorCode, message: str, client_token: str | None = None) -> None:
        super().__init__(message)
        self.code: Final = code
        self.message: Final = message
        self.client_token: Final = client_token


# Every request is read by one of these; a model's own `model_validate_json` takes half as long again, to get there.
_request: Final[Callable[[bytes], RequestBody]] = TypeAdapter(RequestBody).validator.validate_json
_start_next: Final[Callable[[bytes], StartNextBody]] = TypeAdapter(StartNextBody).validator.validate_json
_describe: Final[Callable[[bytes], DescribeBody]] = TypeAdapter(DescribeBody).validator.validate_json
_update: Final[Callable[[bytes], UpdateBody]] = TypeAdapter(UpdateBody).validator.validate_json


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────


def write_request(request: Request) -> bytes:
    """The payload of `request`; what is None is left out."""
    match request:
        case GetPending():
            body: dict[str, object] = {}
        case StartNext():
            body = {
                "statusDetails": _map(request.status_details),
                "stepTimeoutInMinutes": request.step_timeout_minutes,
            }
        case Describe():
            body = {"executionNumber": request.execution_number, "includeJobDocument": request.include_document}
        case Update():
            body = {
                "status": request.status.value,
                "statusDetails": _map(request.status_details),
                "expectedVersion": request.expected_version,
                "executionNumber": request.execution_number,
                "includeJobExecutionState": request.include_state or None,
                "includeJobDocument": request.include_document or None,
                "stepTimeoutInMinutes": request.step_timeout_minutes,
            }
        case _:
            assert_never(request)
    return _encode(body | {"clientToken": request.client_token})


def read_request(topic: RequestTopic, payload: bytes) -> Request:
    """The request that `payload` makes on `topic`.

    Raises RequestRefused: InvalidJson if it is no UTF-8 JSON, InvalidRequest if a field is missing or out of range.
    """
    if (b"NaN" in payload or b"Infinity" in payload) and not _is_json(payload):
        raise RequestRefused(ErrorCode.INVALID_JSON, NOT_JSON)
    try:
        return _READERS[topic.verb](topic, payload or b"{}")
    except ValidationError as error:
        raise _refusal(payload, error) from None


def _read_get_pending(topic: RequestTopic, payload: bytes) -> GetPending:
    return GetPending(_request(payload).client_token, topic.namespace_id)


def _read_start_next(topic: RequestTopic, payload: bytes) -> StartNext:
    body = _start_next(payload)
    details = pairs_of(body.status_details)
    return StartNext(body.client_token, details, body.step_timeout_in_minutes, topic.namespace_id)


def _read_describe(topic: RequestTopic, payload: bytes) -> Describe:
    body = _describe(payload)
    job_id, number = topic.job_id or "", body.execution_number
    return Describe(job_id, body.client_token, topic.namespace_id, number, body.include_job_document)


def _read_update(topic: RequestTopic, payload: bytes) -> Update:
    body = _update(payload)
    if body.step_timeout_in_minutes == 0:
        message = "stepTimeoutInMinutes: -1 or 1 to 10080"
        raise RequestRefused(ErrorCode.INVALID_REQUEST, message, body.client_token)
    return Update(
        topic.job_id or "",
        body.status,
        body.client_token,
        topic.namespace_id,
        pairs_of(body.status_details),
        body.expected_version,
        body.execution_number,
        body.include_job_execution_state,
        body.include_job_document,
        body.step_timeout_in_minutes,
    )


_READERS: Final[dict[Verb, Callable[[RequestTopic, bytes], Request]]] = {
    "get-pending": _read_get_pending,
    "start-next": _read_start_next,
    "describe": _read_describe,
    "update": _read_update,
}


def _is_json(payload: bytes) -> bool:
    """Whether it is JSON also where nobody looks at it: pydantic reads what JSON lacks, NaN and Infinity."""
    try:
        from_json(payload, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _refusal(payload: bytes, error: ValidationError) -> RequestRefused:
    try:
        body = from_json(payload)
    except ValueError:
        return RequestRefused(ErrorCode.INVALID_JSON, NOT_JSON)
    token = body.get("clientToken") if isinstance(body, dict) else None
    wrong = first_wrong(error)
    message = f"{dotted(wrong.where) or 'the payload'}: {wrong.what}"
    return RequestRefused(ErrorCode.INVALID_REQUEST, message, token if isinstance(token, str) else None)


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────


def write_answer(answer: Answer) -> bytes:
    """The payload of an `accepted` or `rejected` message."""
    token = answer.client_token
    head = b'{"timestamp":%d' % answer.timestamp
    if token is not None:
        head = b'%b,"clientToken":%b' % (head, to_json(token))
    match answer:
        case PendingListed():
            in_progress, queued = _summaries(answer.in_progress), _summaries(answer.queued)
            return b'%b,"inProgressJobs":%b,"queuedJobs":%b}' % (head, in_progress, queued)
        case ExecutionTold():
            return _with_execution(head + b"}", answer.execution)
        case UpdateAccepted():
            return _with_document(_with_state(head, answer.state), answer.document)
        case Rejected():
            refused = b'%b,"code":%b,"message":%b' % (head, to_json(answer.code.value), to_json(answer.message))
            return _with_state(refused, answer.state)
        case _:
            assert_never(answer)


def read_answer(topic: AnswerTopic, raw_topic: str, payload: bytes) -> Answer:
    """The answer that `payload` gives, be it in part.

    Raises WireError if nobody can tell what it is about; it has the client token, if that can be read.
    """
    try:
        return _read_answer(topic, *_parts(payload))
    except ValueError as error:
        fault = _first_line(error)
    seen = payload[:LONGEST_PAYLOAD]
    answer = answer_in_part(topic, seen, fault)
    if answer is None:
        raise WireError(raw_topic, fault, token_in(seen))
    return answer


def _parts(payload: bytes) -> tuple[bytes, JobDocument | None]:
    """The message without its job document, and that. Raises ValueError."""
    if len(payload) > LONGEST_PAYLOAD:
        raise ValueError(f"a message of {len(payload)} bytes, of which at most {LONGEST_PAYLOAD} are read")
    envelope, text = split(payload)
    return envelope, None if text is None else JobDocument(text)


def _read_answer(topic: AnswerTopic, payload: bytes, document: JobDocument | None) -> Answer:
    """Raises ValueError."""
    ns = topic.request.namespace_id
    if not topic.accepted:
        refused = RejectedBody.model_validate_json(payload)
        state = _read_state(refused.execution_state)
        return Rejected(refused.timestamp, refused.code, refused.message, refused.client_token, state)
    match topic.request.verb:
        case "get-pending":
            listed = PendingBody.model_validate_json(payload)
            return PendingListed(
                listed.timestamp,
                values_of(listed.in_progress_jobs, ns, Status.IN_PROGRESS),
                values_of(listed.queued_jobs, ns, Status.QUEUED),
                listed.client_token,
            )
        case "start-next" | "describe":
            told = ExecutionAnswerBody.model_validate_json(payload)
            return ExecutionTold(told.timestamp, _read_execution(told.execution, ns, document), told.client_token)
        case "update":
            done = UpdateAnswerBody.model_validate_json(payload)
            return UpdateAccepted(
                done.timestamp,
                done.client_token,
                _read_state(done.execution_state),
                document or document_of(done.job_document),
            )
        case _:
            assert_never(topic.request.verb)


# ── hints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def write_hint(hint: PendingChanged | NextChanged) -> bytes:
    """The payload of a `notify` or `notify-next`."""
    match hint:
        case PendingChanged():
            jobs = {
                status.value: [_summary(execution) for execution in executions]
                for status, executions in ((Status.IN_PROGRESS, hint.in_progress), (Status.QUEUED, hint.queued))
                if executions
            }
            return _encode({"timestamp": hint.timestamp, "jobs": jobs})
        case NextChanged():
            return _with_execution(to_json({"timestamp": hint.timestamp}), hint.execution)
        case _:
            assert_never(hint)


def read_hint(topic: HintTopic, raw_topic: str, payload: bytes) -> Hint:
    """The hint that `payload` gives. Raises WireError if the service broke the contract.

    The payload of the documented per-job topic is described nowhere, so only its topic is read.
    """
    try:
        return _read_hint(topic, *_parts(payload))
    except ValueError as error:
        fault = _first_line(error)
    head = execution_in_part(payload[:LONGEST_PAYLOAD], topic.namespace_id, fault)
    if topic.kind != "notify-next" or head is None:
        raise WireError(raw_topic, fault)
    return NextChanged(0, topic.namespace_id, head)


def _read_hint(topic: HintTopic, payload: bytes, document: JobDocument | None) -> Hint:
    """Raises ValueError."""
    ns = topic.namespace_id
    match topic.kind:
        case "notify":
            listed = NotifyBody.model_validate_json(payload)
            return PendingChanged(
                listed.timestamp,
                ns,
                values_of(listed.jobs.get("IN_PROGRESS", ()), ns, Status.IN_PROGRESS),
                values_of(listed.jobs.get("QUEUED", ()), ns, Status.QUEUED),
            )
        case "notify-next":
            head = NotifyNextBody.model_validate_json(payload)
            return NextChanged(head.timestamp, ns, _read_execution(head.execution, ns, document))
        case "notify-documented":
            return JobMentioned(ns or "", topic.job_id or "")
        case _:
            assert_never(topic.kind)


# ── pieces ────────────────────────────────────────────────────────────────────────────────────────────────────


def _encode(body: dict[str, object]) -> bytes:
    return to_json({key: value for key, value in body.items() if value is not None})


def _map(details: StatusDetails | None) -> dict[str, str] | None:
    return None if details is None else dict(details)


def _with_execution(body: bytes, execution: Execution | None) -> bytes:
    return body if execution is None else b'%b,"execution":%b}' % (body[:-1], _execution(execution))


def _with_document(body: bytes, document: JobDocument | None) -> bytes:
    """An encoded object with one member more, whose text is nobody's to change."""
    if document is None:
        return body
    # Half a surrogate pair, which a file of an earlier cloud may have in it, becomes the escape that JSON has for it.
    return b'%b,"jobDocument":%b}' % (body[:-1], document.text.encode(errors="backslashreplace"))


def _with_state(head: bytes, state: ExecutionState | None) -> bytes:
    """An encoded object that begins so, and ends with its state, if it has one."""
    return head + b"}" if state is None else b'%b,"executionState":%b}' % (head, to_json(_state(state)))


def _summaries(executions: tuple[Execution, ...]) -> bytes:
    return to_json([_summary(execution) for execution in executions]) if executions else b"[]"


def _summary(execution: Execution) -> dict[str, object]:
    body: dict[str, object] = {
        "jobId": execution.key.job_id,
        "queuedAt": execution.key.queued_at,
        "lastUpdatedAt": execution.last_updated_at,
        "versionNumber": execution.version_number,
        "executionNumber": execution.key.execution_number,
    }
    if execution.started_at is not None:
        body["startedAt"] = execution.started_at
    return body


def _execution(execution: Execution) -> bytes:
    body = _summary(execution) | {"status": execution.status.value}
    if execution.status_details:
        body["statusDetails"] = dict(execution.status_details)
    if execution.approximate_seconds_before_timed_out is not None:
        body["approximateSecondsBeforeTimedOut"] = execution.approximate_seconds_before_timed_out
    return _with_document(to_json(body), execution.document)


def _state(state: ExecutionState) -> dict[str, object]:
    body: dict[str, object] = {"status": state.status.value, "versionNumber": state.version_number}
    return body | {"statusDetails": dict(state.status_details)} if state.status_details else body


def _read_state(body: StateBody | None) -> ExecutionState | None:
    return None if body is None else body.value()


def _read_execution(
    body: ExecutionBody | None, namespace_id: str | None, document: JobDocument | None
) -> Execution | None:
    if body is None:
        return None
    execution = body.value(namespace_id)
    return execution if document is None else replace(execution, document=document)


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return str(first_wrong(error))
    return str(error).splitlines()[0]
