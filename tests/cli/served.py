"""A cloud in this process, made of a command line as `ghostjob cloud` makes it, and who speaks to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from yarl import URL

from simulator.cli.cloud import cloud, settings_of
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.clients.cloud_process import running_cloud
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import Bare

PORTS: Final = ("--api-port", "0", "--mqtt-port", "0", "--mqtts-port", "off", "--data-port", "off")
THING_ARN: Final = "arn:aws:iot:us-east-1:000000000000:thing/{}"
SIGNED: Final = "AWS4-HMAC-SHA256 Credential={}/20261124/{}/{}/aws4_request, SignedHeaders=host, Signature=0"
"""For an access key's id, a region and a service; without --access-key nobody looks at the signature itself."""
MARK: Final = "mark"


def options(*args: str) -> CloudSettings:
    """What the command would serve with."""
    return settings_of(cloud.make_context("cloud", list(args)).params)


class Answer(NamedTuple):
    """`error` is the exception's name, without its suffix; None if there is none."""

    status: int
    error: str | None
    body: dict[str, Any]


class Device:
    """An MQTT 3.1.1 client that acknowledges nothing."""

    def __init__(self, bare: Bare) -> None:
        self.bare = bare

    async def subscribe(self, *filters: str, qos: int = 0) -> None:
        """Subscribe, and wait for it."""
        self.bare.send(subscribe(*filters, version=4, options=qos))
        assert (await self.bare.packet())[0] == 0x90

    async def ask(self, topic: str, body: object = None, thing: str = "t") -> dict[str, Any]:
        """A request below `$aws/things/THING/jobs/`: its answer."""
        self.bare.send(publish(f"$aws/things/{thing}/jobs/{topic}", json.dumps(body or {}).encode(), 4))
        return (await self._message())[1]

    async def heard(self) -> list[tuple[str, Any]]:
        """Topics and payloads of everything that was published to it until now."""
        self.bare.send(subscribe(MARK, version=4, options=0), publish(MARK, b'"now"', 4))
        found = []
        while (message := await self._message())[0] != MARK:
            found.append(message)
        return found

    async def _message(self) -> tuple[str, Any]:
        while (packet := await self.bare.packet())[0] >> 4 != 3:
            pass
        first, body = packet
        end = 2 + int.from_bytes(body[:2], "big")
        return body[2:end].decode(), json.loads(body[end + (2 if first & 6 else 0) :])


class Served:
    """One cloud that is up, wherever. `local` is there if it is in this process, `certs` if it has any."""

    def __init__(
        self,
        endpoints: Mapping[str, str | None],
        stack: AsyncExitStack,
        local: LocalCloud | None = None,
        certs: Path | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.local = local
        self.certs = certs
        self.http = aiohttp.ClientSession()
        self._stack = stack
        stack.push_async_callback(self.http.close)

    async def ask(self, request: str, body: Any = None, *, signed: str | None = None, **more: str) -> Answer:
        """`METHOD /path?query` to the API port, answered; `signed` is an Authorization, `more` are other headers."""
        method, _, path = request.partition(" ")
        signature = {} if signed is None else {"Authorization": signed, "X-Amz-Date": "20261124T000000Z"}
        headers = signature | {name.replace("_", "-"): value for name, value in more.items()}
        url, raw = URL(f"{self.endpoints['api']}{path}", encoded=True), json.dumps(body or {}).encode()
        async with self.http.request(method, url, data=raw, headers=headers) as response:
            told, name = await response.read(), response.headers.get("x-amzn-errortype")
            error = None if name is None else name.removesuffix("Exception")
            return Answer(response.status, error, json.loads(told) if told else {})

    async def as_device(self, request: str, body: Any = None) -> Answer:
        """The same, signed for the data plane."""
        return await self.ask(request, body, signed=SIGNED.format("k", "us-east-1", "iot-jobs-data"))

    async def job(self, job_id: str = "fw", things: Sequence[str] = ("t",), **more: Any) -> str | None:
        """Create things and a job for them: the error, if there is one."""
        for thing in things:
            assert (await self.ask(f"POST /things/{thing}")).status == 200
        body = {"targets": [THING_ARN.format(thing) for thing in things], "document": "{}"} | more
        return (await self.ask(f"PUT /jobs/{job_id}", body)).error

    async def delete(self, job_id: str = "fw", query: str = "") -> str | None:
        """Force-delete it: the error, if there is one."""
        return (await self.ask(f"DELETE /jobs/{job_id}?force=true{query}")).error

    async def status(self, job_id: str = "fw") -> str | None:
        """The job's status; None if there is no such job."""
        told = await self.ask(f"GET /jobs/{job_id}")
        return None if told.error else str(told.body["job"]["status"])

    async def bare(self, name: str = "t", version: int = 4, **more: Any) -> Bare:
        """A connection on which a CONNECT was sent."""
        host, _, port = (self.endpoints["mqtt"] or "").rpartition(":")
        made = Bare(*await asyncio.open_connection(host, int(port)))
        self._stack.callback(made.close)
        made.send(connect(version, rest=text(name), **more))
        return made

    async def device(self, name: str = "t", **more: Any) -> Device:
        """A client that is connected."""
        bare = await self.bare(name, **more)
        assert (await bare.packet())[0] == 0x20
        return Device(bare)


@asynccontextmanager
async def served(settings: Mapping[str, Any], *args: str) -> AsyncIterator[Served]:
    """The cloud of a command line with these `--settings`."""
    asked = options(*PORTS, *args, "--settings", json.dumps(settings))
    async with AsyncExitStack() as stack:
        local = await stack.enter_async_context(LocalCloud(asked))
        yield Served(local.endpoints, stack, local, asked.certs)


@asynccontextmanager
async def served_by_the_command(settings: Mapping[str, Any], *args: str) -> AsyncIterator[Served]:
    """The same in a process of its own, as a user has it."""
    async with AsyncExitStack() as stack:
        yield Served(stack.enter_context(running_cloud(*args, "--settings", json.dumps(settings))), stack)
