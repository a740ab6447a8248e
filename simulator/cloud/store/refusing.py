"""Files that cannot be used: what is said of them, and what to do."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.cloud.store import state_file
from simulator.cloud.store.damage import Damage, Damaged

WHOSE: Final = "another process uses it, such as a second ghostjob cloud; stop that one, or choose another file"
RIGHTS: Final = "it cannot be written; change its permissions and its directory's, or choose another file"
ADVICE: Final = {
    "SQLITE_BUSY": WHOSE,
    "SQLITE_LOCKED": WHOSE,
    "SQLITE_FULL": "the disk is full; free some space and start again",
    "SQLITE_READONLY": RIGHTS,
    "SQLITE_PERM": RIGHTS,
    "SQLITE_CANTOPEN": "it cannot be opened or made; change its permissions and its directory's, or choose another",
    "SQLITE_IOERR_LOCK": RIGHTS,
    "SQLITE_IOERR_READ": "the disk does not give back what was written; see to it, or restore a copy elsewhere",
    "SQLITE_IOERR": "the disk does not take what is written; see to it, and start again",
}
"""What to do, by the beginning of SQLite's name for what went wrong."""
SHORT: Final = frozenset({"SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA"})
NO_DATABASE: Final = "SQLITE_NOTADB"
OTHERS_BEGIN: Final = b"SQLite format 3\0"
"""How a file begins that is SQLite's at all."""


class Newer(InputError):  # noqa: N818 - it says what the file is
    """A newer ghostjob wrote the file."""


class NotOurs(InputError):  # noqa: N818 - it says what the file is
    """The file is something else."""


def refusal(path: Path, error: sqlite3.Error) -> InputError:
    """What went wrong, where, and what to do; whatever is not known to be something else is damage."""
    name = getattr(error, "sqlite_errorname", "")
    if name == NO_DATABASE and not _is_sqlites(path):
        return NotOurs(f"--state {path}: it is no database; choose another file")
    if name in SHORT:
        return Damaged(path, Damage(f"it ends too early ({name})"))
    advice = next((advice for prefix, advice in ADVICE.items() if name.startswith(prefix)), None)
    if advice is None:
        return Damaged(path, Damage(f"{error} ({name})" if name else str(error)))
    return InputError(f"--state {path}: {advice}")


def newer(path: Path, what: str) -> Newer:
    """What is said of a file with something that this program does not know."""
    return Newer(
        f"--state {path}: was written by a newer ghostjob, which knows {what}; use that one, or choose another file"
    )


def _is_sqlites(path: Path) -> bool:
    """Whether the file begins as SQLite's do, or the mark beside it says that it was ours."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(OTHERS_BEGIN)) == OTHERS_BEGIN or state_file.read_mark(path) is not None
    return False
