"""What one client of a thing told of itself, or the wire told of it, as far as it can matter yet: a fold, in its order.

What joins it with the cloud's account is the client token that a request and its answer share; of entries that share
one, the first counts (the rest are redeliveries). An answer is taken in after the cloud has told that it gave it.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceDisconnected,
    HintReceived,
    RequestSent,
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
from simulator.verdict.telling import CHANGES, HANDS, NOTHING, keep, known, put, touch

JOURNAL_MICROS = 1_000_000
"""What a device was told so shortly before it lost its memory may not have been on record yet."""

OPEN: Final = 512
CLOSED: Final = 64
TIMES: Final = 64
"""So many open and closed requests, and exchanges' times, are remembered of a client."""

Forward: TypeAlias = Literal["yes", "if-shared", "no"]
Change: TypeAlias = tuple[Mark, bool]
"""How the connection last changed: whether it is there since."""


@dataclass(slots=True, unsafe_hash=True)
class Testimony(State):
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
        elif (change := CHANGES.get(kind)) is not None:
            change(self, mark, event, new)
        elif (key := getattr(event, "execution", None)) is not None:
            touch(self, new, key, mark)
        if kind is StepStarted and _leaps(event, limits):
            put(self, new, event.execution, leapt=True)
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
            touch(self, new, key, mark)
            if event.request == "update":
                self._updates(key, event.status, heard, new)
        return exchange

    def _updates(self, key: ExecutionKey, status: str | None, heard: Heard, new: dict[str, Any]) -> None:
        if key not in self.reported:
            new["reported"] = (*self.reported, key)[-HANDS:]
        succeeded, failed = status == Status.SUCCEEDED, status == Status.FAILED
        if succeeded or failed or not heard.updated:
            put(self, new, key, updated=True, succeeded=heard.succeeded or succeeded, failed=heard.failed or failed)
        if self.is_wire:
            put(self, new, key, told_at_report=heard.standing[OVER], change_at_report=self.change)

    def _hears(
        self, seen: Seen[AnswerReceived], record: Record, new: dict[str, Any]
    ) -> tuple[Exchange | None, tuple[News, ...]]:
        mark, event = seen
        new["done_at"] = mark.at if self.done_at is None else max(self.done_at, mark.at)
        new["heard_n"] = mark.n
        new["cleared"] = ()
        if event.execution is not None:
            touch(self, new, event.execution, mark)
        exchange = self.exchanges.get(event.client_token)
        if exchange is None or exchange.sent is None:
            self.notes_time(None, mark.at, new)
            return None, ()
        self.notes_time(exchange.sent.at, mark.at, new)
        exchange = exchange._replace(answer=mark, read=event)
        if exchange.said:
            new["offset"] = self.offset.answered(exchange.said[0].mark.at, mark.at)
        new["exchanges"] = self.exchanges.without(event.client_token)
        updated = exchange.execution if exchange.is_update else None
        new["closed"] = self.closed.put(event.client_token, updated, CLOSED)
        is_told = record.answers and not (self.has_lost_answers and not exchange.said)
        if is_told and not exchange.believes(event):
            return exchange, ()
        news = tuple(news_in(exchange, self.in_hand))
        licence = exchange.said[0].mark.n if exchange.said else 0
        for each in news:
            heard = known(self, new, each.key)
            if not heard.order:
                new["order"] = new.get("order", self.order) + 1
                heard = heard._replace(order=new["order"])
            keep(self, new, each.key, heard.hears(each, licence))
        new["cleared"] = tuple(each.key for each in news if each.says == "alive" and each.key not in self.at_work)
        return exchange, news

    def notes_time(self, since: int | None, at: int, new: dict[str, Any]) -> None:
        """Note when it heard something, and since when it had waited for that."""
        if self.is_wire:
            return
        times = (*self.times, (since, at))
        if len(times) > TIMES:
            new["times_since"] = times[0][1]
            times = times[1:]
        new["times"] = times


NO_EXCHANGE: Final = Exchange()
RESTARTS: Final = (DeviceBooted, DeviceConnected)
"""With what a device begins anew; from the wire, a connection may be the first that is seen of one that has."""


def _leaps(began: StepStarted, limits: Limits) -> bool:
    """Whether there is no way back from a step."""
    return not began.reversible or (limits.finishes_after_switch and began.step.split()[0] == "switch")
