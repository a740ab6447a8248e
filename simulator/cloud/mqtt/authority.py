"""Who a connection is, and what it may do: what the gateway asks of those who know certificates and policies.

A listener without TLS asks nobody: whoever connects there may do everything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Action: TypeAlias = Literal["Connect", "Publish", "RetainPublish", "Receive", "Subscribe"]
"""Of AWS IoT's policy actions, those of MQTT; they are about a client id, topics, or a topic filter."""


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

    def is_welcome(self) -> bool:
        """Whether it may stay connected at all; asked once a second."""


class Credential(Protocol):
    """What a connection proved before it said anything."""

    def principal(self, visitor: Visitor) -> Principal:
        """Who that is, now that its client id is known."""


Identify: TypeAlias = Callable[[asyncio.Transport], Credential | None]
"""What a new connection has proven; None if it has to go."""
