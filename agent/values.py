"""What both sides of AWS IoT Jobs speak about, as frozen and hashable values.

Nothing here does I/O or knows JSON: `agent.topics` and `agent.messages` turn these values into topics and
payloads and back. The device core (`agent.core`) and the service core (`simulator.cloud.jobs`) both take them in
and give them out, so that one can be tested against the other without a network, and an explorer can store
either's state in a set.

Times are the service's integer epoch seconds as they stand on the wire; they are not the device's clock.
`namespace_id` is None for the default namespace.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from unicodedata import category

from agent.json_text import read_json_text

NEXT = "$next"
"""The pseudo job id that asks for the execution at the head of the queue (legal for Describe only)."""

StatusDetails: TypeAlias = tuple[tuple[str, str], ...]
"""statusDetails as pairs in the order in which they were given, because a dict is unhashable; at most 10 pairs."""
DETAIL_LENGTH: Final = 1024
"""Characters of one value."""


def details_text(text: str) -> str:
    r"""`text` as a value of statusDetails: `[^\p{C}]+`, at most 1024 characters (API reference, StatusDetails)."""
    plain = "".join(" " if category(character).startswith("C") else character for character in text)
    return plain if len(plain) <= DETAIL_LENGTH else plain[: DETAIL_LENGTH - 1] + "…"


class Status(StrEnum):
    """The states of a job execution (AWS IoT Developer Guide, "Jobs and job execution states")."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"
    CANCELED = "CANCELED"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow; the record then stays until it or its job is deleted."""
        return self is not Status.QUEUED and self is not Status.IN_PROGRESS


class ErrorCode(StrEnum):
    """The codes of a `rejected` payload (Developer Guide, "AWS IoT jobs APIs", ErrorResponse)."""

    INVALID_TOPIC = "InvalidTopic"
    INVALID_JSON = "InvalidJson"
    INVALID_REQUEST = "InvalidRequest"
    INVALID_STATE_TRANSITION = "InvalidStateTransition"
    RESOURCE_NOT_FOUND = "ResourceNotFound"
    VERSION_MISMATCH = "VersionMismatch"
    INTERNAL_ERROR = "InternalError"
    REQUEST_THROTTLED = "RequestThrottled"
    TERMINAL_STATE_REACHED = "TerminalStateReached"

    @property
    def is_permanent(self) -> bool:
        """Whether the same request can never succeed; only the service's faults and throttling pass."""
        return self not in (ErrorCode.INTERNAL_ERROR, ErrorCode.REQUEST_THROTTLED)


@dataclass(frozen=True, slots=True, order=True)
class ExecutionKey:
    """One incarnation of a job on a thing: the finest identity that the wire offers.

    A job id may be used again after its deletion, and execution numbers then restart, so neither identifies by
    itself. Two incarnations queued within the same second look alike.
    """

    namespace_id: str | None
    job_id: str
    execution_number: int
    queued_at: int

    def __hash__(self) -> int:
        # Most tables are by this: what tells keys of one thing apart is enough, and twice as fast.
        return hash(self.job_id) ^ self.queued_at


SIGNATURE: Final = re.compile(
    r"([?&](?:X-Amz-[A-Za-z-]+|AWSAccessKeyId|Expires|Signature)=)[A-Za-z0-9%._~+/=-]*", re.IGNORECASE
)
"""One parameter of a presigned URL: the service signs anew each time that it delivers a document."""


@dataclass(frozen=True, slots=True)
class JobDocument:
    """A job document as JSON text, just as it was written: nobody between its author and the device rewrites it."""

    text: str

    @classmethod
    def of(cls, value: object) -> "JobDocument":
        """The document for any JSON value, in one spelling: equal values are equal text."""
        return cls(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))

    @property
    def value(self) -> object:
        """The JSON value. Raises ValueError, with the reason in words, for what cannot be read (`agent.json_text`)."""
        return read_json_text(self.text)

    @property
    def digest(self) -> str:
        """SHA-256 of the value in one spelling, in hex: the order of members and the like count for nothing.

        It is the same for every delivery, so presigned URLs count unsigned. What cannot be read counts as it stands.
        """
        return _digest(self.text) if len(self.text) <= REMEMBERED_TEXT else _digest.__wrapped__(self.text)


REMEMBERED_TEXT: Final = 16_384
"""Characters of the longest document whose digest is remembered: 1 MiB for all of them, or 4 in the widest letters."""


@lru_cache(maxsize=64)
def _digest(text: str) -> str:
    """Remembered, because a device asks for it with every message, and a fleet for that of one document."""
    try:
        spelled = JobDocument.of(read_json_text(text)).text
    except ValueError:
        spelled = text
    unsigned = SIGNATURE.sub(r"\1", spelled) if "Signature=" in spelled else spelled
    return hashlib.sha256(unsigned.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Execution:
    """A job execution as one message describes it.

    `document` is None where the message carried none (not asked for, or a summary in a list); `started_at` is
    None before the first IN_PROGRESS; `approximate_seconds_before_timed_out` is None while no timer runs. `fault` is
    why no more than its identity and version could be read of the message; empty if all of it could.
    """

    key: ExecutionKey
    status: Status
    version_number: int
    last_updated_at: int
    started_at: int | None = None
    status_details: StatusDetails = ()
    document: JobDocument | None = None
    approximate_seconds_before_timed_out: int | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """`executionState` of an update's answer: no identity in it, so it proves nothing about which incarnation."""

    status: Status
    version_number: int
    status_details: StatusDetails = ()


# ── what a device asks ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class GetPending:
    """GetPendingJobExecutions. A namespaced form is not known to exist on AWS (no client uses one)."""

    client_token: str | None = None
    namespace_id: str | None = None


@dataclass(frozen=True, slots=True)
class StartNext:
    """StartNextPendingJobExecution; `step_timeout_minutes` is 1 to 10080, None leaves the step timer alone."""

    client_token: str | None = None
    status_details: StatusDetails | None = None
    step_timeout_minutes: int | None = None
    namespace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """DescribeJobExecution of `job_id`, which may be `NEXT`; without a number, of the latest execution."""

    job_id: str
    client_token: str | None = None
    namespace_id: str | None = None
    execution_number: int | None = None
    include_document: bool = True


@dataclass(frozen=True, slots=True)
class Update:
    """UpdateJobExecution. None for `status_details` leaves them as they are; otherwise the whole map is replaced.

    `step_timeout_minutes` is 1 to 10080, or -1 to stop the step timer.
    """

    job_id: str
    status: Status
    client_token: str | None = None
    namespace_id: str | None = None
    status_details: StatusDetails | None = None
    expected_version: int | None = None
    execution_number: int | None = None
    include_state: bool = False
    include_document: bool = False
    step_timeout_minutes: int | None = None


Request: TypeAlias = GetPending | StartNext | Describe | Update


# ── what the service answers ──────────────────────────────────────────────────────────────────────────────────
# As tuples: one is made for each request, and making a frozen dataclass of four fields takes three times as long.


class PendingListed(NamedTuple):
    """GetPending accepted. The lists are capped (10 entries, 15 with maintenance windows)."""

    timestamp: int
    in_progress: tuple[Execution, ...]
    queued: tuple[Execution, ...]
    client_token: str | None = None


class ExecutionTold(NamedTuple):
    """StartNext or Describe accepted; `execution` is None when nothing is pending."""

    timestamp: int
    execution: Execution | None
    client_token: str | None = None


class UpdateAccepted(NamedTuple):
    """Update accepted; `state` and `document` only if they were asked for."""

    timestamp: int
    client_token: str | None = None
    state: ExecutionState | None = None
    document: JobDocument | None = None


class Rejected(NamedTuple):
    """Any request refused; `state` comes with InvalidStateTransition and VersionMismatch only."""

    timestamp: int
    code: ErrorCode
    message: str = ""
    client_token: str | None = None
    state: ExecutionState | None = None


Answer: TypeAlias = PendingListed | ExecutionTold | UpdateAccepted | Rejected


# ── what the service says unasked ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PendingChanged:
    """A `notify`: the pending executions of one namespace, capped, possibly late, duplicated or reordered."""

    timestamp: int
    namespace_id: str | None
    in_progress: tuple[Execution, ...]
    queued: tuple[Execution, ...]

    @property
    def listed(self) -> tuple[ExecutionKey, ...]:
        """Every execution in the list, IN_PROGRESS first."""
        return tuple(execution.key for execution in self.in_progress + self.queued)


@dataclass(frozen=True, slots=True)
class NextChanged:
    """A `notify-next`: the head of the queue, with its document; `execution` is None when nothing is pending."""

    timestamp: int
    namespace_id: str | None
    execution: Execution | None


@dataclass(frozen=True, slots=True)
class JobMentioned:
    """A message on the documented `jobs/JOB/notify-namespace-NS/`, whose payload AWS does not describe.

    `told` is what a service writes there; a device takes nothing from it, so it does not count in a comparison.
    """

    namespace_id: str
    job_id: str
    told: PendingChanged | NextChanged | None = field(default=None, compare=False, repr=False)


Hint: TypeAlias = PendingChanged | NextChanged | JobMentioned
