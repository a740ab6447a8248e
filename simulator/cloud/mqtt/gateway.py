"""The MQTT gateway: who is connected, whose session lives, who gets which message. It knows MQTT, not Jobs.

Requests on reserved topics go to a Service, whose answer goes straight to the connection that asked, subscribed or
not, exactly once, and to nobody else; what the Service publishes besides goes to the subscribers afterwards.

Of a shared subscription one member gets each message; which one, `rng` decides.
"""

import asyncio
import itertools
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from simulator.cloud.contained import contained, contained_steps
from simulator.cloud.mqtt.authority import Action, Identify
from simulator.cloud.mqtt.connection import Connection
from simulator.cloud.mqtt.fan_out import AT_ONCE, MOST_OWED, TURN_SECONDS, FanOut, Owed
from simulator.cloud.mqtt.farewells import Farewells
from simulator.cloud.mqtt.filters import SHARED, Subscriptions
from simulator.cloud.mqtt.handshake import ByName, TlsServer
from simulator.cloud.mqtt.held import Held
from simulator.cloud.mqtt.lasting import Lasting
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.listening import Listener, Make
from simulator.cloud.mqtt.packets import NO_LOCAL, RETAIN_AS_PUBLISHED, V5, Connect, Extra, Reason
from simulator.cloud.mqtt.presence import Presence
from simulator.cloud.mqtt.retained import Retained
from simulator.cloud.mqtt.service import Service
from simulator.cloud.mqtt.session import Message, Session
from simulator.cloud.mqtt.sharing import Sharing
from simulator.cloud.mqtt.wills import DelayedWills, LastWill
from simulator.cloud.refusals import Notice, Tell, tell_nobody
from simulator.cloud.strangers import Strangers

SWEEP_SECONDS: Final = 1.0
MOST_AWAY: Final = 100_000
"""Sessions that wait for their clients; the one that waited longest ends then. Ours: AWS says nothing of it."""
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
    takes: Callable[[str], bool] = field(init=False)
    """Whether a topic is within the limits."""
    counts: bool = field(init=False)
    """Whether messages have to be counted."""
    _connections: dict[Connection, None] = field(default_factory=dict)
    _by_session: dict[Session, Connection] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _subscriptions: Subscriptions[Session] = field(default_factory=Subscriptions)
    retained: Retained = field(init=False)
    _wills: DelayedWills = field(default_factory=DelayedWills)
    _is_clearing_up: bool = False
    """Whether the places of who went are going to be looked at."""
    _heard_out: dict[Connection, None] = field(default_factory=dict)
    """Connections that are lost, and still have something to say, in the order in which they were lost."""
    _away: dict[Session, None] = field(default_factory=dict)
    """Sessions that wait for their clients, in the order in which these went."""
    _connects: dict[str, float] = field(default_factory=dict)
    """When each client id was last let in; of the last second."""
    _servers: list[Listener] = field(default_factory=list)
    _sweeper: asyncio.TimerHandle | None = None
    _names: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.takes, self.counts = self.settings.topic_check(), self.settings.has_rates
        self.fan_out = FanOut(self._give_owed, self._tell_too_much)
        self.shared = Sharing(self, self.rng)
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
        if self._sweeper is None:
            self._sweep_again()

    async def close(self) -> None:
        """Tell version 5 clients, close every connection and listener; who does not go by then is cut off."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            server.close()
            await server.wait_closed()
        self.part_with(tuple(self._connections))
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
            elif owed.qos or session in self._by_session:
                self.fan_out.owe(session, owed)
                if owed.qos:
                    self.note(session)
        if self.shared.is_used:
            self.shared.give(topic, payload, now, qos, after)

    def _give_owed(self, session: Session, owed: Owed) -> None:
        """Give a message to a session, or to the group whose queue it is."""
        message, level, after = owed
        connection = self._by_session.get(session)
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
        return self._by_session.get(session)

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

    def _leave_filters(self, session: Session) -> None:
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
        self._connections[connection] = None
        self.strangers.came(connection, lambda: connection.end("CONNECT_TIMEOUT"))

    def new_client_id(self) -> str:
        """A client id for one who brought none."""
        return f"assigned-{next(self._names)}"

    def is_to_be_heard(self, client_id: str) -> bool:
        """Whether something waits for its turn that a client said before: it may have taken leave in that."""
        session = self._sessions.get(client_id)
        connection = None if session is None else self._by_session.get(session)
        return connection is not None and connection.has_more

    def may_connect_again(self, client_id: str) -> bool:
        """Whether a client id is let in, or was let in too short a time ago."""
        most = self.settings.connects_per_second
        if most is None:
            return True
        now = self._time()
        last = self._connects.get(client_id)
        if last is not None and now - last < 1 / most:
            return False
        self._connects[client_id] = now
        return True

    def lasting(self, asked: int) -> int:
        """How many seconds a session outlives its connection."""
        return min(asked, self.settings.persistent_seconds)

    def join(self, connection: Connection, client_id: str, connect: Connect) -> tuple[Session, bool]:
        """The session for a CONNECT, and whether it was there before. An older connection of that id ends."""
        self.strangers.known(connection)
        session = self._sessions.get(client_id)
        if session is not None and (older := self._by_session.get(session)) is not None:
            self._tell_taken_over(older, client_id, connection.address)
            older.refuse(Reason.SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID")
            session = self._sessions.get(client_id)
        if session is not None and connect.clean_start:
            self._forget(session)
            session = None
        self._wills.take(client_id)
        present = session is not None
        if session is None:
            session = self._sessions[client_id] = Session(client_id)
        self._away.pop(session, None)
        session.version = connect.version
        session.expires_at = None
        session.largest_packet = connect.maximum_packet_size
        session.in_flight_limit = min(connect.receive_maximum, self.settings.receive_maximum)
        if connect.version == V5:
            session.expiry_seconds = self.lasting(connect.session_expiry or 0)
        else:
            session.expiry_seconds = 0 if connect.clean_start else self.settings.persistent_seconds
        self._by_session[session] = connection
        self.note(session)
        return session, present

    def adopt(self, session: Session) -> None:
        """Take a session on that is older than this process; its client may come back."""
        self._sessions[session.client_id] = session
        self._away[session] = None

    def joined(self, connection: Connection, session_present: bool) -> None:
        """The CONNACK is on its way; what waited for the client follows."""
        session = connection.session
        assert session is not None, "it has just joined"
        self.service.connected(session.client_id, session_present)
        self.presence.connected(connection, session.client_id)
        if session_present:
            session.resume()
            self._replay(connection, session)
            self.shared.came_back(session)

    def hear_out(self, connection: Connection) -> None:
        """A connection is lost, and not over until all that came by it has been handled."""
        self._heard_out[connection] = None
        if len(self._heard_out) > MOST_HEARD_OUT:
            first = next(iter(self._heard_out))
            why = f"{MOST_HEARD_OUT} clients left while what they sent waits: the rest of the first's is not heard"
            first.tell("quota", "mqtt", "", why)
            first.end("CONNECTION_LOST")

    def closed(self, connection: Connection, reason: str) -> None:
        """A connection is over; its will is published, unless the client took leave."""
        self._heard_out.pop(connection, None)
        if self._connections.pop(connection, 0) == 0:
            return
        self.strangers.known(connection)
        self.held.forget(connection)
        session, connection.session = connection.session, None
        if session is None or self._by_session.get(session) is not connection:
            return
        del self._by_session[session]
        self._set_aside(session)
        now, client_id = self._time(), session.client_id
        will = LastWill(connection.will, connection.principal) if connection.will is not None else None
        if will is not None and will.will.delay_seconds and session.expiry_seconds:
            if self._wills.put(client_id, now + will.will.delay_seconds, will):
                will = None
            else:
                why = "too many wills wait for their delay: this one is published at once"
                self.tell(Notice("quota", "iot:Publish", f"topic/{will.will.topic}", why, client_id))
        unacknowledged = session.take_shared() if self.shared.is_used else []
        if session.expiry_seconds:
            session.expires_at = now + session.expiry_seconds
            self.note(session)
            self._away[session] = None
            if len(self._away) > MOST_AWAY:
                self._end_session(
                    next(iter(self._away)), f"{MOST_AWAY} clients are away: the session of the first ends"
                )
        else:
            self._forget(session)
        self.shared.give_again(unacknowledged)
        self.service.disconnected(client_id, reason)
        self.presence.disconnected(connection, client_id, reason, now)
        if will is not None:
            self._publish_will(client_id, will)

    def _end_session(self, session: Session, why: str) -> None:
        unheard = session.unheard
        if unheard or len(self._away) > MOST_AWAY:
            why = f"{why}, with {unheard} messages that it never got"
            self.tell(Notice("session-over", "iot:Receive", "", why, session.client_id))
        self._forget(session)

    def _set_aside(self, session: Session) -> None:
        """What waits for a client that goes, and what it is owed, waits for it to come back, in that order."""
        owed = self.fan_out.take(session)
        if session.expiry_seconds:
            waiting, session.waiting = session.waiting or (), None
            for message in (*waiting, *(each.message for each in owed if each.qos)):
                session.store(message)
            if session.lost is not None:
                self.tell_lost(session)

    def _tell_will(self, client_id: str, last: LastWill) -> None:
        topic, principal = last.will.topic, last.principal
        resource, identifier = f"topic/{topic}", "" if principal is None else principal.identifier
        if principal is None or topic.startswith("$") or not self.takes(topic):
            why = "its will is on a topic that is reserved, too long or too deep"
            self.tell(Notice("topic", "iot:Publish", resource, why, client_id, identifier))
        else:
            action: Action = "RetainPublish" if principal.may("Publish", topic) else "Publish"
            notice = Notice("not-allowed", f"iot:{action}", resource, "", client_id, identifier)
            self.tell(replace(notice, explain=lambda: principal.denial(action, topic)))

    def _publish_will(self, client_id: str, last: LastWill) -> None:
        will = last.will
        if not last.is_allowed() or not self.takes(will.topic):
            self._tell_will(client_id, last)
        else:
            kept = will.extra if will.extra is not None and will.extra.retain else None
            if kept is not None and not self.retain(will.topic, will.payload, will.qos, kept):
                why = f"its will: {self.no_room}"
                self.tell(Notice("retained-full", "iot:RetainPublish", f"topic/{will.topic}", why, client_id))
            self.publish(will.topic, will.payload, will.qos, None, will.extra)

    def _forget(self, session: Session) -> None:
        self.fan_out.take(session)
        self._away.pop(session, None)
        self._leave_filters(session)
        self._sessions.pop(session.client_id, None)
        if self.memory is not None:
            self.memory.changed(session, is_over=True)
        # A will waits no longer than its session.
        if (last := self._wills.take(session.client_id)) is not None:
            self._publish_will(session.client_id, last)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def tell_lost(self, session: Session, principal: str = "", address: str = "") -> None:
        """Have told which messages a session had to give up."""
        for code, message, why in session.take_lost():
            self.tell(Notice(code, "iot:Receive", f"topic/{message.topic}", why, session.client_id, principal, address))

    def _tell_taken_over(self, older: Connection, client_id: str, address: str) -> None:
        why = f"another connection, from {address or 'nowhere'}, has the same client id; this one, the older, ends"
        hint = "if that goes on and on, two clients use one id"
        older.tell("taken-over", "iot:Connect", f"client/{client_id}", why, hint=hint)

    def sweep(self, now: float) -> None:
        """Once a second: end what has been silent or unwelcome too long, and send what it is time for."""
        for _ in self._sweeping(now):
            pass

    def _sweeping(self, now: float) -> Iterator[None]:
        """The same, in steps between which others may have their turn."""
        before, self.now = self.now, now
        for connection in tuple(self._connections):
            if connection in self._connections:
                contained("looking after a connection", self._look_after, connection, before)
                yield
        for session in tuple(self._sessions.values()):
            if session.expires_at is not None and session.expires_at <= now:
                why = f"its session ended after {session.expiry_seconds} s"
                contained("ending a session", self._end_session, session, why)
                yield
        yield from contained_steps("sweeping shared subscriptions", self.shared.sweeping())
        for client_id, last in self._wills.take_due(now):
            contained("publishing a will", self._publish_will, client_id, last)
            yield
        contained("sweeping presence", self.presence.sweep, now)
        self._connects = {name: last for name, last in self._connects.items() if now - last < 1}

    def _time(self) -> float:
        """The loop's time, to the moment; ahead of it where a test is."""
        return max(self.now, asyncio.get_running_loop().time())

    def _look_after(self, connection: Connection, before: float) -> None:
        """`before` is when it was last looked after."""
        session, silent = connection.session, self.now - connection.last_heard
        if session is None:
            if silent > self.settings.connect_limit_seconds and not connection.has_more:
                why = f"no CONNECT came for {self.settings.connect_limit_seconds:g} s"
                connection.tell("connect-timeout", "iot:Connect", "", why)
                connection.end("CONNECT_TIMEOUT")
        elif silent > connection.keep_alive * 1.5 + SWEEP_SECONDS and not connection.has_more:
            why = f"silent for {silent:.0f} s, with a keep-alive of {connection.keep_alive} s"
            connection.tell("keep-alive", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.KEEP_ALIVE_TIMEOUT, "MQTT_KEEP_ALIVE_TIMEOUT")
        elif connection.ends_at is not None and connection.ends_at <= self.now:
            why = f"a connection over WebSocket lasts {self.settings.websocket_seconds or 0:g} s at most"
            connection.tell("connection-time", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.MAXIMUM_CONNECT_TIME, "WEBSOCKET_TTL_EXPIRATION")
        elif connection.principal is not None and not connection.principal.is_welcome():
            why = "its certificate is not ACTIVE any more"
            connection.tell("certificate-inactive", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
        else:
            if session.is_behind:
                self._replay(connection, session)
            if session.in_flight:
                self._redeliver(connection, session, before)

    def _replay(self, connection: Connection, session: Session) -> None:
        raw = session.replay(self.now, self.settings.replay_per_second, connection.room)
        self.note(session)
        connection.tell_lost(session)
        if raw:
            connection.wait_for(self.held.newest)
            connection.send(raw)

    def _redeliver(self, connection: Connection, session: Session, before: float) -> None:
        every = self.settings.redelivery_seconds
        if every is not None:
            due = every if connection.has_left else None
            raw = session.redeliver(before, self.now, due, self.settings.redelivery_limit_seconds, connection.room)
            self.note(session)
            connection.tell_lost(session)
            if raw:
                connection.send(raw)

    def _sweep_again(self, steps: Iterator[None] | None = None) -> None:
        """Begin to sweep, or go on with what is left of it."""
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep_again)  # whatever comes of this
        contained("sweeping", self._sweep_on, steps or self._sweeping(loop.time()))

    def _sweep_on(self, steps: Iterator[None]) -> None:
        """Sweep for a while, and go on when others have had their turn; begin again a second after the end."""
        ends = time.perf_counter() + TURN_SECONDS
        for _ in steps:
            if time.perf_counter() >= ends:
                if self._sweeper is not None:
                    self._sweeper.cancel()
                self._sweeper = asyncio.get_running_loop().call_later(0, self._sweep_again, steps)
                return
