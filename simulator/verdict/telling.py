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
    PhaseChanged,
    RequestSent,
    StepFinished,
    StepStarted,
)
from agent.values import Status
from simulator.verdict.exchanges import Exchange
from simulator.verdict.heard import OVER, REPLACED, News, news_in, omits
from simulator.verdict.limits import Limits
from simulator.verdict.lives import Record
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.testimony import CLOSED, HANDS, Testimony

JOURNAL_MICROS: Final = 1_000_000
"""What a device was told so shortly before it lost its memory may not have been on record yet."""

RESTARTS: Final = (DeviceBooted, DeviceConnected)
"""With what a device begins anew; from the wire, a connection may be the first that is seen of one that has."""


def sends(account: Testimony, mark: Mark, sent: RequestSent) -> Exchange | None:
    """The exchange that a request begins, before the account takes it in."""
    exchange = account.exchange_of(sent.client_token)
    if exchange is None or exchange.sent is not None:
        return None
    heard = account.heard(sent.execution)
    told = heard.standing[REPLACED]
    exchange.sent, exchange.request, exchange.had_reported = mark, sent, account.reported
    exchange.knew = told is not None and told.answer.n < mark.n
    exchange.licence = 0 if _is_late(account, mark) else heard.licence
    return exchange


def hears(
    account: Testimony, mark: Mark, read: AnswerReceived, record: Record
) -> tuple[Exchange | None, tuple[News, ...]]:
    """The exchange that an answer ends, and what it says of executions, before the account takes it in."""
    exchange = account.exchanges.get(read.client_token)
    if exchange is None or exchange.sent is None:
        return None, ()
    exchange.answer, exchange.read = mark, read
    is_told = record.answers and not (account.has_lost_answers and not exchange.said)
    if is_told and not exchange.believes(read):
        return exchange, ()
    return exchange, tuple(news_in(exchange, account.in_hand))


def take_in(
    account: Testimony, seen: Seen[Any], exchange: Exchange | None, news: tuple[News, ...], limits: Limits
) -> None:
    """Take in the next entry of its own, with its exchange, and with what it says of executions."""
    mark, event = seen
    kind = type(event)
    account.has_taken_leave = False
    if kind is RESTARTS[account.is_wire]:
        if account.last_sign is not None:
            for heard in account.executions.values():
                heard.forget(account.last_sign, JOURNAL_MICROS)
    elif kind is not DeviceDisconnected and kind is not HintReceived:
        account.last_sign = mark.at
    if kind is RequestSent:
        _asked(account, mark, event, exchange)
    elif kind is AnswerReceived:
        _answer(account, mark, event, exchange, news)
    elif (change := CHANGES.get(kind)) is not None:
        change(account, mark, event)
    elif (key := getattr(event, "execution", None)) is not None:
        account.known(key).touched = mark
    if kind is StepStarted and _leaps(event, limits):
        account.known(event.execution).leapt = True
    account.last = mark


def _is_late(account: Testimony, mark: Mark) -> bool:
    return account.last is not None and mark.n < account.last.n


def _asked(account: Testimony, mark: Mark, sent: RequestSent, exchange: Exchange | None) -> None:
    key = sent.execution
    over = account.heard(key).standing[OVER]
    if _is_late(account, mark):
        for each in account.executions.values():
            each.unhear(mark.n)
    if exchange is not None and exchange.received is not None:
        account.offset = account.offset.sent(mark.at, exchange.received.at)
        account.arrived_n = max(account.arrived_n, mark.n)
    account.asked, account.asked_token = mark, sent.client_token
    if key is not None:
        heard = account.known(key)
        heard.touched = mark
        if sent.request == "update":
            heard.updated = True
            heard.succeeded = heard.succeeded or sent.status == Status.SUCCEEDED
            heard.failed = heard.failed or sent.status == Status.FAILED
            if key not in account.reported:
                account.reported = (*account.reported, key)[-HANDS:]
            if account.is_wire:
                heard.told_at_report, heard.change_at_report = over, account.change


def _answer(
    account: Testimony, mark: Mark, read: AnswerReceived, exchange: Exchange | None, news: tuple[News, ...]
) -> None:
    account.is_done(mark.at)
    account.heard_n, account.cleared = mark.n, ()
    if read.execution is not None:
        account.known(read.execution).touched = mark
    if exchange is None or exchange.sent is None:
        account.notes_time(None, mark.at)
        return
    account.notes_time(exchange.sent.at, mark.at)
    if exchange.said:
        account.offset = account.offset.answered(exchange.said[0].mark.at, mark.at)
    account.exchanges = account.exchanges.without(read.client_token)
    account.closed = account.closed.put(read.client_token, exchange.execution if exchange.is_update else None, CLOSED)
    licence = exchange.said[0].mark.n if exchange.said else 0
    for each in news:
        heard = account.known(each.key)
        if not heard.order:
            account.order = heard.order = account.order + 1
        heard.hears(each, licence)
    account.cleared = tuple(each.key for each in news if each.says == "alive" and each.key not in account.at_work)


def _leaps(began: StepStarted, limits: Limits) -> bool:
    """Whether there is no way back from a step."""
    return not began.reversible or (limits.finishes_after_switch and began.step.split()[0] == "switch")


# ── what else a client tells of ───────────────────────────────────────────────────────────────────────────────


def _booted(account: Testimony, mark: Mark, _event: DeviceBooted) -> None:
    account.booted, account.running, account.at_work = mark, (), ()
    for key in account.cleared:
        account.known(key).leapt = True  # it cannot know whether what was about to begin had begun


def _connected(account: Testimony, mark: Mark, _event: DeviceConnected) -> None:
    account.connected, account.change, account.reported = mark, (mark, True), ()


def _disconnected(account: Testimony, mark: Mark, event: DeviceDisconnected) -> None:
    account.change, account.has_taken_leave = (mark, False), event.planned
    account.planned += event.planned


def _hinted(account: Testimony, mark: Mark, event: HintReceived) -> None:
    account.cleared = ()
    account.notes_time(None, mark.at)
    for key in event.listed:
        account.known(key)
    for key, heard in account.executions.items():
        if omits(event, key):
            heard.omitted = mark
    account.hints = account.hints.put(event.namespace_id, mark, HANDS)


def _moved(account: Testimony, mark: Mark, event: PhaseChanged) -> None:
    account.phase, account.phase_mark = event.phase, mark
    if event.execution is not None:
        account.known(event.execution).touched = mark


def _took(account: Testimony, mark: Mark, event: ExecutionTaken) -> None:
    key, heard = event.execution, account.known(event.execution)
    heard.touched, heard.taken, heard.queued_again = mark, mark.n, False
    heard.takings += 1
    if event.digest not in heard.digests:
        heard.digests = (*heard.digests, event.digest)[:2]
    if key not in account.in_hand:
        account.in_hand = (*account.in_hand, key)[-HANDS:]


def _left(account: Testimony, mark: Mark, event: ExecutionLeft) -> None:
    account.known(event.execution).touched = mark
    account.in_hand = tuple(each for each in account.in_hand if each != event.execution)


def _began(account: Testimony, mark: Mark, event: StepStarted) -> None:
    key = event.execution
    account.step = step = (key, event.step)
    account.cleared = tuple(each for each in account.cleared if each != key)
    if key not in account.at_work:
        account.at_work = (*account.at_work, key)[-HANDS:]
    if step not in account.running:
        account.running = (*account.running, step)[-HANDS:]
    account.known(key).touched = mark


def _ended(account: Testimony, mark: Mark, event: StepFinished) -> None:
    key = event.execution
    account.is_done(mark.at)
    account.at_work = tuple(each for each in account.at_work if each != key)
    account.running = tuple(each for each in account.running if each != (key, event.step))
    account.known(key).touched = mark


CHANGES: Final[dict[type, Callable[[Testimony, Mark, Any], None]]] = {
    DeviceBooted: _booted,
    DeviceConnected: _connected,
    DeviceDisconnected: _disconnected,
    HintReceived: _hinted,
    PhaseChanged: _moved,
    ExecutionTaken: _took,
    ExecutionLeft: _left,
    StepStarted: _began,
    StepFinished: _ended,
}
