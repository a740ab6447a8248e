"""What the field's devices are made of: a `Memory` that stays, and a `Device` that lives for one event.

A model is a subclass of Device that says what is its own, and `stepping` makes a `step` of it:

    class Deaf(Device[Memory]):
        def on_hint(self, hint: Hint) -> None:
            pass

    DEAF = Model(stepping(Deaf), Memory)

What stands here is what nearly every client does, and what the trace must be told of it: ask for work when connected,
take it, do its plan step by step, report, ask for more. One question is open at a time; only the first answer to its
newest attempt counts. Nothing here asks about the execution in hand, reads a notification, or leaves an execution that
is gone: that is where clients differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar, assert_never

from agent.account import (
    OUTCOMES,
    DeviceEvent,
    End,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    Outcome,
    PhaseChanged,
    answer_received,
    hint_received,
)
from agent.account import Phase as PhaseName
from agent.core import DevicePolicy
from agent.core.events import (
    Answered,
    BeginStep,
    Booted,
    CancelTimer,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    JournalFailed,
    Publish,
    Remember,
    SetTimer,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    Tell,
    TimerFired,
    TimerName,
    UndoStep,
    Unreadable,
    Verified,
)
from agent.core.record import Activity, Record, Work
from agent.core.restarting import rebooted, unrebooted
from agent.documents import plan_of
from agent.plan import Plan, Unusable
from agent.recovery import Reached
from agent.values import (
    NEXT,
    Answer,
    Describe,
    Execution,
    ExecutionKey,
    ExecutionTold,
    Hint,
    Rejected,
    Request,
    Status,
    Update,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The one question that is open, put for the `attempt`th time; `sent`: that is under way."""

    question: Request
    about: ExecutionKey | None
    attempt: int = 1
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device knows from one event to the next; a model that knows more inherits from it.

    `work` is the execution in hand; `is_running` says whether a step of it runs now, `percent` how far,
    `told_percent` what the service knows of that. `status` is the terminal one that is being reported, and `reason`
    why the work failed: while steps are taken back it says whether a report is to follow.
    """

    policy: DevicePolicy
    phase: PhaseName = "idle"
    connected: bool = False
    asked: Asked | None = None
    work: Work | None = None
    is_running: bool = False
    percent: int = 0
    told_percent: int = 0
    status: Status | None = None
    reason: str = ""

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.phase == "idle"


M = TypeVar("M", bound=Memory)


class Device(Generic[M]):
    """A device during one event: what it does is in its methods, what it knows afterwards in `memory`."""

    reports_progress: ClassVar[bool] = True
    """Whether it says anything between the beginning and the end; if so, what the policy wants."""

    def __init__(self, memory: M) -> None:
        self.memory = memory
        self.effects: list[Effect] = []
        self.answered = False
        """Whether this event brought an answer."""

    # ── what happens; models override these ───────────────────────────────────────────────────────────────────

    def on_connected(self) -> None:
        """On line, and subscribed: repeat the report that is open, or ask for work."""
        if self.memory.status is not None:
            self.report(self.memory.status, self.memory.reason)
        elif self.memory.work is None:
            self.seek()

    def on_hint(self, hint: Hint) -> None:
        """A notification. Who listens to it says so with `hear`."""

    def on_told(self, asked: Asked, answer: Answer) -> None:
        """The answer to start-next or describe."""
        match answer:
            case ExecutionTold(execution=execution) if execution is not None and self.memory.work is None:
                self.take(execution)
            case _:
                pass

    def on_update_answered(self, asked: Asked, answer: Answer) -> None:
        """The answer to an update."""
        work = self.memory.work
        if work is None or asked.about != work.key:
            return
        if isinstance(asked.question, Update) and asked.question.status is Status.IN_PROGRESS:
            self.on_progress_answered(work, answer)
        else:
            self.on_report_answered(work, answer)

    def on_progress_answered(self, work: Work, answer: Answer) -> None:
        """The answer to an update to IN_PROGRESS; a refusal is logged, and that is all."""
        self.tell_progress()

    def on_report_answered(self, work: Work, answer: Answer) -> None:
        """The answer to the terminal report; here the device is done whatever it says."""
        assert self.memory.status is not None, "a report has a status"
        self.leave(OUTCOMES[self.memory.status])

    def on_refused_for_now(self, asked: Asked, answer: Rejected) -> None:
        """Throttled, or a fault of the service: try again later."""
        self.put_off(asked)

    def on_lost(self, asked: Asked) -> None:
        """No answer came in time: put the question again."""
        self.put_off(asked)

    def on_timer(self, name: TimerName) -> None:
        """A timer, other than those by which questions are put again."""

    def on_step_done(self, work: Work) -> None:
        """A step is done, `work` counts it already."""
        step = work.plan.steps[work.done - 1]
        wanted = self.reports_progress and self.memory.policy.reports != "end"
        if wanted and work.next_step is not None:
            self.update(Status.IN_PROGRESS, step=step.name, progress="100")
        self.advance()

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, event: DeviceEvent) -> None:
        """Log and trace `event`."""
        self.effects.append(Tell(event))

    def tell_learned(self, event: DeviceEvent) -> None:
        """Log and trace what was learned, from the answer if there is one."""
        self.effects.append(Tell(event, from_answer=self.answered))

    def do(self, *effects: Effect) -> None:
        """Let the shell perform `effects`, in order."""
        self.effects.extend(effects)

    def hear(self, hint: Hint) -> None:
        """A notification on a topic that this device listens to."""
        self.tell(hint_received(hint))

    def to(self, phase: PhaseName, why: str = "") -> None:
        """Enter a phase; work on trial is called so."""
        was, work = self.memory.phase, self.memory.work
        name: PhaseName = "trial" if phase == "executing" and work and work.reached is Reached.TRIAL else phase
        if name != was:
            self.memory = replace(self.memory, phase=name)
            self.tell(PhaseChanged(name, was, why, work.key if work else None))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, question: Request, about: ExecutionKey | None = None, attempt: int = 1) -> None:
        """Put `question`; it supersedes the open one. Off line it is dropped."""
        self.drop_question()
        if self.memory.connected:
            self.memory = replace(self.memory, asked=Asked(question, about, attempt))
            self._send()

    def seek(self) -> None:
        """Ask for the head of the queue."""
        self.ask(self.question_for_work())

    def question_for_work(self) -> Request:
        """`$next`, which exists in every namespace."""
        return Describe(NEXT, namespace_id=self.memory.policy.namespace_id)

    def update(self, status: Status, **details: str) -> None:
        """Report on the execution in hand."""
        work = self.memory.work
        assert work is not None, "there is work to report on"
        self.ask(self.update_of(work, status, **details), work.key)

    def update_of(self, work: Work, status: Status, **details: str) -> Update:
        """An update of any execution; no client seen so far says which version it expects."""
        given = tuple(sorted((key, value) for key, value in details.items() if value))
        return Update(work.key.job_id, status, namespace_id=work.key.namespace_id, status_details=given or None)

    def put_off(self, asked: Asked) -> None:
        """Put `asked` again, later each time."""
        policy = self.memory.policy
        self.memory = replace(self.memory, asked=replace(asked, attempt=asked.attempt + 1, sent=False))
        wait = self.backoff(asked.attempt)
        self.do(CancelTimer("request"), SetTimer("retry", wait, wait * policy.retry_spread))

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after so many attempts, before jitter."""
        policy = self.memory.policy
        return min(policy.retry_first * policy.retry_growth ** (attempts - 1), policy.retry_ceiling)

    def drop_question(self) -> None:
        """No answer is awaited any more."""
        if self.memory.asked is not None:
            self.memory = replace(self.memory, asked=None)
            self.do(CancelTimer("request"), CancelTimer("retry"))

    def _send(self) -> None:
        asked = self.memory.asked
        if asked is None or not self.memory.connected:
            return
        self.memory = replace(self.memory, asked=replace(asked, sent=True))
        self.do(
            Publish(asked.question, asked.about, asked.attempt),
            SetTimer("request", self.memory.policy.request_timeout),
        )

    def _answered(self, answer: Answer) -> None:
        asked = self.memory.asked
        if asked is None or not asked.sent:
            return
        self.answered = True
        self.tell_learned(answer_received(answer))
        if isinstance(answer, Rejected) and not answer.code.is_permanent:
            self.on_refused_for_now(asked, answer)
            return
        self.drop_question()
        if isinstance(asked.question, Update):
            self.on_update_answered(asked, answer)
        else:
            self.on_told(asked, answer)

    # ── working ───────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, execution: Execution) -> None:
        """Make an execution the work in hand: begin, or reject what is no plan. A queued one is claimed first."""
        plan = plan_of(execution.document, self.memory.policy.abilities)
        if isinstance(plan, Unusable):
            self.refuse(execution, Status.REJECTED, plan.reason)
            return
        self.hold(work_of(execution, plan))
        self.to("executing", "work in hand")
        if execution.status is Status.QUEUED:
            self.update(Status.IN_PROGRESS)
        self.advance()

    def hold(self, work: Work) -> None:
        """Have this work in hand from now on."""
        self.memory = replace(self.memory, work=work)
        self.tell(ExecutionTaken(work.key, work.digest))

    def refuse(self, execution: Execution, status: Status, reason: str) -> None:
        """Report an execution's end without having begun it."""
        self.hold(work_of(execution, Plan("", ())))
        self.report(status, reason)

    def advance(self) -> None:
        """Begin the next step, or report that all are done."""
        work = self.memory.work
        assert work is not None, "there is work"
        step = work.next_step
        if step is None:
            self.report(Status.SUCCEEDED)
            return
        work = replace(work, begun=work.done + 1)
        self.memory = replace(self.memory, work=work, is_running=True, percent=0, told_percent=0)
        self.to("executing", f"{step.name} begins")
        self.do(BeginStep(work.key, work.done, step, work.plan.version))

    def tell_progress(self) -> None:
        """Report how far the running step is, if that is wanted, not known, and no other question is open."""
        memory = self.memory
        step = memory.work.next_step if memory.work else None
        wanted = self.reports_progress and memory.policy.reports == "progress" and memory.percent != memory.told_percent
        if wanted and step is not None and memory.is_running and memory.asked is None and memory.connected:
            self.memory = replace(memory, told_percent=memory.percent)
            self.update(Status.IN_PROGRESS, step=step.name, progress=str(memory.percent))

    def report(self, status: Status, reason: str = "") -> None:
        """Report the end, or repeat that report."""
        work = self.memory.work
        assert work is not None, "there is work to report on"
        self.memory = replace(self.memory, status=status, reason=reason)
        self.to("reporting", f"reporting {status.value}")
        self.update(status, reason=reason, version="" if reason else work.plan.version)

    def leave(self, outcome: Outcome) -> None:
        """Be done with the work in hand, and ask for more."""
        self.forget(outcome)
        self.seek()

    def forget(self, outcome: Outcome) -> None:
        """Be done with the work in hand."""
        work = self.memory.work
        assert work is not None, "there is work"
        self.tell(ExecutionLeft(work.key, outcome))
        self.memory = replace(self.memory, work=None, is_running=False, status=None, reason="")
        self.to("idle", outcome)

    # ── taking back ───────────────────────────────────────────────────────────────────────────────────────────

    def abandon(self, end: End) -> None:
        """Believe that the execution ended without us, and take back what was done."""
        work = self.memory.work
        assert work is not None, "there is work"
        self.tell_learned(ExecutionGone(work.key, end))
        self.undo()

    def undo(self, reason: str = "") -> None:
        """Stop, and take every step back in reverse order; with a `reason`, report the failure then.

        Nobody looks over what came of it: past the point of no return, or where a step cannot be taken back, it stays.
        """
        work = self.memory.work
        assert work is not None, "there is work"
        self.drop_question()
        self.memory = replace(self.memory, reason=reason, status=None)
        self.to("recovering", reason or "abandoned")
        if self.memory.is_running:
            self.do(StopStep(work.done))
        else:
            self._undo_next(work)

    def _undo_next(self, work: Work) -> None:
        if work.begun and work.reached not in (Reached.LEAPT, Reached.RAN):
            self.do(UndoStep(work.key, work.begun - 1, work.plan.steps[work.begun - 1]))
        elif self.memory.reason:
            self.report(Status.FAILED, self.memory.reason)
        else:
            self.leave("recovered")

    def _step_ended(self, event: StepEnded) -> None:
        work = self.memory.work
        if work is None or event.index != work.done:
            return
        self.memory = replace(self.memory, is_running=False)
        if self.memory.phase == "recovering":
            self._undo_next(work)
        elif event.outcome == "done":
            work = replace(work, done=work.done + 1)
            self.memory = replace(self.memory, work=work)
            self.on_step_done(work)
        else:
            self.undo(f"{work.plan.steps[event.index].name}: {event.reason or event.outcome}")

    def _restored(self) -> None:
        work = self.memory.work
        if work is not None and self.memory.phase == "recovering":
            begun = work.begun - 1
            work = replace(work, begun=begun, done=min(work.done, begun))
            self.memory = replace(self.memory, work=work)
            self._undo_next(work)

    # ── forgetting and remembering ────────────────────────────────────────────────────────────────────────────

    def record(self) -> Record:
        """What must be known again after a restart."""
        memory = self.memory
        doing: Activity = "working" if memory.status is None else "reporting"
        if memory.phase == "recovering":
            doing = "restoring"
        work = replace(memory.work, version_number=0) if memory.work else None
        return Record(work, doing, status=memory.status, reason=memory.reason)

    def on_booted(self, event: Booted) -> None:
        """The first event: go on with what is on record; a step that was interrupted is done again."""
        record = event.record or Record()
        work = record.work
        if work is None:
            return
        self.memory = replace(self.memory, work=work, status=record.status, reason=record.reason)
        if record.doing == "reporting":
            self.to("reporting", "restarted")
        elif record.doing == "restoring":
            self.memory = replace(self.memory, work=unrebooted(work, event))
            self.undo(record.reason)
        else:
            work, failure = rebooted(work, event)
            self.memory = replace(self.memory, work=work)
            if failure:
                self.undo(failure)
            else:
                self.to("executing", "restarted")
                self.advance()

    def _journal_failed(self, reason: str) -> None:
        """A step that was to begin has not begun."""
        work = self.memory.work
        if work is not None and self.memory.phase in ("executing", "trial"):
            self.memory = replace(self.memory, work=replace(work, begun=work.done), is_running=False)
            self.undo(f"the journal cannot be written: {reason}")

    # ── one event ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_in(self, event: Event) -> None:
        """Deal with one event."""
        match event:
            case Booted():
                self.on_booted(event)
            case Connected():
                self.drop_question()
                self.memory = replace(self.memory, connected=True)
                self.on_connected()
            case Disconnected():
                self.drop_question()
                self.memory = replace(self.memory, connected=False)
            case Hinted(hint=hint):
                if hint.namespace_id == self.memory.policy.namespace_id:
                    self.on_hint(hint)
            case Answered(answer=answer):
                self._answered(answer)
            case TimerFired(name="request"):
                if self.memory.asked is not None:
                    self.on_lost(self.memory.asked)
            case TimerFired(name="retry"):
                self._send()
            case TimerFired(name=name):
                self.on_timer(name)
            case StepAdvanced(percent=percent):
                self.memory = replace(self.memory, percent=percent)
                self.tell_progress()
            case StepEnded():
                self._step_ended(event)
            case StepRestored():
                self._restored()
            case Verified() | Unreadable():
                pass  # nobody asked; and what cannot be parsed is dropped, as these agents do
            case JournalFailed(reason=reason):
                self._journal_failed(reason)
            case _:
                assert_never(event)


def work_of(execution: Execution, plan: Plan) -> Work:
    """An execution as work of which nothing is done."""
    digest = execution.document.digest if execution.document else ""
    return Work(execution.key, plan, digest, execution.version_number)


def stepping(kind: Callable[[M], Device[M]]) -> Callable[[M, Event], tuple[M, tuple[Effect, ...]]]:
    """The `step` of a model: what is to be known after a restart is written down before anything else is done."""

    def step(memory: M, event: Event) -> tuple[M, tuple[Effect, ...]]:
        device = kind(memory)
        known = (event.record or Record()) if isinstance(event, Booted) else device.record()
        device.take_in(event)
        record = device.record()
        if record != known:
            device.effects.insert(0, Remember(record))
        return device.memory, tuple(device.effects)

    return step
