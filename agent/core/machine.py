"""`step(machine, event) -> (machine, effects)`: everything that a device decides about its jobs.

This file only finds the rule; the rules stand by concern in `taking` (how work is come by), `naming` (where an answer
cannot be read), `working` (steps, gates, reports), `doubting` (hints and what to believe), `recovering` and
`restarting`. An event that means nothing in a phase changes nothing: late answers, timers that lost their reason and
reports of stopped hardware are ordinary.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from agent.account import JournalUnwritable
from agent.causes import Cause
from agent.core import doubting, naming, recovering, restarting, taking, working
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
    UndoStep,
    Unreadable,
    Verified,
    Verify,
)
from agent.core.record import Record
from agent.core.state import (
    Asked,
    ByName,
    Executing,
    Gated,
    Idle,
    Machine,
    Phase,
    Policy,
    Recovering,
    Reporting,
    Safe,
    Starting,
    Suspect,
    record_of,
)
from agent.core.turn import Turn
from agent.recovery import Reached, Remedy, remedy_for
from agent.values import Answer, Update


def start(policy: Policy) -> Machine:
    """A device before its first event, which is Booted."""
    return Machine(policy)


def step(machine: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...]]:
    """One event in; the machine afterwards, and what the shell is to do, in order."""
    known = (event.record or Record()) if isinstance(event, Booted) else None
    return act(machine, lambda turn: _deal_with(turn, event), known)


def act(
    machine: Machine, rule: Callable[[Turn], None], known: Record | None = None
) -> tuple[Machine, tuple[Effect, ...]]:
    """What `rule` makes of the machine, and the record of it before any deed; `known` is what is on record already."""
    turn = Turn(machine)
    rule(turn)
    after = turn.machine
    if after.phase is not machine.phase or after.unaccounted != machine.unaccounted:
        record = record_of(after)
        if record != (known or record_of(machine)):
            turn.effects.insert(_first_deed(turn.effects), Remember(record))
    return after, tuple(turn.effects)


def _deal_with(turn: Turn, event: Event) -> None:
    match event:
        case Booted():
            restarting.on_booted(turn, event)
        case JournalFailed():
            _journal_failed(turn, event)
        case Connected():
            _connected(turn)
        case Disconnected():
            _disconnected(turn)
        case Answered(answer=answer):
            turn.planned = event.planned
            asked = turn.take_answer(answer)
            if asked is not None:
                _answered(turn, turn.machine.phase, asked, answer)
        case Unreadable():
            naming.on_unreadable(turn, event)
        case Hinted(hint=hint):
            doubting.on_hint(turn, hint)
        case TimerFired():
            _timer_fired(turn, event)
        case StepAdvanced():
            _step_advanced(turn, event)
        case StepEnded():
            _step_ended(turn, event)
        case StepRestored():
            if isinstance(phase := turn.machine.phase, Recovering):
                recovering.on_step_restored(turn, phase, event)
        case Verified(ok=ok):
            if isinstance(phase := turn.machine.phase, Recovering):
                recovering.on_verified(turn, phase, ok)
        case _:
            assert_never(event)


def _first_deed(effects: list[Effect]) -> int:
    """Where the first effect stands that anybody outside could notice: what is on record comes before that.

    What was heard and decided is told before it is on record. So a power cut between the two leaves an account that
    says why the record is as it is; the other way round, a device would act upon an answer that it never told of.
    """
    for index, effect in enumerate(effects):
        match effect:
            case Publish() | BeginStep() | StopStep() | UndoStep() | Verify():
                return index
            case Tell() | SetTimer() | CancelTimer() | Remember():
                pass
            case _:
                assert_never(effect)
    return len(effects)


def _connected(turn: Turn) -> None:
    """Nothing that was true before counts now: ask again, about the very execution if there is one."""
    turn.forget_question()
    turn.machine = replace(turn.machine, connected=True)
    match turn.machine.phase:
        case Idle() | ByName() | Starting():
            taking.seek(turn, "connected", again=True)
        case Executing() | Gated() as phase:
            doubting.doubt(turn, phase, "connected again")
        case Suspect() as phase:
            # A restart forgot which version the service was at; the document tells one of the same second apart.
            turn.to(replace(phase, probing=False, hinted_again=False), "connected again")
            turn.ask_about(phase.work.key, with_document=phase.restarted)
        case Reporting() as phase if not phase.work.version_number:
            turn.ask_about(phase.work.key, with_document=True)
        case Reporting() as phase:
            turn.report_again(phase, phase.work.version_number)
        case Recovering() | Safe():
            pass
        case _:
            assert_never(turn.machine.phase)


def _disconnected(turn: Turn) -> None:
    """What was asked may or may not have arrived. Reversible work goes on; the rest waits for the connection."""
    turn.forget_question()
    turn.machine = replace(turn.machine, connected=False)
    if isinstance(phase := turn.machine.phase, Gated) and phase.gate == "report":
        working.pass_report_gate(turn, phase.work)


def _answered(turn: Turn, phase: Phase, asked: Asked, answer: Answer) -> None:
    updated = isinstance(asked.question, Update)
    match phase:
        case Idle():
            taking.on_head_told(turn, phase, answer)
        case ByName():
            naming.on_answered(turn, phase, answer)
        case Starting():
            taking.on_claim_answered(turn, phase, answer)
        case Executing() if updated:
            work = working.read_update_answer(turn, phase.work, answer, running=True)
            if work is not None:
                executing = replace(phase, work=work)
                turn.to(executing, "told")
                working.tell_progress(turn, executing)
        case Gated(gate="report") if updated:
            work = working.read_update_answer(turn, phase.work, answer)
            if work is not None:
                working.pass_report_gate(turn, work)
        case Gated(gate="announcement") if updated:
            working.on_announced(turn, phase.work, answer)
        case Gated(gate="leap" | "document" as gate):
            begins = working.on_leap_answered if gate == "leap" else working.on_document_answered
            if not begins(turn, phase.work, answer):
                suspect = Suspect(phase.work, running=False)
                turn.suspect(suspect, "no leave to go on")
                doubting.on_suspicion_answered(turn, suspect, answer)
        case Suspect():
            doubting.on_suspicion_answered(turn, phase, answer)
        case Reporting() if naming.was_misread(phase, answer):
            naming.begin_anew(turn, phase)
        case Reporting():
            working.on_report_answered(turn, phase, answer)
        case _:
            pass


def _journal_failed(turn: Turn, failed: JournalFailed) -> None:
    """What cannot be recorded is not begun, and what was begun is taken back; past the leap there is only forward."""
    turn.tell(JournalUnwritable(failed.reason))
    reason = f"the journal cannot be written: {failed.reason}"
    match turn.machine.phase:
        case Executing(work=work) | Gated(work=work) if work.reached not in (Reached.LEAPT, Reached.RAN):
            recovering.fail(turn, work, reason, Cause.DISK)
        case Executing(work=work) if work.done < work.begun and not work.plan.steps[work.done].reversible:
            before = replace(work, begun=work.done)
            recovering.fail(turn, before, reason, Cause.DISK)
        case Recovering(stage="finish") as phase if failed.withheld:
            recovering.cannot_finish(turn, phase, reason)
        case _:
            pass


def _timer_fired(turn: Turn, event: TimerFired) -> None:
    phase = turn.machine.phase
    match event.name:
        case "request":
            turn.ask_later()
        case "retry":
            turn.send()
        case "ask-again" | "poll":
            if isinstance(phase, Idle) and turn.machine.asked is None and turn.machine.connected:
                turn.ask_for_work()
        case "step":
            _step_is_late(turn, phase)
        case "leap":
            if isinstance(phase, Gated) and phase.gate in ("leap", "announcement"):
                working.nobody_answered(turn, phase)
            elif isinstance(phase, Suspect) and _gives_up(turn, phase):
                reason = "nobody answered the new firmware"
                recovering.fail(turn, phase.work, reason, Cause.NO_ANSWER, running=phase.running)
        case _:
            assert_never(event.name)


def _step_is_late(turn: Turn, phase: Phase) -> None:
    """A step that can be undone is, be it that the device is just asking about its execution."""
    match phase:
        case Executing(work=work) | Suspect(work=work, running=True) if (late := work.next_step) and late.reversible:
            limit = turn.policy.step_deadline
            recovering.fail(turn, work, f"{late.name}: not done after {limit:g} s", Cause.TIMEOUT, running=True)
        case _:
            pass


def _gives_up(turn: Turn, suspect: Suspect) -> bool:
    """Whether nobody's answering is a reason to take the work back."""
    policy = turn.policy.point_of_no_return
    return remedy_for("unknown", suspect.work.reached, restarted=suspect.restarted, policy=policy) is Remedy.UNDO


def _step_advanced(turn: Turn, event: StepAdvanced) -> None:
    match turn.machine.phase:
        case Executing(work=work) as phase if event.index == work.done:
            working.on_progress(turn, phase, event)
        case Suspect(work=work, running=True) as phase if event.index == work.done:
            turn.to(replace(phase, percent=event.percent), "progress")
        case _:
            pass


def _step_ended(turn: Turn, event: StepEnded) -> None:
    match turn.machine.phase:
        case Executing(work=work) if event.index == work.done:
            turn.forget_question()
            working.on_step_ended(turn, work, event)
        case Suspect(work=work, running=True) as phase if event.index == work.done:
            turn.do(CancelTimer("step"))
            if event.outcome == "done":
                turn.to(replace(phase, work=working.past_step(work, event), running=False), "step done while asking")
            else:
                turn.to(replace(phase, running=False, failed=event), "step failed while asking")
        case Recovering() as phase:
            recovering.on_step_ended(turn, phase, event)
        case _:
            pass
