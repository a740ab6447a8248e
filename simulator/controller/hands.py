"""What the controller acts through: any control plane of AWS IoT Jobs.

Two hands do the same: `LocalHand` speaks plain HTTP to the local cloud and keeps boto3, half a second of import, out of
a run; `Boto3Hand` speaks to any endpoint with AWS's own client, credentials and retries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from agent.errors import GhostjobError, InputError
from agent.hosts import is_loopback
from simulator.scenario import Owner

LONGEST_PAGE: Final = 250
"""Entries of a list: the most that one may ask for."""


class Refused(GhostjobError):  # noqa: N818 - an answer of the service, no fault
    """The control plane refused; `code` is the name of AWS's exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class SeenExecution:
    """One job execution as the control plane tells it; `details` are its statusDetails, if they were asked for."""

    thing: str
    status: str
    queued_at: int
    execution_number: int
    details: dict[str, str]


class Hand(Protocol):
    """The operations that the controller needs. All raise Refused, or InputError if nobody answers.

    `by` is whose hand it is: that of Greengrass, in the namespaces that are its own, exists on the local cloud only.
    """

    async def create_thing(self, name: str) -> None:
        """CreateThing."""

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
    ) -> None:
        """CreateJob for things, which must exist."""

    async def delete_job(self, job_id: str, *, force: bool, namespace_id: str | None, by: Owner = "customer") -> None:
        """DeleteJob."""

    async def cancel_job(self, job_id: str, *, force: bool) -> None:
        """CancelJob."""

    async def delete_execution(
        self, thing: str, job_id: str, *, number: int, force: bool, namespace_id: str | None
    ) -> None:
        """DeleteJobExecution."""

    async def cancel_execution(self, thing: str, job_id: str, *, force: bool) -> None:
        """CancelJobExecution."""

    async def describe_job(self, job_id: str) -> dict[str, Any]:
        """DescribeJob's `job`."""

    async def job_document(self, job_id: str) -> str:
        """GetJobDocument."""

    async def executions(self, job_id: str) -> list[SeenExecution]:
        """ListJobExecutionsForJob, all pages."""

    async def execution(self, thing: str, job_id: str) -> SeenExecution:
        """DescribeJobExecution."""

    async def close(self) -> None:
        """Let go of connections."""


def is_local(endpoint_url: str | None) -> bool:
    """Whether an endpoint is this machine; None is AWS itself."""
    return endpoint_url is not None and is_loopback(urlsplit(endpoint_url).hostname or "")


def check_endpoint(endpoint_url: str | None, allow_aws: bool) -> None:
    """Raise InputError for an endpoint that is no URL, or not this machine and not allowed."""
    if endpoint_url is not None:
        parts = urlsplit(endpoint_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"--endpoint-url {endpoint_url}: give a URL, such as http://127.0.0.1:4566")
    if not is_local(endpoint_url) and not allow_aws:
        where = endpoint_url or "AWS"
        raise InputError(f"{where}: not this machine; deleting jobs there needs --allow-aws")


def seen(thing_arn: str, execution: dict[str, Any]) -> SeenExecution:
    """From a JobExecution or JobExecutionSummary of the control plane (times as numbers)."""
    return SeenExecution(
        thing_arn.rpartition("/")[2],
        execution["status"],
        int(execution["queuedAt"]),
        int(execution["executionNumber"]),
        dict(execution.get("statusDetails", {}).get("detailsMap", {})),
    )
