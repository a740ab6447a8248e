"""Which notifications a change of one thing's queue publishes.

    notify        whenever the list of pending executions gains or loses one; not when a listed one merely changes
    notify-next   whenever another execution, or none, becomes the head
    (Developer Guide, "Jobs notifications", with its worked examples)

Each speaks for one namespace. Who is first is decided per thing across namespaces by default: a job of another
namespace at the head holds back this namespace's notify-next (observed: aws-greengrass-lite#1151), which is why a
namespaced device listens to notify too. When the thing's head passes from one namespace to another, both namespaces
hear of it: the old one that it has no head any more, the new one that it has (an assumption).
"""

from collections.abc import Callable
from functools import lru_cache

from agent.values import ExecutionKey, Hint, JobDocument, JobMentioned, NextChanged, PendingChanged
from simulator.cloud.jobs.queue import Queue, head, head_of_thing, pending
from simulator.cloud.jobs.records import JobExecution
from simulator.cloud.jobs.settings import JobsSettings


def heads(
    queue: Queue, namespaces: tuple[str | None, ...], settings: JobsSettings
) -> dict[str | None, JobExecution | None]:
    """The head of each of `namespaces`, as notify-next would tell it."""
    if not settings.head_across_namespaces:
        return {namespace_id: head(queue, namespace_id) for namespace_id in namespaces}
    first = head_of_thing(queue)
    return {ns: first if first is not None and first.key.namespace_id == ns else None for ns in namespaces}


def hints(
    before: Queue,
    after: Queue,
    touched: JobExecution,
    now: float,
    settings: JobsSettings,
    document_of: Callable[[str], JobDocument],
) -> tuple[Hint, ...]:
    """What is published after `touched` was queued, changed or removed, in order."""
    ns = touched.key.namespace_id
    told: list[Hint] = []
    if _is_pending(before, touched.key) != _is_pending(after, touched.key):
        in_progress, queued = pending(after, ns)
        shown = tuple(e.told() for e in in_progress[: settings.pending_listed])
        rest = tuple(e.told() for e in queued[: settings.pending_listed - len(shown)])
        told.append(_same(PendingChanged(int(now), ns, shown, rest)))
    namespaces = tuple(dict.fromkeys((ns, *(e.key.namespace_id for e in (*before.values(), *after.values())))))
    was, is_now = heads(before, namespaces, settings), heads(after, namespaces, settings)
    for namespace_id in namespaces:
        new = is_now[namespace_id]
        if _key(was[namespace_id]) != _key(new):
            execution = None if new is None else new.told(document_of(new.key.job_id))
            told.append(_same(NextChanged(int(now), namespace_id, execution)))
    if told and isinstance(told[0], PendingChanged) and ns is not None and settings.documented_notify:
        told.append(JobMentioned(ns, touched.key.job_id))
    return tuple(told)


@lru_cache(maxsize=4096)
def _same(hint: Hint) -> Hint:
    """The one object for equal hints: a job tells all of its things the same, and all of them at once."""
    return hint


def _key(execution: JobExecution | None) -> ExecutionKey | None:
    return None if execution is None else execution.key


def _is_pending(queue: Queue, key: ExecutionKey) -> bool:
    found = queue.get(key.job_id)
    return found is not None and found.key == key and not found.status.is_terminal
