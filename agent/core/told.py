"""What the service has been told of how far an execution came, where the journal knows less, or nothing.

A step that is begun once only is reported before it begins. So if the report is not there, it has not begun; if it is
there, it may have. Where nothing tells, whoever made the execution IN_PROGRESS may have begun anything.
"""

from dataclasses import replace

from agent.core.marks import mark_in
from agent.core.record import Work
from agent.plan import Plan, Step
from agent.values import StatusDetails


def begins_once(plan: Plan, step: Step) -> bool:
    """Whether nobody who has forgotten how it went may begin `step` again: a program, a reboot, a restart, a plug-in's.

    Of firmware the hardware shows how far it came, and what can be undone can be done again.
    """
    return not step.reversible and not plan.version


def may_have_begun(plan: Plan, details: StatusDetails) -> str:
    """Why a step that is begun once only may have begun, for people; empty if none has."""
    once = [index for index, step in enumerate(plan.steps) if begins_once(plan, step)]
    if not once:
        return ""
    told = _told(plan, details)
    if told is None:
        return f"nobody knows whether {plan.steps[once[0]].name} has begun"
    begun = [index for index in once if index <= told]
    return f"{plan.steps[begun[-1]].name} may have begun" if begun else ""


def as_told(work: Work, details: StatusDetails) -> Work:
    """The work as far as the service was told, should the record be an older one that knows of no program that began.

    Of any other step the record is believed, not the announcement: if the execution lives, the step is done again all
    the same, and if it is gone, what had only been announced must not be finished as if it had begun.
    """
    told = _told(work.plan, details)
    if told is None or not any(step.action == "run" for step in work.plan.steps[work.begun : told + 1]):
        return work
    return replace(work, done=told, begun=told + 1)


def _told(plan: Plan, details: StatusDetails) -> int | None:
    """The index of the step that was reported last, -1 if none was; None if no agent of ours wrote these details."""
    name = dict(details).get("step")
    names = [step.name for step in plan.steps]
    if mark_in(details) is None or (name is not None and name not in names):
        return None
    return -1 if name is None else names.index(name)
