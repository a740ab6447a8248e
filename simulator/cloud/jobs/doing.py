"""What one command does, and what takes longer than one command may.

A job may have a hundred thousand executions. To queue, cancel or remove them all at once would keep everybody else
waiting for seconds, so a command does the first few itself, and what is left is work: it is under way, and `tick` goes
on with it, so much at a time as its caller says.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from agent.values import Answer, Hint, Status
from simulator.cloud.jobs.changes import Change, Outcome
from simulator.cloud.jobs.events import Event

if TYPE_CHECKING:
    from simulator.cloud.jobs.ledger import Ledger

OF_THING: Final = "thing/"
"""No job id begins so: it has a character that those do not."""
AT_ONCE: Final = 25
"""So many executions a command queues, cancels or removes itself: less than a millisecond of it."""


class Forgotten(NamedTuple):
    """What the indexes had of a job that is gone."""

    things: list[str]
    counts: dict[Status, int]
    born: int


class Doing:
    """The changes, hints and events of one command, or of the turns of one tick, as they come about.

    `at_once`: of what takes long, so many executions may be done at once, and the rest later. `forgotten`: by job
    id, those that are gone.
    """

    __slots__ = ("at_once", "changes", "events", "forgotten", "hints")

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.at_once = at_once
        self.changes: list[Change] = []
        self.hints: list[tuple[str, Hint]] = []
        self.events: list[Event] = []
        self.forgotten: dict[str, Forgotten] = {}

    def outcome(self, answer: Answer | None = None) -> Outcome:
        """What came of it."""
        return Outcome(answer, tuple(self.changes), tuple(self.hints), tuple(self.events))


@dataclass(frozen=True, slots=True)
class Work(ABC):
    """What is under way. It is data with a position, and the ledger is handed in, so that a copy of the service goes on
    by itself.
    """

    whose: str
    """The id of a job, or `thing/` and the name of a thing: what waits, and is tried again, together."""

    def is_of(self, job_id: str) -> bool:
        """Whether it is work on that job."""
        return self.whose == job_id

    def put_last(self, ledger: "Ledger") -> None:
        """What comes first has failed alone: have it wait behind the rest, if that is independent of it."""
        return

    @abstractmethod
    def go_on(self, ledger: "Ledger", doing: Doing, now: float, count: int) -> Self | None:
        """Do so many more: what is left then; None if it is finished."""


@dataclass(frozen=True, slots=True)
class WorkOnJob(Work):
    """What is under way for a job: `each` is done for every one of `things`, then `finish`."""

    things: tuple[str, ...]
    done: int = field(default=0, kw_only=True)
    """Of how many things it is done already."""

    @property
    def job_id(self) -> str:
        """Of the job."""
        return self.whose

    @abstractmethod
    def each(self, ledger: "Ledger", doing: Doing, thing: str, now: float) -> None:
        """What is to be done about one thing."""

    @abstractmethod
    def finish(self, ledger: "Ledger", doing: Doing, now: float) -> None:
        """What is to be done after the last one."""

    def go_on(self, ledger: "Ledger", doing: Doing, now: float, count: int) -> Self | None:
        """Do so many more: what is left then; None if it is finished."""
        until = self.done + count
        for thing in self.things[self.done : until]:
            self.each(ledger, doing, thing, now)
        if until <= len(self.things):
            return replace(self, done=until)
        self.finish(ledger, doing, now)
        return None
