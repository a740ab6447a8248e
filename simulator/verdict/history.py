"""What is known of one thing: its own account, the cloud's account of it, and what follows from both.

Each account keeps its own order, and nothing here depends on how the two interleave. What joins them is the client
token that a request and its answer share; of entries that share one, the first counts (the rest are redeliveries).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

from agent.account import (
    AnswerReceived,
    RequestSent,
    StepProgressed,
)
from agent.values import ExecutionKey, Status
from simulator.trace import (
    CLOUD,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
    device_source,
)

E_co = TypeVar("E_co", covariant=True)
E = TypeVar("E")

UNJUDGED = (StepProgressed,)
"""What no invariant and no place reads, and by far the most numerous: not worth keeping."""

TIMER_SLACK = 5_000
"""Microseconds that a wait may be short of its bound: event loops count in whole milliseconds."""


def micros(seconds: float) -> int:
    """Whole microseconds: what a trace file keeps, and what adds and compares without rounding."""
    return round(seconds * 1_000_000)


class Seen(NamedTuple, Generic[E_co]):
    """An entry of a trace; `at` is in microseconds on its source's clock, `n` orders it within its source.

    What was inferred from another entry has an order of its own; then `shown_by` is the number of that entry.
    """

    source: str
    n: int
    at: int
    event: E_co
    shown_by: int | None = None

    @property
    def id(self) -> str:
        """The id of the trace entry."""
        return f"{self.source}#{self.n if self.shown_by is None else self.shown_by}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What befell an execution in a namespace of others, who live on the same thing."""

    event: Any


class Account:
    """What one source told of one thing, in its own order, and again by kind of event."""

    __slots__ = ("_by_kind", "seen")

    def __init__(self) -> None:
        self.seen: list[Seen[Any]] = []
        self._by_kind: dict[type, list[Seen[Any]]] = {}

    def add(self, seen: Seen[Any]) -> None:
        """Take in the next entry."""
        self.seen.append(seen)
        self._by_kind.setdefault(type(seen.event), []).append(seen)

    def of(self, kind: type[E]) -> Sequence[Seen[E]]:
        """All entries with that kind of event."""
        return self._by_kind.get(kind, ())


@dataclass(slots=True)
class Exchange:
    """A request and what became of it, on both sides; None for what was not seen (or not yet).

    `answered` is the first that the service said to it, `repeated` what it said to copies of it.
    """

    sent: Seen[RequestSent]
    received: Seen[RequestReceived] | None = None
    answered: Seen[RequestAnswered] | None = None
    answer: Seen[AnswerReceived] | None = None
    repeated: list[Seen[RequestAnswered]] = field(default_factory=list)

    @property
    def is_believable(self) -> bool:
        """Whether the service said what the device says that it was told."""
        if self.answer is None:
            return False
        read = self.answer.event
        said = (each.event for each in (self.answered, *self.repeated) if each is not None)
        return any(
            each.accepted == read.accepted and (read.execution is None or read.execution == each.execution)
            for each in said
        )


@dataclass(slots=True)
class Life:
    """One incarnation of a job on a thing, from the cloud's account: from its queueing to its removal.

    Unlike its key, which counts seconds, it is never mistaken for another. `began` is its first IN_PROGRESS, `ended`
    its terminal status or its removal, whichever came first.
    """

    key: ExecutionKey
    queued: Seen[ExecutionQueued] | None = None
    began: Seen[ExecutionChanged] | None = None
    ended: Seen[ExecutionChanged] | Seen[ExecutionRemoved] | None = None
    removed: Seen[ExecutionRemoved] | None = None

    @property
    def lost_in_progress(self) -> bool:
        """Whether the record was removed after the device had begun and before its report: what makes ghosts."""
        return self.removed is not None and self.removed.event.status == Status.IN_PROGRESS


def share_of(thing: Account, connections: Account, namespace_id: str | None) -> Account:
    """What concerns one of several agents on a thing: its namespace, its connections, the others' queue from afar."""
    share, tokens = Account(), set[str | None]()
    answers: dict[int, int] = {}
    asked = answered = 0
    kept = (seen for seen in thing.seen if not isinstance(seen.event, ClientConnected | ClientDisconnected))
    mine = (*connections.of(ClientConnected), *connections.of(ClientDisconnected))
    for seen in sorted((*mine, *kept), key=_number):
        match seen.event:
            case RequestReceived(namespace_id=ns, client_token=token):
                if ns == namespace_id:
                    tokens.add(token)
                    share.add(seen)
            case RequestAnswered(client_token=token):
                asked += 1
                if token in tokens:
                    answered += 1
                    answers[asked] = answered
                    share.add(seen)
            case AnswerDelivered(number=number):
                if number in answers:
                    share.add(seen._replace(event=replace(seen.event, number=answers[number])))
            case ExecutionQueued() | ExecutionChanged() | ExecutionRemoved() as event:
                ours = event.execution.namespace_id == namespace_id
                share.add(seen if ours else seen._replace(event=Elsewhere(event)))
            case _:
                share.add(seen)
    return share


def _number(seen: Seen[Any]) -> int:
    return seen.n


class History:
    """One thing's two accounts, as they come in."""

    __slots__ = ("cloud", "device", "thing")

    def __init__(self, thing: str) -> None:
        self.thing = thing
        self.device = Account()
        self.cloud = Account()


def thing_of(entry: Entry) -> str | None:
    """The thing that an entry tells of; None for what concerns a job or the run."""
    if entry.source == CLOUD:
        return getattr(entry.event, "thing", None)
    prefix = device_source("")
    return entry.source.removeprefix(prefix) if entry.source.startswith(prefix) else None
