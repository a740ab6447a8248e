"""What a device may ask of the gateway, and how much of it: AWS's quotas, each a setting. None means no limit.

Sources: AWS IoT Core "endpoints and quotas", Developer Guide "MQTT". What exceeding one does is told where it is done.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from simulator.cloud.mqtt.codec import MOST_FILTERS
from simulator.cloud.notices.basic_ingest import PREFIX as BASIC_INGEST
from simulator.cloud.notices.basic_ingest import counted

COUNT: Final = {"ge": 1}
ANY: Final = {"ge": 0}
BYTES: Final = {"ge": 1, "le": 268_435_455}
"""What the length of an MQTT packet can say."""
SECONDS: Final = {"gt": 0, "le": 86_400}


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Numbers of AWS's; what AWS says nothing about is marked as ours."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # they also come in as JSON

    longest_topic: int = field(default=256, metadata=COUNT)
    """Bytes of a topic or topic filter."""
    most_slashes: int = field(default=7, metadata=ANY)
    """In a topic or topic filter."""
    largest_payload: int = field(default=128 * 1024, metadata=BYTES)
    """Bytes."""
    largest_packet: int = field(default=146 * 1024, metadata=BYTES)
    """Bytes after the fixed header; the room beside the payload is ours."""
    publishes_per_second: int | None = field(default=100, metadata=COUNT)
    """That one connection may send."""
    payload_per_second: int | None = field(default=512 * 1024, metadata=COUNT)
    """Bytes of payload that one connection may send."""
    connects_per_second: int | None = field(default=1, metadata=COUNT)
    """For one client id."""
    filters_a_request: int | None = field(default=8, metadata={"ge": 1, "le": MOST_FILTERS})
    """Topic filters in one SUBSCRIBE; without a limit of its own, 1000, as in an UNSUBSCRIBE."""
    subscriptions: int | None = field(default=50, metadata=COUNT)
    """Of one connection."""
    too_many_subscriptions: Literal["refuse", "close"] = "refuse"
    """AWS may refuse what is too much, and may close the connection."""
    receive_maximum: int = field(default=100, metadata={"ge": 1, "le": 65_535})
    """Unacknowledged QoS 1 messages, each way."""
    topic_alias_maximum: int = field(default=8, metadata={"ge": 0, "le": 65_535})
    """Aliases that a version 5 client may set."""
    shortest_keep_alive: int = field(default=30, metadata={"ge": 1, "le": 65_535})
    """Seconds; a client that asks for less has this."""
    longest_keep_alive: int = field(default=1200, metadata={"ge": 1, "le": 65_535})
    """Seconds; a client that asks for more, or for none, has this."""
    persistent_seconds: int = field(default=3600, metadata={"ge": 0, "le": 4_294_967_295})
    """How long a session outlives its connection; a version 5 client may ask for less."""
    replay_per_second: int | None = field(default=10, metadata=COUNT)
    """Stored messages sent to a client that has come back."""
    redelivery_seconds: float | None = field(default=30.0, metadata=SECONDS)
    """How often a connected client gets what it does not acknowledge again; the interval is ours."""
    redelivery_limit_seconds: float = field(default=3600.0, metadata=SECONDS)
    """After which it is dropped."""
    retained_messages: int = field(default=5000, metadata=ANY)
    """How many topics may have one."""
    lifecycle_events: bool = True
    """Whether `$aws/events/presence/…` and `…/subscriptions/…` tell who connects and subscribes."""
    own_certificates: Literal["registered", "unknown"] = "registered"
    """Those that `ghostjob certs` made: registered when they first come, with a policy for their own thing alone; or
    unknown until somebody registers them, as AWS has it."""
    websocket_seconds: float | None = field(default=86_400.0, metadata=SECONDS)
    """How long a connection over WebSocket may last."""
    connect_limit_seconds: float = field(default=10.0, metadata=SECONDS)
    """How long a connection may stay without a CONNECT; the number is ours."""
    shared_groups: int | None = field(default=None, metadata=COUNT)
    """How many shared subscriptions there may be; AWS has a quota for it."""
    shared_group_members: int | None = field(default=None, metadata=COUNT)
    """How many members one may have; AWS has a quota for it."""

    def keep_alive(self, asked: int) -> int:
        """What a client gets that asks for so many seconds."""
        if not asked:
            return self.longest_keep_alive
        return min(max(asked, self.shortest_keep_alive), self.longest_keep_alive)

    def takes(self, topic: str) -> bool:
        """Whether a topic, or topic filter, is short enough and has few enough levels."""
        longest, most = self.longest_topic, self.most_slashes
        if topic.isascii() and len(topic) <= longest and topic.count("/") <= most:  # nearly every one
            return True
        if topic.startswith(BASIC_INGEST):
            topic = counted(topic)
        # A character has a byte at least.
        return len(topic) <= longest and topic.count("/") <= most and len(topic.encode()) <= longest


class PublishRate:
    """What one connection has published in a second, which begins with a message."""

    __slots__ = ("_began", "_messages", "_payload")

    def __init__(self) -> None:
        self._began = 0.0
        self._messages = 0
        self._payload = 0

    @classmethod
    def of(cls, settings: GatewaySettings) -> "PublishRate | None":
        """None if nothing has to be counted."""
        is_limited = settings.publishes_per_second is not None or settings.payload_per_second is not None
        return cls() if is_limited else None

    def is_too_much(self, size: int, now: float, settings: GatewaySettings) -> bool:
        """Count a message of `size` bytes; whether it is more than one connection may send in a second."""
        if now - self._began >= 1:
            self._began, self._messages, self._payload = now, 0, 0
        self._messages += 1
        self._payload += size
        most, most_bytes = settings.publishes_per_second, settings.payload_per_second
        return (most is not None and self._messages > most) or (most_bytes is not None and self._payload > most_bytes)


LONGEST_CLIENT_ID: Final = 128
"""Bytes."""


def is_valid_client_id(client_id: str) -> bool:
    """AWS: at most 128 bytes, and none that begins with $."""
    return len(client_id.encode()) <= LONGEST_CLIENT_ID and not client_id.startswith("$")
