"""The shapes of what is read of the Jobs device API, as pydantic models, and the values that they stand for.

Which topic has which of them, and how payloads are written, is in `agent.messages`.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from agent.values import ErrorCode, Execution, ExecutionKey, ExecutionState, JobDocument, Status, StatusDetails

DetailKey = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9:_-]+$", max_length=128)]
DetailValue = Annotated[str, StringConstraints(pattern=r"^[^\p{C}]+$", max_length=1024)]
Details = Annotated[dict[DetailKey, DetailValue], Field(max_length=10)]


class WireModel(BaseModel):
    """Whatever comes: names as AWS spells them, and no word of those that are unknown."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class RequestBody(WireModel):
    """What every request may have, and all of a GetPendingJobExecutions."""

    client_token: str | None = None


class StartNextBody(RequestBody):
    """A StartNextPendingJobExecution."""

    status_details: Details | None = None
    step_timeout_in_minutes: Annotated[int, Field(ge=1, le=10080)] | None = None


class DescribeBody(RequestBody):
    """A DescribeJobExecution."""

    execution_number: int | None = None
    include_job_document: bool = True


class UpdateBody(RequestBody):
    """An UpdateJobExecution."""

    status: Status
    status_details: Details | None = None
    expected_version: int | None = None
    execution_number: int | None = None
    include_job_execution_state: bool = False
    include_job_document: bool = False
    step_timeout_in_minutes: Annotated[int, Field(ge=-1, le=10080)] | None = None


class ExecutionBody(WireModel):
    """A JobExecution, or the summary of one in a list, which has neither status nor document."""

    job_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    """It becomes a level of topics."""
    queued_at: int
    version_number: int
    execution_number: int
    last_updated_at: int
    status: Status | None = None
    started_at: int | None = None
    status_details: dict[str, str] | None = None
    approximate_seconds_before_timed_out: int | None = None
    job_document: Any = None

    def value(self, namespace_id: str | None, listed_as: Status | None = None) -> Execution:
        """What it stands for; `listed_as` is the status of the list that it is in. Raises ValueError."""
        status = self.status or listed_as
        if status is None:
            raise ValueError("an execution without a status")
        return Execution(
            key=ExecutionKey(namespace_id, self.job_id, self.execution_number, self.queued_at),
            status=status,
            version_number=self.version_number,
            last_updated_at=self.last_updated_at,
            started_at=self.started_at,
            status_details=pairs_of(self.status_details) or (),
            document=document_of(self.job_document),
            approximate_seconds_before_timed_out=self.approximate_seconds_before_timed_out,
        )


class StateBody(WireModel):
    """A JobExecutionState."""

    status: Status
    version_number: int
    status_details: dict[str, str] | None = None

    def value(self) -> ExecutionState:
        """What it stands for."""
        return ExecutionState(self.status, self.version_number, pairs_of(self.status_details) or ())


class AnswerBody(WireModel):
    """What every answer has."""

    timestamp: int
    client_token: str | None = None


class PendingBody(AnswerBody):
    """What a GetPendingJobExecutions brought."""

    in_progress_jobs: tuple[ExecutionBody, ...] = ()
    queued_jobs: tuple[ExecutionBody, ...] = ()


class ExecutionAnswerBody(AnswerBody):
    """What a StartNextPendingJobExecution or a DescribeJobExecution brought."""

    execution: ExecutionBody | None = None


class UpdateAnswerBody(AnswerBody):
    """What an UpdateJobExecution brought."""

    execution_state: StateBody | None = None
    job_document: Any = None


class RejectedBody(AnswerBody):
    """Why a request was refused."""

    timestamp: int = 0
    code: ErrorCode
    message: str = ""
    execution_state: StateBody | None = None


class NotifyBody(WireModel):
    """A notify: summaries of what is pending, by status."""

    timestamp: int
    jobs: dict[str, tuple[ExecutionBody, ...]] = Field(default_factory=dict)


class NotifyNextBody(WireModel):
    """A notify-next; no execution: nothing is pending."""

    timestamp: int
    execution: ExecutionBody | None = None


def pairs_of(details: dict[str, str] | None) -> StatusDetails | None:
    """Details in the order in which they came; None if there were none."""
    return None if details is None else tuple(details.items())


def document_of(value: object) -> JobDocument | None:
    """One that could not be cut out as text, because its name is not spelled as usual."""
    return None if value is None else JobDocument.of(value)


def values_of(bodies: tuple[ExecutionBody, ...], namespace_id: str | None, listed_as: Status) -> tuple[Execution, ...]:
    """What the summaries in a list stand for. Raises ValueError."""
    return tuple(body.value(namespace_id, listed_as) for body in bodies)
