"""Lifecycle events: who came, who went and why, who subscribed to what.

Source: AWS IoT Developer Guide, "Lifecycle events". Their times are milliseconds. `versionNumber` grows with each
connection of a client id, is the same for its end, and begins again once the client was away for an hour.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.cloud.mqtt.client import Client
from simulator.cloud.notices.refusals import Notice, Tell

EVENTS: Final = "$aws/events/"
MOST_GONE: Final = 65_536
"""Clients that are gone, and whose numbers are remembered; with ids of 128 bytes they take 30 MiB."""


@dataclass(slots=True)
class Presence:
    """`publish` takes topic and payload, `is_heard` says whether anybody listens on a topic; `clock` gives epoch
    seconds, `new_id` session identifiers, `forget_after` the seconds after which a client's numbers begin again; `tell`
    gets what there is to tell when they do before."""

    publish: Callable[[str, bytes], None]
    is_heard: Callable[[str], bool]
    clock: Callable[[], float]
    new_id: Callable[[], str]
    forget_after: float
    tell: Tell
    _gone: dict[str, tuple[int, float]] = field(default_factory=dict)
    """The number of each client's last connection, and when it ended; in the order of their ends."""

    def connected(self, client: Client, client_id: str) -> None:
        """A client is connected."""
        last, _ = self._gone.pop(client_id, (-1, 0.0))
        client.version_number = last + 1
        self._tell("presence/connected", client, client_id, ipAddress=client.address, numbered=True)

    def disconnected(self, client: Client, client_id: str, reason: str, now: float) -> None:
        """A client is gone; `now` is when."""
        self._gone[client_id] = (client.version_number, now)
        if len(self._gone) > MOST_GONE:
            del self._gone[next(iter(self._gone))]
            why = f"{MOST_GONE} clients are gone: versionNumber of the one that went first begins again"
            self.tell(Notice("quota", "iot:Connect", "", why))
        more = {
            "clientInitiatedDisconnect": reason == "CLIENT_INITIATED_DISCONNECT",
            "disconnectReason": reason,
        }
        self._tell("presence/disconnected", client, client_id, numbered=True, **more)

    def subscribed(self, client: Client, filters: list[str]) -> None:
        """A client has new subscriptions."""
        self._tell_filters("subscriptions/subscribed", client, filters)

    def unsubscribed(self, client: Client, filters: list[str]) -> None:
        """A client gave subscriptions up."""
        self._tell_filters("subscriptions/unsubscribed", client, filters)

    def sweep(self, now: float) -> None:
        """Forget who has been away too long."""
        while self._gone:
            client_id, (_, since) = next(iter(self._gone.items()))
            if now - since < self.forget_after:
                return
            del self._gone[client_id]

    def _tell_filters(self, kind: str, client: Client, filters: list[str]) -> None:
        if filters and client.session is not None:
            self._tell(kind, client, client.session.client_id, topics=filters)

    def _tell(self, kind: str, client: Client, client_id: str, *, numbered: bool = False, **more: Any) -> None:
        topic = f"{EVENTS}{kind}/{client_id}"
        if "+" in client_id or "#" in client_id or not self.is_heard(topic):
            return
        if client.session_identifier is None:
            client.session_identifier = self.new_id()
        event = {
            "clientId": client_id,
            "timestamp": int(self.clock() * 1000),
            "eventType": kind.rpartition("/")[2],
            "sessionIdentifier": client.session_identifier,
            "principalIdentifier": client.principal.identifier if client.principal is not None else "",
            **more,
        }
        if numbered:
            event["versionNumber"] = client.version_number
        self.publish(topic, json.dumps(event).encode())
