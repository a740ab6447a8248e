"""A journal's file in simulated flash: what was written, what is durable, and what a power cut leaves of the rest."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

Survival: TypeAlias = Literal["nothing", "half", "all"]
"""How much a power cut leaves of what was written and not synced yet."""
SURVIVALS: Final[tuple[Survival, ...]] = ("nothing", "half", "all")


class FlashFile:
    """See `agent.journal.Storage`. `instant(name)` is asked before each operation, and says whether there is power.

    An operation without power does nothing: whoever called it is gone already.
    """

    __slots__ = ("_durable", "_instant", "_name_durable", "_new", "_new_durable", "_written")

    def __init__(self, instant: Callable[[str], bool] | None = None) -> None:
        self._instant = instant
        self._written = b""
        self._durable = b""
        self._new = b""
        self._new_durable = b""
        self._name_durable: bytes | None = None
        """What the name still leads to if the power goes before the directory is synced; None if nothing is open."""

    def read(self) -> bytes:
        """Everything."""
        return self._written

    def append(self, data: bytes) -> None:
        """Write at the end."""
        if self._has_power("journal write"):
            self._written += data

    def sync(self) -> None:
        """Make it durable."""
        if self._has_power("journal sync"):
            self._durable = self._written
            self._has_power("journal synced")

    def truncate(self, length: int) -> None:
        """Cut the file off."""
        if length != len(self._written) and self._has_power("journal truncate"):
            self._written = self._written[:length]

    def write_new(self, data: bytes) -> None:
        """Write a second file."""
        if self._has_power("journal write new"):
            self._new = data

    def sync_new(self) -> None:
        """Make the second file durable."""
        if self._has_power("journal sync new"):
            self._new_durable = self._new

    def rename_new(self) -> None:
        """Put the second file in the place of the first."""
        if self._has_power("journal rename"):
            self._name_durable = self._durable
            self._written, self._durable = self._new, self._new_durable
            self._new = self._new_durable = b""

    def sync_directory(self) -> None:
        """Make the renaming durable."""
        if self._has_power("journal sync directory"):
            self._name_durable = None

    def set_aside(self) -> None:
        """Keep the file under another name: it is never looked at again."""
        self._written = self._durable = b""

    def lose_power(self, survives: Survival = "nothing") -> None:
        """What is not durable is gone, or a part of it, or it survived by luck."""
        if self._name_durable is not None and survives == "nothing":
            self._written = self._durable = self._name_durable
        self._name_durable = None
        self._new = self._new_durable = b""
        if survives == "all":
            self._durable = self._written
        elif survives == "half" and self._written.startswith(self._durable):
            kept = len(self._durable) + (len(self._written) - len(self._durable)) // 2
            self._durable = self._written[:kept]
        self._written = self._durable

    def _has_power(self, name: str) -> bool:
        return self._instant is None or self._instant(name)
