"""What a scenario may ask of the local service and of the network before it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from simulator.cloud.http_settings import HttpSettings
from simulator.cloud.jobs import JobsSettings
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
    """Settings of the local service, as a scenario's `cloud` gives them; ignored where the cloud is not ours."""

    deletion_seconds: Seconds = 0.2
    """How long a deleted job stays DELETION_IN_PROGRESS."""
    removal_delay_seconds: Seconds = 0
    """How long the records of its executions still answer after the deletion began."""
    stale_reads_seconds: Seconds = 0
    """How long Describe and GetPending may show what was, after the service took an execution away, and how long
    `$next` and GetPending do not show yet what was queued."""
    requests_per_second: Annotated[int, Field(ge=1)] | None = None
    """The account's quota of reads, and of writes, through the device API; AWS's is 200."""
    deletions_at_once: Annotated[int, Field(ge=1, le=10)] = 10
    """How many jobs may be DELETION_IN_PROGRESS: ten on AWS, fewer left where somebody else in the account deletes."""

    def jobs_settings(self, **more: float) -> JobsSettings:
        """For the jobs core."""
        return JobsSettings(**(self.model_dump() | more))


class CloudSettings(_Model):
    """What one process hands another that is to be its cloud."""

    cloud: ServiceSettings = ServiceSettings()
    http: HttpSettings = HttpSettings()
    gateway: GatewaySettings = GatewaySettings()
    faults: tuple[Fault, ...] = ()
    seed: str = "0"
