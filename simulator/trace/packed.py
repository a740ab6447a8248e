"""Entries from one process of a run to another of the same ghostjob: many at a time, as Python's own values.

    length, 4 bytes   marshal: a list with source, n, at, kind and fields of each entry, one after the other;
                      or JSON Lines, of what cannot be told so

It takes a seventh of what JSON Lines and their checking take, for entries that are known to be whole. For nobody else:
what is kept, or told to others, is JSON Lines.
"""

import marshal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache, partial
from operator import attrgetter
from types import UnionType
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin, get_type_hints

from simulator.trace import Entry, Event, read, write_line

REMEMBERED: Final = 65_536
"""So many keys of executions are one object each, however often they are told."""
LENGTH_BYTES: Final = 4


_Nested: TypeAlias = tuple[int, Callable[[Any], Any], Callable[[Any], Any]]
"""Which field it is, how its values are told, and how they are made again."""
_new: Any = tuple.__new__


class _Form(NamedTuple):
    """How events of one kind are told: `take` gives their fields, those at `nested` are made of other values."""

    make: Callable[..., Any]
    take: Callable[[Any], tuple[Any, ...]]
    nested: tuple[_Nested, ...]


def pack(entries: Sequence[Entry]) -> bytes:
    """One frame."""
    try:
        return framed(_told(entries))
    except (KeyError, ValueError):  # an event that has no form, or a value of a type of its own
        return framed("\n".join(map(write_line, entries)))


def framed(value: Any) -> bytes:
    """A frame of one of Python's own values. Raises ValueError if it is of another type."""
    return with_length(marshal.dumps(value))


def with_length(frame: bytes) -> bytes:
    """A frame as it goes through a pipe."""
    return len(frame).to_bytes(LENGTH_BYTES, "big") + frame


def _told(entries: Sequence[Entry]) -> list[Any]:
    told: list[Any] = []
    for source, n, at, event in entries:
        number, form = _FORMS[type(event)]
        values = form.take(event)
        if form.nested:
            changed = list(values)
            for at_field, flat, _ in form.nested:
                changed[at_field] = flat(changed[at_field])
            values = tuple(changed)
        told += (source, n, at, number, values)
    return told


class Frames:
    """Frames that come in pieces of any size."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Those that are whole by now, without their length."""
        unread = self._unread
        unread += data
        start = 0
        while len(unread) >= start + LENGTH_BYTES:
            end = start + LENGTH_BYTES + int.from_bytes(unread[start : start + LENGTH_BYTES], "big")
            if end > len(unread):
                break
            frame = bytes(unread[start + LENGTH_BYTES : end])
            start = end
            yield frame
        del unread[:start]


def value_of(frame: bytes) -> Any:
    """What was framed."""
    return marshal.loads(frame)  # noqa: S302 - a process of ours wrote it


def unpack(frame: bytes) -> Iterator[Entry]:
    """The entries of a frame. Raises InputError."""
    return entries_of(value_of(frame))


def entries_of(told: Any, kinds: frozenset[type] | None = None) -> Iterator[Entry]:
    """The same of what was framed; None: of all kinds of events. The others are not even made."""
    if isinstance(told, str):
        yield from (entry for entry in read(told.splitlines()) if kinds is None or type(entry.event) in kinds)
        return
    each, numbers = iter(told), ALL if kinds is None else _numbers(kinds)
    for source, n, at, number, values in zip(each, each, each, each, each, strict=True):
        if number in numbers:
            make, _, nested = _BY_NUMBER[number]
            # Not `Entry(…)`, which is a function of its own around this.
            yield _new(Entry, (source, n, at, _built_of(make, nested, values) if nested else make(*values)))


class Pack:
    """The entries of a frame from one source, made when somebody looks at them. Raises InputError."""

    __slots__ = ("_told", "at", "frame", "n")

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        """Without its length."""
        self._told = value_of(frame)
        self.n: int
        self.at: float
        """The number and the time of the last."""
        if isinstance(self._told, str):
            *_, last = self
            self.n, self.at = last.n, last.at
        else:
            self.n, self.at = self._told[-4:-2]

    def __iter__(self) -> Iterator[Entry]:
        return entries_of(self._told)

    def of(self, kinds: frozenset[type]) -> Iterator[Entry]:
        """Those with an event of one of these kinds; the others are not even made."""
        return entries_of(self._told, kinds)


Packs: TypeAlias = Callable[[Pack], None]


@cache
def _numbers(kinds: frozenset[type]) -> frozenset[int]:
    return frozenset(number for kind, (number, _) in _FORMS.items() if kind in kinds)


def _built_of(make: Callable[..., Any], nested: tuple[_Nested, ...], values: tuple[Any, ...]) -> Any:
    whole = list(values)
    for at_field, _, build in nested:
        whole[at_field] = build(whole[at_field])
    return make(*whole)


# ── fields that are values of ours ───────────────────────────────────────────────────────────────────────────────


def _flat(take: Callable[[Any], tuple[Any, ...]], value: Any) -> Any:
    return None if value is None else take(value)


def _built(make: Callable[..., Any], value: Any) -> Any:
    return None if value is None else make(*value)


def _flat_all(take: Callable[[Any], tuple[Any, ...]], values: Any) -> Any:
    return tuple(map(take, values))


def _built_all(make: Callable[..., Any], values: Any) -> Any:
    return tuple(make(*value) for value in values)


def _form(kind: type[Any]) -> _Form:
    names = [each.name for each in fields(kind) if each.name != "type"]
    hints = get_type_hints(kind)
    nested = []
    for number, name in enumerate(names):
        value = next((each for each in _within(hints[name]) if is_dataclass(each)), None)
        if value is None:
            continue
        take, make = _taking([each.name for each in fields(value)]), lru_cache(REMEMBERED)(cast("type[Any]", value))
        if get_origin(hints[name]) is tuple:
            nested.append((number, partial(_flat_all, take), partial(_built_all, make)))
        else:
            nested.append((number, partial(_flat, take), partial(_built, make)))
    return _Form(kind, _taking(names), tuple(nested))


def _taking(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives so many attributes, always in a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _within(hint: Any) -> tuple[Any, ...]:
    """What a field is, or holds."""
    return get_args(hint) if get_origin(hint) in (tuple, UnionType) else (hint,)


_BY_NUMBER: Final = tuple(map(_form, get_args(Event)))
_FORMS: Final = {form.make: (number, form) for number, form in enumerate(_BY_NUMBER)}
ALL: Final = frozenset(range(len(_BY_NUMBER)))
