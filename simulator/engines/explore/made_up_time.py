"""The times of a trace, explored or replayed: made up, since a schedule has an order and no times.

A timer takes as long as it is set for. Everything else takes a moment, but that what a device has written down is told
to be on record long enough to count as known to it, whatever becomes of the power. Nothing is late, and nothing too
soon. So the verdict is the same on every engine, however busy the machine is.
"""

from dataclasses import dataclass
from typing import Final

from agent.core import DevicePolicy
from agent.core.events import TimerName
from simulator.trace import Entry
from simulator.verdict.bounds import LONGEST_SECONDS, Bounds

MOMENT_SECONDS: Final = 0.001
ON_RECORD_SECONDS: Final = 1.1
"""After so long the verdict takes what a device was told for known to it."""
ENOUGH_SECONDS: Final = LONGEST_SECONDS / 2
"""Longer than all on a way together: what has not been done by then never will be."""
AT_REST_SECONDS: Final = (ENOUGH_SECONDS + LONGEST_SECONDS) / 2
"""So long nothing more comes when a run has ended, until its accounts end. It is enough; but who is silent for it may
be alive: there are no keep-alives here."""
TIMELESS: Final = Bounds(
    detection_seconds=LONGEST_SECONDS,
    ready_seconds=ENOUGH_SECONDS,
    lost_job_seconds=ENOUGH_SECONDS,
    retry_gap_seconds=0,
    silence_seconds=LONGEST_SECONDS,
    restarts=1_000_000,
)
"""What the verdict judges by: no bound of time is exceeded on the way, and at rest those that something is due by."""


@dataclass(slots=True)
class MadeUpTime:
    """Seconds; every entry is a moment after the one before."""

    now: float = 0.0

    def passes(self, seconds: float) -> None:
        """So long nothing is told."""
        self.now += seconds

    def writes_down(self) -> None:
        """A device's journal has been written."""
        self.passes(ON_RECORD_SECONDS)

    def rests(self) -> None:
        """Nothing more comes, for so long that nothing can be said to be about to come."""
        self.passes(AT_REST_SECONDS)

    def told(self, entry: Entry) -> Entry:
        """An entry at its time."""
        self.passes(MOMENT_SECONDS)
        return entry._replace(at=round(self.now, 6))


def duration(policy: DevicePolicy, timer: str) -> float:
    """For how many seconds an agent sets a timer."""
    seconds: dict[TimerName, float] = {
        "retry": policy.retry_first,
        "ask-again": policy.ask_again,
        "request": policy.request_timeout,
        "poll": policy.poll,
        "leap": policy.leap_deadline,
        "step": policy.step_deadline,
    }
    return {str(name): lasts for name, lasts in seconds.items()}[timer]
