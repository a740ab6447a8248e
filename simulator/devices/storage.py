"""A journal's file in simulated flash: what was written, what is durable, and what a power cut leaves of the rest.

What stands on the disk is a value, made of the pieces that were written. Devices of a fleet write the same pieces, and
share them: what a device has of its own is the tuple. What is done to it is a value too (`Write`).
"""

from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from agent.core.record import Record
from agent.journal import Journal
from agent.record_json import read_record, write_record

Survival: TypeAlias = Literal["nothing", "half", "all"]
"""How much a power cut leaves of what was written and not synced yet."""
SURVIVALS: Final[tuple[Survival, ...]] = ("nothing", "half", "all")
Pieces: TypeAlias = tuple[bytes, ...]

FILE_BYTES: Final = 8 * 1024
"""To so much a journal may grow before it is written anew: two sectors of 4 KiB."""
REMEMBERED: Final = 2048
"""So many records and pieces are held at once for all devices. A fleet writes some hundreds of them for a job; those of
a job that is over are of no use to anybody.
"""
LARGEST_REMEMBERED: Final = 2048
"""Bytes of each; a larger one, with a large job document in it, is its device's own."""


class Disk(NamedTuple):
    """The file and the second one beside it. `name_durable` is what the name still leads to if the power goes before
    the directory is synced; None if nothing is open there.
    """

    written: Pieces = ()
    durable: Pieces = ()
    new: Pieces = ()
    new_durable: Pieces = ()
    name_durable: Pieces | None = None

    def after_power_cut(self, survives: Survival = "nothing") -> "Disk":
        """What is not durable is gone, or a part of it, or it survived by luck; what is left is durable."""
        written, durable = _joined(self.written), _joined(self.durable)
        if survives == "nothing":
            kept = self.durable if self.name_durable is None else self.name_durable
        elif survives == "half":
            half = len(durable) + (len(written) - len(durable)) // 2
            kept = (written[:half],) if written.startswith(durable) else self.durable
        else:
            kept = self.written
        return Disk(kept, kept)


EMPTY: Final = Disk()


class Write(NamedTuple):
    """One operation, before which the power may go, and the disk after it."""

    name: str
    disk: Disk


class FlashFile:
    """See `agent.journal.Storage`: the file on a disk. `disk` is as all `writes` so far have left it."""

    __slots__ = ("disk", "writes")

    def __init__(self, disk: Disk = EMPTY) -> None:
        self.disk = disk
        self.writes: list[Write] = []

    def read(self) -> bytes:
        """Everything."""
        return _joined(self.disk.written)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        self._do("write", self.disk._replace(written=(*self.disk.written, _shared(data))))

    def sync(self) -> None:
        """Make it durable; the power may go before that is known, too."""
        self._do("sync", self.disk._replace(durable=self.disk.written))
        self._do("synced", self.disk)

    def truncate(self, length: int) -> None:
        """Cut the file off."""
        if length != sum(map(len, self.disk.written)):
            self._do("truncate", self.disk._replace(written=(self.read()[:length],)))

    def write_new(self, data: bytes) -> None:
        """Write a second file."""
        self._do("write new", self.disk._replace(new=(_shared(data),)))

    def sync_new(self) -> None:
        """Make the second file durable."""
        self._do("sync new", self.disk._replace(new_durable=self.disk.new))

    def rename_new(self) -> None:
        """Put the second file in the place of the first."""
        self._do("rename", Disk(self.disk.new, self.disk.new_durable, name_durable=self.disk.durable))

    def sync_directory(self) -> None:
        """Make the renaming durable."""
        self._do("sync directory", self.disk._replace(name_durable=None))

    def set_aside(self) -> str:
        """Keep the file under another name: it is never looked at again."""
        self._do("set aside", self.disk._replace(written=(), durable=()))
        return "journal.damaged"

    def _do(self, name: str, disk: Disk) -> None:
        self.disk = disk
        self.writes.append(Write(f"journal {name}", disk))


def recall(disk: Disk) -> tuple[Disk, Record | None]:
    """What a device knows again when it boots; what is no journal is set aside. Raises JournalError, RecordError."""
    file = FlashFile(disk)
    snapshot = Journal(file).open()
    return file.disk, None if snapshot is None else recalled(snapshot)


def appended(disk: Disk, snapshot: bytes) -> tuple[Write, ...]:
    """The operations by which that becomes the newest record of a journal; none if it is already.

    Devices of a fleet write the same records, one after the other. Raises JournalError.
    """
    return _appended(disk, snapshot) if len(snapshot) <= LARGEST_REMEMBERED else _append(disk, snapshot)


def _append(disk: Disk, snapshot: bytes) -> tuple[Write, ...]:
    file = FlashFile(disk)
    journal = Journal(file, limit_bytes=FILE_BYTES)
    journal.open()
    journal.append(snapshot)
    return tuple(file.writes)


@lru_cache(maxsize=REMEMBERED)
def _appended(disk: Disk, snapshot: bytes) -> tuple[Write, ...]:
    return _append(disk, snapshot)


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
