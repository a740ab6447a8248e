"""Retained messages: one a topic, for those who subscribe to that very topic later.

AWS: a filter with wildcards fetches none, and reserved topics have none (Developer Guide, "MQTT").
"""

from collections.abc import Iterator

from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.session import Message


class Retained:
    """So many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, tuple[Message, int]] = {}

    def keep(self, topic: str, payload: bytes, qos: int, extra: Extra, now: float) -> bool:
        """Replace what is kept on a topic; an empty payload ends that. False: there is no room."""
        if not payload:
            self._kept.pop(topic, None)
            return True
        if topic not in self._kept and len(self._kept) >= self._most:
            return False
        self._kept[topic] = Message(topic, payload, None, extra, now), qos
        return True

    def on(self, topic: str, now: float) -> tuple[Message, int] | None:
        """The message on a topic, and its QoS."""
        kept = self._kept.get(topic)
        if kept is not None and kept[0].is_expired(now):
            del self._kept[topic]
            return None
        return kept

    def all(self, now: float) -> Iterator[tuple[Message, int]]:
        """Every message that is still of use, and its QoS."""
        return (kept for kept in self._kept.values() if not kept[0].is_expired(now))
