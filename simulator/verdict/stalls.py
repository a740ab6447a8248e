"""Time in which the processes of a run did not get round to what was due: nobody's device is charged with it.

A device that is late while its own process, or the cloud's, did not run may be late for no fault of its own. So a
bound that is exceeded counts against a device only if it is exceeded without that time, too.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from simulator.trace import CLOUD, ENGINE, ProcessStalled
from simulator.verdict.clocks import Offset
from simulator.verdict.seen import Seen, micros

STALLS = 4_096
"""So many stalls of a process are told apart; of the older ones, two count as one, with what is between them."""


class Stalls(NamedTuple):
    """When one process did not run, in microseconds on its own clock; told in order, and one after the other."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    lost_before: tuple[int, ...] = (0,)
    longest: int = 0
    """The longest that was told."""

    def after(self, seen: Seen[ProcessStalled]) -> "Stalls":
        """The process had not run until now."""
        at = seen.mark.at
        start = max(seen.mark.at - micros(seen.event.seconds), self.ends[-1] if self.ends else at - 2**62)
        if start >= at:
            return self
        lost = (*self.lost_before, self.lost_before[-1] + at - start)
        stalls = Stalls((*self.starts, start), (*self.ends, at), lost, max(self.longest, at - start))
        return stalls if len(stalls.starts) <= STALLS else stalls._coarser()

    def _coarser(self) -> "Stalls":
        """With fewer of the older ones: what a device is charged with becomes no more by that."""
        half = STALLS // 2
        starts, ends = self.starts[:half:2] + self.starts[half:], self.ends[1:half:2] + self.ends[half:]
        lost = [0]
        for start, end in zip(starts, ends, strict=True):
            lost.append(lost[-1] + end - start)
        return Stalls(starts, ends, tuple(lost), self.longest)

    def lost(self, since: float, until: float) -> float:
        """How much of the time between two instants it did not run."""
        first, last = bisect_right(self.ends, since), bisect_left(self.starts, until)
        if first >= last:
            return 0
        whole = self.lost_before[last] - self.lost_before[first]
        before = max(since - self.starts[first], 0)
        after = max(self.ends[last - 1] - until, 0)
        return whole - before - after

    def before(self, at: float) -> float:
        """For how long it had not run at an instant within a stall: a timer set then counts from its beginning."""
        index = bisect_left(self.ends, at)
        return max(at - self.starts[index], 0) if index < len(self.starts) else 0


class Lost(NamedTuple):
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


class Lag(NamedTuple):
    """What the cloud's process and the devices' lost, each on its own clock."""

    cloud: Stalls = Stalls()
    devices: Stalls = Stalls()

    def after(self, seen: Seen[ProcessStalled]) -> "Lag":
        """A process had not run until now; whoever else says so, such as a device of itself, is not asked."""
        if seen.mark.source == CLOUD:
            return self._replace(cloud=self.cloud.after(seen))
        if seen.mark.source == ENGINE:
            return self._replace(devices=self.devices.after(seen))
        return self

    def between(self, offset: Offset, since: float, until: float) -> Lost:
        """Of a span on the cloud's clock; where clocks leave it open, the most."""
        devices = self.devices.lost(since - offset.highest, until - offset.lowest)
        return Lost(self.cloud.lost(since, until), devices, max(until - since, 0))

    def seen_by_device(self, offset: Offset, since: float, until: float) -> Lost:
        """Of a span on the device's clock."""
        cloud = self.cloud.lost(since + offset.lowest, until + offset.highest)
        return Lost(cloud, self.devices.lost(since, until), max(until - since, 0))
