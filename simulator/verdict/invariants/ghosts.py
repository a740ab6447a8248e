"""Work for executions that are over: what ghosts do."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import AnswerReceived, RequestSent, StepStarted
from agent.values import ExecutionKey
from simulator.verdict.findings import Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import GONE, OVER, AnswerNews
from simulator.verdict.past import Past, Sight
from simulator.verdict.seen import Mark, Told
from simulator.verdict.state import State
from simulator.verdict.testimony import CLOSED

SHOWN = 5
"""So many of the updates of a ghost are pointed at."""


class Haunting(NamedTuple):
    """What a device did for an execution that `news` had told it is over; `what` is the step, if it was one.

    `order` is that of the execution among those that the device was told of. `unless_shared`: only if no other
    execution had this identity.
    """

    news: AnswerNews
    order: int
    deeds: tuple[Mark, ...]
    times: int = 1
    what: str = ""
    unless_shared: bool = False
    last: int = 0
    """When it did so last."""
    again: Told | None = None
    """What told it once more since then; of a device that is not ours, nothing else counts."""

    def unheard(self, asked: Mark) -> "Haunting":
        """Without what told it once more, if it had `asked` something else before that came."""
        return self._replace(again=None) if self.again is not None and self.again.is_crossed_by(asked) else self


Hauntings = Map[tuple[ExecutionKey, int], Haunting]
"""By the execution, and by the number of the answer that told of its end. One that is forgotten stands for ever."""


@dataclass(slots=True, unsafe_hash=True)
class Ghosts(State):
    """Who went on, and of whom it is not known any more whether he was told."""

    seen: Hauntings = EMPTY
    unknown: Map[ExecutionKey, Mark] = EMPTY


def essence(_state: Ghosts, _past: Past) -> Ghosts:
    """Nothing: what a ghost does is told at once, and whether it had been told is in its testimony."""
    return Ghosts()


def _began(state: Ghosts, now: Moment) -> None:
    key = now.event.execution
    heard = now.testimony.heard(key)
    news = heard.told_at_report if now.testimony.is_wire else heard.standing[OVER]
    if news is None and not now.testimony.may_be_forgotten(key):
        return
    forward = now.testimony.forward(key, now.record)
    if forward == "yes":
        return
    if news is None:
        _unknown(state, key, now)
    elif (key, news.answer.n) not in state.seen:
        haunting = Haunting(news, heard.order, (now.mark,), 1, now.event.step, forward == "if-shared")
        state.seen = state.seen.put((key, news.answer.n), haunting, CLOSED)


def _unknown(state: Ghosts, key: ExecutionKey, now: Moment) -> None:
    """Whoever begins something for an execution that is not remembered may have been told of its end."""
    if now.testimony.may_be_forgotten(key) and key not in state.unknown:
        state.unknown = state.unknown.put(key, now.mark, CLOSED)


def _step_of_a_ghost(haunting: Haunting) -> Finding:
    news = haunting.news
    message = f"started step '{haunting.what}' although told before that the execution is {news.in_words}"
    return violated(news.key.job_id, message, news.sent, news.answer, *haunting.deeds)


def rule_ghost_work(state: Ghosts, subject: Subject) -> Ruling:
    """A step of an execution that the device has been told is over.

    Told means that the device itself processed the answer. Undoing steps is recovery, and no work; so is finishing
    forward what has passed the point of no return. An opportunity is each time that a device was told; of one that is
    not ours, each execution that was taken from it.

    From the wire, a step is seen when a report is the first to name it; it began after the report before, so that one
    must have left after the device was told. And it must have reported on the execution before, on the connection on
    which it was told: who has just come back may send what it had not been able to send.
    """
    seen = [
        each
        for each in state.seen.values()
        if not (each.unless_shared and subject.is_shared(each.news.key))
        and (not subject.is_wire or each.news.had_reported)
    ]
    return _ruling(seen, OVER, subject, [_step_of_a_ghost(each) for each in _in_order(seen, subject)], state)


def _unhear(state: Ghosts, asked: Mark) -> None:
    """Forget what cannot have told it once more, since it had `asked` something else before that came."""
    if any(each.again is not None and each.again.is_crossed_by(asked) for each in state.seen.values()):
        state.seen = state.seen.each(lambda each: each.unheard(asked))


def _asked(state: Ghosts, now: Moment) -> None:
    key = now.event.execution
    if now.testimony.last is not None and now.mark.n < now.testimony.last.n:
        _unhear(state, now.mark)
    if now.event.request != "update" or key is None:
        return
    heard = now.testimony.heard(key)
    news = heard.standing[GONE]
    if news is None:
        _unknown(state, key, now)
    elif news.answer.n <= now.mark.n:
        known = state.seen.get((key, news.answer.n), Haunting(news, heard.order, (), 0))
        if now.limits.is_foreign and known.times and (known.again is None or now.mark.n < known.again.answer.n):
            return
        haunting = known._replace(
            times=known.times + 1,
            deeds=(*known.deeds, now.mark)[:SHOWN],
            last=max(known.last, now.mark.at),
            again=None,
        )
        state.seen = state.seen.put((key, news.answer.n), haunting, CLOSED)


def _told(state: Ghosts, now: Moment) -> None:
    for news in now.news:
        standing = now.testimony.heard(news.key).standing[GONE]
        which = (news.key, standing.answer.n) if standing is not None and news.says == "gone" else None
        if which is not None and which in state.seen and state.seen[which].again is None:
            state.seen = state.seen.put(which, state.seen[which]._replace(again=news.told), CLOSED)


def _updates_of_a_ghost(haunting: Haunting) -> Finding:
    news = haunting.news
    count = "an update" if haunting.times == 1 else f"{haunting.times} updates"
    message = f"sent {count} although told before that the execution is {news.in_words}"
    return violated(news.key.job_id, message, news.sent, news.answer, *haunting.deeds)


def rule_ghost_update(state: Ghosts, subject: Subject) -> Ruling:
    """An update for an execution that the device has been told is over.

    A request that left before the answer was processed was in flight, and does not count; the trace names each
    request once, so DUP resends do not count either. TerminalStateReached does not forbid updates: it hides which
    terminal state it was, and repeating the update is how a device finds out.

    From the wire it is the same, once the answer has certainly been processed. An update that arrives after the job id
    has been used again may be meant for the new execution, and does not count. Of a device that is not ours, one update
    may cross with the answer inside it: see `Limits.is_proof`.
    """
    limits = subject.limits
    seen = [each for each in state.seen.values() if limits.is_proof(each.times, each.deeds[0].at, each.last)]
    return _ruling(seen, GONE, subject, [_updates_of_a_ghost(each) for each in _in_order(seen, subject)], state)


def _in_order(seen: list[Haunting], subject: Subject) -> list[Haunting]:
    """From the wire, two that share an identity cannot be told apart."""
    count = [each for each in seen if not (subject.is_wire and subject.is_shared(each.news.key))]
    return sorted(count, key=lambda each: (each.order, each.news.answer.n))


def _ruling(seen: list[Haunting], enough: int, subject: Subject, found: list[Finding], state: Ghosts) -> Ruling:
    times = subject.testimony.ends_forgotten[enough] + sum(
        heard.ends[enough]
        for key, heard in subject.testimony.executions.items()
        if heard.ends[enough] and not (subject.is_wire and subject.is_shared(key))
    )
    why = "whether it had been told that this execution is over is not remembered: too many came since"
    doubts = [undecided(key.job_id, why, mark) for key, mark in state.unknown.items()]
    ruling = Ruling(max(times - len(found), 0), (*found, *doubts))
    return subject.by_occasions(ruling, subject.record.taken, "gone" if enough == GONE else "over")


READS_WORK: Final[Reads] = {StepStarted: _began}
READS_UPDATES: Final[Reads] = {RequestSent: _asked, AnswerReceived: _told}
SEES_WORK: Final = Sight(
    testimony=("forgotten",),
    heard=("standing", "order", "is_vague", "leapt", "over", "queued_again", "digests"),
    record=("uses",),
)
SEES_UPDATES: Final = Sight(testimony=("forgotten", "last"), heard=("standing", "order", "is_vague"), news=True)
