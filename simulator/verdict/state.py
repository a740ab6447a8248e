"""What the states of monitors have in common: they are values that are fed in place, because that is five times faster.

    twin = state.twin()          shares nothing with it that changes
    state == twin                compared, hashed and pickled by value

Whoever steps a state without losing the one before (an explorer) steps its twin. All that a state consists of is such
a state itself, or a tuple or mapping of some, or does not change, so a twin costs a copy of a few references.
"""

from collections.abc import Callable, Iterable
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
        values = values_in(self, _fields(kind))
        if kind.holds_states is None:
            whole: Self = kind(*[value if not value or type(value) in PLAIN else _twin(value) for value in values])
            return whole
        twin: Self = kind(*values)
        for name in kind.holds_states:
            setattr(twin, name, _twin(getattr(twin, name)))
        return twin


def _twin(value: Any) -> Any:
    """Of what may change, or hold what does."""
    if isinstance(value, State):
        return value.twin()
    kind = type(value)
    if kind is tuple:
        return tuple(map(_twin, value)) if _has_states(value) else value
    if kind is Map:
        return value.each(_twin) if _has_states(value.values()) else value
    return value


def _has_states(values: Iterable[Any]) -> bool:
    for each in values:  # noqa: SIM110 - a generator would cost as much as all the rest of a twin
        if isinstance(each, State):
            return True
    return False


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
