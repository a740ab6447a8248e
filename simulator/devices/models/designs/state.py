"""What a device of these designs knows: facts, no phases. What to do next follows from them after each event.

`task` is what it does to its hardware (see `working`), `asked` the question that is open and `known` what the answers
said of the execution in hand (see `conversation`). The phase that the account tells is worked out from the facts.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from agent.core.record import Activity, Record, Work
from agent.core.state import DevicePolicy
from agent.device_events import End, PhaseChanged, PhaseName
from agent.recovery import Reached
from agent.values import Execution, ExecutionKey, Status
from simulator.devices.models.asker import Asker, Asking

Aim: TypeAlias = Literal["on", "back", "through", "check", "over"]
"""on: the plan, step by step, each with leave; back: take everything back; through: the rest of the plan without
leave, because there is no way back; check: is the hardware whole; over: nothing more to do but to say so."""


@dataclass(frozen=True, slots=True)
class Undertaking:
    """One execution in hand. `busy`: the hardware is at something, and an event will say when it is done.

    `end` is how the execution ended without us, None as long as it is ours to report: `status`, for `reason`.
    `broken` says why the hardware could not be put right.
    """

    work: Work
    aim: Aim = "on"
    busy: bool = False
    end: End | None = None
    status: Status = Status.SUCCEEDED
    reason: str = ""
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the service said of the execution in hand.

    `fresh`: a describe (or start-next) that was sent after the last hint, connection and begun step found it alive.
    `suspect`: something gave reason to doubt it since. `refuted`: a write was refused for its version, so that a read
    must show another one, or it lags behind. `probing`: a read cannot be right, or hides what it knows; a write will
    tell. `doubts` counts the answers that settled nothing.
    """

    fresh: bool = False
    suspect: bool = False
    refuted: bool = False
    probing: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Facts(Asking):
    """Everything. `claim` is an execution that an update under way is to make ours.

    `told` counts the finished steps that were reported (0: the last one is to be reported again), `percent` is how far
    the running one is and `percent_told` what was reported of it. `due`: it is time to ask for work, or while a step
    runs, whether it is still wanted. `promised`: there should be work, although so many asks (`misses`) did not find
    any. `kept` is a version that runs although its job is gone, and nobody knows yet.
    """

    task: Undertaking | None = None
    known: Known = Known()
    claim: Execution | None = None
    told: int = 0
    percent: int = 0
    percent_told: int = 0
    due: bool = True
    promised: bool = False
    misses: int = 0
    running: str = ""
    kept: str = ""
    safe: str = ""

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.task is None and self.claim is None

    @property
    def phase(self) -> PhaseName:
        """What it is at, in the words of the account."""
        task = self.task
        if task is None:
            return "safe" if self.safe else "starting" if self.claim is not None else "idle"
        if task.aim == "over" and task.end is None:
            return "reporting"
        if task.aim != "on":
            return "recovering"
        if self.known.suspect:
            return "suspect"
        return "trial" if task.work.reached is Reached.TRIAL else "executing"

    @property
    def in_hand(self) -> ExecutionKey | None:
        """The execution that it is about."""
        if self.task is not None:
            return self.task.work.key
        return self.claim.key if self.claim is not None else None

    def record(self) -> Record:
        """What must be known again after a restart."""
        task, kept = self.task, self.kept or None
        if task is None:
            return Record(unaccounted=kept, safe=self.safe)
        doings: dict[Aim, Activity] = {"on": "working", "through": "finishing", "over": "reporting"}
        return Record(
            work=replace(task.work, version_number=0),
            doing=doings.get(task.aim, "restoring"),
            end=task.end,
            status=task.status if task.aim == "over" else None,
            reason=task.reason,
            unaccounted=kept,
            safe=task.broken,
        )


def start(policy: DevicePolicy) -> Facts:
    """A device before its first event."""
    return Facts(policy)


class DesignTurn(Asker[Facts]):
    """A device during one event."""

    @property
    def task(self) -> Undertaking:
        """The task in hand; there is one."""
        assert self.state.task is not None, "asked for only where there is one"
        return self.state.task

    def set(self, why: str = "", **facts: Any) -> None:
        """Change facts of the device; if that makes it another phase, the account says so."""
        before = self.state
        super().set(**facts)
        phase, key = self.state.phase, self.state.in_hand
        if (phase, key) != (before.phase, before.in_hand):
            self.tell(PhaseChanged(phase, before.phase, why, key))

    def know(self, why: str = "", **facts: Any) -> None:
        """Change what is known of the execution in hand."""
        self.set(why, known=replace(self.state.known, **facts))

    def aim(self, why: str, **facts: Any) -> None:
        """Change the task in hand."""
        self.set(why, task=replace(self.task, **facts))
