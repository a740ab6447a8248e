"""The journal: what a device must know again after a power cut, in one append-only file.

    ghostjob-journal 1.0\\n                                        the header: a name, and the version of the format
    length (4 bytes)  CRC-32 of the payload (4 bytes)  payload    a record; both numbers big-endian
    …

Each record is a whole snapshot, so the newest whole one is all that counts. Reading stops at the first record that is
not whole: after a power cut that is the torn tail, or the zeros that a file system leaves there. A snapshot is durable
when `append` returns. A file that has grown to its limit is replaced by one that holds the newest snapshot only.

A minor version may add to the payload; agents of another firmware slot read it all the same. A file of another major
version is never touched. A file that is no journal at all is set aside.
"""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from agent.errors import GhostjobError

HEADER: Final = b"ghostjob-journal 1.0\n"
NAME, MAJOR = b"ghostjob-journal ", b"1"
FRAME: Final = struct.Struct(">II")
LIMIT_BYTES: Final = 256 * 1024
LONGEST_SNAPSHOT: Final = 64 * 1024


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

    def set_aside(self) -> None:
        """Keep the file under another name."""


class Journal:
    """The newest snapshot, durable. `where` names the file in messages."""

    __slots__ = ("_length", "_limit", "_newest", "_storage", "_where")

    def __init__(self, storage: Storage, *, where: str = "journal", limit_bytes: int = LIMIT_BYTES) -> None:
        self._storage = storage
        self._where = where
        self._limit = limit_bytes
        self._length = 0
        self._newest: bytes | None = None

    def open(self) -> bytes | None:
        """The newest whole snapshot, None if there is none. Raises JournalError."""
        try:
            data = self._storage.read()
            if data and not HEADER.startswith(data[: len(HEADER)]) and not data.startswith(NAME):
                self._storage.set_aside()
                data = b""
        except OSError as error:
            raise self._failed("cannot read it", error) from None
        line, _, rest = data.partition(b"\n")
        version = line.removeprefix(NAME)
        if rest and version.partition(b".")[0] != MAJOR:
            written = version.decode("ascii", "replace")
            raise JournalError(
                f"{self._where}: written in format {written} by a newer agent, and this one knows {MAJOR.decode()}; "
                "start that agent, or move the file away once the device is known to be whole"
            )
        self._length, self._newest = _scan(data, len(line) + 1) if rest else (0, None)
        return self._newest

    def append(self, snapshot: bytes) -> None:
        """Make `snapshot` the newest. Raises JournalError; then the one before it still is.

        Call `open` first.
        """
        if snapshot == self._newest:
            return
        record = FRAME.pack(len(snapshot), zlib.crc32(snapshot)) + snapshot
        try:
            if not self._length or self._length + len(record) > self._limit:
                self._replace(HEADER + record)
            else:
                self._extend(record)
        except OSError as error:
            raise self._failed("cannot write it", error) from None
        self._newest = snapshot

    def _extend(self, record: bytes) -> None:
        """Append; whatever a failed attempt left there is cut off before."""
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


def _scan(data: bytes, start: int) -> tuple[int, bytes | None]:
    """Where the last whole record ends, and its payload; a header alone is as good as no file."""
    at, newest = start, None
    while len(data) - at >= FRAME.size:
        length, checksum = FRAME.unpack_from(data, at)
        payload = data[at + FRAME.size : at + FRAME.size + length]
        if not 0 < length <= LONGEST_SNAPSHOT or len(payload) < length or zlib.crc32(payload) != checksum:
            break
        at, newest = at + FRAME.size + length, payload
    return (at, newest) if newest is not None else (0, None)


class FileStorage:
    """A real file; its directory is made if it is missing. Only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")

    def read(self) -> bytes:
        """Everything."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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

    def set_aside(self) -> None:
        """Rename the file to `NAME.damaged`."""
        self._path.replace(self._path.with_name(self._path.name + ".damaged"))

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
