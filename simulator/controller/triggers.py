"""When a deletion is due: what devices report, or the time. No I/O; observations and the time come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.values import Status
from simulator.scenario import When

ORDER = {Status.QUEUED: 0, Status.IN_PROGRESS: 1}
"""A status counts as reached once an execution has gone beyond it, too."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One execution as it was seen. `incarnation` is its queue time and number, as far as it was told."""

    thing: str
    status: str
    details: Mapping[str, str]
    incarnation: tuple[int, int]


@dataclass(slots=True)
class Trigger:
    """Fires when `when` has come true for one job on `things`. Only each thing's first incarnation counts."""

    when: When
    things: frozenset[str]
    _created_at: float | None = None
    _first: dict[str, tuple[int, int]] = field(default_factory=dict)
    _reached: dict[str, None] = field(default_factory=dict)

    def created(self, now: float) -> None:
        """The job exists since `now`."""
        self._created_at = now

    def has(self, thing: str) -> bool:
        """Whether a thing has got there already, so that nothing more needs to be seen of it."""
        return thing in self._reached

    def observe(self, seen: Observation) -> None:
        """Take note of one execution of the job."""
        if seen.thing not in self.things or self._first.setdefault(seen.thing, seen.incarnation) != seen.incarnation:
            return
        if self._is_there(seen):
            self._reached[seen.thing] = None

    def due(self, now: float) -> str | None:
        """Why it fires, as a sentence; None while it does not."""
        when = self.when
        if when.after_seconds is not None:
            if self._created_at is None or now < self._created_at + when.after_seconds:
                return None
            return f"{when.after_seconds:g} s after the job was created"
        needed = len(self.things) if when.devices == "all" else 1
        if not self.things or len(self._reached) < needed:
            return None
        count = len(self.things)
        who = f"all {count} devices" if when.devices == "all" else f"{len(self._reached)} of {count} devices"
        return f"{who} reported {when.step} {when.progress}%" if when.step else f"{who} reached {when.status}"

    def _is_there(self, seen: Observation) -> bool:
        if self.when.step is not None:
            progress = seen.details.get("progress", "")
            is_far = progress.isdigit() and int(progress) >= self.when.progress
            return seen.details.get("step") == self.when.step and is_far
        if self.when.status is None:
            return False
        wanted, has = Status(self.when.status), Status(seen.status)
        return has is wanted or ORDER.get(has, 2) > ORDER.get(wanted, 2)
