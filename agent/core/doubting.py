"""Suspect on a hint, believe only an answer.

A notification that leaves our execution out is a hint: lists are capped, late, duplicated, reordered. So is a
reconnection. The only way to know is to ask about the very execution, after the hint; and since reads can lag behind
the change that a list already shows, one "still there" is not enough while the newest list omits it.
"""

from dataclasses import replace

from agent.account import ENDED_BY_SERVICE, End, hint_received
from agent.causes import Cause
from agent.core import naming
from agent.core.events import CancelTimer
from agent.core.record import Work
from agent.core.recovering import fail, give_way
from agent.core.state import ByName, Executing, Gated, Idle, Starting, Suspect
from agent.core.told import as_told
from agent.core.turn import Turn
from agent.core.working import advance, on_step_ended, read_update_answer, tell_progress
from agent.recovery import Remedy, remedy_for
from agent.values import (
    Answer,
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


def on_hint(turn: Turn, hint: Hint) -> None:
    """What a notification makes us do, by what we have in hand. One of another namespace speaks of other work."""
    turn.tell(hint_received(hint))
    if hint.namespace_id != turn.policy.namespace_id:
        return
    match turn.machine.phase:
        case Idle() as idle:
            _idle_hears(turn, idle, hint)
        case ByName(left=()) if isinstance(hint, PendingChanged) and hint.listed:
            naming.begin(turn, hint.in_progress + hint.queued)
        case Starting(execution=execution) if speaks_against(hint, execution.key):
            # Nothing is done yet, so nothing is lost by looking at the queue anew.
            turn.to(Idle(expects=True), "the queue changed while claiming")
            turn.ask_for_work(spread_seconds=turn.policy.hint_spread)
        case Executing(work=work) | Gated(work=work) as phase if speaks_against(hint, work.key):
            doubt(turn, phase, "hint", omitted=_omits(hint, work.key), spread_seconds=turn.policy.hint_spread)
        case Gated(work=work, gate="leap"):
            turn.ask_about(work.key)  # the answer under way is older than this hint
        case Suspect() as suspect:
            _suspect_hears(turn, suspect, hint)
        case _:
            pass


def doubt(
    turn: Turn, phase: Executing | Gated, why: str, *, omitted: bool = False, spread_seconds: float = 0.0
) -> None:
    """Ask about our execution; a running step goes on meanwhile, but no other one begins."""
    if isinstance(phase, Executing):
        suspect = Suspect(phase.work, True, percent=phase.percent, told_percent=phase.told_percent, omitted=omitted)
    else:
        suspect = Suspect(phase.work, False, omitted=omitted)
    turn.suspect(suspect, why)
    turn.ask_about(phase.work.key, spread_seconds=spread_seconds)


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


def _idle_hears(turn: Turn, idle: Idle, hint: Hint) -> None:
    match hint:
        case PendingChanged(in_progress=(), queued=()) | NextChanged(execution=None):
            return
        case _:
            expects = not isinstance(hint, JobMentioned)
            turn.to(replace(idle, expects=idle.expects or expects, empty_answers=0), "work announced")
            if turn.machine.asked is None:
                turn.ask_for_work(spread_seconds=turn.policy.hint_spread)


def _suspect_hears(turn: Turn, suspect: Suspect, hint: Hint) -> None:
    asked = turn.machine.asked
    under_way = asked is not None and asked.sent
    if speaks_against(hint, suspect.work.key):
        omitted = suspect.omitted or _omits(hint, suspect.work.key)
        turn.to(replace(suspect, omitted=omitted, hinted_again=suspect.hinted_again or under_way), "hint")
    elif isinstance(hint, PendingChanged):
        turn.to(replace(suspect, omitted=False), "listed again")


def on_suspicion_answered(turn: Turn, suspect: Suspect, answer: Answer) -> None:
    """An answer about our execution, to a describe, or to the update that probes how it ended."""
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
    turn.to(replace(suspect, doubtful=count, hinted_again=False), "asking again")
    wait = turn.backoff(count)
    key, spread = suspect.work.key, wait * turn.policy.retry_spread
    turn.ask_about(key, with_document=suspect.restarted, after_seconds=wait, spread_seconds=spread)


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
        on_step_ended(turn, suspect.work, suspect.failed)
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
