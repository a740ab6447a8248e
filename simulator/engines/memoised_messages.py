"""What messages say, remembered: a service tells a whole fleet the same, word for word.

A payload names no thing and counts time in seconds, and the devices of a group have the same client tokens. So what one
device was told is read, and the next ones that are told it look it up. Equal events are one object besides, which is
quicker to compare where steps are looked up (see `memoised_steps`).
"""

from typing import Final

from agent.incoming import Heard, heard

PREFIX: Final = "$aws/things/"
LIMIT: Final = 8192
"""So many messages are remembered; then all are forgotten: nobody is told again what the time was a minute ago."""
LONGEST: Final = 2048
"""Bytes of one: a larger one, with a large job document in it, is read by each device."""


class MemoisedMessages:
    """Reads as `heard` does, faster the second time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Heard] = {}
        """By what follows the thing in the topic, and the payload; what cannot be read is not remembered."""

    def __call__(self, thing: str, topic: str, payload: bytes) -> Heard:
        """See `agent.incoming.Reading`."""
        if not (topic.startswith(PREFIX) and topic.startswith(thing, len(PREFIX))):
            return heard(thing, topic, payload)
        said = topic[len(PREFIX) + len(thing) :], payload
        known = self._known.get(said)
        return self._learn(said, thing, topic) if known is None else known

    def _learn(self, said: tuple[str, bytes], thing: str, topic: str) -> Heard:
        _, payload = said
        event = heard(thing, topic, payload)
        if event is not None and len(payload) <= LONGEST:
            if len(self._known) >= LIMIT:
                self._known.clear()
            self._known[said] = event
        return event
