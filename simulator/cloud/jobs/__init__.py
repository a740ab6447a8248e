"""The Jobs service core: jobs, executions, versions, namespaces, queues, deletion. No I/O, clock or randomness."""

from simulator.cloud.jobs.canonical import canonical
from simulator.cloud.jobs.changes import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobChanged,
    NewsChanged,
    Outcome,
    TransactionFailed,
)
from simulator.cloud.jobs.configuration import (
    AbortCriterion,
    ExponentialRate,
    JobUpdate,
    MaintenanceWindow,
    PresignedUrls,
    RetryCriterion,
    Rollout,
    Schedule,
)
from simulator.cloud.jobs.errors import JobsError
from simulator.cloud.jobs.events import Event, EventKind, ExecutionEvent, JobEvent
from simulator.cloud.jobs.records import Job, JobExecution, JobStatus, NewJob, ThingNews
from simulator.cloud.jobs.service import Jobs, step
from simulator.cloud.jobs.settings import JobsSettings
from simulator.cloud.jobs.value import Service

__all__ = [
    "AbortCriterion",
    "Change",
    "Event",
    "EventKind",
    "ExecutionChanged",
    "ExecutionEvent",
    "ExecutionQueued",
    "ExecutionRemoved",
    "ExponentialRate",
    "Job",
    "JobChanged",
    "JobEvent",
    "JobExecution",
    "JobStatus",
    "JobUpdate",
    "Jobs",
    "JobsError",
    "JobsSettings",
    "MaintenanceWindow",
    "NewJob",
    "NewsChanged",
    "Outcome",
    "PresignedUrls",
    "RetryCriterion",
    "Rollout",
    "Schedule",
    "Service",
    "ThingNews",
    "TransactionFailed",
    "canonical",
    "step",
]
