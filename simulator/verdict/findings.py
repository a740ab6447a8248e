"""What a check of an invariant takes in and gives out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from simulator.scenario import Bounds
from simulator.verdict.history import Seen
from simulator.verdict.story import Story


@dataclass(frozen=True, slots=True)
class Run:
    """What a check must know of the run as a whole.

    `ended` says whether the run is over; `cloud_end` is the last instant, in microseconds, of the cloud's account.
    """

    bounds: Bounds
    ended: bool
    cloud_end: int

    @property
    def ready_seconds(self) -> float:
        """How long a device may take to be ready again, be it in the middle of a step that cannot be stopped."""
        return self.bounds.ready_seconds + self.bounds.uninterruptible_seconds


@dataclass(frozen=True, slots=True)
class Finding:
    """What one opportunity to break an invariant came to; `message` says what was violated, or why it is undecided."""

    outcome: Literal["held", "violated", "undecided"]
    job: str | None = None
    message: str = ""
    events: tuple[str, ...] = ()


HELD = Finding("held")


def violated(job: str | None, message: str, *events: Seen[Any] | None) -> Finding:
    """A violation; of `events`, those that were seen."""
    return Finding("violated", job, message, tuple(seen.id for seen in events if seen is not None))


def undecided(job: str | None, why: str, *events: Seen[Any] | None) -> Finding:
    """What cannot be decided; of `events`, between which it lies, those that were seen."""
    return Finding("undecided", job, why, tuple(seen.id for seen in events if seen is not None))


Check: TypeAlias = Callable[[Story, Run], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A public name, what a device does that breaks it, and how one device's story is judged by it.

    The check yields one finding for each opportunity, and is fit to run before the run has ended. `of_requests`: it is
    about what one client asks, and says something of each client of a thing.
    """

    id: str
    broken_by: str
    check: Check
    of_requests: bool = False
