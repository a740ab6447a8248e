"""All that a forecast plays: each action with each seed once, several at a time, and how far that is."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from simulator.engines.forks import each_of
from simulator.forecast.action import Action
from simulator.forecast.course import Course
from simulator.forecast.played import played
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Situation

OnePlay: TypeAlias = tuple[Action, int]
"""With its seed."""


class HowFar(NamedTuple):
    """`done` of `expected` plays, which may turn out to be more, or fewer; `seconds` since the first began."""

    done: int
    expected: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """If each takes as long as one did so far; None: none was done."""
        return self.seconds / self.done * (self.expected - self.done) if self.done else None


@dataclass(slots=True)
class Plays:
    """Plays of a situation in so many `processes`; `tell` hears how far they are: whenever one is done, and while more
    than one go on, now and then.
    """

    situation: Situation
    quotas: Quotas
    processes: int
    expected: int
    tell: Callable[[HowFar], None]
    _courses: dict[OnePlay, Course] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def play(self, wanted: Sequence[OnePlay]) -> list[Course]:
        """What comes of each. Raises InputError, ForkDiedError."""
        new = [one for one in dict.fromkeys(wanted) if one not in self._courses]
        self.expected = max(self.expected, len(self._courses) + len(new))
        with closing(each_of(self._played, new, self.processes, self._tell)) as courses:
            for one, course in zip(new, courses, strict=True):
                self._courses[one] = course
                self._tell()
        return [self._courses[one] for one in wanted]

    def _tell(self) -> None:
        self.tell(HowFar(len(self._courses), self.expected, time.monotonic() - self._began))

    def _played(self, one: OnePlay) -> Course:
        action, seed = one
        return played(self.situation.scenario, action, seed, self.situation.standing, self.quotas)
