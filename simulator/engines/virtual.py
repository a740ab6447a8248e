"""The virtual venue: the service in the same process, a network that is a list of deliveries, time that jumps.

Messages travel as values: no JSON, no topics, no MQTT. What the network may do to them is the same as over real MQTT.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from agent.core.events import Answered, Event, Hinted
from agent.device_events import request_kind
from agent.loop_time import Alarm
from agent.runner import Listener
from agent.values import Answer, Hint, JobMentioned, Request
from simulator.cloud.core import CloudCore
from simulator.cloud.device_api.fault_injection import ANSWERS, ON_TIME, About
from simulator.cloud.device_api.network import Network
from simulator.cloud.device_api.trace_events import kind_of
from simulator.cloud.jobs import Outcome
from simulator.cloud.mqtt import Peer
from simulator.controller.hand import Hand
from simulator.controller.in_process import InProcess
from simulator.engines.judged import JudgedPlay
from simulator.engines.play_time import PlayTime
from simulator.engines.virtual_time import EPOCH, run_virtually
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Group, Scenario, thing_of_agent
from simulator.trace import (
    CLOUD,
    AccountEnded,
    ClientConnected,
    ClientDisconnected,
    CloudListening,
    FaultStruck,
    ProcessStalled,
    Recorder,
    Sink,
)
from simulator.trace.packed import Packs
from simulator.verdict import Verdict

Counts: TypeAlias = Callable[[Request, float], object]
"""A request, and when it comes."""
NOBODY_ELSE: Final[Mapping[str, int]] = MappingProxyType({})
LATENCY_SECONDS: Final = 0.005
"""One way."""
APART_SECONDS: Final = 1e-6
"""Between two deliveries on one connection, so that they cannot overtake each other."""


class VirtualCloud:
    """The service, and who is connected to it."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        sink: Sink,
        stands_for: Mapping[str, int] = NOBODY_ELSE,
        first_entry: int = 1,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.call_at = cast("Callable[..., object]", self.loop.call_at)
        recorder = Recorder(CLOUD, self.loop.time, sink, first_entry)
        self.observe = recorder.record
        faults, loop = scenario.faults, self.loop
        self.network = Network(faults, str(seed), loop.time, loop.call_later, recorder.record) if faults else None
        if self.network is not None:
            self.network.cut = self._cut
        self.core = CloudCore(scenario.cloud, self.clock, self._publish, recorder.record, self.network, new_id=str)
        self.core.jobs.stands_for = stands_for
        self._links: dict[str, tuple[VirtualLink, ...]] = {}
        self._back_at: dict[str, float] = {}
        """When the network of a thing is back that somebody cut."""

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long; the trace calls that `name`."""
        self.observe(FaultStruck(thing, name, "cut", ""))
        self._back_at[thing] = self.loop.time() + seconds
        self._cut(thing, None)

    def silent_for(self, thing: str) -> float:
        """For how many seconds more nothing of a thing comes through; 0: everything does."""
        cut = max(self._back_at.get(thing, 0.0) - self.loop.time(), 0.0)
        return cut if self.network is None else max(cut, self.network.silent_for(thing))

    def put_behind(self, network: Network) -> None:
        """From now on messages go through this one."""
        self.network = self.core.device_api.network = network
        network.cut = self._cut

    def clock(self) -> float:
        """Epoch seconds."""
        return EPOCH + self.loop.time()

    def connected(self, link: "VirtualLink") -> None:
        """A device is there, and subscribed."""
        self._links[link.thing] = (*self._links.get(link.thing, ()), link)
        self.observe(ClientConnected(link.name))

    def disconnected(self, link: "VirtualLink", reason: str) -> None:
        """It is not there any more."""
        self._links[link.thing] = tuple(other for other in self._links[link.thing] if other is not link)
        self.observe(ClientDisconnected(link.name, reason))

    def link_of(self, name: str) -> "VirtualLink | None":
        """The connection of the agent of that name, if it is there."""
        return next((link for link in self._links.get(thing_of_agent(name), ()) if link.name == name), None)

    def _cut(self, thing: str, _belongs: object) -> list[Peer]:
        """The network of a thing is dead: its agents lose their connections."""
        links = self._links.get(thing, ())
        for link in links:
            link.lose()
        return [Peer(link.name) for link in links]

    def ask(self, link: "VirtualLink", request: Request, *, dup: bool, late_seconds: float) -> None:
        """A request arrived."""
        told = self.core.device_api.ask(link.thing, request, dup, link.client, late_seconds)
        link.answer(request, told.answer, told.receipt)
        for thing, hint in told.hints:
            self._tell(thing, hint)

    def _publish(self, outcome: Outcome) -> None:
        for thing, hint in outcome.hints:
            self._tell(thing, hint)

    def _tell(self, thing: str, hint: Hint) -> None:
        for link in self._links.get(thing, ()):
            link.hint(hint)


class VirtualLink:
    """One agent's connection (see `agent.runner.Transport`): it listens in its group's namespace, or in all."""

    __slots__ = (
        "_cloud",
        "_connections",
        "_hears_all",
        "_is_up",
        "_last",
        "_listener",
        "_namespace_id",
        "_pace",
        "_timer",
        "name",
        "thing",
    )

    def __init__(self, cloud: VirtualCloud, name: str, group: Group, pace: Pace = LOOP_TIME) -> None:
        self.name = name
        self.thing = thing_of_agent(name)
        self._cloud = cloud
        self._pace = pace
        self._namespace_id = group.namespace
        self._hears_all = group.hears == "everything"
        self._listener: Listener | None = None
        self._is_up = False
        self._connections = 0
        self._last = 0.0
        self._timer: Alarm | None = None

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def start(self, listener: Listener) -> None:
        """Connect after a round trip."""
        self._listener = listener
        self._timer = asyncio.get_running_loop().call_later(2 * LATENCY_SECONDS, self._connect)

    def send(self, request: Request) -> None:
        """Send, or drop while disconnected."""
        if self._is_up:
            network = self._cloud.network
            if network is None:
                self._travel(ON_TIME, 0.0, self._arrive, request)
            else:
                kind, about = request_kind(request), About.request(request)
                network.carry(self.thing, kind, about, 0, partial(self._request_travels, request))

    def cut(self) -> None:
        """Vanish."""
        self._go_down("CONNECTION_LOST")
        if self._timer is not None:
            self._timer.cancel()
        self._listener = None

    def interrupt(self, seconds: float) -> None:
        """Lose the network for so long."""
        if self._is_up and self._listener is not None:
            self._go_down("CONNECTION_LOST")
            self._timer = self._pace.call_later(seconds, self._connect)
            self._listener.on_disconnected("the network is gone")

    async def stop(self) -> None:
        """Disconnect in good order."""
        self._go_down("CLIENT_INITIATED_DISCONNECT")
        self.cut()

    @property
    def client(self) -> str | None:
        """Its client id, where that is not the thing's name."""
        return None if self.name == self.thing else self.name

    # ── what the cloud uses ───────────────────────────────────────────────────────────────────────────────────

    def answer(self, request: Request, told: Answer, receipt: object) -> None:
        """Answer a request."""
        network, event = self._cloud.network, Answered(told)
        if network is None:
            self._travel(ON_TIME, 0.0, self._deliver, event, receipt)
        else:
            kind, about = ANSWERS[request_kind(request)], About.request(request).told(told)
            network.carry(self.thing, kind, about, 0, partial(self._answer_travels, event, receipt, self._connections))

    def hint(self, hint: Hint) -> None:
        """Publish a notification, if this device listens there."""
        if self._hears_all or hint.namespace_id == self._namespace_id:
            network = self._cloud.network
            if network is None:
                self._travel(ON_TIME, 0.0, self._deliver, Hinted(hint), None)
            else:
                about = About(hint.job_id if isinstance(hint, JobMentioned) else None)
                network.carry(self.thing, kind_of(hint), about, 0, partial(self._hint_travels, Hinted(hint)))

    def lose(self) -> None:
        """The network is dead until the scenario's has it back; the device learns of it in a moment."""
        if self._is_up:
            self._go_down("CONNECTION_LOST")
            self._cloud.loop.call_soon(self._lost)

    def _lost(self) -> None:
        if self._listener is not None:
            self._listener.on_disconnected("the network is gone")
            self._connect()

    def _travel(
        self,
        delays: Iterable[float],
        held_seconds: float,
        arrive: Callable[..., None],
        *what: object,
        again: bool = False,
    ) -> None:
        """Let a message take its time; those on time stay in order. `arrive` is told what, how late, and if again."""
        now, call_at = self._cloud.loop.time(), self._cloud.call_at
        for number, late in enumerate(delays):
            at = now + LATENCY_SECONDS + late
            if not late:
                at = self._last = max(at, self._last + APART_SECONDS)
            call_at(at, arrive, *what, late + held_seconds, again or number > 0)

    def _request_travels(
        self, request: Request, delays: tuple[float, ...], held_seconds: float | None, again: bool = False
    ) -> None:
        """One that was held arrives, whatever has become of its connection."""
        arrive = self._arrive if held_seconds is None else self._arrive_anyway
        self._travel(delays, held_seconds or 0.0, arrive, request, again=again)

    def _answer_travels(
        self,
        event: Event,
        receipt: object,
        connection: int,
        delays: tuple[float, ...],
        held_seconds: float | None,
        again: bool = False,
    ) -> None:
        """One that was held for longer than its connection lasted is nobody's."""
        if held_seconds is None or (self._is_up and connection == self._connections):
            self._travel(delays, 0.0, self._deliver, event, receipt)

    def _hint_travels(
        self, event: Event, delays: tuple[float, ...], held_seconds: float | None, again: bool = False
    ) -> None:
        """One that was held goes to who listens when it is let go."""
        link = self if held_seconds is None else self._cloud.link_of(self.name)
        if link is not None:
            link._travel(delays, 0.0, link._deliver, event, None)

    def _arrive(self, request: Request, late_seconds: float, again: bool) -> None:
        if self._is_up:
            self._cloud.ask(self, request, dup=again, late_seconds=late_seconds)

    def _arrive_anyway(self, request: Request, late_seconds: float, again: bool) -> None:
        self._cloud.ask(self, request, dup=again, late_seconds=late_seconds)

    def _deliver(self, event: Event, receipt: object, *_: object) -> None:
        if self._is_up and self._listener is not None:
            if receipt is not None:
                # Acknowledged at once, and so ahead of whatever the device sends from now on.
                loop = self._cloud.loop
                at = self._last = max(loop.time() + LATENCY_SECONDS, self._last + APART_SECONDS)
                loop.call_at(at, self._acknowledge, receipt)
            self._listener.feed(event)

    def _acknowledge(self, receipt: object) -> None:
        if self._is_up:
            self._cloud.core.device_api.delivered(receipt, True)

    def _connect(self) -> None:
        self._timer = None
        silent = self._cloud.silent_for(self.thing)
        if silent:
            self._timer = self._cloud.loop.call_later(silent, self._connect)
        elif self._listener is not None:
            self._is_up = True
            self._connections += 1
            self._cloud.connected(self)
            self._listener.on_connected(False)

    def _go_down(self, reason: str) -> None:
        if self._is_up:
            self._is_up = False
            self._cloud.disconnected(self, reason)


class GatedLink(VirtualLink):
    """One that has `turned_away` told of what is certain to be refused (see `simulator.engines.turned_away.Gate`)."""

    __slots__ = ("_turned_away",)

    def __init__(self, cloud: VirtualCloud, name: str, group: Group, pace: Pace, turned_away: Counts) -> None:
        super().__init__(cloud, name, group, pace)
        self._turned_away = turned_away

    def refused_at(self, request: Request) -> float | None:
        """See Gate: not where the scenario has a network that may do something to it."""
        cloud, at = self._cloud, self._cloud.loop.time() + LATENCY_SECONDS
        if not self._is_up or cloud.network is not None:
            return None
        if not cloud.core.jobs.is_throttled(self.thing, request, EPOCH + at):
            return None
        self._turned_away(request, at)
        return at + LATENCY_SECONDS


@dataclass(slots=True)
class VirtualVenue:
    """Plays on a VirtualLoop (see `simulator.engines.venue.Venue`); `stands_for` is for how many the service counts
    each, and `first_entry` what number the first has of what it tells.

    `turned_away`: requests that are certain to be refused for the quota are not played, nor do they stand in the trace;
    it is told of each, and when it would have come.
    """

    scenario: Scenario
    seed: int
    stands_for: Mapping[str, int] = field(default_factory=dict)
    first_entry: int = 1
    turned_away: Counts | None = None
    name: Final = "virtual"
    _cloud: VirtualCloud | None = None
    _time: PlayTime | None = None
    _pace: Pace = LOOP_TIME

    @property
    def clock(self) -> Callable[[], float]:
        """Virtual seconds: the loop's own clock."""
        return asyncio.get_running_loop().time

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Start the service."""
        self._time, self._pace = PlayTime(clock=self.clock), Pace(self.running_time)
        cloud = self._cloud = VirtualCloud(self.scenario, self.seed, sink, self.stands_for, self.first_entry)
        cloud.observe(CloudListening({}))
        stack.callback(cloud.observe, AccountEnded())
        stack.callback(cloud.core.close)
        return Hand(InProcess(cloud.core.control_plane()))

    @property
    def time(self) -> PlayTime:
        """Virtual seconds, as whoever steers a play has them."""
        assert self._time is not None, "opened before"
        return self._time

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long; `name` is what the trace calls that."""
        assert self._cloud is not None, "opened before"
        self._cloud.cut_off(thing, seconds, name)

    @property
    def running_time(self) -> Callable[[], float] | None:
        """The loop's own time, which is virtual already."""
        return None

    def watched(self, record: Callable[[ProcessStalled], None]) -> nullcontext[None]:
        """Virtual time stands still while nobody runs."""
        return nullcontext()

    def transport(self, thing: str, group: Group) -> VirtualLink:
        """A connection for one boot of one device."""
        assert self._cloud is not None, "opened before"
        if self.turned_away is not None:
            return GatedLink(self._cloud, thing, group, self._pace, self.turned_away)
        return VirtualLink(self._cloud, thing, group, self._pace)


def judged(scenario: Scenario, devices: int, seed: int, *, sink: Sink | None = None) -> Verdict:
    """Play a scenario in virtual time and judge it; `sink` gets the trace. Raises InputError."""
    also = () if sink is None else (sink,)
    with JudgedPlay(scenario, VirtualVenue(scenario, seed), devices, seed=seed, also=also) as run:
        return run_virtually(run.result()).verdict
