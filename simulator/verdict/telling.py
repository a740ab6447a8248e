"""What each entry that a client tells of itself changes in its testimony; monitors read it as it stood before."""

from collections.abc import Callable
from typing import Any, Final

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceDisconnected,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    JournalSpoiled,
    JournalUnwritable,
    JournalWritten,
    PhaseChanged,
    RequestSent,
    StepFinished,
    StepStarted,
)
from agent.values import Status
from simulator.verdict.exchanges import Exchange
from simulator.verdict.heard import OVER, REPLACED, AnswerNews, news_in, omits
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.testimony import CLOSED, HANDS, Testimony

JOURNAL_MICROS: Final = 1_000_000
"""What a device was told so shortly before it lost its memory may not have been on record yet."""

RESTARTS: Final = (DeviceBooted, DeviceConnected)
"""With what a device begins anew; from the wire, a connection may be the first that is seen of one that has."""


def sends(testimony: Testimony, mark: Mark, sent: RequestSent) -> Exchange | None:
    """The exchange that a request begins, before the account takes it in."""
    exchange = testimony.exchange_of(sent.client_token)
    if exchange is None or exchange.sent is not None:
        return None
    heard = testimony.heard(sent.execution)
    told = heard.standing[REPLACED]
    exchange.sent, exchange.request, exchange.had_reported = mark, sent, testimony.reported
    exchange.knew = told is not None and told.answer.n < mark.n
    exchange.licence = 0 if _is_late(testimony, mark) else heard.licence
    return exchange


def hears(
    testimony: Testimony, mark: Mark, read: AnswerReceived, record: ThingRecord
) -> tuple[Exchange | None, tuple[AnswerNews, ...]]:
    """The exchange that an answer ends, and what it says of executions, before the account takes it in."""
    exchange = testimony.exchanges.get(read.client_token)
    if exchange is None or exchange.sent is None:
        return None, ()
    exchange.answer, exchange.read = mark, read
    is_told = record.answers and not (testimony.has_lost_answers and not exchange.said)
    if is_told and not exchange.believes(read):
        return exchange, ()
    return exchange, tuple(news_in(exchange, testimony.in_hand))


def take_in(
    testimony: Testimony, seen: Seen[Any], exchange: Exchange | None, news: tuple[AnswerNews, ...], limits: Limits
) -> None:
    """Take in the next entry of its own, with its exchange, and with what it says of executions."""
    mark, event = seen
    kind = type(event)
    testimony.has_taken_leave = False
    if kind is RESTARTS[testimony.is_wire]:
        if testimony.last_sign is not None:
            for heard in testimony.executions.values():
                heard.forget(testimony.last_sign, JOURNAL_MICROS)
    elif kind is not DeviceDisconnected and kind is not HintReceived:
        testimony.last_sign = mark.at
    if kind is RequestSent:
        _asked(testimony, mark, event, exchange)
    elif kind is AnswerReceived:
        _answer(testimony, mark, event, exchange, news)
    elif (change := CHANGES.get(kind)) is not None:
        change(testimony, mark, event)
    elif (key := getattr(event, "execution", None)) is not None:
        testimony.known(key).touched = mark
    if kind is StepStarted and _leaps(event, limits):
        testimony.known(event.execution).leapt = True
    testimony.last = mark


def _is_late(testimony: Testimony, mark: Mark) -> bool:
    return testimony.last is not None and mark.n < testimony.last.n


def _asked(testimony: Testimony, mark: Mark, sent: RequestSent, exchange: Exchange | None) -> None:
    key = sent.execution
    over = testimony.heard(key).standing[OVER]
    if _is_late(testimony, mark):
        for each in testimony.executions.values():
            each.unhear(mark)
    if exchange is not None and exchange.received is not None:
        testimony.offset = testimony.offset.sent(mark.at, exchange.received.at)
        testimony.arrived_n = max(testimony.arrived_n, mark.n)
    testimony.asked, testimony.asked_token = mark, sent.client_token
    if key is not None:
        heard = testimony.known(key)
        heard.touched = mark
        if sent.request == "update":
            heard.updated = True
            heard.succeeded = heard.succeeded or sent.status == Status.SUCCEEDED
            heard.failed = heard.failed or sent.status == Status.FAILED
            if key not in testimony.reported:
                testimony.reported = (*testimony.reported, key)[-HANDS:]
            if testimony.is_wire:
                heard.told_at_report, heard.change_at_report = over, testimony.change


def _answer(
    testimony: Testimony, mark: Mark, read: AnswerReceived, exchange: Exchange | None, news: tuple[AnswerNews, ...]
) -> None:
    testimony.is_done(mark.at)
    testimony.heard_n, testimony.cleared = mark.n, ()
    if read.execution is not None:
        testimony.known(read.execution).touched = mark
    if exchange is None or exchange.sent is None:
        testimony.notes_time(None, mark.at)
        return
    testimony.notes_time(exchange.sent.at, mark.at)
    if exchange.said:
        testimony.offset = testimony.offset.answered(exchange.said[0].mark.at, mark.at)
    testimony.exchanges = testimony.exchanges.without(read.client_token)
    testimony.closed = testimony.closed.put(
        read.client_token, exchange.execution if exchange.is_update else None, CLOSED
    )
    licence = exchange.said[0].mark.n if exchange.said else 0
    for each in news:
        heard = testimony.known(each.key)
        if not heard.order:
            testimony.order = heard.order = testimony.order + 1
        heard.hears(each._replace(unwritten=testimony.unwritten), licence)
    testimony.cleared = tuple(each.key for each in news if each.says == "alive" and each.key not in testimony.at_work)


def _leaps(began: StepStarted, limits: Limits) -> bool:
    """Whether there is no way back from a step."""
    return not began.reversible or (limits.finishes_after_switch and began.step.split()[0] == "switch")


# ── what else a client tells of ───────────────────────────────────────────────────────────────────────────────


def _booted(testimony: Testimony, mark: Mark, _event: DeviceBooted) -> None:
    testimony.booted, testimony.running, testimony.at_work = mark, (), ()
    for key in testimony.cleared:
        testimony.known(key).leapt = True  # it cannot know whether what was about to begin had begun


def _unwritable(testimony: Testimony, mark: Mark, _event: JournalUnwritable) -> None:
    since = mark.at - JOURNAL_MICROS
    if not testimony.unwritten:
        testimony.unwritten = True
        for heard in testimony.executions.values():
            heard.unwrite(since)
    for exchange in testimony.exchanges.values():
        sent, asked = exchange.sent, exchange.request
        if sent is None or asked is None or asked.execution is None or sent.at <= since:
            continue
        if asked.status == Status.SUCCEEDED:
            testimony.known(asked.execution).success_unwritten = True


def _written(testimony: Testimony, _mark: Mark, _event: JournalWritten) -> None:
    if testimony.unwritten:
        testimony.unwritten = False
        for heard in testimony.executions.values():
            heard.write()


def _spoiled(testimony: Testimony, _mark: Mark, _event: JournalSpoiled) -> None:
    for heard in testimony.executions.values():
        heard.lose()


def _connected(testimony: Testimony, mark: Mark, _event: DeviceConnected) -> None:
    testimony.connected, testimony.change, testimony.reported = mark, (mark, True), ()


def _disconnected(testimony: Testimony, mark: Mark, event: DeviceDisconnected) -> None:
    testimony.change, testimony.has_taken_leave = (mark, False), event.planned
    testimony.planned += event.planned


def _hinted(testimony: Testimony, mark: Mark, event: HintReceived) -> None:
    testimony.cleared = ()
    testimony.notes_time(None, mark.at)
    for key in event.listed:
        testimony.known(key)
    for key, heard in testimony.executions.items():
        if omits(event, key):
            heard.omitted = mark
    testimony.hints = testimony.hints.put(event.namespace_id, mark, HANDS)


def _moved(testimony: Testimony, mark: Mark, event: PhaseChanged) -> None:
    testimony.phase, testimony.phase_mark = event.phase, mark
    if event.execution is not None:
        testimony.known(event.execution).touched = mark


def _took(testimony: Testimony, mark: Mark, event: ExecutionTaken) -> None:
    key, heard = event.execution, testimony.known(event.execution)
    heard.touched, heard.taken, heard.queued_again = mark, mark.n, False
    heard.takings += 1
    if event.digest not in heard.digests:
        heard.digests = (*heard.digests, event.digest)[:2]
    if key not in testimony.in_hand:
        testimony.in_hand = (*testimony.in_hand, key)[-HANDS:]


def _left(testimony: Testimony, mark: Mark, event: ExecutionLeft) -> None:
    testimony.known(event.execution).touched = mark
    testimony.in_hand = tuple(each for each in testimony.in_hand if each != event.execution)


def _began(testimony: Testimony, mark: Mark, event: StepStarted) -> None:
    key = event.execution
    testimony.step = step = (key, event.step)
    testimony.cleared = tuple(each for each in testimony.cleared if each != key)
    if key not in testimony.at_work:
        testimony.at_work = (*testimony.at_work, key)[-HANDS:]
    if step not in testimony.running:
        testimony.running = (*testimony.running, step)[-HANDS:]
    testimony.known(key).touched = mark


def _ended(testimony: Testimony, mark: Mark, event: StepFinished) -> None:
    key = event.execution
    testimony.is_done(mark.at)
    testimony.at_work = tuple(each for each in testimony.at_work if each != key)
    testimony.running = tuple(each for each in testimony.running if each != (key, event.step))
    testimony.known(key).touched = mark


CHANGES: Final[dict[type, Callable[[Testimony, Mark, Any], None]]] = {
    DeviceBooted: _booted,
    DeviceConnected: _connected,
    DeviceDisconnected: _disconnected,
    HintReceived: _hinted,
    JournalSpoiled: _spoiled,
    JournalUnwritable: _unwritable,
    JournalWritten: _written,
    PhaseChanged: _moved,
    ExecutionTaken: _took,
    ExecutionLeft: _left,
    StepStarted: _began,
    StepFinished: _ended,
}
