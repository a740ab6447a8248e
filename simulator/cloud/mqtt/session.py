"""What outlives a connection: subscriptions, QoS 1 messages under way, and those that wait.

No I/O: a session says which bytes to send, and its connection sends them.
"""

from collections import deque
from typing import Final, TypeAlias

from simulator.cloud.mqtt.codec import publish_bytes

Message: TypeAlias = tuple[str, bytes, object | None]
"""Topic, payload, and the receipt to give to the service once it has been acknowledged, if any."""

MOST_QUEUED: Final = 1000
"""QoS 1 messages that wait for one client; the oldest go first."""


class Session:
    """One client id's session. `in_flight_limit` is what the client can take unacknowledged."""

    __slots__ = (
        "client_id",
        "expires_at",
        "expiry_seconds",
        "filters",
        "in_flight",
        "in_flight_limit",
        "largest_packet",
        "next_packet_id",
        "version",
        "waiting",
    )

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.version = 5
        self.filters: dict[str, tuple[int, bool]] = {}
        self.in_flight: dict[int, Message] | None = None
        self.waiting: deque[Message] | None = None
        self.in_flight_limit = 100
        self.largest_packet: int | None = None
        self.next_packet_id = 1
        self.expiry_seconds = 0
        self.expires_at: float | None = None

    def send_later(self, topic: str, payload: bytes, receipt: object | None = None) -> None:
        """Keep a QoS 1 message until it may go."""
        if self.waiting is None:
            self.waiting = deque(maxlen=MOST_QUEUED)
        self.waiting.append((topic, payload, receipt))

    def send_now(self, topic: str, payload: bytes, receipt: object | None = None) -> bytes:
        """The bytes of a QoS 1 message that goes now; nothing if it has to wait, or is too large for the client."""
        if self.in_flight is None:
            self.in_flight = {}
        if len(self.in_flight) >= self.in_flight_limit or self.waiting:
            self.send_later(topic, payload, receipt)
            return b""
        return self._send(self.in_flight, topic, payload, receipt)

    def acknowledged(self, packet_id: int) -> tuple[object | None, bytes]:
        """A PUBACK came; the receipt of the message that it is for, and the bytes of what may go now."""
        if self.in_flight is None or (message := self.in_flight.pop(packet_id, None)) is None:
            return None, b""
        return message[2], self._drain(self.in_flight)

    def resume(self) -> bytes:
        """A new connection took the session on: what was under way goes again, then what waits."""
        under_way = self.in_flight or {}
        self.in_flight = dict(under_way)
        again = b"".join(
            publish_bytes(topic, payload, 1, packet_id, True, self.version)
            for packet_id, (topic, payload, _) in under_way.items()
        )
        return again + self._drain(self.in_flight)

    def _drain(self, in_flight: dict[int, Message]) -> bytes:
        out = []
        while self.waiting and len(in_flight) < self.in_flight_limit:
            out.append(self._send(in_flight, *self.waiting.popleft()))
        return b"".join(out)

    def _send(self, in_flight: dict[int, Message], topic: str, payload: bytes, receipt: object | None) -> bytes:
        packet_id = self.next_packet_id
        while packet_id in in_flight:
            packet_id = packet_id % 65535 + 1
        raw = publish_bytes(topic, payload, 1, packet_id, False, self.version)
        if self.largest_packet is not None and len(raw) > self.largest_packet:
            return b""
        self.next_packet_id = packet_id % 65535 + 1
        in_flight[packet_id] = (topic, payload, receipt)
        return raw
