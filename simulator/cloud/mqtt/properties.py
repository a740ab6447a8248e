"""A message's version 5 properties as values, for whoever makes or reads a message without a packet around it.

("MQTT Version 5.0", 3.3.2.3.) How long it is of use is no property here: it goes down while the message waits.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

PAYLOAD_FORMAT: Final = 0x01
CONTENT_TYPE: Final = 0x03
RESPONSE_TOPIC: Final = 0x08
CORRELATION_DATA: Final = 0x09
USER_PROPERTY: Final = 0x26


class Properties(NamedTuple):
    """What a message may carry; None is what it does not. User properties keep their order, and may repeat."""

    is_utf8: bool | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    user: tuple[tuple[str, str], ...] = ()


def encoded(properties: Properties) -> bytes:
    """As they stand in a PUBLISH, without their length before them."""
    out = bytearray()
    if properties.is_utf8 is not None:
        out += bytes((PAYLOAD_FORMAT, properties.is_utf8))
    for kind, text in ((CONTENT_TYPE, properties.content_type), (RESPONSE_TOPIC, properties.response_topic)):
        if text is not None:
            out += bytes((kind,)) + _binary(text.encode())
    if properties.correlation_data is not None:
        out += bytes((CORRELATION_DATA,)) + _binary(properties.correlation_data)
    for name, value in properties.user:
        out += bytes((USER_PROPERTY,)) + _binary(name.encode()) + _binary(value.encode())
    return bytes(out)


def user_properties(raw: bytes) -> Iterator[tuple[str, str]]:
    """Those among encoded properties, in their order; `raw` has been checked when it came in."""
    at = 0
    while at < len(raw):
        name, at = raw[at], at + 1
        if name == PAYLOAD_FORMAT:
            at += 1
            continue
        first, at = _read(raw, at)
        if name == USER_PROPERTY:
            second, at = _read(raw, at)
            yield first.decode(), second.decode()


def _binary(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _read(raw: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
    return raw[at + 2 : end], end
