"""What one client of a thing told of itself, or the wire told of it, as far as it can matter yet: a fold, in its order.

What joins it with the cloud's account is the client token that a request and its answer share; of entries that share
one, the first counts (the rest are redeliveries). An answer is taken in after the cloud has told that it gave it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from agent.account import (
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
from agent.values import ExecutionKey, Status
from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict.clocks import UNKNOWN, Offset
from simulator.verdict.exchanges import COPIES, Exchange, Said
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import OVER, REPLACED, Heard, News, news_in
from simulator.verdict.limits import Limits
from simulator.verdict.lives import Record
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.state import State

JOURNAL_MICROS = 1_000_000
"""What a device was told so shortly before it lost its memory may not have been on record yet."""

OPEN: Final = 512
CLOSED: Final = 64
EXECUTIONS: Final = 64
TIMES: Final = 64
HANDS: Final = 32
"""So many open and closed requests, executions, exchanges' times, and executions in hand are remembered of a client."""

Forward: TypeAlias = Literal["yes", "if-shared", "no"]
Change: TypeAlias = tuple[Mark, bool]
"""How the connection last changed: whether it is there since."""


@dataclass(slots=True, unsafe_hash=True)
class Account(State):
    """How things stand with a client, after what it has told so far."""

    is_wire: bool = False
    exchanges: Map[str, Exchange] = EMPTY
    """The requests of which something may yet be heard, by their tokens."""
    closed: Map[str, ExecutionKey | None] = EMPTY
    """The last that were answered, with the execution that they updated."""
    untold: int = 0
    """Requests that the cloud received, and the client has certainly not told of."""
    has_lost_answers: bool = False
    """The service answered requests that are not remembered."""
    offset: Offset = UNKNOWN
    executions: Map[ExecutionKey, Heard] = EMPTY
    touched: Map[ExecutionKey, Mark] = EMPTY
    """The last entry about each."""
    forgotten: int = -1
    """When the latest was queued of the executions that are not remembered; -1: none."""
    ends_forgotten: tuple[int, ...] = (0, 0, 0, 0)
    """How often it had been told that one of those is over."""
    order: int = 0
    last: Mark | None = None
    has_taken_leave: bool = False
    """The last thing it told is that it goes off line as planned."""
    last_sign: int | None = None
    in_hand: tuple[ExecutionKey, ...] = ()
    cleared: tuple[ExecutionKey, ...] = ()
    """Those that the last answer found pending, with no hint and no step since."""
    at_work: tuple[ExecutionKey, ...] = ()
    running: tuple[tuple[ExecutionKey, str], ...] = ()
    step: tuple[ExecutionKey, str] | None = None
    """The step that last began."""
    connected: Mark | None = None
    change: Change | None = None
    hints: Map[str | None, Mark] = EMPTY
    phase: str | None = None
    phase_mark: Mark | None = None
    booted: Mark | None = None
    done_at: int | None = None
    """When the last step or question came to an end."""
    asked: Mark | None = None
    asked_token: str = ""
    reported: tuple[ExecutionKey, ...] = ()
    """Those that it has sent updates for since it connected."""
    heard_n: int = 0
    """The number of the last answer."""
    arrived_n: int = 0
    """The number of the last request that is known to have arrived."""
    planned: int = 0
    """How many disconnections it had planned."""
    times: tuple[tuple[int | None, int], ...] = ()
    """When it last heard something; and, if that was an answer, since when it had waited for that."""
    times_since: float = float("-inf")
    """From when on that is all."""

    @property
    def tells_all(self) -> bool:
        """Whether the device told of every request of its thing."""
        return not self.untold and all(each.sent is not None or not each.arrivals for each in self.exchanges.values())

    def heard(self, key: ExecutionKey | None) -> Heard:
        """What it has heard of an execution."""
        return NOTHING if key is None else self.executions.get(key, NOTHING)

    def concerns(self, key: ExecutionKey) -> bool:
        """Whether the device has given any account of this execution: another client of the thing may have taken it."""
        return key in self.touched

    def may_be_forgotten(self, key: ExecutionKey) -> bool:
        """Whether something may have been known of it once."""
        heard = self.executions.get(key)
        return key.queued_at <= self.forgotten if heard is None else heard.is_vague

    def forward(self, key: ExecutionKey, record: Record) -> Forward:
        """Whether a step that begins now belongs to a recovery that can only go on.

        That is so if the device has been told that the execution is over, after a step had begun from which there is
        no way back: an irreversible one, or the switch, if that is its owner's policy.
        """
        heard = self.heard(key)
        if not heard.leapt:
            return "no"
        if heard.over is not None or heard.queued_again or record.is_shared(key, len(heard.digests)):
            return "yes"
        return "if-shared"

    # ── what the cloud tells of its requests ──────────────────────────────────────────────────────────────────

    def received(self, token: str | None, seen: Seen[RequestReceived]) -> Exchange | None:
        """A request arrived."""
        if token is None:
            self.untold += 1
            return None
        exchange = self.exchanges.get(token)
        if exchange is None:
            if token in self.closed:
                return None
            exchange = NO_EXCHANGE
        exchange = exchange._replace(arrivals=exchange.arrivals + 1)
        if exchange.received is None:
            exchange = exchange._replace(received=seen.mark)
            if exchange.sent is not None:
                self.offset = self.offset.sent(exchange.sent.at, seen.mark.at)
                self.arrived_n = max(self.arrived_n, exchange.sent.n)
        self._notes(token, exchange)
        return exchange

    def answered(self, token: str | None, seen: Seen[RequestAnswered]) -> Exchange | None:
        """The service answered."""
        if token is None or (token in self.closed and token not in self.exchanges):
            return None
        exchange = self.exchanges.get(token, NO_EXCHANGE)
        exchange = exchange._replace(said=(*exchange.said, Said.by(seen))[:COPIES])
        self._notes(token, exchange)
        return exchange

    def _notes(self, token: str, exchange: Exchange) -> None:
        self.exchanges = self._capped(self.exchanges.put(token, exchange))

    def _capped(self, exchanges: Map[str, Exchange]) -> Map[str, Exchange]:
        if len(exchanges) <= OPEN:
            return exchanges
        gone = next(iter(exchanges.values()))
        self.untold += gone.sent is None and gone.arrivals > 0
        self.has_lost_answers = self.has_lost_answers or bool(gone.said)
        return exchanges.at_most(OPEN)

    # ── what it tells itself ──────────────────────────────────────────────────────────────────────────────────

    def told(
        self, seen: Seen[Any], record: Record, limits: Limits
    ) -> "tuple[dict[str, Any], Exchange | None, tuple[News, ...]]":
        """What changes by the next entry of its own, its exchange, and what it says of executions."""
        mark, event = seen
        kind = type(event)
        new: dict[str, Any] = {"last": mark, "has_taken_leave": False}
        if kind is RESTARTS[self.is_wire]:
            if self.last_sign is not None:
                new["executions"] = self._forgetful(self.last_sign)
        elif kind is not DeviceDisconnected and kind is not HintReceived:
            new["last_sign"] = mark.at
        exchange: Exchange | None = None
        news: tuple[News, ...] = ()
        if kind is RequestSent:
            exchange = self._asks(seen, new)
        elif kind is AnswerReceived:
            exchange, news = self._hears(seen, record, new)
        elif (change := _CHANGES.get(kind)) is not None:
            change(self, mark, event, new)
        elif (key := getattr(event, "execution", None)) is not None:
            _touch(self, new, key, mark)
        if kind is StepStarted and _leaps(event, limits):
            _put(self, new, event.execution, leapt=True)
        return new, exchange, news

    def _forgetful(self, died_at: int) -> Map[ExecutionKey, Heard]:
        executions = self.executions
        for key, heard in executions.items():
            if (forgetful := heard.forgets(died_at, JOURNAL_MICROS)) is not heard:
                executions = executions.put(key, forgetful)
        return executions

    def _asks(self, seen: Seen[RequestSent], new: dict[str, Any]) -> Exchange | None:
        mark, event = seen
        key, token = event.execution, event.client_token
        if is_late := self.last is not None and mark.n < self.last.n:
            new["executions"] = Map((each, heard.unheard(mark.n)) for each, heard in self.executions.items())
        heard, exchange = self.heard(key), None
        told = heard.standing[REPLACED]
        if token not in self.closed and (known := self.exchanges.get(token, NO_EXCHANGE)).sent is None:
            exchange = known._replace(
                sent=mark,
                request=event,
                knew=told is not None and told.answer.n < mark.n,
                licence=0 if is_late else heard.licence,
                had_reported=self.reported,
            )
            new["exchanges"] = self._capped(self.exchanges.put(token, exchange))
            if exchange.received is not None:
                new["offset"] = self.offset.sent(mark.at, exchange.received.at)
                new["arrived_n"] = max(self.arrived_n, mark.n)
        new.update(asked=mark, asked_token=token)
        if key is not None:
            _touch(self, new, key, mark)
            if event.request == "update":
                self._updates(key, event.status, heard, new)
        return exchange

    def _updates(self, key: ExecutionKey, status: str | None, heard: Heard, new: dict[str, Any]) -> None:
        if key not in self.reported:
            new["reported"] = (*self.reported, key)[-HANDS:]
        succeeded, failed = status == Status.SUCCEEDED, status == Status.FAILED
        if succeeded or failed or not heard.updated:
            _put(self, new, key, updated=True, succeeded=heard.succeeded or succeeded, failed=heard.failed or failed)
        if self.is_wire:
            _put(self, new, key, told_at_report=heard.standing[OVER], change_at_report=self.change)

    def _hears(
        self, seen: Seen[AnswerReceived], record: Record, new: dict[str, Any]
    ) -> tuple[Exchange | None, tuple[News, ...]]:
        mark, event = seen
        new["done_at"] = mark.at if self.done_at is None else max(self.done_at, mark.at)
        new["heard_n"] = mark.n
        new["cleared"] = ()
        if event.execution is not None:
            _touch(self, new, event.execution, mark)
        exchange = self.exchanges.get(event.client_token)
        if exchange is None or exchange.sent is None:
            self._notes_time(None, mark.at, new)
            return None, ()
        self._notes_time(exchange.sent.at, mark.at, new)
        exchange = exchange._replace(answer=mark, read=event)
        if exchange.said:
            new["offset"] = self.offset.answered(exchange.said[0].mark.at, mark.at)
        new["exchanges"] = self.exchanges.without(event.client_token)
        updated = exchange.execution if exchange.is_update else None
        new["closed"] = self.closed.put(event.client_token, updated).at_most(CLOSED)
        is_told = record.answers and not (self.has_lost_answers and not exchange.said)
        if is_told and not exchange.believes(event):
            return exchange, ()
        news = tuple(news_in(exchange, self.in_hand))
        licence = exchange.said[0].mark.n if exchange.said else 0
        for each in news:
            heard = _known(self, new, each.key)
            if not heard.order:
                new["order"] = new.get("order", self.order) + 1
                heard = heard._replace(order=new["order"])
            _keep(self, new, each.key, heard.hears(each, licence))
        new["cleared"] = tuple(each.key for each in news if each.says == "alive" and each.key not in self.at_work)
        return exchange, news

    def _notes_time(self, since: int | None, at: int, new: dict[str, Any]) -> None:
        if self.is_wire:
            return
        times = (*self.times, (since, at))
        if len(times) > TIMES:
            new["times_since"] = times[0][1]
            times = times[1:]
        new["times"] = times


NOTHING: Final = Heard()
NO_EXCHANGE: Final = Exchange()
RESTARTS: Final = (DeviceBooted, DeviceConnected)
"""With what a device begins anew; from the wire, a connection may be the first that is seen of one that has."""


def _leaps(began: StepStarted, limits: Limits) -> bool:
    """Whether there is no way back from a step."""
    return not began.reversible or (limits.finishes_after_switch and began.step.split()[0] == "switch")


def _put(account: Account, new: dict[str, Any], key: ExecutionKey, **more: Any) -> None:
    """Note something of an execution."""
    _keep(account, new, key, _known(account, new, key)._replace(**more))


def _touch(account: Account, new: dict[str, Any], key: ExecutionKey, mark: Mark) -> None:
    """Note that something was told of an execution."""
    new["touched"] = account.touched.put(key, mark).at_most(EXECUTIONS)
    if key not in account.executions:
        _put(account, new, key)


def _known(account: Account, new: dict[str, Any], key: ExecutionKey) -> Heard:
    """What is known of an execution; whatever was heard before it was known did not name it."""
    heard: Heard | None = (new.get("executions") or account.executions).get(key)
    if heard is not None:
        return heard
    return NOTHING._replace(omitted=account.hints.get(key.namespace_id), is_vague=key.queued_at <= account.forgotten)


def _keep(account: Account, new: dict[str, Any], key: ExecutionKey, heard: Heard) -> None:
    executions = (new.get("executions") or account.executions).put(key, heard)
    if len(executions) > EXECUTIONS:
        kept = executions.at_most(EXECUTIONS, lambda key, _: key not in account.in_hand)
        (gone,) = (each for each in executions if each not in kept)
        ends = executions[gone].ends
        new["forgotten"] = max(account.forgotten, gone.queued_at)
        new["ends_forgotten"] = tuple(map(sum, zip(account.ends_forgotten, ends, strict=True)))
        executions = kept
    new["executions"] = executions


def _booted(account: Account, mark: Mark, event: DeviceBooted, new: dict[str, Any]) -> None:
    new.update(booted=mark, running=(), at_work=())
    for key in account.cleared:
        _put(account, new, key, leapt=True)  # it cannot know whether what was about to begin had begun


def _connected(account: Account, mark: Mark, event: DeviceConnected, new: dict[str, Any]) -> None:
    new.update(connected=mark, change=(mark, True), reported=())


def _disconnected(account: Account, mark: Mark, event: DeviceDisconnected, new: dict[str, Any]) -> None:
    new.update(change=(mark, False), has_taken_leave=event.planned, planned=account.planned + event.planned)


def _hinted(account: Account, mark: Mark, event: HintReceived, new: dict[str, Any]) -> None:
    new["cleared"] = ()
    account._notes_time(None, mark.at, new)
    executions = account.executions
    for key in event.listed:
        if key not in executions:
            _put(account, new, key)
    for key, heard in executions.items():
        if key.namespace_id == event.namespace_id and key not in event.listed:
            executions = (new.get("executions") or executions).put(key, heard._replace(omitted=mark))
            new["executions"] = executions
    new["hints"] = account.hints.put(event.namespace_id, mark).at_most(HANDS)


def _moved(account: Account, mark: Mark, event: PhaseChanged, new: dict[str, Any]) -> None:
    new.update(phase=event.phase, phase_mark=mark)
    if event.execution is not None:
        _touch(account, new, event.execution, mark)


def _took(account: Account, mark: Mark, event: ExecutionTaken, new: dict[str, Any]) -> None:
    key, heard = event.execution, account.heard(event.execution)
    digests = heard.digests if event.digest in heard.digests else (*heard.digests, event.digest)[:2]
    _touch(account, new, key, mark)
    _put(account, new, key, taken=mark.n, takings=heard.takings + 1, digests=digests, queued_again=False)
    if key not in account.in_hand:
        new["in_hand"] = (*account.in_hand, key)[-HANDS:]


def _left(account: Account, mark: Mark, event: ExecutionLeft, new: dict[str, Any]) -> None:
    key = event.execution
    _touch(account, new, key, mark)
    new["in_hand"] = tuple(each for each in account.in_hand if each != key)


def _began(account: Account, mark: Mark, event: StepStarted, new: dict[str, Any]) -> None:
    key = event.execution
    new.update(
        step=(key, event.step),
        cleared=tuple(each for each in account.cleared if each != key),
        at_work=account.at_work if key in account.at_work else (*account.at_work, key)[-HANDS:],
    )
    if (key, event.step) not in account.running:
        new["running"] = (*account.running, (key, event.step))[-HANDS:]
    _touch(account, new, key, mark)


def _ended(account: Account, mark: Mark, event: StepFinished, new: dict[str, Any]) -> None:
    key = event.execution
    new.update(
        done_at=mark.at if account.done_at is None else max(account.done_at, mark.at),
        at_work=tuple(each for each in account.at_work if each != key),
        running=tuple(each for each in account.running if each != (key, event.step)),
    )
    _touch(account, new, key, mark)


_CHANGES: Final[dict[type, Callable[[Account, Mark, Any, dict[str, Any]], None]]] = {
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
