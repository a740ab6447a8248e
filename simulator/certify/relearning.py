"""A cell whose packet never came was one more undisturbed job: what that shows of the device corrects what is known.

A device may report one thing more in its first job than in others: because it had just begun, or was in doubt. Then
what it is struck at is chosen anew, from the job that was meant to be struck and was not.
"""

from dataclasses import replace

from agent.values import Status
from simulator.certify.draft import MARK
from simulator.certify.learning import Learned, NotLearned, learn
from simulator.certify.one_play import Played


def learned_anew(known: Learned, played: Played, thing: str) -> Learned | None:
    """What is known of the device after a cell in which nothing was struck; None if that teaches nothing new."""
    job_id = played.scenario.jobs[0].id
    missed = (each for each in played.verdict.reached if each.id == f"fault-struck {job_id} {MARK}")
    if played.ended.get(job_id) != Status.SUCCEEDED or not any(each.devices < each.of for each in missed):
        return None
    try:
        shown = learn(played.entries, thing, job_id)
    except NotLearned:
        return None
    anew = replace(
        known.slower(shown), takes_by=shown.takes_by, reports=shown.reports, step_key=shown.step_key or known.step_key
    )
    return None if _marks(anew) == _marks(known) else anew


def _marks(learned: Learned) -> tuple[object, ...]:
    """What a cell's packet is chosen by."""
    reports = tuple((said.status, dict(said.details).get(learned.step_key or "")) for said in learned.reports)
    return learned.takes_by, learned.step_key, reports
