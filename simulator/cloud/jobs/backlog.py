"""What takes longer than one command may: begun by one, gone on with by `tick`, held for a while after it failed.

A job may have a hundred thousand executions. To queue, cancel or remove them all at once would keep everybody else
waiting for seconds, so a command does the first few itself, and what is left is work in the backlog: `tick` goes on
with it, so much at a time as its caller says, and then with the work on other jobs.

All of it is data with a position. What it does is told where the command is that begins it (see `ticking.go_on`).
Ten thousand jobs may be under way at once: whose work it is finds it, and nothing here looks at that of all others.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
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


class HeldWork(NamedTuple):
    """Work that failed waits until then."""

    until: float
    work: BackgroundWork


class Backlog(NamedTuple):
    """A backlog as a value: what is under way, the next to go on first; what is held, the next to be tried again first;
    and how often who has failed since he last did not, by name.
    """

    under_way: tuple[BackgroundWork, ...] = ()
    held: tuple[HeldWork, ...] = ()
    failures: tuple[tuple[WorkOwner, int], ...] = ()


NOTHING_TO_DO: Final = Backlog()


class OfOwner(NamedTuple):
    """What an owner has in a backlog; `turn` says where its work stands among what is under way."""

    turn: tuple[int, BackgroundWork] | None
    held: HeldWork | None
    failures: int


class Works:
    """A backlog that is changed in place; when what is held is to be tried again is for its owner, the ledger, to know.

    Nobody has more than one piece of work: what is begun for a job takes the place of what was under way for it.
    """

    __slots__ = ("_last", "failures", "held", "under_way")

    def __init__(self, value: Backlog = NOTHING_TO_DO) -> None:
        self.under_way: OrderedDict[WorkOwner, tuple[int, BackgroundWork]] = OrderedDict()
        """What goes on, each with its turn: the next first."""
        self._last = 0
        self.held: dict[WorkOwner, HeldWork] = {owner_of(held.work): held for held in value.held}
        self.failures: dict[WorkOwner, int] = dict(value.failures)
        for work in value.under_way:
            self.put(work)

    def value(self) -> Backlog:
        """All of it."""
        if not (self.under_way or self.held or self.failures):
            return NOTHING_TO_DO
        return Backlog(
            tuple(work for _, work in self.under_way.values()),
            tuple(held for _, held in sorted(self.held.items(), key=lambda item: (item[1].until, _name(item[0])))),
            tuple(sorted(self.failures.items(), key=lambda item: _name(item[0]))),
        )

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def first(self) -> BackgroundWork:
        """What goes on next; there is something."""
        return next(iter(self.under_way.values()))[1]

    def of(self, owner: WorkOwner) -> BackgroundWork | None:
        """The owner's work, whether it goes on or waits."""
        if (turn := self.under_way.get(owner)) is not None:
            return turn[1]
        held = self.held.get(owner)
        return None if held is None else held.work

    def times_failed(self, owner: WorkOwner) -> int:
        """How often in a row; counted up to `MOST_TIMES`."""
        return self.failures.get(owner, 0)

    # ── changing ──────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, work: BackgroundWork) -> None:
        """Have that work, of somebody who has none, under way, as the last."""
        self._last += 1
        self.under_way[owner_of(work)] = (self._last, work)

    def drop(self, owner: WorkOwner) -> None:
        """Have the owner have no work."""
        self.under_way.pop(owner, None)
        self.held.pop(owner, None)

    def fail(self, owner: WorkOwner, times: int) -> None:
        """The owner has failed so often in a row."""
        if times:
            self.failures[owner] = min(times, MOST_TIMES)
        else:
            self.failures.pop(owner, None)

    def move(self, moved: Callable[[BackgroundWork], BackgroundWork], by: float) -> None:
        """Have other work in the place of each, and what is held wait by so many seconds longer."""
        for owner, (turn, work) in self.under_way.items():
            self.under_way[owner] = (turn, moved(work))
        self.held = {owner: HeldWork(until + by, moved(work)) for owner, (until, work) in self.held.items()}

    # ── taking back ───────────────────────────────────────────────────────────────────────────────────────────

    def of_owner(self, owner: WorkOwner) -> OfOwner:
        """What an owner has: what `bring_back` takes."""
        return OfOwner(self.under_way.get(owner), self.held.get(owner), self.times_failed(owner))

    def bring_back(self, owner: WorkOwner, was: OfOwner) -> None:
        """An owner that has nothing has again what it had, under way in its old place."""
        self.fail(owner, was.failures)
        if was.held is not None:
            self.held[owner] = was.held
        if was.turn is not None:
            self.under_way[owner] = was.turn
            self.under_way = OrderedDict(sorted(self.under_way.items(), key=lambda item: item[1][0]))


def _name(owner: WorkOwner) -> tuple[str, str]:
    return owner.job_id or "", owner.thing or ""
