"""Why nothing catches some: what stands behind a rule, why either is right, or what is not looked for yet."""

from typing import Final, NamedTuple

from simulator.engines.explore.setup import Setup
from tests.explore.mutations.worlds import world

LATE: Final = "recovering.on_step_late: `isinstance(phase, Executing) or phase.running` is dropped from an `and`"


LAG: Final = (
    "a read that lags behind its own report, while our execution is in doubt; the local service shows each execution "
    "as it is, so that only tests/agent/core/test_doubting.py tells"
)
ONE_VERSION_ON: Final = (
    "the next update is refused as out of step, with the version and our own nonce, and so known as ours; before a "
    "leap there is such an update"
)
ASKS_ONCE_MORE: Final = "it asks once more than it need"
OLD_TIMER: Final = (
    "a timer that was set before makes it ask once more, or later, and means nothing where nothing is asked"
)
SAME_SECOND_DOCUMENT: Final = (
    "it matters if the id is used in the same second for another document, and somebody else than this device makes "
    "that IN_PROGRESS: no world has two agents at one queue"
)
NOTE_TOLD: Final = "whoever has an execution in hand has told what it keeps already, with the claim that was accepted"
UNREBOOTED: Final = "what is taken back counts from what was begun, not from what was done"
LAST_ONE: Final = (
    "an execution that is over is told of once more, by a read that lags or after a restart, and is not known to be "
    "the last; whatever follows is a claim or a report, which meets what is, and is refused; so only "
    "tests/agent/core tells"
)
IN_RECOVERY: Final = (
    "its next report does not say that it runs its recovery image, or which version it keeps after its journal went "
    "back once more; whose journal is lost is not held to that, so that only tests/agent/core/test_failing.py tells"
)
LEFT_LYING: Final = (
    "it leaves an image lying whose writing its journal does not tell of; the next one is written over it, and no "
    "invariant forbids that, so that only tests/agent/core/test_restarting.py tells"
)
ON_TRIAL_UNKNOWN: Final = (
    "it goes on with firmware on trial of which its journal does not tell; that is left as the agent begins, but where "
    "the machine cannot be restarted, which no simulated one is like, so that only tests/agent/core tells"
)
JOURNAL_TOO: Final = (
    "it writes once more what is on record already; if that cannot be written, it withholds a step that finishes a "
    "leap, and gives up; in a world in which the journal fails our agent may give up as well"
)
LEAP_READ: Final = (
    "what it asks before the leap may be answered by a read that lags behind its own report, which is refused as "
    "older than that otherwise; the local service shows each execution as it is, so that only tests/agent/core tells"
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
    "working.on_leap_answered: no `version_number=told.version_number`": (
        "the next update is refused as out of step, with the version and our own nonce, and so known as ours"
    ),
    "doubting._found: `suspect.doubtful + 1 <= turn.policy.confirmations` (2)": ASKS_ONCE_MORE,
    "doubting._found: `suspect.doubtful` for `suspect.doubtful + 1` (2)": ASKS_ONCE_MORE,
    "restarting.on_booted: `record.unaccounted is not None or booted.in_recovery` is dropped from an `and`": (
        "with its next claim it tells which version it runs, where nobody waits for that; and it is true"
    ),
    "restarting.on_booted: `record.work is None` is dropped from an `and`": (
        "with work in hand in its recovery image it has leapt, and nothing is taken back; or it has begun anew, "
        "and waits for the next job instead of giving up"
    ),
    "working.on_connected: `reporting.work.version_number` is its opposite": (
        "who asks first although it knows the version reports after that, and who reports without it is refused "
        "with how the execution stands, or asks then"
    ),
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
    "doubting.speaks_against: `head.key != key` is dropped from an `or`": (
        "another head comes with a list without ours, and either is enough of a reason to ask"
    ),
    "doubting.idle_hears: no `empty_answers=0`": "it asks less often at once, and polls all the same",
    "doubting.on_gate_answered: no `turn.suspect(suspect, 'no leave to go on')`": (
        "the very answer is dealt with in the doubt that it would enter"
    ),
    "working.begin: no `turn.forget_question()`": (
        "an answer that comes after all is believed, and nobody else awaits it"
    ),
    "doubting.suspect_hears: `omitted=True`": "it asks for several answers, where one is enough",
    "restarting._takes_back: `Remedy.FINISH` for `Remedy.UNDO`": (
        "the leap had begun when it was told, so going on is right, though nothing had changed yet"
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
    "working.tell_progress: `turn.machine.connected` is dropped from an `and`": (
        "off line nothing is sent, and whoever comes back on line asks anew; the next progress is told instead"
    ),
    "working.on_progress_answered: no `executing = replace(executing, work=work)`": ONE_VERSION_ON,
    "working.on_progress_answered: no `work=work`": ONE_VERSION_ON,
    "working.on_progress_answered: no `turn.to(executing, 'told')`": ONE_VERSION_ON,
    "working.on_step_ended: no `turn.forget_question()`": (
        "whatever follows puts a question of its own, or begins a step, or fails, and each of these forgets this one"
    ),
    (
        "working.read_update_answer: no case `Rejected(code=ErrorCode.VERSION_MISMATCH, state=state) if state is not "
        "None and (not state.status.is_terminal) and (mark_in(state.status_details) == OURS)`"
    ): ("it asks about the very execution instead, which tells the version as well"),
    "working.read_update_answer: `ErrorCode.INTERNAL_ERROR` for `ErrorCode.VERSION_MISMATCH`": (
        "it asks about the very execution instead, which tells the version as well"
    ),
    "working.settle_report: `state.status is reporting.status` is dropped from an `and`": (
        "it asks about it first, and is told as much: it has ended, or is another one"
    ),
    "working.settle_report: `told.key == work.key` is dropped from an `and`": (
        "one of another identity that is QUEUED is asked about some more times, and taken for another one then"
    ),
    "doubting.starting_hears: no `expects=True`": "it asks once, and polls then, instead of asking some more times",
    "doubting.starting_hears: `expects=False`": "it asks once, and polls then, instead of asking some more times",
    "doubting.on_connected_again: no `hinted_again=False`": ASKS_ONCE_MORE,
    "doubting.on_connected_again: `hinted_again=True`": ASKS_ONCE_MORE,
    "doubting.suspect_hears: `asked.sent` is dropped from an `and`": ASKS_ONCE_MORE,
    "doubting._found: `suspect.doubtful + 1 <= turn.policy.confirmations`": ASKS_ONCE_MORE,
    "doubting._found: `suspect.doubtful` for `suspect.doubtful + 1`": ASKS_ONCE_MORE,
    "doubting._ask_again: `hinted_again=True`": ASKS_ONCE_MORE,
    "doubting.idle_hears: no case `PendingChanged(in_progress=[], queued=[]) | NextChanged(execution=None)`": (
        "it asks for what there is not, some times, and polls then"
    ),
    "doubting.suspect_hears: `suspect.hinted_again` is dropped from an `or`": (
        "if no attempt is under way at the newest hint, the next one is put after all of them; if one is, that "
        "counts as well"
    ),
    "doubting.suspect_hears: no `turn.to(replace(suspect, omitted=False), 'listed again')`": (
        "it asks for several answers, where one is enough"
    ),
    "doubting.suspect_hears: no `omitted=False`": "it asks for several answers, where one is enough",
    "doubting.on_progress: `suspect.running and event.index == suspect.work.done` is its opposite": (
        "how far a step is is for people, who are told once it gets on"
    ),
    "doubting.on_progress: no `turn.to(replace(suspect, percent=event.percent), 'progress')`": (
        "how far a step is is for people, who are told once it gets on"
    ),
    "doubting._cleared: no `tell_progress(turn, executing)`": (
        "how far a step is is for people, who are told once it gets on"
    ),
    "doubting.on_answered: `work.begun` is its opposite": (
        "that update asks about an execution that has ended, so that what it says is never taken"
    ),
    "doubting._cleared: no `turn.do(CancelTimer('leap'))`": (
        "whoever waits for it after that sets it anew, and elsewhere it means nothing"
    ),
    "recovering.give_way: no `work = replace(work, version_number=0)`": (
        "nothing is sent any more about what ended without us, and none of it is on record"
    ),
    "recovering.give_way: no `version_number=0`": (
        "nothing is sent any more about what ended without us, and none of it is on record"
    ),
    "recovering.fail: no `work = replace(work, cause=cause)`": "the cause is for people",
    "recovering.on_step_ended: `forward=True`": (
        "after a power cut it goes forward once more, fails the same test, and turns round again"
    ),
    "recovering._finish: no `turn.do(CancelTimer('leap'))`": (
        "it means nothing while it recovers, and whoever waits for it after that sets it anew"
    ),
    (
        "restarting._takes_back: `remedy_for(record.end, work.reached, restarted=True, policy=policy) is "
        "Remedy.UNDO` is dropped from an `or`"
    ): ("the leap had begun when it was told, so going on is right, though nothing had changed yet"),
    "restarting.unrebooted: no `done=max(work.done, reboot + 1)`": UNREBOOTED,
    "restarting.unrebooted: no `done=min(work.done, last)`": UNREBOOTED,
    "turn.Turn.ask: no `self.forget_question()`": OLD_TIMER,
    "turn.Turn.ask_for_work: no `self.do(CancelTimer('ask-again'), CancelTimer('poll'))`": OLD_TIMER,
    "turn.Turn.send: no early `return`": (
        "no timer to ask is set without a question, and what is published off line is lost; whoever comes back on "
        "line asks anew"
    ),
    "turn.Turn.take_answer: no `self.ask_later()`": "the time-out of that attempt makes it ask later all the same",
    "turn.Turn.ask_about: no `include_document=with_document`": "it is sent the document where it needs none",
    "turn.Turn.update: no `include_state=True`": (
        "a refusal brings the state unasked, and an accepted update counts the version up by one"
    ),
    "state.record_of: no `finished=finished` (2)": (
        "whoever is safe takes no job any more, so that nobody asks for the last one"
    ),
    "state.record_of: no `finished=finished` (3)": (
        "while another execution is in hand, that will be the last one when anybody asks for the last"
    ),
    "state.record_of: no `finished=finished` (4)": (
        "while another execution is in hand, that will be the last one when anybody asks for the last"
    ),
    "record.Work.reached: `Reached.STAGED` for `Reached.NOTHING`": (
        "of nothing begun there is nothing to take back, and the hardware is looked over, which is whole"
    ),
    "recovering.on_verified: `turn.machine.unaccounted` is dropped from an `or`": NOTE_TOLD,
    "state.record_of: no `unaccounted=kept` (4)": NOTE_TOLD,
    "state.record_of: no `unaccounted=kept` (5)": NOTE_TOLD,
    "turn.Turn.ask_later: `sent=True`": "a late answer to an attempt is as good as one to the next",
    "turn.Turn.ask_later: no `self.do(CancelTimer('request'))`": OLD_TIMER,
    "turn.Turn.forget_question: no `self.do(CancelTimer('request'), CancelTimer('retry'))`": OLD_TIMER,
}
"""By mutation: why a device that does so is right as well."""

MISSED: Final[dict[str, str]] = {
    "taking._is_orphan: `'step' not in dict(details)` is dropped from an `and`": (
        "not known; it takes for a mere claim what it had got on with in this life, and left: an answer that is "
        "delivered twice can show it that, and what it does then breaks nothing in the world in which it was met"
    ),
    "recovering.on_verified: `_leap_is_half_made(work)` is dropped from an `and`": (
        "not known; where hardware is not whole for another reason than its leap, it tries once more before it gives "
        "up; met where the journal fails, too"
    ),
    "taking._settle_orphan: `work.version_number >= last.version_number` is dropped from an `and`": (
        "it matters if the last execution is told of at a lower version: another one, queued again within the same "
        "second and begun; our own monitor of what is begun twice takes these two for one"
    ),
    "taking._settle_orphan: `work.version_number > last.version_number`": (
        "it matters if a read that lags shows the last execution at the very version at which its end was "
        "reported; the "
        "local service's do not, so that only tests/agent/core/test_restarting.py tells"
    ),
    "working.read_update_answer: no case `UpdateAccepted(state=state)`": LEAP_READ,
    "working.on_connected: `with_document=False`": SAME_SECOND_DOCUMENT,
    "working.settle_report: `with_document=False` (2)": SAME_SECOND_DOCUMENT,
    "doubting._found: `suspect.doubtful + 1 < turn.policy.confirmations` is its opposite": LAG,
    "doubting._found: no early `return`": LAG,
    "recovering.fail: `Reached.RAN` for `Reached.LEAPT`": (
        "it would stop a leap half-way when asking is refused for good meanwhile, and make it once more; no world "
        "refuses a question"
    ),
    "recovering._finish: no `again=again`": (
        "it ends SAFE in its recovery image, which a full disk excuses, where it could write its only slot once more; "
        "only tests/agent/core/test_failing.py tells"
    ),
    "recovering.on_verified: `not event.ok` is dropped from an `and`": (
        "it makes a leap once more that failed and left the hardware whole; no simulated write does that, so that only "
        "tests/agent/core/test_failing.py tells"
    ),
    "recovering._try_again: no `turn.timer('leap', turn.policy.leap_deadline)`": (
        "half changed, it waits without end if nobody answers; no world is off line for good"
    ),
    "recovering._try_again: no `turn.ask_about(work.key)`": (
        "half changed, it gives up without having asked whether it may make the leap once more; in a world in which "
        "steps fail our agent may give up as well, or a job only fail"
    ),
    "recovering._rest: no `turn.machine = replace(turn.machine, finished=finished)`": LAST_ONE,
    "recovering._rest: no `finished=finished`": LAST_ONE,
    "restarting.on_booted: no `finished=record.finished`": LAST_ONE,
    "restarting.on_booted: no `on_trial=booted.on_trial`": ON_TRIAL_UNKNOWN,
    "taking._settle_orphan: no `begun=done`": ON_TRIAL_UNKNOWN,
    "taking._settle_orphan: `work.plan.index_of('reboot')` for `work.plan.index_of('reboot') + 1`": ON_TRIAL_UNKNOWN,
    "restarting.on_booted: `booted.in_recovery` is dropped from an `and`": (
        "it goes on if what was taken back, by its handler's word, is not whole; no simulated hardware is so, so that "
        "only tests/agent/core/test_failing.py tells"
    ),
    "restarting.on_booted: `booted.in_recovery` is dropped from an `or`": IN_RECOVERY,
    (
        "restarting.on_booted: `(record.unaccounted is not None or booted.in_recovery) and booted.running` "
        "is its opposite"
    ): IN_RECOVERY,
    "restarting._finish_on: `_takes_back(turn, record, work)` is dropped from an `or`": (
        "it finishes a leap that was on record and never began, where it could take all back; either way the "
        "hardware is "
        "whole and the report says which, so that only tests/agent/core/test_restarting.py tells"
    ),
    "restarting.unrebooted: no `begun=last`": "not known; it takes a reboot back that did not bring up what it should",
    "turn.Turn.update: no `execution_number=key.execution_number`": (
        "it matters if the id has an execution of another number at the same version: no world has a second number"
    ),
    "machine._concerns: no case `Hinted(hint=hint)`": (
        "it doubts for hints of another namespace as well, which is no harm; but it tells of no hint, and nothing "
        "compares what a device tells that it heard with what it was sent"
    ),
    "restarting._by_hardware: no `begun=write + 1`": LEFT_LYING,
    "restarting._by_hardware: `write` for `write + 1`": LEFT_LYING,
    "restarting._by_hardware: `not booted.on_trial` is dropped from an `and`": (
        "it commits without the self-test that its agent's restart cut short; a power cut begins the trial anew, and "
        "in no world is only the agent restarted then, so that only tests/agent/core/test_restarting.py tells"
    ),
    "machine.step: `event.record` is dropped from an `or`": JOURNAL_TOO,
    "machine.act: `known` is dropped from an `or`": JOURNAL_TOO,
    "doubting.starting_hears: no `turn.ask_for_work(turn.hint_wait)`": (
        "not known in the default namespace, where the answer may describe one that is QUEUED, and would be taken as "
        "start-next's"
    ),
    "recovering.on_step_ended: `Reached.RAN` for `Reached.LEAPT`": (
        "past the leap nothing is taken back, and the hardware is looked over as well; but after a power cut then it "
        "does not go forward: a failure, an ending and a power cut are more than in any world"
    ),
    (
        "working.read_update_answer: no `version_number=state.version_number if state else work.version_number + 1`"
    ): LEAP_READ,
}
"""By mutation: a rule of safety that nothing looks for yet, and what that would take."""
