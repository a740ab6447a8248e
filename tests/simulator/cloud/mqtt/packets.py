"""Packets as a client writes them, byte by byte."""

from simulator.cloud.mqtt.packets import V5

LASTING = b"\x05\x11\0\0\0\x3c"
"""CONNECT properties: a session that lasts a minute."""


def text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect(version: int = V5, flags: int = 2, properties: bytes = b"\0", rest: bytes = text("dev")) -> bytes:
    body = text("MQTT") + bytes((version, flags)) + b"\0\x3c" + (properties if version == V5 else b"") + rest
    return b"\x10" + bytes((len(body),)) + body


def publish(
    topic: str, payload: bytes = b"x", version: int = 5, *, qos: int = 0, more: bytes = b"", retain: int = 0
) -> bytes:
    """PUBLISH, with packet identifier 7; `more` are version 5's properties."""
    body = text(topic) + (b"\0\x07" if qos else b"") + (bytes((len(more),)) + more if version == V5 else b"") + payload
    return bytes((0x30 | qos << 1 | retain,)) + length(body) + body


def subscribe(*filters: str, version: int = 5, options: int = 1) -> bytes:
    """SUBSCRIBE, with packet identifier 9."""
    body = b"\0\x09" + (b"\0" if version == V5 else b"") + b"".join(text(each) + bytes((options,)) for each in filters)
    return b"\x82" + length(body) + body


def length(body: bytes) -> bytes:
    """The remaining length."""
    left, out = len(body), b""
    while True:
        left, byte = left >> 7, left & 0x7F
        out += bytes((byte | (0x80 if left else 0),))
        if not left:
            return out
