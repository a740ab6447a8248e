"""The recovery table: complete, without a dead row, obeyed by the core in every combination."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Final, get_args

import pytest

from agent.core import DevicePolicy
from agent.core.events import Answered, BeginStep, Booted, Connected, StepEnded, StopStep, UndoStep, Verified, Verify
from agent.core.record import Activity, Finished, Record, Work
from agent.core.state import Executing, Idle, Phase, Recovering, Reporting, Safe, Suspect
from agent.device_events import End
from agent.documents import plan_of
from agent.plan import Plan
from agent.recovery import LOST, TABLE, PointOfNoReturn, Reached, Remedy, Rule, remedy_for
from agent.values import (
    Describe,
    ErrorCode,
    ExecutionState,
    ExecutionTold,
    JobDocument,
    Rejected,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)
from tests.agent.core.driver import NOW, UPDATE, Driver, execution, key

ENDINGS: Final = ("alive", "accepted", "deleted-after-report", "unknown", "orphan", "orphan-finished", *get_args(End))
POLICIES: Final[tuple[PointOfNoReturn, ...]] = get_args(PointOfNoReturn)
ALL: Final = tuple(product(ENDINGS, Reached, (False, True), POLICIES))


def fits(row: Rule, ended: str, reached: Reached, restarted: bool, policy: PointOfNoReturn) -> bool:
    return (
        ended in row.ended
        and (row.reached is None or reached in row.reached)
        and row.restarted in (None, restarted)
        and row.policy in (None, policy)
    )


def test_every_combination_has_a_row_and_the_first_that_fits_is_taken():
    for ended, reached, restarted, policy in ALL:
        first = next(row for row in TABLE if fits(row, ended, reached, restarted, policy))
        assert remedy_for(ended, reached, restarted=restarted, policy=policy) is first.remedy


def test_no_row_is_dead():
    first = {next(index for index, row in enumerate(TABLE) if fits(row, *combination)) for combination in ALL}
    assert first == set(range(len(TABLE)))


def test_every_way_to_lose_an_execution_has_its_rows():
    assert set(LOST) == set(get_args(End))


def test_every_remedy_is_used():
    assert {row.remedy for row in TABLE} == set(Remedy)


# ── the core obeys ────────────────────────────────────────────────────────────────────────────────────────────

RUN: Final = JobDocument.of({"operation": "run", "command": ["x"]})
BEGUN: Final[dict[Reached, tuple[int, int]]] = {
    Reached.NOTHING: (0, 0),
    Reached.STAGED: (1, 2),
    Reached.SWITCHED: (3, 4),
    Reached.TRIAL: (4, 5),
    Reached.LEAPT: (5, 6),
    Reached.RAN: (0, 1),
}
"""How many steps are done, and begun, of an update; of a program, for the last."""


def document(reached: Reached) -> JobDocument:
    return RUN if reached is Reached.RAN else UPDATE


def work(reached: Reached, version: int = 0) -> Work:
    plan = plan_of(document(reached))
    assert isinstance(plan, Plan)
    found = Work(key(), plan, document(reached).digest, version, *BEGUN[reached])
    assert found.reached is reached
    return found


class Device(Driver):
    """A device in the middle of something."""

    @classmethod
    def restarted(
        cls, policy: DevicePolicy, reached: Reached, doing: Activity = "working", status: Status | None = None
    ) -> "Device":
        """It reads from its record how far it was, and is connected."""
        record = Record(work(reached), doing, status=status, nonce="n" if status else "")
        on_trial = reached in (Reached.SWITCHED, Reached.TRIAL)
        device = cls(policy)
        # Switched and not rebooted is what the agent finds if only it restarted, and not the machine.
        rebooted = reached is not Reached.SWITCHED
        running = "2.0" if reached in (Reached.TRIAL, Reached.LEAPT) else "1.0"
        device(Booted(record, running, on_trial and rebooted, rebooted))
        device.connect()
        return device

    @classmethod
    def going_on(cls, policy: DevicePolicy, phase: Callable[[Work], Phase], reached: Reached) -> "Device":
        """It never lost its memory, and has just been connected again, so that it asks."""
        device = cls(policy)
        device.machine = replace(device.machine, phase=phase(work(reached, version=5)), running="1.0")
        device(Connected())
        return device

    def until_settled(self) -> None:
        """The service answers that all is well, for as long as it is asked."""
        for _ in range(10):
            if self.all(BeginStep) or self.all(UndoStep) or self.all(Verify) or self.machine.asked is None:
                return
            match self.request:
                case Update():
                    self.accept(9)
                case Describe():
                    self.tell(execution(key(), version=9, document=None))
                case _:
                    return

    def remedy(self) -> Remedy:
        """What it is doing now, seen from outside."""
        undone, begun, verifies = self.all(UndoStep), self.all(BeginStep), self.all(Verify)
        match self.phase:
            case Idle():
                assert (undone, begun, verifies) == ([], [], [])
                return Remedy.DROP
            case Recovering(forward=True) as phase:
                if phase.work.begun > phase.work.done and not verifies:
                    self(StepEnded(phase.work.done, "failed", "on purpose"))
                return Remedy.FINISH_OR_UNDO if self.all(UndoStep) else Remedy.FINISH
            case Recovering(end=None) if undone:
                return Remedy.UNDO
            case Recovering(end=None) as phase:
                self(Verified(True))
                assert isinstance(self.request, Update)
                assert self.request.status is Status.FAILED
                return Remedy.FAIL
            case Recovering():
                if undone:
                    return Remedy.UNDO
                assert verifies or self.all(StopStep)
                return Remedy.STOP
            case Reporting(status=Status.SUCCEEDED) if isinstance(self.request, Update):
                return Remedy.REPEAT_REPORT if self.machine.finished is not None else Remedy.REPORT_DONE
            case Suspect():
                return Remedy.HOLD
            case Executing(work=found):
                assert not undone
                assert [each.index for each in begun] in ([], [found.done])
                is_new = isinstance(self.requests[0], StartNext) and found.done == 0
                return Remedy.BEGIN_ANEW if is_new else Remedy.GO_ON
            case _:
                raise AssertionError(f"in {self.phase} nothing has been decided")


def _lost(device: Device, ended: str) -> None:
    """The answer to the question about the execution in hand."""
    assert isinstance(device.request, Describe)
    match ended:
        case "gone":
            device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
        case "replaced":
            device.tell(execution(key(queued_at=NOW + 9), Status.QUEUED, version=1, document=None))
        case _:
            status = {"cancelled": Status.CANCELED, "timed-out": Status.TIMED_OUT, "removed": Status.REMOVED}[ended]
            device.tell(execution(key(), status, version=9, document=None))


def _accepted(policy: DevicePolicy, reached: Reached, restarted: bool) -> Device:
    if restarted:
        device = Device.restarted(policy, reached, "reporting", Status.SUCCEEDED)
        device.refuse(ErrorCode.TERMINAL_STATE_REACHED)
        device.refuse(ErrorCode.INVALID_STATE_TRANSITION, Status.SUCCEEDED, nonce="n")
    else:
        device = Device.going_on(policy, lambda found: Reporting(found, Status.SUCCEEDED, "n"), reached)
        device.answer(UpdateAccepted(NOW, state=ExecutionState(Status.SUCCEEDED, 6)))
    return device


def _deleted_after_report(policy: DevicePolicy, reached: Reached, restarted: bool) -> Device:
    """It reported and left; then the record went, of which it hears by an empty list at the most."""
    device = _accepted(policy, reached, False)
    if restarted:
        finished = device.machine.finished
        device = Device(policy)
        device(Booted(Record(finished=finished), "2.0"))
        device.connect()
    device.tell(None)
    device.list()
    return device


def _orphan(policy: DevicePolicy, reached: Reached, restarted: bool, *, finished: bool) -> Device:
    """The service says that it works on this, and what this device had told of it; past the reboot the version runs."""
    last = Finished(key(), document(reached).digest, Status.SUCCEEDED, "n", 4) if finished else None
    device = Device(policy)
    running = "2.0" if reached in (Reached.LEAPT, Reached.TRIAL) else "1.0"
    device(Booted(Record(finished=last), running, reached is Reached.TRIAL, rebooted=restarted))
    device.connect()
    _, begun = BEGUN[reached]
    step = (("step", work(reached).plan.steps[begun - 1].name),) if begun else ()
    device.tell(execution(key(), version=5, details=(("nonce", "earlier-1"), *step), document=document(reached)))
    if reached is Reached.TRIAL and not finished:
        device.until_settled()
    return device


def _unanswered(device: Device) -> None:
    """The service is silent for as long as the device has patience."""
    for _ in range(5):
        device.fire("request")
        device.fire("retry")
    device.fire("leap")
    if device.all(StopStep):
        device(StepEnded(device.all(StopStep)[-1].index, "stopped"))


def played(ended: str, reached: Reached, restarted: bool, policy: DevicePolicy) -> Device:
    """A device to which this happened."""
    match ended:
        case "accepted":
            return _accepted(policy, reached, restarted)
        case "deleted-after-report":
            return _deleted_after_report(policy, reached, restarted)
        case "orphan" | "orphan-finished":
            return _orphan(policy, reached, restarted, finished=ended == "orphan-finished")
        case _:
            pass
    if restarted:
        device = Device.restarted(policy, reached)
    else:
        device = Device.going_on(policy, lambda found: Suspect(found, running=found.begun > found.done), reached)
    match ended:
        case "alive":
            device.until_settled()
        case "unknown":
            _unanswered(device)
        case _:
            _lost(device, ended)
            if not restarted and device.all(StopStep):
                device(StepEnded(device.all(StopStep)[-1].index, "stopped"))
    return device


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("restarted", [False, True], ids=["still running", "restarted"])
@pytest.mark.parametrize("reached", Reached)
@pytest.mark.parametrize("ended", ENDINGS)
def test_the_core_does_what_the_table_says(ended: str, reached: Reached, restarted: bool, policy: PointOfNoReturn):
    device = played(ended, reached, restarted, DevicePolicy(point_of_no_return=policy))
    assert device.remedy() is remedy_for(ended, reached, restarted=restarted, policy=policy)  # type: ignore[arg-type]


# ── the ends of a recovery ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reached", [Reached.STAGED, Reached.SWITCHED, Reached.TRIAL])
def test_an_undo_that_fails_ends_safe(reached: Reached):
    device = played("gone", reached, True, DevicePolicy())
    device.undone(ok=False)
    assert isinstance(device.phase, Safe)
    assert device.phase.reason.startswith("could not undo")


@pytest.mark.parametrize("reached", [Reached.STAGED, Reached.LEAPT, Reached.RAN])
def test_hardware_that_is_not_whole_in_the_end_is_safe(reached: Reached):
    device = played("gone", reached, True, DevicePolicy())
    while device.phase == Recovering and not device.all(Verify):
        device.undone()
    for _ in range(3):
        if device.all(UndoStep) and not device.all(Verify):
            device.undone()
    if reached is Reached.LEAPT:
        device.step_done()
    device(Verified(False))
    assert device.phase == Safe("the hardware is not whole")


def test_an_update_that_is_kept_although_its_job_is_gone_is_told_with_every_request_until_one_is_accepted():
    device = played("gone", Reached.LEAPT, True, DevicePolicy())
    device.step_done()
    device(Verified(True))
    assert isinstance(device.phase, Idle)
    for _ in range(2):
        assert isinstance(device.request, StartNext)
        assert dict(device.request.status_details or ())["kept"] == "2.0"
        device.reboot("2.0")
        device.connect()
    device.tell(execution(key("next"), version=2))
    device(StepEnded(0, "failed", "no"))
    device.undone()
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["kept"] == "2.0"
    device(Answered(UpdateAccepted(NOW, device.request.client_token)))
    assert device.machine.unaccounted is None


def test_what_could_not_be_told_because_that_job_went_too_is_told_with_the_one_after():
    device = played("gone", Reached.LEAPT, True, DevicePolicy())
    device.step_done()
    device(Verified(True))
    device.tell(execution(key("next"), version=2))
    device.list()
    device.answer(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND))
    device(StepEnded(0, "stopped"))
    device.undone()
    device(Verified(True))
    assert isinstance(device.request, StartNext)
    assert dict(device.request.status_details or ())["kept"] == "2.0"
    device.answer(ExecutionTold(NOW, None))
    assert device.machine.unaccounted == "2.0"
