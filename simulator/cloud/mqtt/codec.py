"""Bytes to packets, without I/O; our own, because no kept library serves both versions on the server side.

`frame` finds one whole packet in a buffer, `decode` reads it; `encode` has the way back. Whatever a peer sends,
`decode` returns a packet or raises Malformed with the reason code that says why.
"""

from collections.abc import Sequence
from typing import Final

from simulator.cloud.mqtt.fields import (
    MAXIMUM_PACKET_SIZE,
    MESSAGE_EXPIRY,
    RECEIVE_MAXIMUM,
    SESSION_EXPIRY,
    SUBSCRIPTION_IDENTIFIER,
    TOPIC_ALIAS,
    WILL_DELAY,
    Reader,
    malformed,
    text_of,
)
from simulator.cloud.mqtt.packets import (
    V5,
    V311,
    Connect,
    Disconnect,
    Extra,
    Malformed,
    Packet,
    PacketType,
    PingReq,
    PubAck,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
    Will,
)

MOST_FILTERS: Final = 1000
"""In one packet; ours, where settings let a SUBSCRIBE have many, and for UNSUBSCRIBE, of which AWS says nothing."""


def frame(buffer: bytes | bytearray, offset: int, limit: int) -> tuple[int, int, int] | None:
    """The first byte, body start and body end of the packet at `offset`; None if it is not all there yet.

    Raises Malformed if its length is malformed, or beyond `limit` bytes.
    """
    available = len(buffer)
    if available < offset + 2:
        return None
    length, position = buffer[offset + 1], offset + 2
    if length >= 0x80:
        shift, byte, length = 0, length, 0
        while byte >= 0x80:
            if shift == 21:
                raise malformed("a remaining length of more than four bytes")
            length |= (byte & 0x7F) << shift
            shift += 7
            if position >= available:
                return None
            byte = buffer[position]
            position += 1
        length |= byte << shift
    if length > limit:
        raise Malformed(Reason.PACKET_TOO_LARGE, f"a packet of {length} bytes")
    end = position + length
    return (buffer[offset], position, end) if end <= available else None


def decode(first: int, body: bytes, version: int) -> Packet:
    """The packet of one frame. Raises Malformed."""
    kind, flags = first >> 4, first & 0x0F
    if kind == PacketType.PUBLISH:
        return decode_publish(flags, body, 0, len(body), version)
    wanted = 0x02 if kind in (PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE, PacketType.PUBREL) else 0
    if flags != wanted:
        raise malformed(f"flags {flags:#x}")
    reader = Reader(body)
    match kind:
        case PacketType.CONNECT:
            packet: Packet = _connect(reader)
        case PacketType.PUBACK:
            packet = _puback(reader, version)
        case PacketType.SUBSCRIBE:
            packet = _subscribe(reader, version)
        case PacketType.UNSUBSCRIBE:
            packet = _unsubscribe(reader, version)
        case PacketType.PINGREQ:
            packet = PingReq()
        case PacketType.DISCONNECT:
            packet = _disconnect(reader, version)
        case _:
            raise Malformed(Reason.PROTOCOL_ERROR, f"packet type {kind} does not come from a client of QoS 0 and 1")
    if not reader.is_done:
        raise malformed("bytes after the end")
    return packet


def decode_publish(flags: int, data: bytes, start: int, end: int, version: int) -> Publish:
    """A PUBLISH whose body is there in `data`; the hot path: it is read where it lies. Raises Malformed."""
    qos = (flags >> 1) & 3
    if qos > 1:
        if qos == 3:
            raise malformed("QoS 3")
        if version == V5:
            raise Malformed(Reason.QOS_NOT_SUPPORTED, "QoS 2")
    position = start + 2
    if position > end:
        raise malformed("cut off")
    position += data[start] << 8 | data[start + 1]
    if position > end:
        raise malformed("topic cut off")
    # A topic is read anew each time: to remember it would keep what any peer sends, and cost more than reading.
    try:
        topic = data[start + 2 : position].decode()
    except UnicodeDecodeError:
        raise malformed("not UTF-8") from None
    if "+" in topic or "#" in topic or "\0" in topic:
        text_of(data[start + 2 : position])
        raise Malformed(Reason.TOPIC_NAME_INVALID, f"topic {topic!r}")
    packet_id = 0
    if qos:
        position += 2
        if position > end or not (packet_id := data[position - 2] << 8 | data[position - 1]):
            raise malformed("no packet identifier")
    extra, alias = (RETAINED, 0) if flags & 1 else (None, 0)
    if version == V5:
        if position < end and data[position] == 0:
            position += 1
        else:
            position, extra, alias = _publish_properties(Reader(data, position, end), bool(flags & 1))
    if not topic and not alias:
        raise Malformed(Reason.TOPIC_NAME_INVALID, "no topic, and no alias for one")
    return Publish(topic, data[position:end], qos, packet_id, bool(flags & 8), extra, alias)


RETAINED: Final = Extra(retain=True)


def _publish_properties(reader: Reader, retain: bool) -> tuple[int, Extra | None, int]:
    """Where they end, and what they say."""
    found, handed_on = reader.properties_and_rest("publish")
    if SUBSCRIPTION_IDENTIFIER in found:
        raise Malformed(Reason.PROTOCOL_ERROR, "a subscription identifier from a client")
    alias = _number(found, TOPIC_ALIAS)
    if alias == 0:
        raise Malformed(Reason.TOPIC_ALIAS_INVALID, "topic alias 0")
    extra = Extra(handed_on, _number(found, MESSAGE_EXPIRY), retain)
    return reader.position, extra if extra != _NOTHING else None, alias or 0


_NOTHING: Final = Extra()


def _connect(reader: Reader) -> Connect:
    protocol, version = reader.string(), reader.byte()
    if protocol != "MQTT" or version not in (V311, V5):
        what = f"protocol {protocol[:20]!r} version {version}; AWS IoT speaks MQTT 3.1.1 (version 4) and 5"
        raise Malformed(Reason.UNSUPPORTED_PROTOCOL_VERSION, what)
    flags, keep_alive = reader.byte(), reader.number(2)
    if flags & 0x01:
        raise malformed("the reserved CONNECT flag")
    found = reader.properties("connect") if version == V5 else {}
    client_id = reader.string()
    will = _will(reader, flags, version)
    if flags & 0x80:
        reader.string()
    if flags & 0x40:
        if version == V311 and not flags & 0x80:
            raise malformed("a password without a user name")
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


def _will(reader: Reader, flags: int, version: int) -> Will | None:
    qos = (flags >> 3) & 3
    if not flags & 0x04:
        if flags & 0x38:
            raise malformed("will flags without a will")
        return None
    if qos == 3:
        raise malformed("a will of QoS 3")
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


def _packet_id(reader: Reader) -> int:
    packet_id = reader.number(2)
    if not packet_id:
        raise Malformed(Reason.PROTOCOL_ERROR, "packet identifier 0")
    return packet_id


def _puback(reader: Reader, version: int) -> PubAck:
    packet_id = _packet_id(reader)
    if version == V5 and not reader.is_done:
        reader.byte()
        if not reader.is_done:
            reader.properties("ack")
    return PubAck(packet_id)


def _have_room(filters: Sequence[object]) -> None:
    if len(filters) >= MOST_FILTERS:
        raise Malformed(Reason.QUOTA_EXCEEDED, f"more than {MOST_FILTERS} filters in one packet")


def _subscribe(reader: Reader, version: int) -> Subscribe:
    packet_id = _packet_id(reader)
    if version == V5 and SUBSCRIPTION_IDENTIFIER in reader.properties("subscribe"):
        raise Malformed(Reason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, "a subscription identifier")
    filters: list[tuple[str, int, int]] = []
    while not reader.is_done:
        _have_room(filters)
        text, options = reader.string(), reader.byte()
        qos = options & 0x03
        reserved = options & 0xC0 if version == V5 else options & 0xFC
        if qos == 3 or reserved or (version == V5 and options & 0x30 == 0x30):
            raise malformed(f"subscription options {options:#x}")
        filters.append((text, qos, options & 0x3C))
    if not filters:
        raise Malformed(Reason.PROTOCOL_ERROR, "a SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(reader: Reader, version: int) -> Unsubscribe:
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


def _disconnect(reader: Reader, version: int) -> Disconnect:
    if version == V311 or reader.is_done:
        return Disconnect()
    reason = reader.byte()
    if len(reader.body) == 1:
        return Disconnect(reason)
    return Disconnect(reason, _number(reader.properties("disconnect"), SESSION_EXPIRY))
