"""One device under the judge: what it told, what the cloud told of it, in whatever order the two come in.

Each account keeps its own order. What orders one against the other is who answered whom: the device's entry that it
processed an answer is taken in only after the cloud's entry that it gave that answer, and until then the device's
entries wait. Nothing else has to wait, for nothing else is ordered.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from agent.account import AnswerReceived
from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict.account import Account
from simulator.verdict.findings import Invariant
from simulator.verdict.frozen import Map
from simulator.verdict.limits import Limits
from simulator.verdict.lives import Record
from simulator.verdict.seen import Seen
from simulator.verdict.stalls import Stalls
from simulator.verdict.watch import WHEREABOUTS, Monitors, Watch
from simulator.verdict.wire import Client, Wire

WAITING: Final = 1_000
"""So many entries of a device may wait for the cloud's; then the first is taken in without."""
CLIENTS: Final = 8
"""So many clients are watched of one thing."""

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


class Follower(NamedTuple):
    """A client as the wire shows it, and as it is watched; `wire.account` is what the watch has of it."""

    wire: Wire
    states: tuple[Any, ...]

    def after(self, seen: Seen[Any], record: Record, limits: Limits, monitors: Monitors, stalls: Stalls) -> "Follower":
        """With the next entry of the cloud's."""
        wire, told = self.wire.due(seen.mark.at, stalls) if self.wire.unproven else (self.wire, [])
        mine = Follower(wire, self.states)._told(told, record, limits, monitors)
        wire, told = mine.wire.after(seen)
        mine = Follower(wire, mine.states)._told(told, record, limits, monitors)
        if isinstance(seen.event, RequestReceived | RequestAnswered) and mine.wire.asking is None:
            return mine
        watch = Watch(mine.wire.account, mine.states)
        return mine._with(watch.at_cloud(seen, mine.wire.asking, record, limits, monitors))

    def at_last(self, record: Record, limits: Limits, monitors: Monitors, stalls: Stalls) -> "Follower":
        """With what nothing speaks against any more if this is the end."""
        if not self.wire.unproven:
            return self
        wire, told = self.wire.due(None, stalls)
        return Follower(wire, self.states)._told(told, record, limits, monitors)

    def _told(self, told: list[Seen[Any]], record: Record, limits: Limits, monitors: Monitors) -> "Follower":
        if not told:
            return self
        watch = Watch(self.wire.account, self.states)
        for seen in told:
            watch = watch.told(seen, record, limits, monitors)
        return self._with(watch)

    def _with(self, watch: Watch) -> "Follower":
        return Follower(self.wire._replace(account=watch.account), watch.states)


class Device(NamedTuple):
    """The state of all that watches one device; nothing of it changes.

    `has_told` once it has given any account of its own. `waiting` is what it told, from an answer on that the cloud
    has not told of. Without an account, the first of `followers` is what it did; with one, they are what its thing's
    clients did besides.
    """

    limits: Limits
    own: Watch
    followers: Map[Client, Follower]
    record: Record = Record()
    has_told: bool = False
    waiting: tuple[Seen[Any], ...] = ()

    @classmethod
    def new(cls, thing: str, limits: Limits, watching: Watching) -> "Device":
        """One of which nothing is known."""
        client: Client = frozenset({None, thing})
        follower = Follower(Wire(client, is_own=True), watching.wire.start)
        return cls(limits, Watch(Account(), watching.own.start), Map({client: follower}))

    @property
    def tells_all(self) -> bool:
        """Whether the device told of every request of its thing, and of answers if it got any."""
        account = self.own.account
        return account.tells_all and (bool(account.heard_n) or not self.record.tells_deliveries)

    def told(self, seen: Seen[Any], watching: Watching) -> "Device":
        """With the next entry of its own."""
        device = self if self.has_told else self._replace(has_told=True)
        if not device.waiting and device._may_take_in(seen):
            own = device.own.told(seen, device.record, device.limits, watching.own)
            return device._replace(own=own)
        device = device._replace(waiting=(*device.waiting, seen))
        return device._taking_in(watching, WAITING) if len(device.waiting) > WAITING else device

    def at_cloud(self, seen: Seen[Any], watching: Watching, stalls: Stalls) -> "Device":
        """With the next entry of the cloud's."""
        event, limits = seen.event, self.limits
        record = self.record.after(seen, limits)
        token = event.client_token if isinstance(event, RequestReceived | RequestAnswered) else None
        own = self.own.at_cloud(seen, token, record, limits, watching.own)
        followers = self.followers
        if isinstance(event, RequestReceived):
            followers = _with_client(followers, event.client, watching.other)
        # The first is the thing's own; nobody else is watched for all.
        new = Map(
            (client, each.after(seen, record, limits, watching.other if index else watching.wire, stalls))
            for index, (client, each) in enumerate(followers.items())
        )
        device = self._replace(record=record, own=own, followers=new)
        return device._taking_in(watching, WAITING) if device.waiting and isinstance(event, RequestAnswered) else device

    def _may_take_in(self, seen: Seen[Any]) -> bool:
        """Whether the cloud has told what this entry is an answer of."""
        if not isinstance(seen.event, AnswerReceived):
            return True
        exchange = self.own.account.exchanges.get(seen.event.client_token)
        return exchange is None or exchange.sent is None or exchange.believes(seen.event)

    def _taking_in(self, watching: Watching, most: int) -> "Device":
        """With all that need not wait, and with the first of more than `most` that do."""
        device = self
        while device.waiting:
            first, *rest = device.waiting
            if not device._may_take_in(first) and len(device.waiting) <= most:
                return device
            own = device.own.told(first, device.record, device.limits, watching.own)
            device = device._replace(own=own, waiting=tuple(rest))
        return device

    def at_last(self, watching: Watching, stalls: Stalls) -> "Device":
        """As it stands if nothing more is told."""
        device = self._taking_in(watching, 0) if self.waiting else self
        followers = [
            (client, each.at_last(self.record, self.limits, watching.other if index else watching.wire, stalls))
            for index, (client, each) in enumerate(device.followers.items())
        ]
        return device._replace(followers=Map(followers))

    def watched(self, watching: Watching) -> Iterator[tuple[Watch, Monitors]]:
        """The device, and what the wire shows besides: of other clients, and of a device that does not tell all."""
        followers = [
            (Watch(each.wire.account, each.states), watching.other if index else watching.wire)
            for index, each in enumerate(self.followers.values())
        ]
        if self.has_told:
            yield self.own, watching.own
        else:
            yield followers.pop(0)
        if not self.has_told or not self.tells_all:
            yield from followers


def _with_client(followers: Map[Client, Follower], name: str | None, monitors: Monitors) -> Map[Client, Follower]:
    if any(name in client for client in followers) or len(followers) >= CLIENTS:
        return followers
    client: Client = frozenset({name})
    first = next(iter(followers.values())).wire
    # What could be known before it first asked is the same for all clients.
    wire = Wire(
        client, False, entries=first.entries - 1, latest=first.latest, known=first.hinted, answers=first.answers
    )
    return followers.put(client, Follower(wire, monitors.start))
