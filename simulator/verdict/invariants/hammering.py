"""Asking too often. Everything here is one device's own account, on its own clock."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.device_events import AnswerReceived, DeviceBooted, DeviceConnected, HintReceived, RequestSent
from agent.values import ErrorCode, ExecutionKey, Status, StatusDetails
from simulator.verdict.bounds import Bounds
from simulator.verdict.findings import FOUND, NOTHING_YET, Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import permanent
from simulator.verdict.limits import Limits
from simulator.verdict.seen import TIMER_SLACK, Mark, Told, micros
from simulator.verdict.state import State

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

UNSETTLED = (ErrorCode.TERMINAL_STATE_REACHED, ErrorCode.VERSION_MISMATCH)
"""What whoever comes back on line may put once more."""

BUSY_ATTEMPTS, BUSY_MICROS = 16, 2_000_000
"""So often within so long, each time after a refusal, asks only who does not wait: the waits of full jitter are drawn
from a span that doubles each time, so that its sixteenth attempt comes seconds later, however short the first span.
So does who tells the very same so often, each time after it was accepted.
"""

QUESTIONS: Final = 64
"""So many questions that were refused, or are put again and again, are remembered."""
SHOWN: Final = 5


class QuestionKey(NamedTuple):
    """What makes two requests the same question, whatever their tokens and details."""

    request: str
    namespace_id: str | None
    job_id: str | None
    execution: ExecutionKey | None
    status: str | None

    @classmethod
    def of(cls, sent: RequestSent) -> "QuestionKey":
        """The question that a request puts."""
        return cls(sent.request, sent.namespace_id, sent.job_id, sent.execution, sent.status)


class RefusedRequest(NamedTuple):
    """A request that was refused for good, and how often it was sent again since."""

    asked: RequestSent
    sent: Mark
    answer: Mark
    code: str | None
    again: tuple[Mark, ...] = ()
    times: int = 0
    last: int = 0
    """When it was sent again last."""
    next: Told | None = None
    """The next refusal since then; of a device that is not ours, nothing else counts."""

    def is_crossed_by(self, asked: Mark) -> bool:
        """Whether the device `asked` something else after this, and before it was refused."""
        return Told(self.sent, self.answer).is_crossed_by(asked)

    def without_next(self, asked: Mark) -> "RefusedRequest":
        """Without the next refusal, if it cannot have heard that, since it had `asked` something else before."""
        return self._replace(next=None) if self.next is not None and self.next.is_crossed_by(asked) else self

    @property
    def can_mean_the_version(self) -> bool:
        """Over HTTP a wrong version is an InvalidRequest; what says nothing else has nothing else wrong with it."""
        asked = self.asked
        return self.code == ErrorCode.INVALID_REQUEST and asked.expected_version is not None and not asked.details


class Attempts(NamedTuple):
    """Attempts at one question, without a usable answer so far; `refused` is when the last one was, with what code."""

    last: Mark
    details: StatusDetails | None
    first: Mark
    retries: int = 0
    refused: tuple[Mark, str | None] | None = None
    hinted: bool = False


class ToldAgain(NamedTuple):
    """An update that was sent so many `times`, and told the same, each after the one before had been accepted."""

    asked: RequestSent
    first: Mark
    last: Mark
    times: int = 1
    is_accepted: bool = False


class TooSoon(NamedTuple):
    """A retry that came too soon, unless the process had not run for so long when it set its timer."""

    asked: RequestSent
    attempts: Attempts
    again: Mark
    gap: int
    least: float
    is_busy: bool = False
    """It is the last of so many within so short a time that there is no back-off."""

    @property
    def since(self) -> Mark:
        """From when the wait counts."""
        return self.attempts.refused[0] if self.attempts.refused else self.attempts.last


@dataclass(slots=True, unsafe_hash=True)
class Hammering(State):
    """What was refused for good and still is, who asked again all the same, and what is asked without success."""

    standing: Map[tuple[QuestionKey, int | None], str] = EMPTY
    refused: Map[str, RefusedRequest] = EMPTY
    begun: tuple[ExecutionKey, ...] = ()
    before: Ruling = NOTHING_YET
    attempts: Map[QuestionKey, Attempts] = EMPTY
    in_time: int = 0
    too_soon: tuple[TooSoon, ...] = ()
    told: Map[ExecutionKey, ToldAgain] = EMPTY
    too_often: tuple[ToldAgain, ...] = ()


def _hinted(state: Hammering, _now: Moment) -> None:
    if not all(each.hinted for each in state.attempts.values()):
        state.attempts = state.attempts.each(lambda each: each._replace(hinted=True))


def _connected(state: Hammering, now: Moment) -> None:
    if now.testimony.is_wire:
        _booted(state, now)
        return
    state.standing = state.standing.only(lambda _, token: state.refused[token].code not in UNSETTLED)
    state.attempts = EMPTY
    _settle(state, now.limits)


def _booted(state: Hammering, now: Moment) -> None:
    state.standing = state.attempts = EMPTY
    _settle(state, now.limits)


def _settle(state: Hammering, limits: Limits) -> None:
    """Of what does not stand any more and was never asked again, there is a count."""
    if not state.refused:
        return
    stands = set(state.standing.values())
    stay = state.refused.only(lambda token, refused: bool(refused.times) or token in stands)
    before = state.before._replace(held=state.before.held + len(state.refused) - len(stay))
    while len(stay) > FOUND:
        token, oldest = next(iter(stay.items()))
        before, stay = before.but(_repeated(oldest, limits)), stay.without(token)
        state.standing = state.standing.only(lambda _, other, gone=token: other != gone)  # type: ignore[misc]
    state.refused, state.before = stay, before


def _unhear(state: Hammering, asked: Mark) -> None:
    """Forget the refusals that it cannot have heard, since it had `asked` something else before they came."""
    heard = state.refused.only(lambda _, refused: not refused.is_crossed_by(asked))
    state.refused = heard = heard.each(lambda refused: refused.without_next(asked))
    state.standing = state.standing.only(lambda _, token: token in heard)


def _updated(state: Hammering, now: Moment) -> None:
    """Count how often the very same is told of an execution."""
    mark, sent = now.mark, now.event
    if sent.request != "update" or sent.execution is None:
        return
    told, known = ToldAgain(sent, mark, mark), state.told.get(sent.execution)
    if known is not None and _said(known.asked) == _said(sent):
        if not known.is_accepted:
            told = known._replace(asked=sent)
        elif mark.at - known.first.at <= BUSY_MICROS and not _may_have_waited(now, known.first):
            told = known._replace(asked=sent, last=mark, times=known.times + 1, is_accepted=False)
    if told.times == BUSY_ATTEMPTS and (known is None or known.times < BUSY_ATTEMPTS):
        state.too_often = (*state.too_often, told)[:FOUND]
    state.told = state.told.put(sent.execution, told, QUESTIONS)


def _may_have_waited(now: Moment, sent: Mark) -> bool:
    """Whether that may have been written long before, and have waited for the connection; only the wire leaves that."""
    connected = now.testimony.connected
    return now.testimony.is_wire and connected is not None and sent.at - connected.at <= BUSY_MICROS


def _said(sent: RequestSent) -> tuple[str | None, StatusDetails]:
    """What it tells; a nonce by which its sender knows it again is no news."""
    return sent.status, tuple(pair for pair in sent.details or () if pair[1] != sent.client_token)


def _accepted(state: Hammering, asked: RequestSent) -> None:
    key = asked.execution
    told = state.told.get(key) if key is not None else None
    if key is not None and told is not None and told.asked.client_token == asked.client_token:
        state.told = state.told.put(key, told._replace(is_accepted=True))


def _asked(state: Hammering, now: Moment) -> None:
    mark, sent = now.mark, now.event
    _updated(state, now)
    if now.testimony.last is not None and mark.n < now.testimony.last.n:
        _unhear(state, mark)
    question = QuestionKey.of(sent)
    which = question, sent.expected_version
    token = state.standing.get(which) if state.standing else None
    if token is not None and state.refused[token].answer.n < now.testimony.heard(sent.execution).shown < mark.n:
        # An answer that the network had kept names it: whoever sends no tokens cannot know how old that is.
        state.standing, token = state.standing.without(which), None
    if token is not None and state.refused[token].answer.n < mark.n:
        refused = state.refused[token]
        is_same = refused.code not in CONTENT or refused.asked.details == sent.details
        is_told = not refused.times or (refused.next is not None and refused.next.answer.n < mark.n)
        if is_same and (is_told or not now.limits.is_foreign):
            again, last = (*refused.again, mark)[:SHOWN], max(refused.last, mark.at)
            refused = refused._replace(again=again, times=refused.times + 1, last=last, next=None)
            state.refused = state.refused.put(token, refused)
    known = state.attempts.get(question)
    if known is not None and _was_before(mark, known):
        return
    is_retry = known is not None and _is_retry(known, sent)
    retries, first = (known.retries + 1, known.first) if known is not None and is_retry else (0, mark)
    state.attempts = state.attempts.put(question, Attempts(mark, sent.details, first, retries), QUESTIONS)
    if known is None or not is_retry:
        return
    retry = _retry(known, mark, sent, now.limits.bounds)
    if now.limits.is_foreign and retries + 1 == BUSY_ATTEMPTS and mark.at - first.at <= BUSY_MICROS:
        state.too_soon = (*state.too_soon, retry._replace(is_busy=True))[:FOUND]
    elif retry.gap + TIMER_SLACK >= micros(retry.least):
        state.in_time += 1
    else:
        state.too_soon = (*state.too_soon, retry)[:FOUND]


def _was_before(mark: Mark, known: Attempts) -> bool:
    """Whether it was sent before what is known already: the network had kept it."""
    return mark.is_before(known.last) or (known.refused is not None and known.refused[0].n > mark.n)


def _is_retry(known: Attempts, sent: RequestSent) -> bool:
    if sent.attempt > 1:
        return True
    return known.refused is not None and not known.hinted and sent.details == known.details


def _retry(known: Attempts, again: Mark, sent: RequestSent, bounds: Bounds) -> TooSoon:
    gap, ceiling = bounds.retry_gap_seconds, bounds.retry_gap_ceiling_seconds
    least = min(gap * bounds.retry_growth**known.retries, max(ceiling, gap))
    retry = TooSoon(sent, known, again, 0, least)
    return retry._replace(gap=again.at - retry.since.at)


def _answered(state: Hammering, now: Moment) -> None:
    """An answer that the device can use ends its attempts; any other dates its next one."""
    exchange, answer = now.exchange, now.event
    if exchange is None:
        return
    sent, asked, mark = exchange.sent, exchange.request, exchange.answer
    assert sent is not None, "it is answered"
    assert asked is not None, "it is answered"
    assert mark is not None, "it is answered"
    if answer.accepted:
        _accepted(state, asked)
    _refused(state, sent, asked, mark, answer)
    _settle(state, now.limits)
    question = QuestionKey.of(asked)
    known = state.attempts.get(question)
    if known is None:
        return
    if answer.accepted or (question.execution is not None and permanent(answer.code) is not None):
        state.attempts = state.attempts.without(question)
        return
    if known.last.n != sent.n:
        return
    left = exchange.answered
    at = mark.at if left is None or mark.source != left.mark.source else left.mark.at
    known = known._replace(refused=(mark._replace(at=at), answer.code))
    state.attempts = state.attempts.put(question, known)


def _refused(state: Hammering, sent: Mark, asked: RequestSent, mark: Mark, answer: AnswerReceived) -> None:
    """With what an answer says of what was refused before, or refuses itself."""
    if answer.accepted and answer.execution is not None:
        key = answer.execution
        is_another = answer.status == Status.QUEUED and key in state.begun
        # QUEUED again: another execution, and a version refused over HTTP is called a fault of content.
        _void(state, key, FACTS | CONTENT if is_another else FACTS, sent.n)
        begun = tuple(each for each in state.begun if each != key)
        state.begun = (*begun, key)[-QUESTIONS:] if answer.status == Status.IN_PROGRESS else begun
        return
    about = asked.execution
    if about is None:
        return
    if answer.accepted:
        if asked.status is not None:
            _void(state, about, OVER, sent.n)
        return
    if permanent(answer.code) is None:
        return
    if answer.code == ErrorCode.TERMINAL_STATE_REACHED:
        # It names no status; repeating the update is what makes the service name it.
        _void(state, about, frozenset({ErrorCode.VERSION_MISMATCH}), sent.n)
    elif answer.code == ErrorCode.VERSION_MISMATCH and answer.status in (Status.QUEUED, Status.IN_PROGRESS):
        _void(state, about, FACTS - {ErrorCode.VERSION_MISMATCH}, sent.n)
    which = QuestionKey.of(asked), asked.expected_version
    before = state.standing.get(which)
    if before is None:
        state.standing = state.standing.put(which, asked.client_token, QUESTIONS)
    elif state.refused[before].next is None:
        state.refused = state.refused.put(before, state.refused[before]._replace(next=Told(sent, mark)))
    state.refused = state.refused.put(asked.client_token, RefusedRequest(asked, sent, mark, answer.code))


def _void(state: Hammering, key: ExecutionKey, codes: frozenset[ErrorCode], asked_n: int) -> None:
    """Forget what was refused of `key` with one of `codes` before the device's entry `asked_n`."""
    if not state.standing:
        return

    def stands(_which: tuple[QuestionKey, int | None], token: str) -> bool:
        refused = state.refused[token]
        is_void = refused.code in codes or (codes >= FACTS and refused.can_mean_the_version)
        return refused.asked.execution != key or not is_void or refused.answer.n > asked_n

    state.standing = state.standing.only(stands)


def rule(state: Hammering, subject: Subject) -> Ruling:
    """The same again after it was refused for good, too soon after it got no usable answer, or at once when accepted.

    For good: a request about one execution, refused with a code that does not pass, then sent again with the same
    kind, namespace, job id, execution, status and expected version. `$next`, start-next and get-pending name no
    execution: what they find changes, so asking them again is no such repetition.

    Too soon: the n-th attempt at a question after the first must wait, from the refusal or else from the attempt
    before, `retry_gap_seconds * retry_growth ** (n - 1)`, at most the ceiling; jitter may only add to that. A
    connection begins anew, and so does a hint if the device counts anew (`attempt` 1): it is a new reason to ask.
    Whoever restarts may ask everything once more.

    At once: an update that tells the very same of an execution, `BUSY_ATTEMPTS` times within `BUSY_MICROS`, each
    sent after the one before was accepted. The service knows that already. From the wire, what comes within
    `BUSY_MICROS` of the connection does not count: a client may have kept for it what it wrote while off line.

    From the wire both are seen: a request again that was refused, once the refusal was processed. The wait is counted
    from when the refusal left, so that it is no shorter than it looks; attempts that nobody answered are not judged,
    since the network may have held back the first, and a connection may be that of a device that has restarted. Of a
    device that is not ours, one repetition may cross with the refusal inside it: see `Limits.is_proof`; and where its
    bound asks for no wait, as full jitter has no least one, it is still too often to ask `BUSY_ATTEMPTS` times within
    `BUSY_MICROS`.

    An opportunity is each refusal for good, and each retry; of a device that is not ours, each execution that was taken
    from it, and each message of its that a fault with a name struck.
    """
    found = [_repeated(refused, subject.limits) for refused in state.refused.values()]
    ruling = state.before.but(*found)
    ruling = ruling._replace(held=ruling.held + state.in_time)
    ruling = ruling.but(*(_judged(retry, subject) for retry in state.too_soon), *map(_flood, state.too_often))
    record = subject.record
    return subject.by_occasions(ruling, record.taken + record.occasions.struck, "for-good")


def _repeated(refused: RefusedRequest, limits: Limits) -> Finding | None:
    if not refused.times or not limits.is_proof(refused.times, refused.again[0].at, refused.last):
        return None
    times = "again" if refused.times == 1 else f"again {refused.times} times"
    message = f"sent {_named(refused.asked)} {times} after it was refused for good ({refused.code})"
    return violated(_job(refused.asked), message, refused.sent, refused.answer, *refused.again)


def _flood(told: ToldAgain) -> Finding:
    seconds = (told.last.at - told.first.at) / 1_000_000
    message = f"sent {_named(told.asked)} {told.times} times within {seconds:.1f} s, the same each time, and accepted"
    return violated(_job(told.asked), message, told.first, told.last)


def _judged(retry: TooSoon, subject: Subject) -> Finding:
    refused, last, gap = retry.attempts.refused, retry.attempts.last, retry.gap / 1_000_000
    if retry.is_busy:
        seconds = (retry.again.at - retry.attempts.first.at) / 1_000_000
        message = f"sent {_named(retry.asked)} {BUSY_ATTEMPTS} times within {seconds:.1f} s, each time after a refusal"
        code = f" ({refused[1]})" if refused else ""
        return violated(_job(retry.asked), f"{message}{code}: it does not back off", retry.attempts.first, retry.again)
    why = f"refused ({refused[1]})" if refused else "sent without an answer"
    sent = f"sent {_named(retry.asked)} again {gap:.3f} s after it was {why}"
    shown = (last, refused[0] if refused else None, retry.again)
    stalled = subject.course.lag.devices.before(retry.since.at)
    if retry.gap + TIMER_SLACK + stalled >= micros(retry.least):
        but = f"but its process had not run for {stalled / 1_000_000:.3f} s when it set that timer"
        return undecided(_job(retry.asked), f"{sent}; {but}", *shown)
    message = f"{sent}; retry {retry.attempts.retries + 1} must wait {retry.least:g} s"
    return violated(_job(retry.asked), message, *shown)


def _named(sent: RequestSent) -> str:
    return " ".join(part for part in (sent.request, sent.job_id, sent.status) if part)


def _job(sent: RequestSent) -> str | None:
    return sent.execution.job_id if sent.execution else None


READS: Final[Reads] = {
    AnswerReceived: _answered,
    DeviceBooted: _booted,
    DeviceConnected: _connected,
    HintReceived: _hinted,
    RequestSent: _asked,
}
