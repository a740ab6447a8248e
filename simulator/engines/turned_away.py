"""Devices that ask for more than the quota allows: while all that comes of it is that they ask again, none is played.

A fleet that is beyond its quota puts each question hundreds of times. Through agent, network and service that is ten
events each time, of which nothing remains but that there was one more:

    played       timer ─► request ─5 ms─► refused ─5 ms─► answer ─► a wait, with jitter ─► timer
    turned away  timer ─► is the quota of then spent already? one more; the same wait, with the same jitter ─► timer

It is certain before the request leaves: what others ask in those 5 ms spends more of the quota, and nothing gives it
back. What the device is after that, and how long it waits, is what its own step says, which is pure. Whatever else
happens to it, and every request that may be answered, is played. One thing differs: who is told something in the 10 ms
in which a request and its refusal would be under way has been refused already.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Protocol, runtime_checkable

from agent.core.events import (
    Answered,
    CancelTimer,
    Effect,
    Event,
    Publish,
    SetTimer,
    Tell,
    TimerFired,
    TimerName,
)
from agent.core.record import Record
from agent.correlation import Correlated
from agent.device_events import AnswerReceived, DeviceEvent
from agent.incoming import Reading
from agent.jitter import Jitter
from agent.loop_time import Time
from agent.runner import Runner, Transport, Workbench
from agent.values import ErrorCode, Rejected, Request
from simulator.cloud.jobs.quotas import RATE_EXCEEDED
from simulator.engines.memoised_steps import StepFunction

LIMIT: Final = 32_000
"""So many are remembered of one kind of device; then all are forgotten."""
SECONDS: Final = (1_700_000_000, 1_700_000_001)
"""At which a refusal is tried: it must not matter when it comes."""


@runtime_checkable
class Gate(Transport, Protocol):
    """A connection that knows beforehand what is refused."""

    def refused_at(self, request: Request) -> float | None:
        """When a request that left now would be answered that it is one too many; it counts as one that was.

        None: that is not certain, so it has to be asked.
        """


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that is put when a timer is due, and refused: the device that results, and its wait until the next.

    Timers that are `cancelled` come no more.
    """

    question: Publish
    cancelled: tuple[TimerName, ...]
    wait: SetTimer
    after: Any


class Refusals:
    """Of devices with one step, which remembers what it did: by the identity of a state, which is held here."""

    def __init__(self, step: StepFunction) -> None:
        self._step = step
        self._known: dict[tuple[int, TimerName], tuple[Any, Refusal | None]] = {}

    def of(self, state: Any, timer: TimerName) -> Refusal | None:
        """What comes of a timer; None if it is more than that, or something else."""
        known = self._known.get((id(state), timer))
        if known is None:
            if len(self._known) >= LIMIT:
                self._known.clear()
            known = self._known[id(state), timer] = state, self._learn(state, timer)
        return known[1]

    def _learn(self, state: Any, timer: TimerName) -> Refusal | None:
        asking, effects = self._step(state, TimerFired(timer))
        question = _only(effects, Publish)
        if question is None or not all(map(_is_of_asking, effects)):
            return None
        answers = [Answered(Rejected(second, ErrorCode.REQUEST_THROTTLED, RATE_EXCEEDED)) for second in SECONDS]
        (after, then), (other, others) = (self._step(asking, answer) for answer in answers)
        wait = _only(then, SetTimer)
        if wait is None or other != after or _without_tells(others) != _without_tells(then):
            return None
        cancelled = dict.fromkeys(each.name for each in (*effects, *then) if isinstance(each, CancelTimer))
        if not all(map(_is_of_waiting, then)) or not _timers(effects) <= cancelled.keys():
            return None
        return Refusal(question, tuple(cancelled), wait, after)


def _only(effects: tuple[Effect, ...], kind: type[Any]) -> Any:
    found = [each for each in effects if type(each) is kind]
    return found[0] if len(found) == 1 else None


def _timers(effects: tuple[Effect, ...]) -> set[TimerName]:
    return {each.name for each in effects if isinstance(each, SetTimer)}


def _is_of_asking(effect: Effect) -> bool:
    return isinstance(effect, Publish | CancelTimer | SetTimer)


def _is_of_waiting(effect: Effect) -> bool:
    if isinstance(effect, Tell):
        return isinstance(effect.event, AnswerReceived)
    return isinstance(effect, SetTimer | CancelTimer)


def _without_tells(effects: tuple[Effect, ...]) -> list[Effect]:
    return [each for each in effects if not isinstance(each, Tell)]


@cache
def refusals(step: StepFunction) -> Refusals:
    """Those of devices with that step."""
    return Refusals(step)


class TurnedAway(Runner[Correlated[Any]]):
    """Runs a device that is refused unplayed. `core` is what its step is around."""

    __slots__ = ("_gate", "_last", "_refusals", "_times")

    def __init__(
        self,
        core: StepFunction,
        *,
        thing: str,
        machine: Correlated[Any],
        step: StepFunction,
        transport: Gate,
        workbench: Workbench,
        rng: Jitter,
        observe: Callable[[DeviceEvent], None],
        remember: Callable[[Record], None],
        time: Time,
        read: Reading,
    ) -> None:
        super().__init__(
            thing=thing,
            machine=machine,
            step=step,
            transport=transport,
            workbench=workbench,
            rng=rng,
            observe=observe,
            remember=remember,
            time=time,
            read=read,
        )
        self._gate = transport
        self._refusals = refusals(core)

        self._last: Refusal | None = None
        self._times = 0

    def feed(self, event: Event) -> None:
        """See Runner."""
        if self._times:
            self._account()
        super().feed(event)

    def _fire(self, name: TimerName) -> None:
        refusal = self._refusals.of(self.machine.machine, name)
        if refusal is None or (answered_at := self._gate.refused_at(refusal.question.request)) is None:
            super()._fire(name)
            return
        if refusal is not self._last:
            self._account()
            self._last = refusal
            self.machine = Correlated(refusal.after, self.machine.correlation)
        self._times += 1
        for cancelled in refusal.cancelled:
            self._due.pop(cancelled, None)
        wait = refusal.wait
        seconds = wait.after_seconds + (wait.spread_seconds * self._rng.random() if wait.spread_seconds else 0.0)
        self._due[wait.name] = answered_at + seconds

    def _account(self) -> None:
        """Whoever looks again finds each question counted that was put meanwhile."""
        if (refusal := self._last) is not None:
            known, others = self.machine.correlation, self._times - 1
            known = replace(known, sent=known.sent + others, attempt=known.attempt + others)
            correlation, *_ = known.write(refusal.question)
            self.machine = Correlated(self.machine.machine, correlation)
            self._last, self._times = None, 0
