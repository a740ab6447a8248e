"""What a probe says, what a probe is, and how a version is found in what a device wrote."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import unquote

from agent.errors import InputError
from agent.json_text import read_json_text

LIMIT_SECONDS: Final = 5.0
"""What has not answered by then could not be sampled."""
MOST_BYTES: Final = 64 * 1024
"""So much of what a device writes is read at once; the rest is not kept."""
NO_UTF_8: Final = "\N{REPLACEMENT CHARACTER}"
VERSION_LENGTH: Final = 128
WHY_LENGTH: Final = 300
"""Characters."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a probe saw of the device at one moment.

    `alive` is None where it could not be sampled, which is no sign of anything; `version` is None where none was told.
    `why` says what was wrong, in at most 300 characters.
    """

    alive: bool | None
    version: str | None = None
    why: str = ""


def unsampled(why: str) -> Sample:
    """It could not be seen how the device is."""
    return Sample(None, None, bounded(why))


def dead(why: str) -> Sample:
    """Who answered says that the device does not live."""
    return Sample(False, None, bounded(why))


Tell: TypeAlias = Callable[[Sample], None]


class Probe(Protocol):
    """One way to see how a device is; `text` names it as the user did.

    `announces`: it has only what the device says of its own accord, when it does; asked again, it has nothing new.
    """

    text: str
    announces: bool

    def watch(self, tell: Tell) -> None:
        """Have `tell` called, in the running loop, with every change that shows itself, until `close`.

        Raises InputError if there is nothing to watch. Who can only be asked tells nothing.
        """

    async def sample(self) -> Sample:
        """How it is now; never raises, and never takes much longer than LIMIT_SECONDS."""

    async def close(self) -> None:
        """Leave nothing behind."""


def bounded(text: str, most: int = WHY_LENGTH) -> str:
    """One line of printable characters, no longer than that."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def told(raw: bytes, pointer: str | None = None) -> Sample:
    """A device that is alive and wrote this: its version is the first line, or the JSON member that `pointer` names."""
    if pointer is not None:
        return _member(raw, pointer)
    line = raw.partition(b"\n")[0][: 8 * VERSION_LENGTH].decode("utf-8", "replace").strip()
    return _version(line, "the first line")


def _version(text: str, where: str) -> Sample:
    if not text:
        return Sample(True, None, f"{where} is empty: there is no version")
    if len(text) > VERSION_LENGTH:
        return Sample(True, None, f"{where} has more than {VERSION_LENGTH} characters: that is no version")
    if not text.isprintable() or NO_UTF_8 in text:
        return Sample(True, None, f"{where} has characters that cannot be printed: that is no version")
    return Sample(True, text)


def _member(raw: bytes, pointer: str) -> Sample:
    if len(raw) >= MOST_BYTES:
        return Sample(True, None, f"more than {MOST_BYTES} bytes of JSON")
    try:
        value: Any = read_json_text(raw.decode())
        for part in parts_of(pointer):
            value = value[int(part)] if isinstance(value, list) else value[part]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return Sample(True, None, bounded(f"no JSON with a member {pointer}"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return Sample(True, None, bounded(f"{pointer} is no text and no number, but {json.dumps(value)[:80]}"))
    return _version(str(value).strip(), pointer)


def parts_of(pointer: str) -> list[str]:
    """The members that a JSON pointer (RFC 6901) leads through."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def with_pointer(text: str, where: str) -> tuple[str, str | None]:
    """What stands before `#`, and the JSON pointer after it. Raises InputError for one that is none."""
    before, has_pointer, after = text.partition("#")
    pointer = unquote(after)
    if has_pointer and not pointer.startswith("/"):
        raise InputError(f"{where}: after # comes a JSON pointer, such as #/firmware/version, and not '#{after}'")
    return before, pointer if has_pointer else None
