"""What of a past can still matter where there is no time: there, two pasts that no rule tells apart are one value.

A search through all that can happen meets the same state of affairs again and again, by other ways: after other
requests, other numbers of entries, other answers that said the same. To a monitor these are the same if all that it may
yet find is the same. So each monitor says, beside its rule, what it keeps of its state then: its `essence`.

    evidence         what only tells where something was seen (marks, times, how often): BLANK, nothing, zero
    what is decided  is told once, by the rule, before it is dropped
    order            what a rule compares: of the numbers of entries, only their order among those compared
    requests         of which nothing more can be heard

An essence is a state like any other: it is fed on with entries whose numbers are higher than all of its own, and what
it keeps it finds as it would have. So it may say less than it could, and never more: what it drops wrongly is a fault
that is not found, or one that is not there; what it need not keep costs no more than room.

Numbers of entries are compared with a few of them only, such as those of the questions that may yet be answered. All
that lie between the same two of these are alike, and so are these if none of the others lies between.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from agent.values import ExecutionKey
from simulator.verdict.frozen import Map
from simulator.verdict.seen import Mark

V = TypeVar("V")

BLANK: Final = Mark("", 0, 0)
"""Of what was seen, that it was."""
NOW: Final = 0
ON_RECORD: Final = -1_000_000
"""Times, in microseconds: of what a device was told before its journal was last written, which a loss of power leaves.

See `telling.JOURNAL_MICROS`.
"""


class Compared(NamedTuple):
    """Numbers of entries that a rule compares: those that others are compared `with`, and these `others`."""

    with_: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    def ranks(self, lowest: int) -> "Ranks":
        """Their order, as far as it matters: how one of either sort stands to those of the other.

        `lowest` is for those of the others that are below all.
        """
        if not self.with_:
            return Ranks(Map(dict.fromkeys(self.others, lowest)))
        numbers = sorted([(n, True) for n in self.with_] + [(n, False) for n in self.others])
        rank, was, ranks = lowest, False, dict[int, int]()
        for n, is_pivot in numbers:
            rank, was = rank + (is_pivot != was), is_pivot
            ranks[n] = rank
        return Ranks(Map(ranks))

    def and_(self, more: "Compared") -> "Compared":
        """With others."""
        return Compared(self.with_ + more.with_, self.others + more.others) if more != NO_NUMBERS else self


NO_NUMBERS: Final = Compared()


class Ranks(NamedTuple):
    """The place of each number."""

    ranks: Map[int, int]

    def __call__(self, n: int) -> int:
        """Where it stands; 0 if it is not compared."""
        return self.ranks.get(n, 0)


@dataclass(slots=True)
class Past:
    """What a monitor must know of the account beside it to tell what can still matter.

    `told` and `cloud` are the orders of the client's own entries and of the cloud's; `now` is the client's time, in
    microseconds; `open` are the tokens of requests that may yet be heard of, `over` the executions that have ended.
    """

    told: Ranks
    cloud: Ranks
    now: int
    open: frozenset[str]
    over: frozenset[ExecutionKey]
    in_hand: tuple[ExecutionKey, ...]
    takings: Map[ExecutionKey, int]
    """How often each has been taken."""
    queued: frozenset[ExecutionKey]
    """Those of whose queueing the cloud has told, so that documents need not tell it from another."""
    closed: frozenset[ExecutionKey]
    """Those that are over, as the device was told, so that it may give them up; and no answer says otherwise."""
    updated: frozenset[ExecutionKey | None]
    """Those that an update which may yet be answered is meant for."""

    def mark(self, mark: Mark) -> Mark:
        """The place of one of the client's own entries in their order."""
        return Mark("", self.told(mark.n), NOW)

    def is_left(self, key: ExecutionKey) -> bool:
        """Whether the device had taken it, and is done with it."""
        return self.takings.get(key, 0) > 0 and key not in self.in_hand


class Sight(NamedTuple):
    """What the steps of a monitor look at, beside an entry: names of fields, and all else is hidden from them.

    They are those of the client's testimony, of what it had heard of the executions that the entry tells of, of the
    exchange that the entry belongs to, and of the cloud's record. `news`: what an answer says of executions.
    """

    testimony: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    exchange: tuple[str, ...] = ()
    record: tuple[str, ...] = ()
    news: bool = False


SEES_NOTHING: Final = Sight()


@dataclass(frozen=True, slots=True)
class ByOrder:
    """What of an invariant is decided by the order of what happens, without any time.

    `essence` is what its state comes to, by what it looks at of the past: `needs` are the names of these fields, and
    `sees` says what its steps look at. The less that is, the more pasts are one to it, and the seldomer it is asked.

    `decides` and `leaves` say for people what is decided, and what is left to what else: empty, if nothing. `at_rest`:
    some of it only where nothing goes on any more, as if the run ended there. `told` and `cloud` are the numbers that
    are compared besides those of the testimony, of the client's own entries and of the cloud's. The first is given when
    it was told of each execution that this has ended; the second which executions are over, and which of them an update
    is meant for that may yet be answered. `renamed` is an essence with other names for tokens, if it has any.
    """

    decides: str
    essence: Callable[[Any, Past], Any]
    needs: tuple[str, ...] = ()
    sees: Sight = SEES_NOTHING
    leaves: str = ""
    at_rest: bool = False
    told: Callable[[Any, Map[ExecutionKey, int]], Compared] | None = None
    cloud: Callable[[Any, frozenset[ExecutionKey], frozenset[ExecutionKey | None]], Compared] | None = None
    renamed: Callable[[Any, Mapping[str, str]], Any] | None = None


@dataclass(frozen=True, slots=True)
class ByTime:
    """Nothing of an invariant is decided by order alone; `leaves` says what is left, and to what."""

    leaves: str


def in_order(keys: Iterable[ExecutionKey]) -> tuple[ExecutionKey, ...]:
    """Executions in an order that does not tell which came first."""
    found = tuple(keys)
    return tuple(sorted(found, key=_place)) if len(found) > 1 else found


def by_execution(values: Map[ExecutionKey, V]) -> Map[ExecutionKey, V]:
    """The same in such an order."""
    return Map((key, values[key]) for key in in_order(values)) if len(values) > 1 else values


def _place(key: ExecutionKey) -> tuple[str, str, int, int]:
    return key.namespace_id or "", key.job_id, key.queued_at, key.execution_number


def in_any_order(values: Iterable[V]) -> tuple[V, ...]:
    """What is told apart by its words alone, each once."""
    return tuple(sorted(dict.fromkeys(values), key=repr))
