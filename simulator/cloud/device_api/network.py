"""The network that a scenario puts between devices and the service: it carries messages on, or not, or later.

Whoever carries messages, over MQTT, HTTP or as values, gives each to `carry`, and is told when it goes on: at once as a
rule; when what it waits for has happened; never. What befalls jobs comes in by `learn`.

A cut looks like a network that is dead: connections end without a word, so that wills are published and sessions that
last wait; who connects again is let in as far as TCP and TLS go, and his CONNECT is not answered, until the network is
back: then that connection is dropped, and the next one is let in. A request over HTTP ends unanswered. None of that is
the device's mistake, and `client.refused` is not told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from agent.log import get_logger
from agent.values import ErrorCode
from simulator.cloud.device_api.fault_injection import MOST_THINGS, ON_TIME, About, Faults, message_on
from simulator.cloud.device_api.holding import Holds, Later, Why
from simulator.cloud.jobs import Change
from simulator.cloud.mqtt import Peer, Travel
from simulator.cloud.settings.service import Fault, MessageKind
from simulator.trace import CloudEvent, FaultOver, FaultStruck

SIZE: Final = 256
"""Bytes that a message counts for besides its payload."""
MOST_ASKERS: Final = 2000
MOST_OF_ONE: Final = 50
"""Clients of other names than their things, and things that each asks for, which are remembered."""
_log = get_logger("ghostjob.cloud")


@dataclass(frozen=True, slots=True, eq=False)
class _Door:
    """The network of a thing, while it is cut."""

    fault: Fault
    opens_at: float
    clients: dict[str, None]
    """Ids of those whose connections were ended for that."""


class Network:
    """`time` gives seconds, `later` calls in so many of them; both are the carriers'. `observe` gets the trace."""

    def __init__(
        self,
        faults: tuple[Fault, ...],
        seed: str,
        time: Callable[[], float],
        later: Later,
        observe: Callable[[CloudEvent], object] | None = None,
    ) -> None:
        self._observe: Callable[[CloudEvent], object] = observe or (lambda event: None)
        self._faults = Faults(faults, seed, observe)
        self._time = time
        self._later = later
        self._holds = Holds(time, later, self._observe)
        self._learns = any(
            fault.do == "hold" or fault.after_deletion_of is not None or fault.after_queueing_of is not None
            for fault in faults
        )
        self._cuts = any(fault.do == "cut" for fault in faults)
        self._doors: dict[str, _Door] = {}
        """By thing."""
        self._cut_off: dict[str, str] = {}
        """Client ids whose connections were ended, with the thing that this was for."""
        self._asked: dict[str, dict[str, None]] = {}
        """By client id, the things that have other names and that it asked for."""
        self.cut: Callable[[str, Callable[[Peer], bool]], Iterable[Peer]] = lambda thing, belongs: ()
        """Ends the connections of a thing: the carriers', of MQTT or of values."""
        self.reopened: Callable[[], object] = lambda: None
        """Is called when the network of a thing is back."""
        self.thing_of: Callable[[str], str | None] = lambda certificate: None
        """The only thing that a certificate is attached to."""

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────

    def carry(self, thing: str, kind: MessageKind, about: About, size: int, travel: Travel) -> bool:
        """Let a message go on its way, perhaps later; False: it never arrives."""
        fate = self._faults.fate(thing, kind, about)
        if fate.cut is not None:
            self._cut(thing, fate.cut)
        if not fate.delays:
            return False
        if fate.hold is None and not self._holds.is_queued(thing, kind):
            travel(fate.delays, None)
        else:
            self._holds.keep(thing, kind, about.job_id, fate.hold, size + SIZE, partial(travel, fate.delays))
        return True

    def carry_topic(
        self, topic: str, payload: bytes, travel: Travel, client_id: str | None = None, answer: bytes = b""
    ) -> None:
        """The same by its topic. Of an answer, `payload` is that of its request; of a request, `client_id` sent it."""
        found = message_on(topic)
        if found is None:
            travel(ON_TIME, None)
            return
        thing, kind, job_id = found
        if self._cuts and client_id is not None and self._is_cut_off(thing, client_id):
            return
        if self._faults.concern(kind):
            self.carry(thing, kind, About.read(job_id, payload, answer), len(payload) + len(answer), travel)
        else:
            travel(ON_TIME, None)

    def refusal(self, thing: str, kind: MessageKind, about: About) -> ErrorCode | None:
        """The passing error that the service answers instead of doing what it is asked."""
        return self._faults.refusal(thing, kind, about)

    def learn(self, changes: Iterable[Change]) -> None:
        """What befell jobs."""
        if self._learns:
            for change in changes:
                if (progress := self._faults.deletions.learn(change)) is not None:
                    self._holds.learn(progress)

    # ── a network that is dead ────────────────────────────────────────────────────────────────────────────────

    def silent_for(self, thing: str) -> float:
        """For how many seconds more nothing of a thing comes through; 0: everything does."""
        door = self._doors.get(thing)
        return 0.0 if door is None else max(0.0, door.opens_at - self._time())

    def is_dead_for(self, peer: Peer) -> bool:
        """Whether it is one of those whose network is cut."""
        if not self._doors:
            return False
        its = self.thing_of(peer.certificate) if peer.certificate else None
        if peer.client_id in self._doors or its in self._doors or peer.client_id in self._cut_off:
            return True
        return any(thing in self._doors for thing in self._asked.get(peer.client_id, ()))

    def turns_away(self, peer: Peer) -> bool:
        """Whether who wants to connect is one of those; then its CONNECT is not answered."""
        is_dead = self.is_dead_for(peer)
        if is_dead:
            _log.info("connect.unanswered", client_id=peer.client_id, why="its network is cut, by a fault")
        return is_dead

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long, though no message of it struck; the trace calls that `name`."""
        self._cuts = True
        self._observe(FaultStruck(thing, name, "cut", ""))
        self._cut(thing, Fault(name=name, do="cut", messages=("notify",), seconds=seconds))

    def back(self, thing: str) -> None:
        """The network of a thing is back, though it was cut for longer."""
        if (door := self._doors.get(thing)) is not None:
            self._reopen(thing, door, "done")

    def _is_cut_off(self, thing: str, client_id: str) -> bool:
        """Note who asks for a thing; whoever comes by another name while its network is cut shows himself by that."""
        if client_id != thing:
            things = self._asked.setdefault(client_id, {})
            things[thing] = None
            for known, most in ((things, MOST_OF_ONE), (self._asked, MOST_ASKERS)):
                if len(known) > most:
                    del known[next(iter(known))]
        if thing in self._doors:
            self._end_connections(thing)
        return thing in self._doors

    def _belongs(self, peer: Peer, thing: str) -> bool:
        if peer.client_id == thing or thing in self._asked.get(peer.client_id, ()):
            return True
        if peer.certificate and self.thing_of(peer.certificate) == thing:
            return True
        return any(text.startswith(f"$aws/things/{thing}/jobs/") for text in peer.filters)

    def _end_connections(self, thing: str) -> None:
        for peer in self.cut(thing, partial(self._belongs, thing=thing)):
            self._cut_off[peer.client_id] = thing
            self._doors[thing].clients[peer.client_id] = None

    def _cut(self, thing: str, fault: Fault) -> None:
        before = self._doors.pop(thing, None)
        door = _Door(fault, self._time() + fault.lasts, {} if before is None else before.clients)
        self._doors[thing] = door
        _log.warning("network.cut", thing=thing, fault=fault.name, seconds=fault.lasts)
        self._end_connections(thing)
        self._later(fault.lasts, partial(self._reopen, thing, door, "done"))
        if len(self._doors) > MOST_THINGS:
            first, oldest = next(iter(self._doors.items()))
            self._reopen(first, oldest, "full")

    def _reopen(self, thing: str, door: _Door, why: Why) -> None:
        if self._doors.get(thing) is not door:  # it was cut again meanwhile
            return
        del self._doors[thing]
        for client_id in door.clients:
            if self._cut_off.get(client_id) == thing:
                del self._cut_off[client_id]
        _log.info("network.back", thing=thing, fault=door.fault.name)
        if door.fault.name is not None:
            self._observe(FaultOver(thing, door.fault.name, why))
        self.reopened()

    def retire(self) -> None:
        """Others count from now on: let go what is held, and everybody in."""
        self._faults = Faults((), "")  # for the answers to what is let go
        self._holds.let_all_go()
        for thing, door in tuple(self._doors.items()):
            self._reopen(thing, door, "replaced")
