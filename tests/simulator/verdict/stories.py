"""The stories that the verdict is held to: who does what, and what is to be said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pytest

from agent.account import (
    DeviceCrashed,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    PhaseChanged,
    StepFinished,
    StepUndone,
    VersionCommitted,
    VersionReverted,
)
from agent.values import ExecutionKey
from simulator.trace import ExecutionChanged
from tests.simulator.verdict.tale import FW, FW_AGAIN, NEXT, Tale

RNF = "ResourceNotFound"
CANCELED = {"code": "InvalidStateTransition", "status": "CANCELED"}


@dataclass(frozen=True)
class Story:
    """What `tell` tells is `outcome` for the invariant; a violation is shown by events of the types in `shown_by`."""

    invariant: str
    outcome: Literal["held", "violated", "undecided", "not-exercised"]
    tell: Callable[[Tale], None]
    shown_by: tuple[str, ...] = ()
    opportunities: int | None = None

    def told(self) -> Tale:
        tale = Tale()
        self.tell(tale)
        tale.end()
        return tale


STORIES: list[Story] = []


def story(
    invariant: str,
    outcome: Literal["held", "violated", "undecided", "not-exercised"],
    *shown_by: str,
    opportunities: int | None = None,
) -> Callable[[Callable[[Tale], None]], Callable[[Tale], None]]:
    def add(tell: Callable[[Tale], None]) -> Callable[[Tale], None]:
        STORIES.append(Story(invariant, outcome, tell, shown_by, opportunities))
        return tell

    return add


def with_outcome(*outcomes: str) -> list[object]:
    return [
        pytest.param(each, id=f"{each.invariant}: {each.tell.__name__.replace('_', ' ')}")
        for each in STORIES
        if each.outcome in outcomes
    ]


def at_work(tale: Tale) -> None:
    """Connected, and through the first step of its job."""
    tale.queue(FW)
    tale.connect()
    tale.take(FW)
    tale.step(FW, "download")


def silently_at_work(tale: Tale) -> None:
    """The same, by a device that tells nothing of itself but what its hardware and its network see."""
    tale.queue(FW)
    tale.connect()
    token = tale.send("start-next")
    tale.arrive(token, found=FW)
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.step(FW, "download")


def lost_in_write(tale: Tale) -> None:
    """The record is removed in the middle of the second step."""
    at_work(tale)
    tale.begin(FW, "write")
    tale.wait(0.05)
    tale.update(FW)
    tale.remove(FW)


def recovers_from_write(tale: Tale) -> None:
    lost_in_write(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")


def leapt(tale: Tale, version: str = "2.0") -> None:
    """Past the point of no return, not reported."""
    tale.hardware("1.0", "download")
    at_work(tale)
    tale.step(FW, "write")
    tale.leap(FW, version)


# ── bootable ──────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── no-ghost-work ─────────────────────────────────────────────────────────────────────────────────────────────


@story("no-ghost-work", "held", opportunities=1)
def stops_and_undoes(tale: Tale) -> None:
    recovers_from_write(tale)


@story("no-ghost-work", "held")
def works_on_before_it_is_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    token = tale.send("describe", FW)
    tale.arrive(token, code=RNF)
    tale.step(FW, "write")
    tale.answer(token, code=RNF)


@story("no-ghost-work", "held")
def finishes_forward_past_the_leap(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.step(FW, "clean-up")


@story("no-ghost-work", "held")
def finishes_a_leap_that_was_on_record_when_it_lost_its_memory(tale: Tale) -> None:
    at_work(tale)
    tale.step(FW, "write")
    tale.ask(FW, found=FW)
    tale.lose_power()
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.finish(FW, "commit")


@story("no-ghost-work", "held", opportunities=1)
def takes_one_of_the_same_second_anew(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.step(FW, "download")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_not_found(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_canceled(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, **CANCELED)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_terminal_state(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_told_of_a_later_one(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, found=FW_AGAIN)
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def takes_a_late_answer_for_a_sign_of_life(tale: Tale) -> None:
    at_work(tale)
    early = tale.send("describe", FW)
    tale.arrive(early, found=FW)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.answer(early, found=FW, status="IN_PROGRESS")
    tale.step(FW, "write")


@story("no-ghost-work", "not-exercised")
def is_never_told(tale: Tale) -> None:
    at_work(tale)


@story("no-ghost-work", "held", opportunities=1)
def goes_forward_once_switched_since_that_is_its_policy(tale: Tale) -> None:
    tale.finishes_after_switch()
    at_work(tale)
    tale.step(FW, "switch")
    tale.learn_gone(FW)
    tale.step(FW, "self-test")
    tale.begin(FW, "commit", reversible=False)


@story("no-ghost-work", "held", opportunities=2)
def lost_power_before_it_could_write_down_that_it_was_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.lose_power()
    tale.step(FW, "write")
    tale.ask(FW, code=RNF)


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def works_on_after_a_restart_though_told_long_before(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.wait(1.5)
    tale.hardware("1.0")
    tale.lose_power()
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def calls_its_work_a_recovery(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.step(FW, "write")


@story("no-ghost-work", "violated", "request.sent", "answer.received", "step.started")
def claims_an_answer_that_nobody_gave(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    token = tale.send("describe", FW)
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.step(FW, "write")


# ── no-ghost-update ───────────────────────────────────────────────────────────────────────────────────────────


@story("no-ghost-update", "held", opportunities=1)
def falls_silent_about_it(tale: Tale) -> None:
    recovers_from_write(tale)


@story("no-ghost-update", "held")
def had_an_update_in_flight(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    asked = tale.send("describe", FW)
    update = tale.send("update", FW, status="IN_PROGRESS", expected_version=2)
    for token in (asked, update):
        tale.arrive(token, code=RNF)
    for token in (asked, update):
        tale.answer(token, code=RNF)


@story("no-ghost-update", "held", opportunities=1)
def asks_by_update_which_terminal_state_it_was(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, **CANCELED)
    tale.undo(FW, "download")


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent")
def reports_progress_of_a_ghost(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.update(FW, code=RNF)


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent", "request.sent")
def reports_the_end_of_a_canceled_one(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, **CANCELED)
    tale.update(FW, "SUCCEEDED", **CANCELED)
    tale.update(FW, "FAILED", **CANCELED)


@story("no-ghost-update", "violated", "request.sent", "answer.received", "request.sent")
def tries_another_version_on_a_canceled_one(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, code="VersionMismatch", status="CANCELED")
    tale.update(FW, "SUCCEEDED", **CANCELED)


@story("no-ghost-update", "not-exercised")
def updates_what_lives(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)


@story("no-ghost-update", "held")
def asks_by_update_since_it_forgot_what_it_was_told(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.lose_power()
    tale.update(FW, code=RNF)


# ── stops-in-time ─────────────────────────────────────────────────────────────────────────────────────────────


@story("stops-in-time", "held", opportunities=1)
def stops_at_once(tale: Tale) -> None:
    recovers_from_write(tale)


@story("stops-in-time", "held")
def begins_a_step_within_the_bound(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(1.8)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "held")
def lets_a_long_step_end(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(20)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")


@story("stops-in-time", "held")
def works_on_off_line(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(4)
    tale.finish(FW, "write")
    tale.step(FW, "check")


@story("stops-in-time", "held")
def has_only_just_reconnected(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(4)
    tale.connect()
    tale.finish(FW, "write")
    tale.step(FW, "check")


@story("stops-in-time", "held", opportunities=1)
def works_on_one_of_the_same_second(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.wait(4)
    tale.step(FW, "download")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def begins_a_step_beyond_the_bound(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.1)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def believes_an_answer_that_is_out_of_date(tale: Tale) -> None:
    lost_in_write(tale)
    tale.hint()
    tale.ask(FW)
    tale.wait(2.1)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def begins_a_step_long_after_reconnecting(tale: Tale) -> None:
    lost_in_write(tale)
    tale.disconnect()
    tale.wait(1)
    tale.connect()
    tale.wait(2.5)
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "undecided")
def begins_a_step_when_the_clocks_leave_it_open(tale: Tale) -> None:
    lost_in_write(tale)
    tale.wait(2.005)  # messages take 0.01 s each way, so the clocks are known to no better than that
    tale.finish(FW, "write")
    tale.begin(FW, "check")


@story("stops-in-time", "not-exercised")
def loses_nothing(tale: Tale) -> None:
    at_work(tale)


@story("stops-in-time", "not-exercised")
def loses_what_it_had_reported(tale: Tale) -> None:
    at_work(tale)
    tale.report(FW)
    tale.remove(FW, "SUCCEEDED")


@story("stops-in-time", "violated", "execution.removed", "step.started")
def never_said_what_it_took(tale: Tale) -> None:
    silently_at_work(tale)
    tale.remove(FW)
    tale.wait(2.1)
    tale.begin(FW, "write")


@story("stops-in-time", "not-exercised")
def was_taken_by_another_client_of_the_thing(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.remove(FW)
    tale.wait(4)


# ── asks-before-leap ──────────────────────────────────────────────────────────────────────────────────────────


@story("asks-before-leap", "held", opportunities=1)
def asks_and_leaps(tale: Tale) -> None:
    at_work(tale)
    tale.hint(FW)
    tale.leap(FW, "1.0")


@story("asks-before-leap", "held")
def is_hinted_in_another_namespace(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.hint(namespace_id="lab")
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "held", opportunities=1)
def finishes_a_second_leap_of_a_ghost(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW))
    tale.begin(FW, "fuse", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def is_hinted_after_it_asked(tale: Tale) -> None:
    at_work(tale)
    token = tale.send("describe", FW)
    tale.hint(FW)
    tale.arrive(token, found=FW)
    tale.answer(token, found=FW, status="IN_PROGRESS")
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def leaps_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.disconnect()
    tale.connect()
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def takes_an_accepted_update_for_leave(tale: Tale) -> None:
    at_work(tale)
    tale.hint(FW)
    tale.update(FW)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "not-exercised")
def never_leaps(tale: Tale) -> None:
    at_work(tale)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def calls_its_second_leap_a_recovery(tale: Tale) -> None:
    at_work(tale)
    tale.leap(FW, "1.0")
    tale.hint(FW)
    tale.device(PhaseChanged("recovering", "executing", execution=FW))
    tale.begin(FW, "fuse", reversible=False)


@story("asks-before-leap", "held", opportunities=2)
def does_an_interrupted_leap_again_after_asking_again(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power()
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)


@story("asks-before-leap", "violated", "device.connected", "step.started")
def does_an_interrupted_leap_again_without_asking(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.lose_power()
    tale.begin(FW, "commit", reversible=False)


# ── no-cross-incarnation ──────────────────────────────────────────────────────────────────────────────────────


@story("no-cross-incarnation", "held", opportunities=1)
def keeps_two_incarnations_apart(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)
    tale.update(FW_AGAIN)


@story("no-cross-incarnation", "held")
def asks_after_one_and_is_told_of_the_other(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    tale.ask(FW, found=FW_AGAIN, status="QUEUED")


@story("no-cross-incarnation", "held")
def updates_the_second_of_the_same_second(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW)
    tale.take(FW)
    tale.update(FW)


def stale_update(tale: Tale, *, expected_version: int | None) -> None:
    at_work(tale)
    tale.update(FW)
    tale.remove(FW)
    tale.queue(FW_AGAIN)
    token = tale.send("update", FW, status="SUCCEEDED", expected_version=expected_version)
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "SUCCEEDED", 2, "device"))
    tale.answer(token)
    tale.device(ExecutionLeft(FW, "succeeded"), PhaseChanged("idle", "reporting"))


@story("no-cross-incarnation", "violated", "execution.queued", "request.sent", "request.received", "request.answered")
def reports_the_first_without_a_version_and_ends_the_second(tale: Tale) -> None:
    stale_update(tale, expected_version=None)


@story("no-cross-incarnation", "violated", "execution.queued", "request.sent", "request.received", "request.answered")
def claims_the_second_though_the_head_had_named_it(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    tale.ask(None, job_id="$next", found=FW_AGAIN, status="QUEUED")
    token = tale.send("update", FW, status="IN_PROGRESS", expected_version=1)
    tale.arrive(token, found=FW_AGAIN)
    tale.answer(token)


@story("no-cross-incarnation", "undecided")
def could_not_know_and_did_what_the_wire_offers(tale: Tale) -> None:
    stale_update(tale, expected_version=1)


@story("no-cross-incarnation", "undecided")
def updates_one_of_two_that_look_alike(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)
    tale.remove(FW)
    tale.queue(FW)
    tale.update(FW)


@story("no-cross-incarnation", "not-exercised")
def sees_one_incarnation_only(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)


@story("asks-before-leap", "held")
def leaps_unanswered_since_that_is_its_policy(tale: Tale) -> None:
    tale.leaps_unanswered(5)
    at_work(tale)
    tale.disconnect()
    tale.wait(5)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def leaps_unanswered_before_its_policy_allows_that(tale: Tale) -> None:
    tale.leaps_unanswered(5)
    at_work(tale)
    tale.hint()
    tale.wait(4)
    tale.begin(FW, "switch", reversible=False)


@story("asks-before-leap", "violated", "hint.received", "step.started")
def leaps_unanswered_although_its_policy_is_to_give_up(tale: Tale) -> None:
    at_work(tale)
    tale.hint()
    tale.wait(6)
    tale.begin(FW, "switch", reversible=False)


# ── no-false-abort ────────────────────────────────────────────────────────────────────────────────────────────


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


# ── no-lost-job ───────────────────────────────────────────────────────────────────────────────────────────────


@story("no-lost-job", "held", opportunities=1)
def takes_what_waits(tale: Tale) -> None:
    at_work(tale)


@story("no-lost-job", "held", opportunities=1)
def was_not_connected(tale: Tale) -> None:
    tale.queue(FW)
    tale.wait(20)
    tale.connect()
    tale.wait(4)
    tale.work_through(FW, "1.0")


@story("no-lost-job", "held")
def another_namespace_had_the_head(tale: Tale) -> None:
    at_work(tale)
    tale.queue(replace(NEXT, namespace_id="lab"))
    tale.wait(20)
    tale.step(FW, "write")
    tale.leap(FW, "1.0")
    tale.report(FW)
    tale.take(replace(NEXT, namespace_id="lab"))


@story("no-lost-job", "held")
def was_busy_recovering(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.wait(4.5)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("no-lost-job", "held")
def was_busy_recovering_from_a_cancellation(tale: Tale) -> None:
    at_work(tale)
    tale.cloud(ExecutionChanged(tale.thing, FW, "CANCELED", 5, "service"))
    tale.queue(NEXT)
    tale.wait(6)
    tale.update(FW, code="InvalidStateTransition", status="CANCELED")
    tale.undo(FW, "download")
    tale.take(NEXT)


@story("no-lost-job", "violated", "execution.queued")
def never_takes_it(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(6)


@story("no-lost-job", "violated", "execution.queued")
def takes_it_too_late(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(6)
    tale.take(FW)


@story("no-lost-job", "violated", "execution.changed", "phase.changed")
def forgets_what_it_took(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("idle", "executing"))
    tale.wait(6)


@story("no-lost-job", "undecided")
def the_end_comes_before_the_bound(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.wait(4)


@story("no-lost-job", "not-exercised")
def is_safe_and_takes_nothing(tale: Tale) -> None:
    tale.connect()
    tale.device(PhaseChanged("safe", "recovering"))
    tale.queue(FW)
    tale.wait(20)


@story("no-lost-job", "not-exercised")
def never_has_a_job(tale: Tale) -> None:
    tale.connect()


@story("no-lost-job", "violated", "execution.changed", "step.finished")
def forgets_what_it_took_and_never_says_that_it_idles(tale: Tale) -> None:
    silently_at_work(tale)
    for _ in range(2):
        tale.wait(6)
        tale.ask(None, request="get-pending")


@story("no-lost-job", "held", opportunities=1)
def does_nothing_more_be_it_dead_or_not(tale: Tale) -> None:
    silently_at_work(tale)
    tale.wait(12)


@story("no-lost-job", "violated", "execution.changed", "phase.changed")
def idles_until_it_is_stopped_at_the_end(tale: Tale) -> None:
    at_work(tale)
    tale.device(PhaseChanged("idle", "executing"))
    tale.wait(6)
    tale.disconnect("CLIENT_INITIATED_DISCONNECT", planned=True)


@story("no-lost-job", "held", opportunities=1)
def is_long_in_a_step(tale: Tale) -> None:
    silently_at_work(tale)
    tale.begin(FW, "write")
    tale.wait(20)


@story("no-lost-job", "held", opportunities=1)
def leaves_to_another_client_what_that_one_took(tale: Tale) -> None:
    tale.queue(FW)
    tale.connect()
    tale.device(PhaseChanged("idle", "starting"))
    tale.cloud(ExecutionChanged(tale.thing, FW, "IN_PROGRESS", 2, "device"))
    tale.wait(20)


@story("no-lost-job", "violated", "execution.queued")
def says_that_it_is_safe_without_a_sign_of_it(tale: Tale) -> None:
    tale.connect()
    tale.hardware("1.0")
    tale.device(PhaseChanged("safe", "idle"))
    tale.queue(FW)
    tale.wait(20)


LAB = ExecutionKey("lab", "fw-lab", 1, 100)


@story("no-lost-job", "violated", "execution.queued")
def lets_its_own_wait_on_a_thing_that_it_shares(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(FW)
    tale.wait(20)


@story("no-lost-job", "undecided")
def waits_while_anothers_job_is_at_the_head(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB, FW)
    tale.wait(8)
    tale.cloud(ExecutionChanged(tale.thing, LAB, "IN_PROGRESS", 2, "device"))
    tale.wait(8)
    tale.remove(LAB)
    tale.wait(1)


@story("no-lost-job", "violated", "execution.queued")
def waits_on_when_anothers_job_is_over(tale: Tale) -> None:
    waits_while_anothers_job_is_at_the_head(tale)
    tale.wait(8)


@story("no-lost-job", "not-exercised")
def has_nothing_to_do_with_anothers_job(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB)
    tale.wait(20)


@story("ready-in-time", "not-exercised")
def loses_nothing_when_anothers_job_is_removed(tale: Tale) -> None:
    tale.shares(tale.thing, None)
    tale.connect()
    tale.queue(LAB)
    tale.cloud(ExecutionChanged(tale.thing, LAB, "IN_PROGRESS", 2, "device"))
    tale.remove(LAB)
    tale.wait(20)


# ── no-double-apply ───────────────────────────────────────────────────────────────────────────────────────────


@story("no-double-apply", "held", opportunities=1)
def commits_once(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)


@story("no-double-apply", "held", opportunities=2)
def reverts_between(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionReverted(FW, "2.0"), VersionCommitted(FW, "2.0"))
    tale.report(FW)


@story("no-double-apply", "held", opportunities=2)
def commits_two_incarnations(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.queue(FW_AGAIN)
    tale.work_through(FW_AGAIN)


@story("no-double-apply", "violated", "version.committed", "version.committed")
def commits_twice(tale: Tale) -> None:
    leapt(tale)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.report(FW)


@story("no-double-apply", "undecided")
def commits_twice_what_may_have_been_two(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)
    tale.remove(FW, "SUCCEEDED")
    tale.queue(FW)
    tale.work_through(FW)


@story("no-double-apply", "not-exercised")
def commits_nothing(tale: Tale) -> None:
    at_work(tale)


@story("no-double-apply", "held", opportunities=2)
def does_an_interrupted_commit_again(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.lose_power()
    tale.hardware("2.0")
    tale.ask(FW)
    tale.begin(FW, "commit", reversible=False)
    tale.device(VersionCommitted(FW, "2.0"))
    tale.finish(FW, "commit")
    tale.report(FW)


@story("no-double-apply", "violated", "version.committed", "version.committed")
def calls_one_execution_two_by_their_documents(tale: Tale) -> None:
    leapt(tale)
    tale.device(ExecutionTaken(FW, "d2"), VersionCommitted(FW, "2.0"))
    tale.report(FW)


# ── accounted-for ─────────────────────────────────────────────────────────────────────────────────────────────


@story("accounted-for", "held", opportunities=1)
def reports_what_it_installed(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW)


@story("accounted-for", "held", opportunities=1)
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


def keeps_without_a_job(tale: Tale) -> None:
    """The update was installed; its execution is gone."""
    leapt(tale)
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.device(PhaseChanged("recovering", "suspect", execution=FW), ExecutionLeft(FW, "kept"))
    tale.device(PhaseChanged("idle", "recovering"))


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


@story("accounted-for", "held", opportunities=1)
def says_that_it_failed_and_what_it_keeps(tale: Tale) -> None:
    leapt(tale)
    tale.report(FW, "FAILED", details=(("kept", "2.0"), ("reason", "the self-test failed")))


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


# ── ready-in-time ─────────────────────────────────────────────────────────────────────────────────────────────


@story("ready-in-time", "held", opportunities=1)
def takes_the_next_in_time(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.wait(4)
    tale.take(NEXT)


@story("ready-in-time", "held")
def is_counted_from_when_the_next_is_there(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.wait(20)
    tale.queue(NEXT)
    tale.take(NEXT)


@story("ready-in-time", "held")
def is_counted_from_when_it_is_back(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.disconnect()
    tale.wait(20)
    tale.connect()
    tale.ask(FW, code=RNF)
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("ready-in-time", "held", opportunities=2)
def loses_two_in_a_row(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.take(NEXT)
    tale.remove(NEXT)
    tale.learn_gone(NEXT)
    tale.undo(NEXT)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)


@story("ready-in-time", "held", opportunities=1)
def goes_on_with_one_that_was_in_progress_all_along(tale: Tale) -> None:
    at_work(tale)
    tale.queue(NEXT)
    tale.cloud(ExecutionChanged(tale.thing, NEXT, "IN_PROGRESS", 2, "device"))
    tale.remove(FW)
    tale.learn_gone(FW)
    tale.undo(FW, "download")
    tale.update(NEXT)
    tale.queue(FW_AGAIN)
    tale.update(NEXT, "SUCCEEDED")
    tale.wait(6)
    tale.take(FW_AGAIN)


def slow(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(NEXT)
    tale.wait(5.5)


@story("ready-in-time", "violated", "execution.removed", "execution.queued", "execution.changed")
def takes_the_next_too_late(tale: Tale) -> None:
    slow(tale)
    tale.learn_gone(FW)
    tale.undo(FW, "write", "download")
    tale.take(NEXT)


@story("ready-in-time", "violated", "execution.removed", "execution.queued")
def never_takes_the_next(tale: Tale) -> None:
    slow(tale)


@story("ready-in-time", "violated", "execution.removed", "execution.changed")
def fails_the_next_without_having_begun(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.update(NEXT, "FAILED", details=(("reason", "busy with existing job"),))


@story("ready-in-time", "held", opportunities=1)
def rejects_a_document_that_it_cannot_read_and_takes_the_one_after(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT, FW_AGAIN)
    tale.update(NEXT, "REJECTED", details=(("reason", "no operation"),))
    tale.take(FW_AGAIN)


@story("ready-in-time", "not-exercised")
def fails_the_last_one_so_late_that_the_next_is_hit(tale: Tale) -> None:
    lost_in_write(tale)
    tale.queue(FW_AGAIN)
    token = tale.send("update", FW, status="FAILED", expected_version=1)
    tale.arrive(token, found=FW_AGAIN)
    tale.cloud(ExecutionChanged(tale.thing, FW_AGAIN, "FAILED", 2, "device"))


@story("ready-in-time", "undecided")
def is_cut_short(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(NEXT)
    tale.wait(4)


@story("ready-in-time", "not-exercised")
def has_no_next(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.wait(20)


@story("ready-in-time", "not-exercised")
def loses_only_what_was_not_begun(tale: Tale) -> None:
    tale.connect()
    tale.queue(FW)
    tale.remove(FW, "QUEUED")
    tale.queue(NEXT)
    tale.take(NEXT)


# ── no-hammering ──────────────────────────────────────────────────────────────────────────────────────────────


def retries(tale: Tale, *gaps: float, code: str | None = None) -> None:
    """Puts one question again and again, `gaps` seconds after each refusal, or after each attempt without answer."""
    at_work(tale)
    for attempt, gap in enumerate((*gaps, 0.0), 1):
        token = tale.send("update", FW, status="IN_PROGRESS", expected_version=2, attempt=attempt)
        if code is not None:
            tale.arrive(token, code=code)
            tale.answer(token, code=code)
        tale.wait(gap)


@story("no-hammering", "held", opportunities=4)
def waits_longer_each_time(tale: Tale) -> None:
    retries(tale, 1.3, 2.2, 4.0, 4.1)


@story("no-hammering", "held", opportunities=2)
def waits_after_each_refusal(tale: Tale) -> None:
    retries(tale, 1.0, 2.0, code="RequestThrottled")


@story("no-hammering", "held", opportunities=1)
def asks_after_another_incarnation(tale: Tale) -> None:
    recovers_from_write(tale)
    tale.queue(FW_AGAIN)
    tale.take(FW_AGAIN)
    tale.ask(FW_AGAIN)


@story("no-hammering", "held", opportunities=1)
def claims_one_of_the_same_second(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.update(FW, code=RNF)
    tale.undo(FW, "download")
    tale.queue(FW)
    tale.take(FW)
    tale.update(FW)


@story("no-hammering", "held", opportunities=1)
def reports_the_same_of_one_of_the_same_second_where_no_refusal_names_a_version(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    tale.update(FW, code="InvalidRequest", details=(("step", "download"),))
    tale.ask(FW, status="QUEUED")
    tale.undo(FW, "download")
    tale.take(FW)
    tale.update(FW, details=(("step", "download"),))


@story("no-hammering", "held", opportunities=2)
def claims_again_what_a_read_still_shows_where_no_refusal_names_a_version(tale: Tale) -> None:
    tale.connect()
    for _ in range(2):
        tale.ask(FW, status="QUEUED")
        tale.update(FW, code="InvalidRequest")


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def repeats_a_report_that_cannot_be_read_after_asking(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW)
    for _ in range(2):
        tale.update(FW, code="InvalidRequest", details=(("step", "write"),))
        tale.ask(FW)


@story("no-hammering", "held", opportunities=2)
def repeats_its_report_to_learn_which_terminal_state(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, "SUCCEEDED", code="VersionMismatch", status="SUCCEEDED")
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "held", opportunities=2)
def asks_again_since_something_is_queued_under_the_id(tale: Tale) -> None:
    at_work(tale)
    tale.ask(FW, code="TerminalStateReached")
    tale.update(FW, code="VersionMismatch", status="QUEUED")
    tale.ask(FW, found=FW_AGAIN, status="QUEUED")


@story("no-hammering", "held", opportunities=1)
def repeats_its_report_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW, "SUCCEEDED", code="VersionMismatch", status="IN_PROGRESS")
    tale.send("describe", FW)
    tale.disconnect()
    tale.connect()
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "not-exercised")
def asks_for_the_head_at_every_hint(tale: Tale) -> None:
    tale.connect()
    for _ in range(5):
        tale.hint()
        tale.send("describe", job_id="$next")


@story("no-hammering", "not-exercised")
def begins_anew_after_reconnecting(tale: Tale) -> None:
    at_work(tale)
    tale.send("update", FW, status="SUCCEEDED", expected_version=2)
    tale.disconnect()
    tale.connect()
    tale.update(FW, "SUCCEEDED")


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent", "request.sent")
def repeats_what_was_refused_for_good(tale: Tale) -> None:
    at_work(tale)
    for _ in range(3):
        tale.ask(FW, code=RNF)
        tale.wait(20)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def repeats_a_version_mismatch(tale: Tale) -> None:
    at_work(tale)
    for _ in range(2):
        tale.update(FW, code="VersionMismatch", status="IN_PROGRESS")


@story("no-hammering", "violated", "request.sent", "request.sent")
def retries_too_soon(tale: Tale) -> None:
    retries(tale, 0.5)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def retries_at_once_when_throttled(tale: Tale) -> None:
    retries(tale, 0.2, code="RequestThrottled")


@story("no-hammering", "violated", "request.sent", "request.sent")
def retries_too_evenly(tale: Tale) -> None:
    retries(tale, 1.5, 1.5)


@story("no-hammering", "violated", "request.sent", "answer.received", "request.sent")
def counts_each_attempt_as_the_first(tale: Tale) -> None:
    at_work(tale)
    for _ in range(2):
        tale.ask(FW, code="InternalError")


@story("no-hammering", "held", opportunities=2)
def asks_once_more_after_a_power_cut(tale: Tale) -> None:
    at_work(tale)
    tale.remove(FW)
    tale.ask(FW, code=RNF)
    tale.lose_power()
    tale.ask(FW, code=RNF)


# ── alive ─────────────────────────────────────────────────────────────────────────────────────────────────────


@story("alive", "held", opportunities=1)
def keeps_talking(tale: Tale) -> None:
    at_work(tale)
    for _ in range(4):
        tale.wait(20)
        tale.update(FW)


@story("alive", "held")
def has_nothing_to_say(tale: Tale) -> None:
    tale.connect()
    tale.wait(100)


@story("alive", "held")
def loses_power_as_planned(tale: Tale) -> None:
    tale.connect()
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT", planned=True)


@story("alive", "violated", "device.crashed")
def crashes(tale: Tale) -> None:
    tale.connect()
    tale.device(DeviceCrashed("KeyError: 'c7'"))


@story("alive", "violated", "client.disconnected")
def lets_its_keep_alive_lapse(tale: Tale) -> None:
    tale.connect()
    tale.disconnect("MQTT_KEEP_ALIVE_TIMEOUT")


@story("alive", "violated", "request.received")
def falls_silent_at_work(tale: Tale) -> None:
    at_work(tale)
    tale.update(FW)
    tale.wait(31)


@story("alive", "not-exercised")
def never_connects(tale: Tale) -> None:
    tale.queue(FW)


# ── everything together ───────────────────────────────────────────────────────────────────────────────────────


def main_job(tale: Tale) -> None:
    """The main job: lost in mid-write, recovered, and the next one under the same id brought to its end."""
    tale.hardware("1.0", "download 2.0")
    lost_in_write(tale)
    tale.learn_gone(FW)
    tale.finish(FW, "write", "stopped")
    tale.hardware("1.0")
    tale.undo(FW, "write", "download")
    tale.queue(FW_AGAIN)
    tale.device(ExecutionTaken(FW_AGAIN))
    tale.work_through(FW_AGAIN, "2.1")
