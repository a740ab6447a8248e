"""Once a second every connection and session is looked after: who has been silent or unwelcome too long goes, and what
it is time for is sent. With many of them that takes long, so it is done in turns between which others have theirs.
"""

from collections.abc import Iterator, Mapping

from simulator.cloud.contained import contained, contained_steps
from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.sessions import Sessions


class Sweeper:
    """`clients` are all that there are, with a session or not."""

    def __init__(self, clients: Mapping[Client, None], sessions: Sessions) -> None:
        self._clients = clients
        self._sessions = sessions
        self._context = sessions.context
        self._before = 0.0
        """When it swept last."""
        self._steps: Iterator[None] | None = None
        """Of the sweep that is under way."""

    def begin(self, now: float) -> None:
        """Sweep for a while, and go on when others have had their turn; what was not done by now comes first."""
        self._context.has_come(now)
        self._steps = self._steps or self.sweeping(now)
        self._go_on()

    def _go_on(self) -> None:
        scheduler = self._context.scheduler
        ends = scheduler.turn_ends()
        for _ in self._steps or ():
            if scheduler.stopwatch() >= ends:
                scheduler.soon(self._go_on)
                return
        self._steps = None

    def sweeping(self, now: float) -> Iterator[None]:
        """Sweep as of this time, in steps between which others may have their turn."""
        self._context.has_come(now)
        before, self._before = self._before, self._context.now
        for client in tuple(self._clients):
            if client in self._clients:
                contained("looking after a connection", self._look_after, client, before)
                yield
        sessions = self._sessions
        yield from sessions.ending(now)
        yield from contained_steps("sweeping shared subscriptions", sessions.router.sharing.sweeping())
        yield from sessions.publishing_wills(now)
        contained("sweeping presence", sessions.presence.sweep, now)
        sessions.forget_connects(now)

    def _look_after(self, client: Client, before: float) -> None:
        """`before` is when it was last looked after."""
        now, settings, session = self._context.now, self._context.settings, client.session
        if client.protocol.deadline() < now and not client.has_more:
            self._end_silent(client, now)
        elif session is None:
            return
        elif client.ends_at is not None and client.ends_at <= now:
            why = f"a connection over WebSocket lasts {settings.websocket_seconds or 0:g} s at most"
            client.tell("connection-time", "mqtt", f"client/{session.client_id}", why)
            client.refuse(Reason.MAXIMUM_CONNECT_TIME, "WEBSOCKET_TTL_EXPIRATION")
        elif client.principal is not None and not client.principal.is_welcome():
            why = "its certificate is not ACTIVE any more"
            client.tell("certificate-inactive", "mqtt", f"client/{session.client_id}", why)
            client.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
        else:
            if session.is_behind:
                client.replay(session)
            if session.in_flight:
                client.redeliver(session, before)

    def _end_silent(self, client: Client, now: float) -> None:
        if client.session is None:
            why = f"no CONNECT came for {self._context.settings.connect_limit_seconds:g} s"
            client.tell("connect-timeout", "iot:Connect", "", why)
            client.end("CONNECT_TIMEOUT")
        else:
            protocol = client.protocol
            why = f"silent for {now - protocol.last_heard:.0f} s, with a keep-alive of {protocol.keep_alive} s"
            client.tell("keep-alive", "mqtt", f"client/{client.client_id}", why)
            client.refuse(Reason.KEEP_ALIVE_TIMEOUT, "MQTT_KEEP_ALIVE_TIMEOUT")
