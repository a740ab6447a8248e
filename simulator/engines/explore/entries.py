"""A path as a trace: what was told on the way, which the judge of any run takes in.

Times are made up (`made_up_time`). A path that could go on by itself, away from home, is no whole run: it has no end.

Tokens are called anew in a world after every step (see `tokens`). In a trace each has a name of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from typing import Final, TypeAlias

from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceDisconnected,
    ExecutionGone,
    JournalWritten,
    RequestSent,
)
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.device import Told
from simulator.engines.explore.made_up_time import TIMELESS, MadeUpTime, duration
from simulator.engines.explore.setup import FW, NEXT_JOB, Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.tokens import Tokens
from simulator.engines.explore.world import Transition, ending, played, system_of
from simulator.trace import (
    CLOUD,
    CONTROLLER,
    ENGINE,
    AccountEnded,
    CloudListening,
    DeletionAccepted,
    DeletionRequested,
    Entry,
    Event,
    RequestAnswered,
    RequestReceived,
    RunStarted,
    device_source,
)

OPERATIONS: Final = {
    "delete": "delete-job",
    "cancel": "cancel-job",
    "delete execution": "delete-execution",
}
WITH_TOKEN: TypeAlias = RequestSent | AnswerReceived | AnswerUnreadable | RequestReceived | RequestAnswered


def entries_of(setup: Setup, path: Iterable[Choice], *, why: str = "explored") -> Iterator[Entry]:
    """The trace of a path from the beginning. Raises ValueError at a choice that cannot happen."""
    return told_on_the_way(system_of(setup), path, why)


def told_on_the_way(system: System, path: Iterable[Choice], why: str = "explored") -> Iterator[Entry]:
    """The same in a system that is there."""
    return told_of(system, played(system, path), why)


def told_of(system: System, transitions: Iterable[Transition], why: str = "explored") -> Iterator[Entry]:
    """The trace of a path that was played."""
    scribe, world = Scribe(system), system.first()
    yield from scribe.beginning()
    for transition in transitions:
        yield from scribe.transition(transition, why)
        world = transition.world
    yield from scribe.ended(world)


def started(setup: Setup) -> RunStarted:
    """What the run of a world begins with."""
    names, policy = tuple(seat.name for seat in setup.seats), setup.device_policy(setup.seats[0])
    waits = {name: policy.leap_deadline for name in names if setup.leap_when_unreachable == "proceed"}
    has_others = setup.bounds.allows("other-namespace") and setup.devices != "two namespaces"
    shared = {seat.name: (seat.thing, seat.namespace) for seat in setup.seats}
    return RunStarted(
        "explored",
        "explore",
        names,
        TIMELESS.model_dump(mode="json"),
        finish_after_switch=names if setup.policy == "finish-after-switch" else (),
        leap_unanswered=waits,
        shared=shared if len(setup.things) < len(names) else {},
        jobs=(FW, NEXT_JOB) if has_others else (),
        one_clock=True,
    )


class Scribe:
    """Tells a path step by step: numbers entries, makes up times, and gives tokens names."""

    def __init__(self, system: System) -> None:
        setup = system.setup
        self._system = system
        self._sources = tuple(device_source(seat.name) for seat in setup.seats)
        self._numbers = Counter[str]()
        self._time = MadeUpTime()
        self._policy = setup.device_policy(setup.seats[0])
        self._names: list[dict[str, str]] = [{} for _ in setup.seats]
        self._minted = 0

    def fork(self) -> "Scribe":
        """Another that has told the same; what either tells from now on is nothing to the other."""
        twin = copy(self)
        twin._numbers, twin._time, twin._names = self._numbers.copy(), copy(self._time), list(self._names)
        return twin

    def beginning(self) -> Iterator[Entry]:
        """All that is told before the first transition."""
        yield self._write(ENGINE, started(self._system.setup))
        yield self._write(CLOUD, CloudListening({}))
        for side, by_cloud, by_device, tokens in self._system.told_before:
            yield from self._write_all(side, by_cloud, by_device)
            self._calls(side, tokens)

    def ended(self, world: World) -> Iterator[Entry]:
        """How a run ends that has come there, if it has: its account after a long rest, when who runs is stopped."""
        ended = ending(self._system, world)
        if ended is None:
            return
        yield self._write(ENGINE, ended)
        self._time.rests()
        yield self._write(CLOUD, AccountEnded())
        for source, side in zip(self._sources, world.sides, strict=True):
            if side.device.machine is not None:
                yield self._write(source, DeviceDisconnected("stopped", planned=True))

    def _write(self, source: str, event: Event) -> Entry:
        self._numbers[source] += 1
        return self._time.told(Entry(source, self._numbers[source], 0.0, event))

    def transition(self, transition: Transition, why: str) -> Iterator[Entry]:
        """All that a transition tells."""
        choice = transition.choice
        operation = OPERATIONS.get(choice.do)
        if choice.do == "timer":
            self._time.passes(duration(self._policy, choice.what))
        if operation is not None:
            yield self._write(CONTROLLER, DeletionRequested(choice.what, True, why, operation))
        yield from self._write_all(transition.side, transition.told_by_cloud, transition.told_by_device)
        if operation is not None:
            yield self._write(CONTROLLER, DeletionAccepted(choice.what, operation))
        for side, tokens in enumerate(transition.tokens):
            self._calls(side, tokens)

    def _calls(self, side: int, tokens: Tokens) -> None:
        """What the tokens of a side are called from now on, which are in the trace what they are."""
        names = {called: self._names[side].get(token, token) for token, called in tokens}
        self._names[side] = names

    def _write_all(self, side: int | None, by_cloud: Iterable[Event], by_device: Iterable[Told]) -> Iterator[Entry]:
        """What the cloud tells, and then the device."""
        for event in by_cloud:
            yield self._write(CLOUD, event if side is None else self._named(event, side))
        for told in by_device:
            assert side is not None, "somebody tells it"
            yield self._write(self._sources[side], self._named(told, side))
            if isinstance(told, JournalWritten):
                self._time.writes_down()

    def _named(self, event: Event, side: int) -> Event:
        if isinstance(event, RequestSent):
            self._minted += 1
            self._names[side] = self._names[side] | {event.client_token: f"token-{self._minted}"}
        if isinstance(event, ExecutionGone) and event.learned_from in self._names[side]:
            return replace(event, learned_from=self._names[side][event.learned_from])
        if isinstance(event, WITH_TOKEN) and event.client_token:
            return replace(event, client_token=self._names[side][event.client_token])
        return event
