"""Entries of the trace as a click shows them: in words, and as they stand in the file."""

from collections.abc import Callable

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from simulator.page.axis import When
from simulator.page.data import EntryShown
from simulator.report.plain import plain
from simulator.report.words import words
from simulator.trace import Entry

TEXT = 400
"""Characters of an entry in words, and of any text in it."""
NESTED = 50
"""So many members of a list or a mapping are shown."""
RAW = 4_000
"""Characters of all texts of an entry together, about: whoever floods a device's details floods no page."""


def shown(entry: Entry, lay: Callable[[When], float]) -> EntryShown:
    """`lay` puts it on the axis."""
    event = entry.event
    return EntryShown.model_construct(  # made of what has been looked at: a crowd's are thousands at a time
        at=lay(When(entry.at, entry.source.startswith("device/"))),
        source=entry.source,
        type=event.type,
        text=plain(words(event), TEXT),
        raw=_raw(to_jsonable_python(event)),
    )


def _raw(members: dict[str, JsonValue]) -> dict[str, JsonValue]:
    room = _Room(RAW)
    return {name: room.take(value) for name, value in members.items() if value is not None and name != "type"}


class _Room:
    """What is left of it is shared by all that stands in an entry, in its order."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def take(self, value: JsonValue) -> JsonValue:
        """As much of it as there is room for."""
        match value:
            case str():
                return self._text(value)
            case list():
                return [self.take(each) for each in value[:NESTED] if self._left > 0]
            case dict():
                members = list(value.items())[:NESTED]
                return {
                    self._text(name): self.take(each) for name, each in members if each is not None and self._left > 0
                }
            case _:
                self._left -= 1
                return value

    def _text(self, text: str) -> str:
        said = plain(text, TEXT)
        self._left -= len(said) + 1
        return said
