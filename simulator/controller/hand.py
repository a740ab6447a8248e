"""What the controller acts through: any control plane of AWS IoT Jobs.

A hand is the operations that the controller needs, each with its types. What carries them is a Carrier, of which there
are three: `InProcess`, `LocalHttp` (which keeps boto3, half a second of import, out of a run) and `ThroughBoto3`, to
any endpoint with AWS's own client, credentials and retries. All take and bring the same, in the words of the API
Reference, with times as epoch seconds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self
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


class Unanswered(InputError):  # noqa: N818 - as above
    """Nobody answered. Whether it was carried out is not known."""


@dataclass(frozen=True, slots=True)
class SeenExecution:
    """One job execution as the control plane tells it; `details` are its statusDetails, if they were asked for."""

    thing: str
    status: str
    queued_at: int
    execution_number: int
    details: dict[str, str]


class Carrier(Protocol):
    """Takes one operation to the service."""

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """Its output. Raises Refused, Unanswered, or InputError if nobody answers to that hand."""

    async def close(self) -> None:
        """Let go of connections."""


class Hand:
    """Operations through `carrier`. All raise Refused, or InputError if nobody answers.

    `by` is whose hand it is: that of Greengrass, in the namespaces that are its own, exists on the local cloud only.
    `known` are things that the service has known from its beginning.
    """

    def __init__(self, carrier: Carrier, known: frozenset[str] = frozenset()) -> None:
        self._carrier = carrier
        self.known = known
        self._things_arn: str | None = None
        """What the ARN of every thing of this account begins with, once one was seen."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._carrier.close()

    async def call(self, operation: str, by: Owner = "customer", **parameters: Any) -> dict[str, Any]:
        """One operation of the API Reference, with its own parameters; those that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self._carrier.call(operation, given, by)

    async def create_thing(self, name: str) -> None:
        """CreateThing; learns how this account's ARNs look."""
        self._learn(await self.call("CreateThing", thingName=name))

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
        rollout_per_minute: int | None = None,
    ) -> None:
        """CreateJob for things, which must exist; None: all at once."""
        prefix = self._things_arn or self._learn(await self.call("DescribeThing", thingName=things[0]))
        targets, text = [f"{prefix}/{thing}" for thing in things], json.dumps(document)
        rollout = None if rollout_per_minute is None else {"maximumPerMinute": rollout_per_minute}
        which = {"jobId": job_id, "namespaceId": namespace_id, "jobExecutionsRolloutConfig": rollout}
        await self.call("CreateJob", by, targets=targets, document=text, **which)

    async def delete_job(self, job_id: str, *, force: bool, namespace_id: str | None, by: Owner = "customer") -> None:
        """DeleteJob."""
        await self.call("DeleteJob", by, jobId=job_id, force=force, namespaceId=namespace_id)

    async def cancel_job(self, job_id: str, *, force: bool) -> None:
        """CancelJob."""
        await self.call("CancelJob", jobId=job_id, force=force)

    async def delete_execution(
        self, thing: str, job_id: str, *, number: int, force: bool, namespace_id: str | None
    ) -> None:
        """DeleteJobExecution."""
        which: dict[str, Any] = {"thingName": thing, "jobId": job_id, "executionNumber": number}
        await self.call("DeleteJobExecution", **which, force=force, namespaceId=namespace_id)

    async def cancel_execution(self, thing: str, job_id: str, *, force: bool) -> None:
        """CancelJobExecution."""
        await self.call("CancelJobExecution", thingName=thing, jobId=job_id, force=force)

    async def describe_job(self, job_id: str) -> dict[str, Any]:
        """DescribeJob's `job`."""
        return dict((await self.call("DescribeJob", jobId=job_id))["job"])

    async def job_document(self, job_id: str) -> str:
        """GetJobDocument."""
        return str((await self.call("GetJobDocument", jobId=job_id))["document"])

    async def executions(self, job_id: str) -> list[SeenExecution]:
        """ListJobExecutionsForJob, all pages."""
        told = await self.execution_summaries(job_id)
        return [_seen(each["thingArn"], each["jobExecutionSummary"]) for each in told]

    async def execution_summaries(self, job_id: str) -> list[dict[str, Any]]:
        """ListJobExecutionsForJob, all pages, as they are told."""
        found: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = await self.call("ListJobExecutionsForJob", jobId=job_id, maxResults=LONGEST_PAGE, nextToken=token)
            found += page["executionSummaries"]
            token = page.get("nextToken")
            if not token:
                return found

    async def execution(self, thing: str, job_id: str) -> SeenExecution:
        """DescribeJobExecution."""
        told = (await self.call("DescribeJobExecution", thingName=thing, jobId=job_id))["execution"]
        return _seen(told["thingArn"], told)

    def _learn(self, thing: Mapping[str, Any]) -> str:
        self._things_arn = str(thing["thingArn"]).rpartition("/")[0]
        return self._things_arn


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


def _seen(thing_arn: str, execution: Mapping[str, Any]) -> SeenExecution:
    """From a JobExecution or JobExecutionSummary of the control plane."""
    return SeenExecution(
        thing_arn.rpartition("/")[2],
        execution["status"],
        int(execution["queuedAt"]),
        int(execution["executionNumber"]),
        dict(execution.get("statusDetails", {}).get("detailsMap", {})),
    )
