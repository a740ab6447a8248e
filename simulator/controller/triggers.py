"""When a deletion is due: what devices report, or the time. No I/O; observations and the time come in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.values import Status
from simulator.scenario import Instant

ORDER: Final[Mapping[str, int]] = {Status.QUEUED: 0, Status.IN_PROGRESS: 1}
"""A status counts as reached once an execution has gone beyond it, too."""
KNOWN: Final = frozenset(Status)
"""Of another word nobody knows whether it is beyond anything."""
PERCENT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%?\s*", re.ASCII)


def percent(details: Mapping[str, str]) -> float:
    """How far `step` is by the word of statusDetails' `progress`: `50`, `50%` or `50.5`.

    A step without a progress, or with one that is no such number, has begun: 0.
    """
    number = PERCENT.fullmatch(details.get("progress", ""))
    return float(number[1]) if number else 0.0


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

    when: Instant
    things: frozenset[str]
    _created_at: float | None = None
    _first: dict[str, tuple[int, int]] = field(default_factory=dict)
    _reached: dict[str, None] = field(default_factory=dict)
    _missed: dict[str, str] = field(default_factory=dict)
    """Things that will not get there any more, and how they ended."""

    def created(self, now: float) -> None:
        """The job exists since `now`."""
        self._created_at = now

    def has(self, thing: str) -> bool:
        """Whether a thing has got there already, so that nothing more needs to be seen of it."""
        return thing in self._reached

    @property
    def reached(self) -> int:
        """How many things have got there."""
        return len(self._reached)

    def observe(self, seen: Observation) -> None:
        """Take note of one execution of the job."""
        if seen.thing not in self.things:
            return
        if self._first.setdefault(seen.thing, seen.incarnation) != seen.incarnation:
            self._miss(seen.thing, "began anew")
        elif self._is_there(seen):
            self._reached[seen.thing] = None
        elif seen.status in KNOWN and ORDER.get(seen.status, 2) == 2:
            self._miss(seen.thing, f"ended {seen.status}")

    def struck(self, thing: str, fault: str) -> None:
        """Take note of a fault that did to a message of a thing what was wanted."""
        if thing in self.things and fault == self.when.fault:
            self._reached[thing] = None

    def due(self, now: float) -> str | None:
        """Why it fires, as a sentence; None while it does not."""
        when = self.when
        if when.after_seconds is not None:
            if self._created_at is None or now < self._created_at + when.after_seconds:
                return None
            return f"{when.after_seconds:g} s after the job was found"
        if when.fault is not None and self._created_at is None:
            return None  # it may strike what is there before the job
        needed = len(self.things) if when.devices == "all" else 1
        if not self.things or len(self._reached) < needed:
            return None
        count = len(self.things)
        noun = "device" if count == 1 else "devices"
        who = f"all {count} {noun}" if when.devices == "all" else f"{len(self._reached)} of {count} {noun}"
        if when.fault is not None:
            return f"fault {when.fault} struck {who}"
        if when.step is None:
            return f"{who} reached {when.status}"
        return f"{who} reported {when.step}" + (f" {when.progress}%" if when.progress else "")

    def lost(self, thing: str) -> None:
        """A thing's execution is no longer there to be observed."""
        self._miss(thing, "lost its execution")

    def missed(self) -> str | None:
        """Why it can never come true of all, told of the first thing that is to blame; None while it can."""
        blamed = self.blamed()
        return None if blamed is None else f"{blamed[0]} {blamed[1]} and was not seen there"

    def blamed(self) -> tuple[str, str] | None:
        """The first thing for which it can never come true of all, and how that ended; None while it can."""
        return None if self.when.devices == "any" else next(iter(self._missed.items()), None)

    def _miss(self, thing: str, how: str) -> None:
        if thing not in self._reached:
            self._missed.setdefault(thing, how)

    def _is_there(self, seen: Observation) -> bool:
        if self.when.step is not None:
            return seen.details.get("step") == self.when.step and percent(seen.details) >= self.when.progress
        if self.when.status is None:
            return False
        wanted, has = self.when.status, seen.status
        return has == wanted or (has in KNOWN and ORDER.get(has, 2) > ORDER.get(wanted, 2))
