"""The MQTT gateway: its ports, its connections, and who gets which message. It knows MQTT, not Jobs.

    sessions   who comes and goes, and what waits for whom
    sweeping   what has to be looked at once a second

Requests on reserved topics go to a Service, whose answer goes straight to the connection that asked, subscribed or
not, exactly once, and to nobody else; what the Service publishes besides goes to the subscribers afterwards.

Of a shared subscription one member gets each message; which one, `rng` decides.
"""

import asyncio
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from simulator.cloud.mqtt.authority import Identify
from simulator.cloud.mqtt.connection import Connection
from simulator.cloud.mqtt.fan_out import AT_ONCE, MOST_OWED, FanOut, Owed
from simulator.cloud.mqtt.farewells import Farewells
from simulator.cloud.mqtt.filters import SHARED, Subscriptions
from simulator.cloud.mqtt.handshake import ByName, TlsServer
from simulator.cloud.mqtt.held import Held
from simulator.cloud.mqtt.lasting import Lasting
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.listening import Listener, Make
from simulator.cloud.mqtt.packets import NO_LOCAL, RETAIN_AS_PUBLISHED, Extra, Reason
from simulator.cloud.mqtt.presence import Presence
from simulator.cloud.mqtt.retained import Retained
from simulator.cloud.mqtt.service import Service
from simulator.cloud.mqtt.session import Message, Session
from simulator.cloud.mqtt.sessions import Sessions
from simulator.cloud.mqtt.sharing import Sharing
from simulator.cloud.mqtt.sweeping import Sweeper
from simulator.cloud.refusals import Notice, Tell, tell_nobody
from simulator.cloud.strangers import Strangers

MOST_HEARD_OUT: Final = 100
"""Connections that are lost, and of which something that came waits for its turn: half a MiB each at most, and no file
descriptor that would bound them. Of one more, the rest of what the first had said is not heard."""
CLEARED_AT_ONCE: Final = 100
"""Places in the index of subscriptions, of sessions that are over: a tenth of a millisecond."""
BACKLOG: Final = 4096
"""Connections that wait to be accepted: a whole fleet may come at once."""


@dataclass(slots=True, eq=False)
class Gateway:
    """Every connection and session of one cloud."""

    service: Service
    settings: GatewaySettings = field(default_factory=GatewaySettings)
    lateness: Callable[[str, bytes], tuple[float, ...]] | None = None
    """What a scenario wants of the network: for a message on a reserved topic, how late each copy of it arrives.

    Of an answer, the payload given is that of its request.
    """
    now: float = 0.0
    """The loop's time as of the last sweep, to a second: close enough for keep-alives, and free to read."""
    held: Held = field(default_factory=Held)
    farewells: Farewells = field(default_factory=Farewells)
    strangers: Strangers = field(default_factory=Strangers)
    memory: Lasting | None = None
    """What outlives the process is noted there; None: nothing does."""
    clock: Callable[[], float] = time.time
    """Epoch seconds; for lifecycle events."""
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    tell: Tell = tell_nobody
    """What clients did not get."""
    rng: Random = field(default_factory=lambda: Random(0))
    presence: Presence = field(init=False)
    fan_out: FanOut = field(init=False)
    shared: Sharing = field(init=False)
    sessions: Sessions = field(init=False)
    sweeper: Sweeper = field(init=False)
    takes: Callable[[str], bool] = field(init=False)
    """Whether a topic is within the limits."""
    counts: bool = field(init=False)
    """Whether messages have to be counted."""
    connections: dict[Connection, None] = field(default_factory=dict)
    """Those that are open, with a session or without one yet."""
    _subscriptions: Subscriptions[Session] = field(default_factory=Subscriptions)
    retained: Retained = field(init=False)
    _heard_out: dict[Connection, None] = field(default_factory=dict)
    """Connections that are lost, and still have something to say, in the order in which they were lost."""
    _is_clearing_up: bool = False
    """Whether the places of who went are going to be looked at."""
    _servers: list[Listener] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.takes, self.counts = self.settings.topic_check(), self.settings.has_rates
        self.fan_out = FanOut(self._give_owed, self._tell_too_much)
        self.shared = Sharing(self, self.rng)
        self.sessions, self.sweeper = Sessions(self), Sweeper(self)
        self.retained = Retained(self.settings.retained_messages)
        self.presence = Presence(
            self._tell,
            self._is_heard,
            self.clock,
            self.new_id,
            float(self.settings.persistent_seconds),
            lambda notice: self.tell(notice),
        )

    async def listen(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        identify: Identify | None = None,
        others: Mapping[str, Make] | None = None,
    ) -> int:
        """Listen on exactly that address; the port that was bound. Raises OSError.

        `others` serve clients that name another protocol in their TLS handshake.
        """
        self.start()

        def usual() -> asyncio.BaseProtocol:
            return Connection(self, identify)

        server: Listener
        if tls is None:
            server = await Listener.listen(host, port, usual, self.tell, backlog=BACKLOG)
        else:
            make: Make = usual if not others else lambda: ByName(usual, others)
            server = await TlsServer.listen(host, port, make, tls, self.tell, backlog=BACKLOG)
        server.strangers = self.strangers
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def start(self) -> None:
        """Begin to sweep."""
        self.sweeper.start()

    async def close(self) -> None:
        """Tell version 5 clients, close every connection and listener; who does not go by then is cut off."""
        self.sweeper.stop()
        for server in self._servers:
            server.close()
            await server.wait_closed()
        self.part_with(tuple(self.connections))
        await self.farewells.ended()
        self._servers.clear()

    def part_with(self, connections: Iterable[Connection]) -> None:
        """The cloud shuts down: end these."""
        for connection in connections:
            connection.refuse(Reason.SERVER_SHUTTING_DOWN, "SERVER_INITIATED_DISCONNECT")

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────

    def carry(self, topic: str, payload: bytes, act: Callable[[float, bool], None]) -> None:
        """Do what a message on a reserved topic brings about: at once, or as the faults of the network have it.

        `act` is told how late it is, and whether this copy is not the first.
        """
        for number, late in enumerate((0.0,) if self.lateness is None else self.lateness(topic, payload)):
            if late:
                asyncio.get_running_loop().call_later(late, act, late, number > 0)
            else:
                act(late, number > 0)

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 1,
        origin: Session | None = None,
        extra: Extra | None = None,
        *,
        after: int = 0,
    ) -> None:
        """Give a message to every subscriber, once, at the lower of both QoS; QoS 1 waits for persistent sessions.

        It leaves when the commit `after` is done.
        """
        if self.lateness is not None and topic[0] == "$":
            self.carry(topic, payload, lambda *_: self._publish(topic, payload, qos, origin, extra, after))
        else:
            self._publish(topic, payload, qos, origin, extra, after)

    def _publish(
        self, topic: str, payload: bytes, qos: int, origin: Session | None, extra: Extra | None, after: int
    ) -> None:
        now = extra if extra is None or not extra.retain else extra._replace(retain=False)
        found = self._subscriptions.matching(topic)
        several: dict[tuple[int, int], Owed] = {}  # one for all who get it alike
        for session, what in found.items():
            owed = several.get(what)
            if owed is None:
                carried = extra if what[1] & RETAIN_AS_PUBLISHED else now
                message = Message(topic, payload, None, carried, self.now)
                owed = several[what] = Owed(message, min(qos, what[0]), after)
            if what[1] & NO_LOCAL and session is origin:
                continue
            if len(found) <= AT_ONCE and not self.fan_out.is_owed(session):
                self._give_owed(session, owed)
            elif owed.qos or session in self.sessions.there:
                self.fan_out.owe(session, owed)
                if owed.qos:
                    self.note(session)
        if self.shared.is_used:
            self.shared.give(topic, payload, now, qos, after)

    def _give_owed(self, session: Session, owed: Owed) -> None:
        """Give a message to a session, or to the group whose queue it is."""
        message, level, after = owed
        connection = self.sessions.there.get(session)
        if connection is not None:
            connection.deliver(message.topic, message.payload, level, None, message.extra, after, shared_by_all=message)
        elif session.client_id.startswith(SHARED):
            self.shared.give_owed(session, owed)
        elif level:
            self.held.newest = max(self.held.newest, after)
            session.store(message)
            self.note(session)
            if session.lost is not None:
                self.tell_lost(session)

    def _tell_too_much(self, session: Session, owed: Owed) -> None:
        why = f"{MOST_OWED} messages that many hear are owed to it already: the oldest goes"
        resource = f"topic/{owed.message.topic}"
        self.tell(Notice("queue-full", "iot:Receive", resource, why, session.client_id))

    def connection_of(self, session: Session) -> Connection | None:
        """Who is connected with that session; None if nobody is."""
        return self.sessions.there.get(session)

    @property
    def noted(self) -> int:
        """How many changes there were of what outlives the process."""
        return 0 if self.memory is None else self.memory.noted

    def note(self, session: Session) -> None:
        """A session changed, which matters if it lasts."""
        if self.memory is not None:
            self.memory.changed(session)

    def retain(self, topic: str, payload: bytes, qos: int, extra: Extra, since: float | None = None) -> bool:
        """Keep a message for those who subscribe to its topic later; False if there is no room."""
        has_room = self.retained.keep(topic, payload, qos, extra, self.now if since is None else since)
        if self.memory is not None and has_room and since is None:
            kept = self.retained.on(topic, self.now)
            self.memory.retained(topic, kept and kept[0], qos)
        return has_room

    @property
    def no_room(self) -> str:
        """Why a message cannot be retained."""
        return self.retained.no_room

    def tell_retained(self, connection: Connection, text: str) -> None:
        """Send what is retained on a topic that was just subscribed to."""
        kept = self.retained.on(text, self.now)
        if kept is not None and connection.session is not None:
            message, qos = kept
            granted, _ = connection.session.filters[text]
            connection.deliver(text, message.payload, min(qos, granted), None, message.left(self.now))

    def _tell(self, topic: str, payload: bytes) -> None:
        self._publish(topic, payload, 1, None, None, 0)

    def _is_heard(self, topic: str) -> bool:
        return self.settings.lifecycle_events and bool(self._subscriptions.matching(topic))

    def subscribe(self, session: Session, text: str, qos: int, options: int) -> None:
        """Add a subscription to a session, or change it."""
        session.filters[text] = (qos, options)
        if text.startswith(SHARED):
            self.shared.groups.add(text, session, qos)
        else:
            self._subscriptions.add(text, session, qos, options)
        self.note(session)

    def _leave_filter(self, text: str, session: Session) -> None:
        if text.startswith(SHARED):
            self.shared.leave(text, session)
        else:
            self._subscriptions.remove(text, session)

    def leave_filters(self, session: Session) -> None:
        """A session is over, and its subscriptions with it."""
        for text in session.filters:
            if text.startswith(SHARED):
                self.shared.leave(text, session)
        if plain := [text for text in session.filters if not text.startswith(SHARED)]:
            self._subscriptions.leave(session, plain)
            if not self._is_clearing_up:  # many may go at once, each with many filters
                self._is_clearing_up = True
                self.fan_out.when_caught_up(self._clear_up)

    def _clear_up(self) -> None:
        self._is_clearing_up = False
        if self._subscriptions.clear_up(CLEARED_AT_ONCE):
            self._is_clearing_up = True
            self.fan_out.when_caught_up(self._clear_up)

    def unsubscribe(self, session: Session, text: str) -> bool:
        """Whether there was such a subscription; it is gone now."""
        if session.filters.pop(text, None) is None:
            return False
        self.fan_out.settle(session)
        self._leave_filter(text, session)
        self.note(session)
        return True

    # ── connections ───────────────────────────────────────────────────────────────────────────────────────────

    def opened(self, connection: Connection) -> None:
        """A socket is open."""
        self.connections[connection] = None
        self.strangers.came(connection, lambda: connection.end("CONNECT_TIMEOUT"))

    def hear_out(self, connection: Connection) -> None:
        """A connection is lost, and not over until all that came by it has been handled."""
        self._heard_out[connection] = None
        if len(self._heard_out) > MOST_HEARD_OUT:
            first = next(iter(self._heard_out))
            why = f"{MOST_HEARD_OUT} clients left while what they sent waits: the rest of the first's is not heard"
            first.tell("quota", "mqtt", "", why)
            first.end("CONNECTION_LOST")

    def closed(self, connection: Connection, reason: str) -> None:
        """A connection is over; `reason` is a disconnectReason of AWS's lifecycle events."""
        self._heard_out.pop(connection, None)
        if self.connections.pop(connection, 0) == 0:
            return
        self.strangers.known(connection)
        self.held.forget(connection)
        session, connection.session = connection.session, None
        if session is not None:
            self.sessions.left(connection, session, reason)

    def tell_lost(self, session: Session, principal: str = "", address: str = "") -> None:
        """Have told which messages a session had to give up."""
        for code, message, why in session.take_lost():
            self.tell(Notice(code, "iot:Receive", f"topic/{message.topic}", why, session.client_id, principal, address))

    def sweep(self, now: float) -> None:
        """Do at once what the sweeper does as of this time."""
        for _ in self.sweeper.sweeping(now):
            pass
