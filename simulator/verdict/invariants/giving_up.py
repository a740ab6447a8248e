"""What a device must know before it gives up an execution."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from agent.device_events import (
    DeviceBooted,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    JournalUnwritable,
    PhaseChanged,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
from agent.values import ExecutionKey, Status
from simulator.verdict.findings import FOUND, NOTHING_YET, Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import TAKEN, omits
from simulator.verdict.past import BLANK, Past, Sight, in_order
from simulator.verdict.seen import Mark
from simulator.verdict.state import State

EXECUTIONS: Final = 64
"""So many executions are remembered, and so many times that one was given up."""


class Try(NamedTuple):
    """How far an execution's firmware had come since the execution was taken: booted, and committed or not."""

    booted: bool = False
    on_trial: bool = False
    """The last boot was one on trial."""
    was_tried: bool = False
    rebooting: bool = False
    """A reboot into it has begun, and not yet been seen to end."""
    committed: bool = False

    @property
    def essence(self) -> "Try":
        """What of it can still matter: see `_fell_back`."""
        if self.committed:
            return Try(committed=True)
        return (
            Try(booted=True, on_trial=self.on_trial, was_tried=True)
            if self.was_tried
            else Try(rebooting=self.rebooting)
        )


class GivenUp(NamedTuple):
    """One execution abandoned: `may` it, by what the device had been told. `left` is known once it is done with it.

    `fell_back`: so did the firmware, before it was committed; but who takes the execution again had only abandoned it.
    """

    mark: Mark
    kind: str
    taking: int
    may: bool
    fell_back: bool
    hint: Mark | None
    left: bool = False

    @property
    def is_allowed(self) -> bool:
        """Whether it is no fault."""
        return self.may or self.fell_back

    @property
    def is_settled(self) -> bool:
        """Whether nothing changes any more what is to be said of it: who is not done with it may yet tell why."""
        return self.may or (self.left and not self.fell_back)


class Abandoned(NamedTuple):
    """What is to be said of one execution.

    `excused`: it failed, or the device told why, or restarted after it could not write down what it had in hand:
    `unwritten`. `maybe` is a recovery that began, and may be forgotten by a restart, `restarted`, before anything was
    taken back. `first` are those that count, at most one each time it was taken, `gone` the first by which the device
    said that it believes it to be over: that counts if the others are excused.
    """

    excused: bool = False
    unwritten: bool = False
    maybe: GivenUp | None = None
    restarted: bool = False
    first: tuple[GivenUp, ...] = ()
    gone: tuple[GivenUp, ...] = ()
    tried: Try | None = None


NOT_ABANDONED: Final = Abandoned()


@dataclass(slots=True, unsafe_hash=True)
class GivingUp(State):
    """By execution; `resisted` are hints in spite of which the device went on."""

    resisted: int = 0
    executions: Map[ExecutionKey, Abandoned] = EMPTY
    before: Ruling = NOTHING_YET


def _hinted(state: GivingUp, now: Moment) -> None:
    state.resisted += sum(omits(now.event, key) for key in now.testimony.in_hand)


def _unwritten(state: GivingUp, now: Moment) -> None:
    """It cannot remember what it has in hand, nor that it failed for that: of either another life knows nothing."""
    for key in now.testimony.in_hand:
        mine = state.executions.get(key, NOT_ABANDONED)
        if not (mine.excused or mine.unwritten):
            state.executions = state.executions.put(key, mine._replace(unwritten=True))


def _restarted(state: GivingUp, now: Moment) -> None:
    state.executions = state.executions.each(lambda mine: _booted(mine, now.event))


def _took(state: GivingUp, now: Moment) -> None:
    _put(state, now, _with(_known(state, now), fell_back=False)._replace(tried=Try()))


def _asked(state: GivingUp, now: Moment) -> None:
    """It gives an execution up by telling the service why."""
    if now.event.status in (Status.FAILED, Status.REJECTED) and now.event.details and now.event.execution is not None:
        _put(state, now, _known(state, now)._replace(excused=True))


def _began(state: GivingUp, now: Moment) -> None:
    mine = _known(state, now)
    if now.event.step == "reboot" and now.event.reversible and mine.tried is not None:
        _put(state, now, mine._replace(tried=mine.tried._replace(rebooting=True)))


def _ended(state: GivingUp, now: Moment) -> None:
    if now.event.outcome == "failed":
        _put(state, now, _known(state, now)._replace(excused=True))
    elif now.event.outcome == "stopped":
        _gives_up(state, now)


def _committed(state: GivingUp, now: Moment) -> None:
    mine = _known(state, now)
    if mine.tried is not None:
        _put(state, now, mine._replace(tried=mine.tried._replace(committed=True)))


def _moved(state: GivingUp, now: Moment) -> None:
    phase, mine = now.event.phase, _known(state, now)
    if now.event.execution is None:
        return
    if now.event.was == "recovering" and phase == "reporting":
        # It was about to tell why, once it had recovered: it may ask first, and hear that there is nobody left to tell.
        mine = mine._replace(excused=True)
    if mine.maybe is not None and mine.restarted:
        forgotten = phase in ("suspect", "executing", "trial")
        mine = mine._replace(maybe=None, restarted=False) if forgotten else _confirmed(mine)
    _put(state, now, _given_up(mine, now) if phase == "recovering" else mine)


def _left(state: GivingUp, now: Moment) -> None:
    mine = _with(_known(state, now), left=True)
    _put(state, now, _given_up(mine, now) if now.event.outcome in ("recovered", "kept") else mine)


def _gives_up(state: GivingUp, now: Moment) -> None:
    _put(state, now, _given_up(_known(state, now), now))


def _known(state: GivingUp, now: Moment) -> Abandoned:
    return state.executions.get(now.event.execution, NOT_ABANDONED)


def _put(state: GivingUp, now: Moment, mine: Abandoned) -> None:
    if mine != _known(state, now):
        state.executions = state.executions.put(now.event.execution, mine)
        if len(state.executions) > EXECUTIONS:
            _forget(state, now)


def _forget(state: GivingUp, now: Moment) -> None:
    """Forget the oldest that is not in hand: what is to be said of it is said."""
    key = next((key for key in state.executions if key not in now.testimony.in_hand), next(iter(state.executions)))
    gone = _counted(state.executions[key])
    findings = (None if each.is_allowed or is_forgotten else _violation(key, each) for each, is_forgotten in gone)
    state.executions, state.before = state.executions.without(key), state.before.but(*findings)


def _booted(mine: Abandoned, event: DeviceBooted) -> Abandoned:
    mine = mine._replace(excused=True, unwritten=False) if mine.unwritten else mine
    if mine.tried is not None:
        was_tried = mine.tried.was_tried or event.on_trial or mine.tried.rebooting
        mine = mine._replace(tried=mine.tried._replace(booted=True, on_trial=event.on_trial, was_tried=was_tried))
    return mine._replace(restarted=True) if mine.maybe is not None else mine


def _fell_back(tried: Try | None) -> bool:
    """Whether the bootloader had gone back from this execution's firmware, which was never committed."""
    return tried is not None and tried.booted and not tried.on_trial and tried.was_tried and not tried.committed


def _confirmed(mine: Abandoned) -> Abandoned:
    """The recovery that began was none that is forgotten."""
    if mine.maybe is None:
        return mine
    is_first = all(each.taking != mine.maybe.taking for each in mine.first)
    first = (*mine.first, mine.maybe)[:FOUND] if is_first else mine.first
    return mine._replace(maybe=None, restarted=False, first=first)


def _given_up(mine: Abandoned, now: Moment) -> Abandoned:
    mine, heard = _confirmed(mine), now.testimony.heard(now.event.execution)
    told = heard.over_otherwise if heard.succeeded else heard.over
    taking = heard.takings
    may = told is not None or heard.queued_again
    this = GivenUp(now.mark, now.event.type, taking, may, _fell_back(mine.tried), heard.omitted)
    if isinstance(now.event, ExecutionGone) and all(each.taking != taking for each in mine.gone):
        # What it had recovered from until then was a failure of its own, of which nobody is left to be told.
        had_failed = may and any(each.taking == taking for each in mine.first)
        mine = mine._replace(gone=(*mine.gone, this)[:FOUND], excused=mine.excused or had_failed)
    if any(each.taking == taking for each in mine.first):
        return mine
    if isinstance(now.event, PhaseChanged):
        return mine._replace(maybe=this, restarted=False)
    return mine._replace(first=(*mine.first, this)[:FOUND])


def _with(mine: Abandoned, **more: Any) -> Abandoned:
    """With something more known of each time that it was given up."""
    if not (mine.first or mine.gone or mine.maybe):
        return mine
    return mine._replace(
        first=tuple(each._replace(**more) for each in mine.first),
        gone=tuple(each._replace(**more) for each in mine.gone),
        maybe=mine.maybe and mine.maybe._replace(**more),
    )


def _counted(mine: Abandoned) -> tuple[tuple[GivenUp, bool], ...]:
    """And of each whether a restart has made it forgotten, as far as the account goes."""
    if mine.excused:
        return tuple((each, False) for each in mine.gone)
    return tuple((each, mine.restarted and each is mine.maybe) for each in _confirmed(mine).first)


def _violation(key: ExecutionKey, this: GivenUp) -> Finding:
    message = f"abandoned the execution ('{this.kind}') without an answer that it ended"
    return violated(key.job_id, message, this.hint, this.mark)


def rule(state: GivingUp, subject: Subject) -> Ruling:
    """An execution abandoned without any answer that it ended: a hint is no proof.

    Abandoned is an execution of which the hardware stops or undoes a step, or, by its own words, one that the device
    recovers from, or leaves as recovered or kept. One that failed, or whose firmware fell back before it was committed,
    or that the device reports FAILED or REJECTED with details that can give the reason, is not abandoned; if the
    account ends before that report could be due, this is undecided. Nor is one whose device loses its memory before it
    has done anything about that, and goes on with it, or finds it gone. Nor is one that it recovers from first, and
    only then is told, and says, to be over: it had failed, and nobody is left to hear why. But one that the device, by
    its own words, believes to be over is abandoned, however it reports that. After a report of success a terminal state
    may be the device's own: then a code that hides which one it is, or that names SUCCEEDED, is no such answer.

    Opportunities are abandonments, and hints that did not name the execution in hand.

    From the wire this cannot be judged: a device that has given up looks like one that works in silence. If it leaves
    the execution IN_PROGRESS for good, the next one waits.
    """
    given_up = [(*each, key) for key, mine in state.executions.items() for each in _counted(mine)]
    given_up.sort(key=lambda each: each[0].mark.n)
    found = (_finding(*each, subject) for each in given_up)
    before = state.before
    return Ruling(before.held + state.resisted, before.findings).but(*found)


def essence(state: GivingUp, past: Past) -> GivingUp:
    """What may yet be excused, or become a fault; and what has been given up since it was taken last."""
    known = {key: _essence(state.executions[key], key, past) for key in in_order(state.executions)}
    return GivingUp(executions=Map((key, mine) for key, mine in known.items() if mine != NOT_ABANDONED))


def _essence(mine: Abandoned, key: ExecutionKey, past: Past) -> Abandoned:
    takings = past.takings.get(key, 0)

    def stays(this: GivenUp) -> bool:
        return not this.is_settled or (this.taking == takings and key not in past.closed)

    maybe, first = (None, ()) if mine.excused else (mine.maybe, tuple(filter(stays, mine.first)))
    maybe, gone = maybe if maybe and stays(maybe) else None, tuple(filter(stays, mine.gone))
    if key in past.closed and not (maybe or first or gone):
        return NOT_ABANDONED  # whatever else is done about it, it may
    before = sorted({each.taking for each in (*first, *gone, *((maybe,) if maybe else ()))} - {takings})
    names = {taking: TAKEN - len(before) + index for index, taking in enumerate(before)}
    names[takings] = TAKEN if takings else 0

    def named(this: GivenUp) -> GivenUp:
        if this.is_settled:
            return GivenUp(BLANK, "", names[this.taking], may=True, fell_back=False, hint=None)
        return this._replace(mark=BLANK, hint=None, taking=names[this.taking])

    return mine._replace(
        maybe=maybe and named(maybe),
        restarted=mine.restarted and maybe is not None,
        first=tuple(map(named, first)),
        gone=tuple(map(named, gone)),
        tried=mine.tried and mine.tried.essence,
    )


def _finding(this: GivenUp, is_forgotten: bool, key: ExecutionKey, subject: Subject) -> Finding | None:
    if this.is_allowed:
        return None
    if (is_shared := subject.is_shared(key)) or _fails_just_now(this, subject):
        why = "two executions share this identity" if is_shared else "a report with the reason may yet come"
        return undecided(key.job_id, f"gave up the execution ('{this.kind}'); {why}", this.mark)
    return None if is_forgotten and key in subject.record.over else _violation(key, this)


def _fails_just_now(this: GivenUp, subject: Subject) -> bool:
    """Whether the account ends in the middle of this, so that a report with the reason may still come."""
    assert subject.testimony.last is not None, "it has told something"
    end = subject.testimony.last.at
    lost = subject.course.lag.seen_by_device(subject.offset, this.mark.at, end).whole
    return not this.left and end - this.mark.at - lost <= subject.limits.ready


READS: Final[Reads] = {
    DeviceBooted: _restarted,
    ExecutionGone: _gives_up,
    ExecutionLeft: _left,
    ExecutionTaken: _took,
    HintReceived: _hinted,
    JournalUnwritable: _unwritten,
    PhaseChanged: _moved,
    RequestSent: _asked,
    StepFinished: _ended,
    StepStarted: _began,
    StepUndone: _gives_up,
    VersionCommitted: _committed,
}
SEES: Final = Sight(
    testimony=("in_hand",), heard=("over", "over_otherwise", "succeeded", "takings", "queued_again", "omitted")
)
