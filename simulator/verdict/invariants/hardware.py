"""What became of the machine itself: whether it boots, and whether one execution is applied to it once."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import (
    DeviceBooted,
    ExecutionTaken,
    HardwareChanged,
    PhaseChanged,
    PowerLost,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.verdict.findings import FOUND, NOTHING_YET, Finding, Moment, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.seen import Mark
from simulator.verdict.state import State

COMMITS: Final = 64
"""So many commits that stand are remembered."""

CHANGES = (HardwareChanged, StepStarted, StepFinished, StepUndone, DeviceBooted)
"""What shows that the hardware is at work."""


@dataclass(slots=True, unsafe_hash=True)
class Hardware(State):
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
    so_far: Ruling = NOTHING_YET


READS_HARDWARE = (*CHANGES, ExecutionTaken, PhaseChanged, PowerLost)


def bootable(state: Hardware, now: Moment) -> Hardware:
    """Nothing whole to boot from at some instant, or something half done at rest.

    At rest is a device that by its own words has become idle or safe with no step running, or is so at the end of
    the run. One that says nothing rests if, at the end, neither its hardware nor any execution of it has been at work
    for so long that it must be ready. Opportunities are all changes of the hardware, and each rest after some.

    The wire does not show it; a device that does not boot is one that never comes back, and so not alive.
    """
    mark, event = now.mark, now.event
    if isinstance(event, CHANGES):
        state.worked_at = max(state.worked_at, mark.at) if state.worked_at else mark.at
    match event:
        case HardwareChanged():
            message = f"had nothing whole to boot from, at version {event.version}"
            state.so_far = state.so_far.but(None if event.bootable else violated(state.job, message, mark))
            state.last, state.pending, state.rested = mark, event.pending, False
            return state
        case ExecutionTaken(execution=key):
            return state.becomes(job=key.job_id)
        case PowerLost():
            return state.becomes(has_power=False)
        case DeviceBooted():
            return state.becomes(has_power=True)
        case PhaseChanged(phase=phase):
            rests = phase in ("idle", "safe")
            state.resting, state.phase = mark if rests else None, phase
            if rests and state.last is not None and not state.rested and not now.account.running:
                return state.becomes(so_far=state.so_far.but(_at_rest(state)), rested=True)
            return state
        case _:
            return state


def _at_rest(state: Hardware) -> Finding | None:
    if not state.pending:
        return None
    message = f"is {state.phase} with {', '.join(state.pending)} half done"
    marks = [mark for mark in (state.last, state.resting) if mark is not None]
    return violated(state.job, message, *sorted(marks, key=lambda mark: mark.n))


def rule_bootable(state: Hardware, subject: Subject) -> Ruling:
    """What it came to at the end, and before."""
    if not subject.course.ended or state.last is None or state.rested or subject.account.running:
        return state.so_far
    if state.resting is not None:
        return state.so_far.but(_at_rest(state))
    if not state.pending or (long_over := _must_rest(state, subject)) is None:
        return state.so_far
    what = f"has {', '.join(state.pending)} half done"
    if long_over:
        return state.so_far.but(violated(state.job, f"{what}, and nothing to do with it", state.last))
    return state.so_far.but(undecided(state.job, f"{what}, but the run ended before that had to be over", state.last))


def _must_rest(state: Hardware, subject: Subject) -> bool | None:
    """Whether all work has been over for long at the end, while connected; None if some is not over."""
    record, course, bound, last = subject.record, subject.course, subject.limits.ready, subject.account.last
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


READS_COMMITS = (VersionReverted, VersionCommitted, StepStarted, DeviceBooted)


def no_double_apply(state: Commits, now: Moment) -> Commits:
    """One execution committed twice, with no revert between.

    Two executions that were queued within the same second share an identity; if the cloud told of two, or, where its
    account does not tell, the device took two documents under it, this is undecided. Another version is certainly
    another execution. Opportunities are commits.

    The wire does not show it; a device that does a finished execution once more sends updates for it that are refused.
    """
    standing = state.standing
    match now.event:
        case VersionReverted(execution=key, version=version):
            return state.becomes(standing=standing.without((key, version)))
        case VersionCommitted():
            return _committed(state, now)
        case StepStarted(execution=key, step=step):
            for (of, version), commit in standing.items():
                if of == key and commit.redoes and step != commit.last_step:
                    standing = standing.put((of, version), commit._replace(redoes=False))
            return state.becomes(standing=standing, steps=state.steps.put(key, step, COMMITS))
        case _:
            booted = ((key, commit._replace(redoes=commit.last_step is not None)) for key, commit in standing.items())
            return state.becomes(standing=Map(booted))


def _committed(state: Commits, now: Moment) -> Commits:
    key, version = now.event.execution, now.event.version
    if (earlier := state.standing.get((key, version))) is not None:
        again = Again(key, version, earlier.mark, now.mark, bool(earlier.redoes))
        return state.becomes(twice=(*state.twice, again)[:FOUND])
    commit = Commit(now.mark, state.steps.get(key))
    standing = state.standing.put((key, version), commit, COMMITS)
    if now.account.may_be_forgotten(key):
        return state.becomes(standing=standing, unknown=(*state.unknown, (key, now.mark))[:FOUND])
    return state.becomes(standing=standing, held=state.held + 1)


def rule_double_apply(state: Commits, subject: Subject) -> Ruling:
    """Each commit after another."""
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
