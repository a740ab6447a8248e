"""What a story is: who does what, and what is to be said of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest

from tests.simulator.verdict.tale import Tale


@dataclass(frozen=True)
class Story:
    """What `tell` tells is `outcome` for the invariant; a violation is shown by events of the types in `shown_by`."""

    invariant: str
    outcome: Literal["held", "violated", "undecided", "not-exercised"]
    tell: Callable[[Tale], None]
    shown_by: tuple[str, ...] = ()
    opportunities: int | None = None

    def told(self) -> Tale:
        tale = Tale()
        self.tell(tale)
        tale.end()
        return tale


STORIES: list[Story] = []


def story(
    invariant: str,
    outcome: Literal["held", "violated", "undecided", "not-exercised"],
    *shown_by: str,
    opportunities: int | None = None,
) -> Callable[[Callable[[Tale], None]], Callable[[Tale], None]]:
    def add(tell: Callable[[Tale], None]) -> Callable[[Tale], None]:
        STORIES.append(Story(invariant, outcome, tell, shown_by, opportunities))
        return tell

    return add


def with_outcome(*outcomes: str) -> list[object]:
    return [
        pytest.param(each, id=f"{each.invariant}: {each.tell.__name__.replace('_', ' ')}")
        for each in STORIES
        if each.outcome in outcomes
    ]
