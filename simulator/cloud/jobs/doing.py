"""What one command does, and what takes longer than one command may.

A job may have a hundred thousand executions. To queue, cancel or remove them all at once would keep everybody else
waiting for seconds, so a command does the first few itself, and what is left is work: it is under way, and `tick` goes
on with it, so much at a time as its caller says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from agent.values import Answer, Hint
from simulator.cloud.jobs.changes import Change, Outcome
from simulator.cloud.jobs.events import Event

AT_ONCE: Final = 25
"""So many executions a command queues, cancels or removes itself: less than a millisecond of it."""


class Doing:
    """One command's changes, hints and events as they come about.

    `at_once`: of what takes long, so many executions may be done at once, and the rest later.
    """

    __slots__ = ("at_once", "changes", "events", "hints")

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.at_once = at_once
        self.changes: list[Change] = []
        self.hints: list[tuple[str, Hint]] = []
        self.events: list[Event] = []

    def outcome(self, answer: Answer | None = None) -> Outcome:
        """What came of it."""
        return Outcome(answer, tuple(self.changes), tuple(self.hints), tuple(self.events))


@dataclass(slots=True)
class Work:
    """What is under way for a job: `each` is done for every one of `things`, then `finish`."""

    job_id: str
    things: Iterator[str]
    each: Callable[[Doing, str, float], None]
    finish: Callable[[Doing, float], None]

    def go_on(self, doing: Doing, now: float, count: int) -> bool:
        """Do so many more; whether it is finished."""
        left = count
        for thing in islice(self.things, count):
            self.each(doing, thing, now)
            left -= 1
        if left:
            self.finish(doing, now)
        return left > 0
