"""Which notifications a change of one thing's queue publishes.

    notify        whenever the list of pending executions gains or loses one; not when a listed one merely changes
    notify-next   whenever another execution, or none, becomes the head
    (Developer Guide, "Jobs notifications", with its worked examples)

Each speaks for one namespace. Who is first is decided per thing across namespaces by default: a job of another
namespace at the head holds back this namespace's notify-next (observed: aws-greengrass-lite#1151), which is why a
namespaced device listens to notify too. When the thing's head passes from one namespace to another, both namespaces
hear of it: the old one that it has no head any more, the new one that it has (an assumption).
"""

from functools import lru_cache
from typing import Literal, TypeAlias, TypeVar

from agent.values import ExecutionKey, Hint, JobMentioned, NextChanged, PendingChanged
from simulator.cloud.jobs.queue import Lookup, Pending, Queue, head, listing
from simulator.cloud.jobs.records import JobExecution
from simulator.cloud.jobs.settings import JobsSettings

H = TypeVar("H", PendingChanged, NextChanged)
News: TypeAlias = Literal["added", "removed", "as before"]
"""What becomes of the list of pending executions."""


def hints(
    touched: ExecutionKey, news: News, before: Pending, after: Queue, now: float, settings: JobsSettings, lookup: Lookup
) -> tuple[Hint, ...]:
    """What is published after an execution was queued, changed or removed, in order; nothing else differs."""
    ns = touched.namespace_id
    told: list[Hint] = []
    if news != "as before":
        told.append(_list(after, ns, now, lookup))
    if settings.head_across_namespaces:
        told += _heads_of_thing(_first(before), _first(after.pending), ns, now, lookup)
    elif _key(head(before, ns)) != _key(new := head(after.pending, ns)):
        told.append(_next(new, ns, now, lookup))
    if ns is not None and news != "as before" and _is_mentioned(news, settings):
        told.append(JobMentioned(ns, touched.job_id, _payload(after, ns, now, settings, lookup)))
    return tuple(told)


def _first(pending: Pending) -> JobExecution | None:
    return pending[0] if pending else None


def _heads_of_thing(
    was: JobExecution | None, new: JobExecution | None, ns: str | None, now: float, lookup: Lookup
) -> list[Hint]:
    """What is told when the thing's head changed, because of something in the namespace `ns`, told first."""
    if _key(was) == _key(new):
        return []
    namespaces = dict.fromkeys((ns, *(e.key.namespace_id for e in (was, new) if e is not None)))
    told: list[Hint] = []
    for namespace_id in namespaces:
        first, second = _of(was, namespace_id), _of(new, namespace_id)
        if first is not second:
            told.append(_next(second, namespace_id, now, lookup))
    return told


def _of(execution: JobExecution | None, namespace_id: str | None) -> JobExecution | None:
    return execution if execution is not None and execution.key.namespace_id == namespace_id else None


def _payload(
    queue: Queue, namespace_id: str, now: float, settings: JobsSettings, lookup: Lookup
) -> PendingChanged | NextChanged:
    """What stands on the documented topic."""
    if settings.documented_payload == "list":
        return _list(queue, namespace_id, now, lookup)
    first = _first(queue.pending) if settings.head_across_namespaces else head(queue.pending, namespace_id)
    return _next(_of(first, namespace_id), namespace_id, now, lookup)


def _list(queue: Queue, namespace_id: str | None, now: float, lookup: Lookup) -> PendingChanged:
    in_progress, queued = listing(queue.pending, namespace_id, lookup.listed(queue, now))
    hint: PendingChanged = _same(PendingChanged(int(now), namespace_id, in_progress, queued))
    return hint


def _next(execution: JobExecution | None, namespace_id: str | None, now: float, lookup: Lookup) -> NextChanged:
    told = None if execution is None else execution.told(lookup.document_of(execution.key.job_id, now), now)
    hint: NextChanged = _same(NextChanged(int(now), namespace_id, told))
    return hint


def _is_mentioned(news: News, settings: JobsSettings) -> bool:
    match settings.documented_notify:
        case "none":
            return False
        case "added":
            return news == "added"
        case "added-and-removed":
            return True


@lru_cache(maxsize=256)
def _same(hint: H) -> H:
    """The one object for equal hints: a job tells all of its things the same, and all of them at once."""
    return hint


def _key(execution: JobExecution | None) -> ExecutionKey | None:
    return None if execution is None else execution.key
