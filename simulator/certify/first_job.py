"""The first job of a device as the cloud saw it; and if it was not done, why, in words that lead to the fix."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agent.device_events import RequestKind
from agent.errors import GhostjobError
from agent.topics import HintKind, HintTopic, hint_topic
from agent.values import NEXT, ErrorCode, Status
from simulator.trace import (
    CLOUD,
    ClientConnected,
    ClientDisconnected,
    ClientSubscribed,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    HintPublished,
    RequestAnswered,
    RequestReceived,
)

MOST_REQUESTS: Final = 10_000
"""Of a first job that are remembered; a device that sends more has shown how it does it."""
HINTS: Final[tuple[HintKind, ...]] = ("notify", "notify-next", "notify-documented")
SHOWN: Final = 120
"""Characters of statusDetails that are told again."""
FOR_WORK: Final = ("get-pending", "start-next")


class NotLearned(GhostjobError):  # noqa: N818 - an outcome, no fault
    """The first job was not done. `failed`: the device took it and did not do it, undisturbed as it was."""

    def __init__(self, why: str, *, failed: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.failed = failed


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
    refused_filters: dict[str, None] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)
    has_connected: bool = False
    hints: int = 0
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
        return tuple(kind for kind in HINTS if self._hears(kind, self.namespace_id))

    def _hears(self, kind: HintKind, namespace_id: str | None) -> bool:
        if kind == "notify-documented" and namespace_id is None:
            return False
        job_id = self.job_id if kind == "notify-documented" else None
        topic = hint_topic(HintTopic(self.thing, kind, namespace_id, job_id))
        return any(matches(each, topic) for each in self.filters)

    @property
    def last(self) -> Asked | None:
        """What it asked last."""
        return self.requests[-1] if self.requests else None


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a filter matches a topic of the Jobs service (MQTT 5, 4.7)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[0].startswith(("+", "#")):
        return False  # topics that begin with $ are not for wildcards
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


# ── taking it in ──────────────────────────────────────────────────────────────────────────────────────────────


def account_of(entries: Iterable[Entry], thing: str, job_id: str, since: float) -> Account:
    """The cloud's account of a job, and of the device that it was for; standing connections count from any time."""
    account = Account(thing, job_id)
    for entry in entries:
        if entry.source != CLOUD:
            continue
        read = READERS.get(type(entry.event))
        is_standing = read in (_connected, _disconnected, _subscribed)
        if read is not None and (is_standing or entry.at >= since):
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
    account.refused_filters |= dict.fromkeys(event.refused)


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


def _hinted(account: Account, _at: float, event: Any) -> None:
    if event.thing == account.thing and any(key.job_id == account.job_id for key in event.listed):
        account.hints += 1


READERS: Final[dict[type, Callable[[Account, float, Any], None]]] = {
    ClientConnected: _connected,
    ClientDisconnected: _disconnected,
    ClientSubscribed: _subscribed,
    RequestReceived: _received,
    RequestAnswered: _answered,
    ExecutionQueued: _queued,
    ExecutionChanged: _changed,
    ExecutionRemoved: _removed,
    HintPublished: _hinted,
}


# ── why it was not done ───────────────────────────────────────────────────────────────────────────────────────


def why_not(account: Account) -> NotLearned | None:
    """Why nothing can be learned from this job; None if it was done."""
    if account.queued_at is None:
        return NotLearned(f"job {account.job_id} was never queued for {account.thing}")
    if account.ended_as == Status.SUCCEEDED and account.ended_by == "device":
        return None
    if account.ended_as is not None:
        return _ended(account)
    if account.began_at is not None:
        return NotLearned(_unfinished(account), failed=True)
    return NotLearned(_not_taken(account))


def _ended(account: Account) -> NotLearned:
    if account.ended_by != "device":
        return NotLearned(
            f"its first job was {account.ended_as} by the service, not by the device; nobody may touch it"
        )
    hint = {
        Status.REJECTED: "; is it a document that this device understands? --document gives it one of yours",
        Status.FAILED: "; the device must be able to do what the document asks for, undisturbed",
    }.get(Status(account.ended_as or ""), "")
    details = shown(account.end_details)
    return NotLearned(f"it reported {account.ended_as} for its first job{details}{hint}", failed=True)


def _unfinished(account: Account) -> str:
    last = account.reports[-1] if account.reports else None
    since = account.seen_until - (last.at if last else account.began_at or 0.0)
    said = (
        f"its last report, {since:.0f} s before, was {last.status}{shown(last.details)}" if last else "it said no more"
    )
    refused = [asked for asked in account.requests if asked.kind == "update" and asked.code is not None]
    if refused:
        asked = refused[-1]
        return (
            f"it took its first job and did not end it: {len(refused)} of its updates were rejected, the last, to "
            f"{asked.status or 'no status'}, with {asked.code}: {_meaning(asked)}"
        )
    return f"it took its first job and did not end it: {said}; it must report SUCCEEDED when it is done"


def _meaning(asked: Asked) -> str:
    if asked.code == ErrorCode.VERSION_MISMATCH:
        return (
            f"it expected version {asked.expected_version}; each accepted update counts the version up by one, and the "
            "answer to a describe or an update with includeJobExecutionState tells it"
        )
    return MEANINGS.get(asked.code or "", "see `ghostjob explain errors`")


MEANINGS: Final[dict[str, str]] = {
    ErrorCode.INVALID_STATE_TRANSITION: "an execution that has ended cannot be changed, nor QUEUED again",
    ErrorCode.INVALID_JSON: "the payload is no JSON, or not UTF-8",
    ErrorCode.INVALID_REQUEST: "a member of the payload has a wrong name, type or value; statusDetails are texts only",
    ErrorCode.INVALID_TOPIC: "there is no such topic below jobs/",
    ErrorCode.RESOURCE_NOT_FOUND: "it named a job that is not there, or another namespace than the job's",
    ErrorCode.TERMINAL_STATE_REACHED: "the execution has ended already",
}
"""What each code means for an update of a job that is there."""


def _not_taken(account: Account) -> str:
    waited = account.seen_until - (account.queued_at or 0.0)
    namespace = account.namespace_id
    if not account.requests and not account.filters:
        there = "it is connected" if account.connected else "it is not connected"
        return f"it never asked for a job, nor subscribed to anything: {there}"
    if (elsewhere := _other_namespace(account)) is not None:
        return (
            f"it speaks of {_namespace(elsewhere)}, and its job is in {_namespace(namespace)}; give `--namespace-id`"
            if elsewhere
            else f"it speaks of {_namespace(elsewhere)}, and its job is in {_namespace(namespace)}; leave out "
            "`--namespace-id`, or have it use the namespace's topics"
        )
    refused = [asked for asked in account.requests if asked.code is not None]
    since = [asked for asked in account.requests if asked.at >= (account.queued_at or 0.0)]
    if refused and refused[-1] is account.last:
        asked = refused[-1]
        return f"its {asked.kind} was rejected with {asked.code}: {_meaning(asked)}"
    if since:
        found = any(asked.found_it for asked in since)
        told = "it was told of the job" if found else "it asked, and not for the job"
        return (
            f"{told}, and did not take it within {waited:.0f} s: it must set it IN_PROGRESS, by start-next or an update"
        )
    return _unmoved(account, waited)


def _unmoved(account: Account, waited: float) -> str:
    """It asked for nothing since the job is there."""
    topic = hint_topic(HintTopic(account.thing, "notify-next", account.namespace_id, None))
    if not account.listens:
        heard = ", ".join(list(account.filters)[:3]) or "nothing"
        return (
            f"it asked for nothing in the {waited:.0f} s since its job is there, and cannot hear of it: it listens to "
            f"{heard}, and not to {topic}; if it polls, it may need more time"
        )
    return (
        f"it listens to {' and '.join(account.listens)} and was told of its job, but asked for nothing in the "
        f"{waited:.0f} s since; after a notification it must ask, by start-next or describe"
    )


NO_NAMESPACE: Final = ""


def _other_namespace(account: Account) -> str | None:
    """The namespace that its requests name, if that is not the job's ("" for none); None if there is no such thing."""
    asked = {request.namespace_id for request in account.requests}
    if not asked or account.namespace_id in asked:
        return None
    return next(iter(sorted(each or NO_NAMESPACE for each in asked)))


def _namespace(namespace_id: str | None) -> str:
    return f"namespace {namespace_id}" if namespace_id else "no namespace"


def shown(details: tuple[tuple[str, str], ...]) -> str:
    """statusDetails to append, within bounds; nothing if there are none."""
    if not details:
        return ""
    text = json.dumps(dict(details), ensure_ascii=True)
    return f" with {text if len(text) <= SHOWN else text[:SHOWN] + '…'}"
