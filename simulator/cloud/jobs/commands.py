"""What can be asked of the Jobs service, as frozen values: what devices, operators and the registry ask, and time.

`by_aws`: an AWS service asks, which owns the namespaces that begin with `aws-`. `namespace_id` is the job's own.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.values import Request, StatusDetails
from simulator.cloud.jobs.configuration import JobUpdate
from simulator.cloud.jobs.records import NewJob


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A device asks; a refusal is an answer."""

    thing: str
    request: Request


@dataclass(frozen=True, slots=True)
class CreateJob:
    """CreateJob: an execution for each thing, when it is its turn."""

    new: NewJob
    by_aws: bool = False


@dataclass(frozen=True, slots=True)
class UpdateJob:
    """UpdateJob."""

    job_id: str
    update: JobUpdate
    namespace_id: str | None = None
    by_aws: bool = False


@dataclass(frozen=True, slots=True)
class AssociateTargets:
    """AssociateTargetsWithJob; `things` are those of `targets`."""

    job_id: str
    targets: tuple[str, ...]
    things: tuple[str, ...]
    comment: str | None = None
    namespace_id: str | None = None
    by_aws: bool = False


@dataclass(frozen=True, slots=True)
class CancelJob:
    """CancelJob."""

    job_id: str
    force: bool = False
    reason_code: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CancelExecution:
    """CancelJobExecution."""

    thing: str
    job_id: str
    force: bool = False
    expected_version: int | None = None
    status_details: StatusDetails | None = None


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """DeleteJob: begin the deletion; `tick` ends it. The job's `tags` may stretch it."""

    job_id: str
    force: bool = False
    namespace_id: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    by_aws: bool = False


@dataclass(frozen=True, slots=True)
class DeleteExecution:
    """DeleteJobExecution: one that is IN_PROGRESS only with `force`."""

    thing: str
    job_id: str
    number: int
    force: bool = False
    namespace_id: str | None = None
    by_aws: bool = False


@dataclass(frozen=True, slots=True)
class ThingMoved:
    """A thing joined the groups with these ARNs, parents included, or left them. `others`: what names it as a target
    besides, as it did before, its own ARN included.
    """

    what: Literal["joined", "left"]
    thing: str
    targets: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThingDeleted:
    """A thing is deleted from the registry."""

    thing: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Do what is due, and go on with what is under way: so many executions at most, None for all."""

    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """The time of day jumped by so many seconds: what lasts goes on lasting as long."""

    by: float


Operation: TypeAlias = (
    CreateJob | UpdateJob | AssociateTargets | CancelJob | CancelExecution | DeleteJob | DeleteExecution
)
"""What operators ask."""
Command: TypeAlias = DeviceRequest | Operation | ThingMoved | ThingDeleted | Tick | ClockMoved
