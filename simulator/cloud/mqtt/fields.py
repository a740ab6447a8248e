"""Reading the fields of one packet: numbers, text, and version 5's properties, each within its bounds.

Section numbers are those of "MQTT Version 5.0" (OASIS).
"""

from typing import Final

from simulator.cloud.mqtt.packets import Malformed, Reason

# Property identifiers (2.2.2.2) by how their value is encoded.
_BYTE: Final = frozenset({0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A})
_TWO_BYTES: Final = frozenset({0x13, 0x21, 0x22, 0x23})
_FOUR_BYTES: Final = frozenset({0x02, 0x11, 0x18, 0x27})
_STRING: Final = frozenset({0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F})
_BINARY: Final = frozenset({0x09, 0x16})
_USER_PROPERTY: Final = 0x26
SUBSCRIPTION_IDENTIFIER: Final = 0x0B
SESSION_EXPIRY: Final = 0x11
RECEIVE_MAXIMUM: Final = 0x21
MESSAGE_EXPIRY: Final = 0x02
WILL_DELAY: Final = 0x18
TOPIC_ALIAS: Final = 0x23
MAXIMUM_PACKET_SIZE: Final = 0x27

ALLOWED: Final[dict[str, frozenset[int]]] = {
    "connect": frozenset({0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27}),
    "connack": frozenset(
        {0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A}
    ),
    "will": frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26}),
    "publish": frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26}),
    "ack": frozenset({0x1F, 0x26}),
    "subscribe": frozenset({0x0B, 0x26}),
    "unsubscribe": frozenset({0x26}),
    "disconnect": frozenset({0x11, 0x1C, 0x1F, 0x26}),
}

HANDED_ON: Final = frozenset({0x01, 0x03, 0x08, 0x09, _USER_PROPERTY})
"""Of a message: payload format, content type, response topic, correlation data, and user properties in their order."""

MOST_USER_PROPERTIES: Final = 1000
"""In one packet; ours: AWS bounds their bytes, and an empty one takes five. Reading so many takes a millisecond."""


def malformed(message: str) -> Malformed:
    """To be raised for bytes that are no packet, as that says."""
    return Malformed(Reason.MALFORMED_PACKET, message)


class Reader:
    """Reads fields from one packet's body, or from what lies there up to `end`; running over that is malformed."""

    __slots__ = ("body", "end", "position")

    def __init__(self, body: bytes, start: int = 0, end: int | None = None) -> None:
        self.body = body
        self.position = start
        self.end = len(body) if end is None else end

    def byte(self) -> int:
        """The next one."""
        position = self.position
        if position >= self.end:
            raise malformed("cut off")
        self.position = position + 1
        return self.body[position]

    def number(self, size: int) -> int:
        """An integer of so many bytes."""
        start = self.position
        self.position = start + size
        if self.position > self.end:
            raise malformed("cut off")
        return int.from_bytes(self.body[start : self.position], "big")

    def binary(self) -> bytes:
        """Binary data (1.5.6)."""
        length = self.number(2)
        start = self.position
        self.position = start + length
        if self.position > self.end:
            raise malformed("cut off")
        return self.body[start : self.position]

    def string(self) -> str:
        """A UTF-8 string (1.5.4)."""
        return text_of(self.binary())

    def variable(self) -> int:
        """A variable byte integer (1.5.5)."""
        value = shift = 0
        for _ in range(4):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise malformed("a variable byte integer of more than four bytes")

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more."""
        return self.position >= self.end

    def properties(self, of: str) -> dict[int, int | bytes]:
        """Numbers and raw values by identifier (2.2.2)."""
        return self.properties_and_rest(of)[0]

    def properties_and_rest(self, of: str) -> tuple[dict[int, int | bytes], bytes]:
        """The same, and the encoded ones that are handed on with a message."""
        length = self.variable()
        end = self.position + length
        if end > self.end:
            raise malformed("properties cut off")
        found: dict[int, int | bytes] = {}
        handed_on: list[bytes] = []
        users = 0
        allowed = ALLOWED[of]
        while (start := self.position) < end:
            name = self.variable()
            if name not in allowed:
                raise malformed(f"property {name:#04x} in {of}")
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
            raise malformed("properties run over their length")
        return found, b"".join(handed_on)

    def _value(self, name: int) -> int | bytes:
        if name in _FOUR_BYTES:
            return self.number(4)
        if name in _TWO_BYTES:
            return self.number(2)
        if name in _BYTE:
            return self.byte()
        if name == SUBSCRIPTION_IDENTIFIER:
            return self.variable()
        if name == _USER_PROPERTY:
            text_of(self.binary())
        value = self.binary()
        if name in _STRING or name == _USER_PROPERTY:
            text_of(value)
        return value


def text_of(raw: bytes) -> str:
    """UTF-8 without the null character (1.5.4)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise malformed("not UTF-8") from None
    if "\0" in text:
        raise malformed("a null character")
    return text
