"""Told of each change of a file by the kernel: inotify (man 7 inotify), through the C library, so without a dependency.

The directory is watched, since files that count are replaced by a rename: a watch on the file would stay with the old
one. Who changes a file of a network, or on another platform than Linux, is not told of.
"""

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

IN_CLOSE_WRITE: Final = 0x008
IN_MOVED_FROM: Final = 0x040
IN_MOVED_TO: Final = 0x080
IN_DELETE: Final = 0x200
IN_Q_OVERFLOW: Final = 0x4000
WATCHED: Final = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE
"""Linux's own numbers, the same on every machine. A file that is still being written (IN_MODIFY) says nothing yet."""
EVENT: Final = struct.Struct("iIII")
"""The watch, what happened, a cookie, and how long the name is that follows."""
MOST_BYTES: Final = 64 * 1024


class Changes(Protocol):
    """What is told of, until it is closed."""

    def close(self) -> None:
        """Be told no more."""


def changes_in(path: Path, changed: Callable[[], None]) -> Changes | None:
    """Have `changed` called in the running loop at each change of the file `path`; None if nobody tells of them."""
    if sys.platform != "linux":
        return None
    try:
        return _Inotify(path, changed)
    except (OSError, AttributeError):
        return None


class _Inotify:
    """Raises OSError if the kernel does not watch that, or not one more."""

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._name = os.fsencode(path.name)
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        libc = ctypes.CDLL(None, use_errno=True)
        self._file: int = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            _checked(libc.inotify_add_watch(self._file, os.fsencode(path.parent), WATCHED))
        except OSError:
            os.close(self._file)
            raise
        self._loop.add_reader(self._file, self._read)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            if any(name == self._name for name in _names(os.read(self._file, MOST_BYTES), self._name)):
                self._changed()

    def close(self) -> None:
        self._loop.remove_reader(self._file)
        os.close(self._file)


def _names(raw: bytes, ours: bytes) -> list[bytes]:
    """Whose changes these are; `ours`, if so many came that the kernel lost some."""
    names, at = list[bytes](), 0
    while at + EVENT.size <= len(raw):
        _, what, _, length = EVENT.unpack_from(raw, at)
        at += EVENT.size
        names.append(ours if what & IN_Q_OVERFLOW else raw[at : at + length].rstrip(b"\0"))
        at += length
    return names


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
