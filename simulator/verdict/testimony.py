"""What one client of a thing told of itself, or the wire told of it, as far as it can matter yet: a fold, in its order.

What joins it with the cloud's account is the client token that a request and its answer share; of entries that share
one, the first counts (the rest are redeliveries). An answer is taken in after the cloud has told that it gave it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from agent.values import ExecutionKey
from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict.clocks import UNKNOWN, Offset
from simulator.verdict.exchanges import COPIES, Exchange, Said
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import ENDED, Heard
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import BLANK, NOW, Compared, Past, in_order
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.state import State

OPEN: Final = 512
CLOSED: Final = 64
TIMES: Final = 64
EXECUTIONS: Final = 64
HANDS: Final = 32
"""So much is remembered of a client: open and closed requests, exchanges' times, executions, those in hand."""

Forward: TypeAlias = Literal["yes", "if-shared", "no"]
ConnectionChange: TypeAlias = tuple[Mark, bool]
"""How the connection last changed: whether it is there since."""


NO_EXCHANGE: Final = Exchange()
NOTHING: Final = Heard()


@dataclass(slots=True, unsafe_hash=True)
class Testimony(State):
    """How things stand with a client, after what it has told so far."""

    holds_states = ("exchanges", "executions")

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
    forgotten: int = -1
    """When the latest was queued of the executions that are not remembered; -1: none."""
    ends_forgotten: tuple[int, ...] = (0, 0, 0, 0)
    """How often it had been told that one of those is over."""
    order: int = 0
    last: Mark | None = None
    has_taken_leave: bool = False
    """The last thing it told is that it goes off line as planned."""
    last_sign: int | None = None
    unwritten: bool = False
    """Its journal could not be written, and has not been since."""
    in_hand: tuple[ExecutionKey, ...] = ()
    cleared: tuple[ExecutionKey, ...] = ()
    """Those that the last answer found pending, with no hint and no step since."""
    at_work: tuple[ExecutionKey, ...] = ()
    running: tuple[tuple[ExecutionKey, str], ...] = ()
    step: tuple[ExecutionKey, str] | None = None
    """The step that last began."""
    connected: Mark | None = None
    change: ConnectionChange | None = None
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
        return self.heard(key).touched is not None

    def may_be_forgotten(self, key: ExecutionKey) -> bool:
        """Whether something may have been known of it once."""
        heard = self.executions.get(key)
        return key.queued_at <= self.forgotten if heard is None else heard.is_vague

    def is_shared(self, key: ExecutionKey, record: ThingRecord) -> bool:
        """Whether more than one execution had this identity, as far as either account tells."""
        return record.is_shared(key, len(self.heard(key).digests))

    def forward(self, key: ExecutionKey, record: ThingRecord) -> Forward:
        """Whether a step that begins now belongs to a recovery that can only go on.

        That is so if the device has been told that the execution is over, after a step had begun from which there is
        no way back: an irreversible one, or the switch, if that is its owner's policy.
        """
        heard = self.heard(key)
        if not heard.leapt:
            return "no"
        if heard.over is not None or heard.queued_again or self.is_shared(key, record):
            return "yes"
        return "if-shared"

    # ── what of it can still matter: see `simulator.verdict.past` ─────────────────────────────────────────────────

    def compared(self, reasons: Map[str | None, Mark]) -> Compared:
        """Numbers of its entries: what is known is compared with when that was asked which is still to be answered."""
        known = [n for heard in self.executions.values() for n in heard.compared]
        causes = [mark.n for mark in (self.connected, *reasons.values()) if mark is not None]
        return Compared(self._asked, (*known, *causes))

    @property
    def compared_at_cloud(self) -> Compared:
        """Numbers of the cloud's: what was answered, and what that licensed."""
        exchanges = self.exchanges.values()
        said = (said.mark.n for exchange in exchanges for said in exchange.said)
        asked_with = (exchange.licence for exchange in exchanges)
        return Compared((), (*said, *asked_with, *(heard.licence for heard in self.executions.values())))

    @property
    def _asked(self) -> tuple[int, ...]:
        """When what may yet find an execution pending was asked, or what may be taken after the end of another."""
        sent, ended = [(each, each.sent.n) for each in self.exchanges.values() if each.sent is not None], self.ended
        return tuple(n for each, n in sent if each.may_find or is_after_the_end_of_another(ended, n, each.execution))

    @property
    def updated(self) -> frozenset[ExecutionKey | None]:
        """Those that an update which may yet be answered is meant for."""
        return frozenset(exchange.execution for exchange in self.exchanges.values() if exchange.is_update)

    @property
    def ended(self) -> Map[ExecutionKey, int]:
        """The number of the answer by which it was told of an execution that this has ended."""
        ends = ((key, heard.standing[ENDED] or heard.ended) for key, heard in self.executions.items())
        return Map((key, end.answer.n) for key, end in ends if end is not None)

    @property
    def reasons(self) -> Map[str | None, Mark]:
        """Hints since it connected that came after a question which may yet be answered.

        Of any other it matters only what has been asked since, and of that `essence` keeps whether it was: what is
        asked from now on comes after all hints.
        """
        if not self.hints:
            return EMPTY
        since, asked = self.connected.n if self.connected is not None else 0, min(self._asked, default=None)
        return self.hints.only(lambda _, hint: hint.n >= since and asked is not None and asked < hint.n)

    def _was_asked_since(self, key: ExecutionKey) -> bool:
        """Whether an answer found it pending to a question since the last hint and connection."""
        reasons = [mark.n for mark in (self.hints.get(key.namespace_id), self.connected) if mark is not None]
        return self.heard(key).alive_asked > max(reasons, default=0)

    def essence(self, past: Past, reasons: Map[str | None, Mark]) -> "Testimony":
        """What of it can still matter; of its hints, its `reasons`."""
        hints, connected = reasons, self.connected
        executions = {key: heard.essence(key, past) for key, heard in self.executions.items()}
        for key, heard in executions.items():
            may_go = self._was_asked_since(key) and not (key in past.closed and heard.leapt)  # past it, none is needed
            reason = hints.get(key.namespace_id) or connected
            heard.alive_asked = (1 if reason is None else past.told(reason.n) + 1) if may_go else 0
        return Testimony(
            exchanges=Map([(token, self.exchanges[token].essence(past)) for token in sorted(past.open)]),
            executions=Map([(key, executions[key]) for key in in_order(executions) if executions[key] != NOTHING]),
            last=BLANK,
            last_sign=NOW,
            unwritten=self.unwritten,
            in_hand=in_order(self.in_hand),
            cleared=in_order(self.cleared),
            at_work=in_order(self.at_work),
            running=tuple(sorted(self.running, key=repr)) if len(self.running) > 1 else self.running,
            step=self.step and (self.step[0], ""),
            connected=connected and past.mark(connected),
            hints=Map([(name, past.mark(hints[name])) for name in sorted(hints, key=str)]) if hints else EMPTY,
            phase=self.phase if self.phase in ("idle", "safe") else None,
            done_at=NOW,
        )

    def renamed(self, names: Mapping[str, str]) -> "Testimony":
        """An essence with other names for tokens."""
        called = sorted((names.get(token, token), token) for token in self.exchanges)
        return self.twin().becomes(exchanges=Map((name, self.exchanges[token].renamed(name)) for name, token in called))

    # ── what the cloud tells of its requests ──────────────────────────────────────────────────────────────────

    def received(self, token: str | None, seen: Seen[RequestReceived]) -> Exchange | None:
        """A request arrived."""
        if token is None:
            self.untold += 1
            return None
        exchange = self.exchange_of(token)
        if exchange is None:
            return None
        exchange.arrivals += 1
        if exchange.received is None:
            exchange.received = seen.mark
            if exchange.sent is not None:
                self.offset = self.offset.sent(exchange.sent.at, seen.mark.at)
                self.arrived_n = max(self.arrived_n, exchange.sent.n)
        return exchange

    def answered(self, token: str | None, seen: Seen[RequestAnswered]) -> Exchange | None:
        """The service answered."""
        exchange = None if token is None else self.exchange_of(token)
        if exchange is not None and len(exchange.said) < COPIES:
            exchange.said = (*exchange.said, Said.by(seen))
        return exchange

    def exchange_of(self, token: str) -> Exchange | None:
        """The one with this token, be it the first that is heard of it; None if it is over."""
        exchange = self.exchanges.get(token)
        if exchange is None and token not in self.closed:
            if len(self.exchanges) == OPEN:
                gone = next(iter(self.exchanges.values()))
                self.untold += gone.sent is None and gone.arrivals > 0
                self.has_lost_answers = self.has_lost_answers or bool(gone.said)
            exchange = Exchange()
            self.exchanges = self.exchanges.put(token, exchange, OPEN)
        return exchange

    # ── what it tells itself ──────────────────────────────────────────────────────────────────────────────────

    def is_done(self, at: int) -> None:
        """Note that a step or question came to an end."""
        self.done_at = at if self.done_at is None else max(self.done_at, at)

    def notes_time(self, since: int | None, at: int) -> None:
        """Note when it heard something, and since when it had waited for that."""
        if self.is_wire:
            return
        times = (*self.times, (since, at))
        if len(times) > TIMES:
            self.times_since = times[0][1]
            times = times[1:]
        self.times = times

    # ── what it knows of executions ───────────────────────────────────────────────────────────────────────────

    def known(self, key: ExecutionKey) -> Heard:
        """What is known of an execution, to be added to; whatever was heard before it was known did not name it.

        Of too many, the oldest is forgotten that is not in hand.
        """
        heard = self.executions.get(key)
        if heard is None:
            heard = Heard(omitted=self.hints.get(key.namespace_id), is_vague=key.queued_at <= self.forgotten)
            self.executions = executions = self.executions.put(key, heard)
            if len(executions) > EXECUTIONS:
                gone = next((each for each in executions if each not in self.in_hand), next(iter(executions)))
                ends = zip(self.ends_forgotten, executions[gone].ends, strict=True)
                self.forgotten, self.ends_forgotten = max(self.forgotten, gone.queued_at), tuple(map(sum, ends))
                self.executions = executions.without(gone)
        return heard


def is_after_the_end_of_another(ended: Map[ExecutionKey, int], n: int, key: ExecutionKey | None) -> bool:
    """Whether an entry of that number came after the client was told that another execution has ended than `key`."""
    return any(other != key and n > end for other, end in ended.items())
