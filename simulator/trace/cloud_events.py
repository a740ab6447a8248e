"""The cloud's account: who connected, asked and was answered, and what became of jobs and executions."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.device_events import RequestKind
from agent.values import ExecutionKey


@dataclass(frozen=True, slots=True)
class CloudListening:
    """Every listener is bound; always the cloud's first event. `endpoints` is what the ready file holds."""

    endpoints: dict[str, str | None]
    type: Literal["cloud.listening"] = "cloud.listening"


@dataclass(frozen=True, slots=True)
class ClientConnected:
    """An MQTT client connected; a device's client id is its thing name.

    `session_present`: it goes on with its last session, so what was published meanwhile may reach it yet.
    """

    thing: str
    session_present: bool = False
    type: Literal["client.connected"] = "client.connected"


@dataclass(frozen=True, slots=True)
class ClientDisconnected:
    """An MQTT connection ended; `reason` is a disconnectReason of AWS's lifecycle events."""

    thing: str
    reason: str
    type: Literal["client.disconnected"] = "client.disconnected"


@dataclass(frozen=True, slots=True)
class ClientSubscribed:
    """An MQTT client asked for subscriptions: what it was granted, and what it was not, as it wrote them.

    `thing` is its client id.
    """

    thing: str
    filters: tuple[str, ...]
    refused: tuple[str, ...] = ()
    type: Literal["client.subscribed"] = "client.subscribed"


@dataclass(frozen=True, slots=True)
class FaultStruck:
    """A fault that has a name struck a message: `do` is what became of it, `message` what kind it was.

    `job_id`, `status` and `step` are what it was about; of an answer, its request's, as far as these named them.
    `seen`: it is no fault, but a moment of that name which whoever plays saw by other ways, as in a device's output.
    """

    thing: str
    fault: str
    do: str
    message: str
    job_id: str | None = None
    status: str | None = None
    step: str | None = None
    type: Literal["fault.struck"] = "fault.struck"


@dataclass(frozen=True, slots=True)
class FaultOver:
    """A message that such a fault held was let go, or a thing that it had cut off may come back.

    `why`: `done`, what was waited for has happened, or a cut has lasted as long as it should; `limit`, a hold was to
    last no longer; `full`, too much was held for that thing; `replaced`, other faults count from now on.
    """

    thing: str
    fault: str
    why: Literal["done", "limit", "full", "replaced"]
    type: Literal["fault.over"] = "fault.over"


@dataclass(frozen=True, slots=True)
class _NotGiven:
    """What a client did not get, told at once the first time; of what is like it, a later event tells how many.

    `code` is one of the words that `ghostjob explain errors` explains, `why` says it in a sentence. `action` is
    one of AWS's policy actions, such as `iot:Connect`, or `tls`, `mqtt`, `http`; `resource` what it was about, such as
    `client/lamp` or `topic/a/b`. Who it was: `client_id`, `principal` (of a certificate its id), `address`, each empty
    as far as it is not known. `statement` names the policy's statement that denied it; None: none did, or none allowed
    it. `hint` is what to do. `times` is how many this event stands for.
    """

    code: str
    action: str
    resource: str
    why: str
    client_id: str = ""
    principal: str = ""
    address: str = ""
    statement: str | None = None
    hint: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class ClientRefused(_NotGiven):
    """A client was refused: its handshake, connection, publication, subscription, or a request over HTTP."""

    type: Literal["client.refused"] = "client.refused"


@dataclass(frozen=True, slots=True)
class MessageDropped(_NotGiven):
    """A message is gone that somebody may wait for; `client_id` is who would have got it, or who sent it."""

    type: Literal["message.dropped"] = "message.dropped"


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A device's request arrived. `dup` is the MQTT DUP flag; a copy that the scenario wanted has it too.

    `late_seconds` is how long the network kept it, by the scenario's word: what was sent later may have arrived before.
    `client` is the MQTT client that asked, None if that is the thing's own, whose id is the thing's name.
    """

    thing: str
    request: RequestKind
    client_token: str | None = None
    namespace_id: str | None = None
    job_id: str | None = None
    status: str | None = None
    details: dict[str, str] | None = None
    dup: bool = False
    expected_version: int | None = None
    execution_number: int | None = None
    client: str | None = None
    late_seconds: float = 0.0
    type: Literal["request.received"] = "request.received"


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The service answered. `execution` is the incarnation read or changed; `code` is set when it was rejected.

    `status` is the one that the answer names: of the execution that was read, or in its executionState. `number` counts
    the answers to requests about this thing from 1; None: it is the next, which is all that some traces tell.
    """

    thing: str
    request: RequestKind
    accepted: bool
    client_token: str | None = None
    code: str | None = None
    execution: ExecutionKey | None = None
    status: str | None = None
    number: int | None = None
    type: Literal["request.answered"] = "request.answered"


@dataclass(frozen=True, slots=True)
class AnswerDelivered:
    """An answer is with the client that asked: the proof of receipt that the wire offers, if it offers one.

    `number` is that of the `request.answered` that it is about. `acknowledged`: the client sent its PUBACK; if not, the
    answer went out with QoS 0, and all that is known is that it was written to the connection.
    """

    thing: str
    number: int
    acknowledged: bool = True
    type: Literal["answer.delivered"] = "answer.delivered"


@dataclass(frozen=True, slots=True)
class ExecutionQueued:
    """The service queued an execution for a thing."""

    thing: str
    execution: ExecutionKey
    type: Literal["execution.queued"] = "execution.queued"


@dataclass(frozen=True, slots=True)
class ExecutionChanged:
    """An execution's record changed; `version` is its versionNumber now, `by` who changed it."""

    thing: str
    execution: ExecutionKey
    status: str
    version: int
    by: Literal["device", "service"]
    details: dict[str, str] | None = None
    type: Literal["execution.changed"] = "execution.changed"


@dataclass(frozen=True, slots=True)
class ExecutionRemoved:
    """An execution's record was deleted: from here on the service does not know it. `status` was its last one."""

    thing: str
    execution: ExecutionKey
    status: str
    type: Literal["execution.removed"] = "execution.removed"


@dataclass(frozen=True, slots=True)
class HintPublished:
    """The service published a notification for a thing."""

    thing: str
    hint: Literal["notify", "notify-next", "notify-documented"]
    namespace_id: str | None
    listed: tuple[ExecutionKey, ...] = ()
    type: Literal["hint.published"] = "hint.published"


@dataclass(frozen=True, slots=True)
class JobCreated:
    """A job was created."""

    job_id: str
    namespace_id: str | None = None
    type: Literal["job.created"] = "job.created"


@dataclass(frozen=True, slots=True)
class JobDeletionBegan:
    """A job's status became DELETION_IN_PROGRESS; `forced`: DeleteJob was called with force."""

    job_id: str
    forced: bool = False
    type: Literal["job.deletion_began"] = "job.deletion_began"


@dataclass(frozen=True, slots=True)
class JobDeleted:
    """A job is gone, and its id is free again."""

    job_id: str
    type: Literal["job.deleted"] = "job.deleted"


@dataclass(frozen=True, slots=True)
class AccountEnded:
    """The cloud watched until here, on its own clock, and what it did not tell by then did not happen."""

    type: Literal["account.ended"] = "account.ended"


ProcessName: TypeAlias = Literal["cloud", "devices"]


@dataclass(frozen=True, slots=True)
class ProcessStalled:
    """A process did not get round to what was due for so many `seconds`, until now: the cloud's, or the devices'.

    `worked_seconds` of that, its processor was at work for it; for the rest, the machine did not let it run.
    """

    process: ProcessName
    seconds: float
    worked_seconds: float = 0.0
    type: Literal["process.stalled"] = "process.stalled"


CloudEvent: TypeAlias = (
    CloudListening
    | ClientConnected
    | ClientDisconnected
    | ClientSubscribed
    | FaultStruck
    | FaultOver
    | ClientRefused
    | MessageDropped
    | RequestReceived
    | RequestAnswered
    | AnswerDelivered
    | ExecutionQueued
    | ExecutionChanged
    | ExecutionRemoved
    | HintPublished
    | JobCreated
    | JobDeletionBegan
    | JobDeleted
    | ProcessStalled
    | AccountEnded
)
