"""Reads that lag behind: for a while they show what was (observed by Greengrass, `IotJobsHelper.java`).

What the service took away is still there for Describe and GetPending, unless its job is gone too. What it queued is not
yet there for `$next` and GetPending, but for whoever asks for it by name. Everything else is shown as it is. Updates
and StartNext always meet what is.
"""

from collections.abc import Mapping

from agent.values import NEXT, Describe, GetPending, Request
from simulator.cloud.jobs.queue import Queue
from simulator.cloud.jobs.records import JobExecution


class Lag:
    """What each thing's queue was before the service last took something away."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, Mapping[str, JobExecution]]] = {}

    def remember(self, thing: str, before: Mapping[str, JobExecution], now: float, seconds: float) -> None:
        """Something is about to be taken away from this queue."""
        if seconds and thing not in self._before:
            self._before[thing] = (now + seconds, before)

    def forget(self, job_id: str) -> None:
        """That job is gone, and with it what was known of things that had it."""
        for thing in [thing for thing, (_, before) in self._before.items() if job_id in before]:
            del self._before[thing]

    def clock_moved(self, by: float) -> None:
        """The time of day jumped by so many seconds."""
        self._before = {thing: (until + by, before) for thing, (until, before) in self._before.items()}

    def shown(self, thing: str, queue: Queue, request: Request, now: float, seconds: float) -> Queue:
        """What a request is decided by."""
        if isinstance(request, Describe | GetPending):
            queue = self._stale(thing, queue, now)
        if isinstance(request, GetPending) or (isinstance(request, Describe) and request.job_id == NEXT):
            return {
                job_id: each
                for job_id, each in queue.items()
                if each.version_number > 1 or not 0 <= now - each.queued_at < seconds  # the clock may jump back
            }
        return queue

    def _stale(self, thing: str, queue: Queue, now: float) -> Queue:
        if thing not in self._before:
            return queue
        until, before = self._before[thing]
        if now >= until:
            del self._before[thing]
            return queue
        return {**queue, **{job_id: was for job_id, was in before.items() if _is_taken(was, queue.get(job_id))}}


def _is_taken(was: JobExecution, now: JobExecution | None) -> bool:
    """Whether what was is no more: gone, ended, or another one of that job."""
    if now is None or now.key != was.key:
        return True
    return now.status.is_terminal and not was.status.is_terminal
