"""The judge: a fold over a trace, fed entry by entry in any order that keeps each source's own."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil
from typing import Any

from pydantic import ValidationError

from agent.errors import InputError
from agent.wording import first_wrong
from simulator.scenario import Bounds, thing_of_agent
from simulator.trace import CLOUD, DeletionRefused, Entry, ProcessStalled, RequestReceived, RunEnded, RunStarted
from simulator.verdict.clocks import OneClock
from simulator.verdict.findings import Finding, Invariant, Run
from simulator.verdict.history import UNJUDGED, History, Seen, micros, share_of, thing_of
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.model import (
    Doubt,
    InvariantVerdict,
    Outcome,
    PlaceToReach,
    Reached,
    RecoverySeconds,
    Verdict,
    Violation,
)
from simulator.verdict.outcome import Arrivals, concluded
from simulator.verdict.places import last_seen_of, reached, refused
from simulator.verdict.stalls import Lag
from simulator.verdict.story import Story
from simulator.verdict.wire import clients_of, inferred

SECOND = 1_000_000


class Judge:
    """Takes in a trace and says, at any time, what held so far.

    `skip` leaves out the invariants of these ids. Raises InputError for an id that does not exist.
    """

    def __init__(self, skip: frozenset[str] = frozenset()) -> None:
        if unknown := sorted(skip - {invariant.id for invariant in INVARIANTS}):
            known = ", ".join(invariant.id for invariant in INVARIANTS)
            raise InputError(f"skip: no invariant '{unknown[0]}'; there are {known}")
        self._invariants = tuple(invariant for invariant in INVARIANTS if invariant.id not in skip)
        self._started: Seen[RunStarted] | None = None
        self._ended: Seen[RunEnded] | None = None
        self._histories: dict[str, History] = {}
        self._refusals: list[DeletionRefused] = []
        self._cloud_end = 0
        self._lag = Lag()
        self._rate = _Peak()

    def feed(self, entry: Entry) -> None:
        """Take in the next entry."""
        at = micros(entry.at)
        if isinstance(entry.event, RunStarted):
            self._started = self._started or Seen(entry.source, entry.n, at, entry.event)
        elif isinstance(entry.event, RunEnded):
            self._ended = self._ended or Seen(entry.source, entry.n, at, entry.event)
        elif isinstance(entry.event, DeletionRefused):
            self._refusals.append(entry.event)
        elif isinstance(entry.event, ProcessStalled):
            self._lag.add(Seen(entry.source, entry.n, at, entry.event))
        if entry.source == CLOUD:
            self._cloud_end = at
            if isinstance(entry.event, RequestReceived):
                self._rate.count(at)
        if (thing := thing_of(entry)) is None or isinstance(entry.event, UNJUDGED):
            return
        if (history := self._histories.get(thing)) is None:
            history = self._histories[thing] = History(thing)
        account = history.cloud if entry.source == CLOUD else history.device
        account.add(Seen(entry.source, entry.n, at, entry.event))

    def entries_of(self, thing: str) -> Iterator[Entry]:
        """What was fed of one device, by itself and by the cloud, as far as it can matter to a verdict."""
        for name in dict.fromkeys((thing, thing_of_agent(thing))):
            if (history := self._histories.get(name)) is not None:
                for seen in (*history.device.seen, *history.cloud.seen):
                    yield Entry(seen.source, seen.n, seen.at / SECOND, seen.event)

    def verdict(self) -> Verdict:
        """What held so far. Raises InputError for a trace without a run, or with bounds that are none."""
        if self._started is None:
            raise InputError("trace: no run.started entry, so what was expected is not known; is the file complete?")
        started = self._started.event
        bounds, places = _expected(started)
        run = Run(bounds, self._ended is not None, self._cloud_end, self._lag)
        clock = OneClock() if started.one_clock else None
        stories = {thing: self._story(thing, clock) for thing in started.things}
        others = {thing: self._other_stories(story) for thing, story in stories.items()}
        invariants = tuple(_judge(invariant, stories.values(), others, run) for invariant in self._invariants)
        arrivals = tuple(self._arrivals(place, stories) for place in places)
        recovered, seconds = _recovered(stories.values())
        outcome, why = concluded(invariants, arrivals, self._ended, len(stories), recovered, self._lag)
        return Verdict(
            outcome=outcome,
            why=why,
            passed=outcome == "passed",
            scenario=started.scenario,
            engine=started.engine,
            seed=started.seed,
            version=started.version,
            started_at=started.started_at,
            seconds=None if self._ended is None else (self._ended.at - self._started.at) / SECOND,
            devices=len(stories),
            recovered=recovered,
            invariants=invariants,
            reached=tuple(arrived.reached for arrived in arrivals),
            recovery_seconds=percentiles(seconds),
            requests_per_second_peak=self._rate.peak,
        )

    def _arrivals(self, place: PlaceToReach, stories: dict[str, Story]) -> Arrivals:
        if place.place == "deletion-refused":
            missing = () if refused(place, self._refusals) else place.things
        else:
            missing = tuple(name for name in place.things if name not in stories or not reached(place, stories[name]))
        there = Reached(id=place.id, devices=len(place.things) - len(missing), of=len(place.things))
        first = next(iter(missing), None)
        return Arrivals(place, there, first, last_seen_of(place.job, stories[first]) if first in stories else None)

    def _story(self, thing: str, clock: OneClock | None) -> Story:
        assert self._started is not None, "there are stories of a run only"
        started = self._started.event
        history = self._histories.get(thing) or History(thing)
        cloud = history.cloud
        if (shared := started.shared.get(thing)) is not None:
            whole = self._histories.get(shared[0]) or History(shared[0])
            cloud = share_of(whole.cloud, cloud, shared[1])
        leap_unanswered = started.leap_unanswered.get(thing)
        wire = None if history.device.seen else inferred(cloud, clients_of(thing, cloud)[0], self._lag.cloud)
        device = history.device if wire is None else wire.account
        return Story(thing, device, cloud, thing in started.finish_after_switch, leap_unanswered, wire, clock)

    def _other_stories(self, story: Story) -> tuple[Story, ...]:
        """What the wire shows besides: of other clients of the thing, and of a device that does not tell all."""
        if story.wire is None and story.tells_all:
            return ()
        clients = clients_of(story.thing, story.cloud)[0 if story.wire is None else 1 :]
        wires = (inferred(story.cloud, client, self._lag.cloud) for client in clients)
        return tuple(replace(story, device=wire.account, wire=wire) for wire in wires)


class _Peak:
    """The most events within any one second: a window that slides, and holds what is less than a second older."""

    def __init__(self) -> None:
        self.peak = 0
        self._window: deque[int] = deque()

    def count(self, at: int) -> None:
        """One more, not earlier than the last."""
        self._window.append(at)
        while self._window[0] <= at - SECOND:
            self._window.popleft()
        self.peak = max(self.peak, len(self._window))


def _expected(started: RunStarted) -> tuple[Bounds, tuple[PlaceToReach, ...]]:
    """Bounds and places of a run; what a newer version may have added to them is ignored."""
    known: dict[str, Any] = {name: value for name, value in started.bounds.items() if name in Bounds.model_fields}
    try:
        return (
            Bounds.model_validate(known),
            tuple(PlaceToReach.model_validate(place) for place in started.must_reach),
        )
    except ValidationError as error:
        raise InputError(f"trace: run.started: {first_wrong(error)}") from None


def _judge(
    invariant: Invariant, stories: Iterable[Story], others: dict[str, tuple[Story, ...]], run: Run
) -> InvariantVerdict:
    """One invariant over all devices; what `others` show beside a story counts where that shows no violation."""
    opportunities = 0
    violations: list[Violation] = []
    doubts: list[Doubt] = []
    for story in stories:
        before = len(violations)
        for finding in invariant.check(story, run):
            opportunities += 1
            if finding.outcome == "violated":
                violations.append(_violation(story, finding))
            elif finding.outcome == "undecided":
                doubts.append(Doubt(thing=story.thing, job=finding.job, message=finding.message, events=finding.events))
        if invariant.of_requests and len(violations) == before:
            found = [finding for other in others[story.thing] for finding in invariant.check(other, run)]
            shown = [_violation(story, finding) for finding in found if finding.outcome == "violated"]
            opportunities += len(shown)
            violations += shown
    outcome: Outcome = (
        "violated" if violations else "undecided" if doubts else "held" if opportunities else "not-exercised"
    )
    return InvariantVerdict(
        id=invariant.id,
        outcome=outcome,
        opportunities=opportunities,
        violations=tuple(violations),
        doubts=tuple(doubts),
    )


def _violation(story: Story, finding: Finding) -> Violation:
    return Violation(thing=story.thing, job=finding.job, message=finding.message, events=finding.events)


def _recovered(stories: Iterable[Story]) -> tuple[int, list[float]]:
    """How many devices took the next job each time that one was removed under them, and in how many seconds each."""
    devices, seconds = 0, []
    for story in stories:
        exercised = [one for one in story.recoveries if one.resumed is not None or one.waiting_since is not None]
        seconds += [one.seconds for one in exercised if one.resumed is not None]
        devices += bool(exercised) and all(one.resumed is not None for one in exercised)
    return devices, seconds


def percentiles(seconds: list[float]) -> RecoverySeconds | None:
    """Nearest-rank percentiles: the smallest value that at least so many percent do not exceed. None of none."""
    if not seconds:
        return None
    ordered = sorted(seconds)

    def rank(percent: int) -> float:
        return ordered[ceil(len(ordered) * percent / 100) - 1]

    return RecoverySeconds(p50=rank(50), p90=rank(90), p99=rank(99), max=ordered[-1])
