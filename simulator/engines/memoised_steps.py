"""A pure step, remembered: what one device of a fleet went through, the next one goes through for a look-up.

Devices of one kind differ in names and in the instants at which things happen to them, and neither is in their state.
So a fleet has few states for its size, and equal states become one object, which is what makes them cheap to hold,
too. A step that is not pure, or a state that changes in place, must not be remembered.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeAlias

StepFunction: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""Of a state and an event: the state after it, and what else comes of it."""

LIMIT: Final = 32_000
"""So many transitions are remembered of one kind of device; then all are forgotten.

A device goes through a few hundred in a job, and others if its execution was queued in another second: four thousand
live ones through seven thousand. Nobody asks again for those of a job that is over: a play that goes on for a day must
not keep them.
"""


class _Memoised:
    """The same step, faster the second time."""

    def __init__(self, step: StepFunction) -> None:
        self._step = step
        self._count = 0
        self._same: dict[Any, Any] = {}
        self._after: dict[int, tuple[Any, dict[Any, tuple[Any, Any]]]] = {}
        """By the identity of a state, which is held here so that no other object can have it: what events led to."""

    def __call__(self, state: Any, event: Any) -> tuple[Any, Any]:
        known = self._after.get(id(state)) or self._after[id(self._one(state))]
        then = known[1].get(event)
        return self._learn(*known, event) if then is None else then

    def _learn(self, state: Any, after: dict[Any, tuple[Any, Any]], event: Any) -> tuple[Any, Any]:
        # A state's hash costs as much as many a step: of one that is known by its identity, nobody asks for it.
        if self._count >= LIMIT:
            self._count = 0
            self._same.clear()
            self._after.clear()
        following, effects = self._step(state, event)
        then = after[event] = self._one(following), effects
        self._count += 1
        return then

    def _one(self, state: Any) -> Any:
        """The one object for all states that equal this one."""
        one = self._same.setdefault(state, state)
        if one is state:
            self._after.setdefault(id(one), (one, {}))
        return one


@cache
def memoised(step: StepFunction) -> StepFunction:
    """`step`, remembered for as long as the process lives."""
    return _Memoised(step)
