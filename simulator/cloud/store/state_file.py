"""The file's place: who may read it, what else lies beside it, and how far it had come when it was used last.

It holds secrets, so that it is its owner's alone, whatever the umask says; SQLite gives the files that it makes beside
it the same rights.

The *mark* beside it says which file was written last there, and how many commits were in it. It is written after each
commit and not waited for, so that it is never ahead of a file that is whole. A file behind its mark has lost commits
that were acknowledged, which nothing in the file itself can show: SQLite takes a log that ends early for one that is
complete.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

from agent.errors import InputError

RIGHTS: Final = 0o600
WAL: Final = "-wal"
MARK: Final = "-mark"
BESIDE: Final = ("", WAL, "-shm", "-journal", MARK)
"""What the names of the files end in that belong together."""
_FORM: Final = "ghostjob mark {:016x} {:016x}"
_LENGTH: Final = len(_FORM.format(0, 0)) + 10


class Remark(NamedTuple):
    """Something that somebody has to be told of, although it does not end anything: a log event with its fields."""

    event: str
    fields: dict[str, Any]


class Marked(NamedTuple):
    """Which file was written last, and how many commits it had."""

    file_id: int
    commits: int


def beside(path: Path, ending: str) -> Path:
    """The file of that ending that belongs to a state file."""
    return path.with_name(path.name + ending)


def private(path: Path) -> int:
    """Make a new file, its owner's alone: its descriptor. Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, RIGHTS)
    os.fchmod(file, RIGHTS)  # an odd umask takes rights from the owner
    return file


def prepare(path: Path) -> tuple[Remark, ...]:
    """See that there is a file, and that nobody else may read it. Raises InputError."""
    try:
        is_directory, has_directory = path.is_dir(), path.absolute().parent.is_dir()
        if is_directory:
            raise InputError(f"--state {path}: is a directory; name a file in it")
        if not has_directory:
            raise InputError(f"--state {path}: there is no directory {path.absolute().parent}; make it first")
        if path.exists() and not path.is_file():
            raise InputError(f"--state {path}: is no ordinary file; choose another")
    except OSError as error:
        raise InputError(f"--state {path}: it cannot be reached: {error.strerror}; see its permissions") from None
    remarks = [*_narrowed(path), *_open_directory(path)]
    with suppress(FileExistsError):
        try:
            os.close(private(path))
        except FileExistsError:
            raise
        except OSError:  # what SQLite makes of it says what to do
            pass
    return tuple(remarks)


def exists(path: Path) -> bool:
    """Whether there is a file; one that cannot be looked at is."""
    try:
        return path.exists()
    except OSError:
        return True


def _narrowed(path: Path) -> list[Remark]:
    remarks = []
    for file in (beside(path, ending) for ending in BESIDE):
        try:
            rights = stat.S_IMODE(file.stat().st_mode)
        except OSError:
            continue
        if not rights & 0o077:
            continue
        try:
            file.chmod(RIGHTS)
        except OSError as error:
            why = f"it holds secrets, and others may read it or write to it; to change that failed: {error.strerror}"
            remarks.append(Remark("state.exposed", {"path": str(file), "rights": f"{rights:04o}", "why": why}))
        else:
            why = "it holds secrets, and others could read it or write to it"
            fields = {"path": str(file), "rights": f"{RIGHTS:04o}", "before": f"{rights:04o}", "why": why}
            remarks.append(Remark("state.narrowed", fields))
    return remarks


def _open_directory(path: Path) -> list[Remark]:
    directory = path.absolute().parent
    with suppress(OSError):
        if directory.stat().st_mode & stat.S_IWOTH:
            why = "others may write to this directory, and so put a file in the place of the state or beside it"
            hint = f"keep it in a directory of your own, or: chmod o-w {directory}"
            return [Remark("state.directory_open", {"path": str(directory), "why": why, "hint": hint})]
    return []


def read_mark(path: Path) -> Marked | None:
    """What the mark beside a state file says; None if there is none that can be read."""
    try:
        raw = beside(path, MARK).read_bytes()
        text, sum_ = raw[: _LENGTH - 10], int(raw[_LENGTH - 9 : _LENGTH - 1], 16)
        file_id, commits = (int(part, 16) for part in text.split()[2:])
    except (OSError, ValueError):
        return None
    return Marked(file_id, commits) if crc32(text) == sum_ else None


class OpenMark:
    """The mark beside an open state file."""

    def __init__(self, path: Path, file_id: int) -> None:
        """Make it, or take it over. Raises OSError."""
        self._file_id = file_id
        place = beside(path, MARK)
        try:
            self._file = private(place)
        except FileExistsError:
            self._file = os.open(place, os.O_RDWR | os.O_CLOEXEC)

    def put(self, commits: int) -> None:
        """Say how far the file has come. Raises OSError."""
        text = _FORM.format(self._file_id, commits).encode()
        os.pwrite(self._file, b"%s %08x\n" % (text, crc32(text)), 0)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)
