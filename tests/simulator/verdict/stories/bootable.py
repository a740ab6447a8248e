"""Stories of `bootable`."""

from agent.device_events import JournalSpoiled, PhaseChanged, StepUndone
from tests.simulator.verdict.stories.scenes import at_work, silently_at_work
from tests.simulator.verdict.stories.telling import story
from tests.simulator.verdict.tale import FW, Tale


@story("bootable", "held", opportunities=5)
def clears_what_it_staged(tale: Tale) -> None:
    at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.hardware("1.0")
    tale.report(FW, "FAILED", details=(("reason", "no"),))
    tale.hardware("1.0")


@story("bootable", "held", opportunities=1)
def has_staged_something_in_mid_work_at_the_end(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.hardware("1.0", "spare 2.0")


@story("bootable", "violated", "hardware.changed")
def erases_the_only_image_for_an_instant(tale: Tale) -> None:
    tale.connect()
    tale.hardware("", is_bootable=False)
    tale.hardware("1.0")


@story("bootable", "violated", "hardware.changed", "phase.changed")
def rests_with_a_half_written_slot(tale: Tale) -> None:
    at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.report(FW, "FAILED", details=(("reason", "no"),))


@story("bootable", "held", opportunities=2)
def cannot_undo_what_it_staged_and_is_safe(tale: Tale) -> None:
    at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.device(StepUndone(FW, "write", ok=False), PhaseChanged("safe", "recovering"))


@story("bootable", "held", opportunities=2)
def cannot_finish_what_nobody_can_undo_and_is_safe(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write", reversible=False)
    tale.hardware("1.0", "main slot")
    tale.finish(FW, "write", "failed")
    tale.device(PhaseChanged("safe", "recovering"))


def _loses_its_journal_in_its_only_slot(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write", reversible=False)
    tale.hardware("1.0", "main slot")
    tale.lose_power(version="recovery")
    tale.device(JournalSpoiled("nothing"))
    tale.hardware("recovery", "main slot")


@story("bootable", "held", opportunities=3)
def waits_for_what_to_write_since_its_journal_is_lost(tale: Tale) -> None:
    _loses_its_journal_in_its_only_slot(tale)
    tale.device(PhaseChanged("idle", "recovering"))


@story("bootable", "violated", "hardware.changed", "phase.changed")
def writes_half_of_its_only_slot_once_more_and_rests(tale: Tale) -> None:
    _loses_its_journal_in_its_only_slot(tale)
    tale.begin(FW, "write", reversible=False)
    tale.hardware("recovery", "main slot")
    tale.finish(FW, "write", "failed")
    tale.device(PhaseChanged("idle", "executing"))


@story("bootable", "violated", "hardware.changed", "phase.changed")
def rests_with_more_half_done_than_its_only_slot(tale: Tale) -> None:
    _loses_its_journal_in_its_only_slot(tale)
    tale.hardware("recovery", "main slot", "new configuration")
    tale.device(PhaseChanged("idle", "recovering"))


@story("bootable", "violated", "step.undone")
def takes_back_what_it_has_not_stopped(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.undo(FW, "write")


@story("bootable", "not-exercised")
def takes_back_what_ended_with_its_power(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.lose_power(version="1.0")
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.undo(FW, "write")


@story("bootable", "violated", "hardware.changed", "phase.changed")
def says_that_it_is_safe_without_having_undone_anything(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.hardware("1.0", "spare 2.0")
    tale.finish(FW, "write", "stopped")
    tale.device(PhaseChanged("safe", "recovering"))


@story("bootable", "violated", "hardware.changed", "phase.changed")
def is_idle_with_what_it_could_not_undo(tale: Tale) -> None:
    at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.device(StepUndone(FW, "write", ok=False), PhaseChanged("idle", "recovering"))


@story("bootable", "violated", "phase.changed", "hardware.changed")
def stages_something_while_idle(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW, "FAILED", details=(("reason", "no"),))
    tale.hardware("1.0", "spare 2.0")


@story("bootable", "not-exercised")
def never_touches_its_hardware(tale: Tale) -> None:
    at_work(tale)


@story("bootable", "violated", "hardware.changed")
def never_says_that_it_rests_with_a_half_written_slot(tale: Tale) -> None:
    silently_at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.update(FW, "FAILED", details=(("reason", "no"),))
    tale.wait(6)
    tale.update(FW, "FAILED", status="FAILED", code="InvalidStateTransition")


@story("bootable", "undecided")
def may_still_be_tidying_up(tale: Tale) -> None:
    silently_at_work(tale)
    tale.hardware("1.0", "spare 2.0")
    tale.update(FW, "FAILED", details=(("reason", "no"),))
    tale.wait(4)


@story("bootable", "held", opportunities=2)
def loses_power_in_the_middle_of_a_step(tale: Tale) -> None:
    at_work(tale)
    tale.begin(FW, "write")
    tale.hardware("1.0", "spare 2.0")
    tale.lose_power()
    tale.hardware("1.0", "spare 2.0")
    tale.wait(20)
