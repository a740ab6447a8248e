"""How a device stands, in a row: its state, its job, its step, what it knows; a fold of what is told of it.

One of our own tells of itself. Of another, the cloud and whoever looks after it tell, which is less: `of_another`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    PhaseChanged,
    PowerLost,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
)
from agent.values import Status
from simulator.trace import (
    TERMINAL,
    ClientConnected,
    ClientDisconnected,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
    RequestReceived,
)

STATES: Final = (
    "bricked",
    "crashed",
    "safe",
    "off",
    "offline",
    "recovering",
    "suspect",
    "trial",
    "executing",
    "starting",
    "reporting",
    "idle",
)
"""Every state of a row: the phases of an agent, and what keeps it from any. The most urgent first."""
URGENCY: Final = {name: rank for rank, name in enumerate(STATES)}
SPEAKING: Final = frozenset({"starting", "suspect", "recovering", "safe"})
"""Phases whose reason says what the device has come to know."""


@dataclass(slots=True)
class Row:
    """One device. `bootable` is None as long as nobody told, `version` what runs, as far as that was told.

    `part` is good or bad, where devices play side by side. `phase` is the agent's, or what the cloud knows of it;
    `away` what keeps it from any, which a move of its overrules.
    """

    thing: str
    namespace_id: str | None = None
    phase: str = "idle"
    away: str = "offline"
    job: str = ""
    step: str = ""
    knows: str = ""
    done: int = 0
    bootable: bool | None = None
    version: str = ""
    part: str = ""
    online: bool = False
    has_power: bool = True

    @property
    def state(self) -> str:
        """One of STATES."""
        return "bricked" if self.bootable is False else self.away or self.phase

    def feed(self, event: object) -> None:
        """Take note of one event of a device of ours."""
        if (read := OF_ITSELF.get(type(event))) is not None:
            read(self, event)

    def of_another(self, event: object) -> None:
        """Take note of what the cloud, a probe, or who switches its power tells of a device that is not ours."""
        if (read := OF_ANOTHER.get(type(event))) is not None:
            read(self, event)


Read = Callable[[Row, Any], None]
"""What becomes of a row with an event of a type."""


# ── what a device tells of itself ─────────────────────────────────────────────────────────────────────────────────


def _connected(row: Row, event: DeviceConnected) -> None:
    row.online, row.away, row.knows = True, "", "connected"


def _disconnected(row: Row, event: DeviceDisconnected) -> None:
    row.online = False
    if not event.planned and row.has_power:
        row.away, row.knows = "offline", event.reason


def _lost_power(row: Row, event: PowerLost) -> None:
    row.has_power, row.online, row.away = False, False, "off"
    row.knows = f"lost its power at {event.instant}" if event.instant else "lost its power"


def _booted(row: Row, event: DeviceBooted) -> None:
    row.version, row.phase = event.version, "idle"
    if not row.has_power or row.away == "crashed":
        row.has_power, row.away, row.knows = True, "offline", "booted"


def _crashed(row: Row, event: DeviceCrashed) -> None:
    row.away, row.knows = "crashed", event.reason


def _moved(row: Row, event: PhaseChanged) -> None:
    row.phase, row.away = event.phase, ""
    if event.phase in SPEAKING:
        row.knows = event.why


def _took(row: Row, event: ExecutionTaken) -> None:
    key = event.execution
    row.job, row.step, row.knows, row.namespace_id = key.job_id, "", "it is its own", key.namespace_id


def _began(row: Row, event: StepStarted) -> None:
    row.step = event.step


def _came_on(row: Row, event: StepProgressed) -> None:
    row.step = f"{event.step} {event.percent}%"


def _finished(row: Row, event: StepFinished) -> None:
    row.step = f"{event.step} {event.outcome}"


def _undone(row: Row, event: StepUndone) -> None:
    row.step = f"{event.step} {'undone' if event.ok else 'NOT UNDONE'}"


def _hinted(row: Row, event: HintReceived) -> None:
    row.knows = f"hint: {', '.join(key.job_id for key in event.listed) or 'nothing pending'}"


def _answered(row: Row, event: AnswerReceived) -> None:
    key = event.execution
    if event.accepted and key is not None and key.job_id == row.job:
        row.knows = f"{key.job_id} still there"
    elif event.code is not None:
        row.knows = f"told {event.code}"


def _gone(row: Row, event: ExecutionGone) -> None:
    row.knows = f"{event.execution.job_id} is {event.end}"


def _left(row: Row, event: ExecutionLeft) -> None:
    row.done += event.outcome == "succeeded"
    row.job, row.step, row.knows = "", "", f"{event.execution.job_id} {event.outcome}"


def _changed(row: Row, event: HardwareChanged) -> None:
    row.bootable, row.version = event.bootable, event.version or row.version


OF_ITSELF: Final[dict[type, Read]] = {
    DeviceConnected: _connected,
    DeviceDisconnected: _disconnected,
    DeviceBooted: _booted,
    PowerLost: _lost_power,
    DeviceCrashed: _crashed,
    PhaseChanged: _moved,
    ExecutionTaken: _took,
    StepStarted: _began,
    StepProgressed: _came_on,
    StepFinished: _finished,
    StepUndone: _undone,
    HintReceived: _hinted,
    AnswerReceived: _answered,
    ExecutionGone: _gone,
    ExecutionLeft: _left,
    HardwareChanged: _changed,
}


# ── what others tell of one that is not ours ──────────────────────────────────────────────────────────────────────


def _seen_connecting(row: Row, event: ClientConnected) -> None:
    row.online, row.has_power, row.away, row.knows = True, True, "", "connected"


def _heard_of(row: Row, event: RequestReceived) -> None:
    """Who asks is there, whoever saw it connect."""
    row.online = True
    row.away = "" if row.away == "offline" else row.away


def _seen_leaving(row: Row, event: ClientDisconnected) -> None:
    row.online = False
    if row.has_power:
        row.away, row.knows = "offline", event.reason


def _queued(row: Row, event: ExecutionQueued) -> None:
    row.namespace_id = event.execution.namespace_id


def _reported(row: Row, event: ExecutionChanged) -> None:
    key, status = event.execution, event.status
    row.namespace_id = key.namespace_id
    if status == Status.IN_PROGRESS:
        row.phase, row.job = "executing", key.job_id
        row.step = (event.details or {}).get("step", row.step)
    elif status in TERMINAL and key.job_id == row.job:
        row.phase, row.job, row.step, row.knows = "idle", "", "", f"{key.job_id} {status}"
        row.done += status == Status.SUCCEEDED


def _removed(row: Row, event: ExecutionRemoved) -> None:
    """What it had in hand is gone at the cloud; whether the device knows, nobody knows."""
    if event.execution.job_id == row.job:
        row.phase, row.job, row.step = "idle", "", ""


def _cut_off(row: Row, event: PowerCutOff) -> None:
    row.has_power, row.online, row.away, row.knows = False, False, "off", event.why


def _restored(row: Row, event: PowerRestored) -> None:
    row.has_power, row.away = True, "offline"


def _ended(row: Row, event: ProcessEnded) -> None:
    if event.crashed:
        row.away, row.knows = "crashed", event.why


def _sampled(row: Row, event: ProbeSampled) -> None:
    if event.alive and event.version is not None:
        row.version = event.version


OF_ANOTHER: Final[dict[type, Read]] = {
    ClientConnected: _seen_connecting,
    RequestReceived: _heard_of,
    ClientDisconnected: _seen_leaving,
    ExecutionQueued: _queued,
    ExecutionChanged: _reported,
    ExecutionRemoved: _removed,
    PowerCutOff: _cut_off,
    PowerRestored: _restored,
    ProcessEnded: _ended,
    ProbeSampled: _sampled,
}
