"""A pure step, remembered: what one device of a fleet went through, the next one goes through for a look-up.

Devices of one kind differ in names and in the instants at which things happen to them, and neither is in their state.
So a fleet has few states for its size, and equal states become one object, which is what makes them cheap to hold,
too. A step that is not pure, or a state that changes in place, must not be remembered.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeAlias

from agent.core.events import Effect, Event

Step: TypeAlias = Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]]

LIMIT: Final = 50_000
"""So many transitions are remembered of one kind of device; then all are forgotten."""


class _Memoised:
    """The same step, faster the second time."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._count = 0
        self._same: dict[Any, Any] = {}
        self._after: dict[int, tuple[Any, dict[Event, tuple[Any, tuple[Effect, ...]]]]] = {}
        """By the identity of a state, which is held here so that no other object can have it: what events led to."""

    def __call__(self, state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
        known = self._after.get(id(state))
        if known is not None and (then := known[1].get(event)) is not None:
            return then
        return self._learn(state, event)

    def _learn(self, state: Any, event: Event) -> tuple[Any, tuple[Effect, ...]]:
        if self._count >= LIMIT:
            self._count = 0
            self._same.clear()
            self._after.clear()
        one = self._one(state)
        _, then = self._after[id(one)]
        if event not in then:
            after, effects = self._step(one, event)
            then[event] = self._one(after), effects
            self._count += 1
        return then[event]

    def _one(self, state: Any) -> Any:
        """The one object for all states that equal this one."""
        one = self._same.setdefault(state, state)
        if one is state:
            self._after.setdefault(id(one), (one, {}))
        return one


@cache
def memoised(step: Step) -> Step:
    """`step`, remembered for as long as the process lives."""
    return _Memoised(step)
