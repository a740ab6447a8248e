"""What a scenario may ask of the local service and of the network before it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from simulator.cloud.http_settings import HttpSettings
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.jobs.errors import ErrorKind
from simulator.cloud.jobs.settings import DocumentedNotify, WhileDeleting
from simulator.cloud.mqtt.limits import GatewaySettings

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
Message: TypeAlias = Literal[
    "notify",
    "notify-next",
    "notify-documented",
    "get-pending",
    "start-next",
    "describe",
    "update",
    "get-pending-answer",
    "start-next-answer",
    "describe-answer",
    "update-answer",
]
"""What passes between a device and the service: hints, requests, and answers to them."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(_Model):
    """What the network, or the service, does to messages of these kinds.

    lose: they do not arrive; duplicate: they arrive twice; delay: they arrive `seconds` later, and so after others;
    throttle, fail: the service answers RequestThrottled or InternalError (requests only). `job` limits it to messages
    about that job, `status` and `step` to updates that report these and to answers to them, `first` to the first so
    many of each device, `rate` to that part of them, by chance.
    """

    do: Literal["lose", "duplicate", "delay", "throttle", "fail"]
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    job: Name | None = None
    status: Literal["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"] | None = None
    step: str | None = None
    first: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    seconds: Seconds = 0.3


class ServiceSettings(_Model):
    """Settings of the local service, as a scenario's `cloud` gives them; ignored where the cloud is not ours.

    They are those of `simulator.cloud.jobs.settings`, where AWS's silence about each is told.
    """

    deletion_seconds: Seconds = 0.2
    """How long a deleted job stays DELETION_IN_PROGRESS."""
    removal_delay_seconds: Seconds = 0
    """How long after the deletion began the records of its executions go."""
    removal_delays: dict[str, Seconds] = {}
    """The same for jobs whose id matches a pattern such as `fw-*`; the first that matches counts."""
    while_deleting: WhileDeleting = "gone"
    """What a device meets that asks for an execution between these two: `gone`, nothing; `reads-answer`, its
    description, but updates find nothing; `answers`, all as before; `answers-and-lists`, and it is in the lists too;
    `terminal`, what an execution answers that has ended."""
    stale_reads_seconds: Seconds = 0
    """How long Describe and GetPending may show what was, after the service took an execution away, and how long
    `$next` and GetPending do not show yet what was queued."""
    requests_per_second: Annotated[int, Field(ge=1)] | None = 200
    """The account's quota of reads, and of writes, through the device API; null for none."""
    deletions_at_once: Annotated[int, Field(ge=1, le=10)] = 10
    """How many jobs may be DELETION_IN_PROGRESS: ten on AWS, fewer left where somebody else in the account deletes."""
    deleting_again: ErrorKind = "InvalidStateTransition"
    cancelling_deleted: ErrorKind = "InvalidRequest"
    """How the control plane refuses for a job that is DELETION_IN_PROGRESS."""
    wrong_namespace: ErrorKind = "ResourceNotFound"
    """How it refuses a namespaceId that is not the job's."""
    queued_deletion_needs_force: bool = False
    """Whether DeleteJobExecution of a QUEUED execution does."""
    head_across_namespaces: bool = True
    """Whether a job at the head of the queue holds back the notify-next of other namespaces."""
    documented_notify: DocumentedNotify = "added-and-removed"
    """When the list is told on the topic that AWS documents for a namespace, beside those that clients use."""
    documented_payload: Literal["list", "next"] = "list"
    """What is told there."""
    aws_namespaces_reserved: bool = True
    """Whether customers are refused the namespaces `aws-…`."""
    forbidden_status: Literal["InvalidStateTransition", "InvalidRequest"] = "InvalidStateTransition"
    """How a device is refused that sets a status which only the service sets."""
    timeouts_late_seconds: Seconds = 0
    """How long after its timer an execution becomes TIMED_OUT; up to 60 s on AWS."""
    deleted_thing: Literal["removed", "stays"] = "removed"
    """What becomes of the executions of a thing that is deleted."""
    details: Annotated[int, Field(ge=1, le=10)] = 10
    """How many pairs statusDetails may have."""
    detail_length: Annotated[int, Field(ge=1, le=1024)] = 1024
    """How many characters each value may have; 128 in 2019."""
    targets: Annotated[int, Field(ge=1)] | None = 100
    """How many targets a job may have; null for any number."""
    active_jobs: Annotated[int, Field(ge=1)] | None = None
    """How many snapshot jobs, and how many continuous ones, may be IN_PROGRESS."""

    pending_listed: Annotated[int, Field(ge=1)] = 10
    pending_listed_in_window: Annotated[int, Field(ge=1)] = 15
    """How many executions a list tells a device, and how many while a maintenance window is open."""
    document_bytes: Annotated[int, Field(ge=1)] = 32_768
    placeholders: Annotated[int, Field(ge=0)] = 10
    retries: Annotated[int, Field(ge=0)] = 10
    rollout_per_minute: Annotated[int, Field(ge=1)] = 1000
    """What a job may have: so long a document, so many placeholders in it, retries a thing, executions a minute."""
    schedule_lead_seconds: Seconds = 1800
    """How far ahead a start time must be, and the end after it."""

    def jobs_settings(self, **more: float | None) -> JobsSettings:
        """For the jobs core."""
        delays = tuple(self.removal_delays.items())
        return JobsSettings(**(self.model_dump() | {"removal_delays": delays} | more))


class PlayedService(ServiceSettings):
    """The same in a scenario: without the quotas that speak of the account, unless it asks for them.

    How many devices play is for whoever plays, and each of them is a target of its own.
    """

    requests_per_second: Annotated[int, Field(ge=1)] | None = None
    targets: Annotated[int, Field(ge=1)] | None = None


class CloudSettings(_Model):
    """What one process hands another that is to be its cloud."""

    cloud: ServiceSettings = ServiceSettings()
    http: HttpSettings = HttpSettings()
    gateway: GatewaySettings = GatewaySettings()
    faults: tuple[Fault, ...] = ()
    seed: str = "0"
