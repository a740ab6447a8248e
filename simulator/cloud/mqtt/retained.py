"""Retained messages: one a topic, for those who subscribe to that very topic later.

AWS: a filter with wildcards fetches none, and reserved topics have none (Developer Guide, "MQTT").
"""

from collections.abc import Iterator
from typing import Final

from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.session import Message

MOST_BYTES: Final = 64 << 20
"""Of all retained messages; ours, as five thousand of the largest would take 640 MiB."""


class RetainedStore:
    """So many at most, and so many bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept: dict[str, tuple[Message, int]] = {}

    def keep(self, topic: str, payload: bytes, qos: int, extra: Extra, now: float) -> bool:
        """Replace what is kept on a topic; an empty payload ends that. False: there is no room."""
        if not payload:
            self._drop(topic)
            return True
        before = self._kept.get(topic)
        size = _size(Message(topic, payload, None, extra, now)) - (0 if before is None else _size(before[0]))
        if (before is None and len(self._kept) >= self._most) or (size > 0 and self._bytes + size > MOST_BYTES):
            return False
        self._kept[topic] = Message(topic, payload, None, extra, now), qos
        self._bytes += size
        return True

    @property
    def no_room(self) -> str:
        """Why another message cannot be retained."""
        if len(self._kept) >= self._most:
            return f"{self._most} topics have a retained message, and no more may"
        return f"retained messages take {self._bytes} bytes, and no more than {MOST_BYTES} may"

    def _drop(self, topic: str) -> None:
        kept = self._kept.pop(topic, None)
        self._bytes -= 0 if kept is None else _size(kept[0])

    def on(self, topic: str, now: float) -> tuple[Message, int] | None:
        """The message on a topic, and its QoS."""
        kept = self._kept.get(topic)
        if kept is not None and kept[0].is_expired(now):
            self._drop(topic)
            return None
        return kept

    def all(self, now: float) -> Iterator[tuple[Message, int]]:
        """Every message that is still of use, and its QoS."""
        return (kept for kept in self._kept.values() if not kept[0].is_expired(now))


def _size(message: Message) -> int:
    return len(message.topic) + len(message.payload) + (0 if message.extra is None else len(message.extra.properties))
