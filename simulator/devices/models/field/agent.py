"""What the field's devices are made of: a `Memory` that stays, and a `FieldAgent` that lives for one event.

A model is a subclass of FieldAgent that says what is its own, and `stepping` makes a `step` of it:

    class Deaf(FieldAgent[Memory]):
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
from typing import ClassVar, TypeVar, assert_never

from agent.core.events import (
    Answered,
    BeginStep,
    Booted,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    JournalFailed,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    TimerFired,
    TimerName,
    UndoStep,
    Unreadable,
    Verified,
)
from agent.core.record import Activity, Record, Work
from agent.core.restarting import rebooted, unrebooted
from agent.device_events import (
    OUTCOMES,
    End,
    ExecutionGone,
    ExecutionLeft,
    ExecutionOutcome,
    ExecutionTaken,
    PhaseChanged,
    PhaseName,
    hint_received,
)
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
from simulator.devices.models.asker import Asker, Asking, Question, is_passing, work_of


@dataclass(frozen=True, slots=True)
class Memory(Asking):
    """What a device knows from one event to the next; a model that knows more inherits from it.

    `work` is the execution in hand; `is_running` says whether a step of it runs now, `percent` how far,
    `told_percent` what the service knows of that. `status` is the terminal one that is being reported, and `reason`
    why the work failed: while steps are taken back it says whether a report is to follow.
    """

    phase: PhaseName = "idle"
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


class FieldAgent(Asker[M]):
    """A device during one event: what it does is in its methods, what it knows afterwards in `state`."""

    reports_progress: ClassVar[bool] = True
    """Whether it says anything between the beginning and the end; if so, what the policy wants."""

    @property
    def work(self) -> Work:
        """What is in hand; there is something."""
        assert self.state.work is not None, "asked for only where there is work"
        return self.state.work

    # ── what happens; models override these ───────────────────────────────────────────────────────────────────

    def on_connected(self) -> None:
        """On line, and subscribed: repeat the report that is open, or ask for work."""
        if self.state.status is not None:
            self.report(self.state.status, self.state.reason)
        elif self.state.work is None:
            self.seek()

    def on_hint(self, hint: Hint) -> None:
        """A notification. Who listens to it says so with `hear`."""

    def on_told(self, asked: Question, answer: Answer) -> None:
        """The answer to start-next or describe."""
        match answer:
            case ExecutionTold(execution=execution) if execution is not None and self.state.work is None:
                self.take(execution)
            case _:
                pass

    def on_update_answered(self, asked: Question, answer: Answer) -> None:
        """The answer to an update."""
        work = self.state.work
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
        assert self.state.status is not None, "a report has a status"
        self.leave(OUTCOMES[self.state.status])

    def on_refused_for_now(self, asked: Question, answer: Rejected) -> None:
        """Throttled, or a fault of the service: try again later."""
        self.put_off(asked)

    def on_lost(self, asked: Question) -> None:
        """No answer came in time: put the question again."""
        self.put_off(asked)

    def on_timer(self, name: TimerName) -> None:
        """A timer, other than those by which questions are put again."""

    def on_step_done(self, work: Work) -> None:
        """A step is done, `work` counts it already."""
        step = work.plan.steps[work.done - 1]
        wanted = self.reports_progress and self.state.policy.reports != "end"
        if wanted and work.next_step is not None:
            self.update(Status.IN_PROGRESS, step=step.name, progress="100")
        self.advance()

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, hint: Hint) -> None:
        """A notification on a topic that this device listens to."""
        self.tell(hint_received(hint))

    def to(self, phase: PhaseName, why: str = "") -> None:
        """Enter a phase; work on trial is called so."""
        was, work = self.state.phase, self.state.work
        name: PhaseName = "trial" if phase == "executing" and work and work.reached is Reached.TRIAL else phase
        if name != was:
            self.set(phase=name)
            self.tell(PhaseChanged(name, was, why, work.key if work else None))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, question: Request, about: ExecutionKey | None = None, attempt: int = 1) -> None:
        """Put `question`; it supersedes the open one. Off line it is dropped."""
        self.drop_question()
        if self.state.connected:
            self.set(asked=Question(question, about, attempt))
            self.send()

    def seek(self) -> None:
        """Ask for the head of the queue."""
        self.ask(self.question_for_work())

    def question_for_work(self) -> Request:
        """`$next`, which exists in every namespace."""
        return Describe(NEXT, namespace_id=self.state.policy.namespace_id)

    def update(self, status: Status, **details: str) -> None:
        """Report on the execution in hand."""
        self.ask(self.update_of(self.work, status, **details), self.work.key)

    def update_of(self, work: Work, status: Status, **details: str) -> Update:
        """An update of any execution; no client seen so far says which version it expects."""
        given = tuple(sorted((key, value) for key, value in details.items() if value))
        return Update(work.key.job_id, status, namespace_id=work.key.namespace_id, status_details=given or None)

    def _answered(self, answer: Answer) -> None:
        asked = self.receive(answer)
        if asked is None:
            return
        if is_passing(answer):
            self.on_refused_for_now(asked, answer)
        else:
            self.settle(asked, answer)

    def settle(self, asked: Question, answer: Answer) -> None:
        """That is the answer."""
        self.drop_question()
        if isinstance(asked.question, Update):
            self.on_update_answered(asked, answer)
        else:
            self.on_told(asked, answer)

    # ── working ───────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, execution: Execution) -> None:
        """Make an execution the work in hand: begin, or reject what is no plan. A queued one is claimed first."""
        plan = plan_of(execution.document, self.state.policy.abilities)
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
        self.set(work=work)
        self.tell(ExecutionTaken(work.key, work.digest))

    def refuse(self, execution: Execution, status: Status, reason: str) -> None:
        """Report an execution's end without having begun it."""
        self.hold(work_of(execution, Plan("", ())))
        self.report(status, reason)

    def advance(self) -> None:
        """Begin the next step, or report that all are done."""
        work = self.work
        step = work.next_step
        if step is None:
            self.report(Status.SUCCEEDED)
            return
        work = replace(work, begun=work.done + 1)
        self.set(work=work, is_running=True, percent=0, told_percent=0)
        self.to("executing", f"{step.name} begins")
        self.do(BeginStep(work.key, work.done, step, work.plan.version))

    def tell_progress(self) -> None:
        """Report how far the running step is, if that is wanted, not known, and no other question is open."""
        memory = self.state
        step = memory.work.next_step if memory.work else None
        wanted = self.reports_progress and memory.policy.reports == "progress" and memory.percent != memory.told_percent
        if wanted and step is not None and memory.is_running and memory.asked is None and memory.connected:
            self.state = replace(memory, told_percent=memory.percent)
            self.update(Status.IN_PROGRESS, step=step.name, progress=str(memory.percent))

    def report(self, status: Status, reason: str = "") -> None:
        """Report the end, or repeat that report."""
        work = self.work
        self.set(status=status, reason=reason)
        self.to("reporting", f"reporting {status.value}")
        self.update(status, reason=reason, version="" if reason else work.plan.version)

    def leave(self, outcome: ExecutionOutcome) -> None:
        """Be done with the work in hand, and ask for more."""
        self.forget(outcome)
        self.seek()

    def forget(self, outcome: ExecutionOutcome) -> None:
        """Be done with the work in hand."""
        self.tell(ExecutionLeft(self.work.key, outcome))
        self.set(work=None, is_running=False, status=None, reason="")
        self.to("idle", outcome)

    # ── taking back ───────────────────────────────────────────────────────────────────────────────────────────

    def abandon(self, end: End) -> None:
        """Believe that the execution ended without us, and take back what was done."""
        self.tell_learned(ExecutionGone(self.work.key, end))
        self.undo()

    def undo(self, reason: str = "") -> None:
        """Stop, and take every step back in reverse order; with a `reason`, report the failure then.

        Nobody looks over what came of it: past the point of no return, or where a step cannot be taken back, it stays.
        """
        work = self.work
        self.drop_question()
        self.set(reason=reason, status=None)
        self.to("recovering", reason or "abandoned")
        if self.state.is_running:
            self.do(StopStep(work.done))
        else:
            self._undo_next(work)

    def _undo_next(self, work: Work) -> None:
        if work.begun and work.reached not in (Reached.LEAPT, Reached.RAN):
            self.do(UndoStep(work.key, work.begun - 1, work.plan.steps[work.begun - 1]))
        elif self.state.reason:
            self.report(Status.FAILED, self.state.reason)
        else:
            self.leave("recovered")

    def _step_ended(self, event: StepEnded) -> None:
        work = self.state.work
        if work is None or event.index != work.done:
            return
        self.set(is_running=False)
        if self.state.phase == "recovering":
            self._undo_next(work)
        elif event.outcome == "done":
            work = replace(work, done=work.done + 1)
            self.set(work=work)
            self.on_step_done(work)
        else:
            self.undo(f"{work.plan.steps[event.index].name}: {event.reason or event.outcome}")

    def _restored(self) -> None:
        work = self.state.work
        if work is not None and self.state.phase == "recovering":
            begun = work.begun - 1
            work = replace(work, begun=begun, done=min(work.done, begun))
            self.set(work=work)
            self._undo_next(work)

    # ── forgetting and remembering ────────────────────────────────────────────────────────────────────────────

    def record(self) -> Record:
        """What must be known again after a restart."""
        memory = self.state
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
        self.set(work=work, status=record.status, reason=record.reason)
        if record.doing == "reporting":
            self.to("reporting", "restarted")
        elif record.doing == "restoring":
            self.set(work=unrebooted(work, event))
            self.undo(record.reason)
        else:
            work, failure = rebooted(work, event)
            self.set(work=work)
            if failure:
                self.undo(failure)
            else:
                self.to("executing", "restarted")
                self.advance()

    def _journal_failed(self, reason: str) -> None:
        """A step that was to begin has not begun."""
        work = self.state.work
        if work is not None and self.state.phase in ("executing", "trial"):
            self.set(work=replace(work, begun=work.done), is_running=False)
            self.undo(f"the journal cannot be written: {reason}")

    # ── one event ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_in(self, event: Event) -> None:
        """Deal with one event."""
        match event:
            case Booted():
                self.on_booted(event)
            case Connected():
                self.drop_question()
                self.set(connected=True)
                self.on_connected()
            case Disconnected():
                self.drop_question()
                self.set(connected=False)
            case Hinted(hint=hint):
                if hint.namespace_id == self.state.policy.namespace_id:
                    self.on_hint(hint)
            case Answered(answer=answer):
                self._answered(answer)
            case TimerFired(name="request"):
                if self.state.asked is not None:
                    self.on_lost(self.state.asked)
            case TimerFired(name="retry"):
                self.send()
            case TimerFired(name=name):
                self.on_timer(name)
            case StepAdvanced(percent=percent):
                self.set(percent=percent)
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


def stepping(kind: Callable[[M], FieldAgent[M]]) -> Callable[[M, Event], tuple[M, tuple[Effect, ...]]]:
    """The `step` of a model: what is to be known after a restart is written down before anything else is done."""

    def step(memory: M, event: Event) -> tuple[M, tuple[Effect, ...]]:
        device = kind(memory)
        known = (event.record or Record()) if isinstance(event, Booted) else device.record()
        device.take_in(event)
        return device.result(device.record(), known)

    return step
