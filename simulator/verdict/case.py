"""One device under the judge: what it told, what the cloud told of it, in whatever order the two come in.

Each account keeps its own order. What orders one against the other is who answered whom: the device's entry that it
processed an answer is taken in only after the cloud's entry that it gave that answer, and until then the device's
entries wait. Nothing else has to wait, for nothing else is ordered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from agent.device_events import AnswerReceived
from simulator.trace import ClientConnected, ClientDisconnected, ExecutionChanged, RequestAnswered, RequestReceived
from simulator.verdict.findings import Invariant
from simulator.verdict.frozen import Map
from simulator.verdict.heard import job_of
from simulator.verdict.invariants import crossing
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.samples import Samples
from simulator.verdict.seen import Seen
from simulator.verdict.stalls import Stalls
from simulator.verdict.state import State
from simulator.verdict.testimony import Testimony
from simulator.verdict.watch import WHEREABOUTS, Monitors, Watch
from simulator.verdict.wire import Wire

REQUESTS: Final = frozenset({RequestReceived, RequestAnswered})

SHOWN_BY_CLOUD: Final = frozenset({ExecutionChanged, ClientConnected, ClientDisconnected})
WAITING: Final = 1_000
"""So many entries of a device may wait for the cloud's; then the first is taken in without."""
CLIENTS: Final = 8
"""So many clients are watched of one thing."""

CROSSING: Final = "no-cross-incarnation"
SHOWN_BY_HARDWARE: Final = frozenset(
    {"bootable", "asks-before-leap", "no-false-abort", "no-double-apply", "tests-before-commit"}
)
"""What the wire does not show at all."""


class Watching(NamedTuple):
    """Who watches: a device's own account, its account from the wire, and that of another client of its thing."""

    own: Monitors
    wire: Monitors
    other: Monitors

    @classmethod
    def by(cls, invariants: tuple[Invariant, ...]) -> "Watching":
        """These invariants, each where it can see something."""
        return cls(
            Monitors((*invariants, WHEREABOUTS)),
            Monitors([*(each for each in invariants if each.id not in SHOWN_BY_HARDWARE), WHEREABOUTS]),
            Monitors([each for each in invariants if each.of_requests]),
        )


@dataclass(slots=True, unsafe_hash=True)
class Follower(State):
    """A client as the wire shows it, and as it is watched."""

    wire: Wire
    watch: Watch

    @classmethod
    def of(cls, wire: Wire, monitors: Monitors) -> "Follower":
        """One that has seen nothing of it."""
        return cls(wire, Watch(wire.testimony, monitors.start()))

    def at_cloud(
        self, seen: Seen[Any], record: ThingRecord, limits: Limits, monitors: Monitors, stalls: Stalls
    ) -> None:
        """Take in the next entry of the cloud's."""
        wire = self.wire
        if wire.unproven:
            self._told(wire.due(seen.mark.at, stalls), record, limits, monitors)
        self._told(wire.after(seen), record, limits, monitors)
        if wire.asking is not None or type(seen.event) not in REQUESTS:
            self.watch.at_cloud(seen, wire.asking, record, limits, monitors)

    def at_last(self, record: ThingRecord, limits: Limits, monitors: Monitors, stalls: Stalls) -> None:
        """Take in what nothing speaks against any more if this is the end."""
        self._told(self.wire.due(None, stalls), record, limits, monitors)

    def _told(self, told: Sequence[Seen[Any]], record: ThingRecord, limits: Limits, monitors: Monitors) -> None:
        for seen in told:
            self.watch.told(seen, record, limits, monitors)

    def twin(self) -> "Follower":
        """Another, whose two parts have one account as well."""
        wire, watch = self.wire.twin(), self.watch.twin()
        return Follower(wire.becomes(testimony=watch.testimony), watch)


@dataclass(slots=True, unsafe_hash=True)
class Case(State):
    """The state of all that watches one device.

    `has_told` once it has given any account of its own. `waiting` is what it told, from an answer on that the cloud
    has not told of. Without an account, the first of `followers` is what it did. With one, they are what its thing's
    clients did besides: there are none as long as the device tells of every request, and from the first on of which it
    does not, they begin with what it said that it had been told.
    """

    thing: str
    limits: Limits
    own: Watch
    followers: tuple[Follower, ...]
    record: ThingRecord = field(default_factory=ThingRecord)
    has_told: bool = False
    waiting: tuple[Seen[Any], ...] = ()
    samples: Samples = field(default_factory=Samples)
    """What probes showed of it, and the cloud's account that this is held against; of one of ours, of no use."""

    @classmethod
    def new(cls, thing: str, limits: Limits, watching: Watching) -> "Case":
        """One of which nothing is known."""
        wire = Wire(frozenset({None, thing}), is_own=True, step_key=limits.step_key, crossing=limits.crossing)
        return cls(thing, limits, Watch(Testimony(), watching.own.start()), (Follower.of(wire, watching.wire),))

    @property
    def tells_all(self) -> bool:
        """Whether the device told of every request of its thing, and of answers if it got any."""
        testimony = self.own.testimony
        return testimony.tells_all and (bool(testimony.heard_n) or not self.record.tells_deliveries)

    def told(self, seen: Seen[Any], watching: Watching) -> None:
        """Take in the next entry of its own."""
        self.has_told = True
        if not self.waiting and (type(seen.event) is not AnswerReceived or self._may_take_in(seen)):
            self.own.told(seen, self.record, self.limits, watching.own)
        else:
            self.waiting = (*self.waiting, seen)
            if len(self.waiting) > WAITING:
                self._take_in(watching, WAITING)
        if self.followers and self.own.testimony.heard_n and self.own.testimony.tells_all:
            self.followers = ()

    def at_cloud(self, seen: Seen[Any], watching: Watching, stalls: Stalls) -> None:
        """Take in the next entry of the cloud's."""
        event, limits, record = seen.event, self.limits, self.record
        kind = type(event)
        record.after(seen, limits)
        if self.followers and kind in SHOWN_BY_CLOUD:
            self._note(seen)
        if not self.followers and kind not in watching.own.steps and kind not in REQUESTS:
            return
        token = event.client_token if kind in REQUESTS else None
        exchange = self.own.at_cloud(seen, token, record, limits, watching.own)
        if kind is RequestReceived:
            is_told = exchange is not None and exchange.sent is not None
            if not self.followers and not (is_told or token in self.own.testimony.closed):
                self.followers = (self._woken(watching),)
            if self.followers:
                self._with_client(event.client, watching.other)
        if self.followers:
            for follower, monitors in self._following(watching):
                follower.at_cloud(seen, record, limits, monitors, stalls)
        if self.waiting and kind is RequestAnswered:
            self._take_in(watching, WAITING)

    def _note(self, seen: Seen[Any]) -> None:
        """What samples are held against."""
        if isinstance(seen.event, ExecutionChanged):
            self.samples.reported(seen)
        else:
            self.samples.connected(self.record.present.queue.connected_since, seen.mark.at)

    def _following(self, watching: Watching) -> Iterator[tuple[Follower, Monitors]]:
        """The first is the thing's own client; nobody else is watched for all."""
        for index, follower in enumerate(self.followers):
            yield follower, watching.other if index else watching.wire

    def _may_take_in(self, seen: Seen[Any]) -> bool:
        """Whether the cloud has told what this entry is an answer of."""
        if type(seen.event) is not AnswerReceived:
            return True
        exchange = self.own.testimony.exchanges.get(seen.event.client_token)
        return exchange is None or exchange.sent is None or exchange.believes(seen.event)

    def _take_in(self, watching: Watching, most: int) -> None:
        """Take in all that need not wait, and the first of more than `most` that do."""
        while self.waiting and (self._may_take_in(self.waiting[0]) or len(self.waiting) > most):
            first, *rest = self.waiting
            self.own.told(first, self.record, self.limits, watching.own)
            self.waiting = tuple(rest)

    def at_last(self, watching: Watching, stalls: Stalls) -> "Case":
        """As it stands if nothing more is told."""
        if not self.waiting and not any(follower.wire.unproven for follower in self.followers):
            return self
        last = self.twin()
        last._take_in(watching, 0)
        for follower, monitors in last._following(watching):
            follower.at_last(last.record, last.limits, monitors, stalls)
        return last

    def watched(self, watching: Watching) -> Iterator[tuple[Watch, Monitors]]:
        """The device, and what the wire shows besides: of other clients, and of a device that does not tell all."""
        if self.has_told:
            yield self.own, watching.own
            if self.tells_all:
                return
        for follower, monitors in self._following(watching):
            yield follower.watch, monitors

    def _woken(self, watching: Watching) -> Follower:
        """What follows the thing's own client from now on."""
        own, record = self.own.testimony, self.record
        heard = Map((key, heard.at_cloud()) for key, heard in own.executions.items())
        testimony = Testimony(is_wire=True, executions=heard, order=own.order, reported=own.reported)
        wire = Wire(
            frozenset({None, self.thing}),
            is_own=True,
            step_key=self.limits.step_key,
            crossing=self.limits.crossing,
            testimony=testimony,
            answers=record.answers,
        )
        wire.becomes(
            latest=Map((job, keys[-1]) for job, keys in record.jobs.items()),
            known=Map((job_of(key), key) for key in own.executions),
            unheard=() if record.present.queue.connected_since is None else None,
        )
        follower = Follower.of(wire, watching.wire)
        crossed = watching.own.indexes.get(CROSSING), watching.wire.indexes.get(CROSSING)
        if crossed[0] is not None and crossed[1] is not None:
            states = list(follower.watch.states)
            states[crossed[1]] = crossing.at_cloud(self.own.states[crossed[0]])
            follower.watch.states = tuple(states)
        return follower

    def _with_client(self, name: str | None, monitors: Monitors) -> None:
        if any(name in each.wire.client for each in self.followers) or len(self.followers) >= CLIENTS:
            return
        first = self.followers[0].wire
        # What could be known before it first asked is the same for all clients.
        wire = Wire(
            frozenset({name}),
            is_own=False,
            step_key=first.step_key,
            crossing=first.crossing,
            entries=first.entries,
            answers=first.answers,
        )
        wire.becomes(latest=first.latest, known=first.hinted)
        self.followers = (*self.followers, Follower.of(wire, monitors))
