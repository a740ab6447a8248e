"""What a message says that cannot be parsed, as far as its bytes tell (`agent.envelope`).

Somebody waits for whatever it was to say. An execution that cannot be carried out can still be rejected, if it is known
which one that is; an update was accepted if it was answered on that topic; and a refusal is one whatever its words are.
"""

import re
from typing import Any, Final

from agent.envelope import scalars
from agent.topics import AnswerTopic
from agent.values import (
    Answer,
    ErrorCode,
    Execution,
    ExecutionKey,
    ExecutionTold,
    Rejected,
    Status,
    UpdateAccepted,
    details_text,
)

JOB_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TOKEN: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""API reference, JobId and ClientToken: what is put into a topic, or compared with what was sent, looks so."""
GREATEST: Final = 2**63 - 1


def token_in(payload: bytes) -> str | None:
    """The client token; None if it cannot be read."""
    return _token(scalars(payload)[0])


def answer_in_part(topic: AnswerTopic, payload: bytes, fault: str) -> Answer | None:
    """The answer as far as it can be read; None if nobody could tell whose it is, or what it is about."""
    outer, inner = scalars(payload)
    token, told = _token(outer), outer.get("timestamp")
    timestamp = int(told) if told is not None and _is_number(told) else 0
    if token is None:
        return None
    if not topic.accepted:
        # Without a code that is known here, nothing says that the same request could never succeed.
        code = outer.get("code")
        known = ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL_ERROR
        return Rejected(timestamp, known, fault, token)
    match topic.request.verb:
        case "update":
            return UpdateAccepted(timestamp, token)
        case "start-next" | "describe":
            execution = _execution(inner, topic.request.namespace_id, fault)
            return None if execution is None else ExecutionTold(timestamp, execution, token)
        case "get-pending":
            return None


def execution_in_part(payload: bytes, namespace_id: str | None, fault: str) -> Execution | None:
    """The execution that a message tells of, by identity and version; None if these cannot be read."""
    return _execution(scalars(payload)[1], namespace_id, fault)


def _execution(told: dict[str, Any], namespace_id: str | None, fault: str) -> Execution | None:
    job_id, numbers = told.get("jobId"), [told.get(name) for name in ("executionNumber", "queuedAt", "versionNumber")]
    if not (isinstance(job_id, str) and JOB_ID.fullmatch(job_id) and all(_is_number(number) for number in numbers)):
        return None
    number, queued_at, version = (int(number) for number in numbers if number is not None)
    status = told.get("status")
    known = Status(status) if status in set(Status) else Status.IN_PROGRESS
    key = ExecutionKey(namespace_id, job_id, number, queued_at)
    return Execution(key, known, version, 0, fault=details_text(fault))


def _token(outer: dict[str, Any]) -> str | None:
    token = outer.get("clientToken")
    return token if isinstance(token, str) and TOKEN.fullmatch(token) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= GREATEST
