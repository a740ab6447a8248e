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

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.verdict.history import Exchange


@dataclass(frozen=True, slots=True)
class Offset:
    """Bounds in microseconds on what to add to a device's time to get the cloud's; infinite where unknown."""

    lowest: float = -inf
    highest: float = inf

    def earliest(self, device_at: int) -> float:
        """The earliest instant, on the cloud's clock, that a device's time can mean."""
        return device_at + self.lowest

    def latest(self, device_at: int) -> float:
        """The latest instant, on the cloud's clock, that a device's time can mean."""
        return device_at + self.highest

    def within(self, other: "Offset") -> "Offset":
        """What both say; nothing if they contradict each other."""
        lowest, highest = max(self.lowest, other.lowest), min(self.highest, other.highest)
        return Offset(lowest, highest) if lowest <= highest else Offset()


@dataclass
class OneClock:
    """A clock that several devices tell the time by; `offsets` says what each of them knows of it by itself."""

    offsets: "list[Callable[[], Offset]]" = field(default_factory=list)

    @cached_property
    def offset(self) -> Offset:
        """What all of them know together, worked out when it is first asked for."""
        known = Offset()
        for offset in self.offsets:
            known = known.within(offset())
        return known


SAME_CLOCK = Offset(0, 0)
"""Of an account that was inferred from the cloud's own."""


def offset_of(exchanges: "Iterable[Exchange]") -> Offset:
    """The bounds that all exchanges of one device with the cloud agree on.

    If they contradict each other, then the clocks did not run alike, and nothing is known.
    """
    lowest, highest = -inf, inf
    for exchange in exchanges:
        if exchange.received is not None:
            highest = min(highest, exchange.received.at - exchange.sent.at)
        if exchange.answered is not None and exchange.answer is not None:
            lowest = max(lowest, exchange.answered.at - exchange.answer.at)
    return Offset(lowest, highest) if lowest <= highest else Offset()
