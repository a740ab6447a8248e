"""Stories of `accounted-for`."""

from agent.device_events import DeviceBooted, ExecutionLeft, ExecutionTaken, PhaseChanged, VersionReverted
from simulator.trace import ExecutionChanged
from tests.simulator.verdict.stories.scenes import (
    RNF,
    at_work,
    commits_what_is_on_trial,
    ends_its_test,
    falls_back,
    keeps_without_a_job,
    leapt,
    on_trial,
    writes_the_only_slot,
)
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, NEXT, Tale


@story("accounted-for", "held", opportunities=2)
def reports_what_it_installed(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)


@story("accounted-for", "held", opportunities=2)
def tries_another_version_and_falls_back_to_what_it_reported(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.hardware("2.1", "trial running")
    tale.hardware("2.0")


@story("accounted-for", "held")
def loses_the_answer_to_its_report(tale: Tale) -> None:
    leapt(tale)
    tale.device(PhaseChanged("reporting", "executing", execution=FW))
    tale.arrive(tale.send("update", FW, status="SUCCEEDED", expected_version=2), found=FW)


@story("accounted-for", "held")
def owns_up_with_the_next_job(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT, details=(("kept", "2.0"), ("step", "download")))


@story("accounted-for", "held")
def owns_up_as_it_starts_the_next_job(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    token = tale.send("start-next", details=(("kept", "2.0"),))
    tale.arrive(token, found=NEXT)
    tale.answer(token, found=NEXT, status="IN_PROGRESS")


@story("accounted-for", "held", opportunities=2)
def says_that_it_failed_and_what_it_keeps(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))


@story("accounted-for", "held", opportunities=2)
def keeps_what_could_not_be_taken_back_and_did_not_pass_its_test(tale: Tale) -> None:
    writes_the_only_slot(tale)
    ends_its_test(tale, "failed")
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))


@story("accounted-for", "held", opportunities=2)
def keeps_what_passed_its_test_and_failed_after_the_commit(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale)
    commits_what_is_on_trial(tale)
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the journal cannot be written")))


@story("accounted-for", "violated", "request.sent", opportunities=1)
def falls_back_and_says_that_it_succeeded(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale, "failed")
    falls_back(tale)
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def fails_to_write_and_says_that_it_succeeded(tale: Tale) -> None:
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.begin(FW, "write")
    tale.finish(FW, "write", "failed")
    tale.hardware("1.0")
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def takes_back_what_it_committed_and_says_that_it_succeeded(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionReverted(FW, "2.0"))
    tale.hardware("1.0")
    tale.report(FW)


@story("accounted-for", "not-exercised")
def falls_back_and_its_success_is_refused(tale: Tale) -> None:
    on_trial(tale)
    falls_back(tale)
    tale.update(FW, "SUCCEEDED", code=RNF)


@story("accounted-for", "not-exercised")
def falls_back_and_says_that_it_failed(tale: Tale) -> None:
    on_trial(tale)
    ends_its_test(tale, "failed")
    falls_back(tale)
    tale.report(FW, "FAILED")


@story("accounted-for", "held", opportunities=1)
def writes_again_what_runs_already(tale: Tale) -> None:
    on_trial(tale, version="1.0")
    ends_its_test(tale)
    commits_what_is_on_trial(tale, version="1.0")
    tale.report(FW)


@story("accounted-for", "not-exercised")
def succeeds_at_what_writes_no_image(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.step(FW, "swap")
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def names_in_its_success_what_has_never_run(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.report(FW, details=(("version", "2.0"),))


@story("accounted-for", "violated", "request.sent", opportunities=1)
def says_that_it_did_what_it_never_began(tale: Tale) -> None:
    tale.hardware("1.0")
    tale.queue(FW)
    tale.connect()
    tale.take(FW)
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def says_that_it_did_a_step_that_it_only_announced(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.report(FW)


@story("accounted-for", "not-exercised")
def says_that_it_did_what_it_began_before_it_forgot(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.begin(FW, "run", reversible=False)
    tale.lose_power(version="1.0")
    tale.ask(FW)
    tale.report(FW)


@story("accounted-for", "not-exercised")
def announces_once_more_what_it_has_begun_since_the_answer_to_that_was_lost(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    announced = (("progress", "0"), ("step", "run"))
    tale.arrive(tale.send("update", FW, status="IN_PROGRESS", details=announced), found=FW)
    tale.step(FW, "run")
    tale.update(FW, details=announced)
    tale.report(FW)


def announces_a_restart_that_befalls_it(tale: Tale, restarts: tuple[str, ...]) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.device(ExecutionTaken(FW, "d1", restarts))
    tale.update(FW, details=(("progress", "0"), ("step", "Reboot the pump")))
    tale.lose_power(version="1.0")
    tale.ask(FW)
    tale.report(FW)


@story("accounted-for", "not-exercised")
def says_that_it_has_restarted_which_befell_it_before_it_did(tale: Tale) -> None:
    announces_a_restart_that_befalls_it(tale, ("Reboot the pump",))


@story("accounted-for", "violated", "request.sent", opportunities=1)
def says_that_it_ran_a_program_that_does_more_than_restart_it(tale: Tale) -> None:
    announces_a_restart_that_befalls_it(tale, ())


@story("accounted-for", "not-exercised")
def tells_late_once_more_of_the_beginning_of_a_step(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.begin(FW, "run")
    tale.arrive(tale.send("update", FW, status="IN_PROGRESS", details=(("progress", "0"), ("step", "run"))), found=FW)
    tale.finish(FW, "run")
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def announces_anew_what_a_power_cut_interrupted_and_does_not_begin_it(tale: Tale) -> None:
    tale.hardware("1.0")
    at_work(tale)
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.begin(FW, "run", reversible=False)
    tale.lose_power(version="1.0")
    tale.ask(FW)
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.report(FW)


def has_taken_back_what_it_began(tale: Tale) -> None:
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.begin(FW, "write")
    tale.update(FW, details=(("progress", "0"), ("step", "run")))
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.hardware("1.0")
    tale.undo(FW, "write", "download")


@story("accounted-for", "undecided")
def succeeds_at_another_document_of_the_same_second_that_writes_no_image(tale: Tale) -> None:
    has_taken_back_what_it_began(tale)
    tale.queue(FW)
    tale.take(FW, digest="d2")
    tale.step(FW, "swap")
    tale.report(FW)


@story("accounted-for", "violated", "request.sent", opportunities=1)
def succeeds_at_the_same_document_of_the_same_second_and_writes_no_image(tale: Tale) -> None:
    has_taken_back_what_it_began(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.step(FW, "swap")
    tale.report(FW)


def forgets_that_it_began_to_write(tale: Tale) -> None:
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.begin(FW, "write")
    tale.lose_power()
    tale.hardware("1.0")
    tale.ask(FW)
    tale.device(ExecutionTaken(FW, "d1"))


@story("accounted-for", "held", opportunities=1)
def forgets_that_it_began_to_write_once_more_what_runs_and_finds_it(tale: Tale) -> None:
    forgets_that_it_began_to_write(tale)
    tale.report(FW, details=(("version", "1.0"),))


@story("accounted-for", "violated", "request.sent", opportunities=1)
def forgets_that_it_began_to_write_and_names_what_does_not_run(tale: Tale) -> None:
    forgets_that_it_began_to_write(tale)
    tale.report(FW, details=(("version", "2.0"),))


@story("accounted-for", "violated", "request.sent", opportunities=2)
def keeps_what_has_never_run(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT, details=(("kept", "2.0"), ("step", "download")))
    tale.report(NEXT, "FAILED", details=(("kept", "2.1"), ("reason", "no")))


@story("accounted-for", "violated", "request.sent")
def says_that_it_keeps_what_it_has_replaced(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT, details=(("kept", "2.0"),))
    tale.work_through(NEXT, "2.1")
    tale.ask(None, request="start-next", found=FW, details=(("kept", "2.0"),))


@story("accounted-for", "held")
def says_until_its_end_what_it_kept_as_the_next_began(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.step(NEXT, "download")
    tale.update(NEXT, details=(("kept", "2.0"), ("step", "download")))
    tale.leap(NEXT, "2.1")
    tale.report(NEXT, details=(("kept", "2.0"), ("version", "2.1")))


@story("accounted-for", "not-exercised")
def names_in_its_success_what_runs_already(tale: Tale) -> None:
    tale.hardware("2.0")
    at_work(tale)
    tale.report(FW, details=(("version", "2.0"),))


@story("accounted-for", "held", opportunities=4)
def repeats_its_success_once_another_version_runs(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW, details=(("version", "2.0"),))
    tale.queue(NEXT)
    tale.work_through(NEXT, "2.1")
    tale.report(FW, details=(("version", "2.0"),))


@story("accounted-for", "violated", "version.committed")
def says_that_it_failed_and_not_what_it_keeps(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW, "FAILED", details=(("reason", "the self-test failed"),))


@story("accounted-for", "undecided")
def keeps_what_was_cancelled_and_is_not_told_so_by_name(tale: Tale) -> None:
    leapt(tale)
    tale.cloud(ExecutionChanged(tale.thing, FW, "CANCELED", 9, "service"))
    tale.ask(FW, code="TerminalStateReached")
    tale.device(ExecutionLeft(FW, "kept"), PhaseChanged("idle", "recovering"))
    tale.wait(20)


@story("accounted-for", "violated", "version.committed")
def drifts_in_silence(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT)


@story("accounted-for", "violated", "version.committed")
def loses_its_report_and_drifts_in_silence(tale: Tale) -> None:
    leapt(tale)
    tale.send("update", FW, status="SUCCEEDED", expected_version=2)
    tale.remove(FW)
    tale.update(FW, "SUCCEEDED", code=RNF)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT)


@story("accounted-for", "violated", "version.committed")
def forgets_to_report(tale: Tale) -> None:
    leapt(tale)
    tale.device(ExecutionLeft(FW, "succeeded"), PhaseChanged("idle", "executing"))


@story("accounted-for", "violated", "hardware.changed")
def changes_its_version_out_of_the_blue(tale: Tale) -> None:
    tale.connect()
    tale.hardware("1.0")
    tale.hardware("6.6")


@story("accounted-for", "undecided")
def has_its_report_under_way(tale: Tale) -> None:
    leapt(tale)
    tale.send("update", FW, status="SUCCEEDED", expected_version=2)


@story("accounted-for", "undecided")
def has_had_no_job_to_tell_with(tale: Tale) -> None:
    keeps_without_a_job(tale)
    tale.ask(None, request="start-next", details=(("kept", "2.0"),))


def restarts_as_soon_as_it_has_learned(tale: Tale) -> None:
    leapt(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.lose_power(version="2.0")
    tale.device(ExecutionLeft(FW, "kept"), PhaseChanged("idle", "recovering"))


@story("accounted-for", "undecided")
def has_had_no_job_to_tell_with_since_it_restarted_as_soon_as_it_had_learned(tale: Tale) -> None:
    restarts_as_soon_as_it_has_learned(tale)
    tale.wait(20)


@story("accounted-for", "violated", "version.committed")
def restarts_as_soon_as_it_has_learned_and_drifts_in_silence(tale: Tale) -> None:
    restarts_as_soon_as_it_has_learned(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.update(NEXT)


def comes_up_in_its_recovery_image(tale: Tale, then: str) -> None:
    writes_the_only_slot(tale)
    tale.device(DeviceBooted("recovery", "watchdog"))
    tale.hardware("recovery")
    tale.update(FW, "FAILED", details=(("reason", "came back with recovery instead of 2.0"),))
    tale.device(PhaseChanged(then, "reporting"))


@story("accounted-for", "held", opportunities=1)
def is_safe_in_its_recovery_image_and_has_said_that_the_job_failed(tale: Tale) -> None:
    comes_up_in_its_recovery_image(tale, "safe")


def is_safe_in_its_recovery_image_and_finds_its_like(tale: Tale) -> None:
    writes_the_only_slot(tale)
    tale.remove(FW)
    tale.queue(FW)
    tale.device(DeviceBooted("recovery", "watchdog"))
    tale.hardware("recovery")
    tale.ask(FW, found=FW, status="QUEUED")
    tale.device(PhaseChanged("safe", "reporting"))


@story("accounted-for", "undecided")
def has_nobody_to_tell_of_its_recovery_image_since_its_like_is_queued(tale: Tale) -> None:
    is_safe_in_its_recovery_image_and_finds_its_like(tale)
    tale.wait(20)


@story("accounted-for", "violated", "hardware.changed")
def takes_its_like_and_is_safe_in_its_recovery_image_without_a_word(tale: Tale) -> None:
    is_safe_in_its_recovery_image_and_finds_its_like(tale)
    tale.take(FW)
    tale.device(PhaseChanged("safe", "executing"))
    tale.wait(20)


@story("accounted-for", "violated", "hardware.changed")
def idles_in_its_recovery_image(tale: Tale) -> None:
    comes_up_in_its_recovery_image(tale, "idle")


@story("accounted-for", "not-exercised")
def took_it_back(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionReverted(FW, "2.0"))
    tale.hardware("1.0")


@story("accounted-for", "not-exercised")
def runs_what_it_ran(tale: Tale) -> None:
    tale.connect()
    tale.hardware("1.0", "download")
    tale.hardware("1.0")


@story("accounted-for", "violated", "version.committed")
def says_for_ever_that_it_works_on_what_is_gone(tale: Tale) -> None:
    leapt(tale)
    tale.remove(FW)
    tale.wait(6)


@story("accounted-for", "undecided")
def cannot_know_yet_that_its_execution_is_gone(tale: Tale) -> None:
    leapt(tale)
    tale.remove(FW)
    tale.wait(4)


@story("accounted-for", "undecided")
def works_on_at_the_end(tale: Tale) -> None:
    leapt(tale)
    tale.wait(20)


@story("accounted-for", "violated", "version.committed")
def says_that_it_reported_but_never_did(tale: Tale) -> None:
    leapt(tale)
    tale.send("update", FW, status="SUCCEEDED", expected_version=2)
    tale.remove(FW)
    tale.wait(6)
    tale.hardware("2.0")
