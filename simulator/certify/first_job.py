"""A job of a device that is not ours, as the cloud saw it: what was asked and answered, reported and heard of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agent.device_events import RequestKind
from agent.topics import HintKind, HintTopic, hint_topic, request_topic
from agent.values import NEXT, Describe, GetPending, StartNext, Status, Update
from simulator.certify.filters import matches
from simulator.trace import (
    CLOUD,
    ClientConnected,
    ClientDisconnected,
    ClientSubscribed,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
    RunEnded,
)

MOST_REQUESTS: Final = 10_000
"""Of a first job that are remembered; a device that sends more has shown how it does it."""
HINTS: Final[tuple[HintKind, ...]] = ("notify", "notify-next", "notify-documented")
FOR_WORK: Final = ("get-pending", "start-next")


@dataclass(slots=True)
class Asked:
    """A request and what became of it. `client` is who asked; `is_unconnected`: no connection of that client was up."""

    at: float
    kind: RequestKind
    client: str
    is_unconnected: bool
    token: str | None
    namespace_id: str | None
    job_id: str | None
    status: str | None
    details: tuple[tuple[str, str], ...]
    expected_version: int | None
    code: str | None = None
    is_answered: bool = False
    found_it: bool = False
    """The answer was about the first job."""

    @property
    def is_for_work(self) -> bool:
        """Whether it asks for work, and not about a job."""
        return self.kind in FOR_WORK or (self.kind == "describe" and self.job_id == NEXT)


@dataclass(frozen=True, slots=True)
class Said:
    """A report that was accepted."""

    at: float
    status: str
    details: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Account:
    """What the cloud saw of a thing and of one job of it."""

    thing: str
    job_id: str
    namespace_id: str | None = None
    requests: list[Asked] = field(default_factory=list)
    reports: list[Said] = field(default_factory=list)
    filters: dict[str, None] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)
    has_connected: bool = False
    queued_at: float | None = None
    began_at: float | None = None
    taken_by: RequestKind | None = None
    ended_at: float | None = None
    ended_as: str | None = None
    ended_by: str = ""
    end_details: tuple[tuple[str, str], ...] = ()
    seen_until: float = 0.0

    @property
    def listens(self) -> tuple[str, ...]:
        """The notifications that its subscriptions match."""
        kinds = HINTS if self.namespace_id is not None else HINTS[:2]
        topics = {kind: hint_topic(HintTopic(self.thing, kind, self.namespace_id, self.job_id)) for kind in kinds}
        return tuple(kind for kind, topic in topics.items() if self._hears(topic))

    def _hears(self, topic: str) -> bool:
        return any(matches(each, topic) for each in self.filters)

    @property
    def refusals_unheard(self) -> tuple[str, ...]:
        """Filters that would bring the refusals of what it asked by a connection, where it has none that does.

        Their answers come to the connection that asked all the same (Developer Guide, "Jobs device MQTT API"); but a
        client may pass on to the device's program only what that has subscribed to.
        """
        known = [each for each in self.requests if each.job_id in (None, NEXT, self.job_id) and not each.is_unconnected]
        asked = {(each.kind, each.job_id) for each in known if each.namespace_id == self.namespace_id}
        return tuple(
            refusals_of(self.thing, kind, "+" if job_id == self.job_id else job_id, self.namespace_id)
            for kind, job_id in sorted(asked, key=str)
            if not self._hears(refusals_of(self.thing, kind, job_id, self.namespace_id))
        )

    @property
    def last(self) -> Asked | None:
        """What it asked last."""
        return self.requests[-1] if self.requests else None


def topic_of(thing: str, kind: RequestKind, job_id: str | None, namespace_id: str | None) -> str:
    """Where a request of that kind is published; about a job that is not known, `JOB` stands for it."""
    match kind:
        case "get-pending":
            return request_topic(thing, GetPending(namespace_id=namespace_id))
        case "start-next":
            return request_topic(thing, StartNext(namespace_id=namespace_id))
        case "describe":
            return request_topic(thing, Describe(job_id or "JOB", namespace_id=namespace_id))
        case "update":
            return request_topic(thing, Update(job_id or "JOB", Status.IN_PROGRESS, namespace_id=namespace_id))


def refusals_of(thing: str, kind: RequestKind, job_id: str | None, namespace_id: str | None) -> str:
    """Where a request of that kind is refused."""
    return f"{topic_of(thing, kind, job_id, namespace_id)}/rejected"


# ── taking it in ──────────────────────────────────────────────────────────────────────────────────────────────


def account_of(entries: Iterable[Entry], thing: str, job_id: str) -> Account:
    """The cloud's account of a job, and of the device that it was for."""
    account = Account(thing, job_id)
    for entry in entries:
        if isinstance(entry.event, RunEnded):  # nothing may have happened for long
            account.seen_until = max(account.seen_until, entry.at)
        if entry.source != CLOUD:
            continue
        read = READERS.get(type(entry.event))
        if read is not None:
            account.seen_until = max(account.seen_until, entry.at)
            read(account, entry.at, entry.event)
    return account


def _connected(account: Account, _at: float, event: Any) -> None:
    account.connected.add(event.thing)
    account.has_connected = account.has_connected or event.thing == account.thing


def _disconnected(account: Account, _at: float, event: Any) -> None:
    account.connected.discard(event.thing)


def _subscribed(account: Account, _at: float, event: Any) -> None:
    account.filters |= dict.fromkeys(event.filters)


def _received(account: Account, at: float, event: Any) -> None:
    if event.thing != account.thing or len(account.requests) >= MOST_REQUESTS:
        return
    client = event.client or event.thing
    details = tuple(sorted((event.details or {}).items()))
    account.requests.append(
        Asked(
            at,
            event.request,
            client,
            client not in account.connected,
            event.client_token,
            event.namespace_id,
            event.job_id,
            event.status,
            details,
            event.expected_version,
        )
    )


def _answered(account: Account, at: float, event: Any) -> None:
    asked = account.last
    if event.thing != account.thing or asked is None or asked.is_answered:
        return
    asked.is_answered, asked.code = True, event.code
    asked.found_it = event.execution is not None and event.execution.job_id == account.job_id
    if not (event.accepted and asked.found_it):
        return
    if asked.kind == "update" or (asked.kind == "start-next" and not account.reports):
        status = asked.status or str(Status.IN_PROGRESS)
        account.reports.append(Said(at, status, asked.details))
        if account.taken_by is None:
            account.taken_by = asked.kind


def _queued(account: Account, at: float, event: Any) -> None:
    if _is_it(account, event) and account.queued_at is None:
        account.queued_at, account.namespace_id = at, event.execution.namespace_id


def _changed(account: Account, at: float, event: Any) -> None:
    if not _is_it(account, event):
        return
    if account.began_at is None and event.by == "device":
        account.began_at = at
    if Status(event.status).is_terminal and account.ended_at is None:
        account.ended_at, account.ended_as, account.ended_by = at, event.status, event.by
        account.end_details = tuple(sorted((event.details or {}).items()))


def _removed(account: Account, at: float, event: Any) -> None:
    if _is_it(account, event) and account.ended_at is None:
        account.ended_at, account.ended_as, account.ended_by = at, "removed", "service"


def _is_it(account: Account, event: Any) -> bool:
    return bool(event.thing == account.thing and event.execution.job_id == account.job_id)


READERS: Final[dict[type, Callable[[Account, float, Any], None]]] = {
    ClientConnected: _connected,
    ClientDisconnected: _disconnected,
    ClientSubscribed: _subscribed,
    RequestReceived: _received,
    RequestAnswered: _answered,
    ExecutionQueued: _queued,
    ExecutionChanged: _changed,
    ExecutionRemoved: _removed,
}
