"""What a conducted network holds: every packet from and to a device, until it is let go, lost, doubled or overtaken.

It stands where a scenario's faults do, and so at the same place over MQTT and among values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from agent.topics import HintTopic, parse
from simulator.cloud.device_api.fault_injection import ANSWERS, NOTHING, ON_TIME, About, message_on
from simulator.cloud.device_api.holding import Later
from simulator.cloud.device_api.network import Network
from simulator.cloud.mqtt import Travel
from simulator.cloud.settings.service import MessageKind
from simulator.engines.explore.setup import Seat
from simulator.trace import CloudEvent

MOST: Final = 1000
"""Packets that one wire holds each way; nothing that comes beyond is carried."""
REQUESTS: Final = frozenset(ANSWERS)


class Packet(NamedTuple):
    """One that is held since then, in seconds; `about` is what it tells, as far as that is known.

    `is_copy`: it arrived before; `is_cut_off`: its connection has ended, or that of who asked for it.
    """

    kind: MessageKind
    travel: Travel
    since: float
    is_copy: bool = False
    is_cut_off: bool = False
    about: About = NOTHING


@dataclass(slots=True, eq=False)
class Wire:
    """What is held between one device and the cloud; the first goes next. `time` gives seconds; `changed` is told.

    `answers_who_left`: whether the engine gives the network the answer to a request whose connection has ended.
    """

    time: Callable[[], float]
    changed: Callable[[], object]
    answers_who_left: bool
    up: list[Packet] = field(default_factory=list)
    down: list[Packet] = field(default_factory=list)
    is_linked: bool = False
    on_their_way: int = 0
    """Requests that were sent, and have not come to the network yet."""
    all_have_come: Callable[[], object] | None = None
    """Is called once none is."""
    _for_nobody: int = 0
    """So many answers are still to come for whom nobody waits any more."""

    def hold(self, kind: MessageKind, travel: Travel, about: About = NOTHING) -> bool:
        """Keep a packet; False if it will never arrive."""
        packet = Packet(kind, travel, self.time(), is_cut_off=not self.is_linked, about=about)
        takes = len(self.up) < MOST if kind in REQUESTS else self.is_linked and len(self.down) < MOST
        if kind in REQUESTS:
            self._came_up()
        elif kind in ANSWERS.values() and self._for_nobody:
            self._for_nobody -= 1
            packet = packet._replace(is_cut_off=True)
        if takes:
            (self.up if kind in REQUESTS else self.down).append(packet)
        self.changed()
        if not self.on_their_way:
            self.close()
        return takes

    def lose_link(self) -> None:
        """The connection has ended: what was sent may still arrive, what was to be received is gone."""
        self.is_linked = False
        self.up = [packet._replace(is_cut_off=True) for packet in self.up]
        self.down.clear()

    def let_up(self, *, twice: bool = False) -> None:
        """Let the next request arrive; a copy may come after it."""
        packet = _take(self.up, twice=twice)
        if packet.is_cut_off and self.answers_who_left:
            self._for_nobody += 1
        elif packet.is_cut_off and self.is_linked:
            answer = ANSWERS[packet.kind]  # type: ignore[index]  # requests go up
            self.down.append(Packet(answer, _nowhere, self.time(), is_cut_off=True))
        self._go(packet)

    def let_down(self, *, twice: bool = False) -> None:
        """Let the next answer or hint arrive; a copy may come after it."""
        self._go(_take(self.down, twice=twice))

    def close(self) -> None:
        """Nothing more is waited for."""
        act, self.all_have_come = self.all_have_come, None
        if act is not None:
            act()

    def _came_up(self) -> None:
        self.on_their_way = max(0, self.on_their_way - 1)

    def _go(self, packet: Packet) -> None:
        packet.travel(ON_TIME, self.time() - packet.since, again=packet.is_copy)


def swap(packets: list[Packet]) -> None:
    """The next one is overtaken by the one after it."""
    packets[0], packets[1] = packets[1], packets[0]


class ConductedNetwork(Network):
    """Holds what is on its way from and to those who sit there, and lets everything else pass.

    `hears_all`: they hear of every namespace, not only of their own. `observe` gets the trace of cuts.
    """

    def __init__(
        self,
        wires: Mapping[Seat, Wire],
        time: Callable[[], float],
        later: Later,
        *,
        hears_all: bool,
        observe: Callable[[CloudEvent], object] | None = None,
    ) -> None:
        super().__init__((), "", time, later, observe)
        self._hears_all = hears_all
        self._wires = wires

    def carry(self, thing: str, kind: MessageKind, about: About, size: int, travel: Travel) -> bool:
        """Hold it, if it is one's who sits there."""
        wire = next((wire for seat, wire in self._wires.items() if seat.thing == thing), None)
        if wire is None:
            travel(ON_TIME, None)
            return True
        return wire.hold(kind, travel, about)

    def carry_topic(
        self, topic: str, payload: bytes, travel: Travel, client_id: str | None = None, answer: bytes = b""
    ) -> None:
        """The same by its topic; a notification of a namespace in which nobody listens is let pass."""
        found = message_on(topic)
        if found is None or not self._is_heard(topic):
            travel(ON_TIME, None)
        else:
            thing, kind, job_id = found
            self.carry(thing, kind, About.read(job_id, payload, answer), len(payload), travel)

    def _is_heard(self, topic: str) -> bool:
        hint = parse(topic)
        if not isinstance(hint, HintTopic) or self._hears_all:
            return True
        return any(seat.thing == hint.thing and seat.namespace == hint.namespace_id for seat in self._wires)


def _take(packets: list[Packet], *, twice: bool) -> Packet:
    packet = packets.pop(0)
    if twice:
        packets.insert(0, packet._replace(is_copy=True))
    return packet


def _nowhere(_delays: tuple[float, ...], _held_seconds: float | None, /, again: bool = False) -> None:
    """Who asked is gone: nobody gets the answer."""
