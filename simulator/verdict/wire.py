"""A device that gives no account of itself, told in the words of such an account, from what the wire shows.

The service sees requests arrive and answers go; what the device made of them has to be inferred, and wherever two
explanations are left, the one that does not accuse it is taken:

    request.received     it sent that, once, however many copies came. An update or a describe is meant for the latest
                         incarnation of its job id that any answer or notification could have told this client of.
    answer.delivered     it processed the answer, if that came soon, on the connection on which it had asked, and before
                         it asked anything else: devices may drop what they no longer await. With QoS 0, which proves
                         nothing, only if the device then said nothing for longer than any round trip takes.
    client.connected     it may have lost its memory: what it had been told just before may be forgotten.
    hint.published       it may have heard it, if it was connected, or went on with its session afterwards.
    statusDetails.step   (our own convention) a step that is named for the first time began after the report before.

All times are the cloud's. Where entries are pointed at, they are the cloud's, too.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias, cast

from agent.account import (
    AnswerReceived,
    DeviceConnected,
    DeviceDisconnected,
    DeviceEvent,
    HintReceived,
    RequestSent,
    StepStarted,
)
from agent.values import NEXT, ExecutionKey
from simulator.trace import (
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ExecutionQueued,
    HintPublished,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.history import Account, Exchange, Seen, micros
from simulator.verdict.stalls import Stalls

SOON_MICROS: Final = 1_000_000
"""Whoever waits for an answer waits at least so long; one that comes later may be too late to be awaited."""
ROUND_TRIP_MICROS: Final = 2_000_000
"""Longer than any message takes to and fro."""

STEP: Final = "step"
"""The key of statusDetails under which our own agents, and whoever follows them, say at which step they are."""

Job: TypeAlias = tuple[str | None, str]


class Inferred(NamedTuple):
    """An account and its requests by client token (or by one made up, for those that have none)."""

    account: Account
    exchanges: dict[str, Exchange]


class _Place(NamedTuple):
    """Where an inferred event belongs: `position` counts the cloud's entries, with room between any two."""

    position: float
    at: int
    event: DeviceEvent
    entry: int


@dataclass(slots=True)
class _Question:
    """A request, where it was sent, and its answers: the first, and those to copies of it."""

    sent: RequestSent
    received: Seen[RequestReceived]
    position: float
    answered: Seen[RequestAnswered] | None = None
    repeated: list[Seen[RequestAnswered]] = field(default_factory=list)


Client: TypeAlias = frozenset[str | None]
"""An MQTT client, by the names that it has in the trace."""


def clients_of(thing: str, cloud: Account) -> tuple[Client, ...]:
    """The MQTT clients that asked about a thing, first its own."""
    own: Client = frozenset({None, thing})
    others = dict.fromkeys(seen.event.client for seen in cloud.of(RequestReceived))
    return (own, *(frozenset({client}) for client in others if client not in own))


def inferred(cloud: Account, client: Client, stalls: Stalls | None = None) -> Inferred:
    """What one client of a thing must have done and heard; `stalls` is when the cloud's process did not run."""
    reader = _Reader(cloud, client, stalls or Stalls())
    places = sorted(reader.read(), key=lambda place: place.position)
    account, exchanges = Account(), {}
    for number, place in enumerate(places, 1):
        seen = Seen("cloud", number, place.at, place.event, place.entry)
        account.add(cast("Seen[Any]", seen))
        if isinstance(place.event, RequestSent):
            question = reader.questions[place.event.client_token]
            exchanges[place.event.client_token] = Exchange(
                cast("Seen[RequestSent]", seen), question.received, question.answered, repeated=question.repeated
            )
        elif isinstance(place.event, AnswerReceived):
            exchanges[place.event.client_token].answer = cast("Seen[AnswerReceived]", seen)
    return Inferred(account, exchanges)


class _Reader:
    """Goes through the cloud's account once."""

    def __init__(self, cloud: Account, client: Client, stalls: Stalls) -> None:
        self._cloud = cloud
        self._stalls = stalls
        self._client = client
        self.questions: dict[str, _Question] = {}
        self._times = [seen.at for seen in cloud.seen]
        self._connections: list[int] = []
        self._latest: dict[Job, ExecutionKey] = {}
        self._known: dict[Job, ExecutionKey] = {}
        self._is_own = None in client
        is_seen = self._is_own and bool(cloud.of(ClientConnected))
        self._unheard: list[ExecutionKey] | None = [] if is_seen else None
        self._steps: dict[ExecutionKey, set[str]] = {}
        self._reports: dict[ExecutionKey, _Question] = {}

    def read(self) -> Iterator[_Place]:
        """Every event that can be inferred; sorted by position they are in order."""
        answers: list[tuple[Seen[RequestAnswered], _Question | None]] = []
        deliveries: list[tuple[int, Seen[AnswerDelivered]]] = []
        asking: _Question | None = None
        for index, seen in enumerate(self._cloud.seen):
            match seen.event:
                case ClientConnected() | ClientDisconnected() as event if self._is_own:
                    self._connections.append(index)
                    yield _Place(index, seen.at, self._connection(event), seen.n)
                case ExecutionQueued(execution=key):
                    self._latest[key.namespace_id, key.job_id] = key
                case HintPublished(hint=hint, namespace_id=namespace_id, listed=listed):
                    self._hint(listed)
                    yield _Place(index, seen.at, HintReceived(hint, namespace_id, listed), seen.n)
                case RequestReceived(client=client):
                    asking = (
                        self._question(cast("Seen[RequestReceived]", seen), index) if client in self._client else None
                    )
                    if asking is not None and asking.received is seen:
                        yield _Place(asking.position, seen.at, asking.sent, seen.n)
                        yield from self._step_in(asking)
                case RequestAnswered():
                    answers.append((cast("Seen[RequestAnswered]", seen), asking))
                    self._answer(*answers[-1])
                case AnswerDelivered():
                    deliveries.append((index, cast("Seen[AnswerDelivered]", seen)))
                case _:
                    pass
        heard: set[str] = set()
        for index, delivered in deliveries:
            answer, question = (
                answers[delivered.event.number - 1] if delivered.event.number <= len(answers) else (None, None)
            )
            if answer is not None and question is not None and question.sent.client_token not in heard:
                for place in self._heard(question, answer, delivered, index):
                    heard.add(question.sent.client_token)
                    yield place

    def _connection(self, event: ClientConnected | ClientDisconnected) -> DeviceConnected | DeviceDisconnected:
        """A device that is off line hears nothing, unless it goes on with its session."""
        if isinstance(event, ClientDisconnected):
            self._unheard = []
            return DeviceDisconnected(event.reason)
        if event.session_present:
            self._learn(*(self._unheard or ()))
        self._unheard = None
        return DeviceConnected(event.session_present)

    def _hint(self, listed: tuple[ExecutionKey, ...]) -> None:
        if self._unheard is None:
            self._learn(*listed)
        else:
            self._unheard += listed

    def _learn(self, *keys: ExecutionKey) -> None:
        for key in keys:
            self._known[key.namespace_id, key.job_id] = key

    def _question(self, received: Seen[RequestReceived], index: int) -> _Question:
        """The question that a request puts; if it is a copy, the one that it is a copy of."""
        event = received.event
        token = event.client_token or f"#{received.n}"
        if (known := self.questions.get(token)) is not None:
            return known
        if event.client_token is None and event.dup and self.questions:
            return list(self.questions.values())[-1]
        job = (event.namespace_id, event.job_id or NEXT)
        sent = RequestSent(
            token,
            event.request,
            event.namespace_id,
            event.job_id,
            self._known.get(job, self._latest.get(job)),
            event.status,
            event.expected_version,
            tuple(sorted(event.details.items())) if event.details else None,
        )
        position = float(index)
        if event.late_seconds:
            position = bisect_left(self._times, received.at - micros(event.late_seconds)) - 0.5
        question = self.questions[token] = _Question(sent, received, position)
        return question

    def _answer(self, answer: Seen[RequestAnswered], question: _Question | None) -> None:
        """Note what the service said, and what the client may know by that."""
        if question is None:
            return
        if question.answered is None:
            question.answered = answer
        else:
            question.repeated.append(answer)
        match answer.event:
            case RequestAnswered(request="get-pending", accepted=True):
                self._learn(*self._latest.values())
            case RequestAnswered(request="describe" | "start-next", execution=key) if key is not None:
                self._learn(key)
            case _:
                pass

    def _heard(
        self, question: _Question, answer: Seen[RequestAnswered], delivered: Seen[AnswerDelivered], index: int
    ) -> Iterator[_Place]:
        """The answer, where it has certainly been processed."""
        position = float(index)
        if not delivered.event.acknowledged:
            over = float(delivered.at + ROUND_TRIP_MICROS)
            over += self._stalls.lost(delivered.at, over)  # what had long been sent may have waited to be read
            position = bisect_left(self._times, over) - 0.5
        began = question.position
        superseded = any(began < other.position < position for other in self.questions.values())
        reconnected = any(began < connection < position for connection in self._connections)
        if superseded or reconnected or delivered.at - answer.at > SOON_MICROS:
            return
        told = answer.event
        found = None if told.request == "update" else told.execution
        event = AnswerReceived(question.sent.client_token, told.accepted, told.code, told.status, found)
        yield _Place(position, delivered.at, event, answer.n)

    def _step_in(self, asking: _Question) -> Iterator[_Place]:
        """A step that this report is the first to name, if there was a report before."""
        sent, key = asking.sent, asking.sent.execution
        if sent.request != "update" or key is None:
            return
        before, self._reports[key] = self._reports.get(key), asking
        named = self._steps.setdefault(key, set())
        step = dict(sent.details or ()).get(STEP)
        if step is None or step in named:
            return
        named.add(step)
        if before is not None:
            began = StepStarted(key, step, reversible=True)
            yield _Place(before.position + 0.25, before.received.at, began, asking.received.n)
