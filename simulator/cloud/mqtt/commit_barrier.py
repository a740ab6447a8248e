"""What may not leave yet: bytes that tell of something that is not written down for good.

Commits are numbered. A connection waits for the newest one that what it has to say depends on, and says everything in
order; nobody waits for anybody else.
"""

from typing import Protocol

from simulator.cloud.contained import contained


class WaitingConnection(Protocol):
    """A connection, as far as it waits."""

    def let_go(self, raw: bytes) -> None:
        """Write what was held back until now."""


class CommitBarrier:
    """`committed` is the last commit that is done, `newest` the last one that anything waits for."""

    __slots__ = ("_parts", "committed", "newest")

    def __init__(self) -> None:
        self.committed = 0
        self.newest = 0
        self._parts: dict[WaitingConnection, list[tuple[int, bytearray]]] = {}

    def hold(self, connection: WaitingConnection, commit: int, raw: bytes) -> None:
        """Keep bytes for a connection until that commit; those of one connection come in order."""
        parts = self._parts.setdefault(connection, [])
        if parts and parts[-1][0] == commit:
            parts[-1][1].extend(raw)
        else:
            parts.append((commit, bytearray(raw)))

    def forget(self, connection: WaitingConnection) -> None:
        """A connection is over, and what it was to hear with it."""
        self._parts.pop(connection, None)

    def commit(self, number: int) -> None:
        """Everything up to this commit is written down for good: what waited for it may leave."""
        self.committed = number
        held, self._parts = self._parts, {}
        for connection, parts in held.items():
            if parts[-1][0] > number:
                self._parts[connection] = [part for part in parts if part[0] > number]
                parts = parts[: -len(self._parts[connection])]
            if parts:
                raw = bytes(parts[0][1]) if len(parts) == 1 else b"".join([raw for _, raw in parts])
                contained("letting go what waited", connection.let_go, raw)
