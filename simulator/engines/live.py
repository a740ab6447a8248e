"""The live venue: the embedded cloud in a process of its own, real MQTT on loopback, wall-clock time."""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from agent.transports.endpoint import Endpoint
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.controller.hand import Hand
from simulator.controller.local_http import LocalHttp
from simulator.engines.embedded import EmbeddedCloud
from simulator.engines.mqtt_connections import MqttConnections, MqttTransport
from simulator.engines.play_time import PlayTime
from simulator.heartbeat import Heartbeat
from simulator.scenario import Group, Scenario
from simulator.trace import Entry, ProcessStalled, Sink
from simulator.trace.packed import Pack, Packs
from simulator.verdict.bounds import LONGEST_SECONDS

PATIENCE_SECONDS: Final = 300.0
"""The cloud is there: whoever is not connected yet has to wait for its turn, however many others there are."""

LOOPBACK: Final = "127.0.0.1"
QUICK: Final = GatewaySettings(connects_per_second=None, connect_limit_seconds=PATIENCE_SECONDS)
"""A scenario's devices boot in a fraction of a second, so they may come back sooner than AWS lets a client id. Ten
thousand that connect at once may take a while to say so.
"""

WAITS: Final = (
    "deletion_seconds",
    "deletion_seconds_per_execution",
    "removal_delay_seconds",
    "stale_reads_seconds",
    "timeouts_late_seconds",
)
"""What the service waits for, and what of that a scenario may set."""


@dataclass(slots=True)
class LiveVenue:
    """Plays over real MQTT (see `simulator.engines.venue.Venue`).

    `time` is what the play goes by. The cloud's own waits, and those of faults, are as many times longer as the play is
    slower when it begins. `host` is the address at which the cloud listens.
    """

    scenario: Scenario
    seed: int
    time: PlayTime = field(default_factory=PlayTime)
    host: str = LOOPBACK
    name: Final = "live"
    _cloud: EmbeddedCloud | None = None
    _connections: MqttConnections | None = None
    _heartbeat: Heartbeat | None = None
    _running_time: Callable[[], float] | None = None

    def clock(self) -> float:
        """Seconds."""
        return self.time.now()

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Start the embedded cloud. Raises InputError."""
        slow = self.time.slow
        settings = CloudSettings(
            host=self.host,
            cloud=slowed(self.scenario.cloud, slow),
            gateway=QUICK,
            faults=tuple(slowed_fault(fault, slow) for fault in self.scenario.faults),
            seed=str(self.seed),
            things=tuple(things),
        )

        def take(entry: Entry) -> None:
            sink(self.time.told(entry))

        def take_pack(pack: Pack) -> None:
            if packs is not None and self.time.is_the_machines:
                packs(pack)
            else:
                for entry in pack:
                    take(entry)

        cloud = self._cloud = await stack.enter_async_context(
            EmbeddedCloud(take, settings=settings, packs=None if packs is None else take_pack)
        )
        endpoint = self.endpoint
        connections = MqttConnections(lambda _: endpoint, self.seed, patience_seconds=PATIENCE_SECONDS, now=self._now)
        self._connections = await stack.enter_async_context(connections)
        return await stack.enter_async_context(Hand(LocalHttp(cloud.endpoints["api"] or ""), frozenset(things)))

    @property
    def endpoint(self) -> Endpoint:
        """Where devices connect to, once it is open."""
        assert self._cloud is not None, "opened before"
        host, _, port = (self._cloud.endpoints["mqtt"] or "").rpartition(":")
        return Endpoint(host, int(port))

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long; `name` is what the trace calls that."""
        assert self._cloud is not None, "opened before"
        self._cloud.cut_off(thing, seconds, name)

    def watched(self, record: Callable[[ProcessStalled], None]) -> Heartbeat:
        """Tell when this process, and so its devices, did not run."""
        self._heartbeat = Heartbeat("devices", lambda stalled: record(self.time.stalled(stalled, time.monotonic())))
        self._running_time = self.time.measure(self._heartbeat.running_time)
        return self._heartbeat

    @property
    def running_time(self) -> Callable[[], float] | None:
        """Time in which this process did not run is no device's time."""
        return self._running_time

    def _now(self) -> float:
        return self.clock() if self._running_time is None else self._running_time()

    def transport(self, thing: str, group: Group) -> MqttTransport:
        """A connection for one boot of one device."""
        assert self._connections is not None, "opened before"
        return self._connections.transport(thing, group)


def slowed(cloud: JobsSettings, slow: float) -> JobsSettings:
    """The service, with what it waits for so many times longer."""
    if slow == 1:
        return cloud
    waits = {name: min(getattr(cloud, name) * slow, LONGEST_SECONDS) for name in WAITS}
    delays = tuple((pattern, min(seconds * slow, LONGEST_SECONDS)) for pattern, seconds in cloud.removal_delays)
    return replace(cloud, removal_delays=delays, **waits)


def slowed_fault(fault: Fault, slow: float) -> Fault:
    """A fault that lasts so many times longer."""
    if slow == 1 or not fault.lasts:
        return fault
    return fault.model_copy(update={"seconds": min(fault.lasts * slow, LONGEST_SECONDS)})
