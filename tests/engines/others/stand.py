"""A cloud in virtual time with one device of somebody else's at it: over MQTT in values, or over HTTP."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from agent.jitter import Jitter
from agent.values import Answer, Request
from simulator.controller.hand import Hand
from simulator.engines.virtual import LATENCY_SECONDS, VirtualCloud, VirtualLink, VirtualVenue
from simulator.scenario import Group, Scenario
from simulator.trace import ClientConnected, ClientSubscribed, Entry, FaultStruck, Sink
from simulator.trace.packed import Packs
from tests.engines.others.device import Design, Device, Line, any_answer

THING = "pump-7"


class Connection(VirtualLink):
    """One MQTT connection, by any client id."""

    __slots__ = ("_acknowledges", "_asked", "_filters")

    def __init__(self, cloud: VirtualCloud, client_id: str, filters: tuple[str, ...], *, acknowledges: bool) -> None:
        super().__init__(cloud, THING, Group(group="others"))
        self.name = client_id
        self._filters = filters
        self._acknowledges = acknowledges
        self._asked: dict[int, tuple[Request, Answer]] = {}

    def answer(self, request: Request, told: Any, receipt: object) -> None:
        """Keep in mind on which topic an answer comes."""
        self._asked[id(told)] = request, told
        super().answer(request, told, receipt)

    def request_of(self, told: Answer) -> Request:
        """What an answer is to, by its topic."""
        return self._asked[id(told)][0]

    def hint(self, hint: Any) -> None:
        """Publish a notification, if it is subscribed to."""
        if any("notify" in each for each in self._filters):
            super().hint(hint)

    def _acknowledge(self, receipt: object) -> None:
        if self._is_up:
            self._cloud.core.device_api.delivered(receipt, self._acknowledges)

    def _connect(self) -> None:
        super()._connect()
        if self._is_up:
            self._cloud.observe(ClientSubscribed(self.name, self._filters))


@dataclass(slots=True)
class Listening:
    """Whom a connection tells (see `agent.runner.Listener`)."""

    device: Device
    connection: Connection

    def on_connected(self, session_present: bool) -> None:
        self.device.connected()

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        pass

    def on_message(self, topic: str, payload: bytes) -> None:
        raise AssertionError("messages travel as values")

    def feed(self, event: Any) -> None:
        if (answer := any_answer(event)) is not None:
            self.device.answered(self.connection.request_of(answer), answer)
        else:
            self.device.told(event)


@dataclass(slots=True)
class OverMqtt(Line):
    """One or two connections."""

    connections: list[Connection]

    def send(self, request: Request) -> None:
        self.connections[0].send(request)

    def close(self) -> None:
        for connection in self.connections:
            connection.cut()


@dataclass(slots=True)
class OverHttp(Line):
    """Requests that the service answers each on its own; what is sent while the device is off is lost."""

    cloud: VirtualCloud
    device: Device
    is_open: bool = True

    def send(self, request: Request) -> None:
        self.cloud.loop.call_later(LATENCY_SECONDS, self._arrive, request)

    def _arrive(self, request: Request) -> None:
        told = self.cloud.core.device_api.ask(THING, request)
        for thing, hint in told.hints:
            self.cloud._tell(thing, hint)
        self.cloud.loop.call_later(LATENCY_SECONDS, self._answer, request, told.answer)

    def _answer(self, request: Request, answer: Answer) -> None:
        if self.is_open:
            self.device.answered(request, answer)

    def close(self) -> None:
        self.is_open = False


@dataclass(slots=True)
class Dialling:
    """Gives a device its lines, each time that it boots."""

    cloud: VirtualCloud
    connected: list[Connection] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def __call__(self, device: Device) -> Line:
        design = device.design
        if design.carrier == "http":
            device.connected()
            return OverHttp(self.cloud, device)
        hints = (f"$aws/things/{THING}/jobs/notify", f"$aws/things/{THING}/jobs/notify-next")
        answers = (f"$aws/things/{THING}/jobs/+/get/accepted",)
        shares = [answers + (hints if design.listens else ())]
        if design.connections == 2:
            shares = [answers, hints]
        self.connected = [self._open(device, filters, number) for number, filters in enumerate(shares)]
        return OverMqtt(self.connected)

    def _open(self, device: Device, filters: tuple[str, ...], number: int) -> Connection:
        named = {"thing": THING, "other": "unit-4711", "new-each-time": f"unit-{next(self._ids)}"}
        name = named[device.design.client_ids] + ("-b" if number else "")
        connection = Connection(self.cloud, name, filters, acknowledges=device.design.acknowledges)
        connection.start(Listening(device, connection))
        return connection


@dataclass(slots=True)
class Accident:
    """`what` happens to the device at `at` seconds, for `seconds`: to its power, its network, or a fault strikes.

    What a fault does is not the play's business, but when it struck: so this says when, and nothing else happens. An
    `end` is its process's, by itself, and `crash` too.
    """

    at: float
    what: str
    seconds: float = 0.0


@dataclass(slots=True)
class Stand(VirtualVenue):
    """Where a device of somebody else's plays a scenario. It is also the hands that cut its power."""

    design: Design = field(default_factory=Design)
    accidents: tuple[Accident, ...] = ()
    ghost: bool = False
    device: Device | None = None
    can_cut_power: bool = True
    is_off: bool = False
    started_without_power: bool = False
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)
    has_crashed: bool = False
    cut_seconds: float = 0.0
    """How long it takes to cut its power."""
    dialling: Dialling | None = None

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Start the service, and the device."""
        hand = await VirtualVenue.open(self, stack, sink)
        assert self._cloud is not None
        await hand.create_thing(THING)
        self.dialling = Dialling(self._cloud)
        self.device = Device(THING, self.design, self.dialling, Jitter(f"{self.seed}/device"), ghost=self.ghost)
        self.device.start()
        stack.callback(self.device.kill)
        for accident in self.accidents:
            self._cloud.loop.call_later(accident.at, self._happens, accident)
        return hand

    def _happens(self, accident: Accident) -> None:
        assert self.device is not None
        assert self.dialling is not None
        if accident.what in ("end", "crash"):
            self.device.kill()
            self.has_crashed = accident.what == "crash"
            self.has_ended.set()
        elif accident.what not in ("power", "network"):
            assert self._cloud is not None
            self._cloud.observe(FaultStruck(THING, accident.what, "lose", "update", None))
        elif accident.what == "power":
            self.device.kill()
            asyncio.get_running_loop().call_later(accident.seconds, self.device.start)
        else:
            for number, connection in enumerate(self.dialling.connected):
                connection.interrupt(accident.seconds * (1 + number))

    async def cut_power(self) -> None:
        assert self.device is not None
        self.is_off = True
        self.device.kill()
        await asyncio.sleep(self.cut_seconds)

    async def power_on(self) -> None:
        self.is_off = False
        await self.start()

    @property
    def runs(self) -> bool:
        """Whether the device does."""
        return self.device is not None and self.device._running is not None

    async def ended(self) -> tuple[str, bool]:
        await self.has_ended.wait()
        self.has_ended.clear()
        return f"it ended by itself, with exit code {int(self.has_crashed)}", self.has_crashed

    async def start(self) -> None:
        assert self.device is not None
        self.started_without_power |= self.is_off
        self.device.start()


def stand(scenario: Scenario, design: Design, *accidents: Accident, seed: int = 1, ghost: bool = False) -> Stand:
    """One for a scenario."""
    return Stand(scenario, seed, design=design, accidents=accidents, ghost=ghost)


@dataclass(slots=True)
class Desk:
    """A cloud that stays up, with its device, for one play after the other: each is a venue of its own."""

    stand: Stand
    name: str = "desk"
    running_time: None = None
    sinks: list[Sink] = field(default_factory=list)
    standing: list[Entry] = field(default_factory=list)
    hand: Hand | None = None

    @property
    def clock(self) -> Callable[[], float]:
        """Virtual seconds."""
        return self.stand.clock

    async def set_up(self, stack: AsyncExitStack) -> None:
        """Start the cloud and the device, for as long as the stack lasts."""
        self.hand = await self.stand.open(stack, self._feed)

    def _feed(self, entry: Entry) -> None:
        if isinstance(entry.event, ClientConnected | ClientSubscribed):
            self.standing.append(entry)
        for sink in tuple(self.sinks):
            sink(entry)

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Tell who is connected, and everything from now on."""
        for entry in self.standing:
            sink(entry)
        self.sinks.append(sink)
        stack.callback(self.sinks.remove, sink)
        assert self.hand is not None
        return self.hand

    def watched(self, record: Any) -> nullcontext[None]:
        return nullcontext()

    def transport(self, thing: str, group: Group) -> Any:
        return self.stand.transport(thing, group)
