"""What the states of monitors have in common: they are values that are fed in place, because that is five times faster.

    twin = state.twin()          shares nothing with it that changes
    state == twin                compared, hashed and pickled by value

Whoever steps a state without losing the one before (an explorer) steps its twin. All that a state consists of is such
a state itself, or a tuple or mapping of some, or does not change, so a twin costs a copy of a few references.
"""

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
        values = attrgetter(*self.__dataclass_fields__)(self)
        return type(self)(*map(_twin, values if len(self.__dataclass_fields__) > 1 else (values,)))


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
