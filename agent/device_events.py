"""A device's own account of what it does: the events that its log names and that its trace records.

The core says them (as `Tell` effects), the hardware and the runner add theirs; a runner writes each to structlog
under its `type`, with its fields as keys, and hands it to whoever observes. Nothing here decides anything.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from agent.values import (
    Answer,
    Describe,
    ExecutionKey,
    ExecutionTold,
    GetPending,
    Hint,
    JobMentioned,
    NextChanged,
    PendingChanged,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
)

PhaseName: TypeAlias = Literal["idle", "starting", "executing", "trial", "reporting", "suspect", "recovering", "safe"]
RequestKind: TypeAlias = Literal["get-pending", "start-next", "describe", "update"]
End: TypeAlias = Literal["gone", "cancelled", "timed-out", "removed", "replaced"]
"""How an execution ended without the device, as it came to believe; `gone`: the service knows no such execution;
`replaced`: the job id now names another incarnation, or another hand reported this one's end."""
ExecutionOutcome: TypeAlias = Literal["succeeded", "failed", "rejected", "recovered", "kept", "safe"]
"""How a device was done with an execution; `kept`: an update that could not be taken back runs on without its job."""

BootReason: TypeAlias = Literal["power-on", "reboot", "watchdog", "power-lost", "restarted"]


@dataclass(frozen=True, slots=True)
class DeviceConnected:
    """The device is connected and subscribed."""

    session_present: bool = False
    type: Literal["device.connected"] = "device.connected"


@dataclass(frozen=True, slots=True)
class DeviceDisconnected:
    """The connection is lost (or, if planned, given up)."""

    reason: str = ""
    planned: bool = False
    type: Literal["device.disconnected"] = "device.disconnected"


@dataclass(frozen=True, slots=True)
class DeviceBooted:
    """The agent began, with nothing in memory but what its journal holds. `version` is what runs.

    `why`: powered on for the first time, rebooted because the agent asked for it, by the watchdog, or after the power
    was lost; whatever ran then never ended. `on_trial`: the bootloader falls back unless this version is committed.
    """

    version: str
    why: BootReason = "power-on"
    on_trial: bool = False
    type: Literal["device.booted"] = "device.booted"


@dataclass(frozen=True, slots=True)
class PowerLost:
    """The power is gone, at `instant` (which sector, which write); what is in memory is lost."""

    instant: str = ""
    type: Literal["power.lost"] = "power.lost"


@dataclass(frozen=True, slots=True)
class JournalSpoiled:
    """What was written to the journal cannot be read any more, and it `holds` an older record, or nothing.

    Of simulated devices alone, whose flash is known: an agent cannot tell what it does not read.
    """

    holds: Literal["an older record", "nothing"]
    type: Literal["journal.spoiled"] = "journal.spoiled"


@dataclass(frozen=True, slots=True)
class JournalUnwritable:
    """The journal could not be written: disk full, failing or read-only."""

    reason: str
    type: Literal["journal.unwritable"] = "journal.unwritable"


@dataclass(frozen=True, slots=True)
class JournalWritten:
    """The journal holds this now, durably. `doing` is empty with no work in hand; `begun` and `done` count steps."""

    doing: str = ""
    begun: int = 0
    done: int = 0
    type: Literal["journal.written"] = "journal.written"


@dataclass(frozen=True, slots=True)
class DeviceCrashed:
    """The agent died of an exception of its own."""

    reason: str
    type: Literal["device.crashed"] = "device.crashed"


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request left the device. `execution` is the incarnation it is meant for, None for `$next` and start-next.

    `attempt` counts from 1 how often this same question has been put without a usable answer.
    `details` are the statusDetails of an update.
    """

    client_token: str
    request: RequestKind
    namespace_id: str | None = None
    job_id: str | None = None
    execution: ExecutionKey | None = None
    status: str | None = None
    expected_version: int | None = None
    details: StatusDetails | None = None
    attempt: int = 1
    type: Literal["request.sent"] = "request.sent"


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The first answer to a request of ours was processed. `code` is set when it was rejected.

    `execution` is the incarnation that the answer describes, `status` its status (or the one in executionState).
    """

    client_token: str
    accepted: bool
    code: str | None = None
    status: str | None = None
    execution: ExecutionKey | None = None
    type: Literal["answer.received"] = "answer.received"


@dataclass(frozen=True, slots=True)
class AnswerUnreadable:
    """An answer came in that cannot be read, or no further than its identity; `problem` is why, for people.

    `client_token` is None if not even that could be read; `job_id` is that of the topic, None for start-next and lists.
    """

    request: RequestKind
    problem: str
    client_token: str | None = None
    namespace_id: str | None = None
    job_id: str | None = None
    type: Literal["answer.unreadable"] = "answer.unreadable"


@dataclass(frozen=True, slots=True)
class HintReceived:
    """A notification was processed. `listed` are the executions it names (the head alone, for notify-next)."""

    hint: Literal["notify", "notify-next", "notify-documented"]
    namespace_id: str | None
    listed: tuple[ExecutionKey, ...] = ()
    type: Literal["hint.received"] = "hint.received"


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The agent's state machine moved; `why` is for people."""

    phase: PhaseName
    was: PhaseName
    why: str = ""
    execution: ExecutionKey | None = None
    type: Literal["phase.changed"] = "phase.changed"


@dataclass(frozen=True, slots=True)
class ExecutionTaken:
    """The device made this execution its own and is about to work on it.

    `restarts` are the steps that are done once the device, or its agent, starts again, whoever had it do so.
    """

    execution: ExecutionKey
    digest: str = ""
    restarts: tuple[str, ...] = ()
    type: Literal["execution.taken"] = "execution.taken"


@dataclass(frozen=True, slots=True)
class ExecutionGone:
    """The device now believes that its execution ended without it; `learned_from` is the answer's client token."""

    execution: ExecutionKey
    end: End
    learned_from: str = ""
    type: Literal["execution.gone"] = "execution.gone"


@dataclass(frozen=True, slots=True)
class ExecutionLeft:
    """The device is done with an execution: reported it to the end, recovered from its loss, or ended SAFE."""

    execution: ExecutionKey
    outcome: ExecutionOutcome
    type: Literal["execution.left"] = "execution.left"


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of an execution's plan began to change the device; `reversible` False is the leap."""

    execution: ExecutionKey
    step: str
    reversible: bool
    type: Literal["step.started"] = "step.started"


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """The hardware is `percent` through a step."""

    execution: ExecutionKey
    step: str
    percent: int
    type: Literal["step.progressed"] = "step.progressed"


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended: done, failed, stopped because its execution is gone, or stale: it goes on with a newer document."""

    execution: ExecutionKey
    step: str
    outcome: Literal["done", "failed", "stopped", "stale"]
    type: Literal["step.finished"] = "step.finished"


@dataclass(frozen=True, slots=True)
class StepUndone:
    """A step's effect was taken back, or could not be."""

    execution: ExecutionKey
    step: str
    ok: bool = True
    type: Literal["step.undone"] = "step.undone"


@dataclass(frozen=True, slots=True)
class HardwareChanged:
    """The device's hardware after a change: can it boot, is nothing half done lying about, what does it run.

    `pending` names what is staged but not in use; at rest (no plan active, powered, no step running) it is empty.
    """

    bootable: bool
    version: str
    pending: tuple[str, ...] = ()
    type: Literal["hardware.changed"] = "hardware.changed"


@dataclass(frozen=True, slots=True)
class VersionCommitted:
    """An execution's version became the one that the device runs."""

    execution: ExecutionKey
    version: str
    type: Literal["version.committed"] = "version.committed"


@dataclass(frozen=True, slots=True)
class VersionReverted:
    """A committed version was taken back."""

    execution: ExecutionKey
    version: str
    type: Literal["version.reverted"] = "version.reverted"


DeviceEvent: TypeAlias = (
    DeviceConnected
    | DeviceDisconnected
    | DeviceBooted
    | PowerLost
    | JournalSpoiled
    | JournalUnwritable
    | JournalWritten
    | DeviceCrashed
    | RequestSent
    | AnswerReceived
    | AnswerUnreadable
    | HintReceived
    | PhaseChanged
    | ExecutionTaken
    | ExecutionGone
    | ExecutionLeft
    | StepStarted
    | StepProgressed
    | StepFinished
    | StepUndone
    | HardwareChanged
    | VersionCommitted
    | VersionReverted
)


# ── what is told of statuses and messages ────────────────────────────────────────────────────────────────────

ENDED_BY_SERVICE: Final[dict[Status, End]] = {
    Status.CANCELED: "cancelled",
    Status.TIMED_OUT: "timed-out",
    Status.REMOVED: "removed",
}
"""How an execution ended that the service says is in such a state, not by the device's own report."""

OUTCOMES: Final[dict[Status, ExecutionOutcome]] = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.REJECTED: "rejected",
}


def request_kind(request: Request) -> RequestKind:
    """What a question is called."""
    match request:
        case GetPending():
            return "get-pending"
        case StartNext():
            return "start-next"
        case Describe():
            return "describe"
        case Update():
            return "update"


def request_sent(request: Request, token: str, about: ExecutionKey | None, attempt: int) -> RequestSent:
    """What is told of a question that leaves; `about` is the incarnation that it is meant for."""
    kind, namespace_id = request_kind(request), request.namespace_id
    match request:
        case GetPending():
            return RequestSent(token, kind, namespace_id, attempt=attempt)
        case StartNext(status_details=details):
            return RequestSent(token, kind, namespace_id, details=details, attempt=attempt)
        case Describe(job_id=job_id):
            return RequestSent(token, kind, namespace_id, job_id, about, attempt=attempt)
        case Update(job_id=job_id, status=status, expected_version=version, status_details=details):
            return RequestSent(token, kind, namespace_id, job_id, about, status.value, version, details, attempt)


def answer_received(answer: Answer) -> AnswerReceived:
    """What is told of an answer, but for its client token."""
    match answer:
        case Rejected():
            return AnswerReceived("", False, answer.code.value, answer.state.status.value if answer.state else None)
        case ExecutionTold(execution=execution) if execution is not None:
            return AnswerReceived("", True, None, execution.status.value, execution.key)
        case _:
            return AnswerReceived("", True)


def hint_received(hint: Hint) -> HintReceived:
    """What is told of a notification."""
    match hint:
        case PendingChanged():
            return HintReceived("notify", hint.namespace_id, hint.listed)
        case NextChanged(execution=head):
            return HintReceived("notify-next", hint.namespace_id, (head.key,) if head else ())
        case JobMentioned():
            return HintReceived("notify-documented", hint.namespace_id)
