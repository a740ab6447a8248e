"""Who comes and goes: the session of each client id, who is connected with it, and what becomes of it without anybody.

A session that lasts waits for its client, with what comes for it meanwhile; any other ends with its connection. So does
the older of two connections of one client id, and a will is published unless its client took leave.
"""

import itertools
from collections.abc import Iterator
from typing import Final

from simulator.cloud.contained import contained
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.packets import V5, Connect, Reason
from simulator.cloud.mqtt.presence import Presence
from simulator.cloud.mqtt.router import Router
from simulator.cloud.mqtt.session import Session
from simulator.cloud.mqtt.wills import DelayedWills, LastWill, publish_will
from simulator.cloud.notices.refusals import Notice

MOST_AWAY: Final = 100_000
"""Sessions that wait for their clients; the one that waited longest ends then. Ours: AWS says nothing of it."""


class Sessions:
    """Every session of one broker."""

    def __init__(self, router: Router, presence: Presence) -> None:
        self.context = router.context
        self.router = router
        self.presence = presence
        self.by_client_id: dict[str, Session] = {}
        self.wills = DelayedWills()
        self._away: dict[Session, None] = {}
        """Sessions that wait for their clients, in the order in which these went."""
        self._connects: dict[str, float] = {}
        """When each client id was last let in; of the last second."""
        self._names = itertools.count(1)

    # ── coming ────────────────────────────────────────────────────────────────────────────────────────────────

    def new_client_id(self) -> str:
        """A client id for one who brought none, and nobody's (MQTT 5, 3.2.2.3.7): who was given one comes back with it,
        to a broker that was begun anew as well.
        """
        names = (f"assigned-{number}" for number in self._names)
        return next(name for name in names if name not in self.by_client_id and name not in self._connects)

    def client(self, client_id: str) -> Client | None:
        """Who is connected with that client id."""
        session = self.by_client_id.get(client_id)
        return None if session is None else self.router.connected.get(session)

    def may_connect_again(self, client_id: str) -> bool:
        """Whether a client id is let in, or was let in too short a time ago."""
        most = self.context.settings.connects_per_second
        if most is None:
            return True
        now = self.context.now
        last = self._connects.get(client_id)
        if last is not None and now - last < 1 / most:
            return False
        self._connects[client_id] = now
        return True

    def may_come_back(self, client_id: str) -> None:
        """Its connection ended by no doing of its own: it may come again at once."""
        self._connects.pop(client_id, None)

    def expiry(self, asked: int) -> int:
        """How many seconds a session outlives its connection."""
        return min(asked, self.context.settings.persistent_seconds)

    def join(self, client: Client, client_id: str, connect: Connect) -> tuple[Session, bool]:
        """The session for a CONNECT, and whether it was there before. An older connection of that id ends."""
        self.context.strangers.known(client)
        if (older := self.client(client_id)) is not None:
            _tell_taken_over(older, client_id, client.address)
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
        self._begin(session, connect)
        self.router.connected[session] = client
        client.session = session
        self.context.note(session)
        return session, present

    def _begin(self, session: Session, connect: Connect) -> None:
        """What a CONNECT says of its session."""
        settings = self.context.settings
        session.version = connect.version
        session.expires_at = None
        session.largest_packet = connect.maximum_packet_size
        session.in_flight_limit = min(connect.receive_maximum, settings.receive_maximum)
        if connect.version == V5:
            session.expiry_seconds = self.expiry(connect.session_expiry or 0)
        else:
            session.expiry_seconds = 0 if connect.clean_start else settings.persistent_seconds

    def joined(self, client: Client, session: Session, session_present: bool) -> None:
        """The CONNACK is on its way; what waited for the client follows."""
        self.context.service.connected(session.client_id, session_present)
        self.presence.connected(client, session.client_id)
        if session_present:
            session.resume()
            client.replay(session)
            self.router.sharing.came_back(session)

    def adopt(self, session: Session) -> None:
        """Take a session on that is older than this process; its client may come back."""
        self.by_client_id[session.client_id] = session
        self._away[session] = None

    # ── going ─────────────────────────────────────────────────────────────────────────────────────────────────

    def left(self, client: Client, reason: str) -> None:
        """A connection is over; its will is published, unless the client took leave."""
        session, client.session = client.session, None
        if session is None or self.router.connected.get(session) is not client:
            return
        del self.router.connected[session]
        self._set_aside(session)
        context, sharing, client_id = self.context, self.router.sharing, session.client_id
        will = self._will_now(client, session)
        unacknowledged = session.take_shared() if sharing.groups.by_text else []
        if session.expiry_seconds:
            session.expires_at = context.now + session.expiry_seconds
            context.note(session)
            self._away[session] = None
            if len(self._away) > MOST_AWAY:
                self._end(next(iter(self._away)), f"{MOST_AWAY} clients are away: the session of the first ends")
        else:
            self._forget(session)
        sharing.give_again(unacknowledged)
        context.service.disconnected(client_id, reason)
        self.presence.disconnected(client, client_id, reason, context.now)
        if will is not None:
            publish_will(self.router, client_id, will)

    def _will_now(self, client: Client, session: Session) -> LastWill | None:
        """The will that is to be published at once; one with a delay waits for that, if there is room."""
        if client.will is None:
            return None
        will = LastWill(client.will, client.principal)
        if not will.will.delay_seconds or not session.expiry_seconds:
            return will
        if self.wills.put(session.client_id, self.context.now + will.will.delay_seconds, will):
            return None
        why = "too many wills wait for their delay: this one is published at once"
        self.context.tell(Notice("quota", "iot:Publish", f"topic/{will.will.topic}", why, session.client_id))
        return will

    def _set_aside(self, session: Session) -> None:
        """What waits for a client that goes, and what it is owed, waits for it to come back, in that order."""
        owed = self.router.fan_out.take(session)
        if session.expiry_seconds:
            waiting, session.waiting = session.waiting or (), None
            for message in (*waiting, *(each.message for each in owed if each.qos)):
                session.store(message)
            if session.lost is not None:
                self.context.tell_lost(session)

    def _end(self, session: Session, why: str) -> None:
        unheard = session.unheard
        if unheard or len(self._away) > MOST_AWAY:
            why = f"{why}, with {unheard} messages that it never got"
            self.context.tell(Notice("session-over", "iot:Receive", "", why, session.client_id))
        self._forget(session)

    def _forget(self, session: Session) -> None:
        self._away.pop(session, None)
        self.router.forget(session)
        self.by_client_id.pop(session.client_id, None)
        if self.context.persistence is not None:
            self.context.persistence.changed(session, is_over=True)
        # A will waits no longer than its session.
        if (last := self.wills.take(session.client_id)) is not None:
            publish_will(self.router, session.client_id, last)

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
            contained("publishing a will", publish_will, self.router, client_id, last)
            yield

    def forget_connects(self, now: float) -> None:
        """Who was let in a second ago may come again."""
        self._connects = {name: last for name, last in self._connects.items() if now - last < 1}


def _tell_taken_over(older: Client, client_id: str, address: str) -> None:
    why = f"another connection, from {address or 'nowhere'}, has the same client id; this one, the older, ends"
    hint = "if that goes on and on, two clients use one id"
    older.tell("taken-over", "iot:Connect", f"client/{client_id}", why, hint=hint)
