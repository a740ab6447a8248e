"""How long a hold lasts: for each device, until what it was held for has been done to that very device.

A service takes a deletion on in an instant, and then removes the records of a thousand executions one after another.
Whose record goes last is to be in the middle of its work then, too. So it is not the service's answer that ends a
hold, but what the trace tells of the device's own execution.
"""

from dataclasses import dataclass, field

from simulator.devices.holds import Hold
from simulator.pace import LOOP_TIME, Pace
from simulator.scenario import Deletion
from simulator.trace import TERMINAL, DeletionAccepted, Event, ExecutionChanged, ExecutionRemoved, JobDeleted


@dataclass(slots=True)
class Holding:
    """Lets go of the devices that are held for one deletion, each `hold_seconds` after what ends its hold.

    That is the removal of its record; of who is cancelled, the end of its execution. When the job is gone, and with it
    all records, when the service refuses for good, and when it is told to cancel only what nobody is at work on, there
    is nothing to wait for any more.
    """

    what: Deletion
    hold: Hold
    pace: Pace = LOOP_TIME
    let_go: set[str] = field(default_factory=set)
    """The things whose hold has ended, or is about to."""

    def feed(self, event: Event) -> None:
        """Take note of what may end holds."""
        match event:
            case ExecutionRemoved(thing=thing, execution=key) if key.job_id == self.what.job:
                self._end(thing)
            case ExecutionChanged(thing=thing, execution=key, status=status) if key.job_id == self.what.job:
                if self._cancels and status in TERMINAL:
                    self._end(thing)
            case DeletionAccepted(job_id=job, do=do) if (job, do) == (self.what.job, self.what.do):
                if self._cancels and not self.what.force:
                    self.end()
            case JobDeleted(job_id=job) if job == self.what.job:
                self.end()
            case _:
                pass

    def end(self) -> None:
        """Let every device go."""
        self.pace.call_later(self.what.hold_seconds, self.hold.let_all_go)

    def _end(self, thing: str) -> None:
        if thing not in self.let_go:
            self.let_go.add(thing)
            self.pace.call_later(self.what.hold_seconds, self.hold.let_go, thing)

    @property
    def _cancels(self) -> bool:
        return self.what.do in ("cancel-job", "cancel-execution")
