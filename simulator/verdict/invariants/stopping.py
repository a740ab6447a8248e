"""Whether a device stops in time when the record of its execution is removed."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from agent.device_events import HintReceived, StepStarted
from agent.values import ExecutionKey
from simulator.trace import ClientConnected, ClientDisconnected, ExecutionRemoved
from simulator.verdict.findings import Finding, Moment, Reads, Ruling, Subject, undecided, violated
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import omits
from simulator.verdict.seen import Mark
from simulator.verdict.state import State
from simulator.verdict.testimony import ConnectionChange, Forward

STEPS: Final = 64
LOSSES: Final = 16
HINTS: Final = 8
"""So many steps of an execution, removals, and notifications of one are remembered."""

Lateness: TypeAlias = Literal["certain", "possible", "lag", "no"]
WORST_FIRST: Final[tuple[Lateness, ...]] = ("certain", "possible", "lag", "no")
Span: TypeAlias = tuple[float, float | None]


class Begun(NamedTuple):
    """A step, with what the device knew of its execution and of its connection when it began."""

    mark: Mark
    step: str
    forward: Forward
    licence: int
    change: ConnectionChange | None


class Loss(NamedTuple):
    """A record that was removed in progress; when the thing was connected since, and what the device did and heard."""

    number: int
    removed: Mark
    key: ExecutionKey
    spans: tuple[Span, ...]
    steps: tuple[Begun, ...]
    hints: tuple[int, ...]


@dataclass(slots=True, unsafe_hash=True)
class Stopping(State):
    """What each execution was at, and which were removed."""

    steps: Map[ExecutionKey, tuple[Begun, ...]] = EMPTY
    hints: Map[ExecutionKey, tuple[int, ...]] = EMPTY
    losses: tuple[Loss, ...] = ()
    held: int = 0
    unknown: tuple[Mark, ...] = ()


def _connected(state: Stopping, now: Moment) -> None:
    if state.losses and (span := now.record.attendance.span):
        state.losses = tuple(_during(loss, span) for loss in state.losses)


def _begun(state: Stopping, now: Moment) -> None:
    key = now.event.execution
    heard = now.testimony.heard(key)
    change = heard.change_at_report if now.testimony.is_wire else now.testimony.change
    begun = Begun(now.mark, now.event.step, now.testimony.forward(key, now.record), heard.licence, change)
    state.steps = state.steps.put(key, (*state.steps.get(key, ()), begun)[-STEPS:], STEPS)
    if state.losses:
        state.losses = tuple(
            loss._replace(steps=(*loss.steps, begun)[:STEPS]) if loss.key == key else loss for loss in state.losses
        )


def _hinted(state: Stopping, now: Moment) -> None:
    hint, at = now.event, now.mark.at
    for key in state.steps:
        if omits(hint, key):
            state.hints = state.hints.put(key, (*state.hints.get(key, ()), at)[-HINTS:], STEPS)
    if state.losses:
        state.losses = tuple(
            loss._replace(hints=(*loss.hints, at)[: 2 * HINTS]) if omits(hint, loss.key) else loss
            for loss in state.losses
        )


def _during(loss: Loss, span: Span) -> Loss:
    """With how the connection stands now; of a span that is still open another may take the place."""
    spans = loss.spans
    if spans and (spans[-1][1] is None or spans[-1] == span):
        spans = spans[:-1]
    return loss._replace(spans=(*spans, span)[-STEPS:])


def _removed(state: Stopping, now: Moment) -> None:
    key, record = now.event.execution, now.record
    number = record.current[key]
    life = record.lives[number]
    if life.removed != now.mark or not life.lost_in_progress:
        return
    span = record.attendance.span
    # What began long before cannot be late, and is only in the way.
    offset = now.testimony.offset.agreed
    steps = tuple(each for each in state.steps.get(key, ()) if not offset.latest(each.mark.at) <= now.mark.at)
    loss = Loss(number, now.mark, key, (span,) if span else (), steps, state.hints.get(key, ()))
    if len(state.losses) == LOSSES:
        _forget(state, state.losses[0], now)
    state.losses = (*state.losses, loss)[-LOSSES:]


def _forget(state: Stopping, oldest: Loss, now: Moment) -> None:
    due, offset = oldest.removed.at + now.limits.detection, now.testimony.offset.agreed
    was_there = now.testimony.concerns(oldest.key) and _is_connected(oldest, now.record.tells_connections)
    surely = all(each.forward == "yes" or offset.latest(each.mark.at) <= due for each in oldest.steps)
    state.held += was_there and surely
    if was_there and not surely:
        state.unknown = (*state.unknown, oldest.removed)[:LOSSES]


def _is_connected(loss: Loss, told: bool) -> bool:
    """Whether the thing was connected at the removal or later; as always if nothing is told of that."""
    return not told or any(until is None or until >= loss.removed.at for _, until in loss.spans)


def rule(state: Stopping, subject: Subject) -> Ruling:
    """A new step, begun too long after the record was removed, while connected.

    The removal is on the cloud's clock and the step on the device's, so this goes by what the messages between them
    allow: violated only if the step was too late at the earliest instant that it can mean. A (re)connection starts
    the bound anew, on either side's account. A step that ran already may end. An opportunity is each removal of a
    record in progress of which the device has given any account, if it was connected then or later; if it is not ours,
    each of what it had begun, if it began something else after that.

    From the wire, a step is seen when a report is the first to name it, and began after the report before; reports on
    two executions that share an identity cannot be told apart.
    """
    found: list[Finding | None] = []
    for loss in sorted(state.losses, key=lambda loss: loss.number):
        if not subject.testimony.concerns(loss.key) or not _is_connected(loss, subject.record.tells_connections):
            continue
        if subject.is_wire and subject.is_shared(loss.key):
            why = "two executions share this identity, and the wire does not tell reports on them apart"
            found.append(undecided(loss.key.job_id, why, loss.removed))
        else:
            found.append(_stop(loss, subject))
    why = "what it did since is not remembered: too many were removed"
    doubts = (undecided(None, why, removed) for removed in state.unknown)
    return subject.by_occasions(Ruling(state.held).but(*found, *doubts), subject.record.overcome)


def _stop(loss: Loss, subject: Subject) -> Finding | None:
    finding, job = None, loss.key.job_id
    bound, seconds = subject.limits.detection, subject.limits.bounds.detection_seconds
    is_shared = subject.is_shared(loss.key)
    for begun in loss.steps:
        if begun.forward == "yes" or (begun.forward == "if-shared" and is_shared):
            continue
        if is_shared and begun.licence > loss.removed.n:
            continue  # without a second one of this identity, the answer was just stale
        late = _lateness(loss, begun, bound, subject)
        step = begun.step
        if late == "certain":
            message = f"started step '{step}' more than {seconds:g} s after the record was removed, while connected"
            return violated(job, message, loss.removed, begun.mark)
        if late == "possible":
            why = f"whether step '{step}' began within the bound, the clocks leave open"
            finding = undecided(job, why, loss.removed, begun.mark)
        elif late == "lag" and not _heard_in_time(loss, begun, bound, subject):
            offset = subject.offset
            lost = subject.course.lag.between(offset, loss.removed.at, offset.latest(begun.mark.at))
            why = f"started step '{step}' more than {seconds:g} s after the record was removed, but {lost}"
            finding = undecided(job, why, loss.removed, begun.mark)
    return finding


def _heard_in_time(loss: Loss, begun: Begun, bound: int, subject: Subject) -> bool:
    """Whether the device, by its own account, could not know sooner: what the service said of it was on its way.

    It had heard of it for no longer than the bound when the step began, or heard of it only then.
    """
    after = loss.removed.at - subject.offset.highest
    heard = next((at for at in loss.hints if at >= after), None)
    return heard is not None and begun.mark.at - heard <= bound


def _lateness(loss: Loss, begun: Begun, bound: int, subject: Subject) -> Lateness:
    """Whether a step began more than `bound` after the removal.

    `possible` if the clocks leave it open, `lag` if only with time in which the processes did not run.
    """
    at, removed_at, offset = begun.mark.at, loss.removed.at, subject.offset
    if begun.change is not None and (not begun.change[1] or at - begun.change[0].at <= bound):
        return "no"
    earliest, latest = offset.earliest(at), offset.latest(at)
    spans: tuple[Span, ...] = loss.spans if subject.record.tells_connections else ((float("-inf"), None),)
    found: set[Lateness] = {"no"}
    for start, end in spans:
        until = float("inf") if end is None else end
        due = max(removed_at, start) + bound
        if not (latest > due and earliest < until):
            continue
        due += subject.course.lag.between(offset, max(removed_at, start), latest).whole
        if earliest > due and latest <= until:
            found.add("certain")
        else:
            found.add("possible" if latest > due else "lag")
    return next(late for late in WORST_FIRST if late in found)


READS: Final[Reads] = {
    StepStarted: _begun,
    HintReceived: _hinted,
    ExecutionRemoved: _removed,
    ClientConnected: _connected,
    ClientDisconnected: _connected,
}
