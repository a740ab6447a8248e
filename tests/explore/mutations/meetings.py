"""All that our agent meets: a state and an event, what comes of them, and by which of its rules.

So what a mutation makes something else of is known without living through it all again: it is asked of what it meets,
and only where the place that is changed was run for it. What never ran cannot make a difference.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias

from agent.core import step
from agent.core.events import Effect, Event
from simulator.devices.models import MODELS
from simulator.devices.models.model import Model
from tests.explore.mutations.places import function_of, places
from tests.explore.mutations.switched import Mutation, switched
from tests.explore.mutations.words import Difference, difference

OURS: Final = "reference"
Outcome: TypeAlias = tuple[Any, tuple[Effect, ...]]


class Meeting:
    """One, of which there is no second. `ran` are the names of the places that were run for it."""

    __slots__ = ("event", "outcome", "ran", "state")

    def __init__(self, state: Any, event: Event, outcome: Outcome, ran: frozenset[str]) -> None:
        self.state, self.event, self.outcome, self.ran = state, event, outcome, ran

    def outcome_now(self) -> object:
        """What comes of it, be it an error."""
        try:
            return step(self.state, self.event)
        except Exception as error:  # whatever a mutation makes of it
            return error


class Meetings:
    """Those of our agent, each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, Event], Meeting] = {}
        self._runs: dict[frozenset[str], frozenset[str]] = {}
        self._taken = set[Meeting]()

    def step(self, state: Any, event: Event) -> Outcome:
        """Our agent's, which is asked once for each."""
        meeting = self._known.get((state, event))
        if meeting is None:
            outcome, ran = _run(state, event)
            meeting = Meeting(state, event, outcome, self._runs.setdefault(ran, ran))
            self._known[state, event] = meeting
        self._taken.add(meeting)
        return meeting.outcome

    def taken(self) -> frozenset[Meeting]:
        """Those that there were since this was asked last."""
        taken = frozenset(self._taken)
        self._taken.clear()
        return taken


@contextmanager
def cast(ours: Callable[[Any, Event], Outcome]) -> Iterator[None]:
    """Whoever is cast as our agent meanwhile steps so: by a function of its own, of which no engine remembers any."""
    before = MODELS[OURS]
    MODELS[OURS] = Model(lambda state, event: ours(state, event))
    try:
        yield
    finally:
        MODELS[OURS] = before


def differing(mutations: Sequence[Mutation], meetings: Iterable[Meeting]) -> dict[Meeting, Difference]:
    """Of which of these the mutations make something else, and what."""
    changed = {each.place.function for each in mutations}
    with switched(*mutations):
        asked = [each for each in meetings if not changed.isdisjoint(each.ran)]
        found = {each: difference(each.outcome_now(), each.outcome) for each in asked}
    return {each: differs for each, differs in found.items() if differs}


def _run(state: Any, event: Event) -> tuple[Outcome, frozenset[str]]:
    names, ran, before = _names(), set[str](), sys.getprofile()

    def note(frame: FrameType, what: str, _: object) -> None:
        if what == "call" and frame.f_code in names:
            ran.add(names[frame.f_code])

    sys.setprofile(note)
    try:
        outcome = step(state, event)
    finally:
        sys.setprofile(before)
    return outcome, frozenset(ran)


@cache
def _names() -> dict[CodeType, str]:
    """Of our agent as it is, the places by their functions' code."""
    return {function_of(place).__code__: place.function for place in places()}
