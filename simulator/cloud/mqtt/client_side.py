"""MQTT as a client of this gateway, or of AWS's, speaks it: what it sends as bytes, and what it reads.

    connect_bytes, subscribe_bytes, PINGREQ, DISCONNECT      beside what `encode` has for both sides
    connack, suback, reason_of                               what a server answers; its messages are `codec`'s

Only what a device of a fleet needs: no will, no user, QoS 0 out and QoS 0 or 1 in. Whatever a server sends, reading it
gives a value or raises Malformed. Section numbers are those of "MQTT Version 5.0" (OASIS).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from simulator.cloud.mqtt.encode import packed, topic_bytes
from simulator.cloud.mqtt.fields import Reader
from simulator.cloud.mqtt.packets import RETURN_CODES, V5, Reason

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
SERVER_KEEP_ALIVE: Final = 0x13
FAILURE: Final = 0x80
"""From this reason code on it is none of success."""
REASONS: Final = {5: Reason.NOT_AUTHORIZED} | {code: reason for reason, code in RETURN_CODES.items()}
"""Why, by the codes of version 3.1.1: the standard's, and AWS's own."""


class ConnAck(NamedTuple):
    """CONNACK (3.2). `refused` says why the connection is; `keep_alive` is seconds, None for what was asked for."""

    session_present: bool
    refused: str | None = None
    keep_alive: int | None = None


def connect_bytes(client_id: str, version: int, clean_start: bool, keep_alive: int) -> bytes:
    """CONNECT (3.1); of a version 5 session nothing is kept when the connection ends."""
    properties = b"\0" if version == V5 else b""
    head = b"\0\4MQTT%c%c%b" % (version, 2 if clean_start else 0, keep_alive.to_bytes(2, "big"))
    return packed(0x10, head + properties + topic_bytes(client_id))


def subscribe_bytes(packet_id: int, filters: Sequence[str], qos: int, version: int) -> bytes:
    """SUBSCRIBE (3.8)."""
    properties = b"\0" if version == V5 else b""
    asked = b"".join(topic_bytes(each) + bytes((qos,)) for each in filters)
    return packed(0x82, packet_id.to_bytes(2, "big") + properties + asked)


def connack(body: bytes, version: int) -> ConnAck:
    """Read CONNACK. Raises Malformed."""
    reader = Reader(body)
    flags, code = reader.byte(), reader.byte()
    if version != V5:
        known = REASONS.get(code)
        return ConnAck(bool(flags & 1), None if not code else in_words(known) if known else f"return code {code}")
    keep_alive = reader.properties("connack").get(SERVER_KEEP_ALIVE)
    refused = in_words(code) if code >= FAILURE else None
    return ConnAck(bool(flags & 1), refused, keep_alive if isinstance(keep_alive, int) else None)


def suback(body: bytes, version: int) -> tuple[int, bytes]:
    """The identifier of a SUBACK (3.9), and its codes, one for each filter. Raises Malformed."""
    reader = Reader(body)
    packet_id = reader.number(2)
    if version == V5:
        reader.properties("ack")
    return packet_id, body[reader.position :]


def reason_of(body: bytes) -> str:
    """Why a server disconnects (3.14), in words."""
    return in_words(body[0] if body else 0)


def in_words(code: int) -> str:
    """A reason code for people."""
    try:
        return Reason(code).name.replace("_", " ").capitalize()
    except ValueError:
        return f"reason code {code:#04x}"
