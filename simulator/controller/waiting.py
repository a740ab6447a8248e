"""What a controller says while it waits: what for, and what it has seen; soon if that is new, else now and then."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from simulator.controller.hand import SeenExecution
from simulator.controller.triggers import Trigger
from simulator.scenario import Instant

NEWS_SECONDS: Final = 2.0
"""No line follows another sooner, whatever has been seen."""
NO_NEWS_SECONDS: Final = 15.0
"""No line follows another later, even if it says the same."""
KINDS: Final = 5
"""How many kinds of executions a line tells apart."""
KEYS: Final = 3
"""How many keys it names of statusDetails that have no `step`."""


def awaited(when: Instant) -> str:
    """What is waited for, as a sentence."""
    if when.after_seconds is not None:
        return f"{when.after_seconds:g} s had passed after the job was found"
    who = "all devices" if when.devices == "all" else "a device"
    if when.step is None:
        return f"{who} got to {when.status}"
    return f"{who} reported step {when.step}" + (f" at {when.progress}% or more" if when.progress else "")


def outline(executions: Iterable[SeenExecution], trigger: Trigger) -> str:
    """The job's executions, counted by what matters for `trigger`."""
    kinds = Counter[str]()
    seen = set[str]()
    for each in executions:
        seen.add(each.thing)
        kinds["there"] += trigger.has(each.thing)
        if not trigger.has(each.thing):
            kinds[_kind(each, trigger.when.step)] += 1
    kinds["without an execution"] = len(trigger.things - seen)
    told = [f"{count} {kind}" for kind, count in kinds.most_common() if count]
    more = [f"and {len(told) - KINDS} kinds more"] if len(told) > KINDS else []
    noun = "device" if len(trigger.things) == 1 else "devices"
    return f"of {len(trigger.things)} {noun} " + ", ".join(told[:KINDS] + more) if told else "a job without devices"


def _kind(execution: SeenExecution, wanted: str | None) -> str:
    """Its status, and how it stands to the step that is waited for."""
    details = execution.details
    if wanted is None or execution.status == "QUEUED":
        return execution.status
    if "step" not in details:
        has = ", ".join(sorted(details)[:KEYS])
        return f"{execution.status} without `step` in statusDetails ({f'there is {has}' if has else 'which are empty'})"
    progress = f" {details.get('progress', '')}".rstrip() if details["step"] == wanted else ""
    return f"{execution.status} in step {details['step']}{progress}"


@dataclass(slots=True)
class Waiting:
    """What is told of one job that is waited for."""

    until: str
    _seen: str = "nothing yet"
    _last: tuple[float, str] | None = field(default=None)
    """When the last line was said, and what had been seen then."""

    def see(self, seen: str) -> None:
        """That is how it looks now."""
        self._seen = seen

    def line(self, now: float) -> dict[str, str] | None:
        """What is to be said at `now`, in seconds; None if nothing is."""
        if self._last is not None:
            at, said = self._last
            if now - at < (NO_NEWS_SECONDS if said == self._seen else NEWS_SECONDS):
                return None
        self._last = now, self._seen
        return {"until": self.until, "seen": self._seen}

    def told(self) -> str:
        """What was waited for, and what was seen last."""
        return f"waited until {self.until}; seen: {self._seen}"
