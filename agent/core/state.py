"""What a device knows about its jobs in one namespace: the states, each with exactly its own data.

    Idle ──► Starting ──► Executing ⇄ Gated ──► Reporting ──► Idle
                 │ hint       │ hint     │ hint      │ no answer, or refused
                 ▼            ▼          ▼           ▼
              (asks        Suspect ── still there, same identity ──► back
               anew)          │ gone, ended, or found with another identity
                              ▼
                 Recovering: quiesce ─► restore ─► verify ──► Idle
                                            │ cannot
                                            ▼
                                          Safe

`Gated` is the moment between two steps in which the device waits for leave to begin the next one. Starting exists
in namespaces only, where no start-next is known: the claim (an update to IN_PROGRESS) proves nothing about which
incarnation accepted it, so a describe confirms it before the first effect.

A reboot into new firmware (a trial boot) is not a state yet: the one plan there is switches over in a single step.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.account import End
from agent.account import Phase as PhaseName
from agent.core.events import StepEnded
from agent.plan import Plan, Step
from agent.recovery import Reached
from agent.values import Execution, ExecutionKey, Request, Status


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers and choices of one device; all times in seconds. Local defaults; slower ones suit AWS itself.

    `token_prefix` must differ between boots and devices. `leap_when_unreachable` says what happens when nobody
    answers at the point of no return within `leap_deadline`.
    """

    namespace_id: str | None = None
    token_prefix: str = "t"
    reports: Literal["progress", "steps", "end"] = "progress"
    request_timeout: float = 2.0
    retry_first: float = 0.25
    retry_growth: float = 2.0
    retry_ceiling: float = 60.0
    retry_spread: float = 0.5
    """Jitter, as a part of the wait it is added to."""
    hint_spread: float = 0.05
    """A whole fleet is hinted at once; each device asks at a random moment within this."""
    ask_again: float = 1.0
    poll: float = 30.0
    confirmations: int = 3
    """How often the service must say that an execution lives on while the lists omit it, or the other way round."""
    step_deadline: float = 600.0
    leap_deadline: float = 60.0
    leap_when_unreachable: Literal["proceed", "give-up"] = "give-up"


@dataclass(frozen=True, slots=True)
class Work:
    """One execution in hand. `version_number` is the service's, as last told; `done` counts finished steps.

    `begun` counts steps whose effects may be on the hardware: `done`, or one more.
    """

    key: ExecutionKey
    plan: Plan
    digest: str
    version_number: int
    done: int = 0
    begun: int = 0

    @property
    def next_step(self) -> Step | None:
        """The step to begin next; None when all are done."""
        return self.plan.steps[self.done] if self.done < len(self.plan.steps) else None

    @property
    def reached(self) -> Reached:
        """How far the hardware may have been changed."""
        if self.begun == 0:
            return Reached.NOTHING
        if all(step.reversible for step in self.plan.steps[: self.begun]):
            return Reached.REVERSIBLE
        return Reached.LEAPT


# ── the phases ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing in hand. `expects` work that a list announced; `empty_answers` came since; `again`: ask once more."""

    expects: bool = False
    empty_answers: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Starting:
    """Claiming `execution` in a namespace: first an update, and once that is `claimed`, a describe."""

    execution: Execution
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Executing:
    """The hardware does step `work.done`. `percent` is how far; `told_percent` what the service was told of it."""

    work: Work
    percent: int = 0
    told_percent: int = 0


@dataclass(frozen=True, slots=True)
class Gated:
    """Between two steps: the report of the last one, or the question before the leap, is on its way."""

    work: Work
    gate: Literal["report", "leap"]


@dataclass(frozen=True, slots=True)
class Reporting:
    """The terminal update is on its way. `nonce` marks it as ours; `kept` is a past version it accounts for."""

    work: Work
    status: Status
    nonce: str
    reason: str = ""
    resyncing: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A hint spoke against our execution, or we were away: asking about that very execution.

    `running`: its step goes on meanwhile; `failed`: it ended while we asked, and not well. `omitted`: a list left it
    out, so that one "still there" is not enough; `hinted_again`: a hint came after the question left, whose answer is
    thereby too old to clear us. `doubtful` counts answers that settled nothing. `probing`: a terminal state is
    sure, an update asks which.
    """

    work: Work
    running: bool
    failed: StepEnded | None = None
    percent: int = 0
    told_percent: int = 0
    omitted: bool = False
    hinted_again: bool = False
    doubtful: int = 0
    probing: bool = False


@dataclass(frozen=True, slots=True)
class Recovering:
    """Putting the hardware right. `end` is None when the work failed by itself: then `reason` is reported.

    `stage` quiesce: a step is still running that will be taken back; restore: step `work.begun - 1` is being taken
    back; finish: past the point of no return, what is left of the plan is done; verify: the hardware is looked over.
    """

    work: Work
    end: End | None
    stage: Literal["quiesce", "restore", "finish", "verify"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Safe:
    """The hardware could not be put right: reachable, tells why, takes no job."""

    reason: str


Phase: TypeAlias = Idle | Starting | Executing | Gated | Reporting | Suspect | Recovering | Safe

PHASE_NAMES: dict[type, PhaseName] = {
    Idle: "idle",
    Starting: "starting",
    Executing: "executing",
    Gated: "executing",
    Reporting: "reporting",
    Suspect: "suspect",
    Recovering: "recovering",
    Safe: "safe",
}


def execution_in_hand(phase: Phase) -> ExecutionKey | None:
    """The execution that a phase is about."""
    match phase:
        case Idle() | Safe():
            return None
        case Starting():
            return phase.execution.key
        case _:
            return phase.work.key


@dataclass(frozen=True, slots=True)
class Asked:
    """The one question that is open. `token` is that of its newest attempt; None until that is sent.

    `attempt` counts from 1; `about` is the incarnation it is meant for, None for start-next and `$next`.
    """

    question: Request
    about: ExecutionKey | None
    attempt: int = 1
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything. `tokens` counts client tokens used; `unaccounted` is a version that runs though its job is gone."""

    policy: Policy
    phase: Phase = Idle()
    connected: bool = False
    asked: Asked | None = None
    tokens: int = 0
    unaccounted: str | None = None
