"""A gateway of its own for each test, and who connects to it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Notice

from .packets import connect, text
from .peers import Bare, BareConnect, Connect, Jobs, Peer


@pytest.fixture
def service() -> Jobs:
    return Jobs()


@pytest.fixture
def settings() -> GatewaySettings:
    """Some modules test the limits; the others would only run into them."""
    return GatewaySettings(
        receive_maximum=3, connects_per_second=None, publishes_per_second=None, payload_per_second=None
    )


@pytest.fixture
async def gateway(service: Jobs, settings: GatewaySettings) -> AsyncIterator[Gateway]:
    now = asyncio.get_running_loop().time()
    gateway = Gateway(service, settings, time=lambda: now)  # a test moves the time itself, with `broker.sweep`
    yield gateway
    await gateway.close()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done when a fault of ours was contained."""
    found: list[str] = []
    for module in ("contained", "mqtt.broker", "workers.link"):
        monkeypatch.setattr(f"simulator.cloud.{module}.tell_fault", lambda during, error: found.append(during))
    return found


@pytest.fixture
def told(gateway: Gateway) -> list[Notice]:
    """What clients did not get, as it is told."""
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    return told


@pytest.fixture
async def port(gateway: Gateway) -> int:
    bound = await gateway.listen("127.0.0.1", 0)
    gateway.sweeper.stop()
    return bound


@pytest.fixture
async def peer(port: int) -> AsyncIterator[Connect]:
    opened: list[Peer] = []

    async def connect_one(name: str, version: MQTTProtocolVersion, *, present: bool = False, **options: Any) -> Peer:
        # paho's connect blocks until the socket is open, which this very loop must accept.
        made = await asyncio.to_thread(Peer, asyncio.get_running_loop(), port, name, version, **options)
        opened.append(made)
        assert await made.next() == ("connected", present, "Success")
        return made

    yield connect_one
    for each in opened:
        await asyncio.to_thread(each.close)


@pytest.fixture
async def bare(port: int) -> AsyncIterator[BareConnect]:
    opened: list[Bare] = []

    async def connect_one(version: int = 5, name: str = "dev", **more: Any) -> Bare:
        made = Bare(*await asyncio.open_connection("127.0.0.1", port))
        opened.append(made)
        made.send(connect(version, rest=text(name), **more))
        assert (await made.packet())[0] == 0x20
        return made

    yield connect_one
    for each in opened:
        each.close()
