"""Whether a device leaves a job that it is there and free for."""

from dataclasses import dataclass
from typing import Final

from agent.device_events import AnswerReceived, DeviceBooted, HardwareChanged, StepStarted
from agent.values import ExecutionKey
from simulator.verdict.attendance import Waits
from simulator.verdict.charging import charged
from simulator.verdict.findings import Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.invariants.readiness import worst
from simulator.verdict.lives import Life
from simulator.verdict.seen import Mark
from simulator.verdict.state import State


@dataclass(slots=True, unsafe_hash=True)
class SafetySigns(State):
    """Signs that a device may be SAFE: a refused update, or hardware that is not whole.

    `is_whole` is None as long as the device has not told of its hardware; `has_worked` once it has begun a step.
    """

    was_refused: bool = False
    is_whole: bool | None = None
    has_worked: bool = False
    booted: Mark | None = None


def _answered(state: SafetySigns, now: Moment) -> None:
    if not now.event.accepted and now.exchange is not None and now.exchange.is_update:
        state.was_refused = True


def _changed(state: SafetySigns, now: Moment) -> None:
    state.is_whole = now.event.bootable and not now.event.pending


def _began(state: SafetySigns, _now: Moment) -> None:
    state.has_worked = True


def _booted(state: SafetySigns, now: Moment) -> None:
    state.booted = now.mark


READS: Final[Reads] = {
    AnswerReceived: _answered,
    HardwareChanged: _changed,
    StepStarted: _began,
    DeviceBooted: _booted,
}


def rule(state: SafetySigns, subject: Subject) -> Ruling:
    """An execution left pending beyond the bound by a device that is connected and free.

    Free is a device none of whose executions, in any namespace, is in progress, and whose time to recover from a
    removal under it, or from a cancellation, is over. One in SAFE is not free. And an execution that is in progress is
    left pending if the device, at the end, has long been idle, by its own words or because all that it still does,
    hardware and requests, has nothing to do with that execution. Bounds that the run's end cut short are undecided.

    From the wire, executions that are left QUEUED are seen; one in progress may be worked on in silence. A device that
    takes nothing more since it lost an execution may be SAFE, and is not ready, but it has not lost a job for certain.
    """
    record = subject.record
    safe = _is_safe(state, subject)
    waits = {} if safe else dict(record.present.waits)
    found: list[Finding | None] = []
    for life, waited in record.overdue:
        found += _fate(life, None if safe else waited, state, subject, safe=safe)
    for life in record.lives.values():
        found += _fate(life, waits.pop(life.key, None), state, subject, safe=safe)
    if record.present.queue.is_overfull:
        found.append(undecided(None, "so much was pending that not all of it is remembered", None))
    return Ruling(record.in_time).but(*found)


def _fate(
    life: Life, wait: Waits | None, state: SafetySigns, subject: Subject, *, safe: bool
) -> tuple[Finding | None, ...]:
    limits, job = subject.limits, life.key.job_id
    since, until, (charge, lost) = worst(wait or Waits(), limits.lost_job, subject)
    waited, seconds = (until - since) / 1_000_000, limits.bounds.lost_job_seconds
    if charge == "too-long" and subject.is_wire and _may_be_safe(subject):
        return (undecided(job, "takes nothing more, but may be SAFE, which the wire does not show", life.queued),)
    if charge == "too-long":
        message = f"left the execution QUEUED for {waited:.3f} s while connected and free; the bound is {seconds:g} s"
        return (violated(job, message, life.queued),)
    if charge == "undecided":
        why = f"left the execution QUEUED for {waited:.3f} s, longer than the bound, but {lost}"
        return (undecided(job, why, life.queued),)
    if life.ended is None and life.began is not None:
        return (_left_in_progress(life.key, life.began, state, subject),)
    if wait is not None and wait.since is not None and not safe:
        why = f"was QUEUED for {waited:.3f} s when the run ended, within the bound"
        return (undecided(job, why, life.queued),)
    return (None,) if life.began is not None else ()


def _is_safe(state: SafetySigns, subject: Subject) -> bool:
    """Whether it says that it is SAFE, and there is a sign of it."""
    return subject.testimony.phase == "safe" and (state.was_refused or not state.is_whole)


def _may_be_safe(subject: Subject) -> bool:
    """Whether the last execution that the device began was taken from it."""
    begun = [(life.began.n, life) for life in subject.record.lives.values() if life.began is not None]
    last = max(begun, key=lambda pair: pair[0], default=None)
    return last is not None and last[1].ended is not None and not last[1].ended_by_device


def _left_in_progress(key: ExecutionKey, began: Mark, state: SafetySigns, subject: Subject) -> Finding | None:
    """What to think of an execution whose last known status is IN_PROGRESS."""
    testimony, course, bound = subject.testimony, subject.course, subject.limits.lost_job
    idle = _idle_since(key, bound, state, subject)
    if idle is None or _is_safe(state, subject):
        return None
    connected = subject.record.connected_at
    since = max(subject.offset.latest(idle.at), began.at, *(() if connected is None else (connected,)))
    is_asking = testimony.asked_token in testimony.exchanges
    if not course.ended or is_asking or charged(subject, since, course.cloud_end, bound).charge != "too-long":
        if testimony.phase != "idle":
            return None
        why = "idles with the execution IN_PROGRESS, but the run ended before that had to be over"
        return undecided(key.job_id, why, began, idle)
    return violated(key.job_id, "left the execution IN_PROGRESS, and idles", began, idle)


def _idle_since(key: ExecutionKey, bound: int, state: SafetySigns, subject: Subject) -> Mark | None:
    """When the device last had to do with an execution; None if it still has, is not connected, or never had."""
    testimony = subject.testimony
    if testimony.is_wire or not testimony.concerns(key):
        return None
    # Whoever is stopped at the end of the run takes leave as the last thing it does.
    if testimony.change is not None and not testimony.change[1] and not testimony.has_taken_leave:
        return None
    if testimony.phase == "idle":
        return testimony.phase_mark
    if not state.has_worked or testimony.running:
        return None  # without an account of the hardware, that may be at work
    marks = [mark for mark in (testimony.heard(key).touched, state.booted) if mark is not None]
    last = max(marks, key=lambda mark: mark.n)
    if testimony.asked is None:
        return None
    # Who does nothing at all may be dead: see `alive`.
    lost = subject.course.lag.seen_by_device(subject.offset, last.at, testimony.asked.at).whole
    return last if testimony.asked.at - last.at - lost > bound else None
