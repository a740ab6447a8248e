"""What one device did and heard of the executions whose places a run is to reach: a monitor like any other."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
)
from agent.values import ErrorCode, ExecutionKey, Status
from simulator.trace import TERMINAL, RequestAnswered, RequestReceived
from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import Moment, Reads
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import GONE, omits
from simulator.verdict.model import PlaceName
from simulator.verdict.seen import Mark
from simulator.verdict.state import State

AFTER_JOURNAL: Final = "journal synced"
"""The instant at which a record is durable, and nothing that follows from it has been done."""

EXECUTIONS: Final = 32
DEEDS: Final = 64
"""So many executions, and so many deeds of each kind for one, are remembered."""

HintKind: TypeAlias = Literal["notify", "notify-next", "notify-documented"]


class Stretch(NamedTuple):
    """A step from its beginning to what ended it, its own end or that of all that runs, and to the next boot."""

    step: str
    start: Mark
    reversible: bool
    end: Mark | None = None
    boot: Mark | None = None


class Inquiry(NamedTuple):
    """A question whether an execution still stands."""

    token: str
    sent: Mark
    answer: Mark | None = None


@dataclass(slots=True, unsafe_hash=True)
class Deeds(State):
    """What a device did for one execution, and heard of it."""

    began_n: float = inf
    leapt_n: float = inf
    """The numbers of its first step, and of its first irreversible one."""
    asked: tuple[Inquiry, ...] = ()
    failed: tuple[str, ...] = ()
    reported_at: int | None = None
    """When a report of its end left first."""
    gone: tuple[Mark, ...] = ()
    """When the service said that it knows none."""
    listed: tuple[HintKind, ...] = ()
    omitted: tuple[HintKind, ...] = ()
    """By which notifications it was left out, after the device knew of it."""
    is_known: bool = False
    announced: bool = False
    """A notification named it although the device had been told that it is gone."""
    was_taken: bool = False
    version: str | None = None
    """What ran when it was taken for the first time."""
    is_rebooting: bool = False
    rolled_back: bool = False
    failed_unchanged: bool = False
    power_lost: tuple[tuple[str | None, str], ...] = ()
    """In which step the power went, with it in hand or just left, and at which instant."""
    power_lost_before_publishing: bool = False
    throttled: bool = False
    arrived_twice: bool = False
    found_n: int = 0
    """The cloud's number of the last answer that found it and was heard."""


@dataclass(slots=True, unsafe_hash=True)
class Whereabouts(State):
    """By execution; and what the device was at."""

    deeds: Map[ExecutionKey, Deeds] = EMPTY
    step: tuple[ExecutionKey, str] | None = None
    is_open: bool = False
    """The step that last began has not ended, nor has anything that ends all."""
    is_idle: bool = True
    """Some step has ended since it began."""
    left: tuple[ExecutionKey, ...] = ()
    """Executions that it left without asking for anything since: its journal need not know of it yet."""
    version: str | None = None
    outages: tuple[tuple[Mark, Mark | None], ...] = ()
    steps: Map[ExecutionKey, tuple[Stretch, ...]] = EMPTY
    arrived: Map[ExecutionKey, int] = EMPTY
    """The cloud's number of the last update that arrived, by the execution that it was meant for."""
    nothing: tuple[tuple[str | None, int], ...] = ()
    """The namespaces and the cloud's numbers of answers that there is no work."""

    def of(self, key: ExecutionKey) -> Deeds:
        """What was done for an execution."""
        return self.deeds.get(key, NOTHING)

    def put(self, key: ExecutionKey, **more: Any) -> None:
        """Note something that was done for an execution."""
        if key not in self.deeds:
            self.deeds = self.deeds.put(key, Deeds(), EXECUTIONS)
        self.deeds[key].becomes(**more)


NOTHING: Final = Deeds()


def _watched(state: Whereabouts, now: Moment, key: ExecutionKey, **more: Any) -> None:
    if key.job_id in now.limits.jobs:
        state.put(key, **more)


def _changed(state: Whereabouts, now: Moment) -> None:
    state.version = now.event.version


def _took(state: Whereabouts, now: Moment) -> None:
    mine = state.of(now.event.execution)
    version = mine.version if mine.was_taken else state.version
    _watched(state, now, now.event.execution, is_known=True, was_taken=True, version=version)


def _left(state: Whereabouts, now: Moment) -> None:
    state.left = (*state.left, now.event.execution)[-EXECUTIONS:]


def _began(state: Whereabouts, now: Moment) -> None:
    key, step, n = now.event.execution, now.event.step, now.mark.n
    state.step, state.is_open, state.is_idle = (key, step), True, False
    if key.job_id not in now.limits.jobs:
        return
    stretch = Stretch(step, now.mark, now.event.reversible)
    state.steps = state.steps.put(key, (*state.steps.get(key, ()), stretch)[-DEEDS:], EXECUTIONS)
    mine = state.of(key)
    leaps, reboots = not now.event.reversible and n < mine.leapt_n, step == "reboot" and not mine.is_rebooting
    if n < mine.began_n or leaps or reboots:
        leapt_n = n if leaps else mine.leapt_n
        rebooting = mine.is_rebooting or reboots
        state.put(key, began_n=min(mine.began_n, n), leapt_n=leapt_n, is_rebooting=rebooting)


def _ended(state: Whereabouts, now: Moment) -> None:
    key, step = now.event.execution, now.event.step
    state.is_idle = True
    if state.step == (key, step):
        state.is_open = False
    if (steps := state.steps.get(key)) is not None:
        mark = now.mark
        steps = tuple(each._replace(end=mark) if each.step == step and not each.end else each for each in steps)
        state.steps = state.steps.put(key, steps)
    failed = state.of(key).failed
    if now.event.outcome == "failed" and step not in failed:
        _watched(state, now, key, failed=(*failed, step)[:DEEDS])


def _lost_power(state: Whereabouts, now: Moment) -> None:
    instant = now.event.instant
    for key, mine in state.deeds.items():
        in_hand = key in now.testimony.in_hand
        if in_hand or key in state.left:
            runs = state.step[1] if state.step is not None and state.step[0] == key and state.is_open else None
            lost = (runs, instant)
            power_lost = mine.power_lost if lost in mine.power_lost else (*mine.power_lost, lost)[:DEEDS]
            unpublished = in_hand and instant == AFTER_JOURNAL and state.is_idle and mine.reported_at is None
            state.put(
                key,
                power_lost=power_lost,
                power_lost_before_publishing=mine.power_lost_before_publishing or unpublished,
            )
    _all_end(state, now.mark)
    state.outages = (*state.outages, (now.mark, None))[:DEEDS]


def _booted(state: Whereabouts, now: Moment) -> None:
    event = now.event
    state.version = event.version
    _all_end(state, now.mark)
    for key, mine in state.deeds.items():
        fell_back = mine.is_rebooting and event.version == mine.version and not event.on_trial
        if fell_back and key in now.testimony.in_hand and not mine.rolled_back:
            state.put(key, rolled_back=True)
    state.steps = state.steps.each(lambda steps: tuple(each._replace(boot=each.boot or now.mark) for each in steps))
    state.outages = tuple((lost, boot or now.mark) for lost, boot in state.outages)


def _all_end(state: Whereabouts, mark: Mark) -> None:
    state.steps = state.steps.each(lambda steps: tuple(each._replace(end=each.end or mark) for each in steps))
    state.is_open = False


def _asked(state: Whereabouts, now: Moment) -> None:
    event, mark, exchange = now.event, now.mark, now.exchange
    key, state.left = event.execution, ()
    if exchange is None:
        return
    if key is not None and key.job_id in now.limits.jobs:
        mine = state.of(key)
        if now.testimony.is_wire:
            _reports(state, now, key)
        if event.status in TERMINAL:
            at = mark.at if mine.reported_at is None else min(mine.reported_at, mark.at)
            version = mine.version if mine.was_taken else None
            unchanged = event.status == Status.FAILED and version is not None and state.version == version
            state.put(key, reported_at=at, failed_unchanged=mine.failed_unchanged or unchanged)
        elif event.request == "describe":
            state.put(key, asked=(*mine.asked, Inquiry(event.client_token, mark))[-DEEDS:])
    if exchange.received is not None or exchange.said:
        _joined(state, now, exchange)


def _reports(state: Whereabouts, now: Moment, key: ExecutionKey) -> None:
    """From the wire, a device is in a step from when it first names that, whenever the step began."""
    step = dict(now.event.details or ()).get(now.limits.step_key)
    steps = state.steps.get(key, ())
    if now.event.request == "update" and step is not None and all(each.step != step for each in steps):
        state.steps = state.steps.put(key, (*steps, Stretch(step, now.mark, reversible=True))[-DEEDS:], EXECUTIONS)


def _heard(state: Whereabouts, now: Moment) -> None:
    event, exchange = now.event, now.exchange
    if exchange is None:
        return
    key, answered = exchange.execution, exchange.answered
    if key in state.deeds and key is not None:
        mine = state.of(key)
        answer, token = now.mark, event.client_token
        asked = tuple(each._replace(answer=answer) if each.token == token else each for each in mine.asked)
        left_out = now.testimony.heard(key).omitted is not None
        throttled = event.code == ErrorCode.REQUEST_THROTTLED and left_out and key in now.testimony.in_hand
        if throttled or asked != mine.asked:
            state.put(key, asked=asked, throttled=mine.throttled or throttled)
    if answered is not None and answered.accepted and answered.execution is not None:
        found = max(state.of(answered.execution).found_n, answered.mark.n)
        _watched(state, now, answered.execution, found_n=found)


def _received(state: Whereabouts, now: Moment) -> None:
    updated = now.testimony.closed.get(now.event.client_token) if now.exchange is None else None
    if updated is not None and updated in state.deeds:
        state.put(updated, arrived_twice=True)
    _at_cloud(state, now)


def _at_cloud(state: Whereabouts, now: Moment) -> None:
    if now.exchange is not None and now.exchange.sent is not None:
        _joined(state, now, now.exchange)


def _joined(state: Whereabouts, now: Moment, exchange: Exchange) -> None:
    """With what both sides together say of a request."""
    key, answered, asked, received = exchange.execution, exchange.answered, exchange.request, exchange.received
    assert asked is not None, "it was sent"
    if key is not None and key.job_id in now.limits.jobs:
        mine = state.of(key)
        if exchange.is_update and received is not None and received.n > state.arrived.get(key, 0):
            state.arrived = state.arrived.put(key, received.n, EXECUTIONS)
        if exchange.is_update and exchange.arrivals > 1:
            state.put(key, arrived_twice=True)
        if answered is not None and answered.code == ErrorCode.RESOURCE_NOT_FOUND and answered.mark not in mine.gone:
            state.put(key, gone=(*mine.gone, answered.mark)[:DEEDS])
    if key is None and asked.request == "describe" and answered is not None:
        nothing = (asked.namespace_id, answered.mark.n)
        if answered.accepted and answered.execution is None and nothing not in state.nothing:
            state.nothing = (*state.nothing, nothing)[-DEEDS:]


def _hinted(state: Whereabouts, now: Moment) -> None:
    hint = now.event
    kind = hint.hint
    for key, mine in state.deeds.items():
        if mine.is_known and omits(hint, key) and kind not in mine.omitted:
            state.put(key, omitted=(*mine.omitted, kind))
    for key in hint.listed:
        if key.job_id in now.limits.jobs:
            mine = state.of(key)
            listed = mine.listed if kind in mine.listed else (*mine.listed, kind)
            announced = mine.announced or now.testimony.heard(key).standing[GONE] is not None
            state.put(key, listed=listed, is_known=True, announced=announced)


READS: Final[Reads] = {
    AnswerReceived: _heard,
    DeviceBooted: _booted,
    ExecutionLeft: _left,
    ExecutionTaken: _took,
    HardwareChanged: _changed,
    HintReceived: _hinted,
    PowerLost: _lost_power,
    RequestSent: _asked,
    StepFinished: _ended,
    StepStarted: _began,
    RequestAnswered: _at_cloud,
    RequestReceived: _received,
}
"""Relies on the device's own order, and on tokens for what the service received and said."""

STEPS = (StepStarted, StepFinished, PowerLost, DeviceBooted)

READ_FOR: Final[dict[PlaceName, tuple[type, ...]]] = {
    "deletion-refused": (),
    "fault-struck": (),
    "deleted-before-start": (),
    "deleted-while-offline": (),
    "deleted-beside-another": (),
    "recovered": (),
    "succeeded": (),
    "reused-id": (),
    "deleted-in-step": (*STEPS, RequestSent, RequestAnswered),
    "cancelled-in-step": (*STEPS, RequestSent),
    "deleted-after-leap": STEPS,
    "deleted-while-rebooting": STEPS,
    "deleted-while-powerless": STEPS,
}
"""What must be read for a place; for all others, everything. The cloud's record alone shows the first ones."""


def reads_for(places: Iterable[PlaceName]) -> frozenset[type]:
    """What must be read for these places."""
    return frozenset(kind for place in places for kind in READ_FOR.get(place, READS))
