"""The gateway of `tests.simulator.cloud.mqtt`, whose connections a process of its own holds."""

from collections.abc import AsyncIterator

import pytest

from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.mqtt.shells.listening import bound
from simulator.cloud.workers import Crew, Door
from tests.simulator.cloud.mqtt.conftest import bare, faults, gateway, peer, service, settings, told

__all__ = ["bare", "crew", "faults", "gateway", "peer", "port", "service", "settings", "told"]


@pytest.fixture
async def crew(gateway: Gateway) -> AsyncIterator[Crew]:
    made = Crew(1, gateway.broker.context.tell)
    yield made
    await gateway.close()
    await made.end()


@pytest.fixture
async def port(gateway: Gateway, crew: Crew) -> int:
    sockets = await bound("127.0.0.1", 0)
    crew.open(Door(sockets, gateway.connections()))
    gateway.sweeper.stop()
    await crew.begin()
    found: int = sockets[0].getsockname()[1]
    return found
