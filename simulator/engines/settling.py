"""When a device that is not ours has done, after a deletion, what the verdict needs to see of it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from agent.values import ExecutionKey
from simulator.engines.casting import Casting
from simulator.pace import Pace
from simulator.trace import TERMINAL, Entry, ExecutionChanged, ExecutionRemoved

GRACE_SECONDS: Final = 0.15
"""So long a device that has done its next job is still watched: what it had sent before has come by then."""


class Loss(NamedTuple):
    """An execution that was taken from a thing; `until`, by the pace, is when it has had time enough to find out."""

    thing: str
    until: float
    next: ExecutionKey | None = None
    """What it has begun since."""


class Settling:
    """Waits, after the removal of an execution, for what the device makes of it.

    A ghost shows itself within the time in which a device has to find out (detection_seconds): it reports on what is
    gone, or starts another step. Nobody needs to wait so long for a device that has begun another execution since, and
    brought it to its end: it has turned to that, and whatever it did until then has been seen. What it sent beside that
    arrives within a moment, which is granted. A device that has nothing next gets its whole time, from the removal.

    Only executions of the run's own jobs and things count: a cloud that stays up removes others as well.
    """

    def __init__(self, casting: Casting, changed: Callable[[], None]) -> None:
        self._casting = casting
        self._things = frozenset(thing for thing, _ in casting.things)
        self._seconds = casting.scenario.bounds.detection_seconds
        self._changed = changed
        self._pace = Pace()
        self._losses: list[Loss] = []
        self._begun: set[tuple[str, ExecutionKey]] = set()

    def keep_to(self, pace: Pace) -> None:
        """What the waiting is counted by."""
        self._pace = pace

    def feed(self, entry: Entry) -> None:
        """Take note of one entry."""
        match entry.event:
            case ExecutionRemoved(thing=thing, execution=key) if self._is_ours(thing, key):
                self._wait(Loss(thing, self._pace.now() + self._seconds))
            case ExecutionChanged(thing=thing, execution=key, status=status, by="device") if self._is_ours(thing, key):
                self._goes_on(thing, key, status)
            case _:
                pass

    def _is_ours(self, thing: str, key: ExecutionKey | None) -> bool:
        return thing in self._things and (key is None or key.job_id in self._casting.jobs)

    def _goes_on(self, thing: str, key: ExecutionKey, status: str) -> None:
        is_new, is_over = (thing, key) not in self._begun, status in TERMINAL
        self._begun.add((thing, key))
        for number, loss in enumerate(self._losses):
            if loss.thing != thing:
                continue
            if is_new and loss.next is None:
                loss = loss._replace(next=key)
            if is_over and loss.next == key:
                loss = loss._replace(until=min(loss.until, self._pace.now() + GRACE_SECONDS))
                self._pace.call_later(GRACE_SECONDS, self._changed)
            self._losses[number] = loss

    def _wait(self, loss: Loss) -> None:
        self._losses.append(loss)
        self._pace.call_later(self._seconds, self._changed)

    @property
    def is_over(self) -> bool:
        """Whether nobody needs to be watched any more."""
        now = self._pace.now()
        self._losses = [loss for loss in self._losses if loss.until > now]
        return not self._losses

    def restless(self) -> list[str]:
        """Who has lost an execution just now."""
        return sorted({loss.thing for loss in self._losses if loss.until > self._pace.now()})
