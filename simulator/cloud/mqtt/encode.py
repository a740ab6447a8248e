"""What a server sends, as bytes; what a client does that a server does not is `client_side`'s."""

from typing import Final

from simulator.cloud.mqtt.packets import V5, Extra, Offer

PINGRESP: Final = b"\xd0\x00"


def packed(first: int, body: bytes) -> bytes:
    """A packet of that first byte."""
    return bytes((first,)) + _variable(len(body)) + body


def _variable(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def topic_bytes(topic: str) -> bytes:
    """A UTF-8 string (1.5.4), such as a topic."""
    raw = topic.encode()
    return len(raw).to_bytes(2, "big") + raw


def publish_bytes(
    topic: str, payload: bytes, qos: int, packet_id: int, dup: bool, version: int, extra: Extra | None = None
) -> bytes:
    """PUBLISH."""
    head = topic_bytes(topic)
    if qos:
        head += packet_id.to_bytes(2, "big")
    first = 0x30 | qos << 1 | (8 if dup else 0)
    if extra is not None:
        first |= extra.retain
    if version == V5:
        head += b"\0" if extra is None else _message_properties(extra)
    length = len(head) + len(payload)
    if length < 0x80:
        return b"%c%c%b%b" % (first, length, head, payload)
    if length < 0x4000:
        return b"%c%c%c%b%b" % (first, length & 0x7F | 0x80, length >> 7, head, payload)
    return bytes((first,)) + _variable(length) + head + payload


def _message_properties(extra: Extra) -> bytes:
    properties = extra.properties
    if extra.expiry_seconds is not None:
        properties = b"\x02" + extra.expiry_seconds.to_bytes(4, "big") + properties
    return _variable(len(properties)) + properties


def connack_bytes(version: int, session_present: bool, code: int, offer: Offer | None = None) -> bytes:
    """CONNACK; `code` is a return code in 3.1.1, a reason code in 5."""
    body = bytes((session_present, code))
    if version == V5:
        body += _offer(offer) if offer is not None else b"\0"
    return packed(0x20, body)


def _offer(offer: Offer) -> bytes:
    properties = bytearray()
    properties += b"\x11" + offer.session_expiry.to_bytes(4, "big")
    properties += b"\x13" + offer.keep_alive.to_bytes(2, "big")
    properties += b"\x21" + offer.receive_maximum.to_bytes(2, "big")
    properties += b"\x24\x01"  # maximum QoS 1
    properties += b"\x25\x01"  # retained messages
    properties += b"\x27" + offer.maximum_packet_size.to_bytes(4, "big")
    properties += b"\x22" + offer.topic_alias_maximum.to_bytes(2, "big")
    properties += b"\x29\x00"  # no subscription identifiers
    properties += b"\x2a\x01"  # shared subscriptions
    if offer.assigned_client_id is not None:
        properties += b"\x12" + topic_bytes(offer.assigned_client_id)
    return _variable(len(properties)) + bytes(properties)


def puback_bytes(packet_id: int, version: int, reason: int = 0) -> bytes:
    """PUBACK; a reason other than success exists in version 5 only."""
    if version == V5 and reason:
        return b"\x40\x03" + packet_id.to_bytes(2, "big") + bytes((reason,))
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def suback_bytes(packet_id: int, version: int, codes: list[int]) -> bytes:
    """SUBACK; version 3.1.1 knows only one failure."""
    properties = b"\0" if version == V5 else b""
    shown = codes if version == V5 else [min(128, code) for code in codes]
    return packed(0x90, packet_id.to_bytes(2, "big") + properties + bytes(shown))


def unsuback_bytes(packet_id: int, version: int, codes: list[int]) -> bytes:
    """UNSUBACK; version 3.1.1 has no codes in it."""
    body = packet_id.to_bytes(2, "big")
    return packed(0xB0, body + b"\0" + bytes(codes) if version == V5 else body)


def disconnect_bytes(reason: int) -> bytes:
    """DISCONNECT from the server, in version 5 only."""
    return bytes((0xE0, 0x01, reason))
