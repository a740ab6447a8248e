"""What may not leave yet: bytes that tell of something that is not written down for good.

Commits are numbered. A connection waits for the newest one that what it has to say depends on, and says everything in
order; nobody waits for anybody else.
"""

from typing import Protocol

from simulator.cloud.contained import contained


class Waiting(Protocol):
    """A connection, as far as it waits."""

    def let_go(self, raw: bytes) -> None:
        """Write what was held back until now."""


class Held:
    """`committed` is the last commit that is done, `newest` the last one that anything waits for."""

    __slots__ = ("_parts", "committed", "newest")

    def __init__(self) -> None:
        self.committed = 0
        self.newest = 0
        self._parts: dict[Waiting, list[tuple[int, bytes]]] = {}

    def hold(self, connection: Waiting, ticket: int, raw: bytes) -> None:
        """Keep bytes for a connection until the commit `ticket`; those of one connection come in order."""
        self._parts.setdefault(connection, []).append((ticket, raw))

    def forget(self, connection: Waiting) -> None:
        """A connection is over, and what it was to hear with it."""
        self._parts.pop(connection, None)

    def commit(self, ticket: int) -> None:
        """Everything up to this commit is written down for good: what waited for it may leave."""
        self.committed = ticket
        held, self._parts = self._parts, {}
        for connection, parts in held.items():
            free = [raw for number, raw in parts if number <= ticket]
            if len(free) < len(parts):
                self._parts[connection] = parts[len(free) :]
            if free:
                contained("letting go what waited", connection.let_go, b"".join(free))
