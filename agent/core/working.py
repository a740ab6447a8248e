"""How a device works through a plan: begin a step, report it, ask before the leap, report the end.

Between two steps stands a gate. First the report of the finished step must be accepted (if the policy reports steps):
that is also how a device that hears no notification learns that its execution is gone. Before a step that cannot be
undone, the execution itself must answer: an accepted update proves nothing, since it carries no identity.
Off line, reversible steps go on; the leap is held until a deadline, and then the policy decides. Where the leap of
firmware is behind it already, it asks before the steps that follow as well, and after the deadline goes on.
"""

from dataclasses import replace

from agent.causes import Cause
from agent.core.events import (
    Answered,
    BeginStep,
    CancelTimer,
    Connected,
    Disconnected,
    StepAdvanced,
    StepEnded,
    TimerFired,
)
from agent.core.marks import OURS, mark_in
from agent.core.record import Finished, Work
from agent.core.recovering import be_safe, fail, give_way
from agent.core.state import Executing, Gated, Idle, Reporting, Suspect
from agent.core.told import begins_once
from agent.core.turn import Turn
from agent.device_events import ENDED_BY_SERVICE, OUTCOMES, End, ExecutionGone, ExecutionLeft
from agent.plan import Plan, Step
from agent.recovery import Reached
from agent.values import Answer, ErrorCode, Execution, ExecutionState, ExecutionTold, Rejected, Status, UpdateAccepted


def advance(turn: Turn, work: Work, why: str) -> None:
    """Whatever comes after the steps done so far."""
    if work.next_step is None:
        turn.report(work, Status.SUCCEEDED)
    elif work.done and turn.machine.connected and turn.policy.reports != "end":
        turn.to(Gated(work, "report"), why)
        turn.update(
            work.key,
            Status.IN_PROGRESS,
            work.version_number,
            step=work.plan.steps[work.done - 1].name,
            progress="100",
        )
    else:
        pass_report_gate(turn, work)


def pass_report_gate(turn: Turn, work: Work) -> None:
    """Begin the next step, or ask whether we may; one that is begun once only is told of before that."""
    step = work.next_step
    assert step is not None, "a gate stands before a step"
    if step.reversible:
        begin(turn, work)
    elif begins_once(work.plan, step):
        _announce(turn, work, step)
    else:
        _ask_leave(turn, work)


def _announce(turn: Turn, work: Work, step: Step) -> None:
    """Report `step` before it begins, so that it is known if all is forgotten here."""
    turn.to(Gated(work, "announcement"), f"telling that {step.name} is to begin")
    turn.timer("leap", turn.policy.leap_deadline)
    turn.update(work.key, Status.IN_PROGRESS, work.version_number, step=step.name, progress="0")


def on_announced(turn: Turn, work: Work, answer: Answer) -> None:
    """Only what is known to have been told of is begun."""
    step, told = work.next_step, read_update_answer(turn, work, answer)
    assert step is not None, "a gate stands before a step"
    if told is None:
        return
    if isinstance(answer, UpdateAccepted):
        _ask_leave(turn, told)
    elif told.version_number != work.version_number:
        _announce(turn, told, step)
    else:
        code = answer.code.value if isinstance(answer, Rejected) else "an answer to another question"
        reason = f"{step.name}: not begun, since that could not be told before: {code}"
        fail(turn, work, reason, Cause.ACCESS_DENIED)


def on_nobody_answered(turn: Turn, gated: Gated, event: TimerFired) -> None:
    """The deadline before the leap has passed. What is begun once only is not begun untold, whatever the policy."""
    if gated.gate not in ("leap", "announcement"):
        return
    if gated.gate == "leap" and (turn.policy.leap_when_unreachable == "proceed" or _is_committed_to(gated.work)):
        begin(turn, gated.work)
    else:
        fail(turn, gated.work, "nobody answered before the point of no return", Cause.NO_ANSWER)


def _is_committed_to(work: Work) -> bool:
    """Whether every answer would lead forward: the leap of its firmware is behind it, so giving up saves nothing.

    The only slot may hold half of the new image and boot nothing else. Of programs each is a leap of its own.
    """
    return work.reached is Reached.LEAPT and work.plan.version != ""


def _ask_leave(turn: Turn, work: Work) -> None:
    turn.to(Gated(work, "leap"), "before the point of no return")
    turn.timer("leap", turn.policy.leap_deadline)
    turn.ask_about(work.key)


def begin(turn: Turn, work: Work) -> None:
    """Begin the next step."""
    step = work.next_step
    assert step is not None, "there is a step to begin"
    turn.forget_question()
    turn.do(CancelTimer("leap"))
    work = replace(work, begun=work.done + 1)
    turn.to(Executing(work), f"{step.name} begins")
    turn.do(BeginStep(work.key, work.done, step, work.plan.version))
    turn.timer("step", turn.policy.step_deadline)


def on_disconnected(turn: Turn, gated: Gated, event: Disconnected) -> None:
    """Reversible work goes on; the rest waits for the connection."""
    if gated.gate == "report":
        pass_report_gate(turn, gated.work)


def on_progress(turn: Turn, executing: Executing, event: StepAdvanced) -> None:
    """The hardware got on, or waits: say so, unless a report is still under way; then the newest goes after that."""
    if event.index != executing.work.done:
        return
    executing = replace(executing, percent=event.percent, waiting=event.waiting)
    turn.to(executing, "progress")
    tell_progress(turn, executing)


def tell_progress(turn: Turn, executing: Executing) -> None:
    """Report how far the running step is, if the policy wants that and the service does not know it yet."""
    work, step = executing.work, executing.work.next_step
    percent, waiting = executing.percent, executing.waiting
    is_news = (percent, waiting) != (executing.told_percent, executing.told_waiting)
    if turn.policy.reports != "progress" or not is_news or step is None:
        return
    if turn.machine.asked is None and turn.machine.connected:
        turn.to(replace(executing, told_percent=percent, told_waiting=waiting), "progress")
        told = {"step": step.name, "progress": str(percent), "waiting": waiting}
        turn.update(work.key, Status.IN_PROGRESS, work.version_number, **told)


def on_progress_answered(turn: Turn, executing: Executing, event: Answered) -> None:
    """The service knows how far the step was."""
    work = read_update_answer(turn, executing.work, event.answer, running=True)
    if work is not None:
        executing = replace(executing, work=work)
        turn.to(executing, "told")
        tell_progress(turn, executing)


def on_step_ended(turn: Turn, executing: Executing, event: StepEnded) -> None:
    """The running step is over, and what was to be told of it with it."""
    if event.index == executing.work.done:
        turn.forget_question()
        step_over(turn, executing.work, event)


def step_over(turn: Turn, work: Work, event: StepEnded) -> None:
    """Whatever comes after a step that ended."""
    turn.do(CancelTimer("step"))
    if event.outcome == "done":
        advance(turn, past_step(work, event), "step done")
        return
    if event.outcome == "stale":
        turn.to(Gated(work, "document"), event.reason)
        turn.ask_about(work.key, with_document=True)
        return
    reason = f"{work.plan.steps[event.index].name}: {event.reason or event.outcome}"
    cause = event.cause or Cause.STEP_FAILED
    if event.outcome == "refused":
        work = replace(work, begun=work.done)
    if event.outcome == "refused" and not work.done:
        turn.report(replace(work, cause=cause), Status.REJECTED, reason)
    else:
        fail(turn, work, reason, cause, running=False)


def past_step(work: Work, event: StepEnded) -> Work:
    """The work with its next step done."""
    return replace(work, done=work.done + 1, said=event.said or work.said)


def on_leap_answered(turn: Turn, work: Work, answer: Answer) -> bool:
    """Begin the irreversible step if the very execution answered that it lives; False if it did not."""
    told = _alive(work, answer)
    if told is None:
        return False
    begin(turn, replace(work, version_number=told.version_number))
    return True


def on_document_answered(turn: Turn, work: Work, answer: Answer) -> bool:
    """Go on with the step as the document tells it now; False if the very execution did not answer that it lives."""
    told = _alive(work, answer)
    if told is None:
        return False
    plan = turn.planned
    if isinstance(plan, Plan) and plan.outline == work.plan.outline:
        begin(turn, replace(work, plan=plan, version_number=told.version_number))
    else:
        fail(turn, work, "the job document has become another one", Cause.WRONG_CONTENT)
    return True


def _alive(work: Work, answer: Answer) -> Execution | None:
    """What the very execution answered, if that is that it is ours and goes on."""
    match answer:
        case ExecutionTold(execution=told) if (
            told is not None
            and told.key == work.key
            and told.status is Status.IN_PROGRESS
            and told.version_number >= work.version_number
        ):
            return told
        case _:
            return None


def read_update_answer(turn: Turn, work: Work, answer: Answer, *, running: bool = False) -> Work | None:
    """The work with its new version if the update stands; None if it was refused, which has then been dealt with.

    `running`: a step goes on meanwhile.
    """
    match answer:
        case UpdateAccepted(state=state):
            return replace(work, version_number=state.version_number if state else work.version_number + 1)
        case Rejected(code=ErrorCode.VERSION_MISMATCH, state=state) if (
            state is not None and not state.status.is_terminal and mark_in(state.status_details) == OURS
        ):
            # Our own write, whose answer was lost or overtaken: so the record is ours, and this is its version.
            return replace(work, version_number=state.version_number)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            give_way(turn, work, "gone", running=running)
        case Rejected(state=state) if state is not None and state.status.is_terminal:
            give_way(turn, work, ENDED_BY_SERVICE.get(state.status, "replaced"), running=running)
        case Rejected(code=ErrorCode.VERSION_MISMATCH):
            turn.suspect(Suspect(work, running), "another version than ours")
            turn.ask_about(work.key)
        case _:
            return work  # a report that the service cannot read is our fault; the work goes on without it
    return None


# ── the terminal report ───────────────────────────────────────────────────────────────────────────────────────


def on_connected(turn: Turn, reporting: Reporting, event: Connected) -> None:
    """Repeat the report; a restart forgot which version the service was at."""
    if reporting.work.version_number:
        turn.report_again(reporting, reporting.work.version_number)
    else:
        turn.to(replace(reporting, resyncing=True), "the service's version is not known")
        turn.ask_about(reporting.work.key, with_document=True)


def settle_report(turn: Turn, reporting: Reporting, answer: Answer) -> None:
    """Settle the terminal report, or ask on."""
    work = reporting.work
    match answer:
        case UpdateAccepted():
            _leave(turn, reporting)
        case Rejected(code=ErrorCode.RESOURCE_NOT_FOUND):
            _lose(turn, reporting, "gone")
        case Rejected(state=state) if state is not None and mark_in(state.status_details) == reporting.nonce:
            _leave(turn, reporting)  # an earlier attempt was accepted, and its answer lost
        case Rejected(state=state) if state is not None and state.status is reporting.status and _is_bare(state):
            # Ours perhaps, and perhaps that of an earlier incarnation, come late. `statusDetails` is optional there.
            turn.to(replace(reporting, unproven=True), "ended already; asking by whose report")
            turn.ask_about(work.key, with_document=True)
        case Rejected(state=state) if state is not None and state.status.is_terminal:
            _lose(turn, reporting, ENDED_BY_SERVICE.get(state.status, "replaced"))
        case Rejected(code=ErrorCode.VERSION_MISMATCH):
            turn.to(replace(reporting, resyncing=True), "another version than ours")
            turn.ask_about(work.key, with_document=True)
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if reporting.unproven:
            _lose(turn, reporting, "replaced")
        case Rejected(code=ErrorCode.TERMINAL_STATE_REACHED) if reporting.resyncing:
            # It names no status; repeating the report makes the service name it.
            turn.report_again(reporting, work.version_number)
        case ExecutionTold(execution=told) if told is not None and mark_in(told.status_details) == reporting.nonce:
            _leave(turn, reporting)
        case ExecutionTold(execution=told) if told is not None and told.status.is_terminal and reporting.unproven:
            _lose(turn, reporting, "replaced")
        case ExecutionTold(execution=told) if told is not None and told.key == work.key and _is_queued(told):
            _doubt_report(turn, reporting)
        case ExecutionTold(execution=told) if told is not None and told.key == work.key and _says(told, work.digest):
            turn.report_again(reporting, told.version_number)
        case ExecutionTold():
            _lose(turn, reporting, "replaced")
        case _:
            code = answer.code.value if isinstance(answer, Rejected) else "an answer to another question"
            be_safe(turn, work, reporting.safe or f"the report of {work.key.job_id} was refused: {code}")


def _is_bare(state: ExecutionState) -> bool:
    """Whether it tells nothing of whose report it was."""
    return not state.status_details


def _is_queued(told: Execution) -> bool:
    return told.status is Status.QUEUED


def _says(told: Execution, digest: str) -> bool:
    """Whether an execution's document, if the answer has one, is the one that was worked through."""
    return told.document is None or told.document.digest == digest


def _doubt_report(turn: Turn, reporting: Reporting) -> None:
    """QUEUED is no state to come back to: a read that lags behind, or another incarnation of the same second."""
    count = reporting.doubtful + 1
    if count >= turn.policy.confirmations:
        _lose(turn, reporting, "replaced")
        return
    turn.to(replace(reporting, doubtful=count), "asking again")
    turn.ask_about(reporting.work.key, turn.backoff(count), with_document=True)


def _lose(turn: Turn, reporting: Reporting, end: End) -> None:
    """It ended without us before we could report. What could not be put right before is not tried again."""
    if reporting.safe:
        turn.tell_learned(ExecutionGone(reporting.work.key, end))
        be_safe(turn, reporting.work, reporting.safe)
    else:
        give_way(turn, reporting.work, end)


def _leave(turn: Turn, reporting: Reporting) -> None:
    work, status = reporting.work, reporting.status
    nonce, version = reporting.nonce, work.version_number
    finished = Finished(work.key, work.digest, status, nonce, version, reporting.reason, work.cause)
    turn.machine = replace(turn.machine, unaccounted=None, finished=finished)
    if reporting.safe:
        be_safe(turn, work, reporting.safe)
        return
    turn.tell(ExecutionLeft(work.key, OUTCOMES[status]))
    turn.to(Idle(), f"{status.value} reported")
    turn.ask_for_work()
