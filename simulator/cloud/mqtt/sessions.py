"""Who comes and goes: the session of each client id, who is connected with it, and what becomes of it without anybody.

A session that lasts waits for its client, with what comes for it meanwhile; any other ends with its connection. So does
the older of two connections of one client id, and a will is published unless its client took leave.
"""

import asyncio
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulator.cloud.contained import contained
from simulator.cloud.mqtt.packets import V5, Connect, Reason
from simulator.cloud.mqtt.session import Session
from simulator.cloud.mqtt.wills import DelayedWills, LastWill, publish_will
from simulator.cloud.refusals import Notice

if TYPE_CHECKING:
    from simulator.cloud.mqtt.connection import Connection
    from simulator.cloud.mqtt.gateway import Gateway

MOST_AWAY: Final = 100_000
"""Sessions that wait for their clients; the one that waited longest ends then. Ours: AWS says nothing of it."""


class Sessions:
    """Every session of one gateway."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self.there: dict[Session, Connection] = {}
        """Who is connected with each; those that nobody is connected with are not here."""
        self.by_client_id: dict[str, Session] = {}
        self.wills = DelayedWills()
        self._away: dict[Session, None] = {}
        """Sessions that wait for their clients, in the order in which these went."""
        self._connects: dict[str, float] = {}
        """When each client id was last let in; of the last second."""
        self._names = itertools.count(1)

    def now(self) -> float:
        """The loop's time, to the moment; ahead of it where a test is."""
        return max(self._gateway.now, asyncio.get_running_loop().time())

    # ── coming ────────────────────────────────────────────────────────────────────────────────────────────────

    def new_client_id(self) -> str:
        """A client id for one who brought none."""
        return f"assigned-{next(self._names)}"

    def is_to_be_heard(self, client_id: str) -> bool:
        """Whether something waits for its turn that a client said before: it may have taken leave in that."""
        session = self.by_client_id.get(client_id)
        connection = None if session is None else self.there.get(session)
        return connection is not None and connection.has_more

    def may_connect_again(self, client_id: str) -> bool:
        """Whether a client id is let in, or was let in too short a time ago."""
        most = self._gateway.settings.connects_per_second
        if most is None:
            return True
        now = self.now()
        last = self._connects.get(client_id)
        if last is not None and now - last < 1 / most:
            return False
        self._connects[client_id] = now
        return True

    def lasting(self, asked: int) -> int:
        """How many seconds a session outlives its connection."""
        return min(asked, self._gateway.settings.persistent_seconds)

    def join(self, connection: "Connection", client_id: str, connect: Connect) -> tuple[Session, bool]:
        """The session for a CONNECT, and whether it was there before. An older connection of that id ends."""
        gateway = self._gateway
        gateway.strangers.known(connection)
        session = self.by_client_id.get(client_id)
        if session is not None and (older := self.there.get(session)) is not None:
            _tell_taken_over(older, client_id, connection.address)
            older.refuse(Reason.SESSION_TAKEN_OVER, "DUPLICATE_CLIENTID")
            session = self.by_client_id.get(client_id)
        if session is not None and connect.clean_start:
            self._forget(session)
            session = None
        self.wills.take(client_id)
        present = session is not None
        if session is None:
            session = self.by_client_id[client_id] = Session(client_id)
        self._away.pop(session, None)
        session.version = connect.version
        session.expires_at = None
        session.largest_packet = connect.maximum_packet_size
        session.in_flight_limit = min(connect.receive_maximum, gateway.settings.receive_maximum)
        if connect.version == V5:
            session.expiry_seconds = self.lasting(connect.session_expiry or 0)
        else:
            session.expiry_seconds = 0 if connect.clean_start else gateway.settings.persistent_seconds
        self.there[session] = connection
        gateway.note(session)
        return session, present

    def joined(self, connection: "Connection", session_present: bool) -> None:
        """The CONNACK is on its way; what waited for the client follows."""
        gateway, session = self._gateway, connection.session
        assert session is not None, "it has just joined"
        gateway.service.connected(session.client_id, session_present)
        gateway.presence.connected(connection, session.client_id)
        if session_present:
            session.resume()
            connection.replay(session)
            gateway.shared.came_back(session)

    def adopt(self, session: Session) -> None:
        """Take a session on that is older than this process; its client may come back."""
        self.by_client_id[session.client_id] = session
        self._away[session] = None

    # ── going ─────────────────────────────────────────────────────────────────────────────────────────────────

    def left(self, connection: "Connection", session: Session, reason: str) -> None:
        """A connection with a session is over; its will is published, unless the client took leave."""
        if self.there.get(session) is not connection:
            return
        del self.there[session]
        self._set_aside(session)
        gateway, now, client_id = self._gateway, self.now(), session.client_id
        will = LastWill(connection.will, connection.principal) if connection.will is not None else None
        if will is not None and will.will.delay_seconds and session.expiry_seconds:
            if self.wills.put(client_id, now + will.will.delay_seconds, will):
                will = None
            else:
                why = "too many wills wait for their delay: this one is published at once"
                gateway.tell(Notice("quota", "iot:Publish", f"topic/{will.will.topic}", why, client_id))
        unacknowledged = session.take_shared() if gateway.shared.is_used else []
        if session.expiry_seconds:
            session.expires_at = now + session.expiry_seconds
            gateway.note(session)
            self._away[session] = None
            if len(self._away) > MOST_AWAY:
                self._end(next(iter(self._away)), f"{MOST_AWAY} clients are away: the session of the first ends")
        else:
            self._forget(session)
        gateway.shared.give_again(unacknowledged)
        gateway.service.disconnected(client_id, reason)
        gateway.presence.disconnected(connection, client_id, reason, now)
        if will is not None:
            publish_will(gateway, client_id, will)

    def _set_aside(self, session: Session) -> None:
        """What waits for a client that goes, and what it is owed, waits for it to come back, in that order."""
        owed = self._gateway.fan_out.take(session)
        if session.expiry_seconds:
            waiting, session.waiting = session.waiting or (), None
            for message in (*waiting, *(each.message for each in owed if each.qos)):
                session.store(message)
            if session.lost is not None:
                self._gateway.tell_lost(session)

    def _end(self, session: Session, why: str) -> None:
        unheard = session.unheard
        if unheard or len(self._away) > MOST_AWAY:
            why = f"{why}, with {unheard} messages that it never got"
            self._gateway.tell(Notice("session-over", "iot:Receive", "", why, session.client_id))
        self._forget(session)

    def _forget(self, session: Session) -> None:
        gateway = self._gateway
        gateway.fan_out.take(session)
        self._away.pop(session, None)
        gateway.leave_filters(session)
        self.by_client_id.pop(session.client_id, None)
        if gateway.memory is not None:
            gateway.memory.changed(session, is_over=True)
        # A will waits no longer than its session.
        if (last := self.wills.take(session.client_id)) is not None:
            publish_will(gateway, session.client_id, last)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ending(self, now: float) -> Iterator[None]:
        """End those that have waited for their clients long enough, one a step."""
        for session in tuple(self.by_client_id.values()):
            if session.expires_at is not None and session.expires_at <= now:
                why = f"its session ended after {session.expiry_seconds} s"
                contained("ending a session", self._end, session, why)
                yield

    def publishing_wills(self, now: float) -> Iterator[None]:
        """Publish the wills whose delay is over, one a step."""
        for client_id, last in self.wills.take_due(now):
            contained("publishing a will", publish_will, self._gateway, client_id, last)
            yield

    def forget_connects(self, now: float) -> None:
        """Who was let in a second ago may come again."""
        self._connects = {name: last for name, last in self._connects.items() if now - last < 1}


def _tell_taken_over(older: "Connection", client_id: str, address: str) -> None:
    why = f"another connection, from {address or 'nowhere'}, has the same client id; this one, the older, ends"
    hint = "if that goes on and on, two clients use one id"
    older.tell("taken-over", "iot:Connect", f"client/{client_id}", why, hint=hint)
