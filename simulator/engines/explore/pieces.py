"""Values that there are once: an equal one is the same one, so to hash and to compare them costs nothing.

piece(value) is piece(equal)        of a process; pickled, it is made again where it arrives
"""

from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

V = TypeVar("V")


class Piece(Generic[V]):
    """One value, not to be changed in place; made by `piece`."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: V) -> None:
        self.value: V = value

    def __repr__(self) -> str:
        return repr(self.value)

    def __reduce__(self) -> tuple[Any, ...]:
        return piece, (self.value,)


_THERE: Final[WeakValueDictionary[Any, Piece[Any]]] = WeakValueDictionary()


def piece(value: V) -> Piece[V]:
    """The one of all that equal this."""
    known = _THERE.get(value)
    if known is None:
        known = _THERE[value] = Piece(value)
    return known
