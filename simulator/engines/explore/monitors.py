"""The verdict's own monitors as a part of what is explored: small values, one for all pasts that no rule tells apart.

    watcher = Watcher(thing="lamp")
    watched = watcher.start()
    watched, broken = watcher.watch(watched, told_by_cloud, told_by_device)
    watcher.places(watched)         # of the tokens of requests that it may yet hear of, as bits
    watcher.forget(watched, alive)  # those of which nobody will hear any more
    watcher.renamed(watched, names) # with others for what is kept
    watcher.at_rest(watched)        # what is broken besides, if the device rests and nothing goes on any more

What is judged is what `simulator.verdict` judges, by its own monitors and rules: they are fed the very events of a
trace, and what of their states can still matter is kept (see `simulator.verdict.past`). TABLE says of each invariant
what of it is judged so.

Time passes when a device waits for a timer, and when it writes its journal: what it was told before is on record then.
All else comes at one instant. So it does in what `trace` gives the judge of a path.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, Final, Literal, NamedTuple, cast

from agent.device_events import AnswerReceived, DeviceDisconnected, JournalWritten, PhaseChanged, RequestSent
from simulator.engines.explore.tokens import PLACES, place_of
from simulator.trace import (
    CLOUD,
    ENGINE,
    AccountEnded,
    ClientConnected,
    ClientDisconnected,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
    RunEnded,
    RunStarted,
    device_source,
)
from simulator.verdict.bounds import LONGEST_SECONDS, Bounds
from simulator.verdict.case import REQUESTS
from simulator.verdict.clocks import UNKNOWN
from simulator.verdict.findings import Course, Finding, Subject
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.invariants.accounting import KEPT, VERSION
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import NOW, ON_RECORD, ByOrder
from simulator.verdict.remembered import decided_by_order, essence
from simulator.verdict.seen import Mark, Seen, micros
from simulator.verdict.stalls import Lag
from simulator.verdict.telling import CHANGES
from simulator.verdict.testimony import Testimony
from simulator.verdict.watch import Monitors, Watch

FIRST: Final = 10_000
"""The number of the next entry of either side: higher than any that is kept."""
AT_LAST: Final = 10**15
"""So late is the end of a run in which nothing happens any more, in microseconds."""
BOUNDS: Final = Bounds(
    detection_seconds=LONGEST_SECONDS,
    ready_seconds=LONGEST_SECONDS,
    lost_job_seconds=LONGEST_SECONDS,
    silence_seconds=LONGEST_SECONDS,
    retry_gap_seconds=0,
    restarts=1_000_000,
)
"""No bound of time is ever exceeded."""

RECORD_SECONDS: Final = -ON_RECORD / 1_000_000
AT_LAST_SECONDS: Final = AT_LAST / 1_000_000
AGAIN: Final = str(PLACES - 1)
"""A token that no step mints."""
UNREAD: Final = (("", ""),)
"""Details that say nothing that a monitor reads: that there are some may be a reason given."""
ONGOING: Final = Course(BOUNDS, False, NOW, Lag())
OVER: Final = Course(BOUNDS, True, AT_LAST, Lag())

SHOWN_BY_CLOUD: Final = frozenset(
    {RequestReceived, RequestAnswered, ClientConnected, ExecutionQueued, ExecutionChanged, ExecutionRemoved}
)
"""What its record of a thing, or a monitor, is changed by."""


class Broken(NamedTuple):
    """What a rule says of a step, in its words; `undecided`: nobody could have told, so it accuses nobody."""

    invariant: str
    why: str
    outcome: Literal["violated", "undecided"] = "violated"


class Heard(NamedTuple):
    """What one step of a path made the cloud tell of the thing, and the device of itself."""

    by_cloud: tuple[Event, ...] = ()
    by_device: tuple[Event, ...] = ()
    seconds: float = 0.0
    """How long the device had waited for it, when a timer of its ran out."""


class Row(NamedTuple):
    """What of one invariant a search judges; `judged` and `leaves` are for people, and either may be empty."""

    invariant: str
    judged: str
    leaves: str


TABLE: Final = tuple(
    Row(each.id, way.decides, way.leaves) if isinstance(way, ByOrder) else Row(each.id, "", way.leaves)
    for each, way in ((each, each.without_time) for each in INVARIANTS)
)
"""A row for each invariant."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One device as it is watched: what it and its cloud told that can still matter. Not to be changed in place."""

    own: Watch
    record: ThingRecord


class Watcher:
    """Watches one device: `finishes_after_switch` and `leap_unanswered_seconds` are its owner's policies.

    `shares`: it is one of several agents on a thing of that name, in a namespace; of what the cloud tells, only what
    concerns that is its own. Tokens are numbers.
    """

    def __init__(
        self,
        thing: str = "thing",
        *,
        finishes_after_switch: bool = False,
        leap_unanswered_seconds: float | None = None,
        shares: tuple[str, str | None] | None = None,
    ) -> None:
        policy = leap_unanswered_seconds
        self._thing, self._forward, self._policy = thing, finishes_after_switch, policy
        self._limits = Limits(
            BOUNDS, finishes_after_switch, None if policy is None else micros(policy), ready=micros(LONGEST_SECONDS)
        )
        self._on: str | None
        self._namespace: str | None
        self._on, self._namespace = shares or (None, None)
        self._judged = decided_by_order(INVARIANTS)
        self._monitors = Monitors([each for each, _ in self._judged])
        self._read = {kind: {index for index, _ in steps} for kind, steps in self._monitors.steps.items()}
        self._matters = SHOWN_BY_CLOUD | {RequestSent, AnswerReceived, JournalWritten, *CHANGES, *self._read}

    @property
    def judges(self) -> frozenset[str]:
        """The ids of the invariants that it decides."""
        return frozenset(invariant.id for invariant, _ in self._judged)

    def start(self) -> Watched:
        """Of a device that nothing is known of yet."""
        own, record = Watch(Testimony(last_sign=NOW), self._monitors.start()), ThingRecord()
        return Watched(essence(own, record, self._judged, NOW), record.essence())

    def watch(
        self,
        watched: Watched,
        told_by_cloud: Sequence[Event],
        told_by_device: Sequence[Event],
        seconds: float = 0.0,
    ) -> tuple[Watched, tuple[Broken, ...]]:
        """With what the cloud told of the thing, and then the device of itself; and what is broken by that.

        `seconds` is how long the device had waited for that, if it does it because a timer ran out.
        """
        by_cloud = [event for event in told_by_cloud if type(event) in self._matters]
        by_device = [event for event in told_by_device if type(event) in self._matters]
        if not (by_cloud or by_device):
            return watched, ()
        touched = {index for event in (*by_cloud, *by_device) for index in self._read.get(type(event), ())}
        is_fed = bool(by_device) or any(type(event) in REQUESTS for event in by_cloud)
        own = _fresh(watched.own, touched, is_fed=is_fed)
        record = watched.record.twin() if by_cloud else watched.record
        self._hear_cloud(own, record, by_cloud)
        now, again = self._hear_device(own, record, by_device, NOW + micros(seconds))
        after = Watched(essence(own, record, self._judged, now), record.essence() if by_cloud else record)
        broken = tuple(self._decided(own, after, sorted(touched)))
        if again:
            after = self.renamed(self.forget(after, ~place_of(again)), {AGAIN: again})
        return after, broken

    def gist(self, told: Heard) -> Heard:
        """Only what can make a difference to what is watched: what tells the same needs to be watched once."""
        by_cloud = tuple(_gist(event) for event in told.by_cloud if type(event) in self._matters)
        by_device = tuple(_gist(event) for event in told.by_device if type(event) in self._matters)
        return Heard(by_cloud, by_device, told.seconds if by_device else 0.0)

    def _hear_cloud(self, own: Watch, record: ThingRecord, told: Sequence[Event]) -> None:
        for n, event in enumerate(told, FIRST):
            kind = type(event)
            if not self._concerns(own, event):
                continue
            seen = Seen(Mark(CLOUD, n, NOW), event)
            record.after(seen, self._limits)
            token = getattr(event, "client_token", None) if kind in REQUESTS else None
            if kind in REQUESTS and token not in own.testimony.exchanges:
                continue  # a copy of what is over
            own.at_cloud(seen, token, record, self._limits, self._monitors)

    def _concerns(self, own: Watch, event: Event) -> bool:
        """Whether it is this agent's, of those on one thing."""
        match event:
            case _ if self._on is None:
                return True
            case RequestReceived(namespace_id=namespace_id):
                return namespace_id == self._namespace
            case RequestAnswered(client_token=token):
                return token in own.testimony.exchanges
            case ExecutionQueued() | ExecutionChanged() | ExecutionRemoved():
                return event.execution.namespace_id == self._namespace
            case _:
                return True

    def _hear_device(self, own: Watch, record: ThingRecord, told: Sequence[Event], now: int) -> tuple[int, str]:
        """What it tells of itself, from when on; what time it is then, and which token came into use again.

        What had that token is over with this step. Until then the request that has it now is known by another.
        """
        again, testimony = "", own.testimony
        for n, event in enumerate(told, FIRST):
            if isinstance(event, RequestSent) and (
                event.client_token in testimony.exchanges or event.client_token in testimony.closed
            ):
                again, event = event.client_token, replace(event, client_token=AGAIN)
            own.told(Seen(Mark(self._thing, n, now), event), record, self._limits, self._monitors)
            if isinstance(event, JournalWritten):
                now -= ON_RECORD
        return now, again

    def _decided(self, own: Watch, after: Watched, touched: Iterable[int]) -> Iterator[Broken]:
        """What is said once, of what is not kept: what is kept is still open."""
        subject = self._subject(after.own.testimony, after.record, ONGOING)
        for index in touched:
            invariant, _ = self._judged[index]
            found = invariant.rule(own.states[index], subject).findings
            if not found:
                continue
            open_ = {_words(each) for each in invariant.rule(after.own.states[index], subject).findings}
            yield from (Broken(invariant.id, each.message, each.outcome) for each in found if _words(each) not in open_)

    def _subject(self, testimony: Testimony, record: ThingRecord, course: Course) -> Subject:
        return Subject(self._thing, testimony, record, self._limits, UNKNOWN, course)

    def at_rest(self, watched: Watched) -> tuple[Broken, ...]:
        """What is broken besides if the device rests, and nothing more ever happens."""
        testimony = watched.own.testimony.twin().becomes(last=Mark(self._thing, FIRST, AT_LAST))
        subject = self._subject(testimony, watched.record, OVER)
        return tuple(
            Broken(invariant.id, each.message, each.outcome)
            for (invariant, way), state in zip(self._judged, watched.own.states, strict=True)
            if way.at_rest
            for each in invariant.rule(state, subject).findings
        )

    def trace(self, path: Iterable[Heard], *, at_rest: bool = False) -> Iterator[Entry]:
        """The same for the judge, with the times that it is watched by; `at_rest`: nothing happens after it."""
        yield Entry(ENGINE, 1, 0, self._started())
        write, now = _Writer(), 0.0
        for told in path:
            yield from (write(CLOUD, now, event) for event in told.by_cloud)
            now += told.seconds
            for event in told.by_device:
                yield write(device_source(self._thing), now, event)
                now += RECORD_SECONDS if isinstance(event, JournalWritten) else 0
        if at_rest:
            yield write(device_source(self._thing), AT_LAST_SECONDS, JournalWritten())
            yield write(CLOUD, AT_LAST_SECONDS, AccountEnded())
            yield Entry(ENGINE, 2, AT_LAST_SECONDS, RunEnded("finished"))

    def _started(self) -> RunStarted:
        thing = self._thing
        return RunStarted(
            "explored",
            "explore",
            (thing,),
            BOUNDS.model_dump(mode="json"),
            finish_after_switch=(thing,) if self._forward else (),
            leap_unanswered={} if self._policy is None else {thing: self._policy},
            shared={thing: (self._on, self._namespace)} if self._on is not None else {},
            one_clock=True,
        )

    def forget(self, watched: Watched, alive: int) -> Watched:
        """Without the requests whose tokens nobody knows any more: their places are not all in `alive`."""
        dead = [token for token in watched.own.testimony.exchanges if place_of(token) & ~alive]
        if not dead:
            return watched
        own = watched.own.twin()
        own.testimony.exchanges = own.testimony.exchanges.only(lambda token, _: token not in dead)
        return Watched(essence(own, watched.record, self._judged, NOW), watched.record)

    def renamed(self, watched: Watched, names: Mapping[str, str]) -> Watched:
        """With other names for its tokens."""
        own, exchanges = watched.own, watched.own.testimony.exchanges
        if all(names.get(token, token) == token for token in exchanges):
            return watched
        testimony = own.testimony.renamed(names)
        states = tuple(
            state if way.renamed is None else way.renamed(state, names)
            for (_, way), state in zip(self._judged, own.states, strict=True)
        )
        return Watched(Watch(testimony, states), watched.record)

    def places(self, watched: Watched) -> int:
        """The places of the tokens of requests that it may yet hear of."""
        return reduce(or_, map(place_of, watched.own.testimony.exchanges), 0)


def _gist(event: Event) -> Event:
    """Without what no monitor that is fed by it reads."""
    match event:
        case RequestSent():
            read = tuple(pair for pair in event.details or () if pair[0] in (VERSION, KEPT))
            details = read or (UNREAD if event.details else None)
            return replace(event, details=details, attempt=1, expected_version=event.expected_version and 1)
        case RequestReceived():
            return replace(event, details=None, expected_version=None, execution_number=None, dup=False)
        case ExecutionChanged():
            return replace(event, details=None, version=0)
        case RequestAnswered():
            return replace(event, number=None)
        case PhaseChanged():
            return replace(event, why="")
        case JournalWritten():
            return JournalWritten()
        case DeviceDisconnected() | ClientDisconnected():
            return replace(event, reason="")
        case _:
            return event


class _Writer:
    """Numbers entries, and the requests that had one token one after the other."""

    def __init__(self) -> None:
        self._numbers, self._uses = Counter[str](), Counter[str]()

    def __call__(self, source: str, at: float, event: Event) -> Entry:
        self._numbers[source] += 1
        return Entry(source, self._numbers[source], at, self._named(event))

    def _named(self, event: Any) -> Event:
        token = getattr(event, "client_token", None)
        if token is None:
            return cast("Event", event)
        self._uses[token] += isinstance(event, RequestSent)
        return cast("Event", replace(event, client_token=f"{token}.{self._uses[token]}"))


def _fresh(own: Watch, touched: Collection[int], *, is_fed: bool) -> Watch:
    """Another, of which these states can be fed, and its testimony, if that is."""
    states = (state.twin() if index in touched else state for index, state in enumerate(own.states))
    return Watch(own.testimony.twin() if is_fed else own.testimony, tuple(states))


def _words(finding: Finding) -> tuple[str, str | None, str]:
    return finding.outcome, finding.job, finding.message
