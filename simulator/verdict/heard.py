"""What one device has heard of one execution, and what it has done about it: all that is remembered of either."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from agent.device_events import AnswerReceived, HintReceived, RequestKind
from agent.values import ErrorCode, ExecutionKey, Status
from simulator.trace import TERMINAL
from simulator.verdict.exchanges import Exchange
from simulator.verdict.past import BLANK, NOW, ON_RECORD, Past
from simulator.verdict.seen import Mark, Told
from simulator.verdict.state import State

ENDED_WITHOUT_US: Final[frozenset[str]] = frozenset({Status.CANCELED, Status.TIMED_OUT, Status.REMOVED})

Says: TypeAlias = Literal["gone", "reported", "terminal", "superseded", "alive"]

ENOUGH: Final[tuple[frozenset[Says], ...]] = (
    frozenset({"gone"}),
    frozenset({"gone", "terminal"}),
    frozenset({"gone", "reported", "terminal"}),
    frozenset({"gone", "reported", "terminal", "superseded"}),
)
TAKEN: Final = 8
"""How often what was taken counts as taken, where that does not matter but for which time was the last."""
GONE, ENDED, OVER, REPLACED = range(4)
"""What may be enough to know that an execution is over, for this purpose or that: indices into ENOUGH."""
NEVER: Final = (None, None, None, None)
"""It is not known to be over, for no purpose."""


class AnswerNews(NamedTuple):
    """What an answer that the device processed says with authority about an execution.

    gone: it is not there, ended without the device, or the job id names a later incarnation;
    reported: it has a terminal status that only a device sets, this one's own report or another hand's;
    terminal: it is in some terminal state, which may be the one that the device itself reported;
    superseded: the head of the queue is a later incarnation of the same job;
    alive: it is there, and pending.
    """

    key: ExecutionKey
    says: Says
    sent: Mark
    answer: Mark
    accepted: bool
    code: str | None
    status: str | None
    had_reported: bool = False
    """Whether the device had sent an update about it on the connection on which it asked."""
    received: Mark | None = None
    answered: Mark | None = None
    """Where the cloud tells of the question and of its first answer."""
    unwritten: bool = False
    """Whether the journal could not be written since, so that no other life of the agent knows of it."""

    @property
    def at_cloud(self) -> "AnswerNews":
        """The same as the wire shows it, before all that it will show."""
        sent, answer = self.received or self.sent, self.answered or self.answer
        return self._replace(
            sent=Mark(sent.source, -1, sent.at, sent.n), answer=Mark(answer.source, 0, answer.at, answer.n)
        )

    def essence(self, past: Past) -> "AnswerNews":
        """What of it can still matter, but for what it said: that it was told, and when."""
        is_on_record = not self.unwritten and self.answer.at <= past.now + ON_RECORD
        answer = Mark("", past.told(self.answer.n), ON_RECORD if is_on_record else NOW)
        return AnswerNews(self.key, "gone", BLANK, answer, False, None, None, unwritten=self.unwritten)

    def since_then(self, past: Past) -> "AnswerNews":
        """The same where it does not matter whether it was on record."""
        return AnswerNews(self.key, "gone", BLANK, past.mark(self.answer), False, None, None)

    def is_crossed_by(self, asked: Mark) -> bool:
        """Whether the device `asked` something else after this question, and before it was answered."""
        return self.told.is_crossed_by(asked)

    @property
    def told(self) -> Told:
        """When it asked, and when it had the answer."""
        return Told(self.sent, self.answer)

    @property
    def in_words(self) -> str:
        """How an execution is over, by this."""
        if self.accepted:
            return "replaced by a later one"
        if self.code is None:
            return "over"
        return f"over ({self.code}{f', {self.status}' if self.status else ''})"


@dataclass(slots=True, unsafe_hash=True)
class Heard(State):
    """One execution, as one device knows it.

    `standing` is for each of ENOUGH what told the device that this execution is over, if that still stands. It stands
    until an answer to a question put later says that there is one with this identity, pending: two incarnations within
    a second share a key. Nor does it stand if the device lost its memory at once. `ends` counts how often it was told.

    `ended` is what told the device that it has ended, `over` that or that it is over otherwise, be it forgotten since;
    `over_otherwise` what cannot be its own report's success.
    """

    holds_states = ()

    order: int = 0
    touched: Mark | None = None
    """The last entry about it."""
    standing: tuple[AnswerNews | None, ...] = NEVER
    ends: tuple[int, ...] = (0, 0, 0, 0)
    ended: AnswerNews | None = None
    over: AnswerNews | None = None
    over_otherwise: AnswerNews | None = None
    queued_again: bool = False
    """It was found QUEUED after it had been taken: it is another one."""
    alive_asked: int = 0
    """The number of the last question whose answer found it pending."""
    licence: int = 0
    """The number, in the cloud's account, of the last answer that found it pending."""
    shown: int = 0
    """From the wire: where an answer with it reached the device last, be it late, and to whatever question."""
    is_vague: bool = False
    """More may have been known of it once."""
    taken: int = 0
    takings: int = 0
    digests: tuple[str, ...] = ()
    leapt: bool = False
    """A step had begun from which there is no way back, or the device cannot know whether one had."""
    succeeded: bool = False
    """It has been reported to have succeeded."""
    success_unwritten: bool = False
    """The journal could not be written when that was reported, nor since."""
    failed: bool = False
    updated: bool = False
    omitted: Mark | None = None
    """The last notification of its namespace that did not name it, with the execution in mind or not."""
    told_at_report: AnswerNews | None = None
    """What had told the device that it is over when it last reported on it."""
    change_at_report: "tuple[Mark, bool] | None" = None
    """How the connection had last changed then."""

    def hears(self, news: AnswerNews, licence: int) -> None:
        """Take in news of it."""
        if news.says == "alive":
            self._lives(news.sent.n, licence)
        else:
            told = [old is None and news.says in enough for old, enough in zip(self.standing, ENOUGH, strict=True)]
            self.standing = tuple(news if new else old for old, new in zip(self.standing, told, strict=True))
            self.ends = tuple(count + new for count, new in zip(self.ends, told, strict=True))
            self.ended = self.ended or (news if news.says in ENOUGH[ENDED] else None)
            self.over = self.over or news
            if not (news.says == "terminal" or (news.says == "reported" and news.status == Status.SUCCEEDED)):
                self.over_otherwise = self.over_otherwise or news
        if news.status == Status.QUEUED and 0 < self.taken < news.sent.n:
            self.queued_again = True

    def _lives(self, asked: int, licence: int) -> None:
        """An answer to this question found it pending."""
        if any(self.standing):
            self.standing = tuple(None if old and asked > old.answer.n else old for old in self.standing)
        if self.ended and asked > self.ended.answer.n:
            self.ended = None
        if self.over and asked > self.over.answer.n:
            self.over = None
        if self.over_otherwise and asked > self.over_otherwise.answer.n:
            self.over_otherwise = None
        self.alive_asked, self.licence = max(self.alive_asked, asked), max(self.licence, licence)

    def at_cloud(self) -> "Heard":
        """What of this is known before the wire shows anything."""
        return Heard(
            order=self.order,
            touched=self.touched,
            standing=tuple(news and news.at_cloud for news in self.standing),
            ended=self.ended and self.ended.at_cloud,
            over=self.over and self.over.at_cloud,
            updated=self.updated,
        )

    @property
    def compared(self) -> Iterator[int]:
        """The numbers of the client's entries that questions yet to be answered are compared with."""
        told = (*self.standing, self.ended, self.over, self.over_otherwise)
        yield from (news.answer.n for news in told if news is not None)
        if self.taken:
            yield self.taken

    @property
    def may_be_given_up(self) -> bool:
        """Whether the device has been told that it is over, and that this is not its own report's success."""
        return self.over is not None and (not self.succeeded or self.over_otherwise is not None)

    def essence(self, key: ExecutionKey, past: Past) -> "Heard":
        """What of it can still matter, but for when it was last asked about: that is compared with much else."""
        is_closed, is_told = key in past.closed, key in past.queued
        return Heard(
            standing=tuple([news and news.essence(past) for news in self.standing]) if any(self.standing) else NEVER,
            ended=self.ended and self.ended.since_then(past),
            over=self.over and self.over.since_then(past),
            over_otherwise=self.over_otherwise and self.over_otherwise.since_then(past),
            queued_again=self.queued_again and not is_closed,
            licence=past.cloud(self.licence),
            taken=past.told(self.taken),
            takings=TAKEN if self.takings else 0,
            digests=() if is_told else self.digests,
            leapt=self.leapt,
            succeeded=self.succeeded and not is_closed,
            success_unwritten=self.success_unwritten and not is_closed,
            updated=self.updated and key in past.updated,
        )

    def unhear(self, asked: Mark) -> None:
        """Forget what it cannot have heard, since it had `asked` something else before the answer came."""
        told = [news is not None and news.is_crossed_by(asked) for news in self.standing]
        self.standing = tuple(None if gone else news for news, gone in zip(self.standing, told, strict=True))
        self.ends = tuple(count - gone for count, gone in zip(self.ends, told, strict=True))
        if self.ended and self.ended.is_crossed_by(asked):
            self.ended = None
        if self.over and self.over.is_crossed_by(asked):
            self.over = None

    def forget(self, died_at: int, within: int) -> None:
        """Forget what it was told so shortly before it lost its memory that it may not have been on record."""
        self.standing = tuple(
            None if news and (news.unwritten or died_at - news.answer.at < within) else news for news in self.standing
        )
        if self.success_unwritten:
            self.succeeded = self.success_unwritten = False

    def unwrite(self, since: int) -> None:
        """What it was told since then cannot be put on record."""
        self.standing = tuple(news and news._replace(unwritten=news.answer.at > since) for news in self.standing)

    def write(self) -> None:
        """All is on record."""
        self.standing = tuple(news and news._replace(unwritten=False) for news in self.standing)
        self.success_unwritten = False

    def lose(self) -> None:
        """What was on record of it is gone: what it was told, and what it has reported."""
        self.standing, self.succeeded, self.failed = NEVER, False, False


def news_in(exchange: Exchange, in_hand: tuple[ExecutionKey, ...]) -> Iterator[AnswerNews]:
    """What an answer tells a device that has these executions in hand."""
    sent, answer, asked, read = exchange.sent, exchange.answer, exchange.request, exchange.read
    assert sent is not None, "it is answered"
    assert asked is not None, "it was sent"
    assert answer is not None, "it is answered"
    assert read is not None, "it is answered"

    def news(key: ExecutionKey, says: Says) -> AnswerNews:
        had_reported = key in exchange.had_reported
        answered = exchange.answered.mark if exchange.answered is not None else None
        told = (read.accepted, read.code, read.status, had_reported)
        return AnswerNews(key, says, sent, answer, *told, exchange.received, answered)

    about, found = asked.execution, read.execution
    if not read.accepted:
        if about is not None and (says := end_in(read.code, read.status, asked.request)):
            yield news(about, says)
    elif found is not None and asked.request in ("describe", "start-next"):
        # An accepted update carries no identity: it proves nothing.
        yield news(found, _state_of(read))
        # Asked by its id, a job answers with its latest execution; `$next` and start-next answer with the head.
        replaced: Says = "gone" if asked.job_id == found.job_id else "superseded"
        for key in dict.fromkeys((*in_hand, *([about] if about is not None else []))):
            if job_of(key) == job_of(found) and _age(key) < _age(found):
                yield news(key, replaced)


def _state_of(found: AnswerReceived) -> Says:
    """What the status of an execution that was found says; the service shows ended ones to nobody, but who knows."""
    status = found.status or Status.IN_PROGRESS
    return "alive" if status not in TERMINAL else "gone" if status in ENDED_WITHOUT_US else "reported"


def end_in(code: str | None, status: str | None, request: RequestKind) -> Says | None:
    """What a rejection says about the execution that the request was meant for; `status` is the one that it names."""
    if code == ErrorCode.RESOURCE_NOT_FOUND:
        return "gone"
    if code in (ErrorCode.INVALID_STATE_TRANSITION, ErrorCode.VERSION_MISMATCH) and status is not None:
        return "gone" if status in ENDED_WITHOUT_US else "reported" if status in TERMINAL else None
    if code == ErrorCode.TERMINAL_STATE_REACHED and request == "describe":
        return "terminal"
    return None


def permanent(code: str | None) -> ErrorCode | None:
    """The code, if the same request can never succeed; one that this version does not know may pass."""
    try:
        known = ErrorCode(code or "")
    except ValueError:
        return None
    return known if known.is_permanent else None


def _age(key: ExecutionKey) -> tuple[int, int]:
    return key.queued_at, key.execution_number


def job_of(key: ExecutionKey) -> tuple[str | None, str]:
    """The job that an execution is one of, with its namespace."""
    return key.namespace_id, key.job_id


def omits(hint: HintReceived, key: ExecutionKey) -> bool:
    """Whether a notification of the execution's own namespace does not name it."""
    return hint.namespace_id == key.namespace_id and key not in hint.listed
