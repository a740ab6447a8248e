"""Bytes to packets, without I/O; our own, because no kept library serves both versions on the server side.

`frame` finds one whole packet in a buffer, `decode` reads it; `encode` has the way back. Whatever a peer sends,
`decode` returns a packet or raises Malformed with the reason code that says why.
"""

from collections.abc import Sequence
from typing import Final

from simulator.cloud.mqtt.packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    Extra,
    Kind,
    Malformed,
    Packet,
    PingReq,
    PubAck,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
    Will,
)

# Property identifiers (2.2.2.2) by how their value is encoded.
_BYTE: Final = frozenset({0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A})
_TWO_BYTES: Final = frozenset({0x13, 0x21, 0x22, 0x23})
_FOUR_BYTES: Final = frozenset({0x02, 0x11, 0x18, 0x27})
_STRING: Final = frozenset({0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F})
_BINARY: Final = frozenset({0x09, 0x16})
_USER_PROPERTY: Final = 0x26
_SUBSCRIPTION_IDENTIFIER: Final = 0x0B
SESSION_EXPIRY: Final = 0x11
RECEIVE_MAXIMUM: Final = 0x21
MESSAGE_EXPIRY: Final = 0x02
WILL_DELAY: Final = 0x18
TOPIC_ALIAS: Final = 0x23
MAXIMUM_PACKET_SIZE: Final = 0x27

ALLOWED: Final[dict[str, frozenset[int]]] = {
    "connect": frozenset({0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27}),
    "will": frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26}),
    "publish": frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26}),
    "ack": frozenset({0x1F, 0x26}),
    "subscribe": frozenset({0x0B, 0x26}),
    "unsubscribe": frozenset({0x26}),
    "disconnect": frozenset({0x11, 0x1C, 0x1F, 0x26}),
}

HANDED_ON: Final = frozenset({0x01, 0x03, 0x08, 0x09, _USER_PROPERTY})
"""Of a message: payload format, content type, response topic, correlation data, and user properties in their order."""

MOST_FILTERS: Final = 1000
"""In one packet; ours, where settings let a SUBSCRIBE have many, and for UNSUBSCRIBE, of which AWS says nothing."""
MOST_USER_PROPERTIES: Final = 1000
"""In one packet; ours: AWS bounds their bytes, and an empty one takes five. Reading so many takes a millisecond."""


def _malformed(message: str) -> Malformed:
    return Malformed(Reason.MALFORMED_PACKET, message)


def frame(buffer: bytes | bytearray, offset: int, limit: int) -> tuple[int, int, int] | None:
    """The first byte, body start and body end of the packet at `offset`; None if it is not all there yet.

    Raises Malformed if its length is malformed, or beyond `limit` bytes.
    """
    available = len(buffer)
    if available < offset + 2:
        return None
    length, shift, position = 0, 0, offset + 1
    while True:
        if position >= available:
            return None
        byte = buffer[position]
        length |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            break
        shift += 7
        if shift > 21:
            raise _malformed("a remaining length of more than four bytes")
    if length > limit:
        raise Malformed(Reason.PACKET_TOO_LARGE, f"a packet of {length} bytes")
    end = position + length
    return (buffer[offset], position, end) if end <= available else None


class _Reader:
    """Reads fields from one packet's body; running over its end is malformed."""

    __slots__ = ("body", "end", "position")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.position = 0
        self.end = len(body)

    def byte(self) -> int:
        position = self.position
        if position >= self.end:
            raise _malformed("cut off")
        self.position = position + 1
        return self.body[position]

    def number(self, size: int) -> int:
        start = self.position
        self.position = start + size
        if self.position > self.end:
            raise _malformed("cut off")
        return int.from_bytes(self.body[start : self.position], "big")

    def binary(self) -> bytes:
        length = self.number(2)
        start = self.position
        self.position = start + length
        if self.position > self.end:
            raise _malformed("cut off")
        return self.body[start : self.position]

    def string(self) -> str:
        return _text(self.binary())

    def variable(self) -> int:
        value = shift = 0
        for _ in range(4):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise _malformed("a variable byte integer of more than four bytes")

    def rest(self) -> bytes:
        start, self.position = self.position, self.end
        return self.body[start:]

    @property
    def is_done(self) -> bool:
        return self.position >= self.end

    def properties(self, of: str) -> dict[int, int | bytes]:
        """Numbers and raw values by identifier (2.2.2)."""
        return self.properties_and_rest(of)[0]

    def properties_and_rest(self, of: str) -> tuple[dict[int, int | bytes], bytes]:
        """The same, and the encoded ones that are handed on with a message."""
        length = self.variable()
        end = self.position + length
        if end > self.end:
            raise _malformed("properties cut off")
        found: dict[int, int | bytes] = {}
        handed_on: list[bytes] = []
        users = 0
        allowed = ALLOWED[of]
        while (start := self.position) < end:
            name = self.variable()
            if name not in allowed:
                raise _malformed(f"property {name:#04x} in {of}")
            if name in found:
                raise Malformed(Reason.PROTOCOL_ERROR, f"property {name:#04x} twice")
            value = self._value(name)
            if name != _USER_PROPERTY:
                found[name] = value
            elif (users := users + 1) > MOST_USER_PROPERTIES:
                what = f"more than {MOST_USER_PROPERTIES} user properties in {of}"
                raise Malformed(Reason.QUOTA_EXCEEDED, what)
            if name in HANDED_ON:
                handed_on.append(self.body[start : self.position])
        if self.position != end:
            raise _malformed("properties run over their length")
        return found, b"".join(handed_on)

    def _value(self, name: int) -> int | bytes:
        if name in _FOUR_BYTES:
            return self.number(4)
        if name in _TWO_BYTES:
            return self.number(2)
        if name in _BYTE:
            return self.byte()
        if name == _SUBSCRIPTION_IDENTIFIER:
            return self.variable()
        if name == _USER_PROPERTY:
            _text(self.binary())
        value = self.binary()
        if name in _STRING or name == _USER_PROPERTY:
            _text(value)
        return value


def _text(raw: bytes) -> str:
    """UTF-8 without the null character (1.5.4)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _malformed("not UTF-8") from None
    if "\0" in text:
        raise _malformed("a null character")
    return text


def _topic(raw: bytes) -> str:
    """A topic to publish to. An empty one needs an alias.

    Read anew each time: to remember it would keep what any peer sends, and cost more than reading.
    """
    try:
        topic = raw.decode()
    except UnicodeDecodeError:
        raise _malformed("not UTF-8") from None
    if "\0" in topic or "+" in topic or "#" in topic:
        _text(raw)
        raise Malformed(Reason.TOPIC_NAME_INVALID, f"topic {topic!r}")
    return topic


def decode(first: int, body: bytes, version: int) -> Packet:
    """The packet of one frame. Raises Malformed."""
    kind, flags = first >> 4, first & 0x0F
    if kind == Kind.PUBLISH:
        return decode_publish(flags, body, version)
    wanted = 0x02 if kind in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.PUBREL) else 0
    if flags != wanted:
        raise _malformed(f"flags {flags:#x}")
    reader = _Reader(body)
    match kind:
        case Kind.CONNECT:
            packet: Packet = _connect(reader)
        case Kind.PUBACK:
            packet = _puback(reader, version)
        case Kind.SUBSCRIBE:
            packet = _subscribe(reader, version)
        case Kind.UNSUBSCRIBE:
            packet = _unsubscribe(reader, version)
        case Kind.PINGREQ:
            packet = PingReq()
        case Kind.DISCONNECT:
            packet = _disconnect(reader, version)
        case _:
            raise Malformed(Reason.PROTOCOL_ERROR, f"packet type {kind} does not come from a client of QoS 0 and 1")
    if not reader.is_done:
        raise _malformed("bytes after the end")
    return packet


def decode_publish(flags: int, body: bytes, version: int) -> Publish:
    """A PUBLISH; the hot path. Raises Malformed."""
    qos = (flags >> 1) & 3
    if qos == 3:
        raise _malformed("QoS 3")
    if qos == 2 and version == V5:
        raise Malformed(Reason.QOS_NOT_SUPPORTED, "QoS 2")
    if len(body) < 2:
        raise _malformed("cut off")
    position = 2 + (body[0] << 8 | body[1])
    if position > len(body):
        raise _malformed("topic cut off")
    topic = _topic(body[2:position])
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(body[position : position + 2], "big")
        position += 2
        if not packet_id or position > len(body):
            raise _malformed("no packet identifier")
    extra, alias = (RETAINED, 0) if flags & 1 else (None, 0)
    if version == V5:
        if position < len(body) and body[position] == 0:
            position += 1
        else:
            position, extra, alias = _publish_properties(body, position, bool(flags & 1))
    if not topic and not alias:
        raise Malformed(Reason.TOPIC_NAME_INVALID, "no topic, and no alias for one")
    return Publish(topic, body[position:], qos, packet_id, bool(flags & 8), extra, alias)


RETAINED: Final = Extra(retain=True)


def _publish_properties(body: bytes, position: int, retain: bool) -> tuple[int, Extra | None, int]:
    reader = _Reader(body)
    reader.position = position
    found, handed_on = reader.properties_and_rest("publish")
    if _SUBSCRIPTION_IDENTIFIER in found:
        raise Malformed(Reason.PROTOCOL_ERROR, "a subscription identifier from a client")
    alias = _number(found, TOPIC_ALIAS)
    if alias == 0:
        raise Malformed(Reason.TOPIC_ALIAS_INVALID, "topic alias 0")
    extra = Extra(handed_on, _number(found, MESSAGE_EXPIRY), retain)
    return reader.position, extra if extra != _NOTHING else None, alias or 0


_NOTHING: Final = Extra()


def _connect(reader: _Reader) -> Connect:
    protocol, version = reader.string(), reader.byte()
    if protocol != "MQTT" or version not in (V311, V5):
        what = f"protocol {protocol[:20]!r} version {version}; AWS IoT speaks MQTT 3.1.1 (version 4) and 5"
        raise Malformed(Reason.UNSUPPORTED_PROTOCOL_VERSION, what)
    flags, keep_alive = reader.byte(), reader.number(2)
    if flags & 0x01:
        raise _malformed("the reserved CONNECT flag")
    found = reader.properties("connect") if version == V5 else {}
    client_id = reader.string()
    will = _will(reader, flags, version)
    if flags & 0x80:
        reader.string()
    if flags & 0x40:
        if version == V311 and not flags & 0x80:
            raise _malformed("a password without a user name")
        reader.binary()
    receive_maximum, size = _number(found, RECEIVE_MAXIMUM), _number(found, MAXIMUM_PACKET_SIZE)
    if receive_maximum == 0 or size == 0:
        raise Malformed(Reason.PROTOCOL_ERROR, "a maximum of 0")
    return Connect(
        version,
        client_id,
        bool(flags & 0x02),
        keep_alive,
        will,
        _number(found, SESSION_EXPIRY),
        receive_maximum or 65535,
        size,
    )


def _will(reader: _Reader, flags: int, version: int) -> Will | None:
    qos = (flags >> 3) & 3
    if not flags & 0x04:
        if flags & 0x38:
            raise _malformed("will flags without a will")
        return None
    if qos == 3:
        raise _malformed("a will of QoS 3")
    if qos == 2:
        raise Malformed(Reason.QOS_NOT_SUPPORTED, "a will of QoS 2")
    found, handed_on = reader.properties_and_rest("will") if version == V5 else ({}, b"")
    topic = reader.string()
    if not topic or "+" in topic or "#" in topic:
        raise Malformed(Reason.TOPIC_NAME_INVALID, f"will topic {topic!r}")
    extra = Extra(handed_on, _number(found, MESSAGE_EXPIRY), bool(flags & 0x20))
    return Will(topic, reader.binary(), qos, extra if extra != _NOTHING else None, _number(found, WILL_DELAY) or 0)


def _number(found: dict[int, int | bytes], name: int) -> int | None:
    value = found.get(name)
    return value if isinstance(value, int) else None


def _packet_id(reader: _Reader) -> int:
    packet_id = reader.number(2)
    if not packet_id:
        raise Malformed(Reason.PROTOCOL_ERROR, "packet identifier 0")
    return packet_id


def _puback(reader: _Reader, version: int) -> PubAck:
    packet_id = _packet_id(reader)
    if version == V5 and not reader.is_done:
        reader.byte()
        if not reader.is_done:
            reader.properties("ack")
    return PubAck(packet_id)


def _have_room(filters: Sequence[object]) -> None:
    if len(filters) >= MOST_FILTERS:
        raise Malformed(Reason.QUOTA_EXCEEDED, f"more than {MOST_FILTERS} filters in one packet")


def _subscribe(reader: _Reader, version: int) -> Subscribe:
    packet_id = _packet_id(reader)
    if version == V5 and _SUBSCRIPTION_IDENTIFIER in reader.properties("subscribe"):
        raise Malformed(Reason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, "a subscription identifier")
    filters: list[tuple[str, int, int]] = []
    while not reader.is_done:
        _have_room(filters)
        text, options = reader.string(), reader.byte()
        qos = options & 0x03
        reserved = options & 0xC0 if version == V5 else options & 0xFC
        if qos == 3 or reserved or (version == V5 and options & 0x30 == 0x30):
            raise _malformed(f"subscription options {options:#x}")
        filters.append((text, qos, options & 0x3C))
    if not filters:
        raise Malformed(Reason.PROTOCOL_ERROR, "a SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(reader: _Reader, version: int) -> Unsubscribe:
    packet_id = _packet_id(reader)
    if version == V5:
        reader.properties("unsubscribe")
    filters: list[str] = []
    while not reader.is_done:
        _have_room(filters)
        filters.append(reader.string())
    if not filters:
        raise Malformed(Reason.PROTOCOL_ERROR, "an UNSUBSCRIBE without a filter")
    return Unsubscribe(packet_id, tuple(filters))


def _disconnect(reader: _Reader, version: int) -> Disconnect:
    if version == V311 or reader.is_done:
        return Disconnect()
    reason = reader.byte()
    if len(reader.body) == 1:
        return Disconnect(reason)
    return Disconnect(reason, _number(reader.properties("disconnect"), SESSION_EXPIRY))
