"""What takes longer than one command may: begun by one, gone on with by `tick`, held for a while after it failed.

A job may have a hundred thousand executions. To queue, cancel or remove them all at once would keep everybody else
waiting for seconds, so a command does the first few itself, and what is left is work in the backlog: `tick` goes on
with it, so much at a time as its caller says, and then with the work on other jobs.

All of it is data with a position. What it does is told where the command is that begins it (see `ticking.go_on`).
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

AT_ONCE: Final = 25
"""So many executions a command queues, cancels or removes itself: less than a millisecond of it."""
MOST_TIMES: Final = 10
"""More failures in a row are not counted: the pause is the longest by then (see `ticking`)."""


class WorkOwner(NamedTuple):
    """A job, or a thing whose jobs learn of it: what waits, and is tried again, together. The other one is None."""

    job_id: str | None
    thing: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveRecords:
    """The records of a job's executions go, one thing after the other, and then perhaps the job."""

    job_id: str
    done: int = 0
    """Of how many of the things that have or had an execution it is done already."""


@dataclass(frozen=True, slots=True)
class CancelRest:
    """What is to be cancelled of a job's executions is, one thing after the other."""

    job_id: str
    done: int = 0
    """Of how many of the things that have or had an execution it is done already."""


@dataclass(frozen=True, slots=True)
class RollOut:
    """A job's things from the place `next` up to `until` have their turn, one after the other.

    `next_due` is when those after them have theirs; None: at once, should there be any by then.
    """

    job_id: str
    next: int
    until: int
    next_due: float | None


@dataclass(frozen=True, slots=True)
class TellJobs:
    """Things' jobs learn the news of them, thing after thing; what is left of the news is the position.

    `thing`: whose jobs learn them, where that failed and is held; None while it is under way, for whoever is next.
    """

    thing: str | None = None


BackgroundWork: TypeAlias = RemoveRecords | CancelRest | RollOut | TellJobs


def owner_of(work: BackgroundWork) -> WorkOwner:
    """What it is work on."""
    return WorkOwner(None, work.thing) if isinstance(work, TellJobs) else WorkOwner(work.job_id)


def _by_name(failed: tuple[WorkOwner, int]) -> tuple[str, str]:
    return failed[0].job_id or "", failed[0].thing or ""


class HeldWork(NamedTuple):
    """Work that failed waits until then."""

    until: float
    work: BackgroundWork


class Backlog(NamedTuple):
    """What is under way, the next to go on first; what is held; and how often who has failed since he last did not.

    Nobody has more than one piece of work: what is begun for a job takes the place of what was under way for it.
    """

    under_way: tuple[BackgroundWork, ...] = ()
    held: tuple[HeldWork, ...] = ()
    failures: tuple[tuple[WorkOwner, int], ...] = ()

    def put(self, work: BackgroundWork) -> "Backlog":
        """With that work under way, as the last."""
        left = self.without(owner_of(work))
        return Backlog((*left.under_way, work), left.held, left.failures)

    def gone_on(self, left: BackgroundWork | None) -> "Backlog":
        """With what is left of the first waiting behind the others; None is nothing."""
        others = self.under_way[1:]
        return Backlog(others if left is None else (*others, left), self.held, self.failures)

    def hold(self, work: BackgroundWork, until: float) -> "Backlog":
        """With that work waiting until then."""
        left = self.without(owner_of(work))
        return left._replace(held=tuple(sorted((*left.held, HeldWork(until, work)), key=itemgetter(0))))

    def without(self, owner: WorkOwner) -> "Backlog":
        """Without the owner's work; itself if there is none."""
        if not any(owner_of(work) == owner for work in self.works()):
            return self
        under_way = tuple(work for work in self.under_way if owner_of(work) != owner)
        held = tuple(each for each in self.held if owner_of(each.work) != owner)
        return Backlog(under_way, held, self.failures)

    def works(self) -> tuple[BackgroundWork, ...]:
        """All of it, whether it goes on or waits."""
        return (*self.under_way, *(work for _, work in self.held)) if self.held else self.under_way

    def of(self, owner: WorkOwner) -> BackgroundWork:
        """The owner's work."""
        return next(work for work in self.works() if owner_of(work) == owner)

    def times_failed(self, owner: WorkOwner) -> int:
        """How often in a row; counted up to `MOST_TIMES`."""
        return next((times for each, times in self.failures if each == owner), 0)

    def with_failures(self, owner: WorkOwner, times: int) -> "Backlog":
        """With so many failures in a row; itself if it is so."""
        times = min(times, MOST_TIMES)
        if times == self.times_failed(owner):
            return self
        others = tuple(each for each in self.failures if each[0] != owner)
        return self._replace(failures=tuple(sorted((*others, (owner, times)), key=_by_name)) if times else others)


NOTHING_TO_DO: Final = Backlog()
