"""How far apart two sources' clocks can be, from nothing but the messages that passed between them.

No source's time may be compared with another's. But a request cannot arrive before it was sent, nor an answer before
it was given, so with `cloud time = device time + offset` every exchange narrows the offset from both sides:

    device sent at ds, cloud received at cr        offset <= cr - ds
    cloud answered at ca, device received at da    offset >= ca - da

All that causality through those messages says is then in the interval: if a step began before a request was sent that
the cloud received before it removed a record, the step certainly began before the removal.

Assumption: all clocks run at the same rate for the length of a run (monotonic clocks drift by some microseconds a
second). Offsets are a device's own; nothing is assumed to be common to two devices, unless the run says that they tell
the time by one clock. Then every exchange of any of them narrows the offset of all.
"""

from collections.abc import Iterable
from math import inf
from typing import Final, NamedTuple


class Offset(NamedTuple):
    """Bounds in microseconds on what to add to a device's time to get the cloud's; infinite where unknown.

    Bounds that contradict each other say that the clocks did not run alike: see `agreed`.
    """

    lowest: float = -inf
    highest: float = inf

    def sent(self, sent_at: int, received_at: int) -> "Offset":
        """With what a request says that arrived."""
        highest = received_at - sent_at
        return self if highest >= self.highest else Offset(self.lowest, highest)

    def answered(self, answered_at: int, heard_at: int) -> "Offset":
        """With what an answer says that arrived."""
        lowest = answered_at - heard_at
        return self if lowest <= self.lowest else Offset(lowest, self.highest)

    @property
    def agreed(self) -> "Offset":
        """The bounds, or none if they contradict each other."""
        return self if self.lowest <= self.highest else Offset()

    def earliest(self, device_at: int) -> float:
        """The earliest instant, on the cloud's clock, that a device's time can mean."""
        return device_at + self.lowest

    def latest(self, device_at: int) -> float:
        """The latest instant, on the cloud's clock, that a device's time can mean."""
        return device_at + self.highest


UNKNOWN: Final = Offset()


def common(offsets: Iterable[Offset]) -> Offset:
    """What devices know together that tell the time by one clock."""
    known = Offset()
    for offset in offsets:
        own = offset.agreed
        known = Offset(max(known.lowest, own.lowest), min(known.highest, own.highest)).agreed
    return known


SAME_CLOCK = Offset(0, 0)
"""Of an account that was inferred from the cloud's own."""
