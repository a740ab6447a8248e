"""A world copied in the middle of what it does, with all that it is about to do, so that it can go on in two ways.

A device's world is objects that change, which hold values that do not, and one another. `copied` makes all that can
change anew, each object once, and leaves the values as they are. What a loop is still to call is part of it.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from heapq import heapify
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, NoneType
from typing import Any, Final, NamedTuple, TypeVar, cast

from pydantic import BaseModel

from simulator.engines.memoised_steps import _Memoised
from simulator.engines.virtual_time import VirtualLoop
from simulator.verdict import Judge

T = TypeVar("T")

VALUES: Final = (NoneType, int, float, str, bytes, frozenset, Enum, type, BuiltinFunctionType, BaseModel)
"""What does not change, subclasses included; of models, ours are frozen."""
SHARED: Final = (VirtualLoop, _Memoised)
"""In which both go on, and who says what comes of a state."""


class Calls(NamedTuple):
    """What a loop is to call, and what time it is there."""

    now: float
    timers: list[Any]
    """A heap, as the loop has it."""
    ready: list[tuple[Callable[..., object], tuple[Any, ...]]]


class ForkingLoop(VirtualLoop):
    """Its calls can be looked at in the middle of one of them, and set to others."""

    def __init__(self) -> None:
        super().__init__()
        self._at_hand: list[Any] = []

    @property
    def calls(self) -> Calls:
        """All that is still to be called; not for good, but as it stands now."""
        ready = [(handle._callback, handle._args) for handle in self._ready if not handle._cancelled]  # type: ignore[attr-defined]
        return Calls(self._virtual_now, [*self._at_hand, *self._timers], ready)

    def go_on_from(self, calls: Calls, first: Callable[[], object]) -> None:
        """From there, when it runs again, with `first` before all else."""
        self._virtual_now = calls.now
        self._at_hand = []
        self._timers[:] = calls.timers
        heapify(self._timers)
        self._ready.clear()
        self.call_soon(first)
        for callback, args in calls.ready:
            self.call_soon(callback, *args)

    def _call(self, due: list[Any]) -> None:
        self._at_hand = due
        while self._at_hand:
            super()._call([self._at_hand.pop(0)])


def copied(thing: T, known: dict[int, Any]) -> T:
    """`thing` with all that can change in it made anew; `known` has what is to stand in for an object, by its id."""
    return cast("T", _copied(thing, known))


def _copied(thing: Any, known: dict[int, Any]) -> Any:
    kind = type(thing)
    how = _how(kind)
    if how is None:
        return thing
    number = id(thing)
    if number in known:
        return known[number]
    twin = known[number] = how(thing, known)
    return twin


@cache
def _how(kind: type) -> Callable[[Any, dict[int, Any]], Any] | None:
    """How what is of that kind is copied; None if it does not change."""
    if issubclass(kind, VALUES + SHARED) or kind.__module__.startswith("structlog"):
        return None
    ways: dict[type, Callable[[Any, dict[int, Any]], Any]] = {
        Judge: lambda judge, known: judge.fork(),
        FunctionType: _function,
        MethodType: lambda method, known: MethodType(method.__func__, _copied(method.__self__, known)),
        partial: lambda each, known: partial(*_all((each.func, *each.args), known), **_items(each.keywords, known)),
        tuple: _tuple,
        dict: _dict,
        MappingProxyType: lambda each, known: MappingProxyType(_dict(dict(each), known)),
        list: _list,
        set: lambda each, known: set(_all(each, known)),
        deque: lambda each, known: deque(_all(each, known), each.maxlen),
    }
    way = next((ways[base] for base in kind.__mro__ if base in ways), None)
    if way is not None:
        return way
    if kind.__module__.partition(".")[0] not in ("agent", "simulator", "tests"):
        return lambda each, known: copy.copy(each)
    if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return _frozen(kind)
    return _object(kind)


def _all(things: Iterable[Any], known: dict[int, Any]) -> list[Any]:
    return [_copied(each, known) for each in things]


def _items(things: dict[Any, Any], known: dict[int, Any]) -> dict[Any, Any]:
    return {key: _copied(each, known) for key, each in things.items()}


def _function(function: FunctionType, known: dict[int, Any]) -> FunctionType:
    """Whatever it remembers would be shared."""
    for cell in function.__closure__ or ():
        if _copied(cell.cell_contents, known) is not cell.cell_contents:
            raise TypeError(f"{function.__qualname__} remembers what changes")
    return function


def _tuple(things: tuple[Any, ...], known: dict[int, Any]) -> tuple[Any, ...]:
    twins = _all(things, known)
    if all(map(_is, things, twins)):
        return things
    return tuple.__new__(type(things), twins)


def _is(one: object, other: object) -> bool:
    return one is other


def _dict(things: dict[Any, Any], known: dict[int, Any]) -> dict[Any, Any]:
    twin = known[id(things)] = copy.copy(things)
    for key, each in things.items():
        twin[key] = _copied(each, known)
    return twin


def _list(things: list[Any], known: dict[int, Any]) -> list[Any]:
    twin = known[id(things)] = type(things)()
    twin.extend(_copied(each, known) for each in things)
    return twin


def _names(kind: type) -> tuple[str, ...]:
    slots = (getattr(base, "__slots__", ()) for base in kind.__mro__)
    return tuple(name for names in slots for name in ((names,) if isinstance(names, str) else names))


def _frozen(kind: type) -> Callable[[Any, dict[int, Any]], Any]:
    names = [each.name for each in fields(kind)]

    def twin_of(value: Any, known: dict[int, Any]) -> Any:
        own = [getattr(value, name) for name in names]
        twins = [each if type(each) is dict else _copied(each, known) for each in own]  # that is a value, too
        if all(map(_is, own, twins)):
            return value
        twin = copy.copy(value)
        for name, each in zip(names, twins, strict=True):
            object.__setattr__(twin, name, each)
        return twin

    return twin_of


def _object(kind: type) -> Callable[[Any, dict[int, Any]], Any]:
    names = _names(kind)

    def twin_of(thing: Any, known: dict[int, Any]) -> Any:
        twin = known[id(thing)] = kind.__new__(kind)
        for name in names:
            if hasattr(thing, name):
                object.__setattr__(twin, name, _copied(getattr(thing, name), known))
        if hasattr(thing, "__dict__"):
            twin.__dict__.update(_items(thing.__dict__, known))
        return twin

    return twin_of
