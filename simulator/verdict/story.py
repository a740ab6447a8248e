"""What follows from the two accounts of one thing, worked out once for all who judge it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, cast

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
from agent.values import ErrorCode, ExecutionKey, Status
from simulator.trace import (
    AnswerDelivered,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.clocks import SAME_CLOCK, Offset, OneClock, offset_of
from simulator.verdict.history import Account, Exchange, Life, Seen
from simulator.verdict.queueing import Recovery, connected_spans, recoveries
from simulator.verdict.wire import Inferred

ENDED_WITHOUT_US = frozenset({Status.CANCELED, Status.TIMED_OUT, Status.REMOVED})

JOURNAL_MICROS = 1_000_000
"""What a device was told so shortly before it lost its memory may not have been on record yet."""

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
    """A history with what follows from it, worked out once for all who judge it.

    `finishes_after_switch`: its owner's policy is to go forward once the boot selector has been switched;
    `leap_unanswered`: it is to pass the point of no return if nobody has answered for so many seconds. `wire` is set if
    the device gave no account, and `device` is what the wire shows of it. `clock` is set if it shares it with others.
    """

    thing: str
    device: Account
    cloud: Account
    finishes_after_switch: bool = False
    leap_unanswered: float | None = None
    wire: Inferred | None = None
    clock: OneClock | None = None
    _news: dict[ExecutionKey, list[News]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.clock is not None and self.wire is None:
            self.clock.offsets.append(lambda: self._own_offset)
        for key, news in self._read_answers():
            self._news.setdefault(key, []).append(news)

    @cached_property
    def exchanges(self) -> dict[str, Exchange]:
        """Every request of the device by its client token."""
        if self.wire is not None:
            return self.wire.exchanges
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
            if exchange := found.get(answered.event.client_token or ""):
                if exchange.answered is None:
                    exchange.answered = answered
                else:
                    exchange.repeated.append(answered)
        return found

    @cached_property
    def offset(self) -> Offset:
        """How this device's clock and the cloud's relate."""
        if self.wire is not None:
            return SAME_CLOCK
        return self._own_offset if self.clock is None else self.clock.offset

    @cached_property
    def _own_offset(self) -> Offset:
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

    @property
    def tells_all(self) -> bool:
        """Whether the device told of every request of its thing, and of answers if it got any."""
        received = self.cloud.of(RequestReceived)
        if any(seen.event.client_token not in self.exchanges for seen in received):
            return False
        return bool(self.device.of(AnswerReceived)) or not self.cloud.of(AnswerDelivered)

    def told(self, key: ExecutionKey, before: int, *, enough: frozenset[Says] = frozenset({"gone"})) -> News | None:
        """What had told the device, before its entry number `before`, that this execution is over, if it still stood.

        It stands until an answer to a question put later says that there is one with this identity, pending: two
        incarnations within a second share a key. Nor does it stand if the device lost its memory at once.
        """
        verdict: News | None = None
        for news in self._news.get(key, ()):
            if news.answer.n >= before:
                break
            if verdict is not None and self._forgot(verdict, news.answer.n):
                verdict = None
            if news.says == "alive":
                if verdict is not None and news.sent.n > verdict.answer.n:
                    verdict = None
            elif verdict is None and news.says in enough:
                verdict = news
        return None if verdict is not None and self._forgot(verdict, before) else verdict

    def _forgot(self, news: News, before: int) -> bool:
        """Whether the device lost its memory, before its entry `before`, too soon to have written `news` down."""
        return any(
            news.answer.n < boot < before and died - news.answer.at < JOURNAL_MICROS for boot, died in self._restarts
        )

    @cached_property
    def _restarts(self) -> list[tuple[int, int]]:
        """The entries at which the device began anew, each with when it was last known to be running before.

        From the wire, a connection may be the first thing that is seen of a device that has begun anew.
        """
        restart = DeviceBooted if self.wire is None else DeviceConnected
        found: list[tuple[int, int]] = []
        last_sign: int | None = None
        for seen in self.device.seen:
            if isinstance(seen.event, restart):
                if last_sign is not None:
                    found.append((seen.n, last_sign))
            elif not isinstance(seen.event, DeviceDisconnected | HintReceived):
                last_sign = seen.at
        return found

    def may_think_it_over(
        self, key: ExecutionKey, before: int, counts: Callable[["News"], bool] = lambda _: True
    ) -> bool:
        """Whether an answer that `counts`, be it forgotten since, had said that the execution ended.

        Or that it is QUEUED again, and thereby another one.
        """
        taken = [seen.n for seen in self.device.of(ExecutionTaken) if seen.n < before and seen.event.execution == key]
        over: News | None = None
        for news in self._news.get(key, ()):
            if news.answer.n >= before:
                break
            if news.says != "alive":
                over = over or (news if counts(news) else None)
            elif over is not None and news.sent.n > over.answer.n:
                over = None
            if news.answer.event.status == Status.QUEUED and taken and news.sent.n > taken[-1]:
                return True
        return over is not None

    def shared(self, key: ExecutionKey) -> bool:
        """Whether more than one execution had this identity, by the cloud's account or else by the documents taken."""
        lives = [life for life in self.lives if life.key == key]
        if any(life.queued is not None for life in lives):
            return len(lives) > 1
        return len({seen.event.digest for seen in self.device.of(ExecutionTaken) if seen.event.execution == key}) > 1

    def ends_told(self, *, enough: frozenset[Says] = frozenset({"gone"})) -> Iterator[tuple[ExecutionKey, News]]:
        """Every time that the device was told of an execution's end, anew after each sign of life."""
        for key, all_news in self._news.items():
            for news in all_news:
                if news.says in enough and self.told(key, news.answer.n, enough=enough) is None:
                    yield key, news

    @cached_property
    def _spoken_of(self) -> frozenset[ExecutionKey]:
        return frozenset(
            key for seen in self.device.seen if (key := getattr(seen.event, "execution", None)) is not None
        )

    def concerns(self, key: ExecutionKey) -> bool:
        """Whether the device has given any account of this execution: another client of the thing may have taken it."""
        return key in self._spoken_of

    def signs_of_life(self, key: ExecutionKey, before: int) -> Iterator[News]:
        """The answers, processed before the device's entry number `before`, that found `key` pending."""
        return (news for news in self._news.get(key, ()) if news.says == "alive" and news.answer.n < before)

    def finishes_forward(self, step: Seen[StepStarted]) -> bool:
        """Whether a step belongs to a recovery that can only go on.

        That is so if the device has been told that the execution is over, after a step had begun from which there is
        no way back: an irreversible one, or the switch, if that is its owner's policy.
        """
        key = step.event.execution
        before = (seen.event for seen in self.device.of(StepStarted) if seen.n < step.n)
        leapt = any(
            began.execution == key
            and (not began.reversible or (self.finishes_after_switch and began.step.split()[0] == "switch"))
            for began in before
        )
        leapt = leapt or self._may_have_leapt(key, step.n)
        return leapt and (self.may_think_it_over(key, step.n) or self.shared(key))

    def _may_have_leapt(self, key: ExecutionKey, before: int) -> bool:
        """Whether the device lost its memory between the leave to leap and the leap.

        What is about to begin is on record by then: whether it had begun, the device cannot know any more.
        """
        alive = {news.answer.n for news in self._news.get(key, ()) if news.says == "alive"}
        has_leave = runs = False
        for seen in self.device.seen:
            if seen.n >= before:
                break
            match seen.event:
                case DeviceBooted() if has_leave:
                    return True
                case DeviceBooted():
                    runs = False
                case AnswerReceived():
                    has_leave = seen.n in alive and not runs
                case HintReceived():
                    has_leave = False
                case StepStarted(execution=started) if started == key:
                    has_leave, runs = False, True
                case StepFinished(execution=finished) if finished == key:
                    runs = False
                case _:
                    pass
        return False

    def _believes(self, exchange: Exchange) -> bool:
        """Whether an answer counts; where the service tells of its answers, only if it gave that one."""
        return not self.cloud.of(RequestAnswered) or exchange.is_believable

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
                    if exchange is not None and exchange.answer is seen and self._believes(exchange):
                        for key, news in _news(exchange.sent, exchange.answer, tuple(in_hand)):
                            # From the wire, two that share an identity cannot be told apart.
                            if self.wire is None or not self.shared(key):
                                yield key, news
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
        yield found, News(_state_of(answer.event), sent, answer)
        # Asked by its id, a job answers with its latest execution; `$next` and start-next answer with the head.
        replaced: Says = "gone" if sent.event.job_id == found.job_id else "superseded"
        for key in dict.fromkeys((*in_hand, *([about] if about is not None else []))):
            if _same_job(key, found) and _age(key) < _age(found):
                yield key, News(replaced, sent, answer)


def _state_of(found: AnswerReceived) -> Says:
    """What the status of an execution that was found says; the service shows ended ones to nobody, but who knows."""
    status = Status(found.status) if found.status else Status.IN_PROGRESS
    return "alive" if not status.is_terminal else "gone" if status in ENDED_WITHOUT_US else "reported"


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
