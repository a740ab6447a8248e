"""Any record of a dataclass, drawn from its type hints: what the store promises, it promises of whatever may come."""

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(["fw", "", "\ud800", "é", '"\\\n', "\x00"])
TIMES = st.floats(0, 2e9) | st.integers(0, 2_000_000_000).map(float)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-1, 1 << 40),
    float: TIMES,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    type(None): st.none(),
}


def records(record: type) -> st.SearchStrategy[Any]:
    """Records of this dataclass; some of their fields have their defaults."""
    hints = get_type_hints(record)
    needed = {each.name: values(hints[each.name]) for each in fields(record)}
    return st.fixed_dictionaries(needed).map(lambda given: record(**given))


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    arguments = get_args(hint)
    if hint in SIMPLE:
        return SIMPLE[hint]
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return records(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if get_origin(hint) is Literal:
        return st.sampled_from(arguments)
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*(values(argument) for argument in arguments))
    assert get_origin(hint) is tuple, hint
    if arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*(values(argument) for argument in arguments))
