"""The trace: what happened, as one append-only stream of typed events, the same from every engine.

On disk a trace is JSON Lines, one entry a line:

    {"id": "device/thing-3#12", "source": "device/thing-3", "n": 12, "at": 1.204, "type": "step.started", …}

`source` is who saw it (`cloud`, `device/THING`, `controller`, `engine`, `probe`), `n` counts that source's entries
from 1, `at` is seconds on its own monotonic clock, which no other source shares unless `run.started` says so; only
`probe` counts by the cloud's.
Entries of one source are in order; entries of two sources are ordered only by what caused what: a request's
`client_token` stands in the device's `request.sent`, in the cloud's `request.received` and `request.answered`, and in
the device's `answer.received`. How the lines of different sources interleave means nothing.

Field names are stable; a reader must ignore fields and types that it does not know.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args

from pydantic import Field, TypeAdapter, ValidationError

from agent.device_events import DeviceEvent, RequestKind
from agent.errors import InputError
from agent.values import ExecutionKey, Status
from agent.wording import first_wrong

CLOUD = "cloud"
CONTROLLER = "controller"
ENGINE = "engine"
PROBE = "probe"
"""Who samples a device that is not ours: in one process with the cloud and the engine, and all by one clock.

So times of these compare. They are numbered apart, and entries of two come in the order in which the process got round
to them.
"""


def device_source(thing: str) -> str:
    """The source name of a device."""
    return f"device/{thing}"


TERMINAL: frozenset[str] = frozenset(status for status in Status if status.is_terminal)
"""The statuses of an execution that nothing follows; a word that this version does not know is none of them."""


# ── the cloud's account ───────────────────────────────────────────────────────────────────────────────────────


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


# ── the controller's and the engine's ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DeletionRequested:
    """The controller asks for a deletion, or for a cancellation; `why` names the trigger that fired."""

    job_id: str
    forced: bool
    why: str
    do: str = "delete-job"
    type: Literal["deletion.requested"] = "deletion.requested"


@dataclass(frozen=True, slots=True)
class DeletionAccepted:
    """The service took it on."""

    job_id: str
    do: str = "delete-job"
    type: Literal["deletion.accepted"] = "deletion.accepted"


@dataclass(frozen=True, slots=True)
class DeletionRefused:
    """The service refused; `retry` says whether the controller will ask again."""

    job_id: str
    code: str
    retry: bool
    type: Literal["deletion.refused"] = "deletion.refused"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A scenario begins. `things` play in it; `bounds` and `must_reach` are the scenario's, as JSON.

    `finish_after_switch` are the things whose owner's policy is to go forward once the boot selector is switched,
    `leap_unanswered` those that pass the point of no return if nobody has answered for so many seconds.
    Where several agents share one thing, `things` has their names, and `shared` for each the thing and its namespace.
    `version` is that of the ghostjob that plays, `started_at` the time of day, in UTC as ISO 8601 has it.
    `one_clock`: the devices live in the engine's own process, and tell the time by its clock.
    `jobs` are those of the run if the cloud may have others besides, of earlier runs or made to provoke: what concerns
    those is nothing that this run judges. Empty: all. `are_foreign`: the devices are not ours, give no account of
    themselves, and may use any client id; `step_key` is the key of statusDetails by which they name their steps.
    `tells_presence`: a thing is connected only from when the trace says so; else, one of which it says nothing is.
    `versions` has, for each job, what a device runs once that has succeeded, in the words of its probes; several, if
    the job's id is used again for another. A job of which that is not known is not in it.
    """

    scenario: str
    engine: str
    things: tuple[str, ...]
    bounds: dict[str, Any] = field(default_factory=dict)
    must_reach: tuple[dict[str, Any], ...] = ()
    finish_after_switch: tuple[str, ...] = ()
    leap_unanswered: dict[str, float] = field(default_factory=dict)
    shared: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    seed: int | None = None
    version: str | None = None
    started_at: str | None = None
    one_clock: bool = False
    jobs: tuple[str, ...] = ()
    are_foreign: bool = False
    step_key: str = "step"
    tells_presence: bool = False
    versions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    type: Literal["run.started"] = "run.started"


@dataclass(frozen=True, slots=True)
class PowerCutOff:
    """The engine cut the power of a device that is not ours; `why` names the cut.

    `job_id` is what it had in hand, and `step` the one that it had reported of that, as far as the cloud knew.
    """

    thing: str
    why: str
    job_id: str | None = None
    step: str | None = None
    type: Literal["power.cut"] = "power.cut"


@dataclass(frozen=True, slots=True)
class PowerRestored:
    """The engine gave it its power back."""

    thing: str
    type: Literal["power.restored"] = "power.restored"


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """The process that a device is ended by itself, and is started again, as whoever looks after it would.

    `why` says how, with the last of what it wrote; `crashed`: by a signal, or with an exit code that is not 0.
    """

    thing: str
    why: str
    crashed: bool
    type: Literal["process.ended"] = "process.ended"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Nothing more will be played; `why` is `finished`, `timed-out` or `interrupted`.

    `waited_for` says what a run that timed out was waiting for, `missed` what one that finished was to do and never
    came to, each with why: told of runs with devices that are not ours.
    """

    why: Literal["finished", "timed-out", "interrupted"]
    waited_for: str = ""
    missed: tuple[str, ...] = ()
    type: Literal["run.ended"] = "run.ended"


# ── the probes' ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ProbeSampled:
    """What a probe of a device saw that is not ours: whether it is `alive`, and which `version` runs.

    `alive` null: it could not be sampled, which says nothing of the device; `why` says what was wrong. The sample was
    over at the entry's time and took `seconds`: what it shows was so at some instant in those. Only changes are told,
    and one sample in a few seconds besides; until `not_before`, on the same clock, it had been seen as told before.
    """

    thing: str
    probe: str
    alive: bool | None
    version: str | None = None
    why: str = ""
    seconds: float = 0.0
    not_before: float | None = None
    type: Literal["probe.sampled"] = "probe.sampled"


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
ControllerEvent: TypeAlias = DeletionRequested | DeletionAccepted | DeletionRefused
EngineEvent: TypeAlias = RunStarted | ProcessStalled | PowerCutOff | PowerRestored | ProcessEnded | RunEnded
Event: TypeAlias = DeviceEvent | CloudEvent | ControllerEvent | EngineEvent | ProbeSampled

_EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


class Entry(NamedTuple):
    """One event with where and when it was seen; `n` counts from 1 within `source`, `at` is seconds.

    A tuple, because there are some two hundred for each device: making one costs a third of a frozen dataclass.
    """

    source: str
    n: int
    at: float
    event: Event

    @property
    def id(self) -> str:
        """The name by which verdicts point at this entry."""
        return f"{self.source}#{self.n}"


Sink: TypeAlias = Callable[[Entry], None]


@dataclass(slots=True)
class Recorder:
    """Numbers and times one source's events and hands them to `sink`."""

    source: str
    clock: Callable[[], float]
    """Precise at every call: not a loop's time, which stands still within one wake-up."""
    sink: Sink
    next: int = 1
    """The number of the next entry."""

    def __call__(self, event: Event) -> None:
        """Give `event` its number and time."""
        number, self.next = self.next, self.next + 1
        # Not `Entry(…)`, which is a function of its own around this.
        self.sink(tuple.__new__(Entry, (self.source, number, self.clock(), event)))

    record = __call__


def write_line(entry: Entry) -> str:
    """One line of JSON, without the line end."""
    head = {"id": entry.id, "source": entry.source, "n": entry.n, "at": round(entry.at, 6), "type": entry.event.type}
    return json.dumps(head | _EVENTS.dump_python(entry.event, mode="json"), separators=(",", ":"))


def read_line(line: str, where: str = "trace") -> Entry | None:
    """The entry of one line; None for an event type that this version does not know. Raises InputError."""
    try:
        data = json.loads(line, parse_float=_finite, parse_constant=_finite)
        source, number, at, kind = data["source"], int(data["n"]), float(data["at"]), data["type"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{where}: not a trace entry ({error}); is the file cut off, or no ghostjob trace?") from None
    if kind not in KNOWN_TYPES:
        return None
    try:
        return Entry(source, number, at, _EVENTS.validate_python(data))
    except ValidationError as error:
        wrong = first_wrong(error)
        raise InputError(f"{where}: {kind}: {wrong._replace(where=wrong.where[1:])}") from None


def _finite(text: str) -> float:
    """A number that times can be reckoned with. Raises ValueError for NaN and the like."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number to reckon with")
    return number


def read(lines: Iterable[str], where: str = "trace") -> Iterator[Entry]:
    """Every entry that this version knows. Raises InputError with the line number."""
    for number, line in enumerate(lines, 1):
        if line.strip() and (entry := read_line(line, f"{where}:{number}")):
            yield entry


KNOWN_TYPES: frozenset[str] = frozenset(
    str(each.default) for kind in get_args(Event) for each in fields(kind) if each.name == "type"
)
