"""The time of a play: the machine's, or as many times slower as somebody wants it, or held.

    the machine's   ├──────┼──────────────┼────┼──────┤
    slow                1         2        held    1
    the play's      ├──────┼───────┼──────┤           so that nothing lasts longer by it than it would unslowed

All that is simulated goes by it: the hardware's steps, the agents' timers, the scenario's waits and its limit. The
trace is told in it, too, also what the cloud tells, whose messages go as fast as ever: so a bound of the verdict is as
long in the trace as it is in the scenario, however slow that was, and who is judged in a play that was held is judged
as if it had not been.
"""

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from simulator.trace import Entry, ProcessStalled

SLOWEST: Final = 100.0
REMEMBERED: Final = 64
"""So many changes are remembered: what comes late, as through a pipe, is no older than the last of them."""


class _Since(NamedTuple):
    """From that second of the machine's on, which is that one of the play's, so much passes in each."""

    machine: float
    play: float
    rate: float

    def at(self, machine: float) -> float:
        return machine if self is _AS_IT_IS else self.play + (machine - self.machine) * self.rate


_AS_IT_IS: Final = _Since(0.0, 0.0, 1.0)


class PlayTime:
    """`clock` is the machine's, in seconds; it has to be the one that the cloud's process tells its trace in."""

    def __init__(self, slow: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.slow = 1.0
        """How many times slower than the machine's it goes."""
        self.is_held = False
        self._since = [_AS_IT_IS]
        self._measures: list[_Measure] = []
        if slow != 1.0:
            self.go_slower(slow)

    def now(self) -> float:
        """Seconds."""
        machine, since = self._clock(), self._since[-1]
        return machine if since is _AS_IT_IS else since.at(machine)

    def at(self, machine: float) -> float:
        """The second of the play at that second of the machine's."""
        since = self._since
        if machine >= since[-1].machine:
            return since[-1].at(machine)
        return since[max(bisect_right(since, machine, key=lambda each: each.machine) - 1, 0)].at(machine)

    def measure(self, clock: Callable[[], float]) -> Callable[[], float]:
        """Another clock of the machine's, as it is by the time of the play."""
        measure = _Measure(clock, self._rate)
        self._measures.append(measure)
        return measure.now

    # ── what somebody may do to it ────────────────────────────────────────────────────────────────────────────

    def go_slower(self, slow: float) -> None:
        """Have it go so many times slower than the machine's from now on."""
        self.slow = slow
        self._change()

    def hold(self) -> None:
        """Have it stand still."""
        self.is_held = True
        self._change()

    def go_on(self) -> None:
        """Have it go again."""
        self.is_held = False
        self._change()

    @property
    def _rate(self) -> float:
        return 0.0 if self.is_held else 1 / self.slow

    def _change(self) -> None:
        machine = self._clock()
        self._since = [*self._since[-REMEMBERED:], _Since(machine, self.at(machine), self._rate)]
        for measure in self._measures:
            measure.change(self._rate)

    # ── what is told ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_the_machines(self) -> bool:
        """Whether it has been the machine's all the time."""
        return len(self._since) == 1

    def told(self, entry: Entry) -> Entry:
        """An entry that was timed by the machine, as it is by the time of the play."""
        if self.is_the_machines:
            return entry
        at = self.at(entry.at)
        if isinstance(entry.event, ProcessStalled):
            return entry._replace(at=at, event=self.stalled(entry.event, entry.at))
        return entry._replace(at=at)

    def stalled(self, stalled: ProcessStalled, machine: float) -> ProcessStalled:
        """How long a process did not run that ran again at that second of the machine's."""
        seconds = self.at(machine) - self.at(machine - stalled.seconds)
        worked_seconds = min(stalled.worked_seconds, seconds)
        return replace(stalled, seconds=round(seconds, 6), worked_seconds=round(worked_seconds, 6))


class _Measure:
    def __init__(self, clock: Callable[[], float], rate: float) -> None:
        self._clock = clock
        self._since = _AS_IT_IS
        if rate != 1.0:
            self.change(rate)

    def now(self) -> float:
        machine, since = self._clock(), self._since
        return machine if since is _AS_IT_IS else since.at(machine)

    def change(self, rate: float) -> None:
        machine = self._clock()
        self._since = _Since(machine, self._since.at(machine), rate)
