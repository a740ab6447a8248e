"""How long a device took to go on after each loss: the verdict's own reckoning, with nothing else beside it."""

from dataclasses import dataclass, field
from typing import Any, Final

from agent.values import Status
from simulator.trace import ExecutionRemoved
from simulator.verdict.attendance import Queue, Recovery
from simulator.verdict.seen import Seen

SECONDS: Final = 100
OPEN: Final = 16
"""So many times, and so many recoveries that have come to no end, are remembered of a device: the last of them."""


@dataclass(slots=True)
class Recoveries:
    """Of one device, by the cloud's account of its queue and of its connections; `bound` is in microseconds."""

    bound: int
    queue: Queue = field(default_factory=Queue)
    open: list[Recovery] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def after(self, seen: Seen[Any]) -> None:
        """With the next entry (see `simulator.verdict.attendance.Attendance`)."""
        event, queue = seen.event, self.queue
        queue.after(seen.mark, event)
        if isinstance(event, ExecutionRemoved) and event.status == Status.IN_PROGRESS:
            self.open.append(Recovery(seen.mark, event.execution.job_id))
        if self.open:
            now = [each.after(seen, queue, self.bound) for each in self.open]
            self.seconds = [*self.seconds, *(each.seconds for each in now if each.resumed)][-SECONDS:]
            self.open = [each for each in now if not each.resumed][-OPEN:]

    @property
    def is_waited_for(self) -> bool:
        """Whether it lost a job and has not gone on to the next, though there is one."""
        return any(each.is_exercised for each in self.open)

    @property
    def had_to(self) -> bool:
        """Whether it lost a job and there was a next to be ready for."""
        return bool(self.seconds) or self.is_waited_for
