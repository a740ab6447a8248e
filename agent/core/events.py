"""What goes into the device core and what comes out: its whole contact with the world.

In: answers, hints, connection changes, timers that fired, what the hardware did. Out: requests to publish, timers
to set, steps to begin, stop or undo, and what to tell the log. Clocks, randomness, sockets and files stay outside:
a timer is a name with a delay, jitter is a `spread_seconds` from which the shell draws, and client tokens are the
shell's altogether (`agent.correlation`): what comes in as an answer is one to the newest attempt.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agent.core.record import Record
from agent.device_events import DeviceEvent, RequestKind
from agent.plan import MISSING, Planned, Step
from agent.values import Answer, Execution, ExecutionKey, Hint, Request

TimerName: TypeAlias = Literal["request", "retry", "ask-again", "poll", "step", "leap"]


# ── in ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Booted:
    """The device begins: always the first event. `record` is what the journal holds, None if that is empty.

    `running` is the version that runs, `on_trial` whether it still has to be committed, `in_recovery` whether it is a
    recovery image, because the only slot holds nothing whole. `rebooted` says whether the machine itself restarted
    since the record was written (and not only the agent). `unproven` says whether an image was written that was never
    committed: without it, firmware that fell back to the very version that it was to be looks like what was committed.
    """

    record: Record | None = None
    running: str = ""
    on_trial: bool = False
    rebooted: bool = True
    in_recovery: bool = False
    unproven: bool = False

    def runs(self, version: str) -> bool:
        """Whether what was installed as `version` runs, on trial or committed, and not what ran before it."""
        return self.running == version and (self.on_trial or not self.unproven)


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """The record could not be written. `withheld`: a step was to begin with it, and has not begun."""

    reason: str
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """Connected, and every subscription acknowledged."""

    session_present: bool = False


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; what was under way may or may not have arrived."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The newest attempt was answered; `planned` is what the document that came with it asks of this device."""

    answer: Answer
    planned: Planned = field(default=MISSING, hash=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The newest attempt was answered, and nobody can tell what the answer says; `problem` is why, for people.

    `client_token` is None if that cannot be read either: then only its topic says what it answers. `listed` are the
    executions that the newest notification of the namespace named.
    """

    request: RequestKind
    problem: str
    client_token: str | None = None
    namespace_id: str | None = None
    job_id: str | None = None
    listed: tuple[Execution, ...] = ()


@dataclass(frozen=True, slots=True)
class Hinted:
    """A notification came in."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was set, and neither cancelled nor set again since, has run out."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class StepAdvanced:
    """The hardware is `percent` through the step that was begun; `waiting` is why it does not get on, if so."""

    index: int
    percent: int
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The step that was begun ended; `stopped` only after a StopStep. A step may also end done in spite of one.

    `stale`: what the document told it holds no more, such as a presigned URL that expired. What was done stands, and
    the step goes on from there once it is begun again with a document that was delivered afresh. `refused`: it has not
    begun, because nobody on the device knows what it is, or what it is for is not there.
    """

    index: int
    outcome: Literal["done", "failed", "stopped", "stale", "refused"]
    reason: str = ""
    said: str = ""
    """What the report is to tell of it, such as the output of a program."""
    cause: str = ""
    """Why it did not end well, in a word of `agent.causes`."""


@dataclass(frozen=True, slots=True)
class StepRestored:
    """The hardware took a step back, or could not."""

    index: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """The hardware says whether it is whole: bootable, and with nothing half done."""

    ok: bool


Event: TypeAlias = (
    Booted
    | JournalFailed
    | Connected
    | Disconnected
    | Answered
    | Unreadable
    | Hinted
    | TimerFired
    | StepAdvanced
    | StepEnded
    | StepRestored
    | Verified
)


# ── out ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Remember:
    """Write the record down, for good, before any effect that follows. If that fails: no BeginStep, JournalFailed."""

    record: Record


@dataclass(frozen=True, slots=True)
class Publish:
    """Send a request, with a client token of its own; `about` is the incarnation that it is meant for, if for one.

    `attempt` counts from 1 how often this question has been put; None: once more than the last time. Lost silently
    while disconnected: the request timer is what notices.
    """

    request: Request
    about: ExecutionKey | None = None
    attempt: int | None = 1


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire `name` after `after_seconds` plus a random part of `spread_seconds`; replaces a timer of that name."""

    name: TimerName
    after_seconds: float
    spread_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget a timer; no matter if there is none."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class BeginStep:
    """Let the hardware do step `index` of the plan; it answers with StepAdvanced and StepEnded.

    `again`: it had begun before, and is on record as begun, so that no record has to come before it.
    """

    execution: ExecutionKey
    index: int
    step: Step
    version: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class StopStep:
    """Stop the running step at the next safe point; it answers with StepEnded."""

    index: int


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Take back what step `index` did, be it whole or half; it answers with StepRestored."""

    execution: ExecutionKey
    index: int
    step: Step


@dataclass(frozen=True, slots=True)
class Verify:
    """Check that the hardware is whole; it answers with Verified."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Log and trace this; changes nothing. `from_answer`: with the client token of the answer to the newest attempt."""

    event: DeviceEvent
    from_answer: bool = False


Deed: TypeAlias = Publish | BeginStep | StopStep | UndoStep | Verify
"""What anybody outside could notice."""
Effect: TypeAlias = Deed | Remember | SetTimer | CancelTimer | Tell
