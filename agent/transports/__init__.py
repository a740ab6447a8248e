"""What carries a device's messages: MQTT through paho-mqtt, or through awsiotsdk."""

from typing import Protocol


class WireListener(Protocol):
    """Who is told; everything is called on the event loop."""

    def on_connected(self, session_present: bool) -> None:
        """The CONNACK and every SUBACK have come."""

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        """The connection is gone, or could not be made; the transport tries again by itself."""

    def on_message(self, topic: str, payload: bytes) -> None:
        """A message came in."""
