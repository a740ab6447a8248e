"""The Jobs service core: jobs, executions, versions, namespaces, queues, deletion. No I/O, clock or randomness."""

from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    Outcome,
)
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, NewJob
from simulator.cloud.jobs.service import Jobs, JobsError
from simulator.cloud.jobs.settings import JobsSettings

__all__ = [
    "Change",
    "ExecutionChanged",
    "ExecutionQueued",
    "ExecutionRemoved",
    "Job",
    "JobChanged",
    "JobExecution",
    "JobStatus",
    "Jobs",
    "JobsError",
    "JobsSettings",
    "NewJob",
    "Outcome",
]
