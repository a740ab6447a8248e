"""A cloud over HTTP, one connection to it, and the states that a table's rows begin in."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.http import HttpSettings

ARN: Final = "arn:aws:iot:us-east-1:000000000000:{}"
AS_DEVICE: Final = {
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=k/20261124/us-east-1/iot-jobs-data/aws4_request, SignedHeaders=host, Signature=0"
    ),
    "X-Amz-Date": "20261124T000000Z",
}


@dataclass(frozen=True)
class Answer:
    """What came back; `error` is the exception's name, without its suffix."""

    status: int
    error: str | None
    body: dict[str, Any]


class Cloud:
    """One account. `job` makes a job in a state, on the thing `t`, under an id of its own."""

    def __init__(self, jobs: JobsSettings | None = None, http: HttpSettings | None = None) -> None:
        self._runner = asyncio.Runner()
        options = CloudSettings(
            api_port=0,
            mqtt_port=None,
            mqtts_port=None,
            data_port=None,
            cloud=jobs or JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0),
            http=http or HttpSettings(),
        )
        self._cloud = LocalCloud(options)
        self._runner.run(self._cloud.__aenter__())
        self._session = self._runner.run(_connect())
        self._numbers = itertools.count(1)
        self.ask("POST /things/t")

    def ask(self, request: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Answer:
        """`METHOD /path?query`, answered."""
        return self._runner.run(self._ask(request, body, headers or {}))

    def device(self, request: str, body: Any = None) -> Answer:
        """The same, signed for the data plane."""
        return self.ask(request, body, headers=AS_DEVICE)

    async def _ask(self, request: str, body: Any, headers: dict[str, str]) -> Answer:
        method, _, path = request.partition(" ")
        url = URL(f"{self._cloud.endpoints['api']}{path}", encoded=True)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        async with self._session.request(method, url, data=raw, headers=headers) as response:
            told, name = await response.read(), response.headers.get("x-amzn-errortype")
            error = None if name is None else name.removesuffix("Exception")
            return Answer(response.status, error, json.loads(told) if told else {})

    def job(self, state: str) -> str:
        """The id of a new job in one of STATES."""
        job_id = f"j{next(self._numbers)}"
        STATES[state](self, job_id)
        return job_id

    def create_job(self, job_id: str, **more: Any) -> None:
        """CreateJob for the thing t."""
        body = {"targets": [ARN.format("thing/t")], "document": '{"a":1}'} | more
        answer = self.ask(f"PUT /jobs/{job_id}", body)
        assert answer.status == 200, answer

    def close(self) -> None:
        """End it."""
        self._runner.run(self._session.close())
        self._runner.run(self._cloud.__aexit__(None, None, None))
        self._runner.close()


async def _connect() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))


def _running(cloud: Cloud, job_id: str) -> None:
    cloud.create_job(job_id)
    assert cloud.device(f"POST /things/t/jobs/{job_id}", {"status": "IN_PROGRESS"}).status == 200


def _done(cloud: Cloud, job_id: str) -> None:
    cloud.create_job(job_id)
    assert cloud.device(f"POST /things/t/jobs/{job_id}", {"status": "SUCCEEDED"}).status == 200


STATES: Final[dict[str, Callable[[Cloud, str], None]]] = {
    "none": lambda cloud, job_id: None,
    "queued": lambda cloud, job_id: cloud.create_job(job_id),
    "running": _running,
    "done": _done,
    "continuous": lambda cloud, job_id: cloud.create_job(job_id, targetSelection="CONTINUOUS"),
    "of the namespace lab": lambda cloud, job_id: cloud.create_job(job_id, namespaceId="lab"),
}
"""What a job may be like before a request; its one execution is as far as it says."""
