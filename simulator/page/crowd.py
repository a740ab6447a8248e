"""Many devices at once: how many are in each state over time, how many requests came, and a heat map of all."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from simulator.page.data import Crowd, Distribution, Heat, Histogram
from simulator.page.device import Device
from simulator.report.device_row import STATES, URGENCY

BINS: Final = 120
"""So many bins at most; when time has gone on beyond the last, two become one."""
ROWS: Final = 100
"""So many rows of a heat map at most."""
ABSENT: Final = len(STATES)
"""Less urgent than any state: it is not there yet."""
NARROWEST: Final = 0.01
"""Seconds of a bin to begin with."""
LISTED: Final = 1_000
"""So many numbers are listed; more are counted."""
COUNTS: Final = 40
"""So many bars of a histogram."""


class Rate:
    """How often something came, in bins that become wider as time goes on."""

    def __init__(self) -> None:
        self.width = NARROWEST
        self.start: float | None = None
        self._counts: list[int] = []

    def count(self, at: float) -> None:
        """It came once more; what came before the start counts there."""
        if self.start is None:
            self.start = at
        index = max(int((at - self.start) / self.width), 0)
        counts = self._counts
        if index < len(counts):
            counts[index] += 1
            return
        while index >= BINS:
            counts[:] = [sum(counts[n : n + 2]) for n in range(0, len(counts), 2)]
            self.width *= 2
            index = int((at - self.start) / self.width)
        counts.extend([0] * (index + 1 - len(counts)))
        counts[index] += 1

    @property
    def counts(self) -> tuple[int, ...]:
        """By bin."""
        return tuple(self._counts)


class _Line(NamedTuple):
    """One device: a byte a bin, the state at its end; and how long its recovery took, infinite if it is waited for."""

    name: str
    recovery: float
    states: bytes


def crowd(devices: Sequence[Device], shift_of: Callable[[Device], float], rate: Rate, now: float, zero: float) -> Crowd:
    """`zero` is where the axis begins on the cloud's clock, `shift_of` what a device's is behind that."""
    width = rate.width
    while now / width > BINS:
        width *= 2
    number = min(BINS, int(now / width) + 1)
    lines = [
        _Line(each.name, _recovery(each), _states(each, shift_of(each) - zero, -zero, width, number))
        for each in devices
    ]
    counts = [Counter(column) for column in zip(*(line.states for line in lines), strict=True)]
    present = [index for index in range(len(STATES)) if any(index in each for each in counts)]
    return Crowd(
        bins=tuple(round(n * width, 6) for n in range(number)),
        states={STATES[index]: tuple(each[index] for each in counts) for index in present},
        requests=_requests(rate, width, number, zero),
        heat=_heat(sorted(lines, key=lambda line: -line.recovery), present),
    )


def _recovery(device: Device) -> float:
    recoveries = device.recoveries
    return float("inf") if recoveries.is_waited_for else max(recoveries.seconds, default=0.0)


def _states(device: Device, own: float, clouds: float, width: float, number: int) -> bytes:
    """At the end of each bin; what to add to the device's own time, and to the cloud's, to be on the axis.

    Whoever is of the cast is off line until it connects; who comes by was not there before it was first heard of.
    """
    offline = URGENCY["offline"]
    found, state = bytearray(), offline if device.is_cast else ABSENT
    changes = device.changes if device.is_cast or device.first is None else ((device.first, offline), *device.changes)
    for when, to in changes:
        index = min((when.at + (own if when.is_own else clouds)) / width, number)
        if index > len(found):
            found += bytes((state,)) * (int(index) - len(found))
        state = to
    return bytes(found + bytes((state,)) * (number - len(found)))


def _requests(rate: Rate, width: float, number: int, zero: float) -> tuple[int, ...]:
    found = [0] * number
    for index, times in enumerate(rate.counts):
        at = (rate.start or 0.0) + index * rate.width - zero
        found[min(max(int(at / width + 1e-9), 0), number - 1)] += times
    return tuple(found)


def _heat(lines: Sequence[_Line], present: list[int]) -> Heat:
    if not lines:
        return Heat()
    size = -(-len(lines) // ROWS)
    groups = [lines[n : n + size] for n in range(0, len(lines), size)]
    indexes = bytes(present.index(index) if index in present else len(present) for index in range(256))
    cells = tuple(tuple(_worst([line.states for line in group]).translate(indexes)) for group in groups)
    return Heat(rows=tuple(map(_label, groups)), cells=cells)


def _worst(rows: Sequence[bytes]) -> bytes:
    """The most urgent of each bin."""
    return rows[0] if len(rows) == 1 else bytes(map(min, *rows))


def _label(group: Sequence[_Line]) -> str:
    return group[0].name if len(group) == 1 else f"{group[0].name} and {len(group) - 1} more"


def distribution(numbers: Iterable[float]) -> Distribution:
    """In order of size; of more than a thousand how many lie where."""
    ordered = sorted(round(number, 6) for number in numbers)
    if len(ordered) <= LISTED:
        return tuple(ordered)
    least, most = ordered[0], ordered[-1]
    width = (most - least) / COUNTS or NARROWEST
    counts = [0] * COUNTS
    for number in ordered:
        counts[min(int((number - least) / width), COUNTS - 1)] += 1
    return Histogram(edges=tuple(round(least + n * width, 6) for n in range(COUNTS + 1)), counts=tuple(counts))
