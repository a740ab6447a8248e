"""What a device that is not ours is held to does not depend on a race inside it: by what the service did it could have
gone on, whether or not it is certain that it had read that. Who does go on is held to nothing without that certainty.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.values import ExecutionKey
from simulator.trace import (
    ClientConnected,
    Entry,
    ExecutionChanged,
    ExecutionRemoved,
    FaultStruck,
    JobDeletionBegan,
    RequestAnswered,
    RequestReceived,
    RunStarted,
)
from simulator.verdict import InvariantVerdict
from simulator.verdict.limits import Limits
from simulator.verdict.occasions import REFUSED, Occasions
from simulator.verdict.seen import Mark, Seen
from tests.simulator.verdict.tale import BOUNDS, FW, FW_AGAIN, NEXT, Tale, from_the_wire, judge

RNF = "ResourceNotFound"
TOLD = ("no-ghost-work", "no-ghost-update", "no-hammering")
"""What is forbidden to who was told."""
PATIENT = BOUNDS.model_copy(update={"retry_gap_seconds": 0, "retry_growth": 1})
"""As of every device that is certified."""
FOREIGN = Limits.of("lamp", RunStarted("tale", "live", ("lamp",), {}, (), are_foreign=True), PATIENT)


class Desk(Tale):
    """A device that is not ours, by the cloud's account alone."""

    def __init__(self) -> None:
        super().__init__(bounds=PATIENT)
        started = self.entries[0]
        assert isinstance(started.event, RunStarted)
        self.entries[0] = started._replace(event=replace(started.event, are_foreign=True))

    def takes(self, key: ExecutionKey = FW) -> None:
        """By start-next, with nothing reported yet, nor any receipt."""
        if key not in self._versions:
            self.queue(key)
        self.arrive(self.send("start-next"), found=key, status="IN_PROGRESS")
        self.cloud(ExecutionChanged(self.thing, key, "IN_PROGRESS", 2, "device"))

    def asks(self, what: str, key: ExecutionKey, *, code: str | None = RNF, is_read: bool = False, **more: Any) -> None:
        """A request; whether its answer is proven to be read before anything else comes."""
        token = self.send(what, key, **more)
        self.arrive(token, code=code, found=None if code else key)
        if is_read:
            self.deliver(token)

    def reports(self, status: str = "IN_PROGRESS", key: ExecutionKey = FW, **more: Any) -> None:
        self.asks("update", key, status=status, expected_version=2, **more)

    def goes_on_to(self, key: ExecutionKey = NEXT) -> None:
        self.wait(0.05)
        self.takes(key)
        self.wait(0.05)
        self.reports("SUCCEEDED", key, code=None)
        self.cloud(ExecutionChanged(self.thing, key, "SUCCEEDED", 3, "device"))


def told(tell: Callable[[Desk], None]) -> dict[str, InvariantVerdict]:
    desk = Desk()
    desk.cloud(ClientConnected(desk.thing))
    tell(desk)
    desk.end()
    return {each.id: each for each in judge(from_the_wire(desk.entries)).invariants}


def outcomes(tell: Callable[[Desk], None]) -> dict[str, str]:
    return {name: each.outcome for name, each in told(tell).items()}


# ── races ─────────────────────────────────────────────────────────────────────────────────────────────────────


def report_crosses_its_copy(desk: Desk, *, is_read: bool) -> None:
    """What was cut off is sent again, as the network is back, by its library and by itself."""
    desk.takes()
    desk.remove(FW)
    desk.queue(FW_AGAIN)
    for number in range(2):
        desk.reports(code="VersionMismatch", is_read=is_read or number == 1)
        desk.wait(0.003)
    desk.goes_on_to(FW_AGAIN)


def refused_report_crosses_its_next_question(desk: Desk, *, is_read: bool) -> None:
    desk.takes()
    desk.reports(code=None, is_read=True)
    desk.remove(FW)
    desk.reports("SUCCEEDED", is_read=is_read)
    desk.goes_on_to()


def repeats_its_success_whose_answer_was_lost(desk: Desk, *, is_read: bool) -> None:
    desk.takes()
    desk.reports("SUCCEEDED", code=None)
    desk.cloud(ExecutionChanged(desk.thing, FW, "SUCCEEDED", 3, "device"))
    desk.cloud(FaultStruck(desk.thing, "mark", "lose", "update-answer", "fw", "SUCCEEDED"))
    desk.wait(5)
    token = desk.send("update", FW, status="SUCCEEDED", expected_version=2)
    desk.arrive(token, code="InvalidStateTransition", status="SUCCEEDED")
    if is_read:
        desk.deliver(token)
    desk.goes_on_to()


def notification_crosses_its_report(desk: Desk, *, is_read: bool) -> None:
    """Whoever reports before it hears of the deletion is refused; who hears of it asks for work."""
    desk.takes()
    desk.reports(code=None, is_read=True)
    desk.remove(FW)
    if is_read:
        desk.reports(is_read=True)
    desk.goes_on_to()


def power_goes_as_its_success_is_accepted(desk: Desk, *, is_read: bool) -> None:
    """If it had not put that on record, it asks whether the job is still there."""
    desk.takes()
    desk.reports("SUCCEEDED", code=None, is_read=is_read)
    desk.cloud(ExecutionChanged(desk.thing, FW, "SUCCEEDED", 3, "device"))
    desk.cloud(ExecutionRemoved(desk.thing, FW, "SUCCEEDED"))
    if not is_read:
        desk.asks("describe", FW, is_read=True)
    desk.goes_on_to()


def power_goes_as_it_takes_the_job(desk: Desk, *, is_read: bool) -> None:
    desk.takes()
    if is_read:
        desk.asks("describe", FW, code=None, is_read=True)
    desk.remove(FW)
    desk.goes_on_to()


def id_is_used_again_before_its_first_report(desk: Desk, *, is_read: bool) -> None:
    """Whoever reports before it hears of the deletion has sent an update for the first."""
    desk.takes()
    desk.remove(FW)
    if is_read:
        desk.reports(is_read=True)
    desk.goes_on_to(FW_AGAIN)


def record_goes_after_it_has_gone_on(desk: Desk, *, is_read: bool) -> None:
    """While its job is DELETION_IN_PROGRESS; the play may end before the record goes."""
    desk.takes()
    desk.reports(code=None, is_read=True)
    desk.cloud(JobDeletionBegan("fw", forced=True))
    desk.goes_on_to()
    if is_read:
        desk.remove(FW)


def record_goes_as_it_reports_its_end(desk: Desk, *, is_read: bool) -> None:
    desk.takes()
    desk.reports(code=None, is_read=True)
    desk.cloud(JobDeletionBegan("fw", forced=True))
    if is_read:
        desk.reports("SUCCEEDED", code=None, is_read=True)
        desk.cloud(ExecutionChanged(desk.thing, FW, "SUCCEEDED", 3, "device"))
        desk.cloud(ExecutionRemoved(desk.thing, FW, "SUCCEEDED"))
    else:
        desk.remove(FW)
        desk.reports("SUCCEEDED")
    desk.goes_on_to()


RACES = {
    report_crosses_its_copy: ("no-ghost-update", "no-hammering", "no-cross-incarnation"),
    refused_report_crosses_its_next_question: TOLD,
    repeats_its_success_whose_answer_was_lost: ("no-hammering",),
    notification_crosses_its_report: TOLD,
    power_goes_as_its_success_is_accepted: TOLD,
    power_goes_as_it_takes_the_job: ("stops-in-time", *TOLD),
    record_goes_after_it_has_gone_on: ("stops-in-time", "ready-in-time", *TOLD),
    record_goes_as_it_reports_its_end: ("stops-in-time", "ready-in-time", *TOLD),
    id_is_used_again_before_its_first_report: ("no-cross-incarnation", *TOLD),
}


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__.replace("_", " "))
def test_a_race_inside_the_device_ends_alike_whoever_wins(race: Callable[..., None]):
    won, lost = (outcomes(lambda desk, is_read=is_read: race(desk, is_read=is_read)) for is_read in (True, False))
    assert won == lost
    assert {won[name] for name in RACES[race]} == {"held"}


# ── who goes on ───────────────────────────────────────────────────────────────────────────────────────────────


def goes_on(desk: Desk, *, is_read: bool, times: int = 5) -> None:
    desk.takes()
    desk.reports(code=None, is_read=True)
    desk.remove(FW)
    for _ in range(times):
        desk.reports(is_read=is_read)
        desk.wait(0.3)
    desk.goes_on_to()


def test_who_goes_on_is_accused_only_if_it_is_proven_that_he_had_read_the_refusal():
    proven, unproven = (told(lambda desk, is_read=is_read: goes_on(desk, is_read=is_read)) for is_read in (True, False))
    for name in ("no-ghost-update", "no-hammering"):
        assert (proven[name].outcome, unproven[name].outcome) == ("violated", "not-exercised")


def test_who_goes_on_once_may_have_sent_that_before_he_read_the_refusal():
    assert {outcomes(lambda desk: goes_on(desk, is_read=False, times=2))[name] for name in TOLD} == {"held"}


def test_what_was_refused_before_another_of_that_name_came_is_another_matter():
    def tell(desk: Desk) -> None:
        for key in (FW, FW_AGAIN, replace(FW, queued_at=300)):
            desk.takes(key)
            desk.reports(key=key, code=None)
            desk.remove(key)
            desk.reports(key=key)
            desk.wait(0.6)

    assert {outcomes(tell)[name] for name in TOLD} == {"held"}


def test_what_passes_is_no_refusal():
    def tell(desk: Desk) -> None:
        desk.takes()
        for _ in range(5):
            desk.reports(code="RequestThrottled")
            desk.wait(0.3)

    assert {outcomes(tell)[name] for name in TOLD} == {"not-exercised"}


def test_a_device_of_ours_tells_what_it_was_told():
    desk = Desk()
    started: Entry = desk.entries[0]
    assert isinstance(started.event, RunStarted)
    desk.entries[0] = started._replace(event=replace(started.event, are_foreign=False))
    desk.cloud(ClientConnected(desk.thing))
    notification_crosses_its_report(desk, is_read=False)
    desk.end()
    found = {each.id: each.outcome for each in judge(from_the_wire(desk.entries)).invariants}
    assert {found[name] for name in TOLD} == {"not-exercised"}


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_remembered_of_refusals_is_bounded():
    occasions = Occasions()
    for number in range(4 * REFUSED):
        asked = RequestReceived("lamp", "update", f"c{number}", None, f"job-{number}", "SUCCEEDED", {"step": "write"})
        occasions.after(Seen(Mark("cloud", 2 * number, number), asked), FOREIGN)
        occasions.after(
            Seen(Mark("cloud", 2 * number + 1, number), RequestAnswered("lamp", "update", False, code=RNF)), FOREIGN
        )
    assert len(occasions.again) == REFUSED
    assert (occasions.twin(), hash(occasions.twin())) == (occasions, hash(occasions))
