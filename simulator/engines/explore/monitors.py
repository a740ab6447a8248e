"""The verdict's own monitors as a part of what is explored: small values, one for all pasts that no rule tells apart.

    watcher = Watcher(thing="lamp")
    watched = watcher.start()
    watched, broken = watcher.watch(watched, piece(Heard(told_by_cloud, told_by_device)))
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any, Final, Literal, NamedTuple, cast

from agent.device_events import (
    AnswerReceived,
    DeviceDisconnected,
    HintReceived,
    JournalWritten,
    PhaseChanged,
    RequestSent,
)
from simulator.engines.explore.accounts import AGAIN, FIRST, Accounts, Forgotten, Heard
from simulator.engines.explore.made_up_time import TIMELESS
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.questions import Questions
from simulator.engines.explore.tokens import place_of
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
from simulator.verdict.bounds import LONGEST_SECONDS
from simulator.verdict.clocks import UNKNOWN
from simulator.verdict.findings import Course, Subject
from simulator.verdict.invariants import INVARIANTS
from simulator.verdict.invariants.accounting import KEPT, VERSION
from simulator.verdict.invariants.claims import announces
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import NOW, ON_RECORD, ByOrder
from simulator.verdict.remembered import decided_by_order
from simulator.verdict.seen import Mark, micros
from simulator.verdict.stalls import Lag
from simulator.verdict.telling import CHANGES
from simulator.verdict.testimony import Testimony

AT_LAST: Final = 10**15
"""So late is the end of a run in which nothing happens any more, in microseconds."""
RECORD_SECONDS: Final = -ON_RECORD / 1_000_000
AT_LAST_SECONDS: Final = AT_LAST / 1_000_000
UNREAD: Final = (("", ""),)
"""Details that say nothing that a monitor reads: that there are some may be a reason given."""
ONGOING: Final = Course(TIMELESS, False, NOW, Lag())
OVER: Final = Course(TIMELESS, True, AT_LAST, Lag())

SHOWN_BY_CLOUD: Final = frozenset(
    {RequestReceived, RequestAnswered, ClientConnected, ExecutionQueued, ExecutionChanged, ExecutionRemoved}
)
"""What its record of a thing, or a monitor, is changed by."""


class Broken(NamedTuple):
    """What a rule says of a step, in its words; `undecided`: nobody could have told, so it accuses nobody."""

    invariant: str
    why: str
    outcome: Literal["violated", "undecided"] = "violated"


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


class Watched(NamedTuple):
    """One device as it is watched: what it and its cloud told that can still matter, and the states of its monitors."""

    testimony: Piece[Testimony]
    states: tuple[Piece[Any], ...]
    record: Piece[ThingRecord]


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
        self.thing, self._forward, self._policy = thing, finishes_after_switch, policy
        self.limits = Limits(
            TIMELESS, finishes_after_switch, None if policy is None else micros(policy), ready=micros(LONGEST_SECONDS)
        )
        self._judged = decided_by_order(INVARIANTS)
        self._questions = Questions(thing, self._judged, self.limits, ONGOING)
        self._matters = SHOWN_BY_CLOUD | {RequestSent, AnswerReceived, JournalWritten, *CHANGES}
        self._matters |= self._questions.noting.steps.keys()
        self._accounts, self._shares = Accounts(thing, self.limits, self._questions, shares), shares
        self._mattering: dict[Piece[Heard], Piece[Heard] | None] = {}
        self._parts_renamed: dict[tuple[Any, ...], Piece[Any]] = {}

    @property
    def judges(self) -> frozenset[str]:
        """The ids of the invariants that it decides."""
        return frozenset(invariant.id for invariant, _ in self._judged)

    def start(self) -> Watched:
        """Of a device that nothing is known of yet."""
        testimony, record = Testimony(last_sign=NOW), ThingRecord().essence()
        states = tuple(piece(invariant.start()) for invariant, _ in self._judged)
        return self._after(Watched(piece(testimony), states, piece(record)), piece(Forgotten()))[0]

    def watch(self, watched: Watched, told: Piece[Heard]) -> tuple[Watched, tuple[Broken, ...]]:
        """With what the cloud told of the thing, and then the device of itself; and what is broken by that."""
        if told not in self._mattering:
            self._mattering[told] = self._what_matters(told.value)
        what = self._mattering[told]
        return (watched, ()) if what is None else self._after(watched, what)

    def _what_matters(self, told: Heard) -> Piece[Heard] | None:
        by_cloud = tuple(event for event in told.by_cloud if type(event) in self._matters)
        by_device = tuple(event for event in told.by_device if type(event) in self._matters)
        return piece(Heard(by_cloud, by_device, told.seconds)) if by_cloud or by_device else None

    def _after(self, watched: Watched, what: Piece[Heard] | Piece[Forgotten]) -> tuple[Watched, tuple[Broken, ...]]:
        """What is kept after that; each monitor is asked what it has not been asked yet."""
        testimony, states, record = watched
        account = self._accounts.after(testimony, record, what)
        testimony, record, questions, again = account.outcome(states)
        ask = self._questions.answer
        answers = [
            question.answers.get(state) or ask(question, state)
            for question, state in zip(questions, states, strict=True)
        ]
        after = Watched(testimony, tuple([kept for kept, _ in answers]), record)
        found = [
            Broken(invariant.id, each.message, each.outcome)
            for (invariant, _), (_, findings) in zip(self._judged, answers, strict=True)
            for each in findings
        ]
        if again:
            after = self.renamed(self.forget(after, ~place_of(again)), {AGAIN: again})
        return after, tuple(found)

    def gist(self, told: Heard) -> Heard:
        """Only what can make a difference to what is watched: what tells the same needs to be watched once."""
        by_cloud = tuple(_gist(event) for event in told.by_cloud if type(event) in self._matters)
        by_device = tuple(_gist(event) for event in told.by_device if type(event) in self._matters)
        return Heard(by_cloud, by_device, told.seconds if by_device else 0.0)

    def at_rest(self, watched: Watched) -> tuple[Broken, ...]:
        """What is broken besides if the device rests, and nothing more ever happens."""
        testimony = watched.testimony.value.twin().becomes(last=Mark(self.thing, FIRST, AT_LAST))
        subject = Subject(self.thing, testimony, watched.record.value, self.limits, UNKNOWN, OVER)
        return tuple(
            Broken(invariant.id, each.message, each.outcome)
            for (invariant, way), state in zip(self._judged, watched.states, strict=True)
            if way.at_rest
            for each in invariant.rule(state.value, subject).findings
        )

    def trace(self, path: Iterable[Heard], *, at_rest: bool = False) -> Iterator[Entry]:
        """The same for the judge, with the times that it is watched by; `at_rest`: nothing happens after it."""
        yield Entry(ENGINE, 1, 0, self._started())
        write, now = _Writer(), 0.0
        for told in path:
            yield from (write(CLOUD, now, event) for event in told.by_cloud)
            now += told.seconds
            for event in told.by_device:
                yield write(device_source(self.thing), now, event)
                now += RECORD_SECONDS if isinstance(event, JournalWritten) else 0
        if at_rest:
            yield write(device_source(self.thing), AT_LAST_SECONDS, JournalWritten())
            yield write(CLOUD, AT_LAST_SECONDS, AccountEnded())
            yield Entry(ENGINE, 2, AT_LAST_SECONDS, RunEnded("finished"))

    def _started(self) -> RunStarted:
        thing = self.thing
        return RunStarted(
            "explored",
            "explore",
            (thing,),
            TIMELESS.model_dump(mode="json"),
            finish_after_switch=(thing,) if self._forward else (),
            leap_unanswered={} if self._policy is None else {thing: self._policy},
            shared={thing: self._shares} if self._shares is not None else {},
            one_clock=True,
        )

    def forget(self, watched: Watched, alive: int) -> Watched:
        """Without the requests whose tokens nobody knows any more: their places are not all in `alive`."""
        exchanges = watched.testimony.value.exchanges
        dead = tuple(token for token in exchanges if place_of(token) & ~alive)
        return self._after(watched, piece(Forgotten(dead)))[0] if dead else watched

    def renamed(self, watched: Watched, names: Mapping[str, str]) -> Watched:
        """With other names for its tokens."""
        testimony, states, record = watched
        if all(names.get(token, token) == token for token in testimony.value.exchanges):
            return watched
        called = [
            state if way.renamed is None else self._renamed(way.renamed, state, names)
            for (_, way), state in zip(self._judged, states, strict=True)
        ]
        return Watched(self._renamed(Testimony.renamed, testimony, names), tuple(called), record)

    def _renamed(
        self, renamed: Callable[[Any, Mapping[str, str]], Any], part: Piece[Any], names: Mapping[str, str]
    ) -> Piece[Any]:
        """A part of what is watched; it is the same in many that are renamed, and so are the names."""
        asked = renamed, part, tuple(names.items())
        known = self._parts_renamed.get(asked)
        if known is None:
            known = self._parts_renamed[asked] = piece(renamed(part.value, names))
        return known

    def places(self, watched: Watched) -> int:
        """The places of the tokens of requests that it may yet hear of."""
        return reduce(or_, map(place_of, watched.testimony.value.exchanges), 0)


def _gist(event: Event) -> Event:
    """Without what no monitor that is fed by it reads."""
    match event:
        case RequestSent():
            told = event.details or ()
            read = told if announces(dict(told)) else tuple(pair for pair in told if pair[0] in (VERSION, KEPT))
            details = read or (UNREAD if told else None)
            return replace(event, details=details, attempt=1, expected_version=event.expected_version and 1)
        case RequestReceived():
            return replace(event, details=None, expected_version=None, execution_number=None, dup=False)
        case ExecutionChanged():
            return replace(event, details=None, version=0)
        case RequestAnswered():
            return replace(event, code=None, status=None, number=None)
        case HintReceived():
            return replace(event, hint="notify")
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
