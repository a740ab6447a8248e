"""How a device finds its way back into its work after it lost its memory: a reboot, planned or not, or a power cut.

The record says what was in hand, the hardware says what it booted. A reboot that was a step of the plan is over now:
it did what it should if the plan's version runs. So is a program whose purpose was that the agent, or the machine,
starts again. Everything else that was under way has been interrupted; whether it is done again is decided once the
service has said that the execution still lives.
"""

from dataclasses import replace
from typing import Literal

from agent.causes import Cause
from agent.core.events import Booted
from agent.core.record import Record, Work
from agent.core.recovering import fail, resume
from agent.core.state import Idle, Recovering, Reporting, Safe, Suspect
from agent.core.turn import Turn
from agent.plan import Step
from agent.recovery import Reached, Remedy, remedy_for


def on_booted(turn: Turn, idle: Idle, booted: Booted) -> None:
    """Begin with what the record holds."""
    record = booted.record or Record()
    turn.machine = replace(
        turn.machine,
        running=booted.running,
        on_trial=booted.on_trial,
        in_recovery=booted.in_recovery and record.work is None,
        unaccounted=record.unaccounted,
        finished=record.finished,
    )
    work = record.work
    if work is None:
        if (record.unaccounted is not None or booted.in_recovery) and booted.running:
            # The record may be an older one than the newest, or lost; what is said to be kept is what is there.
            turn.machine = replace(turn.machine, unaccounted=booted.running)
        if record.safe:
            turn.to(Safe(record.safe), record.safe)
        return
    match record.doing:
        case "reporting":
            assert record.status is not None, "a report has a status"
            told = Reporting(work, record.status, record.nonce, record.reason, resyncing=True, safe=record.safe)
            turn.to(told, "restarted")
        case "working":
            _go_on(turn, work, booted)
        case "restoring":
            resume(turn, Recovering(unrebooted(work, booted), record.end, "restore", record.reason))
        case "finishing":
            _finish_on(turn, record, *rebooted(work, booted))


def _finish_on(turn: Turn, record: Record, work: Work, failure: str) -> None:
    """Go on with what was to be finished. A leap that did not bring up what it should is not made again and again."""
    is_past = work.reached is Reached.LEAPT
    forward = is_past or not (failure or _takes_back(turn, record, work))
    stage: Literal["finish", "restore", "verify"] = "finish" if forward else "restore"
    if is_past and failure:
        stage = "verify"
    resume(turn, Recovering(work, record.end, stage, record.reason, forward=forward))


def _as_found(work: Work, booted: Booted) -> Work:
    """The work as the hardware shows it: a step is on record before it begins, and may have got no further than that.

    Any reboot after a switch begins the trial, and where only the agent restarted nobody can say; a commit leaves
    nothing on trial; the write of the only slot leaves nothing to boot but a recovery image, and at last the new one.
    """
    step, is_new = work.next_step, booted.runs(work.plan.version)
    untouched = {
        "switch": not is_new and booted.rebooted,
        "commit": is_new and booted.on_trial,
        "write": not is_new and not booted.in_recovery and step is not None and not step.reversible,
    }
    return replace(work, begun=work.done) if step is not None and untouched.get(step.action) else work


def _by_hardware(work: Work, booted: Booted) -> Work:
    """The work as far as the hardware has come for certain, should the record be an older one than the newest.

    Where an image lies that was never committed, its write had begun. What runs for good, and did not when the work was
    taken, is there by its last step that makes it stay; of a version that ran before as well, nothing is for certain.
    """
    version, steps = work.plan.version, len(work.plan.steps)
    write, commit = work.plan.index_of("write"), work.plan.index_of("commit")
    if booted.unproven and work.begun <= write < steps:
        return replace(work, done=write, begun=write + 1)
    is_there = work.before not in ("", version) and booted.runs(version) and not booted.on_trial
    last = commit if commit < steps else write
    if is_there and work.begun <= last < steps:
        return replace(work, done=last, begun=last + 1)
    return work


def _takes_back(turn: Turn, record: Record, work: Work) -> bool:
    """Whether what was to be finished, because it might have been past the leap, turns out not to be."""
    policy = turn.policy.point_of_no_return
    return record.end is None or remedy_for(record.end, work.reached, restarted=True, policy=policy) is Remedy.UNDO


def _go_on(turn: Turn, work: Work, booted: Booted) -> None:
    work, failure = rebooted(work, booted)
    if failure:
        fail(turn, work, failure, Cause.ROLLED_BACK)
        return
    turn.suspect(Suspect(work, running=False, restarted=True), "restarted")


def rebooted(work: Work, booted: Booted) -> tuple[Work, str]:
    """The work with its reboot done, if that was the step under way; and why it did not do what it should.

    Each boot on trial begins the trial anew: an image that came down after its self-test has not passed it.
    """
    work = _as_found(_by_hardware(work, booted), booted)
    step, reboot = work.next_step, work.plan.index_of("reboot")
    if step is not None and work.begun > work.done and _has_restarted(step, booted):
        return replace(work, done=work.done + 1), ""
    if _tries(work, booted) and (booted.rebooted or work.done <= reboot):
        return replace(work, done=reboot + 1, begun=min(max(work.begun, reboot + 1), reboot + 2)), ""
    if step is None or step.action != "reboot" or work.begun == work.done or not booted.rebooted:
        return _fallen_back(work, booted)
    version = work.plan.version
    if version and not booted.runs(version):
        is_same = booted.running == version
        return work, f"came back with {booted.running or 'nothing'} instead of {'the new ' if is_same else ''}{version}"
    return replace(work, done=work.done + 1), ""


def _has_restarted(step: Step, booted: Booted) -> bool:
    """Whether a step has done what it was for: that the agent, or the machine, starts again, as one just did.

    A program that restarts the agent may do more than that, and has been cut off, or kept from beginning, by a machine
    that restarts itself.
    """
    if booted.rebooted and step.restarts == "agent":
        return step.action != "run"
    return step.restarts == ("machine" if booted.rebooted else "agent")


def _fallen_back(work: Work, booted: Booted) -> tuple[Work, str]:
    """New firmware that restarted once too often on trial is not there any more, though its commit had begun."""
    tried = replace(work, begun=work.done)
    if tried.reached is Reached.TRIAL and not booted.runs(work.plan.version):
        return tried, f"fell back to {booted.running or 'nothing'}"
    return work, ""


def _tries(work: Work, booted: Booted) -> bool:
    """Whether the plan's firmware is on trial: after the switch, any restart begins it."""
    return booted.on_trial and booted.runs(work.plan.version)


def unrebooted(work: Work, booted: Booted) -> Work:
    """The work as it is to be undone: with the reboot in it if the new firmware is on trial, without it if not."""
    work, _ = _fallen_back(_as_found(work, booted), booted)
    reboot = work.plan.index_of("reboot")
    if _tries(work, booted):
        return replace(work, begun=max(work.begun, reboot + 1), done=max(work.done, reboot + 1))
    last = work.begun - 1
    if last < 0 or work.plan.steps[last].action != "reboot" or booted.runs(work.plan.version):
        return work
    return replace(work, begun=last, done=min(work.done, last))
