"""What the Jobs service remembers: jobs and their executions, as small frozen records."""

from dataclasses import dataclass
from enum import StrEnum

from agent.values import Execution, ExecutionKey, JobDocument, Status, StatusDetails


class JobStatus(StrEnum):
    """The states of a job (AWS IoT Developer Guide, "Jobs and job execution states")."""

    IN_PROGRESS = "IN_PROGRESS"
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"
    SCHEDULED = "SCHEDULED"
    DELETION_IN_PROGRESS = "DELETION_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class NewJob:
    """What CreateJob asks for; `things` are the targets' things, `targets` the ARNs as given."""

    job_id: str
    things: tuple[str, ...]
    document: JobDocument
    targets: tuple[str, ...] = ()
    document_source: str | None = None
    description: str | None = None
    namespace_id: str | None = None
    target_selection: str = "SNAPSHOT"
    config: tuple[tuple[str, str], ...] = ()
    """Members that are kept only to be shown again, each as JSON text."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job; times are epoch seconds."""

    new: NewJob
    status: JobStatus
    created_at: float
    last_updated_at: float
    completed_at: float | None = None
    force_canceled: bool = False
    reason_code: str | None = None
    comment: str | None = None
    removal_due: float | None = None
    """When the executions' records go, while DELETION_IN_PROGRESS."""
    gone_due: float | None = None

    @property
    def job_id(self) -> str:
        """Its id, unique in the account while it exists."""
        return self.new.job_id

    @property
    def namespace_id(self) -> str | None:
        """The namespace that its notifications go to."""
        return self.new.namespace_id


@dataclass(frozen=True, slots=True)
class JobExecution:
    """One job on one thing; `serial` orders executions that were queued within the same second."""

    thing: str
    key: ExecutionKey
    serial: int
    status: Status
    version_number: int
    last_updated_at: float
    queued_at: float
    started_at: float | None = None
    status_details: StatusDetails = ()
    force_canceled: bool = False

    def told(self, document: JobDocument | None = None) -> Execution:
        """As it stands in a message to a device."""
        return Execution(
            self.key,
            self.status,
            self.version_number,
            int(self.last_updated_at),
            None if self.started_at is None else int(self.started_at),
            self.status_details,
            document,
        )
