"""Frozen dataclasses of plain values as short JSON: lists of their fields' values, in order, without names.

    JobExecution("pump", ExecutionKey(None, "fw", 1, 1700000000), 7, Status.QUEUED, …)
    ["pump",[null,"fw",1,1700000000],7,"QUEUED",…]

Values at the end that are their field's default are left out. What a position means is said once, by the *shape* of
each dataclass: its fields' names, and their defaults. Shapes are kept with the records, so that a record can be read by
a later program whose dataclass has more fields, or other defaults, or another order.
"""

import json
import types
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

Plain: TypeAlias = Any
"""What `json.dumps` takes as it is."""
Shape: TypeAlias = tuple[tuple[str, *tuple[Plain, ...]], ...]
"""For each field its name, and its default if it has one, as plain values."""
Shapes: TypeAlias = Mapping[str, Shape]
Convert: TypeAlias = Callable[[Any], Any]

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def dumps(value: Plain) -> str:
    """JSON without spaces, in ASCII: a job document may hold half a surrogate pair, which UTF-8 cannot."""
    return _ENCODER.encode(value)


@cache
def shape_of(record: type) -> Shape:
    """The shape that this program writes."""
    hints = get_type_hints(record)
    described: list[tuple[str, *tuple[Plain, ...]]] = []
    for field in fields(record):
        if field.default is not MISSING:
            described.append((field.name, json.loads(dumps(_writer(hints[field.name])(field.default)))))
        else:
            assert field.default_factory is MISSING, f"{record.__name__}.{field.name}: a record holds plain values"
            described.append((field.name,))
    return tuple(described)


@cache
def dataclasses_in(record: type) -> Mapping[str, type]:
    """This dataclass, and those that it holds, by name."""
    found: dict[str, type] = {}

    def look(hint: Any) -> None:
        if is_dataclass(hint):
            assert isinstance(hint, type)
            if found.setdefault(hint.__name__, hint) is hint:
                for inner in get_type_hints(hint).values():
                    if inner is not hint:
                        look(inner)
        for argument in get_args(hint):
            look(argument)

    look(record)
    return found


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def writer(record: type) -> Convert:
    """What turns a record of this type into plain values."""
    hints = get_type_hints(record)
    names = [field.name for field in fields(record)]
    defaults = [field.default for field in fields(record)]
    optional = sum(default is not MISSING for default in defaults)
    converts = tuple((at, _writer(hints[name])) for at, name in enumerate(names) if not _is_plain(hints[name]))
    values_of = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)

    def write(value: Any) -> list[Plain]:
        values = values_of(value)
        length = len(names)
        while length > len(names) - optional and values[length - 1] == defaults[length - 1]:
            length -= 1
        written = list(values[:length])
        for at, convert in converts:
            if at < length:
                written[at] = convert(written[at])
        return written

    return write


def _is_plain(hint: Any) -> bool:
    """Whether `json.dumps` writes such a value as it is: tuples are lists to it, and enumerations of text are text."""
    if get_origin(hint) is Literal or hint in PLAIN:
        return True
    if isinstance(hint, type) and issubclass(hint, Enum):
        return issubclass(hint, str)
    return get_origin(hint) in (tuple, Union, types.UnionType) and all(
        argument is Ellipsis or _is_plain(argument) for argument in get_args(hint)
    )


def _writer(hint: Any) -> Convert:
    if _is_plain(hint):
        return lambda value: value
    if hint is bytes:
        return lambda value: b64encode(value).decode()
    if is_dataclass(hint):
        assert isinstance(hint, type)
        # Late, as a dataclass may hold its own kind.
        return lambda value: writer(hint)(value)
    if get_origin(hint) is tuple:
        inner = [argument for argument in get_args(hint) if argument is not Ellipsis]
        if len(inner) == 1:
            one = _writer(inner[0])
            return lambda value: [one(item) for item in value]
        each = [_writer(argument) for argument in inner]
        return lambda value: [convert(item) for convert, item in zip(each, value, strict=True)]
    if get_origin(hint) in (Union, types.UnionType):
        return _union_writer(hint)
    raise TypeError(f"{hint} cannot stand in a record")


def _union_writer(hint: Any) -> Convert:
    members = [argument for argument in get_args(hint) if argument is not type(None)]
    if len(members) == 1:
        only = _writer(members[0])
        return lambda value: None if value is None else only(value)
    assert all(is_dataclass(member) for member in members), f"{hint}: which member a value is must be told by its name"
    writers = {member: _writer(member) for member in members}
    return lambda value: None if value is None else [type(value).__name__, *writers[type(value)](value)]


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────


class Reader:
    """Turns plain values back into records, as `shapes` say that they were written.

    Equal values inside of records become one object: the executions of a job share most of what they hold.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._readers: dict[type, Convert] = {}

    def of(self, record: type) -> Convert:
        """What turns a list of plain values into a record of this type."""
        made = self._readers.get(record)
        if made is None:
            made = self._readers[record] = self._make(record)
        return made

    def _make(self, record: type) -> Convert:
        hints = get_type_hints(record)
        shape = self._shapes.get(record.__name__, shape_of(record))
        names = [name for name, *_ in shape]
        converts = tuple((at, self._convert(hints[name])) for at, name in enumerate(names) if _needs(hints[name]))
        if shape == shape_of(record):

            def read(values: list[Plain]) -> Any:
                length = len(values)
                for at, convert in converts:
                    if at < length:
                        values[at] = convert(values[at])
                return record(*values)

            return read
        defaults = [default[0] if default else None for _, *default in shape]

        def read_older(values: list[Plain]) -> Any:
            values = [*values, *defaults[len(values) :]]
            for at, convert in converts:
                values[at] = convert(values[at])
            return record(**dict(zip(names, values, strict=True)))

        return read_older

    def _convert(self, hint: Any) -> Convert:
        if hint is bytes:
            return b64decode
        if is_dataclass(hint):
            assert isinstance(hint, type)
            return self._shared(hint)
        if isinstance(hint, type) and issubclass(hint, Enum):
            members = {member.value: member for member in hint}
            return members.__getitem__
        if get_origin(hint) is tuple:
            return self._tuple(hint)
        if get_origin(hint) in (Union, types.UnionType):
            return self._union(hint)
        return lambda value: value

    def _shared(self, record: type) -> Convert:
        known: dict[tuple[Plain, ...], Any] = {}

        def read(values: list[Plain]) -> Any:
            try:
                found = known.get(key := tuple(values))
            except TypeError:  # something in it is a list, and no key
                return self.of(record)(values)
            if found is None:
                found = known[key] = self.of(record)(values)
            return found

        return read

    def _tuple(self, hint: Any) -> Convert:
        inner = [argument for argument in get_args(hint) if argument is not Ellipsis]
        if not any(_needs(argument) for argument in inner):
            return tuple
        each = [self._convert(argument) for argument in inner]
        if len(each) == 1:
            return lambda values: tuple(map(each[0], values))
        return lambda values: tuple(convert(item) for convert, item in zip(each, values, strict=True))

    def _union(self, hint: Any) -> Convert:
        members = [argument for argument in get_args(hint) if argument is not type(None)]
        if len(members) == 1:
            only = self._convert(members[0])
            return lambda value: None if value is None else only(value)
        if not any(_needs(member) for member in members):
            return lambda value: value
        by_name = {member.__name__: member for member in members}
        return lambda value: None if value is None else self.of(by_name[value[0]])(value[1:])


def _needs(hint: Any) -> bool:
    """Whether JSON does not give such a value back as it was."""
    if get_origin(hint) is Literal:
        return False
    if isinstance(hint, type) and issubclass(hint, Enum):
        return True
    return get_origin(hint) is tuple or not _is_plain(hint) or any(_needs(argument) for argument in get_args(hint))


# ── what may stand where ──────────────────────────────────────────────────────────────────────────────────────


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type that a hint says. Readers trust what is sealed; what is not is looked at so."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        assert isinstance(hint, type)
        hints = get_type_hints(hint)
        return type(value) is hint and all(
            fits(getattr(value, field.name), hints[field.name]) for field in fields(hint)
        )
    if origin is Literal:
        return value in arguments
    if origin in (Union, types.UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is tuple:
        each = arguments[:1] * len(value) if arguments[-1] is Ellipsis and type(value) is tuple else arguments
        return type(value) is tuple and len(value) == len(each) and all(map(fits, value, each))
    if hint is float:
        return type(value) in (int, float)
    return type(value) is (type(None) if hint is None else hint)


def is_readable(reader: Reader, record: type, text: str) -> bool:
    """Whether a text that may be anything is such a record's."""
    try:
        return fits(reader.of(record)(json.loads(text)), record)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False
