"""A part of a live fleet: some devices in a process of their own, in its loop, until whoever has begun it ends it."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final, NamedTuple, TypeAlias, assert_never

from agent.transports.endpoint import Endpoint, probe
from simulator.devices.device import SimulatedDevice
from simulator.devices.holds import Hold
from simulator.devices.rig.values import HoldPoint
from simulator.engines.fleet import Fleet
from simulator.engines.live import PATIENCE_SECONDS
from simulator.engines.mqtt_connections import MqttConnections, MqttTransport
from simulator.engines.stand_ins import Lot
from simulator.heartbeat import Heartbeat
from simulator.scenario import Group, Scenario
from simulator.trace import Entry, ProcessStalled
from simulator.trace.packed import pack

GATHERED_SECONDS: Final = 0.05
"""So long it is between two times that it tells, if there is something to tell all the time."""


class Cast(NamedTuple):
    """The agents that a part has, with what is drawn for their things, and what befalls them.

    `holds` are where the play stops them, by number. `prepare` is called first, with how many connections there are
    to be.
    """

    agents: tuple[tuple[str, Group], ...]
    lots: Mapping[str, Lot]
    scenario: Scenario
    seed: int
    number: int
    holds: tuple[HoldPoint, ...]
    endpoint: Endpoint
    prepare: Callable[[int], object]


class Where(NamedTuple):
    """The host of a part, and what time its clock shows."""

    host: str
    clock: float


class Told(NamedTuple):
    """What has happened since that was told last: entries, packed, and when it was that no device had its turn.

    `restless` and `out_of_order` are of now; `held` are the things that have come to be held, each with the number of
    its hold.
    """

    entries: bytes
    stalls: tuple[tuple[float, ProcessStalled], ...]
    restless: tuple[str, ...]
    out_of_order: Mapping[str, str]
    held: tuple[tuple[int, str], ...]


class LetGo(NamedTuple):
    """What the hold of that number may hold of a thing is to go on."""

    hold: int
    thing: str


class CutPower(NamedTuple):
    """The power of a device is to go, for so long."""

    name: str
    instant: str
    off_seconds: float


Order: TypeAlias = LetGo | CutPower


class Part:
    """All that it is asked is asked in its loop."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._ahead = 0.0
        self._entries: list[Entry] = []
        self._stalls: list[tuple[float, ProcessStalled]] = []
        self._held: list[tuple[int, str]] = []
        self._something = asyncio.Event()
        self._told_at = 0.0
        self._holds: tuple[Hold, ...] = ()
        self._heartbeat: Heartbeat
        self._connections: MqttConnections
        self._devices: dict[str, SimulatedDevice] = {}

    async def where(self) -> Where:
        """Where it is."""
        return Where(socket.gethostname(), time.monotonic())

    async def begin(self, cast: Cast, ahead: float) -> None:
        """Switch its devices on; the play's clock is so far ahead of its own. Raises InputError."""
        cast.prepare(len(cast.agents))
        await probe(cast.endpoint)
        self._ahead = ahead
        self._holds = tuple(_Hold(point, self._has_come) for point in cast.holds)
        self._heartbeat = self._stack.enter_context(Heartbeat("devices", self._stalled))
        self._connections = await self._stack.enter_async_context(
            MqttConnections(
                lambda _: cast.endpoint,
                f"{cast.seed}/{cast.number}",
                patience_seconds=PATIENCE_SECONDS,
                now=self._heartbeat.running_time,
            )
        )
        fleet = Fleet(
            cast.agents, self, cast.seed, self._feed, scenario=cast.scenario, holds=self._holds, lots=cast.lots
        )
        self._devices = {device.thing: device for device in fleet.devices}
        await self._stack.enter_async_context(fleet)

    async def told(self, seconds: float) -> Told:
        """What has happened, as soon as there is something, or after so long.

        For as long as nobody asks, as of a play that was stopped, that grows by what its devices do on their own.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something.wait()
        await asyncio.sleep(self._told_at + GATHERED_SECONDS - time.monotonic())
        return self._now()

    async def do(self, orders: Sequence[Order]) -> None:
        """Carry them out."""
        for each in orders:
            match each:
                case LetGo(number, thing):
                    self._holds[number].let_go(thing)
                case CutPower(name, instant, off_seconds):
                    self._devices[name].cut_power(instant, off_seconds)
                case _:
                    assert_never(each)

    async def end(self) -> None:
        """Switch all of them off: then there is nothing more to tell than what has happened by now."""
        await self._stack.aclose()
        self._something.set()

    # ── what gives its devices their connections (see `simulator.engines.fleet.Connections`) ──────────────────

    def clock(self) -> float:
        """The play's."""
        return time.monotonic() + self._ahead

    @property
    def running_time(self) -> Callable[[], float]:
        """Seconds in which this process ran."""
        return self._heartbeat.running_time

    def transport(self, thing: str, group: Group) -> MqttTransport:
        """A connection for one boot of one device."""
        return self._connections.transport(thing, group)

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._something.set()

    def _stalled(self, stalled: ProcessStalled) -> None:
        self._stalls.append((self.clock(), stalled))
        self._something.set()

    def _has_come(self, number: int, thing: str) -> None:
        self._held.append((number, thing))
        self._something.set()

    def _now(self) -> Told:
        devices = self._devices.items()
        restless = tuple(name for name, device in devices if not device.rests)
        out_of_order = {name: why for name, device in devices if (why := device.out_of_order)}
        told = Told(pack(self._entries), tuple(self._stalls), restless, out_of_order, tuple(self._held))
        self._entries, self._stalls, self._held = [], [], []
        self._something.clear()
        self._told_at = time.monotonic()
        return told


class _Hold(Hold):
    """As one of the play's, which is told who has come to be held."""

    def __init__(self, point: HoldPoint, has_come: Callable[[int, str], None]) -> None:
        super().__init__(point)
        self._tell = has_come

    def hold(self, thing: str) -> None:
        """Take note that a device is there."""
        super().hold(thing)
        self._tell(self.point.number, thing)
