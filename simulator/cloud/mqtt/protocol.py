"""One MQTT connection as its server sees it, without a loop: bytes in, packets out, and the way back.

    receive, next_packet      what came, a packet at a time, so that whoever handles them may stop after any
    send, data_to_send        what goes, gathered until somebody takes it
    deadline                  when it has been silent for too long

Nobody waits for a CONNECT that the first byte says is none, and what may follow before it has come is never read.
"""

from dataclasses import dataclass, field
from typing import Final

from simulator.cloud.mqtt.codec import decode, decode_publish, frame
from simulator.cloud.mqtt.encode import connack_bytes, disconnect_bytes
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.packets import RETURN_CODES, V5, Malformed, Packet, PacketType, Publish, Reason

PUBLISH: Final = int(PacketType.PUBLISH)
"""The most frequent one, looked up the fast way."""
TLS_RECORD: Final = b"\x16\x03"
"""How TLS begins; its first half would be a CONNECT with flags that none has."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a deadline has passed: so much later than it says, a client is still not silent."""


class NotMqttError(Exception):
    """The first bytes are no CONNECT; `hint` says what else they may be, if that is known."""

    def __init__(self, hint: str | None) -> None:
        super().__init__("the first packet is no CONNECT")
        self.hint = hint


@dataclass(slots=True, eq=False)
class ServerProtocol:
    """`last_heard` is when a packet was whole, at first when it began: seconds of the clock that gives `now`."""

    settings: GatewaySettings
    last_heard: float
    version: int = V5
    is_connected: bool = False
    """Whether its CONNECT was accepted."""
    is_over: bool = False
    """Whether nothing more is read, and it is to be closed after what is to be sent."""
    keep_alive: int = 0
    """Seconds, granted with its CONNECT."""
    kind: int = 0
    """The packet type that was read last, whole or not."""
    unread: bytes = b""
    """What came and was not read from `_offset` on; it may be half a packet."""
    _offset: int = 0
    unsent: int = 0
    """Bytes that nobody has taken yet."""
    _out: list[bytes] = field(default_factory=list)
    _aliases: dict[int, str] | None = None

    # ── what comes ────────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes) -> None:
        """Take in what came, in pieces of any size."""
        if self.unread:
            data = self.unread[self._offset :] + data
        self.unread, self._offset = data, 0

    def next_packet(self, now: float) -> Packet | None:
        """The next packet; None if it has not all come. Raises Malformed, and NotMqttError before the first."""
        data, offset = self.unread, self._offset
        if not data:
            return None
        if not self.is_connected and (data[0] >> 4 != PacketType.CONNECT or data.startswith(TLS_RECORD)):
            raise NotMqttError(_looks_like(data))
        self.kind = kind = data[offset] >> 4
        found = frame(data, offset, self.settings.largest_packet)
        if found is None:
            if offset:
                self.unread, self._offset = data[offset:], 0
            return None
        first, start, end = found
        self.last_heard = now
        if end < len(data):
            self._offset = end
        else:
            self.unread, self._offset = b"", 0
        if kind == PUBLISH:
            packet = decode_publish(first & 0x0F, data, start, end, self.version)
            return self._named(packet) if packet.alias else packet
        if not self.is_connected and end - start > 6:
            self.version = data[start + 6]  # in whose words it is refused, if it is
            return decode(first, data[start:end], V5)
        return decode(first, data[start:end], self.version)

    def _named(self, packet: Publish) -> Publish:
        """With the topic that its alias stands for, or is to stand for from now on."""
        if packet.alias > self.settings.topic_alias_maximum:
            raise Malformed(Reason.TOPIC_ALIAS_INVALID, "a topic alias above the maximum")
        self._aliases = self._aliases or {}
        if packet.topic:
            if self.settings.takes(packet.topic):  # what is too long is refused, and not kept
                self._aliases[packet.alias] = packet.topic
            return packet
        if packet.alias not in self._aliases:
            raise Malformed(Reason.PROTOCOL_ERROR, "a topic alias that stands for nothing")
        return packet._replace(topic=self._aliases[packet.alias])

    def accept(self, keep_alive: int) -> None:
        """The first packet, a CONNECT, was accepted: others may follow, `keep_alive` seconds apart."""
        self.is_connected = True
        self.keep_alive = keep_alive

    def deadline(self) -> float:
        """When it will have been silent for too long."""
        if self.is_connected:
            return self.last_heard + self.keep_alive * 1.5 + LOOK_SECONDS
        return self.last_heard + self.settings.connect_limit_seconds

    # ── what goes ─────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, raw: bytes) -> None:
        """Send, in order, with whatever else there is."""
        self._out.append(raw)
        self.unsent += len(raw)

    def data_to_send(self) -> bytes:
        """What has gathered; whoever asks has it now, and sends it."""
        out = self._out
        if not out:
            return b""
        self._out, self.unsent = [], 0
        return out[0] if len(out) == 1 else b"".join(out)

    def refuse(self, reason: Reason) -> None:
        """Say why it ends, as far as its version can."""
        if self.is_connected:
            if self.version == V5:
                self.send(disconnect_bytes(reason))
        elif self.version == V5:
            self.send(connack_bytes(V5, False, reason))
        elif reason in RETURN_CODES:
            self.send(connack_bytes(self.version, False, RETURN_CODES[reason]))

    def close(self) -> None:
        """Read nothing more, not even what has come."""
        self.is_over = True
        self.unread, self._offset = b"", 0


def _looks_like(data: bytes) -> str | None:
    """What a client may have meant that did not begin with CONNECT."""
    if data.startswith((b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")):
        return "this is HTTP: it is served on the API port, on the data port, and here with x-amzn-http-ca in ALPN"
    if data.startswith(TLS_RECORD):
        return "this is TLS, and the port has none: the MQTT port with TLS is another"
    return None
