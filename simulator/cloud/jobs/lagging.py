"""Reads that lag behind: for a while they show what was (observed by Greengrass, `IotJobsHelper.java`).

What the service took away is still there for Describe and GetPending; what it queued is not yet there for `$next` and
GetPending. Updates and StartNext always meet what is.
"""

from collections.abc import Container, Mapping

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

    def shown(
        self, thing: str, queue: Queue, request: Request, now: float, seconds: float, jobs: Container[str]
    ) -> Queue:
        """What a request is decided by; `jobs` are the ids of those that exist."""
        if isinstance(request, Describe | GetPending):
            queue = self._stale(thing, queue, now, jobs)
        if isinstance(request, GetPending) or (isinstance(request, Describe) and request.job_id == NEXT):
            return {
                job_id: each
                for job_id, each in queue.items()
                if each.version_number > 1 or now - each.queued_at >= seconds
            }
        return queue

    def _stale(self, thing: str, queue: Queue, now: float, jobs: Container[str]) -> Queue:
        if thing not in self._before:
            return queue
        until, before = self._before[thing]
        if now >= until or not all(job_id in jobs for job_id in before):
            del self._before[thing]
            return queue
        return before
