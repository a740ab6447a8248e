"""What the states of monitors have in common: they are values that are fed in place, because that is five times faster.

    twin = state.twin()          shares nothing with it that changes
    state == twin                compared, hashed and pickled by value

Whoever steps a state without losing the one before (an explorer) steps its twin. All that a state consists of is such
a state itself, or a tuple or mapping of some, or does not change, so a twin costs a copy of a few references.
"""

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Final, Self

from simulator.verdict.frozen import Map

PLAIN: Final = frozenset({bool, int, float, str})
"""What does not change, and most of all that there is."""


class State:
    """To be made a dataclass with slots; its hash is good for as long as it is not fed."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    holds_states: ClassVar[tuple[str, ...] | None] = None
    """The fields that consist of states; None: any may."""

    def becomes(self, **more: Any) -> Self:
        """With something changed."""
        for name, value in more.items():
            setattr(self, name, value)
        return self

    def twin(self) -> Self:
        """Another that is equal now."""
        kind: Any = type(self)
        twin: Self = kind(*values_in(self, _fields(kind)))
        for name in twin.__dataclass_fields__ if twin.holds_states is None else twin.holds_states:
            setattr(twin, name, _twin(getattr(twin, name)))
        return twin


def _twin(value: Any) -> Any:
    if not value or type(value) in PLAIN:  # nothing, or nothing that changes
        return value
    if isinstance(value, State):
        return value.twin()
    if type(value) is tuple and any(isinstance(each, State) for each in value):
        return tuple(map(_twin, value))
    if type(value) is Map and any(isinstance(each, State) for each in value.values()):
        return value.each(_twin)
    return value


def values_in(whole: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Of some of its fields, in that order."""
    return _getter(names)(whole)


@cache
def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        get = attrgetter(*names)
        return lambda whole: (get(whole),)
    return lambda _whole: ()


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(kind.__dataclass_fields__)
