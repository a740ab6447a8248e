"""What the states of monitors have in common: they are values that are fed in place, because that is five times faster.

    twin = state.twin()          shares nothing with it that changes
    state == twin                compared, hashed and pickled by value

Whoever steps a state without losing the one before (an explorer) steps its twin. All that a state consists of is such
a state itself, or a tuple or mapping of some, or does not change, so a twin costs a copy of a few references.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, ClassVar, Final, Self

from simulator.verdict.frozen import Map

PLAIN: Final = frozenset({bool, int, float, str})
"""What does not change, and most of all that there is."""


class State:
    """To be made a dataclass with slots; its hash is good for as long as it is not fed."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def becomes(self, **more: Any) -> Self:
        """With something changed."""
        for name, value in more.items():
            setattr(self, name, value)
        return self

    def twin(self) -> Self:
        """Another that is equal now."""
        kind = type(self)
        if (members := _MEMBERS.get(kind)) is None:
            members = _MEMBERS[kind] = _members_of(kind)
        return kind(*[value if not value or type(value) in PLAIN else _twin(value) for value in members(self)])


_MEMBERS: Final[dict[type[State], Callable[[State], tuple[Any, ...]]]] = {}
"""How to read all members of a state at once, by its class: to make that anew costs as much as the twin."""


def _members_of(kind: type[State]) -> Callable[[State], tuple[Any, ...]]:
    names = tuple(kind.__dataclass_fields__)
    read: Callable[[State], Any] = attrgetter(*names)
    return read if len(names) > 1 else lambda state: (read(state),)


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
