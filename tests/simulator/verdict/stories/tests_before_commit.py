"""Stories of `tests-before-commit`."""

from agent.device_events import DeviceBooted, ExecutionLeft, ExecutionTaken, PhaseChanged, VersionCommitted
from tests.simulator.verdict.stories.scenes import (
    RNF,
    at_work,
    commits_what_is_on_trial,
    ends_its_test,
    on_trial,
    writes_the_only_slot,
)
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("tests-before-commit", "held", opportunities=1)
def tests_and_commits(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "held", opportunities=1)
def tests_again_after_another_boot(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    tale.lose_power(version="2.0", on_trial=True)
    ends_its_test(tale)
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "held", opportunities=1)
def lets_the_test_of_the_agent_before_it_count_on_the_same_boot(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    tale.device(DeviceBooted("2.0", "restarted", on_trial=True))
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "held", opportunities=1)
def commits_again_what_was_not_on_record_as_committed(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.hardware("2.0")
    tale.device(VersionCommitted(FW, "2.0"))
    tale.lose_power(version="2.0")
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.finish(FW, "commit")
    tale.report(FW)


@story("tests-before-commit", "held", opportunities=1)
def tests_what_its_write_committed_and_reports_it_after_another_boot(tale: Tale) -> None:
    writes_the_only_slot(tale)
    ends_its_test(tale)
    tale.lose_power(version="2.0")
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed")
def commits_before_it_tests(tale: Tale) -> None:
    on_trial(tale)
    commits_what_is_on_trial(tale)
    ends_its_test(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed")
def commits_before_the_first_boot(tale: Tale) -> None:
    tale.device(DeviceBooted("1.0"))
    at_work(tale)
    tale.step(FW, "write")
    tale.step(FW, "switch")
    commits_what_is_on_trial(tale)


@story("tests-before-commit", "violated", "step.finished", "version.committed")
def commits_what_did_not_pass(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale, "failed")
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed")
def lets_a_test_of_an_earlier_boot_count(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    tale.lose_power(version="2.0", on_trial=True)
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed")
def tests_the_old_firmware(tale: Tale) -> None:
    at_work(tale)
    ends_its_test(tale)
    tale.lose_power(version="2.0", on_trial=True)
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed")
def commits_in_the_middle_of_its_test(tale: Tale) -> None:
    on_trial(tale)
    tale.begin(FW, "self-test")
    commits_what_is_on_trial(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed", "request.sent")
def reports_the_success_of_what_its_write_committed_and_nobody_tested(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.report(FW)


@story("tests-before-commit", "violated", "version.committed", "step.finished", "request.sent")
def reports_the_success_of_what_its_write_committed_and_did_not_pass(tale: Tale) -> None:
    writes_the_only_slot(tale)
    ends_its_test(tale, "failed")
    tale.report(FW)


@story("tests-before-commit", "not-exercised")
def owns_up_to_what_did_not_pass_and_cannot_be_taken_back(tale: Tale) -> None:
    writes_the_only_slot(tale)
    ends_its_test(tale, "failed")
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))


@story("tests-before-commit", "not-exercised")
def reports_untested_what_nobody_wants_to_know(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.remove(FW)
    tale.update(FW, "SUCCEEDED", code=RNF)


@story("tests-before-commit", "violated", "version.committed", "request.sent")
def forgets_that_it_wrote_it_and_finds_that_what_is_asked_for_runs_already(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.lose_power(version="2.0")
    tale.ask(FW)
    tale.device(ExecutionTaken(FW))
    tale.report(FW)


@story("tests-before-commit", "undecided")
def succeeds_at_another_document_of_the_same_second_with_an_image_that_nobody_tested(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(ExecutionLeft(FW, "kept"), PhaseChanged("idle", "recovering"))
    tale.queue(FW)
    tale.take(FW, digest="d2")
    tale.step(FW, "run")
    tale.report(FW, details=(("kept", "2.0"),))


@story("tests-before-commit", "violated", "version.committed", "request.sent")
def forgets_that_it_wrote_it_and_is_given_its_document_with_other_addresses(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.lose_power(version="2.0")
    tale.ask(FW)
    tale.device(ExecutionTaken(FW, "d2"))
    tale.report(FW)


@story("tests-before-commit", "held", opportunities=1)
def forgets_that_it_wrote_it_and_tests_what_runs_already(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.lose_power(version="2.0")
    tale.ask(FW)
    tale.device(ExecutionTaken(FW))
    ends_its_test(tale)
    tale.report(FW)


@story("tests-before-commit", "not-exercised")
def goes_back_to_the_old_firmware(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale, "failed")
    tale.undo(FW, "self-test")
    tale.lose_power(version="1.0")
    tale.report(FW, "FAILED", details=(("reason", "the self-test failed"),))
