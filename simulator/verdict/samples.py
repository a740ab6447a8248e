"""What probes showed of a device that gives no account, and what the cloud tells that this is held against.

A sample shows how the device was at some instant between its beginning and its end; one that could not be taken says
nothing. Samples that show the same, one after the other, are one stretch; what lies between two of them nobody saw.

Probes, cloud and engine tell the time by one clock (see `simulator.trace.PROBE`), so times of these are compared here,
as nowhere else. Who comes first is decided by no less than the scenario's bounds: a device may tell its version late.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.values import ExecutionKey, Status
from simulator.trace import ExecutionChanged, PowerCutOff, PowerRestored, ProbeSampled, ProcessEnded
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.seen import Mark, Seen, micros
from simulator.verdict.state import State

PROBES: Final = 8
FOUND: Final = 8
STRETCHES: Final = 64
REPORTS: Final = 64
NOTES: Final = 32
NOTE_LENGTH: Final = 1_024
SPANS: Final = 64
CUTS: Final = 32
"""So many probes, stretches of one, executions, texts in the details of one, connections and power cuts are remembered.

Of stretches the first stays, and then the last ones.
"""
POWER: Final = {PowerCutOff: False, PowerRestored: True}
"""The engine's events by which a device has its power, or not."""


class Stretch(NamedTuple):
    """Samples in a row that showed the same: `began` and `at` are when the first began and was over, in microseconds.

    `until` is when the last of them began: so long, at least, it was so; by `over` that one had ended.
    """

    alive: bool | None
    version: str | None
    why: str
    began: int
    at: int
    until: int
    over: int
    first: Mark
    last: Mark

    @property
    def runs(self) -> str | None:
        """The version that it was seen to run; None if it was not."""
        return self.version if self.alive else None


class Reported(NamedTuple):
    """What the service took from the device about one execution: its success, its other end, and all its details."""

    succeeded: Mark | None
    gave_up: Mark | None
    last: Mark
    notes: tuple[str, ...] = ()

    def names(self, version: str) -> bool:
        """Whether a version stands anywhere in its details."""
        return any(version in note for note in self.notes)


@dataclass(slots=True, unsafe_hash=True)
class Samples(State):
    """Of one device. `spans` is when it was connected, the last one maybe still; `power` when that was switched."""

    stretches: Map[str, tuple[Stretch, ...]] = EMPTY
    reports: Map[ExecutionKey, Reported] = EMPTY
    forgot_reports: bool = False
    spans: tuple[tuple[float, float | None], ...] = ()
    power: tuple[tuple[Mark, bool], ...] = ()
    crashes: tuple[Mark, ...] = ()
    """When the process that the device is ended by itself, and not in good order; `why` of the first."""
    why: str = ""

    def sampled(self, seen: Seen[ProbeSampled]) -> None:
        """With the next sample."""
        mark, event = seen
        began = mark.at - micros(event.seconds)
        before = self.stretches.get(event.probe, ())
        if before and (before[-1].alive, before[-1].version) == (event.alive, event.version):
            now = (*before[:-1], before[-1]._replace(until=max(before[-1].until, began), over=mark.at, last=mark))
        else:
            if before and event.not_before is not None:
                until = max(before[-1].until, micros(event.not_before))
                before = (*before[:-1], before[-1]._replace(until=until, over=max(before[-1].over, began)))
            new = Stretch(event.alive, event.version, event.why, began, mark.at, began, mark.at, mark, mark)
            now = (*before, new)
        if len(now) > STRETCHES:
            now = (now[0], *now[2:])
        self.stretches = self.stretches.put(event.probe, now, PROBES)

    def reported(self, seen: Seen[ExecutionChanged]) -> None:
        """The service took a report."""
        mark, event = seen
        if event.by != "device":
            return
        key, status = event.execution, event.status
        known = self.reports.get(key, Reported(None, None, mark))
        told = tuple(text[:NOTE_LENGTH] for text in (event.details or {}).values() if text not in known.notes)
        gave_up = mark if status in (Status.FAILED, Status.REJECTED) else known.gave_up
        now = Reported(
            known.succeeded or (mark if status == Status.SUCCEEDED else None),
            gave_up,
            mark,
            (*known.notes, *told)[-NOTES:],
        )
        self.forgot_reports = self.forgot_reports or (len(self.reports) >= REPORTS and key not in self.reports)
        self.reports = self.reports.put(key, now, REPORTS)

    def connected(self, since: float | None, at: int) -> None:
        """How its connection stands after an entry: there since then, or not."""
        is_open = bool(self.spans) and self.spans[-1][1] is None
        if since is None and is_open:
            self.spans = (*self.spans[:-1], (self.spans[-1][0], at))
        elif since is not None and not is_open:
            self.spans = (*self.spans, (since, None))[-SPANS:]

    def powered(self, seen: Seen[PowerCutOff | PowerRestored]) -> None:
        """The engine switched its power."""
        self.power = (*self.power, (seen.mark, POWER[type(seen.event)]))[-CUTS:]

    def ended(self, seen: Seen[ProcessEnded]) -> None:
        """Its process ended by itself; in good order that may be a reboot."""
        if seen.event.crashed:
            self.why = self.why or seen.event.why[:NOTE_LENGTH]
            self.crashes = (*self.crashes, seen.mark)[:FOUND]

    def has_power_since(self) -> Mark | float | None:
        """Since when it has had its power, by what is known: for ever, since a mark, or not now (None)."""
        if not self.power:
            return float("-inf")
        mark, is_on = self.power[-1]
        return mark if is_on else None
