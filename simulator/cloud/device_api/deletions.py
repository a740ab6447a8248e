"""How far each job has come, for each thing: what faults wait for, and begin with. Pure.

    queued     the thing has been given an execution of it
    began      the job is DELETION_IN_PROGRESS, or what the thing had of it is removed or cancelled
    ended      its execution on the thing ended: cancelled, removed, or by the device's own word
    removed    the record of that execution is gone
    gone       the job itself is, and its id may be used again

An id that is used again begins anew, but for what begins with a deletion, or a queueing: that one has been.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias, TypeVar

from agent.values import Status
from simulator.cloud.jobs import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    JobStatus,
)
from simulator.cloud.settings.service import Until

V = TypeVar("V")
Place: TypeAlias = tuple[str, str | None]
"""A job, and a thing that has it; None: all of them."""
MOST_KNOWN: Final = 100_000
"""Jobs, and executions, of which it is known; the oldest is forgotten beyond that."""
BEGAN: Final[tuple[Until, ...]] = ("deletion-began",)
ENDED: Final[tuple[Until, ...]] = ("ended",)
CANCELLED: Final[tuple[Until, ...]] = ("deletion-began", "ended")
REMOVED: Final[tuple[Until, ...]] = ("deletion-began", "ended", "removed")
GONE: Final[tuple[Until, ...]] = ("deletion-began", "ended", "removed", "gone")
OVER: Final[dict[Status, tuple[Until, ...]]] = {
    Status.SUCCEEDED: ENDED,
    Status.FAILED: ENDED,
    Status.REJECTED: ENDED,
    Status.TIMED_OUT: ENDED,
    Status.CANCELED: CANCELLED,
    Status.REMOVED: CANCELLED,
}
"""What an execution has come to by each terminal status."""


class Progress(NamedTuple):
    """How far it has come with a job, on one thing, or on all (None)."""

    job_id: str
    thing: str | None
    reached: tuple[Until, ...]


class Deletions:
    """`named` are the jobs with whose deletion something begins, `awaited` those with whose queueing it does."""

    def __init__(self, named: Iterable[str | None] = (), awaited: Iterable[str | None] = ()) -> None:
        self._named = frozenset(named)
        self._awaited = frozenset(awaited)
        self._begun: dict[Place, None] = {}
        self._queued: dict[Place, None] = {}
        self._reached: dict[Place, tuple[Until, ...]] = {}

    def learn(self, change: Change) -> Progress | None:
        """What a change of the service's records came to; None if that is nothing here."""
        match change:
            case ExecutionQueued(execution=new):
                self._reached.pop((new.key.job_id, new.thing), None)
                if new.key.job_id in self._awaited:
                    _put(self._queued, (new.key.job_id, new.thing), None)
            case ExecutionChanged(execution=new) if new.status in OVER:
                return self._note(Progress(new.key.job_id, new.thing, OVER[new.status]))
            case ExecutionRemoved(execution=old):
                return self._note(Progress(old.key.job_id, old.thing, REMOVED))
            case JobChanged(before=None, job=job) if job is not None:
                self._reached.pop((job.job_id, None), None)
            case JobChanged(before=before, job=None) if before is not None:
                return self._note(Progress(before.job_id, None, GONE))
            case JobChanged(job=job) if job is not None and job.status is JobStatus.DELETION_IN_PROGRESS:
                return self._note(Progress(job.job_id, None, BEGAN))
        return None

    def _note(self, progress: Progress) -> Progress:
        job_id, thing, reached = progress
        _put(self._reached, (job_id, thing), reached)
        if job_id in self._named and "deletion-began" in reached:
            _put(self._begun, (job_id, thing), None)
        return progress

    def has_been_queued(self, job_id: str, thing: str) -> bool:
        """Whether that thing was ever given an execution of a job of that id."""
        return (job_id, thing) in self._queued

    def has_begun(self, job_id: str, thing: str) -> bool:
        """Whether the deletion of a job of that id, or of its execution on that thing, ever began."""
        return (job_id, None) in self._begun or (job_id, thing) in self._begun

    def has_come_to(self, until: Until, job_id: str, thing: str) -> bool:
        """Whether it has come so far with that job, on that thing."""
        return any(until in self._reached.get((job_id, where), ()) for where in (thing, None))


def _put(known: dict[Place, V], key: Place, value: V) -> None:
    """As the newest; the oldest goes where there are too many."""
    known.pop(key, None)
    known[key] = value
    if len(known) > MOST_KNOWN:
        del known[next(iter(known))]
