"""How a device gets back to a valid state: quiesce, restore, verify.

Entered when the execution ended without us (`give_way`; what then happens is the table in `agent.recovery`), or when
the work failed by itself (`fail`), in which case the failure is reported once the hardware is right again. A step
past the point of no return that left it half changed is done once more before that. A device that cannot put its
hardware right reports that too, unless the execution ended already, and ends Safe.
"""

from dataclasses import replace
from typing import Final

from agent.causes import Cause
from agent.core.events import (
    BeginStep,
    CancelTimer,
    JournalFailed,
    StepEnded,
    StepRestored,
    StopStep,
    TimerFired,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.record import Finished, Work
from agent.core.state import Executing, Gated, Idle, Recovering, Safe, Suspect
from agent.core.told import begins_once
from agent.core.turn import Turn
from agent.device_events import End, ExecutionGone, ExecutionLeft, ExecutionOutcome
from agent.recovery import Reached, Remedy, remedy_for
from agent.values import Status

LEAPS: Final = ("write", "commit")
"""Actions that, once begun past the point of no return, leave the hardware whole only where they end."""


def give_way(turn: Turn, work: Work, end: End, *, running: bool = False) -> None:
    """The execution ended without us, as the answer just taken says; `running`: a step of it still is."""
    turn.tell_learned(ExecutionGone(work.key, end))
    work = replace(work, version_number=0)  # nothing is sent about it any more
    remedy = remedy_for(end, work.reached, restarted=False, policy=turn.policy.point_of_no_return)
    match remedy:
        case Remedy.DROP:
            _rest(turn, work, "recovered", f"{end}; nothing to undo")
        case Remedy.UNDO | Remedy.STOP:
            _quiesce(turn, Recovering(work, end, "quiesce"), running, f"{end}; {remedy}")
        case Remedy.FINISH | Remedy.FINISH_OR_UNDO:
            _finish(turn, Recovering(work, end, "finish", forward=True), running, f"{end}; {remedy}")
        case _:
            raise AssertionError(f"{remedy} is no way to give way")


def fail(turn: Turn, work: Work, reason: str, cause: str, *, running: bool = False) -> None:
    """The work failed by itself; `reason` and `cause` will stand in the report, once the hardware is right again."""
    turn.forget_question()
    work = replace(work, cause=cause)
    if work.reached is not Reached.LEAPT:
        _quiesce(turn, Recovering(work, None, "quiesce", reason), running, f"failed: {reason}")
    elif running:
        # Half of a leap is worse than the whole: what is under way is finished, and reported as failed after that.
        _finish(turn, Recovering(work, None, "finish", reason, forward=True), running, f"failed: {reason}; finishing")
    else:
        why = f"failed past the point of no return: {reason}"
        _verify(turn, Recovering(work, None, "verify", reason), why)


def on_step_late(turn: Turn, phase: Executing | Suspect, event: TimerFired) -> None:
    """A step that can be undone is, be it that the device is just asking about its execution."""
    work, late = phase.work, phase.work.next_step
    if late is not None and late.reversible and (isinstance(phase, Executing) or phase.running):
        limit = turn.policy.step_deadline
        fail(turn, work, f"{late.name}: not done after {limit:g} s", Cause.TIMEOUT, running=True)


def on_nobody_answered(turn: Turn, suspect: Suspect, event: TimerFired) -> None:
    """New firmware that nobody answers is taken back; everything else goes on asking."""
    work, policy = suspect.work, turn.policy.point_of_no_return
    if remedy_for("unknown", work.reached, restarted=suspect.restarted, policy=policy) is Remedy.UNDO:
        fail(turn, work, "nobody answered the new firmware", Cause.NO_ANSWER, running=suspect.running)


def on_journal_failed(turn: Turn, phase: Executing | Gated, failed: JournalFailed) -> None:
    """What cannot be recorded is not begun, and what was begun is taken back; past the leap there is only forward."""
    work, reason = phase.work, _unwritten(failed)
    if work.reached not in (Reached.LEAPT, Reached.RAN):
        fail(turn, work, reason, Cause.DISK)
    elif isinstance(phase, Executing) and work.done < work.begun and not work.plan.steps[work.done].reversible:
        fail(turn, replace(work, begun=work.done), reason, Cause.DISK)


def on_finish_withheld(turn: Turn, recovering: Recovering, failed: JournalFailed) -> None:
    """The next step could not be put on record, so it has not begun: back, if there is a way back."""
    if recovering.stage != "finish" or not failed.withheld:
        return
    work = replace(recovering.work, begun=recovering.work.done)
    if work.reached is Reached.LEAPT:
        _give_up(turn, recovering, _unwritten(failed))
    else:
        _restore(turn, replace(recovering, work=work, forward=False))


def _unwritten(failed: JournalFailed) -> str:
    return f"the journal cannot be written: {failed.reason}"


def resume(turn: Turn, recovering: Recovering) -> None:
    """Go on after a restart where the record says that recovering was."""
    if recovering.stage == "verify":
        _verify(turn, recovering, "restarted; there is no way forward")
    elif recovering.forward:
        _finish(turn, recovering, False, "restarted; finishing")
    else:
        turn.to(recovering, "restarted")
        _restore(turn, recovering)


def _quiesce(turn: Turn, recovering: Recovering, running: bool, why: str) -> None:
    turn.do(CancelTimer("step"), CancelTimer("leap"))
    turn.to(recovering, why)
    if running:
        turn.do(StopStep(recovering.work.done))
    else:
        _restore(turn, recovering)


def on_step_ended(turn: Turn, recovering: Recovering, event: StepEnded) -> None:
    """The step that ran is over: it was to stop and is taken back now, or it was one of those that finish a leap."""
    work = recovering.work
    if event.index != work.done or work.begun == work.done:
        return
    if recovering.stage == "quiesce":
        _restore(turn, recovering)
    elif recovering.stage == "finish" and event.outcome == "done":
        _finish(turn, replace(recovering, work=replace(work, done=work.done + 1)), False, "finishing")
    elif recovering.stage == "finish" and work.reached is Reached.LEAPT:
        _verify(turn, recovering, f"could not finish: {event.reason or event.outcome}")
    elif recovering.stage == "finish":
        _restore(turn, replace(recovering, forward=False))


def _restore(turn: Turn, recovering: Recovering) -> None:
    """Take back the newest step that may have changed anything; when there is none left, look it all over.

    Past the point of no return nothing is taken back, whatever the record says that was being done.
    """
    work = recovering.work
    if work.begun == 0 or work.reached in (Reached.LEAPT, Reached.RAN):
        _verify(turn, recovering, "undone")
        return
    turn.to(replace(recovering, stage="restore"), "undoing")
    turn.do(UndoStep(work.key, work.begun - 1, work.plan.steps[work.begun - 1]))


def on_step_restored(turn: Turn, recovering: Recovering, event: StepRestored) -> None:
    """A step was taken back, or could not be."""
    work = recovering.work
    if recovering.stage != "restore" or event.index != work.begun - 1:
        return
    if not event.ok:
        _give_up(turn, recovering, f"could not undo {work.plan.steps[work.begun - 1].name}")
        return
    begun = work.begun - 1
    _restore(turn, replace(recovering, work=replace(work, begun=begun, done=min(work.done, begun))))


def _finish(turn: Turn, recovering: Recovering, running: bool, why: str) -> None:
    """Past the point of no return there is only forward."""
    work, step = recovering.work, recovering.work.next_step
    turn.do(CancelTimer("leap"))
    if running or step is None:
        turn.to(replace(recovering, stage="finish"), why)
        if step is None:
            _verify(turn, recovering, "finished")
        return
    if work.begun > work.done and step.action == "reboot" and begins_once(work.plan, step):
        # Perhaps it was begun, before this agent forgot: it leaves nothing half done, and nobody wants it any more.
        _verify(turn, recovering, "not rebooted once more")
        return
    again, work = work.begun > work.done, replace(work, begun=work.done + 1)
    turn.to(replace(recovering, work=work, stage="finish"), why)
    turn.do(BeginStep(work.key, work.done, step, work.plan.version, again=again))


def _verify(turn: Turn, recovering: Recovering, why: str) -> None:
    turn.to(replace(recovering, stage="verify"), why)
    turn.do(Verify())


def on_verified(turn: Turn, recovering: Recovering, event: Verified) -> None:
    """The hardware is whole, or not."""
    work = recovering.work
    if recovering.stage != "verify":
        return
    if not event.ok and _leap_is_half_made(work) and not work.again:
        _try_again(turn, recovering)
        return
    # What was not whole when the device came up with nothing in hand, later work need not put right.
    was_so = turn.machine.in_recovery and work.reached is Reached.NOTHING
    if not event.ok and not was_so:
        _give_up(turn, recovering, "the hardware is not whole")
        return
    stays = work.reached in (Reached.LEAPT, Reached.RAN)
    if stays:
        turn.machine = replace(turn.machine, unaccounted=work.plan.version or turn.machine.unaccounted)
    if recovering.end is None:
        turn.report(work, Status.FAILED, recovering.reason)
    elif stays:
        _rest(turn, work, "kept", f"{recovering.end}; {work.plan.version or 'what it did'} stays")
    else:
        _rest(turn, work, "recovered", f"{recovering.end}; undone")


def _leap_is_half_made(work: Work) -> bool:
    """Whether the very step from which there is no way back began and is not done: whole, it can be gone on from."""
    step = work.next_step
    return work.begun > work.done and step is not None and not step.reversible and step.action in LEAPS


def _try_again(turn: Turn, recovering: Recovering) -> None:
    """Do the step that makes the leap once more: with leave, as the first time, unless the execution is over."""
    work = replace(recovering.work, cause="", again=True)
    if recovering.end is None:
        turn.to(Gated(work, "leap"), "the hardware is not whole; once more")
        turn.timer("leap", turn.policy.leap_deadline)
        turn.ask_about(work.key)
    else:
        _finish(turn, replace(recovering, work=work, forward=True), False, "the hardware is not whole; once more")


def _rest(turn: Turn, work: Work, outcome: ExecutionOutcome, why: str) -> None:
    turn.tell(ExecutionLeft(work.key, outcome))
    finished = Finished(work.key, work.digest, None, "", 0)
    turn.machine = replace(turn.machine, finished=finished)
    turn.to(Idle(), why)
    turn.ask_for_work()


def _give_up(turn: Turn, recovering: Recovering, why: str) -> None:
    """The hardware cannot be put right. Who waits for the execution's end is told so, before the device is Safe."""
    if recovering.end is None:
        turn.report(recovering.work, Status.FAILED, f"{recovering.reason}; {why}", safe=why)
    else:
        be_safe(turn, recovering.work, why)


def be_safe(turn: Turn, work: Work, why: str) -> None:
    """Nothing more can be done, and the execution is over."""
    turn.tell(ExecutionLeft(work.key, "safe"))
    turn.to(Safe(why), why)
