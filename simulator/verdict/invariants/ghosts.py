"""Work for executions that are over: what ghosts do."""

from collections.abc import Iterator

from agent.account import (
    DeviceConnected,
    DeviceDisconnected,
    RequestSent,
    StepStarted,
)
from agent.values import ExecutionKey
from simulator.trace import ExecutionQueued, ExecutionRemoved
from simulator.verdict.findings import HELD, Finding, Run, undecided, violated
from simulator.verdict.history import Exchange, Seen, micros
from simulator.verdict.story import News, Says, Story

OVER: frozenset[Says] = frozenset({"gone", "reported", "terminal"})


def no_ghost_work(story: Story, _run: Run) -> Iterator[Finding]:
    """A step of an execution that the device has been told is over.

    Told means that the device itself processed the answer. Undoing steps is recovery, and no work; so is finishing
    forward what has passed the point of no return. An opportunity is each time that a device was told.

    From the wire, a step is seen when a report is the first to name it; it began after the report before, so that one
    must have left after the device was told. And it must have reported on the execution before, on the connection on
    which it was told: who has just come back may send what it had not been able to send.
    """
    accused: dict[tuple[ExecutionKey, int], Seen[StepStarted]] = {}
    for begun in story.device.of(StepStarted):
        key = begun.event.execution
        if not story.finishes_forward(begun) and (news := story.told(key, begun.n, enough=OVER)):
            accused.setdefault((key, news.answer.n), begun)
    for key, news in story.ends_told(enough=OVER):
        step = accused.get((key, news.answer.n))
        if step is not None and (story.wire is None or _had_reported(story, key, news)):
            message = f"started step '{step.event.step}' although told before that the execution is {_told(news)}"
            yield violated(key.job_id, message, news.sent, news.answer, step)
        else:
            yield HELD


def _had_reported(story: Story, key: ExecutionKey, news: News) -> bool:
    """Whether the device had sent an update about `key` since it connected and before it asked what `news` answers."""
    connections = [seen.n for seen in story.device.of(DeviceConnected) if seen.n < news.sent.n]
    since = connections[-1] if connections else 0
    updates = (seen for seen in story.device.of(RequestSent) if seen.event.request == "update")
    return any(since < seen.n < news.sent.n and seen.event.execution == key for seen in updates)


def no_ghost_update(story: Story, _run: Run) -> Iterator[Finding]:
    """An update for an execution that the device has been told is over.

    A request that left before the answer was processed was in flight, and does not count; the trace names each
    request once, so DUP resends do not count either. TerminalStateReached does not forbid updates: it hides which
    terminal state it was, and repeating the update is how a device finds out.

    From the wire it is the same, once the answer has certainly been processed. An update that arrives after the job id
    has been used again may be meant for the new execution, and does not count.
    """
    accused: dict[tuple[ExecutionKey, int], list[Seen[RequestSent]]] = {}
    for sent in story.device.of(RequestSent):
        key = sent.event.execution
        if sent.event.request == "update" and key and (news := story.told(key, sent.n)):
            accused.setdefault((key, news.answer.n), []).append(sent)
    for key, news in story.ends_told():
        if updates := accused.get((key, news.answer.n)):
            message = f"sent {_count(len(updates), 'update')} although told before that the execution is {_told(news)}"
            yield violated(key.job_id, message, news.sent, news.answer, *updates[:5])
        else:
            yield HELD


def stops_in_time(story: Story, run: Run) -> Iterator[Finding]:
    """A new step, begun too long after the record was removed, while connected.

    The removal is on the cloud's clock and the step on the device's, so this goes by what the messages between them
    allow: violated only if the step was too late at the earliest instant that it can mean. A (re)connection starts
    the bound anew, on either side's account. A step that ran already may end. An opportunity is each removal of a
    record in progress of which the device has given any account, if it was connected then or later.

    From the wire, a step is seen when a report is the first to name it, and began after the report before; reports on
    two executions that share an identity cannot be told apart.
    """
    for life in story.lives:
        removed = life.removed
        if removed is None or not life.lost_in_progress or not story.concerns(life.key):
            continue
        if any(end >= removed.at for _, end in story.connected_spans):
            alike = story.wire is not None and story.shared(life.key)
            why = "two executions share this identity, and the wire does not tell reports on them apart"
            yield undecided(life.key.job_id, why, removed) if alike else _stop(story, life.key, removed, run)


def _stop(story: Story, key: ExecutionKey, removed: Seen[ExecutionRemoved], run: Run) -> Finding:
    finding = HELD
    bound = micros(run.bounds.detection_seconds)
    for step in story.device.of(StepStarted):
        if step.event.execution != key or story.finishes_forward(step):
            continue
        if story.shared(key) and _licensed(story, key, step.n, removed.n):
            continue  # without a second one of this identity, the answer was just stale
        late = _lateness(story, removed.at, step, bound)
        if late == "certain":
            message = (
                f"started step '{step.event.step}' more than {run.bounds.detection_seconds:g} s after "
                "the record was removed, while connected"
            )
            return violated(key.job_id, message, removed, step)
        if late == "possible":
            why = f"whether step '{step.event.step}' began within the bound, the clocks leave open"
            finding = undecided(key.job_id, why, removed, step)
    return finding


def _lateness(story: Story, removed_at: int, step: Seen[StepStarted], bound: int) -> str:
    """Whether a step began more than `bound` after the removal: `certain`, `possible` or `no`."""
    connected: Seen[DeviceConnected | DeviceDisconnected] | None = None
    changes: tuple[Seen[DeviceConnected | DeviceDisconnected], ...] = (
        *story.device.of(DeviceConnected),
        *story.device.of(DeviceDisconnected),
    )
    for change in changes:
        if change.n < step.n and (connected is None or change.n > connected.n):
            connected = change
    if connected is not None and (isinstance(connected.event, DeviceDisconnected) or step.at - connected.at <= bound):
        return "no"
    earliest, latest = story.offset.earliest(step.at), story.offset.latest(step.at)
    possible, certain = False, False
    for start, end in story.connected_spans:
        due = max(removed_at, start) + bound
        possible = possible or (latest > due and earliest < end)
        certain = certain or (earliest > due and latest <= end)
    return "certain" if certain else "possible" if possible else "no"


def _licensed(story: Story, key: ExecutionKey, before: int, since: int) -> bool:
    """Whether the device, before its entry `before`, read an answer naming `key` from after the cloud's `since`.

    Then it may well mean a new execution that was queued within the same second as the last.
    """
    for news in story.signs_of_life(key, before):
        exchange = story.exchanges[news.sent.event.client_token]
        if exchange.answered is not None and exchange.answered.n > since:
            return True
    return False


def no_cross_incarnation(story: Story, _run: Run) -> Iterator[Finding]:
    """An update meant for one execution, accepted by a later one of the same job id.

    Asking after one and being told another is how a device learns, so only updates count, and only if the two
    could be told apart: with `expectedVersion` a device has done what the wire offers, as long as it had heard
    nothing of the first one's end. Two that were queued within the same second share an identity: undecided.

    An opportunity is each time that a job id is used again after the device sent updates for its last use.

    From the wire, an update was meant for the first if nothing that the service said could have told the device of the
    second: no answer, and no notification that it may have heard.
    """
    updates = [exchange for exchange in story.exchanges.values() if exchange.sent.event.request == "update"]
    for queued, earlier in _reuses(story):
        meant = [exchange for exchange in updates if exchange.sent.event.execution in earlier]
        if meant and story.wire is not None and any(_may_cross(story, queued, update) for update in updates):
            why = "whether an update that it accepted was meant for it, or for one before, the wire does not show"
            yield undecided(queued.event.execution.job_id, why, queued)
        elif meant:
            yield _crossing(story, queued, meant)


def _may_cross(story: Story, queued: Seen[ExecutionQueued], update: Exchange) -> bool:
    """Whether one that the later execution accepted may have been meant for another, as the wire shows it."""
    sent, later = update.sent, queued.event.execution
    accepted = update.answered is not None and update.answered.event.accepted
    if not accepted or sent.event.execution != later or sent.event.expected_version is not None:
        return False
    return not _licensed(story, later, sent.n, queued.n)


def _crossing(story: Story, queued: Seen[ExecutionQueued], meant: list[Exchange]) -> Finding:
    """What became, once `queued`, of the updates that were meant for the incarnations before it."""
    finding, later = HELD, queued.event.execution
    for exchange in meant:
        answered, sent = exchange.answered, exchange.sent
        if answered is None or not answered.event.accepted or answered.n < queued.n:
            continue
        if answered.event.execution != later:
            continue
        if sent.event.execution == later:
            if not _licensed(story, later, sent.n, queued.n):
                finding = undecided(later.job_id, "two executions share this identity", queued, sent)
        elif sent.event.expected_version is not None and not _knew_better(story, sent):
            why = "its update for an earlier execution was accepted by a later one, of which it could not know"
            finding = undecided(later.job_id, why, queued, sent)
        else:
            message = f"its update to {sent.event.status} for an earlier execution was accepted by a later one"
            return violated(later.job_id, message, queued, sent, exchange.received, answered)
    return finding


def _knew_better(story: Story, sent: Seen[RequestSent]) -> bool:
    key = sent.event.execution
    return key is not None and story.told(key, sent.n, enough=OVER | {"superseded"}) is not None


def _reuses(story: Story) -> Iterator[tuple[Seen[ExecutionQueued], set[ExecutionKey]]]:
    """The queueing of each incarnation, with the identities that its job id had before on this thing."""
    before: dict[tuple[str | None, str], set[ExecutionKey]] = {}
    for life in story.lives:
        earlier = before.setdefault((life.key.namespace_id, life.key.job_id), set())
        if earlier and life.queued is not None:
            yield life.queued, set(earlier)
        earlier.add(life.key)


def _told(news: News) -> str:
    answer = news.answer.event
    if answer.accepted:
        return "replaced by a later one"
    return f"over ({answer.code}{f', {answer.status}' if answer.status else ''})"


def _count(number: int, noun: str) -> str:
    return f"an {noun}" if number == 1 else f"{number} {noun}s"
