"""To the local cloud: plain REST-JSON over HTTP, unsigned, many requests at once."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from agent.errors import InputError
from simulator.controller.hand import Refused
from simulator.scenario import Owner

CONNECTIONS: Final = 16
RESPONSE_LIMIT_SECONDS: Final = 300
"""A job for ten thousand things takes the service a while, and a busy machine a while more."""
CONNECT_LIMIT_SECONDS: Final = 30
PREFIXES: Final[dict[Owner, str]] = {"customer": "", "greengrass": "/-/greengrass"}
"""What the paths begin with, by whose hand it is; the second is the local cloud's alone."""
REQUESTS: Final[dict[str, tuple[str, str, frozenset[str]]]] = {
    "CancelJob": ("PUT", "/jobs/{jobId}/cancel", frozenset({"force"})),
    "CancelJobExecution": ("PUT", "/things/{thingName}/jobs/{jobId}/cancel", frozenset({"force"})),
    "CreateJob": ("PUT", "/jobs/{jobId}", frozenset()),
    "CreateThing": ("POST", "/things/{thingName}", frozenset()),
    "DeleteJob": ("DELETE", "/jobs/{jobId}", frozenset({"force", "namespaceId"})),
    "DeleteJobExecution": (
        "DELETE",
        "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}",
        frozenset({"force", "namespaceId"}),
    ),
    "DescribeJob": ("GET", "/jobs/{jobId}", frozenset()),
    "DescribeJobExecution": ("GET", "/things/{thingName}/jobs/{jobId}", frozenset({"executionNumber"})),
    "DescribeThing": ("GET", "/things/{thingName}", frozenset()),
    "GetJobDocument": ("GET", "/jobs/{jobId}/job-document", frozenset()),
    "ListJobExecutionsForJob": (
        "GET",
        "/jobs/{jobId}/things",
        frozenset({"maxResults", "nextToken", "status"}),
    ),
}
"""Each operation's method, path and query; other parameters are the body. As AWS's model of the service has it."""


class LocalHttp:
    """Speaks to `endpoint_url`, such as http://127.0.0.1:4566 (see `simulator.controller.hand.Carrier`)."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=RESPONSE_LIMIT_SECONDS, sock_connect=CONNECT_LIMIT_SECONDS),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """One request."""
        method, path, in_query = REQUESTS[operation]
        url = f"{self._endpoint_url}{PREFIXES[by]}{path.format_map(_quoted(parameters))}"
        query = {name: _text(value) for name, value in parameters.items() if name in in_query}
        rest = {n: value for n, value in parameters.items() if n not in in_query and f"{{{n}}}" not in path}
        body = rest if method in ("PUT", "POST") else None
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


def _quoted(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {name: quote(str(value), safe="") for name, value in parameters.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
