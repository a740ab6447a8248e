"""Many devices at once: how many are in each state over time, how many requests came, and a heat map of all."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from simulator.page.axis import When
from simulator.page.data import Crowd, Distribution, Heat, Histogram
from simulator.page.device import Device
from simulator.report.device_row import STATES, URGENCY

BINS: Final = 120
"""So many bins at most; when time has gone on beyond the last, two become one."""
ROWS: Final = 100
"""So many rows of a heat map at most."""
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
    """The states of one device, a bin each; and how long its recovery took, infinite if it is waited for."""

    name: str
    recovery: float
    states: list[int]


def crowd(
    devices: Sequence[Device], lay: Callable[[Device, When], float], rate: Rate, now: float, zero: float
) -> Crowd:
    """`zero` is where the axis begins on the clock by which `rate` counts."""
    width = rate.width
    while now / width > BINS:
        width *= 2
    number = min(BINS, int(now / width) + 1)
    lines = [_Line(each.name, _recovery(each), _states(each, lay, width, number)) for each in devices]
    states = {
        name: tuple(sum(line.states[n] == index for line in lines) for n in range(number))
        for index, name in enumerate(STATES)
    }
    present = [name for name in STATES if any(states[name])]
    return Crowd(
        bins=tuple(round(n * width, 6) for n in range(number)),
        states={name: states[name] for name in present},
        requests=_requests(rate, width, number, zero),
        heat=_heat(sorted(lines, key=lambda line: -line.recovery), number, present),
    )


def _recovery(device: Device) -> float:
    return float("inf") if device.recoveries.is_waited_for else max(device.recoveries.seconds, default=0.0)


def _states(device: Device, lay: Callable[[Device, When], float], width: float, number: int) -> list[int]:
    """At the end of each bin."""
    changes = device.changes
    found, index = [], 0
    state = URGENCY["offline"]
    laid = [(lay(device, when), to) for when, to in changes]
    for n in range(number):
        end = (n + 1) * width
        while index < len(laid) and laid[index][0] <= end:
            state = laid[index][1]
            index += 1
        found.append(state)
    return found


def _requests(rate: Rate, width: float, number: int, zero: float) -> tuple[int, ...]:
    found = [0] * number
    for index, times in enumerate(rate.counts):
        at = (rate.start or 0.0) + index * rate.width - zero
        found[min(max(int(at / width + 1e-9), 0), number - 1)] += times
    return tuple(found)


def _heat(lines: Sequence[_Line], number: int, present: list[str]) -> Heat:
    if not lines:
        return Heat()
    size = -(-len(lines) // ROWS)
    groups = [lines[n : n + size] for n in range(0, len(lines), size)]
    indexes = {URGENCY[name]: index for index, name in enumerate(present)}
    cells = tuple(tuple(indexes[min(line.states[n] for line in group)] for n in range(number)) for group in groups)
    return Heat(rows=tuple(map(_label, groups)), cells=cells)


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
