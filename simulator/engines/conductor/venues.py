"""Where a schedule is played: a cloud whose network and time are the conductor's, in virtual time or over real MQTT.

Over MQTT the cloud is in the devices' own process, since that is where its network is held and its time is told;
between it and the devices there are real sockets, and between it and the controller real HTTP.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from agent.runner import Transport
from agent.transports.endpoint import Endpoint
from simulator.cloud.core import CloudCore
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.controller.hand import Hand
from simulator.controller.in_process import InProcess
from simulator.controller.local_http import LocalHttp
from simulator.engines.conductor.packets import ConductedNetwork
from simulator.engines.explore.setup import Setup
from simulator.engines.live import PATIENCE_SECONDS, QUICK
from simulator.engines.mqtt_connections import MqttConnections
from simulator.engines.virtual import VirtualCloud, VirtualLink
from simulator.scenario import Group, Scenario
from simulator.trace import CLOUD, AccountEnded, CloudListening, Recorder, Sink

Now: TypeAlias = Callable[[], float]
"""Epoch seconds."""


class ConductedVenue(Protocol):
    """Where a schedule is played."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    @property
    def answers_who_left(self) -> bool:
        """Whether the network is given the answer to a request whose connection has ended."""

    def clock(self) -> float:
        """Seconds, by which everybody's entries are timed."""

    async def open(self, stack: AsyncExitStack, network: ConductedNetwork, now: Now, sink: Sink) -> Hand:
        """Start the cloud, for which `now` is the time, in epoch seconds; what the controller acts through.

        Raises InputError.
        """

    @property
    def core(self) -> CloudCore:
        """The service, once it is open."""

    def transport(self, name: str, group: Group) -> Transport:
        """One connection of a device."""


@dataclass(slots=True)
class InVirtualTime:
    """On a VirtualLoop."""

    scenario: Scenario
    name: Final = "virtual"
    answers_who_left: Final = True
    _cloud: VirtualCloud | None = None

    def clock(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()

    async def open(self, stack: AsyncExitStack, network: ConductedNetwork, now: Now, sink: Sink) -> Hand:
        """Start the service."""
        cloud = self._cloud = VirtualCloud(self.scenario, 0, sink)
        cloud.core.go_by_hand(now)
        cloud.put_behind(network)
        cloud.observe(CloudListening({}))
        stack.callback(cloud.observe, AccountEnded())
        stack.callback(cloud.core.close)
        return Hand(InProcess(cloud.core.control_plane()))

    @property
    def core(self) -> CloudCore:
        """The service."""
        assert self._cloud is not None, "opened before"
        return self._cloud.core

    def transport(self, name: str, group: Group) -> VirtualLink:
        """One connection of a device."""
        assert self._cloud is not None, "opened before"
        return VirtualLink(self._cloud, name, group)


@dataclass(slots=True)
class OverMqtt:
    """With real sockets on loopback."""

    setup: Setup
    name: Final = "live"
    answers_who_left: Final = False
    _cloud: LocalCloud | None = None
    _connections: MqttConnections | None = None

    def clock(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def open(self, stack: AsyncExitStack, network: ConductedNetwork, now: Now, sink: Sink) -> Hand:
        """Start the cloud on free ports."""
        settings = CloudSettings(
            api_port=0, mqtt_port=0, mqtts_port=None, data_port=None, cloud=self.setup.jobs_settings, gateway=QUICK
        )
        cloud = self._cloud = LocalCloud(settings, Recorder(CLOUD, self.clock, sink).record)
        await stack.enter_async_context(cloud)
        cloud.core.go_by_hand(now)
        cloud.have_carried_by(network)
        host, _, port = (cloud.endpoints["mqtt"] or "").rpartition(":")
        endpoint = Endpoint(host, int(port))
        connections = MqttConnections(lambda _: endpoint, 0, patience_seconds=PATIENCE_SECONDS)
        self._connections = await stack.enter_async_context(connections)
        return await stack.enter_async_context(Hand(LocalHttp(cloud.endpoints["api"] or "")))

    @property
    def core(self) -> CloudCore:
        """The service."""
        assert self._cloud is not None, "opened before"
        return self._cloud.core

    def transport(self, name: str, group: Group) -> Transport:
        """One connection of a device."""
        assert self._connections is not None, "opened before"
        return self._connections.transport(name, group)
