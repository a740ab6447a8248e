"""How one thing's queue stood at the cloud, whether the thing was there for it, and how long it let it wait.

All of it is on the cloud's own clock, in microseconds, and in the cloud's own order.
"""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from agent.values import ExecutionKey, Status
from simulator.trace import (
    TERMINAL,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    HintPublished,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.limits import Limits
from simulator.verdict.seen import Elsewhere, Mark, Seen
from simulator.verdict.state import State

KEEP_ALIVE_TIMEOUT = "MQTT_KEEP_ALIVE_TIMEOUT"
MESSAGES = frozenset({RequestReceived, RequestAnswered, AnswerDelivered, HintPublished})
"""By which nothing changes in the queue."""
SIGNS = (RequestReceived, ClientConnected, ExecutionQueued)
"""What a device shows itself by, or what is new to it."""

RECOVERIES = 16
SECONDS = 100
WAITS = 64
PENDING = 1024
EXCESSES = 8
"""So many are remembered of one thing; of what is longer than its bound, the longest."""

Span = tuple[float, float]


@dataclass(slots=True, unsafe_hash=True)
class Queue(State):
    """A thing's pending executions, and whether it is there to work on them.

    `connected_since` is None while it is not. `began` is the execution that the latest entry set IN_PROGRESS, if it
    did; `went_on` says whether by the latest entry the device reported on what was in progress; `failed_unbegun`,
    whether it reported FAILED what was QUEUED. `elsewhere` is what is pending for others, who share the thing.
    `is_overfull`: so much was pending that not all of it is known, and nobody can say any more what waits for whom.
    """

    connected_since: float | None = None
    queued: Map[ExecutionKey, Mark] = EMPTY
    running: Map[ExecutionKey, Mark] = EMPTY
    began: ExecutionKey | None = None
    went_on: bool = False
    failed_unbegun: bool = False
    elsewhere: "Queue | None" = None
    connections: int = 0
    is_overfull: bool = False

    @property
    def awaits_device(self) -> bool:
        """Whether something is queued, nothing of this device's is in progress, it is connected, and has its turn."""
        return bool(self.queued) and not self.running and self._is_there and not self._is_held_back

    @property
    def has_work(self) -> bool:
        """Whether the device is there, and something is for it to do."""
        return self.awaits_device or (self._is_there and bool(self.running))

    @property
    def _is_there(self) -> bool:
        return self.connected_since is not None and not self.is_overfull

    @property
    def _is_held_back(self) -> bool:
        """Whether another's execution is the head of the thing's queue: then no notify-next tells of ours."""
        if self.elsewhere is None:
            return False
        ours, theirs = (next(iter(queue.queued.values()), None) for queue in (self, self.elsewhere))
        is_earlier = ours is not None and theirs is not None and theirs.n < ours.n
        return is_earlier or bool(self.elsewhere.running) or self.elsewhere.is_overfull

    def after(self, mark: Mark, event: Any) -> None:
        """With the next entry."""
        self.began, self.went_on, self.failed_unbegun = None, False, False
        match event:
            case Elsewhere(event=other):
                self.elsewhere = self.elsewhere or Queue()
                self.elsewhere.after(mark, other)
            case ClientConnected():
                self.connections, self.connected_since = self.connections + 1, mark.at
            case ClientDisconnected():
                # A client that takes over an id is connected before the other's end is told, or after: both occur.
                self.connections = max(self.connections - 1, 0)
                self.connected_since = self.connected_since if self.connections else None
            case ExecutionQueued(execution=key):
                self.is_overfull = self.is_overfull or len(self.queued) >= PENDING
                self.queued = self.queued.put(key, mark, PENDING)
            case ExecutionChanged(execution=key, status=status, by=by):
                self.went_on = by == "device" and key in self.running
                self._changed(key, status, mark)
            case ExecutionRemoved(execution=key):
                self.queued, self.running = self.queued.without(key), self.running.without(key)
            case _:
                pass

    def _changed(self, key: ExecutionKey, status: str, mark: Mark) -> None:
        if status == Status.IN_PROGRESS:
            if key not in self.running:
                self.is_overfull = self.is_overfull or len(self.running) >= PENDING
                self.running, self.began = self.running.put(key, mark, PENDING), key
        elif status in TERMINAL:
            self.failed_unbegun = status == Status.FAILED and key in self.queued
            self.running = self.running.without(key)
        else:
            return
        self.queued = self.queued.without(key)


class Spurned(NamedTuple):
    """The device's word that an execution failed which it had not begun."""

    mark: Mark
    execution: ExecutionKey


class Waits(NamedTuple):
    """From when to when somebody waited: the longest that is within the bound, and those that are longer."""

    since: float | None = None
    longest: Span | None = None
    excesses: tuple[Span, ...] = ()

    def until(self, at: float, bound: int) -> "Waits":
        """Stop waiting."""
        if self.since is None:
            return self
        span = (self.since, at)
        if at - self.since > bound:
            return Waits(None, self.longest, (*self.excesses, span)[:EXCESSES])
        longer = self.longest is None or at - self.since > self.longest[1] - self.longest[0]
        return Waits(None, span if longer else self.longest, self.excesses)

    @property
    def spans(self) -> tuple[Span, ...]:
        """All that can matter of those that are over."""
        return self.excesses if self.longest is None else (self.longest, *self.excesses)


class Recovery(NamedTuple):
    """What followed when a record was removed under an execution in progress.

    `waits` are those of a next execution for the device, connected; `next` is the one that waits or waited. `spurned`
    is the device's word that one failed which it had not begun. `seconds` counts to `resumed` from the later of removal
    and connection: the time without work, as an operator sees it, be there a next execution from the start or not. Who
    has no connection, and asks over HTTP, is there all the time.
    """

    removed: Mark
    job: str
    next: Mark | None = None
    waits: Waits = Waits()
    spurned: Spurned | None = None
    resumed: Mark | None = None
    seconds: float = 0

    @property
    def is_exercised(self) -> bool:
        """Whether there was a next execution to be ready for."""
        return self.resumed is not None or self.waits.since is not None

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be said against it any more."""
        return self.resumed is not None and self.spurned is None and not self.waits.excesses

    def after(self, seen: Seen[Any], queue: Queue, bound: int) -> "Recovery":
        """With the next entry, after which the queue stands like this."""
        at, mine = seen.mark.at, self
        if queue.failed_unbegun and mine.spurned is None:
            mine = mine._replace(spurned=Spurned(seen.mark, seen.event.execution))
        if queue.began is not None or queue.went_on:
            connected = queue.connected_since if queue.connected_since is not None else self.removed.at
            seconds = (at - max(self.removed.at, connected)) / 1_000_000
            return mine._replace(waits=self.waits.until(at, bound), resumed=seen.mark, seconds=seconds)
        if not queue.awaits_device:
            return mine._replace(waits=self.waits.until(at, bound)) if self.waits.since is not None else mine
        if self.waits.since is None:
            return mine._replace(waits=self.waits._replace(since=at), next=next(iter(queue.queued.values())))
        return mine


class Silence(NamedTuple):
    """After which entry a device that had work was silent for too long, and until when."""

    after: Mark
    until: int


@dataclass(slots=True, unsafe_hash=True)
class Attendance(State):
    """The queue of a thing, and what became of what waited in it.

    `span` is when the thing was last connected, without an end while it is; `first` when it was for the first time.
    A connection whose keep-alive lapsed had ended long before the broker noticed: as far as is known, with its last
    message. `recoveries` are those of which something is to be said or may yet be; of the others there is a count.
    """

    queue: Queue = field(default_factory=Queue)
    last_heard: int = 0
    span: tuple[float, float | None] | None = None
    first: float | None = None
    is_first: bool = True
    recoveries: tuple[Recovery, ...] = ()
    in_time: int = 0
    """How many recoveries have come to a good end."""
    forgotten: int = 0
    """How many have come to none, and are not remembered."""
    seconds: tuple[float, ...] = ()
    """How long those took that have come to an end: the last of them."""
    waits: Map[ExecutionKey, Waits] = EMPTY
    recovers_until: float = float("-inf")
    quiet: Mark | None = None
    silences: tuple[Silence, ...] = ()
    lost: Seen[ClientDisconnected] | None = None
    """The end of the last connection, while there is no other."""

    @property
    def last_span(self) -> Span | None:
        """When the thing was last connected; infinite where that lies outside the account."""
        if self.span is None:
            return None
        since, until = self.span
        return since, float("inf") if until is None else until

    def after(self, seen: Seen[Any], limits: Limits) -> None:
        """With the next entry."""
        mark, event = seen
        kind = type(event)
        if kind in MESSAGES:
            if kind is not HintPublished:
                self.last_heard = mark.at
            if self.quiet is not None:
                self._passes(mark, limits)
                self.quiet = mark if kind is RequestReceived else self.quiet
            return
        if kind is ClientConnected:
            self.last_heard, self.lost = mark.at, None
        elif kind is ClientDisconnected:
            if event.reason == KEEP_ALIVE_TIMEOUT:
                mark = mark._replace(at=min(mark.at, self.last_heard))
                seen = Seen(mark, event)
            self.lost = seen
        before, queue = self.queue.connected_since, self.queue
        queue.after(mark, event)
        if queue.connected_since != before or self.span is None:
            self._connecting(mark.at)
        self._recovering(seen, limits)
        self._waiting(seen, limits)
        self._passes(mark, limits)
        if not queue.has_work:
            self.quiet = None
        elif self.quiet is None or isinstance(event, SIGNS):
            self.quiet = mark

    def _passes(self, mark: Mark, limits: Limits) -> None:
        """Time has passed, in which it may have been quiet for too long."""
        quiet, silences = self.quiet, self.silences
        if quiet is not None and mark.at - quiet.at > limits.silence:
            if silences and silences[-1].after == quiet:
                silences = silences[:-1]
            self.silences = (*silences, Silence(quiet, mark.at))[:EXCESSES]

    def _connecting(self, at: int) -> None:
        """A second connection beside the first dates the span anew."""
        since, is_first = self.queue.connected_since, self.span is None or (self.span[1] is None and self.is_first)
        if since is not None:
            self.span, self.first, self.is_first = (since, None), since if is_first else self.first, is_first
        elif self.span is not None and self.span[1] is None:
            self.span, self.is_first = (self.span[0], at), False

    def _recovering(self, seen: Seen[Any], limits: Limits) -> None:
        recoveries, event = self.recoveries, seen.event
        if isinstance(event, ExecutionRemoved) and event.status == Status.IN_PROGRESS:
            recoveries = (*recoveries, Recovery(seen.mark, event.execution.job_id))
        if not recoveries:
            return
        queue = self.queue
        recoveries = tuple(each if each.resumed else each.after(seen, queue, limits.ready) for each in recoveries)
        if recoveries == self.recoveries:
            return
        over = [each for each in recoveries if each.resumed]
        stay = tuple(each for each in recoveries if not each.is_good)
        seconds = self.seconds + tuple(each.seconds for each in over if each not in self.recoveries)
        self.recoveries, self.seconds = stay[-RECOVERIES:], seconds[-SECONDS:]
        self.in_time += len(recoveries) - len(stay)
        self.forgotten += max(len(stay) - RECOVERIES, 0)

    def _waiting(self, seen: Seen[Any], limits: Limits) -> None:
        queue, waits, at, until = self.queue, self.waits, seen.mark.at, self.recovers_until
        if _is_ended_by_service(seen.event):
            until = at + limits.ready
        awaits = queue.awaits_device
        for key, wait in waits.items():
            if wait.since is not None and (key not in queue.queued or not awaits):
                waits = waits.put(key, wait.until(at, limits.lost_job))
        if awaits:
            for key in islice(queue.queued, WAITS):
                wait = waits.get(key, Waits())
                if wait.since is None:
                    waits = waits.put(key, wait._replace(since=max(at, until)))
            waits = waits.at_most(WAITS, lambda key, wait: wait.since is None and key not in queue.queued)
        self.waits, self.recovers_until = waits, until


def _is_ended_by_service(event: Event) -> bool:
    match event:
        case ExecutionRemoved():
            return True
        case ExecutionChanged(status=status, by="service"):
            return status in TERMINAL
        case _:
            return False
