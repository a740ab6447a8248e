"""What each event changes in a lane; messages are read in `simulator.page.messages`."""

from collections.abc import Callable
from typing import Any, Final

from agent.device_events import (
    DeviceBooted,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    JournalSpoiled,
    JournalUnwritable,
    PhaseChanged,
    PowerLost,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.page.axis import When
from simulator.page.drawing import Drawing, OpenMark, OpenSpan
from simulator.trace import (
    TERMINAL,
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultOver,
    FaultStruck,
    MessageDropped,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
)

Read = Callable[[Drawing, Any, When, str], None]


def _of(key: ExecutionKey) -> tuple[str, str | None]:
    return key.job_id, key.namespace_id


# ── the cloud ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _queued(lane: Drawing, event: ExecutionQueued, when: When, event_id: str) -> None:
    key = event.execution
    is_again = (key.namespace_id, key.job_id) in lane.jobs
    lane.jobs.add((key.namespace_id, key.job_id))
    if len(lane.jobs) > lane.most:
        lane.jobs.clear()
    kind, text = ("created-again", "is queued again, a new job") if is_again else ("queued", "is queued")
    lane.mark(OpenMark("cloud", kind, f"{key.job_id} {text}", when, *_of(key), (event_id,)))
    lane.begin(("cloud", key), OpenSpan("cloud", "QUEUED", f"{key.job_id} QUEUED", when, *_of(key)), event_id)


def _changed(lane: Drawing, event: ExecutionChanged, when: When, event_id: str) -> None:
    key, status = event.execution, event.status
    text = f"{key.job_id} {status}"
    slot = ("cloud", key)
    if status in TERMINAL:
        by = "" if event.by == "device" else ", by the service"
        lane.end(slot, when, event_id)
        lane.mark(OpenMark("cloud", status, text + by, when, *_of(key), (event_id,)))
        return
    span = lane.open.get(slot)
    if span is None or span.kind != status:
        lane.begin(slot, OpenSpan("cloud", status, text, when, *_of(key)), event_id)
    elif event.details and (step := event.details.get("step")):
        progress = event.details.get("progress")
        span.text = f"{text}, last at {step}" + (f" {progress} %" if progress else "")
        span.shown_by(event_id)


def _removed(lane: Drawing, event: ExecutionRemoved, when: When, event_id: str) -> None:
    key = event.execution
    lane.end(("cloud", key), when, event_id)
    text = f"the record of {key.job_id} is gone, which was {event.status}"
    lane.mark(OpenMark("cloud", "removed", text, when, *_of(key), (event_id,)))


# ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _connected(lane: Drawing, event: ClientConnected, when: When, event_id: str) -> None:
    lane.connections += 1
    lane.end("offline", when, event_id)


def _disconnected(lane: Drawing, event: ClientDisconnected, when: When, event_id: str) -> None:
    # Who takes over a client id is connected before the other's end is told, or after: both occur.
    lane.connections = max(lane.connections - 1, 0)
    if not lane.connections:
        lane.begin("offline", OpenSpan("wire", "offline", f"off line: {event.reason}", when), event_id)


def _struck(lane: Drawing, event: FaultStruck, when: When, event_id: str) -> None:
    text = f"fault {event.fault}: {event.do} the {event.message}"
    lane.mark(OpenMark("wire", "fault", text, when, event.job_id or "", None, (event_id,)))


def _over(lane: Drawing, event: FaultOver, when: When, event_id: str) -> None:
    lane.mark(OpenMark("wire", "fault", f"fault {event.fault} is over: {event.why}", when, "", None, (event_id,)))


def _refused(lane: Drawing, event: ClientRefused | MessageDropped, when: When, event_id: str) -> None:
    text = f"{event.action} {event.resource}: {event.why}"
    lane.mark(OpenMark("wire", "refused", text, when, "", None, (event_id,)))


# ── the agent ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _moved(lane: Drawing, event: PhaseChanged, when: When, event_id: str) -> None:
    job, namespace = ("", None) if event.execution is None else _of(event.execution)
    text = event.phase + (f": {event.why}" if event.why else "")
    lane.begin("agent", OpenSpan("agent", event.phase, text, when, job, namespace), event_id)
    if event.phase == "safe":
        lane.mark(OpenMark("agent", "safe", text, when, job, namespace, (event_id,)))
    if event.phase == "recovering":
        lane.worked = when


def _took(lane: Drawing, event: ExecutionTaken, when: When, event_id: str) -> None:
    key = event.execution
    lane.mark(OpenMark("agent", "taken", f"takes {key.job_id} as its own", when, *_of(key), (event_id,)))


def _told(lane: Drawing, event: ExecutionGone, when: When, event_id: str) -> None:
    key = event.execution
    lane.mark(OpenMark("agent", "told", f"knows that {key.job_id} is {event.end}", when, *_of(key), (event_id,)))


def _left(lane: Drawing, event: ExecutionLeft, when: When, event_id: str) -> None:
    key = event.execution
    text = f"is done with {key.job_id}: {event.outcome}"
    lane.mark(OpenMark("agent", "done", text, when, *_of(key), (event_id,)))


def _crashed(lane: Drawing, event: DeviceCrashed, when: When, event_id: str) -> None:
    lane.end("agent", when, event_id)
    lane.end("step", when, event_id)
    lane.mark(OpenMark("agent", "crashed", f"crashed: {event.reason}", when, "", None, (event_id,)))


def _spoiled(lane: Drawing, event: JournalSpoiled, when: When, event_id: str) -> None:
    text = f"its journal cannot be read any more: it holds {event.holds}"
    lane.mark(OpenMark("agent", "journal", text, when, "", None, (event_id,)))


def _unwritable(lane: Drawing, event: JournalUnwritable, when: When, event_id: str) -> None:
    text = f"could not write its journal: {event.reason}"
    lane.mark(OpenMark("agent", "journal", text, when, "", None, (event_id,)))


# ── the hardware ──────────────────────────────────────────────────────────────────────────────────────────────────


def _began(lane: Drawing, event: StepStarted, when: When, event_id: str) -> None:
    key = event.execution
    lane.begin("step", OpenSpan("hardware", "step", event.step, when, *_of(key)), event_id)
    if not event.reversible:
        text = f"passes the point of no return: {event.step}"
        lane.mark(OpenMark("hardware", "leap", text, when, *_of(key), (event_id,)))


def _came_on(lane: Drawing, event: StepProgressed, when: When, event_id: str) -> None:
    if (span := lane.open.get("step")) is not None:
        span.text = f"{event.step}, {event.percent} %"
        span.shown_by(event_id)


def _finished(lane: Drawing, event: StepFinished, when: When, event_id: str) -> None:
    text = event.step if event.outcome == "done" else f"{event.step}: {event.outcome}"
    lane.end("step", when, event_id, text)
    lane.worked = when


def _undone(lane: Drawing, event: StepUndone, when: When, event_id: str) -> None:
    """When an undo began is not told: after whatever was done last."""
    key = event.execution
    text = f"undo {event.step}" + ("" if event.ok else ": could not be undone")
    start = lane.worked if lane.worked is not None and lane.worked.is_own else when
    lane.begin("undo", OpenSpan("hardware", "undo", text, min(start, when), *_of(key)), event_id)
    lane.end("undo", when, event_id)
    lane.worked = when


def _hardware(lane: Drawing, event: HardwareChanged, when: When, event_id: str) -> None:
    if event.bootable:
        lane.end("bricked", when, event_id)
    elif "bricked" not in lane.open:
        text = "nothing whole is left to boot from"
        lane.begin("bricked", OpenSpan("hardware", "bricked", text, when), event_id)


def _committed(lane: Drawing, event: VersionCommitted, when: When, event_id: str) -> None:
    key = event.execution
    lane.mark(OpenMark("hardware", "commit", f"commits {event.version}", when, *_of(key), (event_id,)))


def _reverted(lane: Drawing, event: VersionReverted, when: When, event_id: str) -> None:
    key = event.execution
    lane.mark(OpenMark("hardware", "revert", f"takes {event.version} back", when, *_of(key), (event_id,)))


def _without_power(lane: Drawing, text: str, when: When, event_id: str) -> None:
    lane.mark(OpenMark("hardware", "power-lost", text, when, "", None, (event_id,)))
    for track in ("agent", "step"):
        lane.end(track, when, event_id)
    lane.begin("off", OpenSpan("hardware", "off", "without power", when), event_id)


def _lost_power(lane: Drawing, event: PowerLost, when: When, event_id: str) -> None:
    _without_power(lane, "loses its power" + (f" at {event.instant}" if event.instant else ""), when, event_id)


def _went_down(lane: Drawing, event: DeviceDisconnected, when: When, event_id: str) -> None:
    """A reboot of its own: it goes down as planned, in a step or in trouble, and comes up again."""
    if event.planned and "off" not in lane.open:
        lane.end("step", when, event_id)
        lane.begin("boot", OpenSpan("hardware", "boot", "boots", when), event_id)


def _booted(lane: Drawing, event: DeviceBooted, when: When, event_id: str) -> None:
    text = f"boots {event.version}" + (", on trial" if event.on_trial else "") + f" ({event.why})"
    for span in ("off", "boot", "step", "agent"):
        lane.end(span, when, event_id)
    lane.mark(OpenMark("hardware", "boot", text, when, "", None, (event_id,)))
    lane.begin("agent", OpenSpan("agent", "idle", "idle: booted", when), event_id)


def _cut_off(lane: Drawing, event: PowerCutOff, when: When, event_id: str) -> None:
    _without_power(lane, f"its power is cut: {event.why}", when, event_id)


def _restored(lane: Drawing, event: PowerRestored, when: When, event_id: str) -> None:
    lane.end("off", when, event_id)
    lane.mark(OpenMark("hardware", "boot", "has its power back", when, "", None, (event_id,)))


def _ended(lane: Drawing, event: ProcessEnded, when: When, event_id: str) -> None:
    kind, did = ("crashed", "crashed") if event.crashed else ("ended", "ended, and is started again")
    lane.mark(OpenMark("agent", kind, f"its process {did}: {event.why}", when, "", None, (event_id,)))


def _sampled(lane: Drawing, event: ProbeSampled, when: When, event_id: str) -> None:
    kind = {True: "alive", False: "dead", None: "unknown"}[event.alive]
    what = f", running {event.version}" if event.version is not None else ""
    why = f" ({event.why})" if event.why else ""
    if (shows := f"{kind}{what}") != lane.shows:
        lane.shows = shows
        lane.mark(OpenMark("hardware", kind, f"{event.probe}: {shows}{why}", when, "", None, (event_id,)))


READS: Final[dict[type, Read]] = {
    ExecutionQueued: _queued,
    ExecutionChanged: _changed,
    ExecutionRemoved: _removed,
    ClientConnected: _connected,
    ClientDisconnected: _disconnected,
    FaultStruck: _struck,
    FaultOver: _over,
    ClientRefused: _refused,
    MessageDropped: _refused,
    PhaseChanged: _moved,
    ExecutionTaken: _took,
    ExecutionGone: _told,
    ExecutionLeft: _left,
    DeviceCrashed: _crashed,
    JournalSpoiled: _spoiled,
    JournalUnwritable: _unwritable,
    StepStarted: _began,
    StepProgressed: _came_on,
    StepFinished: _finished,
    StepUndone: _undone,
    HardwareChanged: _hardware,
    VersionCommitted: _committed,
    VersionReverted: _reverted,
    PowerLost: _lost_power,
    DeviceDisconnected: _went_down,
    DeviceBooted: _booted,
    PowerCutOff: _cut_off,
    PowerRestored: _restored,
    ProcessEnded: _ended,
    ProbeSampled: _sampled,
}
