"""What is published for a client that went without taking leave, if it might have published that itself.

Not every will is due at once: version 5 clients may ask for a delay, in which they may come back.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from simulator.cloud.mqtt.authorization import Action, Principal
from simulator.cloud.mqtt.packets import Will
from simulator.cloud.mqtt.router import Router
from simulator.cloud.notices.refusals import Notice


class LastWill(NamedTuple):
    """A will, and whose policies say whether it may be published; None: no policies do."""

    will: Will
    principal: Principal | None

    def is_allowed(self) -> bool:
        """A will on a reserved topic is nobody's, and so is one that its client might not have published itself."""
        topic, extra = self.will.topic, self.will.extra
        if topic.startswith("$") or self.principal is None:
            return not topic.startswith("$")
        is_kept = extra is not None and extra.retain
        return self.principal.may("Publish", topic) and (not is_kept or self.principal.may("RetainPublish", topic))


MOST_BYTES: Final = 16 << 20
"""Of all wills that wait."""


class DelayedWills:
    """By client id, and so many bytes at most."""

    def __init__(self) -> None:
        self._bytes = 0
        self._due: dict[str, tuple[float, LastWill]] = {}

    def put(self, client_id: str, due: float, last: LastWill) -> bool:
        """Keep one until the time is `due`; False: there is no room."""
        size = _size(last)
        if self._bytes + size > MOST_BYTES:
            return False
        self.take(client_id)
        self._due[client_id] = due, last
        self._bytes += size
        return True

    def take(self, client_id: str) -> LastWill | None:
        """Take a client's back: it came back, or its session ended."""
        found = self._due.pop(client_id, None)
        if found is None:
            return None
        self._bytes -= _size(found[1])
        return found[1]

    def take_due(self, now: float) -> list[tuple[str, LastWill]]:
        """Take all whose time has come, with the ids of their clients."""
        names = [name for name, (due, _) in self._due.items() if due <= now]
        return [(name, last) for name in names if (last := self.take(name)) is not None]


def _size(last: LastWill) -> int:
    return len(last.will.topic) + len(last.will.payload) + len(last.will.extra.properties if last.will.extra else b"")


def publish_will(router: Router, client_id: str, last: LastWill) -> None:
    """Publish a client's will, or have told why that may not be."""
    will = last.will
    if not last.is_allowed() or not router.context.settings.takes(will.topic):
        _tell_will(router, client_id, last)
    else:
        kept = will.extra if will.extra is not None and will.extra.retain else None
        if kept is not None and not router.retain(will.topic, will.payload, will.qos, kept):
            why = f"its will: {router.retained.no_room}"
            router.context.tell(Notice("retained-full", "iot:RetainPublish", f"topic/{will.topic}", why, client_id))
        router.publish(will.topic, will.payload, will.qos, None, will.extra)


def _tell_will(router: Router, client_id: str, last: LastWill) -> None:
    topic, principal = last.will.topic, last.principal
    resource, identifier = f"topic/{topic}", "" if principal is None else principal.identifier
    if principal is None or topic.startswith("$") or not router.context.settings.takes(topic):
        why = "its will is on a topic that is reserved, too long or too deep"
        router.context.tell(Notice("topic", "iot:Publish", resource, why, client_id, identifier))
    else:
        action: Action = "RetainPublish" if principal.may("Publish", topic) else "Publish"
        notice = Notice("not-allowed", f"iot:{action}", resource, "", client_id, identifier)
        router.context.tell(replace(notice, explain=lambda: principal.denial(action, topic)))
