"""Asking too often. Everything here is one device's own account, on its own clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from agent.account import AnswerReceived, DeviceBooted, DeviceConnected, HintReceived, RequestSent
from agent.values import ErrorCode, ExecutionKey, Status, StatusDetails
from simulator.verdict.findings import HELD, Finding, Run, undecided, violated
from simulator.verdict.history import TIMER_SLACK, Exchange, Seen, micros
from simulator.verdict.story import Story

CONTENT = frozenset({ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_JSON})
"""Refusals of what a request said: with other details it is another request."""

FACTS = frozenset(
    {
        ErrorCode.RESOURCE_NOT_FOUND,
        ErrorCode.INVALID_STATE_TRANSITION,
        ErrorCode.TERMINAL_STATE_REACHED,
        ErrorCode.VERSION_MISMATCH,
    }
)
"""Refusals for what the record was: void once the answer to a later question finds a record pending again."""

OVER = frozenset({ErrorCode.RESOURCE_NOT_FOUND, ErrorCode.TERMINAL_STATE_REACHED})
"""Those that said that nothing is pending: a read that lagged behind, if an update is accepted later."""


class Question(NamedTuple):
    """What makes two requests the same question, whatever their tokens and details."""

    request: str
    namespace_id: str | None
    job_id: str | None
    execution: ExecutionKey | None
    status: str | None

    @classmethod
    def of(cls, sent: RequestSent) -> "Question":
        """The question that a request puts."""
        return cls(sent.request, sent.namespace_id, sent.job_id, sent.execution, sent.status)


def no_hammering(story: Story, run: Run) -> Iterator[Finding]:
    """The same request again after it was refused for good, or again too soon after it got no usable answer.

    For good: a request about one execution, refused with a code that does not pass, then sent again with the same
    kind, namespace, job id, execution, status and expected version. `$next`, start-next and get-pending name no
    execution: what they find changes, so asking them again is no such repetition.

    Too soon: the n-th attempt at a question after the first must wait, from the refusal or else from the attempt
    before, `retry_gap_seconds * retry_growth ** (n - 1)`, at most the ceiling; jitter may only add to that. A
    connection begins anew, and so does a hint if the device counts anew (`attempt` 1): it is a new reason to ask.
    Whoever restarts may ask everything once more.

    From the wire both are seen: a request again that was refused, once the refusal was processed. The wait is counted
    from when the refusal left, so that it is no shorter than it looks; attempts that nobody answered are not judged,
    since the network may have held back the first, and a connection may be that of a device that has restarted.
    """
    yield from _repetitions(story)
    yield from _retries(story, run)


class _Refusals:
    """What was refused for good and still is, and who asked again all the same."""

    def __init__(self) -> None:
        self._standing: dict[tuple[Question, int | None], Exchange] = {}
        self._begun: set[ExecutionKey] = set()
        self.again: dict[str, list[Seen[RequestSent]]] = {}

    def sent(self, this: Seen[RequestSent]) -> None:
        """A request left the device."""
        known = self._standing.get((Question.of(this.event), this.event.expected_version))
        if known is None or known.answer is None:
            return
        if known.answer.event.code not in CONTENT or known.sent.event.details == this.event.details:
            self.again.setdefault(known.sent.event.client_token, []).append(this)

    def answered(self, exchange: Exchange, answer: AnswerReceived) -> None:
        """A request was answered."""
        sent = exchange.sent.event
        if answer.accepted and answer.execution is not None:
            key, is_another = answer.execution, answer.status == Status.QUEUED and answer.execution in self._begun
            # QUEUED again: another execution, and a version refused over HTTP is called a fault of content.
            self._void(key, FACTS | CONTENT if is_another else FACTS, exchange.sent.n)
            (self._begun.add if answer.status == Status.IN_PROGRESS else self._begun.discard)(key)
        elif answer.accepted and sent.execution is not None and sent.status is not None:
            self._void(sent.execution, OVER, exchange.sent.n)
        elif sent.execution is not None and _permanent(answer.code):
            if answer.code == ErrorCode.TERMINAL_STATE_REACHED:
                # It names no status; repeating the update is what makes the service name it.
                self._void(sent.execution, frozenset({ErrorCode.VERSION_MISMATCH}), exchange.sent.n)
            elif answer.code == ErrorCode.VERSION_MISMATCH and answer.status in (Status.QUEUED, Status.IN_PROGRESS):
                self._void(sent.execution, FACTS - {ErrorCode.VERSION_MISMATCH}, exchange.sent.n)
            self._standing.setdefault((Question.of(sent), sent.expected_version), exchange)
            self.again.setdefault(sent.client_token, [])

    def booted(self) -> None:
        """Whoever lost its memory may put every question once more."""
        self._standing.clear()

    def connected(self) -> None:
        """Whoever comes back on line puts once more what these two codes had left unsettled."""
        unsettled = (ErrorCode.TERMINAL_STATE_REACHED, ErrorCode.VERSION_MISMATCH)
        self._keep(lambda refused, _: refused.code not in unsettled)

    def _void(self, key: ExecutionKey, codes: frozenset[ErrorCode], asked_n: int) -> None:
        """Forget what was refused of `key` with one of `codes` before the device's entry `asked_n`."""
        self._keep(
            lambda refused, exchange: (
                exchange.sent.event.execution != key
                or not (refused.code in codes or (codes >= FACTS and _can_mean_the_version(refused, exchange)))
                or (exchange.answer is not None and exchange.answer.n > asked_n)
            )
        )

    def _keep(self, stands: Callable[[AnswerReceived, Exchange], bool]) -> None:
        self._standing = {
            asked: exchange
            for asked, exchange in self._standing.items()
            if exchange.answer is not None and stands(exchange.answer.event, exchange)
        }


def _can_mean_the_version(refused: AnswerReceived, exchange: Exchange) -> bool:
    """Over HTTP a wrong version is an InvalidRequest; and what says nothing else has nothing else wrong with it."""
    sent = exchange.sent.event
    return refused.code == ErrorCode.INVALID_REQUEST and sent.expected_version is not None and not sent.details


def _repetitions(story: Story) -> Iterator[Finding]:
    refusals = _Refusals()
    for seen in story.device.seen:
        match seen.event:
            case DeviceBooted():
                refusals.booted()
            case DeviceConnected() if story.wire is not None:
                refusals.booted()
            case DeviceConnected():
                refusals.connected()
            case RequestSent() as sent:
                refusals.sent(Seen(seen.source, seen.n, seen.at, sent, seen.shown_by))
            case AnswerReceived() as answer:
                exchange = story.exchanges.get(answer.client_token)
                if exchange is not None and exchange.answer is seen:
                    refusals.answered(exchange, answer)
            case _:
                pass
    for token, again in refusals.again.items():
        exchange = story.exchanges[token]
        yield _repeated(exchange, again) if again else HELD


def _repeated(exchange: Exchange, again: list[Seen[RequestSent]]) -> Finding:
    sent, answer = exchange.sent.event, exchange.answer
    code = answer.event.code if answer is not None else None
    times = "again" if len(again) == 1 else f"again {len(again)} times"
    message = f"sent {_named(sent)} {times} after it was refused for good ({code})"
    return violated(_job(sent), message, exchange.sent, answer, *again[:5])


@dataclass(slots=True)
class _Chain:
    """Attempts at one question, without a usable answer so far."""

    last: Seen[RequestSent]
    details: StatusDetails | None
    retries: int = 0
    refused: Seen[AnswerReceived] | None = None
    hinted: bool = False


def _retries(story: Story, run: Run) -> Iterator[Finding]:
    chains: dict[Question, _Chain] = {}
    for seen in story.device.seen:
        match seen.event:
            case DeviceConnected() | DeviceBooted():
                chains.clear()
            case HintReceived():
                for chain in chains.values():
                    chain.hinted = True
            case AnswerReceived() as answer:
                exchange = story.exchanges.get(answer.client_token)
                if exchange is not None and exchange.answer is seen:
                    _note_answer(chains, exchange)
            case RequestSent() as sent:
                this = Seen(seen.source, seen.n, seen.at, sent, seen.shown_by)
                known = chains.get(Question.of(sent))
                if known is None or not _is_retry(known, sent):
                    chains[Question.of(sent)] = _Chain(this, sent.details)
                else:
                    yield _judge_gap(known, this, run)
                    known.last, known.details, known.refused, known.hinted = this, sent.details, None, False
            case _:
                pass


def _note_answer(chains: dict[Question, _Chain], exchange: Exchange) -> None:
    """An answer that the device can use ends its attempts; any other dates its next one."""
    question, answer = Question.of(exchange.sent.event), exchange.answer
    chain = chains.get(question)
    if chain is None or answer is None:
        return
    usable = answer.event.accepted or (question.execution is not None and _permanent(answer.event.code) is not None)
    if usable:
        del chains[question]
    elif chain.last is exchange.sent or chain.last.n == exchange.sent.n:
        left = exchange.answered
        chain.refused = answer if left is None or answer.source != left.source else answer._replace(at=left.at)


def _is_retry(chain: _Chain, sent: RequestSent) -> bool:
    if sent.attempt > 1:
        return True
    return chain.refused is not None and not chain.hinted and sent.details == chain.details


def _judge_gap(chain: _Chain, again: Seen[RequestSent], run: Run) -> Finding:
    bounds = run.bounds
    growth: float = bounds.retry_growth**chain.retries
    least = min(bounds.retry_gap_seconds * growth, max(bounds.retry_gap_ceiling_seconds, bounds.retry_gap_seconds))
    chain.retries += 1
    since = chain.refused or chain.last
    gap = again.at - since.at
    if gap + TIMER_SLACK >= micros(least):
        return HELD
    why = f"refused ({chain.refused.event.code})" if chain.refused else "sent without an answer"
    if gap + TIMER_SLACK + (stalled := run.lag.devices.before(since.at)) >= micros(least):
        why = f"{why}; but its process had not run for {stalled / 1_000_000:.3f} s when it set that timer"
        message = f"sent {_named(again.event)} again {gap / 1_000_000:.3f} s after it was {why}"
        return undecided(_job(again.event), message, chain.last, chain.refused, again)
    message = (
        f"sent {_named(again.event)} again {gap / 1_000_000:.3f} s after it was {why}; "
        f"retry {chain.retries} must wait {least:g} s"
    )
    return violated(_job(again.event), message, chain.last, chain.refused, again)


def _permanent(code: str | None) -> ErrorCode | None:
    """The code, if the same request can never succeed; one that this version does not know may pass."""
    try:
        known = ErrorCode(code or "")
    except ValueError:
        return None
    return known if known.is_permanent else None


def _named(sent: RequestSent) -> str:
    return " ".join(part for part in (sent.request, sent.job_id, sent.status) if part)


def _job(sent: RequestSent) -> str | None:
    return sent.execution.job_id if sent.execution else None
