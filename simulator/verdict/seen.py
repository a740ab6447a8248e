"""What a monitor is fed: an event, with its place in its source's order, in whole microseconds."""

from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from agent.device_events import StepProgressed
from simulator.trace import CLOUD, PROBE, ClientSubscribed, Entry, FaultOver, FaultStruck, FlashChanged, device_source

E_co = TypeVar("E_co", covariant=True)

UNJUDGED: Final = frozenset({StepProgressed, FlashChanged, ClientSubscribed, FaultStruck, FaultOver})
"""What no invariant and no place reads; the first two are by far the most numerous."""

TIMER_SLACK = 5_000
"""Microseconds that a wait may be short of its bound: event loops count in whole milliseconds."""

_DEVICE = device_source("")
_new: Any = tuple.__new__


def micros(seconds: float) -> int:
    """Whole microseconds: what a trace file keeps, and what adds and compares without rounding."""
    return round(seconds * 1_000_000)


class Mark(NamedTuple):
    """Where an entry stands: all that is kept of one. `at` is microseconds on its source's clock, `n` orders it there.

    What was inferred from another entry has an order of its own; then `shown_by` is the number of that entry. Of those
    that belong between the same two entries, such as requests that the network kept in a silence, `at` tells.
    """

    source: str
    n: int
    at: int
    shown_by: int | None = None

    @property
    def id(self) -> str:
        """The id of the trace entry."""
        return f"{self.source}#{self.n if self.shown_by is None else self.shown_by}"

    def is_before(self, other: "Mark") -> bool:
        """Whether it comes before another of its source's."""
        return self.n < other.n or (self.n == other.n and self.at < other.at)


class Told(NamedTuple):
    """When a device asked, and when it had the answer to that."""

    sent: Mark
    answer: Mark

    def is_crossed_by(self, asked: Mark) -> bool:
        """Whether the device `asked` something else after this question, and before it was answered."""
        return self.sent.is_before(asked) and asked.n < self.answer.n


class Seen(NamedTuple, Generic[E_co]):
    """An event where its entry stands."""

    mark: Mark
    event: E_co


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What befell an execution in a namespace of others, who live on the same thing, or of a job of another run.

    `is_provocation`: it may be one of this run's, of which it wants to know where its executions are.
    """

    event: Any
    is_provocation: bool = False


def seen_in(entry: Entry) -> Seen[Any]:
    """An entry as monitors are fed it."""
    source, n, at, event = entry
    # Not `Seen(…)`, which is a function of its own around this.
    seen: Seen[Any] = _new(Seen, (_new(Mark, (source, n, round(at * 1_000_000), None)), event))
    return seen


def thing_of(entry: Entry) -> str | None:
    """The thing that an entry tells of; None for what concerns a job or the run."""
    if entry.source in (CLOUD, PROBE):
        return getattr(entry.event, "thing", None)
    return entry.source.removeprefix(_DEVICE) if entry.source.startswith(_DEVICE) else None
