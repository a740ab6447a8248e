"""The hand for any endpoint, AWS included: boto3, in a few threads, with its own credentials, signing and retries."""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from agent.errors import InputError
from simulator.controller.hands import LONGEST_PAGE, Refused, SeenExecution, seen
from simulator.scenario import Owner

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_iot.type_defs import CreateJobRequestTypeDef

T = TypeVar("T")
THREADS: Final = 4


class Boto3Hand:
    """Speaks to `endpoint_url`, or to AWS where it is None. Raises InputError if it cannot be made."""

    def __init__(self, endpoint_url: str | None, *, region: str | None = None, profile: str | None = None) -> None:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._client: IoTClient = session.client("iot", endpoint_url=endpoint_url)
        except (BotoCoreError, ValueError) as error:
            raise InputError(f"boto3: {error}; see --region, --profile and --endpoint-url") from None
        self._where = endpoint_url or "AWS"
        self._threads = ThreadPoolExecutor(THREADS, "boto3")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the threads and connections go."""
        self._threads.shutdown(wait=False)
        self._client.close()

    async def create_thing(self, name: str) -> None:
        """CreateThing."""
        await self._call(lambda: self._client.create_thing(thingName=name))

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
    ) -> None:
        """CreateJob."""
        self._check(by)
        told = await self._call(lambda: self._client.describe_thing(thingName=things[0]))
        prefix = told["thingArn"].rpartition("/")[0]
        asked: CreateJobRequestTypeDef = {
            "jobId": job_id,
            "targets": [f"{prefix}/{thing}" for thing in things],
            "document": json.dumps(document),
        }
        if namespace_id is not None:
            asked["namespaceId"] = namespace_id
        await self._call(lambda: self._client.create_job(**asked))

    async def delete_job(self, job_id: str, *, force: bool, namespace_id: str | None, by: Owner = "customer") -> None:
        """DeleteJob."""
        self._check(by)
        more = {} if namespace_id is None else {"namespaceId": namespace_id}
        await self._call(lambda: self._client.delete_job(jobId=job_id, force=force, **more))

    async def cancel_job(self, job_id: str, *, force: bool) -> None:
        """CancelJob."""
        await self._call(lambda: self._client.cancel_job(jobId=job_id, force=force))

    async def delete_execution(
        self, thing: str, job_id: str, *, number: int, force: bool, namespace_id: str | None
    ) -> None:
        """DeleteJobExecution."""
        more = {} if namespace_id is None else {"namespaceId": namespace_id}
        await self._call(
            lambda: self._client.delete_job_execution(
                thingName=thing, jobId=job_id, executionNumber=number, force=force, **more
            )
        )

    async def cancel_execution(self, thing: str, job_id: str, *, force: bool) -> None:
        """CancelJobExecution."""
        await self._call(lambda: self._client.cancel_job_execution(thingName=thing, jobId=job_id, force=force))

    async def describe_job(self, job_id: str) -> dict[str, Any]:
        """DescribeJob."""
        told = await self._call(lambda: self._client.describe_job(jobId=job_id))
        return dict(told["job"])

    async def job_document(self, job_id: str) -> str:
        """GetJobDocument."""
        told = await self._call(lambda: self._client.get_job_document(jobId=job_id))
        return str(told["document"])

    async def executions(self, job_id: str) -> list[SeenExecution]:
        """ListJobExecutionsForJob, all pages."""

        def all_pages() -> list[SeenExecution]:
            paginator = self._client.get_paginator("list_job_executions_for_job")
            pages = paginator.paginate(jobId=job_id, PaginationConfig={"PageSize": LONGEST_PAGE})
            return [
                seen(each["thingArn"], _with_numbers(dict(each["jobExecutionSummary"])))
                for page in pages
                for each in page["executionSummaries"]
            ]

        return await self._call(all_pages)

    async def execution(self, thing: str, job_id: str) -> SeenExecution:
        """DescribeJobExecution."""
        told = await self._call(lambda: self._client.describe_job_execution(thingName=thing, jobId=job_id))
        return seen(told["execution"]["thingArn"], _with_numbers(dict(told["execution"])))

    def _check(self, by: Owner) -> None:
        """AWS lends nobody the hand of its services."""
        if by != "customer":
            raise InputError(f"{self._where}: {by}'s own hand is there on the embedded cloud only, not through boto3")

    async def _call(self, call: Callable[[], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as error:
            told = error.response["Error"]
            raise Refused(told["Code"], told.get("Message", "")) from None
        except BotoCoreError as error:
            raise InputError(f"{self._where}: nobody answers, or not to us: {error}") from None


def _with_numbers(execution: dict[str, Any]) -> dict[str, Any]:
    """boto3 makes datetimes of timestamps; the wire has epoch seconds."""
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in execution.items()}
