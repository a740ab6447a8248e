"""A mapping that does not change: what a monitor remembers by execution, by token, by name."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Map(dict[K, V]):
    """Hashable, and ordered as its entries were put in first; whoever changes it gets another."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __setitem__(self, key: K, value: V) -> NoReturn:
        raise TypeError("a Map does not change; put() gives another")

    def __delitem__(self, key: K) -> NoReturn:
        raise TypeError("a Map does not change; without() gives another")

    def __reduce__(self) -> tuple[Any, ...]:
        return Map, (dict(self),)

    def put(self, key: K, value: V, cap: int | None = None) -> "Map[K, V]":
        """With `value` for `key`; of more than `cap`, the oldest is gone."""
        new = Map(self)
        dict.__setitem__(new, key, value)
        if cap is not None and len(new) > cap:
            dict.__delitem__(new, next(iter(new)))
        return new

    def without(self, key: K) -> "Map[K, V]":
        """Without `key`."""
        new = Map(self)
        dict.pop(new, key, None)
        return new if len(new) < len(self) else self

    def only(self, stays: Callable[[K, V], bool]) -> "Map[K, V]":
        """Those that stay."""
        return Map({key: value for key, value in self.items() if stays(key, value)})

    def each(self, changed: Callable[[V], V]) -> "Map[K, V]":
        """With every value as it becomes."""
        return Map({key: changed(value) for key, value in self.items()})

    def at_most(self, cap: int, may_go: Callable[[K, V], bool] = lambda _key, _value: True) -> "Map[K, V]":
        """No more than `cap`: the oldest that may go are gone, or else the oldest."""
        if (over := len(self) - cap) <= 0:
            return self
        going = [key for key, value in self.items() if may_go(key, value)][:over]
        gone = {*going, *islice((key for key in self if key not in going), over - len(going))}
        return self.only(lambda key, _value: key not in gone)


EMPTY: Final[Map[Any, Any]] = Map()
"""With nothing in it yet."""
