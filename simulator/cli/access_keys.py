"""Access keys, from wherever they may come: the command line, the environment, a file.

What stands on a command line is shown by `/proc` to everybody on the machine; a file is shown to who may read it, and
the environment to the same user.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.errors import InputError
from agent.log import get_logger
from simulator.cli.options import access_key

VARIABLE: Final = "GHOSTJOB_ACCESS_KEYS"
"""Keys as ID:SECRET, with white space between them."""
LARGEST_FILE: Final = 1 << 20
"""Bytes; a file of keys has some dozens for each."""
AccessKey = tuple[str, str]
"""An id and its secret."""


def access_keys(
    given: tuple[AccessKey, ...], file: Path | None, environment: Mapping[str, str] = os.environ
) -> tuple[AccessKey, ...]:
    """Those of the command line or, if it has none, of the environment, and those of a file. Raises InputError.

    Who says where keys are gets signatures checked, or an error: never a cloud that is open to all.
    """
    found = [("--access-key", key) for key in given]
    if not given and (text := environment.get(VARIABLE)) is not None:
        found += [_read(each, f"{VARIABLE}: key {number}") for number, each in enumerate(text.split(), 1)]
        if not found:
            raise InputError(f"{VARIABLE}: holds no ID:SECRET; unset it to have signatures unchecked")
    if file is not None:
        where = f"--access-key-file {file}"
        lines = [(number, line) for number, line in enumerate(_lines(file), 1) if line and not line.startswith("#")]
        found += [_read(line, f"{where}: line {number}") for number, line in lines]
        if not lines:
            raise InputError(f"{where}: holds no ID:SECRET, one a line")
    known: dict[str, tuple[str, str]] = {}
    for where, (identifier, secret) in found:
        before, its_secret = known.setdefault(identifier, (where, secret))
        if its_secret != secret:
            places = f"by {before} and by {where}" if before != where else f"by {where}"
            raise InputError(f"access key {identifier}: given twice, with different secrets, {places}; leave one out")
    return tuple((identifier, secret) for identifier, (_, secret) in known.items())


def _read(text: str, where: str) -> tuple[str, AccessKey]:
    """Where a key stands, and the key."""
    key = access_key(text)
    if key is None:
        raise InputError(f"{where} is not ID:SECRET, with no / in its id")
    return where, key


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            raw = opened.read(LARGEST_FILE + 1)
        lines = [line.strip() for line in raw.decode("utf-8-sig").splitlines()]
    except OSError as error:
        raise InputError(f"--access-key-file {file}: cannot read it: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"--access-key-file {file}: not UTF-8") from None
    if len(raw) > LARGEST_FILE:
        raise InputError(f"--access-key-file {file}: larger than {LARGEST_FILE} bytes; is that a file of keys?")
    if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and os.name == "posix":
        get_logger("ghostjob.cloud").warning(
            "access_keys.exposed",
            path=str(file),
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
            why="others than its owner may read or write the secrets",
            hint=f"chmod 600 {file}",
        )
    return lines
