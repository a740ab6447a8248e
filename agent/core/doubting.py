"""Suspect on a hint, believe only an answer.

A notification that leaves our execution out is a hint: lists are capped, late, duplicated, reordered. So is a
reconnection. The only way to know is to ask about the very execution, after the hint; and since reads can lag behind
the change that a list already shows, one "still there" is not enough while the newest list omits it.
"""

from dataclasses import replace

from agent.causes import Cause
from agent.core.events import Answered, CancelTimer, Connected, Hinted, StepAdvanced, StepEnded
from agent.core.record import Work
from agent.core.recovering import fail, give_way
from agent.core.state import Executing, Gated, Idle, Starting, Suspect
from agent.core.told import as_told
from agent.core.turn import NOW, Turn, Wait
from agent.core.working import (
    advance,
    on_announced,
    on_document_answered,
    on_leap_answered,
    pass_report_gate,
    past_step,
    read_update_answer,
    step_over,
    tell_progress,
)
from agent.device_events import ENDED_BY_SERVICE, End
from agent.recovery import Remedy, remedy_for
from agent.values import (
    ErrorCode,
    Execution,
    ExecutionKey,
    ExecutionTold,
    Hint,
    JobMentioned,
    NextChanged,
    PendingChanged,
    Rejected,
    Status,
)

LIST_CAP = 10
"""A list of so many entries may have left ours out for want of room (Developer Guide, "AWS IoT Jobs limits")."""


def starting_hears(turn: Turn, starting: Starting, event: Hinted) -> None:
    """Nothing is done yet, so nothing is lost by looking at the queue anew."""
    if speaks_against(event.hint, starting.execution.key):
        turn.to(Idle(expects=True), "the queue changed while claiming")
        turn.ask_for_work(turn.hint_wait)


def working_hears(turn: Turn, phase: Executing | Gated, event: Hinted) -> None:
    """Doubt; and where leave to leap is asked for, the answer under way is older than this hint."""
    hint, key = event.hint, phase.work.key
    if speaks_against(hint, key):
        doubt(turn, phase, "hint", turn.hint_wait, omitted=_omits(hint, key))
    elif isinstance(phase, Gated) and phase.gate == "leap":
        turn.ask_about(key)


def doubt(turn: Turn, phase: Executing | Gated, why: str, wait: Wait = NOW, *, omitted: bool = False) -> None:
    """Ask about our execution; a running step goes on meanwhile, but no other one begins."""
    if isinstance(phase, Executing):
        suspect = Suspect(phase.work, True, percent=phase.percent, told_percent=phase.told_percent, omitted=omitted)
    else:
        suspect = Suspect(phase.work, False, omitted=omitted)
    turn.suspect(suspect, why)
    turn.ask_about(phase.work.key, wait)


def on_connected(turn: Turn, phase: Executing | Gated, event: Connected) -> None:
    """Nothing that was true before counts now."""
    doubt(turn, phase, "connected again")


def on_connected_again(turn: Turn, suspect: Suspect, event: Connected) -> None:
    """A restart forgot which version the service was at; the document tells one of the same second apart."""
    turn.to(replace(suspect, probing=False, hinted_again=False), "connected again")
    turn.ask_about(suspect.work.key, with_document=suspect.restarted)


def speaks_against(hint: Hint, key: ExecutionKey) -> bool:
    """Whether a hint gives reason to doubt that `key` still is what we take it for."""
    match hint:
        case PendingChanged():
            return key not in hint.listed
        case NextChanged(execution=head):
            return head is None or head.key != key
        case JobMentioned(job_id=job_id):
            return job_id == key.job_id


def _omits(hint: Hint, key: ExecutionKey) -> bool:
    return isinstance(hint, PendingChanged) and key not in hint.listed and len(hint.listed) < LIST_CAP


def idle_hears(turn: Turn, idle: Idle, event: Hinted) -> None:
    """Whatever is announced is asked for."""
    match event.hint:
        case PendingChanged(in_progress=(), queued=()) | NextChanged(execution=None):
            return
        case _:
            expects = not isinstance(event.hint, JobMentioned)
            turn.to(replace(idle, expects=idle.expects or expects, empty_answers=0), "work announced")
            if turn.machine.asked is None:
                turn.ask_for_work(turn.hint_wait)


def suspect_hears(turn: Turn, suspect: Suspect, event: Hinted) -> None:
    """What was asked before a hint that speaks against our execution proves nothing."""
    hint, asked = event.hint, turn.machine.asked
    under_way = asked is not None and asked.sent
    if speaks_against(hint, suspect.work.key):
        omitted = suspect.omitted or _omits(hint, suspect.work.key)
        turn.to(replace(suspect, omitted=omitted, hinted_again=suspect.hinted_again or under_way), "hint")
    elif isinstance(hint, PendingChanged):
        turn.to(replace(suspect, omitted=False), "listed again")


def on_progress(turn: Turn, suspect: Suspect, event: StepAdvanced) -> None:
    """The step goes on meanwhile."""
    if suspect.running and event.index == suspect.work.done:
        turn.to(replace(suspect, percent=event.percent), "progress")


def on_step_ended(turn: Turn, suspect: Suspect, event: StepEnded) -> None:
    """The step is over; what follows from that waits for the answer."""
    if not suspect.running or event.index != suspect.work.done:
        return
    turn.do(CancelTimer("step"))
    if event.outcome == "done":
        turn.to(replace(suspect, work=past_step(suspect.work, event), running=False), "step done while asking")
    else:
        turn.to(replace(suspect, running=False, failed=event), "step failed while asking")


def on_gate_answered(turn: Turn, gated: Gated, event: Answered) -> None:
    """The report before a gate stands, or leave is given; if not, the same answer says what to believe."""
    work, answer = gated.work, event.answer
    if gated.gate == "report":
        told = read_update_answer(turn, work, answer)
        if told is not None:
            pass_report_gate(turn, told)
    elif gated.gate == "announcement":
        on_announced(turn, work, answer)
    elif not (on_leap_answered if gated.gate == "leap" else on_document_answered)(turn, work, answer):
        suspect = Suspect(work, running=False)
        turn.suspect(suspect, "no leave to go on")
        on_answered(turn, suspect, event)


def on_answered(turn: Turn, suspect: Suspect, event: Answered) -> None:
    """An answer about our execution, to a describe, or to the update that probes how it ended."""
    answer = event.answer
    if suspect.probing:
        work = read_update_answer(turn, suspect.work, answer, running=suspect.running)
        if work is not None:
            _cleared(turn, replace(suspect, work=work, probing=False))
        return
    match answer:
        case ExecutionTold(execution=told) if told is not None:
            _found(turn, suspect, told)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            give_way(turn, suspect.work, "gone", running=suspect.running)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED):
            # It ended; this code does not say how. An update that cannot succeed makes the service name the status.
            turn.to(replace(suspect, probing=True), "ended; asking how")
            work = suspect.work
            step = work.plan.steps[work.begun - 1].name if work.begun else ""
            turn.update(work.key, Status.IN_PROGRESS, work.version_number, step=step)
        case Rejected(code=code):
            reason = f"asking about the job was refused: {code.value}"
            fail(turn, suspect.work, reason, Cause.ACCESS_DENIED, running=suspect.running)
        case _:
            _ask_again(turn, suspect)


def _found(turn: Turn, suspect: Suspect, told: Execution) -> None:
    work = suspect.work
    end: End
    if told.key != work.key or (told.document is not None and told.document.digest != work.digest):
        end = "replaced"
    elif told.status.is_terminal:
        end = ENDED_BY_SERVICE.get(told.status, "replaced")
    elif told.status is Status.QUEUED or told.version_number < work.version_number:
        # Either a read that lags behind our own writes, or another incarnation queued within the same second.
        if suspect.doubtful + 1 < turn.policy.confirmations:
            _ask_again(turn, suspect)
            return
        end = "replaced"
    else:
        alive = replace(suspect, work=replace(work, version_number=told.version_number))
        if suspect.restarted:
            alive = replace(alive, work=as_told(alive.work, told.status_details))
        if suspect.hinted_again:
            turn.to(replace(alive, hinted_again=False), "asked before the last hint")
            turn.ask_about(work.key, with_document=suspect.restarted)
        elif suspect.omitted and suspect.doubtful + 1 < turn.policy.confirmations:
            _ask_again(turn, alive)
        else:
            _cleared(turn, alive)
        return
    give_way(turn, suspect.work, end, running=suspect.running)


def _ask_again(turn: Turn, suspect: Suspect) -> None:
    count = suspect.doubtful + 1
    counted = max(turn.counted(count), min(count, turn.policy.confirmations))
    turn.to(replace(suspect, doubtful=counted, hinted_again=False), "asking again")
    turn.ask_about(suspect.work.key, turn.backoff(count), with_document=suspect.restarted)


def _cleared(turn: Turn, suspect: Suspect) -> None:
    """Our execution lives: go on where the doubt came in."""
    turn.do(CancelTimer("leap"))
    if suspect.restarted and suspect.work.begun > suspect.work.done:
        _interrupted(turn, suspect.work)
    elif suspect.running:
        executing = Executing(suspect.work, suspect.percent, suspect.told_percent)
        turn.to(executing, "still there")
        tell_progress(turn, executing)
    elif suspect.failed is not None:
        step_over(turn, suspect.work, suspect.failed)
    else:
        advance(turn, suspect.work, "still there")


def _interrupted(turn: Turn, work: Work) -> None:
    """The step that was under way when the memory was lost: done again, unless that cannot be right."""
    remedy = remedy_for("alive", work.reached, restarted=True, policy=turn.policy.point_of_no_return)
    if remedy is Remedy.FAIL:
        reason = f"{work.plan.steps[work.done].name}: interrupted by a restart, and not begun twice"
        fail(turn, work, reason, Cause.INTERRUPTED)
    else:
        advance(turn, work, "still there; once more")
