"""MQTT packets as values, for 3.1.1 and 5, as far as a server of QoS 0 and 1 meets them.

Section numbers are those of "MQTT Version 5.0" (OASIS). Properties that nothing here acts on are read over.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

V311: Final = 4
V5: Final = 5


class PacketType(IntEnum):
    """Control packet types (2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Reason(IntEnum):
    """Reason codes (2.4) that the gateway uses."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    NOT_AUTHORIZED = 0x87
    SERVER_SHUTTING_DOWN = 0x8B
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97
    QOS_NOT_SUPPORTED = 0x9B
    CONNECTION_RATE_EXCEEDED = 0x9F
    MAXIMUM_CONNECT_TIME = 0xA0
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1


RETURN_CODES: Final = {
    Reason.UNSUPPORTED_PROTOCOL_VERSION: 1,
    Reason.CLIENT_IDENTIFIER_NOT_VALID: 2,
    Reason.CONNECTION_RATE_EXCEEDED: 3,
    Reason.NOT_AUTHORIZED: 7,
}
"""Version 3.1.1 codes of a refused CONNECT; AWS answers 7 where the standard has 5 (Developer Guide, "MQTT")."""


class Malformed(Exception):  # noqa: N818 - it names what the peer's bytes are
    """The peer's bytes are no packet that may come here; `reason` goes into a version 5 DISCONNECT.

    `about` is what it was about, such as `topic/a/b`, if that is known.
    """

    def __init__(self, reason: Reason, message: str, about: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.about = about


class Extra(NamedTuple):
    """What a message may carry beside its topic and payload; most carry nothing.

    `properties` are version 5's that a server hands on, encoded (3.3.2.3); `expiry_seconds` how long it is of use.
    """

    properties: bytes = b""
    expiry_seconds: int | None = None
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Will:
    """What is published for a client that goes without saying so, `delay_seconds` later."""

    topic: str
    payload: bytes
    qos: int
    extra: Extra | None = None
    delay_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT (3.1). `session_expiry` is seconds, None if not said; `maximum_packet_size` None for any size."""

    version: int
    client_id: str
    clean_start: bool
    keep_alive: int
    will: Will | None = None
    session_expiry: int | None = None
    receive_maximum: int = 65535
    maximum_packet_size: int | None = None


class Publish(NamedTuple):
    """PUBLISH (3.3). A tuple, because one is made for every message.

    Without a topic, `alias` says which one is meant; with one, `alias` is to stand for it from now on.
    """

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    dup: bool = False
    extra: Extra | None = None
    alias: int = 0


@dataclass(frozen=True, slots=True)
class PubAck:
    """PUBACK (3.4)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (3.8): filters, each with the QoS asked for and version 5's other options."""

    packet_id: int
    filters: tuple[tuple[str, int, int], ...]


NO_LOCAL: Final = 0x04
RETAIN_AS_PUBLISHED: Final = 0x08
RETAINED_IF_NEW: Final = 0x10
RETAINED_NEVER: Final = 0x20
"""Subscription options (3.8.3.1)."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE (3.10)."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PingReq:
    """PINGREQ (3.12)."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT (3.14); `session_expiry` replaces what CONNECT said."""

    reason: int = 0
    session_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server tells of itself in a version 5 CONNACK (3.2.2.3)."""

    receive_maximum: int
    maximum_packet_size: int
    topic_alias_maximum: int
    keep_alive: int
    session_expiry: int
    assigned_client_id: str | None = None


Packet: TypeAlias = Connect | Publish | PubAck | Subscribe | Unsubscribe | PingReq | Disconnect
