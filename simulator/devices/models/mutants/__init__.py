"""Our own agent with one flaw each, built around its step, so that whatever else they do is right."""

from typing import Final

from simulator.devices.models.model import Model
from simulator.devices.models.mutants import (
    abandons_on_version_mismatch,
    acts_on_the_hint_alone,
    acts_on_the_hint_of_another_namespace,
    applies_twice_after_reconnect,
    commits_before_it_tests,
    commits_without_a_trial,
    crashes_on_an_empty_head,
    deaf,
    drops_the_next_job,
    forgets_the_journal_on_reboot,
    hammering,
    keeps_an_update_in_silence,
    keys_on_job_id_alone,
    leaps_without_asking,
    polls_without_back_off,
    reads_an_answer_sent_before_the_hint,
    reboots_while_recovering,
    recovers_without_undoing,
    reports_success_for_a_gone_job,
    reports_success_of_what_it_took_back,
    resting,
    rests_after_a_loss,
    rests_after_a_success,
    sends_no_expected_version,
    skips_the_self_test,
    takes_the_first_stale_answer,
    trusts_the_test_of_an_earlier_boot,
    undoes_in_the_wrong_order,
    undoes_on_terminal_state_reached,
    undoes_past_the_point_of_no_return,
    works_on_although_told,
)


def _breaks(*invariants: str) -> frozenset[str]:
    return frozenset(invariants)


MUTANTS: Final[dict[str, Model]] = {
    "abandons-on-version-mismatch": Model(abandons_on_version_mismatch.step, breaks=_breaks("no-false-abort")),
    "acts-on-the-hint-alone": Model(acts_on_the_hint_alone.step, breaks=_breaks("no-false-abort", "asks-before-leap")),
    "acts-on-the-hint-of-another-namespace": Model(
        acts_on_the_hint_of_another_namespace.step, breaks=_breaks("no-false-abort")
    ),
    "applies-twice-after-reconnect": Model(applies_twice_after_reconnect.step, breaks=_breaks("no-double-apply")),
    "commits-before-it-tests": Model(commits_before_it_tests.step, breaks=_breaks("tests-before-commit")),
    "commits-without-a-trial": Model(
        commits_without_a_trial.step,
        breaks=_breaks("bootable", "accounted-for", "tests-before-commit"),
        guarded=False,
    ),
    "crashes-on-an-empty-head": Model(crashes_on_an_empty_head.step, breaks=_breaks("alive")),
    "deaf": Model(deaf.step, breaks=_breaks("stops-in-time")),
    "drops-the-next-job": Model(
        drops_the_next_job.step, resting.begin, _breaks("ready-in-time", "no-lost-job", "alive")
    ),
    "forgets-the-journal-on-reboot": Model(
        forgets_the_journal_on_reboot.step,
        breaks=_breaks("bootable", "no-false-abort"),
        guarded=False,
    ),
    "hammering": Model(hammering.step, breaks=_breaks("no-hammering", "no-ghost-update")),
    "keeps-an-update-in-silence": Model(keeps_an_update_in_silence.step, breaks=_breaks("accounted-for")),
    "keys-on-job-id-alone": Model(
        keys_on_job_id_alone.step,
        breaks=_breaks("no-cross-incarnation", "no-ghost-work", "no-ghost-update", "asks-before-leap"),
    ),
    "leaps-without-asking": Model(leaps_without_asking.step, breaks=_breaks("asks-before-leap")),
    "polls-without-back-off": Model(polls_without_back_off.step, breaks=_breaks("no-hammering")),
    "reads-an-answer-sent-before-the-hint": Model(
        reads_an_answer_sent_before_the_hint.step, breaks=_breaks("asks-before-leap")
    ),
    "reboots-while-recovering": Model(reboots_while_recovering.step, reboots_while_recovering.begin, _breaks("alive")),
    "recovers-without-undoing": Model(recovers_without_undoing.step, breaks=_breaks("bootable"), guarded=False),
    "reports-success-for-a-gone-job": Model(reports_success_for_a_gone_job.step, breaks=_breaks("no-ghost-update")),
    "reports-success-of-what-it-took-back": Model(
        reports_success_of_what_it_took_back.step, breaks=_breaks("accounted-for", "tests-before-commit")
    ),
    "rests-after-a-loss": Model(rests_after_a_loss.step, resting.begin, _breaks("ready-in-time")),
    "rests-after-a-success": Model(rests_after_a_success.step, resting.begin, _breaks("no-lost-job")),
    "sends-no-expected-version": Model(sends_no_expected_version.step, breaks=_breaks("no-cross-incarnation")),
    "skips-the-self-test": Model(skips_the_self_test.step, breaks=_breaks("tests-before-commit")),
    "takes-the-first-stale-answer": Model(takes_the_first_stale_answer.step, breaks=_breaks("stops-in-time")),
    "trusts-the-test-of-an-earlier-boot": Model(
        trusts_the_test_of_an_earlier_boot.step, breaks=_breaks("tests-before-commit")
    ),
    "undoes-in-the-wrong-order": Model(
        undoes_in_the_wrong_order.step,
        undoes_in_the_wrong_order.begin,
        _breaks("alive", "bootable", "ready-in-time"),
        guarded=False,
    ),
    "undoes-on-terminal-state-reached": Model(undoes_on_terminal_state_reached.step, breaks=_breaks("no-false-abort")),
    "undoes-past-the-point-of-no-return": Model(
        undoes_past_the_point_of_no_return.step,
        breaks=_breaks("bootable", "alive", "ready-in-time"),
        guarded=False,
    ),
    "works-on-although-told": Model(
        works_on_although_told.step, works_on_although_told.awake, _breaks("no-ghost-work")
    ),
}
