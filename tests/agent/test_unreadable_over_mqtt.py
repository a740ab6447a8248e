"""A whole agent, over a real broker and both clients: documents that cannot be read cost it one rejection each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from agent.connection import Connection, transport_of
from agent.core import DevicePolicy
from agent.device import Settings, run_device
from simulator.cloud.mqtt import GatewaySettings, Reaction
from simulator.cloud.mqtt.shells import Gateway
from tests.agent.handlers.bench import context_in
from tests.agent.spoiling import Job, Service, nested

WAIT = 60


class Jobs:
    """The service, as a broker wants it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def request(
        self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0
    ) -> Reaction | None:
        answer = self._service.answer(topic, payload)
        return None if answer is None else Reaction(*answer)

    def delivered(self, receipt: object, acknowledged: bool) -> None: ...

    def connected(self, client_id: str, session_present: bool) -> None: ...

    def subscribed(self, client_id: str, filters: list[str], refused: list[str]) -> None:
        pass

    def disconnected(self, client_id: str, reason: str) -> None: ...


@asynccontextmanager
async def broker(service: Service) -> AsyncIterator[int]:
    gateway = Gateway(Jobs(service), GatewaySettings(connects_per_second=None))
    try:
        yield await gateway.listen("127.0.0.1", 0)
    finally:
        await gateway.close()


@pytest.mark.parametrize("namespace_id", [None, "lab"])
@pytest.mark.parametrize("by", ["paho", "awsiot"])
async def test_the_next_job_is_done(tmp_path: Path, by: Literal["paho", "awsiot"], namespace_id: str | None):
    lost = Job("lost", spoil=lambda text: text[:90].encode())
    service = Service(
        Job("deep", nested(5000)),
        lost,
        Job("good", '{"operation":"configure","to":"a.conf","content":"new"}'),
    )
    async with broker(service) as port:
        connection = Connection("dev", "127.0.0.1", port, None, namespace_id, by=by)
        settings = Settings(context_in(tmp_path), DevicePolicy(namespace_id=namespace_id), "test", executions=3)
        async with asyncio.timeout(WAIT), transport_of(connection, "test") as transport:
            ended = await run_device(settings, transport, lambda event: None, asyncio.Event())
    assert ended == "finished"
    assert [job.status for job in service.jobs] == ["REJECTED", "REJECTED", "SUCCEEDED"]
    assert (tmp_path / "root" / "a.conf").read_text() == "new"
