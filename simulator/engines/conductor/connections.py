"""A conducted device's connection: it is there from when it is told to connect until it is lost, and never by itself.

Around the engine's own, a new one each time. What was sent before the power went has left the device: the connection
below ends when all of that has come to the network, where it is held.
"""

from collections.abc import Callable

from agent.core.events import Event
from agent.runner import Listener, Transport
from agent.values import Request
from simulator.engines.conductor.packets import Wire
from simulator.engines.explore.moves import GONE


class ConductedConnection:
    """One boot's (see `agent.runner.Transport`); for the engine's it is the listener. `make` gives the engine's."""

    def __init__(self, wire: Wire, make: Callable[[], Transport]) -> None:
        self._wire = wire
        self._make = make
        self._listener: Listener | None = None
        self._below: Transport | None = None
        self._is_up = False
        self.heard = 0
        """So many messages have come to the device."""

    # ── what the conductor wants ──────────────────────────────────────────────────────────────────────────────

    def connect(self) -> None:
        """Connect."""
        self._below = self._make()
        self._below.start(self)

    def lose(self) -> None:
        """The network is gone, which the device notices."""
        listener = self._listener
        self._vanish()
        if listener is not None:
            listener.on_disconnected(GONE)

    # ── what a runner uses ────────────────────────────────────────────────────────────────────────────────────

    def start(self, listener: Listener) -> None:
        """Be ready to connect."""
        self._listener = listener

    def send(self, request: Request) -> None:
        """Send, or drop while disconnected."""
        if self._is_up and self._below is not None:
            self._wire.on_their_way += 1
            self._below.send(request)

    def cut(self) -> None:
        """Vanish."""
        self._listener = None
        self._vanish()

    def interrupt(self, seconds: float) -> None:
        """A conducted device has no outages of its own."""

    async def stop(self) -> None:
        """Disconnect in good order."""
        self._listener, self._is_up = None, False
        if self._below is not None:
            await self._below.stop()

    def _vanish(self) -> None:
        below, self._below, self._is_up = self._below, None, False
        self._wire.lose_link()
        if below is None:
            return
        if self._wire.on_their_way:
            self._wire.all_have_come = below.cut
        else:
            below.cut()

    # ── what the engine's tells ───────────────────────────────────────────────────────────────────────────────

    def on_connected(self, session_present: bool) -> None:
        """On line."""
        if self._listener is not None:
            self._is_up = self._wire.is_linked = True
            self._listener.on_connected(session_present)
            self._wire.changed()

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        """Off line, which nobody told it to be: the device learns why, and what was expected is not seen."""
        listener = self._listener
        if self._below is not None and listener is not None:
            self._vanish()
            listener.on_disconnected(reason, again_seconds)

    def on_message(self, topic: str, payload: bytes) -> None:
        """A message has come."""
        if self._listener is not None and self._is_up:
            self._listener.on_message(topic, payload)
            self._has_heard()

    def feed(self, event: Event) -> None:
        """What a message says has come."""
        if self._listener is not None and self._is_up:
            self._listener.feed(event)
            self._has_heard()

    def _has_heard(self) -> None:
        self.heard += 1
        self._wire.changed()
