"""A path as a trace: what was told on the way, which the judge of any run takes in.

Times are made up (`made_up_time`). A path that could go on by itself, away from home, is no whole run: it has no end.

Tokens are called anew in a world after every step (see `tokens`). In a trace each has a name of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from agent.device_events import AnswerReceived, AnswerUnreadable, ExecutionGone, JournalWritten, RequestSent
from simulator.engines.explore.choice import Choice
from simulator.engines.explore.device import Told
from simulator.engines.explore.made_up_time import TIMELESS, MadeUpTime, duration
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
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
    scribe, world = _Scribe(system.setup), system.first()
    yield scribe.write(ENGINE, started(system.setup))
    yield scribe.write(CLOUD, CloudListening({}))
    for side, by_cloud, by_device, tokens in system.told_before:
        yield from scribe.write_all(side, by_cloud, by_device)
        scribe.calls(side, tokens)
    for transition in transitions:
        yield from scribe.transition(transition, why)
        world = transition.world
    ended = ending(system, world)
    if ended is not None:
        yield scribe.write(CLOUD, AccountEnded())
        yield scribe.write(ENGINE, ended)


def started(setup: Setup) -> RunStarted:
    """What the run of a world begins with."""
    names, policy = tuple(seat.name for seat in setup.seats), setup.device_policy(setup.seats[0])
    waits = {name: policy.leap_deadline for name in names if setup.leap_when_unreachable == "proceed"}
    shared = {seat.name: (seat.thing, seat.namespace) for seat in setup.seats}
    return RunStarted(
        "explored",
        "explore",
        names,
        TIMELESS.model_dump(mode="json"),
        finish_after_switch=names if setup.policy == "finish-after-switch" else (),
        leap_unanswered=waits,
        shared=shared if len(setup.things) < len(names) else {},
        one_clock=True,
    )


class _Scribe:
    """Numbers entries, makes up times, and gives tokens names."""

    def __init__(self, setup: Setup) -> None:
        self._sources = tuple(device_source(seat.name) for seat in setup.seats)
        self._numbers = Counter[str]()
        self._time = MadeUpTime()
        self._policy = setup.device_policy(setup.seats[0])
        self._names: list[dict[str, str]] = [{} for _ in setup.seats]
        self._minted = 0

    def write(self, source: str, event: Event) -> Entry:
        """One entry."""
        self._numbers[source] += 1
        return self._time.told(Entry(source, self._numbers[source], 0.0, event))

    def transition(self, transition: Transition, why: str) -> Iterator[Entry]:
        """All that a transition tells."""
        choice = transition.choice
        operation = OPERATIONS.get(choice.do)
        if choice.do == "timer":
            self._time.passes(duration(self._policy, choice.what))
        if operation is not None:
            yield self.write(CONTROLLER, DeletionRequested(choice.what, True, why, operation))
        yield from self.write_all(transition.side, transition.told_by_cloud, transition.told_by_device)
        if operation is not None:
            yield self.write(CONTROLLER, DeletionAccepted(choice.what, operation))
        for side, tokens in enumerate(transition.tokens):
            self.calls(side, tokens)

    def calls(self, side: int, tokens: Tokens) -> None:
        """What the tokens of a side are called from now on, which are in the trace what they are."""
        names = {called: self._names[side].get(token, token) for token, called in tokens}
        self._names[side] = names

    def write_all(self, side: int | None, by_cloud: Iterable[Event], by_device: Iterable[Told]) -> Iterator[Entry]:
        """What the cloud tells, and then the device."""
        for event in by_cloud:
            yield self.write(CLOUD, event if side is None else self._named(event, side))
        for told in by_device:
            assert side is not None, "somebody tells it"
            yield self.write(self._sources[side], self._named(told, side))
            if isinstance(told, JournalWritten):
                self._time.writes_down()

    def _named(self, event: Event, side: int) -> Event:
        if isinstance(event, RequestSent):
            self._minted += 1
            self._names[side][event.client_token] = f"token-{self._minted}"
        if isinstance(event, ExecutionGone) and event.learned_from in self._names[side]:
            return replace(event, learned_from=self._names[side][event.learned_from])
        if isinstance(event, WITH_TOKEN) and event.client_token:
            return replace(event, client_token=self._names[side][event.client_token])
        return event
