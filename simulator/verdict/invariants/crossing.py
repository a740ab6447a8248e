"""Requests that were meant for one execution, and reach another of the same job id."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import RequestSent
from agent.values import ExecutionKey, Status
from simulator.trace import ExecutionQueued, RequestAnswered
from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import NOTHING_YET, Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import Compared, Past, Sight
from simulator.verdict.seen import Mark
from simulator.verdict.state import State
from simulator.verdict.testimony import Testimony

REUSES: Final = 32
"""So many times that a job id is used again are remembered."""


class Reuse(NamedTuple):
    """The queueing of an execution whose job id was used before.

    `crossed` is the first update, in the order of sending, that it accepted although it was meant for another, with
    what shows that; `doubtful` the last of which this cannot be said. `may_cross`: from the wire, some other may be;
    `spoilt` is one that was wrong whichever of them it was meant for.
    """

    queued: Mark
    key: ExecutionKey
    earlier: tuple[ExecutionKey, ...]
    crossed: tuple[int, Finding] | None = None
    doubtful: tuple[int, Finding] | None = None
    may_cross: bool = False
    spoilt: Finding | None = None

    def may_be_crossed(self, over: frozenset[ExecutionKey], updated: frozenset[ExecutionKey | None]) -> bool:
        """Whether it can still accept an update, or one for an earlier may have been, of which is not told yet."""
        return self.key not in over or not updated.isdisjoint(self.earlier)


@dataclass(slots=True, unsafe_hash=True)
class Crossing(State):
    """The reuses that are remembered, and what is known of the others."""

    reuses: tuple[Reuse, ...] = ()
    loose: tuple[ExecutionKey, ...] = ()
    """From the wire, the executions that updates without an expected version were accepted for."""
    before: Ruling = NOTHING_YET


def _asked(state: Crossing, now: Moment) -> None:
    if now.event.request == "update" and now.exchange is not None:
        _exchanged(state, now.exchange, now)


def _told(state: Crossing, now: Moment) -> None:
    exchange = now.exchange
    if exchange is not None and exchange.is_update and len(exchange.said) == 1:
        _exchanged(state, exchange, now)


def _exchanged(state: Crossing, exchange: Exchange, now: Moment) -> None:
    if now.testimony.is_wire:
        _loosely(state, exchange)
    if state.reuses:
        state.reuses = tuple(_answered(reuse, exchange, now) for reuse in state.reuses)


def at_cloud(state: Crossing) -> Crossing:
    """The reuses of job ids, before the wire shows what came of them."""
    return Crossing(tuple(Reuse(reuse.queued, reuse.key, reuse.earlier) for reuse in state.reuses))


def compared(state: Crossing, over: frozenset[ExecutionKey], updated: frozenset[ExecutionKey | None]) -> Compared:
    """Answers are compared with when a job id was used again."""
    return Compared(tuple(reuse.queued.n for reuse in state.reuses if reuse.may_be_crossed(over, updated)))


def essence(state: Crossing, past: Past) -> Crossing:
    """The reuses of job ids that may still go wrong."""
    return Crossing(
        tuple(
            Reuse(Mark("", past.cloud(reuse.queued.n), 0), reuse.key, reuse.earlier)
            for reuse in state.reuses
            if reuse.may_be_crossed(past.over, past.updated)
        )
    )


def _loosely(state: Crossing, exchange: Exchange) -> None:
    key, asked, answered = exchange.execution, exchange.request, exchange.answered
    if key is None or key in state.loose or answered is None or asked is None:
        return
    if answered.accepted and asked.expected_version is None:
        state.loose = (*state.loose, key)[-2 * REUSES :]


def _queued(state: Crossing, now: Moment) -> None:
    record, key = now.record, now.event.execution
    earlier = record.lives[record.current[key]].earlier
    if not earlier:
        return
    reuses = (*state.reuses, Reuse(now.mark, key, earlier, may_cross=key in state.loose))
    if len(reuses) > REUSES:
        state.before = state.before.but(*_ruling(reuses[0], now.testimony, record, now.limits))
    state.reuses = reuses[-REUSES:]


def _answered(reuse: Reuse, exchange: Exchange, now: Moment) -> Reuse:
    """What became, once it was queued, of an update that may have been meant for an incarnation before it."""
    answered, sent, asked, later = exchange.answered, exchange.sent, exchange.request, reuse.key
    assert sent is not None, "it is known what it asks"
    assert asked is not None, "it was sent"
    if answered is None or not answered.accepted:
        return reuse
    is_wire = now.testimony.is_wire
    # From the wire, what is said of two that share an identity says nothing of either.
    is_vague = is_wire and asked.execution is not None and now.record.is_shared(asked.execution, 0)
    is_licensed = exchange.licence > reuse.queued.n and not is_vague
    if is_wire and asked.execution == later and asked.expected_version is None and not is_licensed:
        reuse = reuse._replace(may_cross=True, spoilt=reuse.spoilt or _spoilt(reuse, exchange, now))
    if answered.mark.n < reuse.queued.n or answered.execution != later or asked.execution not in reuse.earlier:
        return reuse
    if asked.execution == later:
        if is_licensed:
            return reuse
        return _doubt(reuse, sent, undecided(later.job_id, "two executions share this identity", reuse.queued, sent))
    if asked.expected_version is not None and (is_vague or not exchange.knew):
        why = "meant its update for an earlier execution, and a later one accepted it, of which it could not know"
        return _doubt(reuse, sent, undecided(later.job_id, why, reuse.queued, sent))
    if reuse.crossed is not None and reuse.crossed[0] < sent.n:
        return reuse
    message = f"meant its update to {asked.status} for an earlier execution, and a later one accepted it"
    finding = violated(later.job_id, message, reuse.queued, sent, exchange.received, answered.mark)
    return reuse._replace(crossed=(sent.n, finding))


def _spoilt(reuse: Reuse, exchange: Exchange, now: Moment) -> Finding | None:
    """What comes of a report of failure on what is only QUEUED: it was for the one before, or for nothing at all."""
    answered, sent, asked, later = exchange.answered, exchange.sent, exchange.request, reuse.key
    if answered is None or sent is None or asked is None or asked.status != Status.FAILED:
        return None
    is_later = answered.execution == later and answered.mark.n > reuse.queued.n and later not in reuse.earlier
    if not is_later or now.record.lives[now.record.current[later]].began is not None:
        return None
    message = "its update to FAILED, which it owed to the one before at most, ended a later one that it had not begun"
    return violated(later.job_id, message, reuse.queued, sent, exchange.received, answered.mark)


def _doubt(reuse: Reuse, sent: Mark, finding: Finding) -> Reuse:
    if reuse.doubtful is not None and reuse.doubtful[0] > sent.n:
        return reuse
    return reuse._replace(doubtful=(sent.n, finding))


def _ruling(reuse: Reuse, testimony: Testimony, record: ThingRecord, limits: Limits) -> tuple[Finding | None, ...]:
    """What a reuse comes to; nothing if it was no opportunity."""
    has_reported = any(testimony.heard(key).updated for key in reuse.earlier)
    finding = _finding(reuse) if has_reported else None
    # Whether a device that is not ours reports before it hears of the end is a race inside it.
    is_exercised = any(map(record.was_begun, reuse.earlier)) if limits.is_foreign else has_reported
    return (finding,) if is_exercised or finding is not None else ()


def _finding(reuse: Reuse) -> Finding | None:
    if reuse.spoilt is not None:
        return reuse.spoilt
    if reuse.may_cross:
        why = "whether an update that it accepted was meant for it, or for one before, the wire does not show"
        return undecided(reuse.key.job_id, why, reuse.queued)
    found = reuse.crossed or reuse.doubtful
    return found[1] if found is not None else None


def rule(state: Crossing, subject: Subject) -> Ruling:
    """An update meant for one execution, accepted by a later one of the same job id.

    Asking after one and being told another is how a device learns, so only updates count, and only if the two
    could be told apart: with `expectedVersion` a device has done what the wire offers, as long as it had heard
    nothing of the first one's end. Two that were queued within the same second share an identity: undecided.

    An opportunity is each time that a job id is used again after the device sent updates for its last use; if it is
    not ours, after it had begun that.

    From the wire, an update was meant for the first if nothing that the service said could have told the device of the
    second: no answer, and no notification that it may have heard. If something could have, it is wrong all the same to
    report the failure of one that was never begun.

    Relies on a request's token alone: an update is judged once both its sending and its first answer are known.
    """
    known = subject.testimony, subject.record, subject.limits
    return state.before.but(*(found for reuse in state.reuses for found in _ruling(reuse, *known)))


READS: Final[Reads] = {RequestSent: _asked, RequestAnswered: _told, ExecutionQueued: _queued}
SEES: Final = Sight(
    exchange=("request", "sent", "received", "said", "knew", "licence"), record=("lives", "current", "uses")
)
