"""How a device comes by work: asking for the head of the queue, and making it its own.

In the default namespace start-next finds and claims in one request. In a namespace no start-next is known: the head
is described, claimed by an update to IN_PROGRESS with `expectedVersion`, and described once more, because the claim's
answer does not say which incarnation accepted it. Only if identity and document are still the ones in hand does the
work begin.
"""

from dataclasses import replace

from agent.causes import Cause
from agent.core.events import Answered, Connected, TimerFired
from agent.core.marks import OURS, mark_in
from agent.core.record import Work
from agent.core.recovering import fail
from agent.core.state import ByName, Idle, Machine, Starting
from agent.core.told import may_have_begun
from agent.core.turn import Turn
from agent.core.working import advance
from agent.device_events import AnswerUnreadable, ExecutionTaken, RequestKind
from agent.plan import Plan, Planned, Unusable
from agent.recovery import Reached, Remedy, remedy_for
from agent.values import Execution, ExecutionTold, Status, UpdateAccepted, details_text


def on_connected(turn: Turn, seeking: Idle | ByName | Starting, event: Connected) -> None:
    """Nothing that was true before counts now: ask for work, and once more, since delivery may start late."""
    turn.to(Idle(again=True), "connected")
    turn.ask_for_work()


def on_time_to_ask(turn: Turn, idle: Idle, event: TimerFired) -> None:
    """It is time to ask for work, if nobody does already."""
    if turn.machine.asked is None and turn.machine.connected:
        turn.ask_for_work()


def on_head_told(turn: Turn, idle: Idle, event: Answered) -> None:
    """The answer to the question for work. A refusal for good holds until a hint, a connection, or the poll."""
    match event.answer:
        case ExecutionTold(execution=None):
            _nothing_there(turn, idle)
        case ExecutionTold(execution=execution) if execution is not None:
            consider(turn, execution)
        case _:
            turn.to(Idle(), "refused")
            poll(turn)


def _nothing_there(turn: Turn, idle: Idle) -> None:
    """Delivery may start late after SUBACK, and reads lag behind a list that announced work: ask again, then poll."""
    policy = turn.policy
    count = idle.empty_answers + 1
    if idle.expects and count < policy.confirmations:
        turn.to(replace(idle, empty_answers=count), "nothing yet")
        turn.timer("ask-again", *turn.backoff(count))
    elif idle.again:
        turn.to(Idle(), "nothing yet")
        turn.timer("ask-again", *turn.jittered(policy.ask_again))
    else:
        turn.to(Idle(), "nothing to do")
        poll(turn)


def poll(turn: Turn) -> None:
    """Ask again some time, should no notification come."""
    turn.timer("poll", *turn.jittered(turn.policy.poll))


def consider(turn: Turn, execution: Execution, *, by_name: bool = False) -> None:
    """Reject an execution, deal with what somebody began of it, or make it ours.

    `by_name`: it was described, so that it is claimed by an update in the default namespace too.
    """
    by_name = by_name or turn.policy.namespace_id is not None
    plan = _planned(turn, execution, "describe" if by_name else "start-next")
    if isinstance(plan, Unusable):
        reject(turn, execution, plan)
    elif _is_silent(execution) and may_have_begun(plan, ()):
        turn.to(Starting(execution, claimed=True), "asking how far it came")
        turn.ask_about(execution.key, with_document=True)
    elif _is_orphan(execution) and _settle_orphan(turn, execution, _work(turn, execution, plan)):
        pass
    elif by_name:
        turn.to(Starting(execution), "claiming")
        turn.update(execution.key, Status.IN_PROGRESS, execution.version_number)
    else:
        _take(turn, _work(turn, execution, plan))


def _planned(turn: Turn, execution: Execution, asked: RequestKind) -> Planned:
    """The plan, or why there is none: what cannot be read cannot be planned."""
    if execution.fault:
        key = execution.key
        turn.tell_learned(AnswerUnreadable(asked, execution.fault, None, key.namespace_id, key.job_id))
        return unreadable(execution.fault)
    return turn.planned


def _is_silent(execution: Execution) -> bool:
    """Whether it is IN_PROGRESS and nothing says by whom; a describe tells what start-next's answer may leave out."""
    return execution.status is Status.IN_PROGRESS and not execution.status_details


def _is_orphan(execution: Execution) -> bool:
    """Whether the service says that somebody works on it already: others than we in this life, or we, and got on."""
    details = execution.status_details
    is_claim = mark_in(details) == OURS and "step" not in dict(details)
    return execution.status is Status.IN_PROGRESS and not is_claim


def _settle_orphan(turn: Turn, execution: Execution, work: Work) -> bool:
    """Deal with an execution that the journal calls finished, or that it does not know; False if it is to begin anew.

    One with the identity of the last, and at a lower version, was queued within the same second: another incarnation.
    """
    last, policy = turn.machine.finished, turn.policy.point_of_no_return
    is_last = last is not None and (last.key, last.digest) == (work.key, work.digest)
    if last is not None and is_last and last.status is not None and work.version_number >= last.version_number:
        remedy = remedy_for("orphan-finished", work.reached, restarted=True, policy=policy)
        assert remedy is Remedy.REPEAT_REPORT, "what is finished is not done again"
        turn.tell(_taken(work))
        turn.report(replace(work, cause=last.cause), last.status, last.reason, nonce=last.nonce)
        return True
    reached = _reached(turn.machine, execution, work.plan, is_last=is_last)
    remedy = remedy_for("orphan", reached, restarted=True, policy=policy)
    if remedy is Remedy.BEGIN_ANEW:
        return False
    turn.tell(_taken(work))
    match remedy:
        case Remedy.REPORT_DONE:
            turn.report(work, Status.SUCCEEDED)
        case Remedy.GO_ON:
            done = work.plan.index_of("reboot") + 1
            advance(turn, replace(work, done=done, begun=done), "on trial already")
        case Remedy.FAIL:
            why = may_have_begun(work.plan, execution.status_details)
            reason = f"it was IN_PROGRESS already, and forgotten here: {why}, and that is not done twice"
            fail(turn, work, reason, Cause.INTERRUPTED)
        case _:
            raise AssertionError(f"{remedy} is nothing to do about an orphan")
    return True


def _reached(machine: Machine, orphan: Execution, plan: Plan, *, is_last: bool) -> Reached:
    """How far work came of which the journal knows nothing: what runs shows it, or what we had told the service.

    One that ended without a report, and is there again, was undone, unless what it brought was kept. Where nothing is
    committed after the reboot, what runs may not have been tested yet.
    """
    was_kept = is_last and machine.unaccounted == plan.version
    if plan.version and plan.version == machine.running and (was_kept or not is_last):
        is_committed = (was_kept or not machine.on_trial) and plan.index_of("commit") < len(plan.steps)
        return Reached.LEAPT if is_committed else Reached.TRIAL
    return Reached.RAN if may_have_begun(plan, orphan.status_details) else Reached.NOTHING


def on_claim_answered(turn: Turn, starting: Starting, event: Answered) -> None:
    """The answer to the claim, or to the describe that confirms it. Whatever does not fit: look at the head anew."""
    ours = starting.execution
    match event.answer:
        case UpdateAccepted(state=state) if not starting.claimed:
            # A state that could not be read is confirmed by the describe as well as one that could.
            claimed = replace(ours, version_number=state.version_number if state else ours.version_number + 1)
            turn.to(Starting(claimed, claimed=True), "confirming")
            turn.ask_about(ours.key, with_document=True)
        case ExecutionTold(execution=told) if told is not None and told.fault and told.key == ours.key:
            reject(turn, told, unreadable(told.fault))
        case ExecutionTold(execution=told) if starting.claimed and told is not None and _is(told, ours):
            _plan_and_take(turn, told)
        case _:
            turn.to(Idle(expects=True), "the claim did not hold")
            turn.timer("ask-again", *turn.backoff(1))


def _plan_and_take(turn: Turn, claimed: Execution) -> None:
    """The document as it was delivered last: its presigned URLs are fresh."""
    plan = turn.planned
    if isinstance(plan, Unusable):
        reject(turn, claimed, plan)
    elif not (_is_orphan(claimed) and _settle_orphan(turn, claimed, _work(turn, claimed, plan))):
        _take(turn, _work(turn, claimed, plan))


def unreadable(problem: str) -> Unusable:
    """Why nothing will be done of an execution of which no more than its identity is known."""
    return Unusable(details_text(f"what the service says of it cannot be read: {problem}"))


def reject(turn: Turn, execution: Execution, unusable: Unusable) -> None:
    """Tell the service that nothing of it will be done, and why."""
    work = replace(_work(turn, execution, Plan("", ())), cause=unusable.cause)
    turn.tell(_taken(work))
    turn.report(work, Status.REJECTED, unusable.reason)


def _is(told: Execution, ours: Execution) -> bool:
    return (
        told.key == ours.key
        and told.status is Status.IN_PROGRESS
        and told.version_number == ours.version_number
        and told.document is not None
        and ours.document is not None
        and told.document.digest == ours.document.digest
    )


def _taken(work: Work) -> ExecutionTaken:
    restarts = tuple(step.name for step in work.plan.steps if step.may_befall)
    return ExecutionTaken(work.key, work.digest, restarts)


def _work(turn: Turn, execution: Execution, plan: Plan) -> Work:
    digest = execution.document.digest if execution.document else ""
    return Work(execution.key, plan, digest, execution.version_number, before=turn.machine.running)


def _take(turn: Turn, work: Work) -> None:
    turn.tell(_taken(work))
    advance(turn, work, "work in hand")
