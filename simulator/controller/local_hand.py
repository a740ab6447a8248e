"""The hand for the local cloud: plain REST-JSON over HTTP, unsigned, many requests at once."""

import json
from collections.abc import Sequence
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp

from agent.errors import InputError
from simulator.controller.hands import LONGEST_PAGE, Refused, SeenExecution, seen
from simulator.scenario import Owner

CONNECTIONS: Final = 16
RESPONSE_LIMIT_SECONDS: Final = 300
"""A job for ten thousand things takes the service a while, and a busy machine a while more."""
CONNECT_LIMIT_SECONDS: Final = 30
ROUTES: Final[dict[Owner, str]] = {"customer": "", "greengrass": "/-/greengrass"}
"""What the paths begin with, by whose hand it is; the second is the local cloud's alone."""


class LocalHand:
    """Speaks to `endpoint_url`, such as http://127.0.0.1:4566."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=RESPONSE_LIMIT_SECONDS, sock_connect=CONNECT_LIMIT_SECONDS),
        )
        self._thing_arn: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def create_thing(self, name: str) -> None:
        """CreateThing; learns how this account's ARNs look."""
        made = await self._call("POST", f"/things/{_part(name)}", body={})
        self._thing_arn = made["thingArn"].rpartition("/")[0]

    async def create_job(
        self,
        job_id: str,
        things: Sequence[str],
        document: dict[str, Any],
        namespace_id: str | None,
        by: Owner = "customer",
    ) -> None:
        """CreateJob."""
        if self._thing_arn is None:
            told = await self._call("GET", f"/things/{_part(things[0])}")
            self._thing_arn = told["thingArn"].rpartition("/")[0]
        body: dict[str, Any] = {
            "targets": [f"{self._thing_arn}/{thing}" for thing in things],
            "document": json.dumps(document),
        }
        if namespace_id is not None:
            body["namespaceId"] = namespace_id
        await self._call("PUT", f"{ROUTES[by]}/jobs/{_part(job_id)}", body=body)

    async def delete_job(self, job_id: str, *, force: bool, namespace_id: str | None, by: Owner = "customer") -> None:
        """DeleteJob."""
        query = _force(force)
        if namespace_id is not None:
            query["namespaceId"] = namespace_id
        await self._call("DELETE", f"{ROUTES[by]}/jobs/{_part(job_id)}", query=query)

    async def cancel_job(self, job_id: str, *, force: bool) -> None:
        """CancelJob."""
        await self._call("PUT", f"/jobs/{_part(job_id)}/cancel", query=_force(force), body={})

    async def delete_execution(
        self, thing: str, job_id: str, *, number: int, force: bool, namespace_id: str | None
    ) -> None:
        """DeleteJobExecution."""
        query = _force(force) | ({"namespaceId": namespace_id} if namespace_id is not None else {})
        await self._call("DELETE", f"/things/{_part(thing)}/jobs/{_part(job_id)}/executionNumber/{number}", query=query)

    async def cancel_execution(self, thing: str, job_id: str, *, force: bool) -> None:
        """CancelJobExecution."""
        path = f"/things/{_part(thing)}/jobs/{_part(job_id)}/cancel"
        await self._call("PUT", path, query=_force(force), body={})

    async def describe_job(self, job_id: str) -> dict[str, Any]:
        """DescribeJob."""
        told = await self._call("GET", f"/jobs/{_part(job_id)}")
        return dict(told["job"])

    async def job_document(self, job_id: str) -> str:
        """GetJobDocument."""
        told = await self._call("GET", f"/jobs/{_part(job_id)}/job-document")
        return str(told["document"])

    async def executions(self, job_id: str) -> list[SeenExecution]:
        """ListJobExecutionsForJob, all pages."""
        found: list[SeenExecution] = []
        query = {"maxResults": str(LONGEST_PAGE)}
        while True:
            page = await self._call("GET", f"/jobs/{_part(job_id)}/things", query=query)
            found += [seen(each["thingArn"], each["jobExecutionSummary"]) for each in page["executionSummaries"]]
            if not page.get("nextToken"):
                return found
            query["nextToken"] = page["nextToken"]

    async def execution(self, thing: str, job_id: str) -> SeenExecution:
        """DescribeJobExecution."""
        told = await self._call("GET", f"/things/{_part(thing)}/jobs/{_part(job_id)}")
        return seen(told["execution"]["thingArn"], told["execution"])

    async def _call(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        url = f"{self._endpoint_url}{path}"
        try:
            async with self._session.request(method, url, params=query, json=body) as response:
                raw = await response.read()
        except (TimeoutError, aiohttp.ClientError):
            message = f"{self._endpoint_url}: nobody answers; is `ghostjob cloud` running there?"
            raise InputError(message) from None
        try:
            told = json.loads(raw) if raw.strip() else {}
        except ValueError:
            raise InputError(
                f"{self._endpoint_url}: answers, but not as AWS IoT does; is that the control plane?"
            ) from None
        if response.status >= 400:
            code = response.headers.get("x-amzn-errortype", f"HTTP {response.status}").partition(":")[0]
            raise Refused(code, str(told.get("message", "")))
        return dict(told)


def _force(force: bool) -> dict[str, str]:
    return {"force": "true" if force else "false"}


def _part(name: str) -> str:
    return quote(name, safe="")
