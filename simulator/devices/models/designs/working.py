"""What a device does to its hardware for one execution, whatever it says to the service, and wherever power fails it.

A step is on record before it is begun, so that whoever comes back knows what may have been touched. There are four
ways to go: on with the plan, each step with leave; back, by undoing what was begun, newest first; through to the end
without leave, once there is no way back; and a check that the hardware is whole, which ends the other three.
"""

from dataclasses import replace
from typing import Final

from agent.core.events import (
    BeginStep,
    Booted,
    Event,
    JournalFailed,
    StepAdvanced,
    StepEnded,
    StepRestored,
    StopStep,
    TimerFired,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.record import Record, Work
from agent.device_events import (
    OUTCOMES,
    End,
    ExecutionGone,
    ExecutionLeft,
    ExecutionOutcome,
    ExecutionTaken,
    JournalUnwritable,
)
from agent.recovery import Reached
from agent.values import Status
from simulator.devices.models.designs.state import Aim, DesignTurn, Known, Undertaking

NO_WAY_BACK: Final = (Reached.LEAPT, Reached.RAN)


# ── what the talking asks of the hands ────────────────────────────────────────────────────────────────────────


def take(now: DesignTurn, task: Undertaking, why: str, *, fresh: bool = False) -> None:
    """Make an execution ours."""
    now.tell(ExecutionTaken(task.work.key, task.work.digest))
    now.set(why, task=task, claim=None, known=Known(fresh=fresh), told=0, misses=0, promised=False)
    now.no_timer("poll", "ask-again")
    _wait_for_leave(now)


def begin(now: DesignTurn) -> None:
    """Do the next step."""
    work = now.task.work
    step = work.next_step
    assert step is not None, "leave is given for a step"
    begun = replace(work, begun=work.done + 1)
    now.set(percent=0, percent_told=0)
    now.aim(f"{step.name} begins", work=begun, busy=True)
    now.do(BeginStep(work.key, work.done, step, work.plan.version))
    now.no_timer("leap")
    if now.task.aim == "on":
        now.timer("step", now.policy.step_deadline)


def give_way(now: DesignTurn, end: End) -> None:
    """The execution ended without us, as the answer at hand says."""
    task, work = now.task, now.task.work
    if task.end is not None:
        return
    now.tell_learned(ExecutionGone(work.key, end))
    if task.aim in ("back", "check"):
        now.aim(f"{end} meanwhile", end=end)
        return
    forward = work.reached is Reached.LEAPT or (
        work.reached in (Reached.SWITCHED, Reached.TRIAL) and now.policy.point_of_no_return == "finish-after-switch"
    )
    through = forward and not task.reason
    aim: Aim = "through" if through else "check" if work.reached in NO_WAY_BACK else "back"
    now.aim(end, end=end, aim=aim)
    now.no_timer("leap", "step")
    if task.busy and aim != "through":
        now.do(StopStep(work.done))


def fail(now: DesignTurn, reason: str) -> None:
    """The work failed by itself: put the hardware right, then say so."""
    task = now.task
    aim: Aim = "check" if task.work.reached in NO_WAY_BACK else "back"
    now.aim(f"failed: {reason}", aim=aim, status=Status.FAILED, reason=reason)
    now.no_timer("leap", "step")
    if task.busy:
        now.do(StopStep(task.work.done))


def reported(now: DesignTurn, *, surely: bool = True) -> None:
    """Our last report stands (or it might, if not `surely`); nothing is left of the execution."""
    task = now.task
    stays = task.work.plan.version if task.work.reached in NO_WAY_BACK and not task.broken else ""
    _leave(now, OUTCOMES[task.status], kept="" if surely else stays or now.state.kept)


# ── what the hands do by themselves ───────────────────────────────────────────────────────────────────────────


def pursue(now: DesignTurn) -> None:
    """Do what needs no leave, if the hardware is free for it."""
    task = now.state.task
    if task is None or task.busy:
        return
    work = task.work
    match task.aim:
        case "on" if work.next_step is None:
            now.aim("all done", aim="over")
        case "back" if work.begun:
            now.aim("undoing", busy=True)
            now.do(UndoStep(work.key, work.begun - 1, work.plan.steps[work.begun - 1]))
        case "through" if work.next_step is not None:
            begin(now)
        case "back" | "through" | "check":
            now.aim("looking it over", aim="check", busy=True)
            now.do(Verify())
        case "over" if task.end is not None:
            kept = work.reached in NO_WAY_BACK
            _leave(now, "safe" if task.broken else "kept" if kept else "recovered", kept=now.state.kept)
        case _:
            pass


def on_hardware(now: DesignTurn, event: Event) -> None:
    """What the hardware, the journal or the clock says."""
    task = now.state.task
    match event:
        case JournalFailed(reason=reason):
            now.tell(JournalUnwritable(reason))
            if task is not None and task.busy and task.aim in ("on", "through"):
                _not_begun(now, f"the journal cannot be written: {reason}")
        case _ if task is None:
            pass
        case StepAdvanced(percent=percent):
            now.set(percent=percent)
        case StepEnded() if task.busy and event.index == task.work.done:
            _step_ended(now, event)
        case StepRestored(index=index, ok=ok) if task.busy and task.aim == "back" and index == task.work.begun - 1:
            if ok:
                work = replace(task.work, begun=index, done=min(task.work.done, index))
                now.aim("undone", work=work, busy=False)
            else:
                name = task.work.plan.steps[index].name
                now.aim("stuck", aim="over", busy=False, broken=f"could not undo {name}")
        case Verified(ok=ok) if task.aim == "check":
            now.aim("looked over", aim="over", busy=False, broken="" if ok else "the hardware is not whole")
            if ok and task.work.reached in NO_WAY_BACK:
                now.set(kept=task.work.plan.version or now.state.kept)
        case TimerFired(name="step") if task.aim == "on" and task.busy and _can_be_undone(task):
            fail(now, f"{_step_name(task)}: not done after {now.policy.step_deadline:g} s")
        case TimerFired(name="leap") if task.aim == "on" and not task.busy:
            if _goes_on_unanswered(now):
                begin(now)
            else:
                fail(now, "nobody gave leave to go on")
        case _:
            pass


def _step_ended(now: DesignTurn, event: StepEnded) -> None:
    task, work = now.task, now.task.work
    now.no_timer("step")
    now.know(fresh=False)
    if event.outcome == "done":
        now.aim("step done", work=replace(work, done=work.done + 1), busy=False)
        _wait_for_leave(now)
    elif task.aim == "on":
        now.aim("step failed", busy=False)
        fail(now, f"{_step_name(task)}: {event.reason or event.outcome}")
    elif task.aim == "through":
        aim: Aim = "check" if work.reached in NO_WAY_BACK else "back"
        now.aim("cannot be finished", aim=aim, busy=False)
    else:
        now.aim("stopped", busy=False)


def _wait_for_leave(now: DesignTurn) -> None:
    """A deadline where standing still is not safe for ever: before the leap, and on new firmware."""
    task = now.task
    step = task.work.next_step
    if task.aim == "on" and step is not None and (not step.reversible or task.work.reached is Reached.TRIAL):
        now.timer("leap", now.policy.leap_deadline)


def _not_begun(now: DesignTurn, reason: str) -> None:
    """A step that could not be put on record was not begun."""
    work = now.task.work
    now.aim("not begun", work=replace(work, begun=work.done), busy=False)
    if now.task.aim == "on":
        fail(now, reason)
    else:
        now.aim("not begun", aim="check" if now.task.work.reached in NO_WAY_BACK else "back")


def _leave(now: DesignTurn, outcome: ExecutionOutcome, *, kept: str) -> None:
    """Be done with it and look for more; not at once if it was gone when rejected: a read that lags offers it again."""
    task = now.task
    in_vain = outcome == "recovered" and task.status is Status.REJECTED
    now.tell(ExecutionLeft(task.work.key, "safe" if task.broken else outcome))
    now.no_timer("step", "leap", "poll")
    now.set(outcome, task=None, known=Known(), kept=kept, safe=task.broken, due=not in_vain)
    if in_vain:
        now.timer("ask-again", now.policy.retry_first, jitter=True)


def _goes_on_unanswered(now: DesignTurn) -> bool:
    """Whether nobody has answered, and to go on then is the policy; or firmware is past the leap, and can but go on.

    What is being probed has been answered: it is over, or may be another's.
    """
    work, is_answered = now.task.work, now.state.known.probing
    is_past = work.reached is Reached.LEAPT and work.plan.version != ""
    return is_past or (now.policy.leap_when_unreachable == "proceed" and not is_answered)


def _can_be_undone(task: Undertaking) -> bool:
    step = task.work.next_step
    return step is not None and step.reversible


def _step_name(task: Undertaking) -> str:
    return task.work.plan.steps[task.work.done].name


# ── after a restart ───────────────────────────────────────────────────────────────────────────────────────────


def wake(now: DesignTurn, booted: Booted) -> None:
    """Begin with what the record holds and the hardware shows."""
    record = booted.record or Record()
    work = record.work
    now.set(running=booted.running, kept=record.unaccounted or "", safe="" if work else record.safe)
    if work is None:
        return
    work, fault = _rebooted(work, booted)
    past = work.reached in NO_WAY_BACK
    task = Undertaking(work, end=record.end, reason=record.reason)
    match record.doing:
        case "reporting":
            assert record.status is not None, "a report has a status"
            task = replace(task, aim="over", status=record.status, broken=record.safe)
        case "restoring":
            failed = Status.SUCCEEDED if record.end else Status.FAILED
            task = replace(task, aim="check" if past else "back", status=failed)
        case "finishing":
            task = replace(task, aim="check" if fault and past else "back" if fault else "through")
        case "working":
            pass
    now.set("restarted", task=task, known=Known(suspect=task.aim == "on"))
    interrupted = work.next_step if work.begun > work.done else None
    if task.aim != "on":
        return
    if fault:
        fail(now, fault)
    elif interrupted is not None and interrupted.action == "run":
        fail(now, f"{interrupted.name}: interrupted by a restart, and not begun twice")
    else:
        _wait_for_leave(now)


def _only_on_record(work: Work, booted: Booted, *, is_new: bool) -> bool:
    """Whether the step under way was put on record and never begun: the only slot is still whole, or after a restart
    of the machine, which begins the trial of whatever was switched to, the old firmware still runs.
    """
    step = work.next_step if work.begun > work.done else None
    if step is None or is_new:
        return False
    is_leap = step.action == "write" and not step.reversible
    return (is_leap and not booted.in_recovery) or (step.action == "switch" and booted.rebooted)


def _rebooted(work: Work, booted: Booted) -> tuple[Work, str]:
    """The work as the boot left it, and what is wrong with that.

    New firmware on trial has rebooted, whether or not that was the step under way, and is to be tested anew; firmware
    that should be there after a reboot and is not has fallen back, so that everything since the switch is off, even a
    commit half begun.
    """
    reboot, version = work.plan.index_of("reboot"), work.plan.version
    is_new = bool(version) and booted.runs(version)
    if _only_on_record(work, booted, is_new=is_new):
        return replace(work, begun=work.done), ""
    if booted.on_trial and is_new:
        return replace(work, done=reboot + 1, begun=reboot + 1), ""
    if not booted.rebooted or work.begun <= reboot:
        return work, ""
    if version and not is_new:
        fault = f"came back with {booted.running or 'nothing'} instead of {version}"
        return replace(work, done=min(work.done, reboot), begun=reboot), fault
    return replace(work, done=max(work.done, reboot + 1)), ""
