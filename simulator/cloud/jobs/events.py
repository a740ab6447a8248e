"""Job and job-execution events, for whoever switched them on (Developer Guide, "Jobs events").

What happened is told as values; topics and payloads are made where messages are.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from agent.values import Status
from simulator.cloud.jobs.records import Job, JobExecution

EventKind: TypeAlias = Literal["JOB", "JOB_EXECUTION"]
JobOperation: TypeAlias = Literal[
    "completed", "canceled", "deleted", "cancellation_in_progress", "deletion_in_progress"
]
ExecutionOperation: TypeAlias = Literal[
    "succeeded", "failed", "rejected", "canceled", "timed_out", "removed", "deleted"
]

ENDED: Final[dict[Status, ExecutionOperation]] = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.REJECTED: "rejected",
    Status.CANCELED: "canceled",
    Status.TIMED_OUT: "timed_out",
    Status.REMOVED: "removed",
}
"""What is told of an execution that reaches each terminal state; nothing is told of the others."""


class JobEvent(NamedTuple):
    """Something about a job; `counts` are its executions' states, told when it is completed. `after_hints`: its place
    among the outcome's hints.
    """

    operation: JobOperation
    job: Job
    at: float
    after_hints: int
    counts: tuple[tuple[Status, int], ...] = ()


class ExecutionEvent(NamedTuple):
    """An execution ended, or its record was deleted. `after_hints`: its place among the outcome's hints."""

    operation: ExecutionOperation
    execution: JobExecution
    at: float
    after_hints: int


Event: TypeAlias = JobEvent | ExecutionEvent
