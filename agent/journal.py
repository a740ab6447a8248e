"""The journal: what a device must know again after a power cut, in one append-only file.

    ghostjob-journal 1.0\\n                                        the header: a name, and the version of the format
    length (4 bytes)  CRC-32 of the payload (4 bytes)  payload    a record; both numbers big-endian
    …

Each record is a whole snapshot, so the newest whole one is all that counts: what is not whole is passed over, be it
the torn tail of a power cut, the zeros that a file system leaves there, or a sector gone bad in the middle. Where
snapshots are numbered, the newest is the one with the highest number, wherever it stands: an old block that comes
back at the end is not taken for it. A snapshot is durable when `append` returns. A file that has grown to its limit
is replaced by one that holds the newest snapshot only; so is one of which nobody knows what it holds, because writing
it failed.

A minor version may add to the payload; agents of another firmware slot read it all the same. A file of another major
version is never touched. A file that is no journal at all is set aside.
"""

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from agent.errors import GhostjobError

HEADER: Final = b"ghostjob-journal 1.0\n"
VERSION: Final = re.compile(rb"ghostjob-journal (\d{1,5})\.\d{1,5}\n")
MAJOR: Final = 1
FRAME: Final = struct.Struct(">II")
LIMIT_BYTES: Final = 512 * 1024
LONGEST_SNAPSHOT: Final = 128 * 1024
"""Above any that a job document, of at most 32 KiB, can lead to."""
BEGINNING: Final = re.compile(rb"\0(?=[\1\2]|\0(?!\0\0))")
"""Where a frame may begin: with a length from 1 to a little more than the longest."""


class JournalError(GhostjobError):
    """The journal cannot be read or written; the message says where, what, and what to do."""


class Storage(Protocol):
    """The file, in steps between any two of which the power may be cut. All raise OSError."""

    def read(self) -> bytes:
        """Everything; empty if there is no file."""

    def append(self, data: bytes) -> None:
        """Write at the end; a power cut may leave a part of it, or nothing, until `sync`."""

    def sync(self) -> None:
        """Make what was appended durable."""

    def truncate(self, length: int) -> None:
        """Cut the file off."""

    def write_new(self, data: bytes) -> None:
        """Write a second file beside it."""

    def sync_new(self) -> None:
        """Make the second file durable."""

    def rename_new(self) -> None:
        """Put the second file in the place of the first."""

    def sync_directory(self) -> None:
        """Make the renaming durable."""

    def set_aside(self) -> str:
        """Keep the file under another name; returns that."""


class Journal:
    """The newest snapshot, durable. `where` names the file in messages.

    `damage` is what `open` found that it could not read, in words; empty if there was nothing. `torn_bytes` follow the
    newest whole snapshot: a power cut in the middle of the next one, which was never acknowledged, or a bad sector.
    `is_bare`: there is a file, and not one snapshot in it, though none is made without one.
    `misplaced` counts older snapshots that stand after the newest, by what `number_of` says of each.
    """

    __slots__ = (
        "_length",
        "_limit",
        "_newest",
        "_number_of",
        "_storage",
        "_where",
        "damage",
        "is_bare",
        "misplaced",
        "torn_bytes",
    )

    def __init__(
        self,
        storage: Storage,
        *,
        where: str = "journal",
        limit_bytes: int = LIMIT_BYTES,
        number_of: Callable[[bytes], int] = lambda snapshot: 0,
    ) -> None:
        self._number_of = number_of
        self.is_bare = False
        self.misplaced = 0
        self._storage = storage
        self._where = where
        self._limit = limit_bytes
        self._length = 0
        self._newest: bytes | None = None
        self.damage = ""
        self.torn_bytes = 0

    def open(self) -> bytes | None:
        """The newest whole snapshot, None if there is none. Raises JournalError."""
        self._length, self._newest = 0, None
        try:
            data = self._storage.read()
            header = VERSION.match(data)
            if header is None and not HEADER.startswith(data):
                self.damage = f"no journal: what is in it is kept as {self._storage.set_aside()}"
        except OSError as error:
            raise self._failed("cannot read it", error) from None
        if header is None:
            self.is_bare = bool(data)
            return None
        if int(header[1]) != MAJOR:
            raise JournalError(
                f"{self._where}: written in format {header[1].decode()} by another agent, and this one knows {MAJOR}; "
                "start that agent, or move the file away once the device is known to be whole"
            )
        self._length, found = _scan(data, header.end())
        numbers = [self._number_of(snapshot) for snapshot in found]
        at = max(range(len(found)), key=lambda index: (numbers[index], index), default=-1)
        self._newest = found[at] if found else None
        self.misplaced, self.is_bare = len(found) - 1 - at, not found
        self.torn_bytes = len(data) - self._length if self._newest is not None else 0
        if self._newest is None and data[header.end() :].strip(b"\0"):
            self.damage = f"no whole record in its {len(data)} bytes: they give way to the next one"
        return self._newest

    def append(self, snapshot: bytes) -> None:
        """Make `snapshot` the newest. Raises JournalError; then the newest is this one or the one before.

        Call `open` first.
        """
        if snapshot == self._newest:
            return
        if not 0 < len(snapshot) <= LONGEST_SNAPSHOT:
            raise JournalError(f"{self._where}: a record of {len(snapshot)} bytes; it may have 1 to {LONGEST_SNAPSHOT}")
        record = FRAME.pack(len(snapshot), zlib.crc32(snapshot)) + snapshot
        try:
            if not self._length or self._length + len(record) > self._limit:
                self._replace(HEADER + record)
            else:
                self._extend(record)
        except OSError as error:
            # What the file holds now, or would after a power cut, nobody knows: the next record replaces it.
            self._length, self._newest = 0, None
            raise self._failed("cannot write it", error) from None
        self._newest = snapshot

    def _extend(self, record: bytes) -> None:
        """Append; a torn tail is cut off before."""
        self._storage.truncate(self._length)
        self._storage.append(record)
        self._storage.sync()
        self._length += len(record)

    def _replace(self, data: bytes) -> None:
        self._storage.write_new(data)
        self._storage.sync_new()
        self._storage.rename_new()
        self._storage.sync_directory()
        self._length = len(data)

    def _failed(self, what: str, error: OSError) -> JournalError:
        reason = error.strerror or str(error)
        return JournalError(f"{self._where}: {what}: {reason}; free space or mend the disk, no job begins before")


def _scan(data: bytes, start: int) -> tuple[int, list[bytes]]:
    """Where the last whole record ends, and the payloads of all; a header alone is as good as no file.

    No payload holds a zero byte, so a frame that is whole is one that was written.
    """
    end, found = 0, list[bytes]()
    while (beginning := BEGINNING.search(data, start)) and (at := beginning.start()) + FRAME.size <= len(data):
        length, checksum = FRAME.unpack_from(data, at)
        payload = data[at + FRAME.size : at + FRAME.size + length]
        if len(payload) == length <= LONGEST_SNAPSHOT and zlib.crc32(payload) == checksum:
            start = end = at + FRAME.size + length
            found.append(payload)
        else:
            start = at + 1
    return end, found


class FileStorage:
    """A real file; its directory is made if it is missing. Only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")

    def read(self) -> bytes:
        """Everything."""
        self._make(self._path.parent)
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def append(self, data: bytes) -> None:
        """Write at the end."""
        self._with(self._path, os.O_WRONLY | os.O_APPEND, lambda file: _write_all(file, data))

    def sync(self) -> None:
        """fsync the file."""
        self._with(self._path, os.O_WRONLY, os.fsync)

    def truncate(self, length: int) -> None:
        """Cut the file off, if there is more of it."""
        if self._path.stat().st_size != length:
            os.truncate(self._path, length)

    def write_new(self, data: bytes) -> None:
        """Write the second file."""
        self._with(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, lambda file: _write_all(file, data))

    def sync_new(self) -> None:
        """fsync the second file."""
        self._with(self._new, os.O_WRONLY, os.fsync)

    def rename_new(self) -> None:
        """Rename the second file."""
        self._new.replace(self._path)

    def sync_directory(self) -> None:
        """fsync the directory."""
        self._with(self._path.parent, os.O_RDONLY | os.O_DIRECTORY, os.fsync)

    def set_aside(self) -> str:
        """Rename the file to `NAME.damaged`."""
        aside = self._path.with_name(self._path.name + ".damaged")
        self._path.replace(aside)
        return str(aside)

    @classmethod
    def _make(cls, directory: Path) -> None:
        """Make a directory that outlives a power cut."""
        if not directory.is_dir():
            cls._make(directory.parent)
            directory.mkdir(exist_ok=True, mode=0o700)
            cls._with(directory.parent, os.O_RDONLY | os.O_DIRECTORY, os.fsync)

    @staticmethod
    def _with(path: Path, flags: int, act: Callable[[int], object]) -> None:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            act(file)
        finally:
            os.close(file)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
