import pytest

from simulator.verdict import INVARIANTS
from tests.simulator.verdict.stories import STORIES, Story, with_outcome
from tests.simulator.verdict.stories.scenes import at_work, commits_what_is_on_trial, ends_its_test, main_job, on_trial
from tests.simulator.verdict.tale import FW, Tale, judge


def of(story: Story) -> tuple[Tale, str, int]:
    tale = story.told()
    found = next(each for each in judge(tale.entries).invariants if each.id == story.invariant)
    return tale, found.outcome, found.opportunities


@pytest.mark.parametrize("story", with_outcome("held", "undecided", "not-exercised"))
def test_a_story_that_breaks_nothing(story: Story):
    _, outcome, opportunities = of(story)
    assert outcome == story.outcome
    assert story.opportunities in (None, opportunities)
    assert (opportunities == 0) == (outcome == "not-exercised")


@pytest.mark.parametrize("story", with_outcome("held"))
def test_a_correct_device_breaks_no_other_invariant_either(story: Story):
    verdict = judge(story.told().entries)
    assert {each.id: each.violations for each in verdict.invariants if each.violations} == {}


@pytest.mark.parametrize("story", with_outcome("violated"))
def test_a_violation_is_shown_by_its_events(story: Story):
    tale = story.told()
    found = next(each for each in judge(tale.entries).invariants if each.id == story.invariant)
    assert found.outcome == "violated"
    violation = found.violations[0]
    by_id = {entry.id: entry.event.type for entry in tale.entries}
    assert tuple(by_id[event] for event in violation.events) == story.shown_by
    assert violation.thing == tale.thing
    assert violation.message


@pytest.mark.parametrize("story", with_outcome("violated"))
def test_a_bad_device_is_caught_by_its_own_invariant_and_by_no_other(story: Story):
    entries = story.told().entries
    assert judge(entries).outcome == "failed"
    unwatched = judge(entries, skip=frozenset({story.invariant}))
    assert {each.id for each in unwatched.invariants if each.outcome == "violated"} == set()
    assert unwatched.outcome != "failed"


@pytest.mark.parametrize("invariant", [invariant.id for invariant in INVARIANTS])
def test_every_invariant_has_a_story_that_holds_one_that_breaks_it_and_one_that_never_tries_it(invariant: str):
    assert {each.outcome for each in STORIES if each.invariant == invariant} >= {"held", "violated", "not-exercised"}


def test_the_invariants_are_the_public_ones_in_their_order():
    assert [invariant.id for invariant in INVARIANTS] == [
        "bootable",
        "no-ghost-work",
        "no-ghost-update",
        "stops-in-time",
        "asks-before-leap",
        "no-cross-incarnation",
        "no-false-abort",
        "no-lost-job",
        "no-double-apply",
        "accounted-for",
        "ready-in-time",
        "no-hammering",
        "alive",
        "tests-before-commit",
    ]


def test_the_main_job_holds_all_that_it_exercises():
    tale = Tale()
    main_job(tale)
    tale.end()
    verdict = judge(tale.entries)
    assert verdict.passed
    assert verdict.recovered == 1
    assert {each.id: each.outcome for each in verdict.invariants if each.outcome != "held"} == {}


def test_a_ghost_that_leaps_is_not_excused_by_having_lost_its_memory_in_an_earlier_step():
    tale = Tale()
    at_work(tale)
    tale.begin(FW, "write")
    tale.ask(FW, found=FW)
    tale.lose_power()
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.begin(FW, "commit", reversible=False)
    verdict = judge(tale.entries)
    assert {each.id for each in verdict.invariants if each.violations} == {"no-ghost-work", "asks-before-leap"}


@pytest.mark.parametrize("tests_at_last", [True, False])
def test_a_failure_does_not_explain_a_version_that_need_not_have_stayed(tests_at_last: bool):
    tale = Tale()
    on_trial(tale)
    commits_what_is_on_trial(tale)
    if tests_at_last:
        ends_its_test(tale, "failed")
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))
    tale.end()
    verdict = judge(tale.entries)
    assert {each.id for each in verdict.invariants if each.violations} == {"accounted-for", "tests-before-commit"}
