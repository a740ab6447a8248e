"""Time in which the processes of a run did not get round to what was due: nobody's device is charged with it.

A device that is late while its own process, or the cloud's, did not run may be late for no fault of its own. So a
bound that is exceeded counts against a device only if it is exceeded without that time, too.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.trace import CLOUD, ENGINE, ProcessStalled
from simulator.verdict.history import Seen, micros

if TYPE_CHECKING:
    from simulator.verdict.story import Story


class Stalls:
    """When one process did not run, in microseconds on its own clock; told in order, and one after the other."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._lost_before: list[int] = [0]
        self.longest = 0
        """The longest that was told."""

    def add(self, seen: Seen[ProcessStalled]) -> None:
        """The process had not run until now."""
        start = max(seen.at - micros(seen.event.seconds), self._ends[-1] if self._ends else seen.at - 2**62)
        if start < seen.at:
            self.longest = max(self.longest, seen.at - start)
            self._starts.append(start)
            self._ends.append(seen.at)
            self._lost_before.append(self._lost_before[-1] + seen.at - start)

    def lost(self, since: float, until: float) -> float:
        """How much of the time between two instants it did not run."""
        first, last = bisect_right(self._ends, since), bisect_left(self._starts, until)
        if first >= last:
            return 0
        whole = self._lost_before[last] - self._lost_before[first]
        before = max(since - self._starts[first], 0)
        after = max(self._ends[last - 1] - until, 0)
        return whole - before - after

    def before(self, at: float) -> float:
        """For how long it had not run at an instant within a stall: a timer set then counts from its beginning."""
        index = bisect_left(self._ends, at)
        return max(at - self._starts[index], 0) if index < len(self._starts) else 0


@dataclass(frozen=True, slots=True)
class Lost:
    """How many microseconds of a span the cloud's process and the devices' did not run."""

    cloud: float
    devices: float
    span: float

    @property
    def whole(self) -> float:
        """What a device is not charged with: who waits for both may wait for one after the other."""
        return min(self.cloud + self.devices, self.span)

    def __str__(self) -> str:
        cloud, devices = self.cloud / 1_000_000, self.devices / 1_000_000
        return f"in that time the cloud's process did not run for {cloud:.3f} s, the devices' for {devices:.3f} s"


@dataclass(frozen=True, slots=True)
class Lag:
    """What the cloud's process and the devices' lost, each on its own clock."""

    cloud: Stalls = field(default_factory=Stalls)
    devices: Stalls = field(default_factory=Stalls)

    def add(self, seen: Seen[ProcessStalled]) -> None:
        """A process had not run until now; whoever else says so, such as a device of itself, is not asked."""
        if seen.source == CLOUD:
            self.cloud.add(seen)
        elif seen.source == ENGINE:
            self.devices.add(seen)

    def between(self, story: "Story", since: float, until: float) -> Lost:
        """Of a span on the cloud's clock; where clocks leave it open, the most."""
        devices = self.devices.lost(since - story.offset.highest, until - story.offset.lowest)
        return Lost(self.cloud.lost(since, until), devices, max(until - since, 0))

    def seen_by_device(self, story: "Story", since: float, until: float) -> Lost:
        """Of a span on the device's clock."""
        cloud = self.cloud.lost(since + story.offset.lowest, until + story.offset.highest)
        return Lost(cloud, self.devices.lost(since, until), max(until - since, 0))
