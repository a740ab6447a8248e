"""Files that a document may name: below one directory, never through a symbolic link, changed whole or not at all.

A path is walked one name at a time from an open directory, each step refusing links, so that it cannot lead outside
whatever somebody renames meanwhile; what was reached is held open, and everything is done relative to that.

What a file was before is kept aside until the work is settled. `replace` puts it on record, durably, before the new
file takes its name; `put_back` undoes that, and may be repeated.
"""

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import join, normpath
from typing import Any, Final

from agent.causes import Cause
from agent.handlers.handler import StepError

DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
PERMISSIONS: Final = 0o777
EVERY_BIT: Final = 0o7777
"""Setuid, setgid and sticky too."""


class Spot:
    """A name in a directory that is held open; the file need not be there."""

    __slots__ = ("_said", "directory", "name")

    def __init__(self, directory: int, name: str, said: str) -> None:
        self.directory = directory
        self.name = name
        self._said = said

    def find(self, name: str | None = None) -> os.stat_result | None:
        """The file of this or another name beside it; None if there is none. Raises StepError if it is no file."""
        try:
            found = os.stat(name or self.name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise StepError(f"{self._said}: there is something there that is no ordinary file", Cause.REFUSED_PATH)
        return found

    def open(self, name: str, flags: int) -> int:
        """A descriptor of `name` beside it; a new one is for its owner alone until it takes its place."""
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self.directory)

    def remove(self, name: str) -> None:
        """Remove `name` beside it, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.directory)

    def rename(self, name: str) -> None:
        """Let `name` beside it take its place, durably."""
        os.rename(name, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        os.fsync(self.directory)


@contextmanager
def spot(root: Path, name: str) -> Iterator[Spot]:
    """Where `name` leads to below `root`. Raises StepError if it does not."""
    within, top = normpath(join(str(root), name)), normpath(str(root))
    inside = top.rstrip("/") + "/"
    said = name[:200]
    if not within.startswith(inside):
        raise StepError(f"{said}: not below the directory that documents may write to", Cause.REFUSED_PATH)
    *parents, leaf = within[len(inside) :].split("/")
    directory = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for parent in parents:
            directory = _enter(directory, parent, said)
        yield Spot(directory, leaf, said)
    finally:
        os.close(directory)


def _enter(directory: int, name: str, said: str) -> int:
    """The directory `name` in `directory`, which is closed if that succeeds."""
    try:
        inner = os.open(name, DIRECTORY, dir_fd=directory)
    except FileNotFoundError:
        raise StepError(f"{said}: there is no directory {name}", Cause.NOT_FOUND) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise StepError(f"{said}: {name} is a symbolic link, or no directory", Cause.REFUSED_PATH) from None
        raise
    os.close(directory)
    return inner


# ── whole or not at all ───────────────────────────────────────────────────────────────────────────────────────


def replace(context: Spot, new: str, kept: Path) -> None:
    """Let the file `new` beside it take the place, and keep what was there as `kept`. Once only: see `is_replaced`."""
    before = context.find()
    if not _record(kept).exists():
        if before is not None:
            _keep(context, kept)
        write_json(_record(kept), {"existed": before is not None})
    _dress(context, new, before)
    context.rename(new)


def is_replaced(context: Spot, new: str, kept: Path) -> bool:
    """Whether an earlier attempt has let `new` take the place."""
    return _record(kept).exists() and context.find(new) is None


def was_begun(kept: Path) -> bool:
    """Whether `replace` may have changed anything that `put_back` has not taken back."""
    return _record(kept).exists()


def put_back(context: Spot, new: str, kept: Path) -> None:
    """Take `replace` back, whether it came to its end, half way, or did not begin."""
    record = read_json(_record(kept))
    if record is not None and context.find(new) is None:
        if record.get("existed"):
            _restore(context, kept, f"{new}.restored")
        else:
            context.remove(context.name)
            os.fsync(context.directory)
    _record(kept).unlink(missing_ok=True)
    context.remove(new)


def _record(kept: Path) -> Path:
    return kept.with_name(kept.name + ".before")


def _keep(context: Spot, kept: Path) -> None:
    """A second name for the file, or, where the state directory is on another file system, a copy."""
    kept.unlink(missing_ok=True)
    try:
        os.link(context.name, kept, src_dir_fd=context.directory, follow_symlinks=False)
    except OSError:
        _copy(context.open(context.name, os.O_RDONLY), os.open(kept, NEW | os.O_CLOEXEC, 0o600))
    sync(kept.parent)


def _restore(context: Spot, kept: Path, beside: str) -> None:
    """Let the kept file have its name again; it needs no room on the disk where that can be had by a second name."""
    context.remove(beside)
    try:
        os.link(kept, beside, dst_dir_fd=context.directory, follow_symlinks=False)
    except OSError:
        _copy(os.open(kept, os.O_RDONLY | os.O_CLOEXEC), context.open(beside, NEW))
    context.rename(beside)
    context.remove(beside)  # renaming one name of a file to another of its names does nothing


def _copy(source: int, copy: int) -> None:
    """Copy one descriptor's file to the other, durably, and close both."""
    with os.fdopen(source, "rb") as reading, os.fdopen(copy, "wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        _dress_as(copy, os.fstat(source), EVERY_BIT)
        writing.flush()
        os.fsync(copy)


def _dress(context: Spot, name: str, before: os.stat_result | None) -> None:
    """The mode and owner of the file that it replaces; otherwise a file that everybody may read.

    What a document brings runs with nobody else's rights: setuid and setgid end with the file that had them.
    """
    descriptor = context.open(name, os.O_RDONLY)
    try:
        if before is None:
            os.fchmod(descriptor, 0o644)
        else:
            _dress_as(descriptor, before, PERMISSIONS)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _dress_as(descriptor: int, model: os.stat_result, bits: int) -> None:
    if os.geteuid() == 0:
        os.fchown(descriptor, model.st_uid, model.st_gid)
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (model.st_uid, model.st_gid):
        bits &= PERMISSIONS  # the rights of one owner are not those of another
    os.fchmod(descriptor, model.st_mode & bits)


# ── notes in the state directory ──────────────────────────────────────────────────────────────────────────────


def write_json(path: Path, value: Any) -> None:
    """Durable when it returns, and never seen half."""
    partial = path.with_name(path.name + ".new")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)


def read_json(path: Path) -> dict[str, Any] | None:
    """What was written; None if nothing was, or nothing that makes sense."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def sync(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
