"""What a monitor of an invariant takes in and gives out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from agent.values import ExecutionKey
from simulator.verdict.bounds import Bounds
from simulator.verdict.clocks import Offset
from simulator.verdict.exchanges import Exchange
from simulator.verdict.heard import AnswerNews
from simulator.verdict.limits import Limits
from simulator.verdict.lives import Life, ThingRecord
from simulator.verdict.occasions import Refusal
from simulator.verdict.past import ByOrder, ByTime
from simulator.verdict.seen import Mark
from simulator.verdict.stalls import Lag
from simulator.verdict.state import State
from simulator.verdict.testimony import Testimony

FOUND = 256
"""So many violations and doubts of one device are remembered; it is no less guilty of one more."""


class Course(NamedTuple):
    """What must be known of the run as a whole.

    `ended` says whether the run is over; `cloud_end` is the last instant, in microseconds, of the cloud's account;
    `lag` is when processes did not run.
    """

    bounds: Bounds
    ended: bool
    cloud_end: int
    lag: Lag


class Moment(NamedTuple):
    """An entry that comes in; `testimony` is how things stood with the client before it, if it is of its own.

    `exchange` is the one that a request or an answer belongs to, `news` what an answer says of executions.
    """

    mark: Mark
    event: Any
    testimony: Testimony
    record: ThingRecord
    limits: Limits
    exchange: Exchange | None = None
    news: tuple[AnswerNews, ...] = ()


Reads: TypeAlias = dict[type, Callable[[Any, Moment], None]]
"""What becomes of a monitor's state, in place, with an event of a type; it is given no others."""


class Subject(NamedTuple):
    """A client of a thing when the verdict is asked for."""

    thing: str
    testimony: Testimony
    record: ThingRecord
    limits: Limits
    offset: Offset
    course: Course

    @property
    def is_wire(self) -> bool:
        """Whether it gave no account, and the wire is all there is."""
        return self.testimony.is_wire

    def is_shared(self, key: ExecutionKey) -> bool:
        """Whether more than one execution had this identity."""
        return self.testimony.is_shared(key, self.record)

    def lives_of(self, key: ExecutionKey) -> list[Life]:
        """The incarnations with this identity."""
        return [life for life in self.record.lives.values() if life.key == key]

    def by_occasions(self, ruling: "Ruling", times: int, refusal: Refusal | None = None) -> "Ruling":
        """Of a device that is not ours, what it comes to by so many occasions: see `simulator.verdict.occasions`.

        It held on each of them on which nothing was found; on none, if it went on with what it was refused so. Of ours,
        which tell what they were told, what it comes to by that.
        """
        if not self.limits.is_foreign:
            return ruling
        if refusal in self.record.occasions.went_on:
            times = 0
        return Ruling(max(times - len(ruling.findings), 0), ruling.findings)

    @property
    def span(self) -> tuple[float, float] | None:
        """When the thing was last connected; as if from the cloud's clock."""
        return self.record.last_span


@dataclass(frozen=True, slots=True)
class Finding:
    """What one opportunity to break an invariant came to; `message` says what was violated, or why it is undecided."""

    outcome: Literal["violated", "undecided"]
    job: str | None = None
    message: str = ""
    events: tuple[str, ...] = ()


HELD: Final = (None,)
"""Of a finding in an opportunity in which an invariant held."""


class Ruling(NamedTuple):
    """What an invariant says of one client: in how many opportunities it held, and what it found in others."""

    held: int = 0
    findings: tuple[Finding, ...] = ()

    def but(self, *findings: Finding | None) -> "Ruling":
        """With findings more; None is one opportunity more in which it held."""
        if findings == HELD:
            return Ruling(self.held + 1, self.findings)
        found = tuple(finding for finding in findings if finding is not None)
        return Ruling(self.held + len(findings) - len(found), (*self.findings, *found)[:FOUND])


NOTHING_YET: Final = Ruling()


def ruling(findings: Iterable[Finding | None]) -> Ruling:
    """What it says by these; None is an opportunity in which it held."""
    return NOTHING_YET.but(*findings)


def violated(job: str | None, message: str, *events: Mark | None) -> Finding:
    """A violation; of `events`, those that were seen."""
    return Finding("violated", job, message, tuple(mark.id for mark in events if mark is not None))


def undecided(job: str | None, why: str, *events: Mark | None) -> Finding:
    """What cannot be decided; of `events`, between which it lies, those that were seen."""
    return Finding("undecided", job, why, tuple(mark.id for mark in events if mark is not None))


@dataclass(frozen=True, slots=True)
class Invariant:
    """A public name, what a device does that breaks it, and how one client of a thing is watched for that.

    Its monitor begins with what `start` gives, and `reads` feeds that. `rule` says what a state comes to, and is fit to
    run before the run has ended. `without_time` is what of it can be judged where there is no time, such as by a search
    through all that can happen. `of_requests`: it is about what one client asks, and is asked of each of a thing's.
    """

    id: str
    broken_by: str
    start: Callable[[], State | None]
    reads: Reads
    rule: Callable[[Any, Subject], Ruling]
    without_time: ByOrder | ByTime
    of_requests: bool = False
