"""Wills that are not due at once: version 5 clients may ask for a delay, in which they may come back."""

from typing import NamedTuple

from simulator.cloud.mqtt.authority import Principal
from simulator.cloud.mqtt.packets import Will


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


class DelayedWills:
    """By client id."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, LastWill]] = {}

    def put(self, client_id: str, due: float, last: LastWill) -> None:
        """Keep one until the loop's time is `due`."""
        self._due[client_id] = due, last

    def take(self, client_id: str) -> LastWill | None:
        """Take a client's back: it came back, or its session ended."""
        found = self._due.pop(client_id, None)
        return None if found is None else found[1]

    def take_due(self, now: float) -> list[tuple[str, LastWill]]:
        """Take all whose time has come, with the ids of their clients."""
        names = [name for name, (due, _) in self._due.items() if due <= now]
        return [(name, self._due.pop(name)[1]) for name in names]
