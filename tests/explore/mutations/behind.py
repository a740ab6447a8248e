"""Why nothing catches some: what stands behind a rule, why either is right, or what is not looked for yet."""

from typing import Final, NamedTuple

from simulator.engines.explore.setup import Setup
from tests.explore.mutations.worlds import world

LATE: Final = "recovering.on_step_late: `isinstance(phase, Executing) or phase.running` is dropped from an `and`"

FOUR_HINTS: Final = (
    "it matters if nothing says that the job is gone that was claimed, nor that there is another: four notifications "
    "are lost, more than in any world"
)


class Behind(NamedTuple):
    """Another mutation, with which it is caught in a world in which neither is alone."""

    other: str
    world: Setup


BEHIND: Final[dict[str, Behind]] = {
    "working.step_over: no `turn.do(CancelTimer('step'))`": Behind(
        LATE, world({"delete": 1, "early": 1}, asks="configuration")
    ),
    "doubting.on_step_ended: no `turn.do(CancelTimer('step'))`": Behind(
        LATE, world({"delete": 1, "early": 1}, asks="configuration")
    ),
}
"""By mutation: the rule that does the same where it is needed."""

RIGHT: Final[dict[str, str]] = {
    "working.tell_progress: `turn.policy.reports != 'progress'` is dropped from an `or`": (
        "it tells progress that its policy does not want"
    ),
    "taking.on_claim_answered: no `expects=True`": "it asks once, and polls then, instead of asking some more times",
    "taking.on_claim_answered: `expects=False`": "it asks once, and polls then, instead of asking some more times",
    "working.advance: `turn.policy.reports != 'end'` is dropped from an `and`": (
        "it reports more than its policy wants, each step as others do"
    ),
    "working.begin: no `turn.do(CancelTimer('leap'))`": (
        "nobody waits for it while a step runs, and whoever does after that sets it anew"
    ),
    "working.on_progress: no `turn.to(executing, 'progress')`": (
        "telling it keeps it; while another report is under way the next progress is told instead"
    ),
    "recovery.TABLE: `Remedy.UNDO` for `Remedy.DROP` (2)": (
        "of nothing begun there is nothing to take back, and the hardware is looked over, which is whole"
    ),
    "taking.on_connected: no `turn.to(Idle(again=True), 'connected')`": (
        "it asks at once, and if there is nothing yet it polls, though later"
    ),
    "taking.on_connected: no `again=True`": "it polls all the same, though later",
    "taking.on_connected: `again=False`": "it polls all the same, though later",
    "taking.on_time_to_ask: `turn.machine.connected` is dropped from an `and`": (
        "off line nothing is sent, and whoever comes back on line asks anew"
    ),
    "taking._nothing_there: `count < policy.confirmations` is dropped from an `and`": (
        "what was announced is asked for later each time, up to the longest wait, instead of by polling"
    ),
    "taking._nothing_there: `count <= policy.confirmations`": "it asks once more before it polls",
    "taking._nothing_there: no `turn.to(Idle(), 'nothing to do')`": (
        "it polls all the same, and asks some more times when it was told that there is nothing"
    ),
    "taking.consider: `may_have_begun(plan, ())` is dropped from an `and`": (
        "it asks how far an execution came of which it need not know, and takes it then"
    ),
    "taking._is_orphan: `not is_claim` is dropped from an `and`": (
        "of what nobody has got on with, no step that is begun once was told, so it begins anew all the same"
    ),
    "taking._plan_and_take: `_is_orphan(claimed)` is dropped from an `and`": (
        "what it has just claimed is settled as begun by nobody, and so taken"
    ),
    "working.read_update_answer: no `version_number=state.version_number if state else work.version_number + 1`": (
        "the next update is refused as out of step, with the version and our own nonce, and so known as ours"
    ),
    "doubting.speaks_against: `head.key != key` is dropped from an `or`": (
        "another head comes with a list without ours, and either is enough of a reason to ask"
    ),
    "doubting.idle_hears: no `empty_answers=0`": "it asks less often at once, and polls all the same",
    "doubting.suspect_hears: `_omits(hint, suspect.work.key)` is dropped from an `or`": (
        "whatever speaks against ours asks for several answers then, where one is enough"
    ),
    "doubting.on_gate_answered: no `turn.suspect(suspect, 'no leave to go on')`": (
        "the very answer is dealt with in the doubt that it would enter"
    ),
    "taking._is_silent: `not execution.status_details` is dropped from an `and`": (
        "it asks by a describe for what the answer had told already"
    ),
    "working.begin: no `turn.forget_question()`": (
        "an answer that comes after all is believed, and nobody else awaits it"
    ),
    "doubting.suspect_hears: `omitted=True`": "it asks for several answers, where one is enough",
    "restarting._takes_back: `Remedy.FINISH` for `Remedy.UNDO`": (
        "the leap had begun when it was told, so going on is right, though nothing had changed yet"
    ),
    "recovering.fail: no `turn.forget_question()`": (
        "no answer means anything while it recovers, and the next question takes the place of the open one"
    ),
    "recovering._quiesce: no `turn.do(CancelTimer('step'), CancelTimer('leap'))`": (
        "neither timer means anything while it recovers, and whoever waits for one after that sets it anew"
    ),
    "recovering.on_step_ended: no `forward=False`": (
        "after a power cut it goes forward once more, fails the same test, and turns round again"
    ),
    "recovering.on_step_restored: no `done=min(work.done, begun)`": (
        "what is taken back counts from what was begun; after a power cut some of it is once more, to no harm"
    ),
    "restarting._finish_on: `not (failure or _takes_back(turn, record, work))` is dropped from an `or`": (
        "before the leap it takes back what the policy would have finished, and is whole either way"
    ),
    "restarting._finish_on: `failure` is dropped from an `and`": (
        "a leap that is half made shows when the hardware is looked over, and is made once more then"
    ),
    "restarting.rebooted: `work.begun == work.done` is dropped from an `or`": (
        "the machine has restarted at the step that was to restart it, which is all that the step is for"
    ),
    "restarting.unrebooted: `reboot` for `reboot + 1` (2)": (
        "what is taken back counts from what was begun, not from what was done"
    ),
    "machine._concerns: no `turn.forget_question()`": (
        "whoever comes back on line asks anew, which takes the place of the question that was open"
    ),
    "state.record_of: no `finished=finished` (5)": (
        "while another execution is in hand, that will be the last one when anybody asks for the last"
    ),
    "turn.Turn.update: `include_state=False`": (
        "a refusal brings the state unasked, and an accepted update counts the version up by one"
    ),
    "turn.Turn.send: `not self.machine.connected` is dropped from an `or`": (
        "what is published off line is lost, and whoever comes back on line asks anew"
    ),
    "turn.Turn.ask_later: no `sent=False`": "a late answer to an attempt is as good as one to the next",
}
"""By mutation: why a device that does so is right as well."""

MISSED: Final[dict[str, str]] = {
    "working.tell_progress: `not is_news` is dropped from an `or`": (
        "it tells the same progress a hundred times a second while a step lasts; no-hammering counts no update that is "
        "accepted"
    ),
    "taking._settle_orphan: `work.plan.index_of('reboot')` for `work.plan.index_of('reboot') + 1`": (
        "having lost its journal on trial, it reboots once more, falls back, and fails: safe; but where the journal "
        "may be lost at any boot, a job may only fail anyway, so that is not looked for"
    ),
    "taking.on_claim_answered: no `turn.to(Idle(expects=True), 'the claim did not hold')`": FOUR_HINTS,
    "taking.on_claim_answered: no `turn.timer('ask-again', *turn.backoff(1))`": FOUR_HINTS,
}
"""By mutation: a rule of safety that nothing looks for yet, and what that would take."""
