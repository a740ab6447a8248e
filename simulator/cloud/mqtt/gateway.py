"""The MQTT gateway: who is connected, whose session lives, who gets which message. It knows MQTT, not Jobs.

Requests on reserved topics go to a Service, whose answer goes straight to the connection that asked, subscribed or
not, exactly once, and to nobody else; what the Service publishes besides goes to the subscribers afterwards.

Of MQTT there is no QoS 2, no retained message, no shared subscription, no subscription identifier, no topic alias and
no will delay (AWS has the last two and retained messages; they come when something needs them).
"""

import asyncio
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from simulator.cloud.mqtt.connection import Connection
from simulator.cloud.mqtt.filters import Subscriptions
from simulator.cloud.mqtt.packets import V5, Connect, Reason
from simulator.cloud.mqtt.session import Session

SWEEP_SECONDS: Final = 1.0
FOREVER: Final = 0xFFFFFFFF


class Reaction(NamedTuple):
    """What a request brings about: the answer for the asking connection, then publications for subscribers.

    `receipt` is what to give back when the answer has been delivered; None if nobody wants to know. `after` numbers
    the commit without which nothing of it may leave (see `Gateway.commit`); 0 if it has not to wait.
    """

    answer_topic: str
    answer: bytes
    publications: tuple[tuple[str, bytes], ...] = ()
    receipt: object | None = None
    after: int = 0


class Service(Protocol):
    """What stands behind the reserved topics; called on the loop, and quick."""

    def request(
        self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0
    ) -> Reaction | None:
        """A publication to a topic that begins with $; None if that topic takes none."""

    def delivered(self, receipt: object, acknowledged: bool) -> None:
        """The answer of that receipt was acknowledged, or, with QoS 0, written to its connection."""

    def connected(self, client_id: str, session_present: bool) -> None:
        """A client is connected, and goes on with its session if that was present."""

    def disconnected(self, client_id: str, reason: str) -> None:
        """A client is gone; `reason` is a disconnectReason of AWS's lifecycle events."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """largest_packet: bytes after the fixed header (AWS: a payload of 128 KB, and its topic).

    receive_maximum: unacknowledged QoS 1 messages, each way. persistent_seconds: how long a 3.1.1 session lives
    after its connection (AWS: 1 h). connect_limit_seconds: how long a connection may stay without a CONNECT.
    """

    largest_packet: int = 128 * 1024 + 512
    receive_maximum: int = 100
    persistent_seconds: int = 3600
    connect_limit_seconds: float = 10.0


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
    committed: int = 0
    """The last commit that is done, of those that what is sent may have to wait for."""
    newest: int = 0
    """The last one that anything waits for."""
    _held: dict[Connection, list[tuple[int, bytes]]] = field(default_factory=dict)
    """What waits for a commit, by connection, in order."""
    _connections: dict[Connection, None] = field(default_factory=dict)
    _by_session: dict[Session, Connection] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _subscriptions: Subscriptions[Session] = field(default_factory=Subscriptions)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _sweeper: asyncio.TimerHandle | None = None
    _names: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def listen(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen on exactly that address; the port that was bound. Raises OSError."""
        loop = asyncio.get_running_loop()
        if self._sweeper is None:
            self._sweep_again()
        server = await loop.create_server(lambda: Connection(self), host, port, ssl=tls, backlog=4096)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Tell version 5 clients, close every connection and listener."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            connection.refuse(Reason.SERVER_SHUTTING_DOWN, "SERVER_INITIATED_DISCONNECT")
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

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
        self, topic: str, payload: bytes, qos: int = 1, origin: Session | None = None, *, after: int = 0
    ) -> None:
        """Give a message to every subscriber, once, at the lower of both QoS; QoS 1 waits for persistent sessions.

        It leaves when the commit `after` is done.
        """
        if self.lateness is not None and topic[0] == "$":
            self.carry(topic, payload, lambda *_: self._publish(topic, payload, qos, origin, after))
        else:
            self._publish(topic, payload, qos, origin, after)

    def _publish(self, topic: str, payload: bytes, qos: int, origin: Session | None, after: int) -> None:
        for session, (granted, no_local) in self._subscriptions.matching(topic).items():
            if no_local and session is origin:
                continue
            connection = self._by_session.get(session)
            level = min(qos, granted)
            if connection is not None:
                connection.deliver(topic, payload, level, after=after)
            elif level:
                self.newest = max(self.newest, after)
                session.send_later(topic, payload)

    def subscribe(self, session: Session, text: str, qos: int, no_local: bool) -> None:
        """Add a subscription to a session, or change it."""
        session.filters[text] = (qos, no_local)
        self._subscriptions.add(text, session, qos, no_local)

    def unsubscribe(self, session: Session, text: str) -> bool:
        """Whether there was such a subscription; it is gone now."""
        if session.filters.pop(text, None) is None:
            return False
        self._subscriptions.remove(text, session)
        return True

    # ── commits ───────────────────────────────────────────────────────────────────────────────────────────────

    def hold(self, connection: Connection, ticket: int, raw: bytes) -> None:
        """Keep bytes for a connection until the commit `ticket`; those of one connection come in order."""
        self._held.setdefault(connection, []).append((ticket, raw))

    def commit(self, ticket: int) -> None:
        """Everything up to this commit is written down for good: what waited for it may leave."""
        self.committed = ticket
        held, self._held = self._held, {}
        for connection, parts in held.items():
            free = [raw for number, raw in parts if number <= ticket]
            if free:
                connection.let_go(b"".join(free))
            if len(free) < len(parts):
                self._held[connection] = parts[len(free) :]

    # ── connections ───────────────────────────────────────────────────────────────────────────────────────────

    def opened(self, connection: Connection) -> None:
        """A socket is open."""
        self._connections[connection] = None

    def new_client_id(self) -> str:
        """A client id for one who brought none."""
        return f"assigned-{next(self._names)}"

    def join(self, connection: Connection, client_id: str, connect: Connect) -> tuple[Session, bool]:
        """The session for a CONNECT, and whether it was there before. An older connection of that id ends."""
        session = self._sessions.get(client_id)
        if session is not None and (older := self._by_session.get(session)) is not None:
            older.refuse(Reason.SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID")
            session = self._sessions.get(client_id)
        if session is not None and connect.clean_start:
            self._forget(session)
            session = None
        present = session is not None
        if session is None:
            session = self._sessions[client_id] = Session(client_id)
        session.version = connect.version
        session.expires_at = None
        session.largest_packet = connect.maximum_packet_size
        session.in_flight_limit = min(connect.receive_maximum, self.settings.receive_maximum)
        if connect.version == V5:
            session.expiry_seconds = connect.session_expiry or 0
        else:
            session.expiry_seconds = 0 if connect.clean_start else self.settings.persistent_seconds
        self._by_session[session] = connection
        return session, present

    def joined(self, connection: Connection, session_present: bool) -> None:
        """The CONNACK is on its way."""
        if connection.session is not None:
            self.service.connected(connection.session.client_id, session_present)

    def closed(self, connection: Connection, reason: str) -> None:
        """A connection is over; its will is published, unless the client took leave."""
        if self._connections.pop(connection, 0) == 0:
            return
        self._held.pop(connection, None)
        session, connection.session = connection.session, None
        if session is None or self._by_session.get(session) is not connection:
            return
        del self._by_session[session]
        if session.expiry_seconds:
            lasts = session.expiry_seconds
            session.expires_at = None if lasts == FOREVER else asyncio.get_running_loop().time() + lasts
        else:
            self._forget(session)
        self.service.disconnected(session.client_id, reason)
        if connection.will is not None and not connection.will.topic.startswith("$"):
            self.publish(connection.will.topic, connection.will.payload, connection.will.qos)

    def _forget(self, session: Session) -> None:
        for text in session.filters:
            self._subscriptions.remove(text, session)
        self._sessions.pop(session.client_id, None)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sweep(self, now: float) -> None:
        """End what has been silent too long: one and a half keep-alives, no CONNECT, an expired session."""
        self.now = now
        for connection in tuple(self._connections):
            silent = now - connection.last_heard
            if connection.session is None:
                if silent > self.settings.connect_limit_seconds:
                    connection.end("CONNECT_TIMEOUT")
            elif connection.keep_alive and silent > connection.keep_alive * 1.5 + SWEEP_SECONDS:
                connection.refuse(Reason.KEEP_ALIVE_TIMEOUT, "MQTT_KEEP_ALIVE_TIMEOUT")
        for session in tuple(self._sessions.values()):
            if session.expires_at is not None and session.expires_at <= now:
                self._forget(session)

    def _sweep_again(self) -> None:
        loop = asyncio.get_running_loop()
        self.sweep(loop.time())
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep_again)
