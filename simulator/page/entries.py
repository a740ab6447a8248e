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


def shown(entry: Entry, lay: Callable[[When], float]) -> EntryShown:
    """`lay` puts it on the axis."""
    event = entry.event
    return EntryShown(
        at=lay(When(entry.at, entry.source.startswith("device/"))),
        source=entry.source,
        type=event.type,
        text=plain(words(event), TEXT),
        raw=_raw(to_jsonable_python(event)),
    )


def _raw(members: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _short(value) for name, value in members.items() if value is not None and name != "type"}


def _short(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return plain(value, TEXT)
        case list():
            return [_short(each) for each in value[:NESTED]]
        case dict():
            return {plain(name): _short(each) for name, each in list(value.items())[:NESTED] if each is not None}
        case _:
            return value
