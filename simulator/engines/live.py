"""The live venue: the embedded cloud in a process of its own, real MQTT on loopback, wall-clock time."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

from agent.jitter import Jitter
from agent.topics import everything, subscriptions
from agent.transports.paho import Endpoint, PahoFleet, PahoTransport
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.embedded import EmbeddedCloud
from simulator.heartbeat import Heartbeat
from simulator.scenario import Group, Scenario, thing_of_agent
from simulator.trace import ProcessStalled, Sink

PATIENCE_SECONDS: Final = 300.0
"""The cloud is there: whoever is not connected yet has to wait for its turn, however many others there are."""

QUICK: Final = GatewaySettings(connects_per_second=None, connect_limit_seconds=PATIENCE_SECONDS)
"""A scenario's devices boot in a fraction of a second, so they may come back sooner than AWS lets a client id. Ten
thousand that connect at once may take a while to say so.
"""


class PahoConnections:
    """Real connections for a fleet. `endpoint_of` gives each thing its endpoint: with mutual TLS each has its own."""

    def __init__(
        self,
        endpoint_of: Callable[[str], Endpoint],
        seed: int,
        mqtt_version: int = 5,
        patience_seconds: float | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._endpoint_of = endpoint_of
        self._mqtt_version = mqtt_version
        self._transports = PahoFleet(rng=Jitter(f"{seed}/connections"), patience_seconds=patience_seconds, clock=now)

    async def __aenter__(self) -> Self:
        await self._transports.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transports.stop()

    def clock(self) -> float:
        """Seconds; not the loop's time, which stands still within one wake-up."""
        return time.monotonic()

    @property
    def running_time(self) -> None:
        """The loop's own time: nobody judges these devices by how long they take."""

    def transport(self, thing: str, group: Group) -> PahoTransport:
        """A connection for one boot of one device."""
        name, thing = thing, thing_of_agent(thing)
        hears_all = group.hears == "everything"
        filters = everything(thing) if hears_all else subscriptions(thing, group.namespace)
        return self._transports.transport(
            thing, self._endpoint_of(thing), filters, client_id=name, mqtt_version=self._mqtt_version
        )


@dataclass(slots=True)
class LiveVenue:
    """Plays over real MQTT (see `simulator.engines.venue.Venue`)."""

    scenario: Scenario
    seed: int
    name: Final = "live"
    _connections: PahoConnections | None = None
    _heartbeat: Heartbeat | None = None

    def clock(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def open(self, stack: AsyncExitStack, sink: Sink) -> Hand:
        """Start the embedded cloud. Raises InputError."""
        settings = CloudSettings(
            cloud=self.scenario.cloud, gateway=QUICK, faults=self.scenario.faults, seed=str(self.seed)
        )
        cloud = await stack.enter_async_context(EmbeddedCloud(sink, settings=settings))
        host, _, port = (cloud.endpoints["mqtt"] or "").rpartition(":")
        endpoint = Endpoint(host, int(port))
        connections = PahoConnections(lambda _: endpoint, self.seed, patience_seconds=PATIENCE_SECONDS, now=self._now)
        self._connections = await stack.enter_async_context(connections)
        return await stack.enter_async_context(Hand(LocalHttp(cloud.endpoints["api"] or "")))

    def watched(self, record: Callable[[ProcessStalled], None]) -> Heartbeat:
        """Tell when this process, and so its devices, did not run."""
        self._heartbeat = Heartbeat("devices", record, clock=self.clock)
        return self._heartbeat

    @property
    def running_time(self) -> Callable[[], float] | None:
        """Time in which this process did not run is no device's time."""
        return None if self._heartbeat is None else self._heartbeat.running_time

    def _now(self) -> float:
        return self.clock() if self._heartbeat is None else self._heartbeat.running_time()

    def transport(self, thing: str, group: Group) -> PahoTransport:
        """A connection for one boot of one device."""
        assert self._connections is not None, "opened before"
        return self._connections.transport(thing, group)
