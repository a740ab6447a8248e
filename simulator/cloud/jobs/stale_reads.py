"""Reads that are stale: for a while they show what was (observed by Greengrass, `IotJobsHelper.java`).

What the service took away is still there for Describe and GetPending, unless its job is gone too. What it queued is not
yet there for `$next` and GetPending, but for whoever asks for it by name. Everything else is shown as it is. Updates
and StartNext always meet what is.
"""

from typing import NamedTuple

from agent.values import NEXT, Describe, GetPending, Request
from simulator.cloud.jobs.queue import Queue
from simulator.cloud.jobs.records import JobExecution


class StaleRead(NamedTuple):
    """What a thing's queue was before the service first took something away, and until when that is shown."""

    until: float
    executions: tuple[JobExecution, ...]

    def is_of(self, job_id: str) -> bool:
        """Whether an execution of that job is among it."""
        return any(each.key.job_id == job_id for each in self.executions)

    def moved(self, by: float) -> "StaleRead":
        """The same, as the time of day jumped by so many seconds."""
        return StaleRead(self.until + by, self.executions)


def shown(known: dict[str, StaleRead], thing: str, queue: Queue, request: Request, now: float, lag: float) -> Queue:
    """What a request is decided by, where reads lag so many seconds behind."""
    if isinstance(request, Describe | GetPending) and (stale := known.get(thing)) is not None:
        if now < stale.until:
            queue = _with_what_was(stale, queue)
        else:
            del known[thing]
    if isinstance(request, GetPending) or (isinstance(request, Describe) and request.job_id == NEXT):
        return Queue.of(
            {
                job_id: each
                for job_id, each in queue.latest.items()
                if each.version_number > 1 or not 0 <= now - each.queued_at < lag  # the clock may jump back
            }
        )
    return queue


def _with_what_was(stale: StaleRead, queue: Queue) -> Queue:
    taken = {was.key.job_id: was for was in stale.executions if _is_taken(was, queue.latest.get(was.key.job_id))}
    return Queue.of({**queue.latest, **taken})


def _is_taken(was: JobExecution, now: JobExecution | None) -> bool:
    """Whether what was is no more: gone, ended, or another one of that job."""
    if now is None or now.key != was.key:
        return True
    return now.status.is_terminal and not was.status.is_terminal
