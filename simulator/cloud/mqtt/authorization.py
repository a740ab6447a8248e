"""Who a connection is, and what it may do: what the gateway asks of those who know certificates and policies.

A listener without TLS asks nobody: whoever connects there may do everything.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from simulator.cloud.notices.refusals import Denial

Action: TypeAlias = Literal["Connect", "Publish", "RetainPublish", "Receive", "Subscribe"]
"""Of AWS IoT's policy actions, those of MQTT; they are about a client id, topics, or a topic filter."""

RESOURCES: Final[dict[Action, str]] = {
    "Connect": "client",
    "Publish": "topic",
    "RetainPublish": "topic",
    "Receive": "topic",
    "Subscribe": "topicfilter",
}
"""The kind of resource that each action is about, as it stands in ARNs."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a CONNECT says of who wants in. `address` is the peer's IP address."""

    client_id: str
    address: str
    is_persistent: bool
    will_topic: str | None


class Principal(Protocol):
    """Somebody who is connected."""

    @property
    def identifier(self) -> str:
        """As lifecycle events have it: of a certificate its id."""

    def may(self, action: Action, name: str) -> bool:
        """Whether policies allow it; asked for every message, so quick."""

    def denial(self, action: Action, name: str) -> Denial:
        """Why policies do not allow it; asked only for what they do not."""

    def is_welcome(self) -> bool:
        """Whether it may stay connected at all; asked once a second."""


class Credential(Protocol):
    """What a connection proved before it said anything."""

    @property
    def identifier(self) -> str:
        """As its principal's."""

    def principal(self, visitor: Visitor) -> Principal:
        """Who that is, now that its client id is known."""
