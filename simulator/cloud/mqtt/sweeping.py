"""Once a second every connection and session is looked after: who has been silent or unwelcome too long goes, and what
it is time for is sent. With many of them that takes long, so it is done in turns between which others have theirs.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulator.cloud.contained import contained, contained_steps
from simulator.cloud.mqtt.fan_out import TURN_SECONDS
from simulator.cloud.mqtt.packets import Reason

if TYPE_CHECKING:
    from simulator.cloud.mqtt.connection import Connection
    from simulator.cloud.mqtt.gateway import Gateway

SWEEP_SECONDS: Final = 1.0


class Sweeper:
    """Sweeps from `start` to `stop`, whatever comes of it."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The first time is now."""
        if self._timer is None:
            self._sweep_again()

    def stop(self) -> None:
        """Not any more."""
        if self._timer is not None:
            self._timer.cancel()

    def sweeping(self, now: float) -> Iterator[None]:
        """Sweep as of this time, in steps between which others may have their turn."""
        gateway = self._gateway
        before, gateway.now = gateway.now, now
        for connection in tuple(gateway.connections):
            if connection in gateway.connections:
                contained("looking after a connection", self._look_after, connection, before)
                yield
        yield from gateway.sessions.ending(now)
        yield from contained_steps("sweeping shared subscriptions", gateway.shared.sweeping())
        yield from gateway.sessions.publishing_wills(now)
        contained("sweeping presence", gateway.presence.sweep, now)
        gateway.sessions.forget_connects(now)

    def _look_after(self, connection: "Connection", before: float) -> None:
        """`before` is when it was last looked after."""
        now, settings, session = self._gateway.now, self._gateway.settings, connection.session
        silent = now - connection.last_heard
        if session is None:
            if silent > settings.connect_limit_seconds and not connection.has_more:
                why = f"no CONNECT came for {settings.connect_limit_seconds:g} s"
                connection.tell("connect-timeout", "iot:Connect", "", why)
                connection.end("CONNECT_TIMEOUT")
        elif silent > connection.keep_alive * 1.5 + SWEEP_SECONDS and not connection.has_more:
            why = f"silent for {silent:.0f} s, with a keep-alive of {connection.keep_alive} s"
            connection.tell("keep-alive", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.KEEP_ALIVE_TIMEOUT, "MQTT_KEEP_ALIVE_TIMEOUT")
        elif connection.ends_at is not None and connection.ends_at <= now:
            why = f"a connection over WebSocket lasts {settings.websocket_seconds or 0:g} s at most"
            connection.tell("connection-time", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.MAXIMUM_CONNECT_TIME, "WEBSOCKET_TTL_EXPIRATION")
        elif connection.principal is not None and not connection.principal.is_welcome():
            why = "its certificate is not ACTIVE any more"
            connection.tell("certificate-inactive", "mqtt", f"client/{session.client_id}", why)
            connection.refuse(Reason.NOT_AUTHORIZED, "AUTH_ERROR")
        else:
            if session.is_behind:
                connection.replay(session)
            if session.in_flight:
                connection.redeliver(session, before)

    def _sweep_again(self, steps: Iterator[None] | None = None) -> None:
        """Begin to sweep, or go on with what is left of it."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_SECONDS, self._sweep_again)  # whatever comes of this
        contained("sweeping", self._sweep_on, steps or self.sweeping(loop.time()))

    def _sweep_on(self, steps: Iterator[None]) -> None:
        """Sweep for a while, and go on when others have had their turn; begin again a second after the end."""
        ends = time.perf_counter() + TURN_SECONDS
        for _ in steps:
            if time.perf_counter() >= ends:
                self.stop()
                self._timer = asyncio.get_running_loop().call_later(0, self._sweep_again, steps)
                return
