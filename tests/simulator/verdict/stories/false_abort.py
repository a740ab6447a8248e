"""Stories of `no-false-abort`."""

from agent.device_events import (
    ExecutionGone,
    ExecutionLeft,
    JournalUnwritable,
    PhaseChanged,
    StepFinished,
    StepUndone,
)
from tests.simulator.verdict.stories.scenes import RNF, at_work, lost_in_write, recovers_from_write, silently_at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, FW_AGAIN, Tale


@story("no-false-abort", "held", opportunities=2)
def asks_before_it_gives_up(tale: Tale) -> None:
    recovers_from_write(tale)


@story("no-false-abort", "held", opportunities=1)
def goes_on_since_it_is_still_there(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.ask(FW)
    tale.step(FW, "write")


@story("no-false-abort", "held")
def undoes_what_failed_and_says_why(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("recovering", "executing", execution=FW), StepUndone(FW, "download"))
    tale.hint()
    tale.report(FW, "FAILED", details=(("reason", "disk full"),))


@story("no-false-abort", "held")
def hears_that_it_is_gone_before_it_can_say_why_it_failed(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(ExecutionGone(FW, "gone"))
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "hint.received", "execution.gone")
def believes_that_it_is_gone_before_it_hears_so(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(ExecutionGone(FW, "gone"), PhaseChanged("recovering", "executing", execution=FW))
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(ExecutionGone(FW, "gone"))
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def undoes_a_step_that_failed(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(StepFinished(FW, "write", "failed"))
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def undoes_what_the_bootloader_fell_back_from(tale: Tale) -> None:
    at_work(tale)
    tale.step(FW, "switch")
    tale.lose_power(version="2.0", on_trial=True)
    tale.lose_power()
    tale.device(PhaseChanged("recovering", "idle", execution=FW), StepUndone(FW, "switch"))
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.device(ExecutionLeft(FW, "recovered"), PhaseChanged("idle", "recovering"))


@story("no-false-abort", "held")
def undoes_what_never_came_up(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "reboot")
    tale.lose_power()
    tale.remove(FW)
    tale.undo(FW, "switch", "download")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def undoes_after_a_reboot_that_tried_nothing(tale: Tale) -> None:
    at_work(tale)
    tale.lose_power()
    tale.hint()
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def drops_what_another_hand_reported(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, code="InvalidStateTransition", status="FAILED")
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def is_told_by_a_version_mismatch_that_it_was_canceled(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, code="VersionMismatch", status="CANCELED")
    tale.undo(FW, "download")


def reports_success_and_hears_nothing(tale: Tale) -> None:
    at_work(tale)
    tale.arrive(tale.send("update", FW, status="SUCCEEDED", expected_version=2), found=FW)


@story("no-false-abort", "held")
def had_reported_success_when_the_record_went(tale: Tale) -> None:
    reports_success_and_hears_nothing(tale)
    tale.ask(FW, code=RNF)
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def had_reported_success_and_is_told_of_another_hand_s_failure(tale: Tale) -> None:
    reports_success_and_hears_nothing(tale)
    tale.update(FW, "SUCCEEDED", code="InvalidStateTransition", status="FAILED")
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def had_reported_nothing_when_it_was_told_of_a_terminal_state(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "phase.changed")
def takes_back_what_it_had_reported_done(tale: Tale) -> None:
    reports_success_and_hears_nothing(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "phase.changed")
def takes_its_own_success_for_another_hand_s(tale: Tale) -> None:
    reports_success_and_hears_nothing(tale)
    tale.update(FW, "SUCCEEDED", code="InvalidStateTransition", status="SUCCEEDED")
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def finds_it_queued_again(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, status="QUEUED")
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def sees_a_later_one_at_the_head(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    tale.ask(None, job_id="$next", found=FW_AGAIN, status="QUEUED")
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def gives_up_on_a_hint(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "step.undone")
def gives_up_for_no_reason(tale: Tale) -> None:
    at_work(tale)
    tale.device(StepUndone(FW, "download"), PhaseChanged("idle", "executing"))
    tale.report(FW, "FAILED")


@story("no-false-abort", "undecided")
def ends_before_it_can_say_why(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("recovering", "executing", execution=FW), StepUndone(FW, "download"))


@story("no-false-abort", "undecided")
def lets_go_of_one_of_two_that_look_alike(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.queue(FW)
    tale.ask(FW)
    tale.undo(FW, "download")


@story("no-false-abort", "not-exercised")
def never_doubts(tale: Tale) -> None:
    at_work(tale)


@story("no-false-abort", "held")
def goes_on_undoing_after_a_power_cut(tale: Tale) -> None:
    lost_in_write(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.lose_power()
    tale.device(StepUndone(FW, "write"), StepUndone(FW, "download"))


@story("no-false-abort", "violated", "hint.received", "step.finished")
def stops_on_a_hint_and_says_nothing(tale: Tale) -> None:
    silently_at_work(tale)
    tale.begin(FW, "write")
    tale.hint()
    tale.finish(FW, "write", "stopped")
    tale.wait(6)
    tale.hardware("1.0")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def recovers_for_ever_from_nothing(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.wait(6)
    tale.hardware("1.0")


@story("no-false-abort", "violated", "hint.received", "execution.gone")
def believes_a_hint_and_reports_that_it_failed(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(ExecutionGone(FW, "cancelled", ""), StepUndone(FW, "download"))
    tale.report(FW, "FAILED", details=(("reason", "user abort"),))


@story("no-false-abort", "held", opportunities=1)
def loses_its_memory_as_it_begins_to_give_up_and_goes_on(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.lose_power()
    tale.device(PhaseChanged("suspect", "idle", execution=FW))
    tale.ask(FW)
    tale.step(FW, "write")


@story("no-false-abort", "held", opportunities=2)
def loses_its_memory_as_it_begins_to_give_up_and_never_meets_it_again(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.lose_power()
    tale.remove(FW)
    tale.wait(6)
    tale.hardware("1.0")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def undoes_on_a_hint_with_a_journal_that_cannot_be_written(tale: Tale) -> None:
    at_work(tale)
    tale.device(JournalUnwritable("disk full"))
    tale.hint()
    tale.undo(FW, "download")


@story("no-false-abort", "held")
def undoes_after_a_restart_what_it_could_not_write_down(tale: Tale) -> None:
    at_work(tale)
    tale.device(JournalUnwritable("disk full"))
    tale.hint()
    tale.lose_power()
    tale.undo(FW, "download")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def forgets_as_it_begins_to_give_up_what_is_there_still(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.lose_power()
    tale.wait(6)
    tale.hardware("1.0")


@story("no-false-abort", "violated", "hint.received", "phase.changed")
def loses_its_memory_as_it_gives_up_and_gives_up_again(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.lose_power()
    tale.device(PhaseChanged("recovering", "idle", execution=FW))
    tale.undo(FW, "download")


@story("no-false-abort", "undecided")
def gives_up_loses_its_memory_and_goes_on(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW), StepUndone(FW, "download"))
    tale.lose_power()
    tale.device(PhaseChanged("suspect", "idle", execution=FW))
    tale.ask(FW)
    tale.step(FW, "write")


@story("no-false-abort", "held", opportunities=2)
def gives_up_loses_its_memory_and_asks_before_it_reports_why(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.lose_power()
    tale.device(PhaseChanged("recovering", "idle", execution=FW), StepUndone(FW, "download"))
    tale.device(PhaseChanged("reporting", "recovering", execution=FW))
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.device(ExecutionGone(FW, "gone", "c9"), ExecutionLeft(FW, "recovered"))
