"""What a device knows about its jobs in one namespace: the states, each with exactly its own data.

What leads from one to the other (drawn by `python -m tests.agent.core.diagram --write`):

    Idle       booted ────────────────► Suspect, Reporting, Recovering, Safe
               answered ──────────────► Starting, Executing, Gated, Reporting, Recovering
               unreadable ────────────► ByName
    ByName     connected ─────────────► Idle
               answered ──────────────► Idle, Starting, Executing, Gated, Reporting, Recovering
               unreadable ────────────► Idle, Reporting
    Starting   connected ─────────────► Idle
               hinted ────────────────► Idle
               answered ──────────────► Idle, Executing, Gated, Reporting, Recovering
               unreadable ────────────► Reporting
    Executing  connected ─────────────► Suspect
               hinted ────────────────► Suspect
               answered ──────────────► Suspect, Recovering
               timer step ────────────► Recovering
               step ended ────────────► Gated, Reporting, Recovering
               journal failed ────────► Recovering
    Gated      connected ─────────────► Suspect
               disconnected ──────────► Executing
               hinted ────────────────► Suspect
               answered ──────────────► Executing, Suspect, Recovering, Idle
               unreadable ────────────► Recovering
               timer leap ────────────► Executing, Recovering
               journal failed ────────► Recovering
    Reporting  answered ──────────────► Idle, ByName, Recovering, Safe
    Suspect    answered ──────────────► Executing, Gated, Reporting, Recovering, Idle
               timer step ────────────► Recovering
               timer leap ────────────► Recovering
    Recovering step restored ─────────► Reporting, Safe
               verified ──────────────► Idle, Reporting, Safe
               journal failed ────────► Reporting, Safe

In the default namespace start-next claims, so Idle goes straight to work, unless nothing tells how far an execution
that is IN_PROGRESS already has come. `Starting` is for that, and for namespaces, where no start-next is known: the
claim (an update to IN_PROGRESS) proves nothing about which incarnation accepted it, so a describe confirms it before
the first effect. `Gated` is the moment between two steps in which the device waits for leave to begin the next one.
Where the answer about the head cannot be read, `ByName` looks for work by name.

A reboot ends everything that is not on record. Whoever comes back with work in hand is Suspect, and asks; whoever was
reporting, recovering or Safe goes on with that. Between the reboot into new firmware and its commit the phases are
called `trial`: the same questions are asked there.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from agent.abilities import DEFAULT_ABILITIES, Abilities
from agent.core.events import StepEnded
from agent.core.record import Activity, Finished, Record, Work
from agent.device_events import End, PhaseName
from agent.recovery import PointOfNoReturn, Reached
from agent.values import Execution, ExecutionKey, Request, Status


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """The numbers and choices of one device; all times in seconds. Local defaults; slower ones suit AWS itself.

    `leap_when_unreachable` says what happens when nobody answers at the point of no return, or after a reboot into new
    firmware, within `leap_deadline`.
    """

    namespace_id: str | None = None
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
    point_of_no_return: PointOfNoReturn = "revert-until-commit"
    abilities: Abilities = DEFAULT_ABILITIES
    """For which the shell plans."""


# ── the phases ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing in hand. `expects` work that a list announced; `empty_answers` came since; `again`: ask once more."""

    expects: bool = False
    empty_answers: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class ByName:
    """The head of the queue cannot be read, so each pending execution is asked about by its own name.

    The first of `left` is being asked about, none while their list is; `listed`: they are those of such a list, and not
    of a notification, which may be old.
    """

    left: tuple[Execution, ...] = ()
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Starting:
    """Claiming `execution` in a namespace: first an update, and once that is `claimed`, a describe.

    In the default namespace start-next has claimed it; the describe is to tell how far it came, if that did not.
    """

    execution: Execution
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Executing:
    """The hardware does step `work.done`. `percent` is how far; `told_percent` what the service was told of it.

    `waiting` is why the step does not get on at the moment, and `told_waiting` what the service was told of that.
    """

    work: Work
    percent: int = 0
    told_percent: int = 0
    waiting: str = ""
    told_waiting: str = ""


@dataclass(frozen=True, slots=True)
class Gated:
    """Between two steps: the report of the last one, or the question before the leap, is on its way.

    `announcement`: a step that is begun once only is reported before it begins. `document`: in the middle of a step,
    and asking for the document again, because what it told holds no more.
    """

    work: Work
    gate: Literal["report", "announcement", "leap", "document"]


@dataclass(frozen=True, slots=True)
class Reporting:
    """The terminal update is on its way; `nonce` is what it is called (see `agent.core.marks`).

    `resyncing`: the service's version is not known, so it is asked about first. `doubtful` counts answers to that which
    call the execution QUEUED, as if nobody had ever begun it. `safe`: why the device is Safe once this is settled.
    `unproven`: the execution has ended just as we report it, and we are asking by whose report.
    """

    work: Work
    status: Status
    nonce: str
    reason: str = ""
    resyncing: bool = False
    doubtful: int = 0
    safe: str = ""
    unproven: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A hint spoke against our execution, or we were away: asking about that very execution.

    `running`: its step goes on meanwhile; `failed`: it ended while we asked, and not well. `omitted`: a list left it
    out, so that one "still there" is not enough; `hinted_again`: a hint came after the question left, whose answer is
    thereby too old to clear us. `doubtful` counts answers that settled nothing. `probing`: a terminal state is
    sure, an update asks which; `restarted`: the step that was under way has been interrupted.
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
    restarted: bool = False


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
    forward: bool = False
    """Whether it finishes instead of undoing; a failed self-test turns it round while that can be."""


@dataclass(frozen=True, slots=True)
class Safe:
    """The hardware could not be put right: reachable, tells why, takes no job."""

    reason: str


Phase: TypeAlias = Idle | ByName | Starting | Executing | Gated | Reporting | Suspect | Recovering | Safe

PHASE_NAMES: dict[type, PhaseName] = {
    Idle: "idle",
    ByName: "idle",
    Starting: "starting",
    Executing: "executing",
    Gated: "executing",
    Reporting: "reporting",
    Suspect: "suspect",
    Recovering: "recovering",
    Safe: "safe",
}


def phase_name(phase: Phase) -> PhaseName:
    """What people call it; work on new firmware that is not committed yet has a name of its own."""
    if isinstance(phase, Executing | Gated) and phase.work.reached is Reached.TRIAL:
        return "trial"
    return PHASE_NAMES[type(phase)]


def execution_in_hand(phase: Phase) -> ExecutionKey | None:
    """The execution that a phase is about."""
    match phase:
        case Idle() | ByName() | Safe():
            return None
        case Starting():
            return phase.execution.key
        case _:
            return phase.work.key


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """The one question that is open. `about` is the incarnation it is meant for, None for start-next and `$next`.

    `waits` is how often it was put off, counted until the wait has its ceiling; `sent`: an attempt is under way.
    """

    question: Request
    about: ExecutionKey | None
    waits: int = 0
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """The state machine, whole; the hardware is not in it. `unaccounted` is a version that runs though its job is gone.

    `finished` is the last execution dealt with, `running` the version that the device booted, be it `on_trial`.
    `in_recovery`: it came up in its recovery image, and with nothing in hand.
    """

    policy: DevicePolicy
    phase: Phase = Idle()
    connected: bool = False
    asked: OpenQuestion | None = None
    unaccounted: str | None = None
    finished: Finished | None = None
    running: str = ""
    on_trial: bool = False
    in_recovery: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return isinstance(self.phase, Idle | Safe)


def record_of(machine: Machine) -> Record:
    """What must be known again after a restart."""
    # Asked before and after every event: each is made in one go.
    kept, finished = machine.unaccounted, machine.finished
    match machine.phase:
        case Idle() | ByName() | Starting():
            return Record(unaccounted=kept, finished=finished)
        case Safe(reason=reason):
            return Record(safe=reason, unaccounted=kept, finished=finished)
        case Reporting() as told:
            return Record(
                work=_unversioned(told.work),
                doing="reporting",
                status=told.status,
                nonce=told.nonce,
                reason=told.reason,
                unaccounted=kept,
                finished=finished,
                safe=told.safe,
            )
        case Recovering() as phase:
            doing: Activity = "finishing" if phase.forward else "restoring"
            work = _unversioned(phase.work)
            return Record(work, doing, phase.end, reason=phase.reason, unaccounted=kept, finished=finished)
        case Executing(work=work) | Gated(work=work) | Suspect(work=work):
            return Record(_unversioned(work), unaccounted=kept, finished=finished)
        case _:
            assert_never(machine.phase)


def _unversioned(work: Work) -> Work:
    return replace(work, version_number=0) if work.version_number else work
