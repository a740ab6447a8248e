"""What became of the machine itself: whether it boots, and whether one execution is applied to it once."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import (
    DeviceBooted,
    ExecutionTaken,
    HardwareChanged,
    JournalSpoiled,
    PhaseChanged,
    PowerLost,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.verdict.findings import FOUND, NOTHING_YET, Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.past import BLANK, Past, Sight, by_execution
from simulator.verdict.seen import Mark
from simulator.verdict.state import State

COMMITS: Final = 64
"""So many commits that stand are remembered."""
ONLY_SLOT: Final = ("main slot",)
"""Half done is no more than the one slot that firmware has, so that a recovery image runs."""


@dataclass(slots=True, unsafe_hash=True)
class LastHardware(State):
    """The hardware as it last was: whether it has `rested` since, by the phase in `resting`, if it was at rest last."""

    last: Mark | None = None
    pending: tuple[str, ...] = ()
    rested: bool = True
    resting: Mark | None = None
    phase: str = ""
    job: str | None = None
    """The one that it has or had last, by whose work it came to this."""
    worked_at: int = 0
    has_power: bool = True
    is_beyond: bool = False
    """In the work for `job` something failed, or could not be undone, or a step began that nobody can undo."""
    has_forgotten: bool = False
    """Its journal was lost, and since then it has neither been whole nor begun what nobody can undo."""
    so_far: Ruling = NOTHING_YET


def _worked(state: LastHardware, now: Moment) -> None:
    state.worked_at = max(state.worked_at, now.mark.at) if state.worked_at else now.mark.at


def _changed(state: LastHardware, now: Moment) -> None:
    _worked(state, now)
    event = now.event
    message = "had nothing whole to boot from" + (f", at version {event.version}" if event.version else "")
    state.so_far = state.so_far.but(None if event.bootable else violated(state.job, message, now.mark))
    state.last, state.pending, state.rested = now.mark, event.pending, False
    state.has_forgotten = state.has_forgotten and event.pending != ()


def _lost_journal(state: LastHardware, now: Moment) -> None:
    state.has_forgotten = now.event.holds == "nothing"


def _step_began(state: LastHardware, now: Moment) -> None:
    _worked(state, now)
    if not now.event.reversible:
        state.is_beyond, state.has_forgotten = True, False


def _step_ended(state: LastHardware, now: Moment) -> None:
    _worked(state, now)
    state.is_beyond = state.is_beyond or now.event.outcome == "failed"


def _step_undone(state: LastHardware, now: Moment) -> None:
    _worked(state, now)
    event, running = now.event, [step for key, step in now.testimony.running if key == now.event.execution]
    if running:
        message = f"took step '{event.step}' back while step '{running[-1]}' was still running"
        state.so_far = state.so_far.but(violated(event.execution.job_id, message, now.mark))
    state.is_beyond = state.is_beyond or not event.ok


def _booted(state: LastHardware, now: Moment) -> None:
    _worked(state, now)
    state.has_power = True


def _lost_power(state: LastHardware, _now: Moment) -> None:
    state.has_power = False


def _took(state: LastHardware, now: Moment) -> None:
    state.job, state.is_beyond = now.event.execution.job_id, False


def _moved(state: LastHardware, now: Moment) -> None:
    rests = now.event.phase in ("idle", "safe")
    state.resting, state.phase = now.mark if rests else None, now.event.phase
    if rests and state.last is not None and not state.rested and not now.testimony.running:
        state.so_far, state.rested = state.so_far.but(_at_rest(state)), True


READS_HARDWARE: Final[Reads] = {
    HardwareChanged: _changed,
    JournalSpoiled: _lost_journal,
    StepStarted: _step_began,
    StepFinished: _step_ended,
    StepUndone: _step_undone,
    DeviceBooted: _booted,
    ExecutionTaken: _took,
    PhaseChanged: _moved,
    PowerLost: _lost_power,
}
SEES_HARDWARE: Final = Sight(testimony=("running",))


def essence_of_hardware(state: LastHardware, _past: Past) -> LastHardware:
    """What is half done, until it has rested; and whether it rests."""
    rested = state.rested or not state.pending
    return LastHardware(
        last=None if rested else BLANK,
        pending=() if rested else state.pending,
        rested=rested,
        resting=state.resting and BLANK,
        phase=state.phase if state.resting else "",
        has_power=state.has_power,
        is_beyond=state.is_beyond,
        has_forgotten=state.has_forgotten,
    )


def _at_rest(state: LastHardware) -> Finding | None:
    if not state.pending or (state.phase == "safe" and state.is_beyond) or _waits(state):
        return None
    message = f"is {state.phase} with {', '.join(state.pending)} half done"
    marks = [mark for mark in (state.last, state.resting) if mark is not None]
    return violated(state.job, message, *sorted(marks, key=lambda mark: mark.n))


def _waits(state: LastHardware) -> bool:
    """Whether nothing is left that tells it what to write over its only slot."""
    return state.has_forgotten and state.pending == ONLY_SLOT


def rule_bootable(state: LastHardware, subject: Subject) -> Ruling:
    """Nothing whole to boot from at some instant, something half done at rest, or a step taken back that still runs.

    At rest is a device that by its own words has become idle or safe with no step running, or is so at the end of
    the run. One that says nothing rests if, at the end, neither its hardware nor any execution of it has been at work
    for so long that it must be ready. A device that is safe says that it cannot put its hardware right: that is
    believed if something failed in its work, or could not be undone, or a step had begun that nobody can undo. One that
    has lost its journal and runs its recovery image, since its only slot is half written, waits for a job that brings
    something to write: nothing is left that tells it what was.

    Who takes a step back while one of the same execution still runs has two hands at one flash, and what comes of that
    nobody knows, whatever it comes to here: the step must have ended first, be it stopped.

    Opportunities are all changes of the hardware, and each rest after some.

    The wire does not show it; a device that does not boot is one that never comes back, and so not alive.
    """
    if not subject.course.ended or state.last is None or state.rested or subject.testimony.running:
        return state.so_far
    if state.resting is not None:
        return state.so_far.but(_at_rest(state))
    if not state.pending or _waits(state) or (long_over := _must_rest(state, subject)) is None:
        return state.so_far
    what = f"has {', '.join(state.pending)} half done"
    if long_over:
        return state.so_far.but(violated(state.job, f"{what}, and nothing to do with it", state.last))
    return state.so_far.but(undecided(state.job, f"{what}, but the run ended before that had to be over", state.last))


def _must_rest(state: LastHardware, subject: Subject) -> bool | None:
    """Whether all work has been over for long at the end, while connected; None if some is not over."""
    record, course, bound, last = subject.record, subject.course, subject.limits.ready, subject.testimony.last
    lives = record.lives.values()
    if not state.has_power or not lives or any(life.ended is None for life in lives):
        return None
    ended = max(life.ended.at for life in lives if life.ended is not None)
    span = subject.span
    connected = span is not None and span[0] <= course.cloud_end - bound and span[1] >= course.cloud_end
    assert last is not None, "its hardware has changed"
    quiet = last.at - state.worked_at - course.lag.seen_by_device(subject.offset, state.worked_at, last.at).whole
    over = course.cloud_end - ended - course.lag.between(subject.offset, ended, course.cloud_end).whole
    return connected and quiet > bound and over > bound


# ── once ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Commit(NamedTuple):
    """A commit that stands; `last_step` is the step of its execution in which it was made.

    `redoes`: the device has restarted since, and done no other step of it again; None before a restart.
    """

    mark: Mark
    last_step: str | None = None
    redoes: bool | None = None


class Again(NamedTuple):
    """A commit of what had been committed before; `redone` if only because a step was interrupted."""

    key: ExecutionKey
    version: str
    earlier: Mark
    mark: Mark
    redone: bool


@dataclass(slots=True, unsafe_hash=True)
class Commits(State):
    """Those that stand, the last step of each execution, and those that were made twice."""

    standing: Map[tuple[ExecutionKey, str], Commit] = EMPTY
    steps: Map[ExecutionKey, str] = EMPTY
    held: int = 0
    twice: tuple[Again, ...] = ()
    unknown: tuple[tuple[ExecutionKey, Mark], ...] = ()


def _reverted(state: Commits, now: Moment) -> None:
    state.standing = state.standing.without((now.event.execution, now.event.version))


def _began(state: Commits, now: Moment) -> None:
    key, step = now.event.execution, now.event.step
    for (of, version), commit in state.standing.items():
        if of == key and commit.redoes and step != commit.last_step:
            state.standing = state.standing.put((of, version), commit._replace(redoes=False))
    state.steps = state.steps.put(key, step, COMMITS)


def _restarted(state: Commits, _now: Moment) -> None:
    state.standing = state.standing.each(lambda commit: commit._replace(redoes=commit.last_step is not None))


def _committed(state: Commits, now: Moment) -> None:
    key, version = now.event.execution, now.event.version
    if (earlier := state.standing.get((key, version))) is not None:
        again = Again(key, version, earlier.mark, now.mark, bool(earlier.redoes))
        state.twice = (*state.twice, again)[:FOUND]
        return
    state.standing = state.standing.put((key, version), Commit(now.mark, state.steps.get(key)), COMMITS)
    if now.testimony.may_be_forgotten(key):
        state.unknown = (*state.unknown, (key, now.mark))[:FOUND]
    else:
        state.held += 1


def _forgot(state: Commits, now: Moment) -> None:
    """By an older record it is at work before the commit, and the hardware does not show whose commit it was.

    With nothing on record it meets work that it does not know, and what runs shows how far that came.
    """
    if now.event.holds == "an older record":
        state.standing = EMPTY


READS_COMMITS: Final[Reads] = {
    JournalSpoiled: _forgot,
    VersionReverted: _reverted,
    VersionCommitted: _committed,
    StepStarted: _began,
    DeviceBooted: _restarted,
}
SEES_COMMITS: Final = Sight(testimony=("forgotten",), heard=("is_vague",))


def essence_of_commits(state: Commits, past: Past) -> Commits:
    """What stands, and in which step each execution is that the device is not done with."""
    standing = {which: commit._replace(mark=BLANK) for which, commit in state.standing.items()}
    steps = state.steps.only(lambda key, _: not past.is_left(key))
    return Commits(Map((which, standing[which]) for which in sorted(standing, key=repr)), by_execution(steps))


def rule_double_apply(state: Commits, subject: Subject) -> Ruling:
    """One execution committed twice, with no revert between, by a device whose journal can tell it of the first.

    Two executions that were queued within the same second share an identity; if the cloud told of two, or, where its
    account does not tell, the device took two documents under it, this is undecided. Another version is certainly
    another execution. Opportunities are commits.

    The wire does not show it; a device that does a finished execution once more sends updates for it that are refused.
    """
    why = "whether it had committed this execution before is not remembered: too many came since"
    doubts = (undecided(key.job_id, why, mark) for key, mark in state.unknown)
    return Ruling(state.held).but(*(_once_more(again, subject) for again in state.twice), *doubts)


def _once_more(again: Again, subject: Subject) -> Finding | None:
    """What was done and not yet on record when the power went is done once more: that is no second application."""
    job = again.key.job_id
    if subject.is_shared(again.key):
        return undecided(job, "two executions share this identity", again.earlier, again.mark)
    if again.redone:
        return None
    return violated(job, f"committed version {again.version} twice", again.earlier, again.mark)
