"""A journal's file in simulated flash: what was written, what is durable, and what a power cut leaves of the rest.

A file is a tuple of the pieces that were written. Devices of a fleet write the same pieces, and share them: what a
device has of its own is the tuple.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from agent.core.record import Record
from agent.records import read_record, write_record

Survival: TypeAlias = Literal["nothing", "half", "all"]
"""How much a power cut leaves of what was written and not synced yet."""
SURVIVALS: Final[tuple[Survival, ...]] = ("nothing", "half", "all")
Pieces: TypeAlias = tuple[bytes, ...]

FILE_BYTES: Final = 8 * 1024
"""To so much a journal may grow before it is written anew: two sectors of 4 KiB."""
REMEMBERED: Final = 8192
"""So many records and pieces are held at once for all devices."""
LARGEST_REMEMBERED: Final = 2048
"""Bytes of each; a larger one, with a large job document in it, is its device's own."""


class FlashFile:
    """See `agent.journal.Storage`. `instant(name)` is asked before each operation, and says whether there is power.

    An operation without power does nothing: whoever called it is gone already.
    """

    __slots__ = ("_durable", "_instant", "_name_durable", "_new", "_new_durable", "_written")

    def __init__(self, instant: Callable[[str], bool] | None = None) -> None:
        self._instant = instant
        self._written: Pieces = ()
        self._durable: Pieces = ()
        self._new: Pieces = ()
        self._new_durable: Pieces = ()
        self._name_durable: Pieces | None = None
        """What the name still leads to if the power goes before the directory is synced; None if nothing is open."""

    def read(self) -> bytes:
        """Everything."""
        return _joined(self._written)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        if self._has_power("journal write"):
            self._written = (*self._written, _shared(data))

    def sync(self) -> None:
        """Make it durable."""
        if self._has_power("journal sync"):
            self._durable = self._written
            self._has_power("journal synced")

    def truncate(self, length: int) -> None:
        """Cut the file off."""
        if length != sum(map(len, self._written)) and self._has_power("journal truncate"):
            self._written = (_joined(self._written)[:length],)

    def write_new(self, data: bytes) -> None:
        """Write a second file."""
        if self._has_power("journal write new"):
            self._new = (_shared(data),)

    def sync_new(self) -> None:
        """Make the second file durable."""
        if self._has_power("journal sync new"):
            self._new_durable = self._new

    def rename_new(self) -> None:
        """Put the second file in the place of the first."""
        if self._has_power("journal rename"):
            self._name_durable = self._durable
            self._written, self._durable = self._new, self._new_durable
            self._new = self._new_durable = ()

    def sync_directory(self) -> None:
        """Make the renaming durable."""
        if self._has_power("journal sync directory"):
            self._name_durable = None

    def set_aside(self) -> str:
        """Keep the file under another name: it is never looked at again."""
        self._written = self._durable = ()
        return "journal.damaged"

    def lose_power(self, survives: Survival = "nothing") -> None:
        """What is not durable is gone, or a part of it, or it survived by luck."""
        if self._name_durable is not None and survives == "nothing":
            self._written = self._durable = self._name_durable
        self._name_durable = None
        self._new = self._new_durable = ()
        written, durable = _joined(self._written), _joined(self._durable)
        if survives == "all":
            self._durable = self._written
        elif survives == "half" and written.startswith(durable):
            kept = len(durable) + (len(written) - len(durable)) // 2
            self._durable = (written[:kept],)
        self._written = self._durable

    def _has_power(self, name: str) -> bool:
        return self._instant is None or self._instant(name)


def _joined(pieces: Pieces) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _shared(data: bytes) -> bytes:
    """The one object for equal data."""
    return _same(data) if len(data) <= LARGEST_REMEMBERED else data


@lru_cache(maxsize=REMEMBERED)
def _same(data: bytes) -> bytes:
    return data


# ── what stands in it ─────────────────────────────────────────────────────────────────────────────────────────


def recalled(snapshot: bytes) -> Record:
    """The record in a snapshot. Raises RecordError."""
    return _recalled(snapshot) if len(snapshot) <= LARGEST_REMEMBERED else read_record(snapshot)


@lru_cache(maxsize=REMEMBERED)
def _recalled(snapshot: bytes) -> Record:
    return read_record(snapshot)


_SNAPSHOTS: dict[int, tuple[Record, bytes]] = {}
"""By the identity of a record, which is held here so that no other object can have it."""


def snapshot_of(record: Record) -> bytes:
    """A record as bytes. The devices of a fleet share records as they share states (see `engines.memoised_steps`)."""
    known = _SNAPSHOTS.get(id(record))
    if known is not None:
        return known[1]
    written = _shared(write_record(record))
    if len(written) <= LARGEST_REMEMBERED:
        if len(_SNAPSHOTS) >= REMEMBERED:
            _SNAPSHOTS.clear()
        _SNAPSHOTS[id(record)] = record, written
    return written
