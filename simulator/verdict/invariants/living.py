"""Whether the device is alive."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import DeviceBooted, DeviceCrashed, ExecutionLeft, ExecutionTaken
from simulator.verdict.attendance import Silence
from simulator.verdict.charging import charged
from simulator.verdict.findings import FOUND, Finding, Moment, Reads, Ruling, Subject, ruling, undecided, violated
from simulator.verdict.lives import Lapse
from simulator.verdict.past import Past
from simulator.verdict.seen import Mark
from simulator.verdict.stalls import Lost
from simulator.verdict.state import State

DELIBERATE = ("CLIENT_INITIATED_DISCONNECT", "SERVER_INITIATED_DISCONNECT")
"""Reasons for which a client that vanishes need not come back."""

SPARE_MICROS: Final = 15_000_000
"""The broker waits half as long again as a keep-alive, and for the shortest that AWS knows that is so much more."""


class Restarts(NamedTuple):
    """A row of restarts of the device's own between which it got nowhere with any execution."""

    first: Mark | None = None
    last: Mark | None = None
    times: int = 0


NO_RESTARTS: Final = Restarts()


@dataclass(slots=True, unsafe_hash=True)
class Vital(State):
    """What killed it, and how often it has restarted in vain, at worst."""

    reason: str = ""
    crashes: tuple[Mark, ...] = ()
    row: Restarts = NO_RESTARTS
    longest: Restarts = NO_RESTARTS


def _crashed(state: Vital, now: Moment) -> None:
    state.reason, state.crashes = state.reason or now.event.reason, (*state.crashes, now.mark)[:FOUND]


def _booted(state: Vital, now: Moment) -> None:
    if now.event.why in ("reboot", "watchdog"):
        state.row = row = Restarts(state.row.first or now.mark, now.mark, state.row.times + 1)
        state.longest = row if row.times > state.longest.times else state.longest


def _got_on(state: Vital, _now: Moment) -> None:
    state.row = NO_RESTARTS


def essence(_state: Vital, _past: Past) -> Vital:
    """Nothing: a crash is told at once. That it restarts for ever, a search finds where it goes round in circles."""
    return Vital()


READS: Final[Reads] = {
    DeviceCrashed: _crashed,
    DeviceBooted: _booted,
    ExecutionTaken: _got_on,
    ExecutionLeft: _got_on,
}


def rule(state: Vital, subject: Subject) -> Ruling:
    """A crash, restarts without end, a lapsed keep-alive, or no request for too long while connected with work pending.

    Restarts without end are more of a device's own, by reboot or watchdog, than the bound allows, between which it has
    neither taken an execution nor been done with one.

    A keep-alive may lapse once for each disconnection that the device had planned: a power cut that was meant says
    nothing to the broker. The opportunity is a device that connected.

    From the wire, a keep-alive that lapses may have been a reboot: then it counts only if the device does not come
    back although there is work for it, and does not show itself for as long as it may be silent.
    """
    testimony, record = subject.testimony, subject.record
    if testimony.connected is None and not record.tells_connections:
        return Ruling()
    return ruling([_fate(state, subject)])


def _fate(state: Vital, subject: Subject) -> Finding | None:
    testimony, bounds, lapses = subject.testimony, subject.limits.bounds, subject.record.lapses
    restarts = state.longest
    if state.crashes:
        return violated(None, f"the agent crashed: {state.reason}", *state.crashes)
    if restarts.times > bounds.restarts:
        message = f"restarted {restarts.times} times, and neither took an execution nor was done with one"
        return violated(None, message, restarts.first, restarts.last)
    if testimony.is_wire and (gone := _never_came_back(subject)) is not None:
        return violated(None, "vanished, and did not come back although there was work for it", gone)
    if testimony.is_wire and lapses:
        why = "let its keep-alive lapse, which from the wire may have been a reboot"
        return undecided(None, why, *(lapse.mark for lapse in lapses))
    excused = [lapse for lapse in lapses if _may_have_pinged(lapse, subject)]
    if len(lapses) - len(excused) > testimony.planned:
        charged_with = [lapse.mark for lapse in lapses if lapse not in excused]
        return violated(None, "sent nothing for longer than its keep-alive", *charged_with[testimony.planned :])
    if len(lapses) > testimony.planned:
        why = "let its keep-alive lapse while the processes of the run hardly ran"
        return undecided(None, why, *(lapse.mark for lapse in excused))
    return _silent(subject)


def _silent(subject: Subject) -> Finding | None:
    silence, lost = _silence(subject)
    what = f"sent nothing for more than {subject.limits.bounds.silence_seconds:g} s"
    if silence is None:
        return None
    if lost is not None:
        return undecided(None, f"{what} with work pending, but {lost}", silence)
    return violated(None, f"{what}, connected and with work pending", silence)


def _never_came_back(subject: Subject) -> Mark | None:
    """The loss of the last connection, if work was pending, at the end, for longer than a device may be silent."""
    record, present = subject.record, subject.record.present
    lost, queue = present.lost, present.queue
    if lost is None or lost.event.reason in DELIBERATE or not (queue.queued or queue.running):
        return None
    lives = record.lives.values()
    pending = [life.queued.at for life in lives if life.ended is None and life.queued is not None]
    since = max([lost.mark.at, *pending])
    charge = charged(subject, since, subject.course.cloud_end, subject.limits.silence).charge
    return lost.mark if charge == "too-long" else None


def _may_have_pinged(lapse: Lapse, subject: Subject) -> bool:
    """Whether a keep-alive lapsed only because the processes had no time for it."""
    if lapse.heard_at is None:
        return False
    return subject.course.lag.between(subject.offset, lapse.heard_at, lapse.mark.at).whole >= SPARE_MICROS


def _silence(subject: Subject) -> tuple[Mark | None, Lost | None]:
    """The last entry before the device was silent for too long, if it was; and what may excuse it."""
    present, end, allowed = subject.record.present, subject.course.cloud_end, subject.limits.silence
    silences = present.silences
    if present.quiet is not None and end - present.quiet.at > allowed:
        silences = (*silences, Silence(present.quiet, end))
    doubtful: tuple[Mark | None, Lost | None] = (None, None)
    for quiet, until in silences:
        charge, lost = charged(subject, quiet.at, until, allowed)
        if charge == "too-long":
            return quiet, None
        if charge == "undecided":
            doubtful = quiet, lost
    return doubtful
