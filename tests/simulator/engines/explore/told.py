"""Plays of the virtual engine, told as a search would tell of a path: without times, and with tokens used again."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from agent.device_events import AnswerReceived, StepFinished
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.monitors import Broken, Watched, Watcher
from simulator.engines.explore.pieces import piece
from simulator.engines.virtual import judged
from simulator.scenario import load
from simulator.trace import CLOUD, Entry, Event, RunStarted, device_source
from simulator.verdict import INVARIANTS, Judge
from simulator.verdict.past import ByOrder
from simulator.verdict.seen import TIMER_SLACK

BY_ORDER = tuple(each for each in INVARIANTS if isinstance(each.without_time, ByOrder))


class Step(NamedTuple):
    """What one entry told, and which tokens are still to be heard of after it, as bits."""

    told: Heard
    alive: int


class Played(NamedTuple):
    """What one device and its cloud told in a play, and who watches that."""

    watcher: Watcher
    steps: tuple[Step, ...]


@cache
def played(scenario: str, model: str, seed: int) -> tuple[Played, ...]:
    """Each device of a play."""
    entries: list[Entry] = []
    judged(load(scenario).cast(model), 1, seed, sink=entries.append)
    started = next(entry.event for entry in entries if isinstance(entry.event, RunStarted))
    return tuple(Played(watcher_of(thing, started), tuple(_steps(thing, started, entries))) for thing in started.things)


def watcher_of(thing: str, started: RunStarted) -> Watcher:
    """Who watches a device of a run."""
    return Watcher(
        thing,
        finishes_after_switch=thing in started.finish_after_switch,
        leap_unanswered_seconds=started.leap_unanswered.get(thing),
        shares=started.shared.get(thing),
    )


def _steps(thing: str, started: RunStarted, entries: list[Entry]) -> Iterator[Step]:
    base, _ = started.shared.get(thing, (thing, None))
    source, policy = device_source(thing), started.leap_unanswered.get(thing)
    mine = [each for each in entries if each.source == source or (each.source == CLOUD and _thing(each) == base)]
    lasts = {token: index for index, each in enumerate(mine) if (token := _token(each.event)) is not None}
    names: dict[str, int] = {}
    heard = 0.0
    for index, (whose, _, at, event) in enumerate(mine):
        token = _token(event)
        if token is not None and token not in names:
            names[token] = next(name for name in count() if name not in names.values())
        named: Any = event if token is None else replace(event, client_token=str(names[token]))
        names = {each: name for each, name in names.items() if lasts[each] > index}
        if whose == CLOUD:
            told = Heard(by_cloud=(named,))
        else:
            has_waited = policy is not None and at - heard + TIMER_SLACK / 1e6 >= policy
            told = Heard(by_device=(named,), seconds=policy if policy is not None and has_waited else 0.0)
            heard = at if isinstance(event, (AnswerReceived, StepFinished)) else heard
        yield Step(told, sum(1 << name for name in names.values()))


def _thing(entry: Entry) -> str | None:
    return getattr(entry.event, "thing", None)


def _token(event: Event) -> str | None:
    return getattr(event, "client_token", None)


def watched_by(watcher: Watcher, steps: tuple[Step, ...]) -> Iterator[tuple[Watched, tuple[Broken, ...]]]:
    """How it is watched after each step, and what that broke."""
    watched = watcher.start()
    for told, alive in steps:
        watched, broken = watcher.watch(watched, piece(watcher.gist(told)))
        watched = watcher.forget(watched, alive)
        yield watched, broken


def judged_by(watcher: Watcher, steps: tuple[Step, ...]) -> Iterator[frozenset[str]]:
    """What the judge of a run says is violated after each step, of all that is decided by order."""
    judge, entries = Judge(), watcher.trace(step.told for step in steps)
    judge.feed(next(entries))
    [thing] = judge.devices
    for told, _ in steps:
        for _ in (*told.by_cloud, *told.by_device):
            judge.feed(next(entries))
        device = next(judge.look_at(thing, judge.clock()))
        found = {each.id: device.ruling(each).findings for each in BY_ORDER}
        yield frozenset(
            name for name, findings in found.items() if any(each.outcome == "violated" for each in findings)
        )


def judged_at_rest(watcher: Watcher, steps: tuple[Step, ...]) -> dict[str, frozenset[str]]:
    """What it says if nothing ever happens after that: the invariants of each outcome."""
    judge = Judge()
    for entry in watcher.trace((step.told for step in steps), at_rest=True):
        judge.feed(entry)
    found = {each.id: each for each in judge.verdict().invariants if each.id in {known.id for known in BY_ORDER}}
    violated = frozenset(name for name, each in found.items() if each.violations)
    return {"violated": violated, "undecided": frozenset(name for name, each in found.items() if each.doubts)}


def violated(broken: Iterable[Broken]) -> frozenset[str]:
    """The invariants."""
    return frozenset(each.invariant for each in broken if each.outcome == "violated")


def differences(watcher: Watcher, steps: tuple[Step, ...]) -> Iterator[str]:
    """Where the two do not agree, from the first step on which they do not."""
    mine, judges, watched = frozenset[str](), frozenset[str](), watcher.start()
    both = zip(watched_by(watcher, steps), judged_by(watcher, steps), strict=True)
    for number, ((watched, broken), found) in enumerate(both):  # noqa: B007 - the last one rests
        mine, judges = mine | violated(broken), judges | found
        if mine != judges:
            yield f"after step {number}, {steps[number].told}: {set(mine)} are violated, and by the judge {set(judges)}"
            return
    ended, rests = judged_at_rest(watcher, steps)["violated"], violated(watcher.at_rest(watched))
    if mine | rests != judges | ended:
        yield f"at rest: {set(mine | rests)} are violated, and by the judge {set(judges | ended)}"
