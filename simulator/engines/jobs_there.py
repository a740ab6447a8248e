"""The jobs of a play as somebody who wants to do something to them finds them: there, going, gone."""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from simulator.trace import (
    TERMINAL,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
)

Standing: TypeAlias = Literal["open", "cancelled", "over", "going", "gone"]
"""`open`: some device has yet to do it; `cancelled`: so it is, and the service takes no further cancellation; `over`:
none has; `going`: it is being deleted; `gone`: its id is free."""
KEPT: Final = 8
"""So many are remembered that are over, or gone: the last of them."""

OF_JOBS: Final = frozenset(
    {DeletionAccepted, ExecutionChanged, ExecutionQueued, ExecutionRemoved, JobCreated, JobDeleted, JobDeletionBegan}
)
"""What is read for that."""


class JobThere(NamedTuple):
    """A job, and how many of its executions are not over."""

    job: str
    namespace: str | None
    standing: Standing


@dataclass(slots=True)
class _Job:
    namespace: str | None
    open: int = 0
    is_going: bool = False
    is_gone: bool = False
    is_cancelled: bool = False

    @property
    def standing(self) -> Standing:
        if self.is_gone:
            return "gone"
        if self.is_going:
            return "going"
        if not self.open:
            return "over"
        return "cancelled" if self.is_cancelled else "open"


@dataclass(slots=True)
class JobsThere:
    """A fold of the cloud's part of a trace, and of what it took on from the controller."""

    _jobs: dict[str, _Job] = field(default_factory=dict)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case JobCreated(job_id=job_id, namespace_id=namespace):
                self._jobs.pop(job_id, None)  # the last that was made comes last
                self._jobs[job_id] = _Job(namespace)
                self._forget()
            case JobDeletionBegan(job_id=job_id) if job_id in self._jobs:
                self._jobs[job_id].is_going, self._jobs[job_id].open = True, 0
            case DeletionAccepted(job_id=job_id, do="cancel-job") if job_id in self._jobs:
                self._jobs[job_id].is_cancelled = True
            case JobDeleted(job_id=job_id) if job_id in self._jobs:
                self._jobs[job_id].is_gone = True
            case ExecutionQueued(execution=key):
                self._count(key.job_id, 1)
            case ExecutionChanged(execution=key, status=status) if status in TERMINAL:
                self._count(key.job_id, -1)
            case ExecutionRemoved(execution=key, status=status) if status not in TERMINAL:
                self._count(key.job_id, -1)
            case _:
                pass

    def _count(self, job_id: str, by: int) -> None:
        if (job := self._jobs.get(job_id)) is not None and not job.is_going:
            job.open = max(job.open + by, 0)

    def _forget(self) -> None:
        done = [job_id for job_id, job in self._jobs.items() if job.standing in ("over", "gone")]
        for job_id in done[: -KEPT - 1]:
            del self._jobs[job_id]

    def all(self) -> tuple[JobThere, ...]:
        """All that are remembered, in the order in which they were made."""
        return tuple(JobThere(job_id, job.namespace, job.standing) for job_id, job in self._jobs.items())

    def standing(self, job_id: str) -> Standing | None:
        """How a job stands; None if nothing is known of it."""
        job = self._jobs.get(job_id)
        return None if job is None else job.standing
