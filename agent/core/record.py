"""What a device must know again after it lost its memory: the work in hand, and how it stands with it.

A record is derived from the machine after each event; when it differs from the last one, a Remember comes before the
first effect that reaches beyond the device's own account. So what is about to be done is on record before it is begun,
and what was done is on record before anything follows from it. The service's version number is not in it: whoever
restarts asks first.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.device_events import End
from agent.plan import Plan, Step
from agent.recovery import Reached
from agent.values import ExecutionKey, Status

Activity: TypeAlias = Literal["working", "reporting", "restoring", "finishing"]


@dataclass(frozen=True, slots=True)
class Work:
    """One execution in hand. `version_number` is the service's, as last told (0: not yet, since the restart).

    `done` counts finished steps; `begun` counts steps whose effects may be on the hardware: `done`, or one more.
    `said` is what the newest of them that had something to say wants told; `cause` is why the work failed or was
    rejected, in a word of `agent.causes`. `again`: the step that makes the leap failed, and is done once more.
    `before` is the version that ran when it was taken; empty if that is not known.
    """

    key: ExecutionKey
    plan: Plan
    digest: str
    version_number: int
    done: int = 0
    begun: int = 0
    said: str = ""
    cause: str = ""
    again: bool = False
    before: str = ""

    @property
    def next_step(self) -> Step | None:
        """The step to begin next; None when all are done."""
        return self.plan.steps[self.done] if self.done < len(self.plan.steps) else None

    @property
    def reached(self) -> Reached:
        """How far the hardware may have been changed."""
        steps = self.plan.steps[: self.begun]
        if not steps:
            return Reached.NOTHING
        leaps = [step.action for step in steps if not step.reversible]
        if leaps:
            return Reached.RAN if "run" in leaps else Reached.LEAPT
        if self.plan.index_of("reboot") < self.done:
            return Reached.TRIAL
        return Reached.SWITCHED if self.plan.index_of("switch") < self.begun else Reached.STAGED


@dataclass(frozen=True, slots=True)
class Finished:
    """The last execution that was dealt with. `status` is the report that ended it, None if it ended without one.

    `nonce` marks that report (a name of `agent.core.marks`, and on disk the nonce itself); `version_number` is the
    service's at the end, by which a later execution of the same identity is known; 0 if it ended without a report,
    since then none is repeated.
    """

    key: ExecutionKey
    digest: str
    status: Status | None
    nonce: str
    version_number: int
    reason: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What the journal holds. `work` is None while nothing is in hand; the other fields are the machine's.

    restoring: taking steps back, because of `end`, or if that is None, because the work failed for `reason`;
    finishing: going on past the point of no return although the execution ended; reporting: `status` under `nonce`.
    `unaccounted` is a version that runs though its job is gone; `safe` why nothing can be done any more,
    but for the report that is still under way if there is `work`.
    """

    work: Work | None = None
    doing: Activity = "working"
    end: End | None = None
    status: Status | None = None
    nonce: str = ""
    reason: str = ""
    unaccounted: str | None = None
    finished: Finished | None = None
    safe: str = ""

    @property
    def has_work(self) -> bool:
        """Whether something is in hand, or cannot be put right."""
        return self.work is not None or self.safe != ""
