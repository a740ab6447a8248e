"""How one thing's queue stood at the cloud, entry by entry, and how long the device let it wait.

All of it is on the cloud's own clock, in microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from agent.values import ExecutionKey, Status
from simulator.trace import (
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.history import Account, Elsewhere, Seen

KEEP_ALIVE_TIMEOUT = "MQTT_KEEP_ALIVE_TIMEOUT"
MESSAGES = (RequestReceived, RequestAnswered, AnswerDelivered)


@dataclass(slots=True)
class Queue:
    """A thing's pending executions, and whether it is there to work on them.

    `connected_since` is None while it is not; 0 connections seen at all means that the cloud does not tell of them,
    and the device counts as connected. `began` is the execution that the latest entry set IN_PROGRESS, if it did;
    `went_on` says whether by the latest entry the device reported on what was in progress; `failed_unbegun`, whether it
    reported FAILED what was QUEUED.
    """

    connected_since: float | None = None
    queued: dict[ExecutionKey, Seen[Event]] = field(default_factory=dict)
    running: dict[ExecutionKey, Seen[Event]] = field(default_factory=dict)
    began: ExecutionKey | None = None
    went_on: bool = False
    failed_unbegun: bool = False
    elsewhere: "Queue | None" = None
    """What is pending for others, who share the thing; None if nobody does."""
    _connections: int = 0

    @property
    def awaits_device(self) -> bool:
        """Whether something is queued, nothing of this device's is in progress, it is connected, and has its turn."""
        return bool(self.queued) and not self.running and self.connected_since is not None and not self._is_held_back

    @property
    def _is_held_back(self) -> bool:
        """Whether another's execution is the head of the thing's queue: then no notify-next tells of ours."""
        if self.elsewhere is None:
            return False
        ours, theirs = (next(iter(queue.queued.values()), None) for queue in (self, self.elsewhere))
        is_earlier = ours is not None and theirs is not None and theirs.n < ours.n
        return is_earlier or bool(self.elsewhere.running)

    def apply(self, seen: Seen[Any]) -> None:
        """Bring the queue up to date with the next entry."""
        self.began = None
        self.went_on = self.failed_unbegun = False
        match seen.event:
            case Elsewhere(event=event):
                self.elsewhere = self.elsewhere or Queue()
                self.elsewhere.apply(seen._replace(event=event))
            case ClientConnected():
                self._connections += 1
                self.connected_since = seen.at
            case ClientDisconnected():
                # A client that takes over an id is connected before the other's end is told, or after: both occur.
                self._connections = max(self._connections - 1, 0)
                if not self._connections:
                    self.connected_since = None
            case ExecutionQueued(execution=key):
                self.queued[key] = seen
            case ExecutionChanged(execution=key, status=status, by=by):
                self.went_on = by == "device" and key in self.running
                self._change(key, Status(status), seen)
            case ExecutionRemoved(execution=key):
                self.queued.pop(key, None)
                self.running.pop(key, None)
            case _:
                pass

    def _change(self, key: ExecutionKey, status: Status, seen: Seen[Event]) -> None:
        if status is Status.IN_PROGRESS:
            if key not in self.running:
                self.running[key] = seen
                self.began = key
            self.queued.pop(key, None)
        elif status.is_terminal:
            self.failed_unbegun = status is Status.FAILED and key in self.queued
            self.queued.pop(key, None)
            self.running.pop(key, None)


def walk(cloud: Account, *, with_requests: bool = False) -> Iterator[tuple[Seen[Event], Queue]]:
    """Every entry with the queue as it stands after it; the queue is one object that changes.

    Requests and their answers, most of an account, change nothing by themselves, and are left out unless asked for.
    A connection whose keep-alive lapsed had ended long before the broker noticed: as far as is known, with its last
    message.
    """
    queue = Queue()
    if not cloud.of(ClientConnected):
        queue.connected_since = float("-inf")
    last_heard = 0
    for seen in cloud.seen:
        if isinstance(seen.event, MESSAGES):
            last_heard = seen.at
            if not with_requests:
                continue
        elif isinstance(seen.event, ClientConnected):
            last_heard = seen.at
        elif isinstance(seen.event, ClientDisconnected) and seen.event.reason == KEEP_ALIVE_TIMEOUT:
            seen = seen._replace(at=min(seen.at, last_heard))
        queue.apply(seen)
        yield seen, queue


def connected_spans(cloud: Account) -> list[tuple[float, float]]:
    """From when to when the thing was connected; infinite where that lies outside the account."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for seen, queue in walk(cloud):
        if since is not None and queue.connected_since is None:
            spans.append((since, seen.at))
        since = queue.connected_since
    if since is not None:
        spans.append((since, float("inf")))
    return spans if cloud.seen else [(float("-inf"), float("inf"))]


@dataclass(slots=True)
class Recovery:
    """What followed when a record was removed under an execution in progress.

    `waits` is from when to when the device, connected, let a next execution wait; `waiting_since` is set while it
    still does; `next` is the one that waits or waited. `spurned` is the device's word that one failed which it had
    not begun. `seconds` counts to `resumed` from the later of removal
    and connection: the time without work, as an operator sees it, be there a next execution from the start or not.
    """

    removed: Seen[ExecutionRemoved]
    next: Seen[Event] | None = None
    waits: list[tuple[float, float]] = field(default_factory=list)
    waiting_since: float | None = None
    spurned: Seen[ExecutionChanged] | None = None
    resumed: Seen[Event] | None = None
    seconds: float = 0

    def follow(self, seen: Seen[Event], queue: Queue) -> None:
        """Take in the next entry."""
        if queue.failed_unbegun:
            self.spurned = self.spurned or cast("Seen[ExecutionChanged]", seen)
        if queue.began is not None or queue.went_on:
            self._stop_waiting(seen.at)
            self.resumed = seen
            connected = queue.connected_since if queue.connected_since is not None else seen.at
            self.seconds = (seen.at - max(self.removed.at, connected)) / 1_000_000
        elif not queue.awaits_device:
            self._stop_waiting(seen.at)
        elif self.waiting_since is None:
            self.waiting_since = seen.at
            self.next = next(iter(queue.queued.values()))

    def _stop_waiting(self, at: int) -> None:
        if self.waiting_since is not None:
            self.waits.append((self.waiting_since, at))
            self.waiting_since = None


def recoveries(cloud: Account) -> list[Recovery]:
    """One for each record that was removed while IN_PROGRESS, in that order."""
    found: list[Recovery] = []
    for seen, queue in walk(cloud):
        if isinstance(seen.event, ExecutionRemoved) and seen.event.status == Status.IN_PROGRESS:
            found.append(Recovery(cast("Seen[ExecutionRemoved]", seen)))
        for recovery in found:
            if recovery.resumed is None:
                recovery.follow(seen, queue)
    return found
