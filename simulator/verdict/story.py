"""What follows from the two accounts of one thing, worked out once for all who judge it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, cast

from agent.account import (
    AnswerReceived,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    PhaseChanged,
    RequestSent,
    StepStarted,
)
from agent.values import ErrorCode, ExecutionKey, Status
from simulator.trace import ExecutionChanged, ExecutionQueued, ExecutionRemoved, RequestAnswered, RequestReceived
from simulator.verdict.clocks import Offset, offset_of
from simulator.verdict.history import Account, Exchange, Life, Seen
from simulator.verdict.queueing import Recovery, connected_spans, recoveries

ENDED_WITHOUT_US = frozenset({Status.CANCELED, Status.TIMED_OUT, Status.REMOVED})


Says: TypeAlias = Literal["gone", "reported", "terminal", "superseded", "alive"]


class News(NamedTuple):
    """What an answer that the device processed says with authority about an execution.

    gone: it is not there, ended without the device, or the job id names a later incarnation;
    reported: it has a terminal status that only a device sets, this one's own report or another hand's;
    terminal: it is in some terminal state, which may be the one that the device itself reported;
    superseded: the head of the queue is a later incarnation of the same job;
    alive: it is there, and pending.
    """

    says: Says
    sent: Seen[RequestSent]
    answer: Seen[AnswerReceived]


@dataclass(frozen=True)
class Story:
    """A history with what follows from it, worked out once for all who judge it."""

    thing: str
    device: Account
    cloud: Account
    _news: dict[ExecutionKey, list[News]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for key, news in self._read_answers():
            self._news.setdefault(key, []).append(news)

    @cached_property
    def exchanges(self) -> dict[str, Exchange]:
        """Every request of the device by its client token."""
        found: dict[str, Exchange] = {}
        for sent in self.device.of(RequestSent):
            found.setdefault(sent.event.client_token, Exchange(sent))
        for answer in self.device.of(AnswerReceived):
            if (exchange := found.get(answer.event.client_token)) and exchange.answer is None:
                exchange.answer = answer
        for received in self.cloud.of(RequestReceived):
            if (exchange := found.get(received.event.client_token or "")) and exchange.received is None:
                exchange.received = received
        for answered in self.cloud.of(RequestAnswered):
            if (exchange := found.get(answered.event.client_token or "")) and exchange.answered is None:
                exchange.answered = answered
        return found

    @cached_property
    def offset(self) -> Offset:
        """How this device's clock and the cloud's relate."""
        return offset_of(self.exchanges.values())

    @cached_property
    def lives(self) -> tuple[Life, ...]:
        """Every incarnation that the cloud told of, in the order of queueing."""
        lives: list[Life] = []
        current: dict[ExecutionKey, Life] = {}

        def begin(key: ExecutionKey) -> Life:
            lives.append(Life(key))
            current[key] = lives[-1]
            return lives[-1]

        for seen in self.cloud.seen:
            match seen.event:
                case ExecutionQueued(execution=key):
                    begin(key).queued = cast("Seen[ExecutionQueued]", seen)
                case ExecutionChanged(execution=key, status=status):
                    life = current.get(key) or begin(key)
                    if status == Status.IN_PROGRESS:
                        life.began = life.began or cast("Seen[ExecutionChanged]", seen)
                    elif Status(status).is_terminal:
                        life.ended = life.ended or cast("Seen[ExecutionChanged]", seen)
                case ExecutionRemoved(execution=key):
                    life = current.get(key) or begin(key)
                    life.removed = life.removed or cast("Seen[ExecutionRemoved]", seen)
                    life.ended = life.ended or life.removed
                case _:
                    pass
        return tuple(lives)

    @cached_property
    def connected_spans(self) -> list[tuple[float, float]]:
        """From when to when the thing was connected, on the cloud's clock."""
        return connected_spans(self.cloud)

    @cached_property
    def recoveries(self) -> list[Recovery]:
        """What followed each removal of a record that was IN_PROGRESS."""
        return recoveries(self.cloud)

    @property
    def phase(self) -> str | None:
        """The phase that the device was last in; None if it told of none."""
        phases = self.device.of(PhaseChanged)
        return phases[-1].event.phase if phases else None

    def told(self, key: ExecutionKey, before: int, *, enough: frozenset[Says] = frozenset({"gone"})) -> News | None:
        """What had told the device, before its entry number `before`, that this execution is over, if it still stood.

        It stands until an answer to a question put later says that there is one with this identity, pending: two
        incarnations within a second share a key.
        """
        verdict: News | None = None
        for news in self._news.get(key, ()):
            if news.answer.n >= before:
                break
            if news.says == "alive":
                if verdict is not None and news.sent.n > verdict.answer.n:
                    verdict = None
            elif verdict is None and news.says in enough:
                verdict = news
        return verdict

    def ends_told(self, *, enough: frozenset[Says] = frozenset({"gone"})) -> Iterator[tuple[ExecutionKey, News]]:
        """Every time that the device was told of an execution's end, anew after each sign of life."""
        for key, all_news in self._news.items():
            for news in all_news:
                if news.says in enough and self.told(key, news.answer.n, enough=enough) is None:
                    yield key, news

    def signs_of_life(self, key: ExecutionKey, before: int) -> Iterator[News]:
        """The answers, processed before the device's entry number `before`, that found `key` pending."""
        return (news for news in self._news.get(key, ()) if news.says == "alive" and news.answer.n < before)

    def finishes_forward(self, step: Seen[StepStarted]) -> bool:
        """Whether a step belongs to a recovery that can only go on, because an irreversible one began before."""
        key = step.event.execution
        phases = [seen.event for seen in self.device.of(PhaseChanged) if seen.n < step.n]
        if not phases or (phases[-1].phase, phases[-1].execution) != ("recovering", key):
            return False
        leaps = (seen for seen in self.device.of(StepStarted) if not seen.event.reversible and seen.n < step.n)
        return any(leap.event.execution == key for leap in leaps)

    def _read_answers(self) -> Iterator[tuple[ExecutionKey, News]]:
        in_hand: dict[ExecutionKey, None] = {}
        for seen in self.device.seen:
            match seen.event:
                case ExecutionTaken(execution=key):
                    in_hand[key] = None
                case ExecutionLeft(execution=key):
                    in_hand.pop(key, None)
                case AnswerReceived(client_token=token):
                    exchange = self.exchanges.get(token)
                    if exchange is not None and exchange.answer is seen:
                        yield from _news(exchange.sent, exchange.answer, tuple(in_hand))
                case _:
                    pass


def _news(
    sent: Seen[RequestSent], answer: Seen[AnswerReceived], in_hand: tuple[ExecutionKey, ...]
) -> Iterator[tuple[ExecutionKey, News]]:
    """What an answer tells a device that has these executions in hand."""
    about, found = sent.event.execution, answer.event.execution
    if not answer.event.accepted:
        if about is not None and (says := _end_in(answer.event, sent.event)):
            yield about, News(says, sent, answer)
    elif found is not None and sent.event.request in ("describe", "start-next"):
        # An accepted update carries no identity: it proves nothing.
        yield found, News("alive", sent, answer)
        # Asked by its id, a job answers with its latest execution; `$next` and start-next answer with the head.
        replaced: Says = "gone" if sent.event.job_id == found.job_id else "superseded"
        for key in dict.fromkeys((*in_hand, *([about] if about is not None else []))):
            if _same_job(key, found) and _age(key) < _age(found):
                yield key, News(replaced, sent, answer)


def _end_in(answer: AnswerReceived, sent: RequestSent) -> Says | None:
    """What a rejection says about the execution that the request was meant for."""
    if answer.code == ErrorCode.RESOURCE_NOT_FOUND:
        return "gone"
    if answer.code in (ErrorCode.INVALID_STATE_TRANSITION, ErrorCode.VERSION_MISMATCH) and answer.status is not None:
        status = Status(answer.status)
        return "gone" if status in ENDED_WITHOUT_US else "reported" if status.is_terminal else None
    if answer.code == ErrorCode.TERMINAL_STATE_REACHED and sent.request == "describe":
        return "terminal"
    return None


def _age(key: ExecutionKey) -> tuple[int, int]:
    return key.queued_at, key.execution_number


def _same_job(one: ExecutionKey, other: ExecutionKey) -> bool:
    return (one.namespace_id, one.job_id) == (other.namespace_id, other.job_id)


def omits(hint: HintReceived, key: ExecutionKey) -> bool:
    """Whether a notification of the execution's own namespace does not name it."""
    return hint.namespace_id == key.namespace_id and key not in hint.listed
