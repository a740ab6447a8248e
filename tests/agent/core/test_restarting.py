"""What a device makes of its record when it starts: what had only been announced, and what the hardware shows of it."""

from dataclasses import replace

import pytest

from agent.abilities import Abilities, Layout
from agent.causes import Cause
from agent.core.events import BeginStep, Booted, Publish, Remember, Tell, UndoStep, Verified, Verify
from agent.core.record import Finished, Record, Work
from agent.core.state import Executing, Idle, Recovering, Reporting, Safe, Suspect
from agent.device_events import AnswerReceived, End, ExecutionGone, RequestSent
from agent.documents import plan_of
from agent.plan import Plan
from agent.values import ErrorCode, Execution, JobDocument, Rejected, StartNext, Status, Update
from tests.agent.core.driver import NOW, UPDATE, Driver, execution, key


def work(step: str, layout: Layout = "ab", *, begun: bool = True, done: bool = False) -> Work:
    """An update on record, with `step` begun or done."""
    plan = plan_of(UPDATE, Abilities(layout))
    assert isinstance(plan, Plan)
    index = plan.index_of(step)
    return Work(key(), plan, UPDATE.digest, 0, index + done, index + (begun or done))


def booted(record: Record, running: str = "1.0", **found: bool) -> Driver:
    """A device that starts with this record, finds this running, and is connected."""
    device = Driver()
    device(Booted(record, running, **found))
    device.connect()
    return device


# ── what was on record, and no more ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("step", "layout", "booting", "begun"),
    [
        pytest.param("commit", "ab", {"running": "2.0", "on_trial": True}, False, id="on trial: not committed yet"),
        pytest.param("commit", "ab", {"running": "2.0"}, True, id="new version, not on trial: committed"),
        pytest.param("write", "single", {"running": "1.0"}, False, id="the old version runs: nothing overwritten yet"),
        pytest.param("write", "single", {"running": "recovery", "in_recovery": True}, True, id="nothing else boots"),
        pytest.param("write", "single", {"running": "2.0"}, True, id="the new version runs: all written"),
        pytest.param("switch", "ab", {"running": "1.0"}, False, id="the old version runs: not switched yet"),
        pytest.param("write", "ab", {"running": "1.0"}, True, id="the spare slot may be half written: nobody knows"),
    ],
)
def test_a_step_on_record_counts_as_begun_unless_the_hardware_shows_that_it_is_not(
    step: str, layout: Layout, booting: dict[str, object], begun: bool
):
    device = Driver()
    device(Booted(Record(work(step, layout)), **booting))  # type: ignore[arg-type]  # the rows name the fields
    assert isinstance(device.phase, Suspect)
    assert (device.phase.work.begun > device.phase.work.plan.index_of(step)) is begun


OLD, NEW, SAME = {"running": "1.0"}, {"running": "2.0"}, "2.0"
AGENT_ONLY = NEW | {"on_trial": True, "rebooted": False}


@pytest.mark.parametrize(
    ("recorded", "layout", "before", "booting", "next_step"),
    [
        pytest.param("download", "ab", "1.0", OLD | {"unproven": True}, "write", id="an image lies there: written"),
        pytest.param("download", "ab", "1.0", OLD, "download", id="there is none: nobody knows of more"),
        pytest.param("self-test", "ab", "1.0", NEW, "commit", id="on trial no more: committed"),
        pytest.param("switch", "ab", "1.0", NEW, "commit", id="several records older: committed all the same"),
        pytest.param("self-test", "ab", "1.0", NEW | {"on_trial": True}, "self-test", id="on trial: to be tested"),
        pytest.param("self-test", "ab", "1.0", AGENT_ONLY, "self-test", id="on trial, and only the agent restarted"),
        pytest.param("self-test", "ab", SAME, NEW, "self-test", id="the same ran before: nothing is for certain"),
        pytest.param("self-test", "ab", "", NEW, "self-test", id="nobody knows what ran before"),
        pytest.param("download", "single", "1.0", NEW, "write", id="the only slot has it: written"),
        pytest.param("download", "single", SAME, NEW, "download", id="the only slot had it before"),
    ],
)
def test_what_the_hardware_shows_counts_where_the_record_is_an_older_one(
    recorded: str, layout: Layout, before: str, booting: dict[str, object], next_step: str
):
    device = Driver()
    taken = replace(work(recorded, layout), before=before)
    device(Booted(Record(taken), **booting))  # type: ignore[arg-type]  # the rows name the fields
    assert isinstance(device.phase, Suspect)
    found = device.phase.work
    assert found.plan.steps[found.done].name == next_step
    assert found.begun == found.done + 1, "its effects may be there, and are to be taken back"


def test_an_image_is_taken_back_of_whose_write_the_record_knows_nothing():
    device = booted(Record(work("download", done=True)), "1.0", unproven=True)
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    device.undone()
    assert [undo.step.name for undo in device.all(UndoStep)] == ["write", "download"]


@pytest.mark.parametrize(
    ("rebooted", "then"),
    [
        pytest.param(True, "self-test", id="the machine came down after the test: it tests again"),
        pytest.param(False, "commit", id="only the agent did: what it tested still runs"),
    ],
)
@pytest.mark.parametrize("begun", ["self-test", "commit"])
def test_firmware_on_trial_is_tested_on_every_boot(begun: str, rebooted: bool, then: str):
    device = Driver()
    record = Record(work(begun, done=begun == "self-test"))
    device(Booted(record, "2.0", on_trial=True, rebooted=rebooted))
    assert isinstance(device.phase, Suspect)
    step = device.phase.work.next_step
    assert step is not None
    assert step.name == then


@pytest.mark.parametrize("step", ["reboot", "self-test", "commit"])
def test_firmware_that_fell_back_to_the_very_version_it_was_to_be_has_failed(step: str):
    device = booted(Record(work(step)), "2.0", unproven=True)
    while isinstance(device.phase, Recovering) and device.phase.stage == "restore":
        device.undone()
    device(Verified(True))
    assert {"switch", "write", "download"} <= {undo.step.name for undo in device.all(UndoStep)}
    device.tell(execution(key(), version=8))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert dict(device.request.status_details or ())["cause"] == Cause.ROLLED_BACK


def test_a_leap_that_was_only_announced_is_not_made_without_its_job():
    device = booted(Record(work("commit")), "2.0", on_trial=True)
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]
    assert not device.all(BeginStep)


def test_a_leap_that_was_to_be_finished_is_taken_back_if_it_never_began():
    device = booted(Record(work("commit"), "finishing", "gone"), "2.0", on_trial=True)
    assert isinstance(device.phase, Recovering)
    assert not device.all(BeginStep)
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_a_leap_that_had_begun_is_finished():
    device = booted(Record(work("write", "single"), "finishing", "gone"), "recovery", in_recovery=True)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["write"]


def test_the_reboot_into_firmware_in_the_only_slot_is_finished_if_only_the_agent_restarted():
    device = booted(Record(work("reboot", "single"), "finishing", "gone"), rebooted=False)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["reboot"]


def test_a_reboot_job_that_is_gone_is_not_begun_once_more_if_only_the_agent_restarted():
    document = JobDocument.of({"operation": "reboot"})
    plan = plan_of(document, Abilities())
    assert isinstance(plan, Plan)
    device = booted(Record(Work(key(), plan, document.digest, 0, 0, 1)), rebooted=False)
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert isinstance(device.phase, Recovering)
    device(Verified(True))
    assert isinstance(device.phase, Idle)
    assert not device.all(BeginStep)


@pytest.mark.parametrize("end", ["gone", None])
def test_a_reboot_that_only_the_recovery_image_came_back_from_is_not_tried_for_ever(end: End | None):
    record = Record(work("reboot", "single"), "finishing", end, reason="" if end else "no answer")
    device = booted(record, "recovery", in_recovery=True)
    assert not device.all(BeginStep)
    device(Verified(False))
    if end is None:
        device.tell(execution(key(), version=8))
        assert isinstance(device.request, Update)
        assert device.request.status is Status.FAILED
        device.accept(9)
    assert isinstance(device.phase, Safe)


# ── what is told, and what is on record ───────────────────────────────────────────────────────────────────────


def test_what_was_heard_and_decided_is_told_then_put_on_record_and_only_then_acted_upon():
    device = Driver.working()
    device.step_done()
    device.list()
    effects = device.answer(Rejected(NOW, ErrorCode.RESOURCE_NOT_FOUND))
    order = [type(effect.event if isinstance(effect, Tell) else effect) for effect in effects]
    assert order.index(AnswerReceived) < order.index(ExecutionGone) < order.index(Remember) < order.index(UndoStep)


def test_a_request_is_told_of_only_after_the_record():
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=7, document=None))
    effects = device.step_done()
    order = [type(effect.event if isinstance(effect, Tell) else effect) for effect in effects]
    assert order.index(Remember) < order.index(RequestSent) < order.index(Publish)


# ── the terminal report, and who is meant by it ───────────────────────────────────────────────────────────────


def reporting() -> Driver:
    """Restarted before the answer to its report came; asking about the execution."""
    done = work("commit", begun=False, done=True)
    return booted(Record(done, "reporting", status=Status.SUCCEEDED, nonce="n"), "2.0")


def test_a_report_on_record_is_repeated_for_the_execution_that_it_was_about():
    device = reporting()
    device.tell(execution(key(), version=9))
    assert isinstance(device.phase, Reporting)
    assert device.request == replace(device.request, status=Status.SUCCEEDED, expected_version=9)


def test_a_report_is_not_made_for_another_document_of_the_same_second():
    device = reporting()
    device.tell(execution(key(), version=9, document=JobDocument.of({"operation": "update", "version": "2.1"})))
    assert not [request for request in device.requests if isinstance(request, Update)]
    device(Verified(True))
    assert isinstance(device.phase, Idle)
    assert device.machine.unaccounted == "2.0"


def test_a_report_is_not_made_for_an_execution_that_is_queued_again():
    device = reporting()
    for _ in range(device.policy.confirmations):
        assert isinstance(device.phase, Reporting)
        device.tell(execution(key(), Status.QUEUED, version=1))
        device.fire("retry")
    assert isinstance(device.phase, Recovering)
    assert not [request for request in device.requests if isinstance(request, Update)]


def test_a_report_is_made_after_a_read_that_lagged_behind():
    device = reporting()
    device.tell(execution(key(), Status.QUEUED, version=1))
    device.fire("retry")
    device.tell(execution(key(), version=9))
    assert device.request == replace(device.request, status=Status.SUCCEEDED, expected_version=9)


# ── orphans: the service says IN_PROGRESS, and the journal knows nothing, or better ───────────────────────────

OURS = (("nonce", "earlier-9"),)
"""What the updates of an earlier life leave in statusDetails."""


def orphan(finished: Finished | None, running: str = "1.0", version: int = 5) -> Driver:
    """A device without work that is told of an execution on which it works already."""
    device = booted(Record(finished=finished), running)
    device.tell(execution(key(), version=version, details=OURS))
    return device


def finished(status: Status | None, digest: str = UPDATE.digest, version: int = 4) -> Finished:
    return Finished(key(), digest, status, "n1", version, "why")


def test_an_orphan_that_the_journal_does_not_know_is_begun_anew():
    device = orphan(None)
    assert isinstance(device.phase, Executing)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


def test_an_orphan_whose_version_runs_already_is_reported_as_done():
    device = orphan(None, running="2.0")
    assert device.request == replace(device.request, status=Status.SUCCEEDED, expected_version=5)
    assert not device.all(BeginStep)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.REJECTED])
def test_an_orphan_that_the_journal_calls_finished_has_its_report_repeated(status: Status):
    device = orphan(finished(status))
    assert device.request == replace(device.request, status=status, expected_version=5)
    assert dict(device.request.status_details or ())["nonce"] == "n1"  # type: ignore[union-attr]  # it is an update
    assert not device.all(BeginStep)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(finished(Status.SUCCEEDED, digest="another"), id="another document"),
        pytest.param(finished(Status.SUCCEEDED, version=9), id="a version below the one at our report"),
        pytest.param(replace(finished(Status.SUCCEEDED), key=key(queued_at=NOW - 9)), id="queued at another time"),
        pytest.param(replace(finished(Status.SUCCEEDED), key=key(number=2)), id="another number"),
        pytest.param(finished(None), id="one that ended without a report"),
    ],
)
def test_an_orphan_that_only_looks_like_the_finished_one_is_another_execution(last: Finished):
    device = orphan(last)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


@pytest.mark.parametrize("on_trial", [False, True])
def test_one_that_went_and_is_there_again_is_reported_as_done_if_what_it_asks_for_was_kept(on_trial: bool):
    device = booted(Record(finished=finished(None), unaccounted="2.0"), "2.0", on_trial=on_trial)
    device.tell(execution(key(), version=5))
    assert not device.all(BeginStep)
    assert isinstance(device.request, Update)
    assert device.request.status is Status.SUCCEEDED


def test_firmware_that_is_on_trial_already_is_left_if_its_job_goes_before_it_is_tested():
    device = booted(Record(), "2.0", on_trial=True)
    device.tell(execution(key(), version=5, details=(("step", "reboot"),)))
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    assert not device.all(BeginStep)
    assert [undone.step.name for undone in device.all(UndoStep)] == ["reboot"]


def test_one_that_start_next_claims_just_now_is_no_orphan():
    device = booted(Record(finished=finished(Status.SUCCEEDED)))
    device.tell(execution(key(), version=2))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


# ── after a restart, a job id that is used again is another execution ─────────────────────────────────────────


def restarted_in_write() -> Driver:
    """Its record says that it was writing; it asks about that execution."""
    return booted(Record(work("write")))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(execution(key(queued_at=NOW + 9), Status.QUEUED, 1), id="queued at another time"),
        pytest.param(execution(key(number=2), Status.IN_PROGRESS, 5), id="another execution number"),
        pytest.param(
            execution(key(), Status.IN_PROGRESS, 5, JobDocument.of({"operation": "reboot"})),
            id="the same second, and another document",
        ),
    ],
)
def test_after_a_restart_another_incarnation_is_told_apart(told: Execution):
    device = restarted_in_write()
    device.tell(told)
    assert [gone.end for gone in device.told(ExecutionGone)] == ["replaced"]
    assert [undo.step.name for undo in device.all(UndoStep)] == ["write"]


def test_after_a_restart_one_of_the_same_second_with_the_same_document_is_told_apart_by_being_queued():
    device = restarted_in_write()
    for _ in range(device.policy.confirmations):
        assert isinstance(device.phase, Suspect)
        device.tell(execution(key(), Status.QUEUED, 1))
        device.fire("retry")
    assert [gone.end for gone in device.told(ExecutionGone)] == ["replaced"]


def test_after_a_restart_the_same_execution_goes_on_whatever_its_urls_are_signed_with_now():
    device = restarted_in_write()
    device.tell(execution(key(), version=5))
    device.accept(6)
    assert [begun.step.name for begun in device.all(BeginStep)] == ["write"]


# ── past the point of no return nothing is taken back, whatever the record says ────────────────────────────────

FOUND = {
    "the old version runs": {"running": "1.0"},
    "the new one is on trial": {"running": "2.0", "on_trial": True},
    "the new one runs": {"running": "2.0"},
    "the recovery image runs": {"running": "recovery", "in_recovery": True},
}
RECORDS = {
    "working": Record(),
    "restoring, because it failed": Record(doing="restoring", reason="self-test: no"),
    "restoring, because it is gone": Record(doing="restoring", end="gone"),
    "finishing, because it is gone": Record(doing="finishing", end="gone"),
    "finishing, and has failed": Record(doing="finishing", reason="asking was refused"),
}


def settle(device: Driver) -> None:
    """The job is gone, and the hardware does whatever it is asked, until there is nothing left to do."""
    for _ in range(20):
        match device.phase:
            case Recovering(stage="restore"):
                device.undone()
            case Recovering(stage="verify"):
                device(Verified(True))
            case Recovering():
                device.step_done()
            case Suspect():
                device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
            case _:
                return


LEAPT: dict[Layout, tuple[str, ...]] = {
    "ab": ("the new one runs",),
    "swap": ("the new one runs",),
    "single": ("the new one runs", "the recovery image runs"),
}
"""What shows that the leap was made; anything else may have ended before it, record or not."""


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("layout", LEAPT)
def test_what_runs_because_of_the_leap_is_never_taken_back(layout: Layout, found: str, record: Record):
    plan = work("download", layout).plan
    leap = next(index for index, step in enumerate(plan.steps) if not step.reversible)
    for index in range(leap, len(plan.steps)):
        for done in (index, index + 1):
            device = Driver()
            past = Work(key(), plan, UPDATE.digest, 0, done, index + 1)
            device(Booted(replace(record, work=past), **FOUND[found]))  # type: ignore[arg-type]  # the rows name them
            device.connect()
            settle(device)
            undone = [undo.step for undo in device.all(UndoStep)]
            assert all(each.reversible for each in undone)
            assert not (undone and found in LEAPT[layout])


def test_a_self_test_that_failed_in_the_only_slot_is_reported_after_a_power_cut_and_the_firmware_kept():
    failed = Record(work("self-test", "single"), "restoring", reason="self-test: the self-test failed")
    device = booted(failed, "2.0")
    assert not device.all(UndoStep)
    device(Verified(True))
    device.tell(execution(key(), version=8))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert device.machine.unaccounted == "2.0"


def test_a_leap_that_nobody_answered_to_is_not_taken_back_after_a_power_cut():
    device = booted(Record(work("write", "single", done=True), "restoring", reason="nobody answered"), "2.0")
    assert not device.all(UndoStep)


def test_a_commit_on_record_of_firmware_that_fell_back_is_taken_back_to_the_image():
    device = booted(Record(work("commit"), "restoring", reason="commit: no"), "1.0")
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


def test_what_failed_and_was_to_be_finished_is_not_finished_if_the_leap_never_began():
    device = booted(Record(work("commit"), "finishing", reason="asking was refused"), "2.0", on_trial=True)
    assert not device.all(BeginStep)
    assert [undo.step.name for undo in device.all(UndoStep)] == ["self-test"]


@pytest.mark.parametrize("code", [ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_TOPIC])
def test_a_leap_under_way_is_finished_before_it_is_reported_as_failed(code: ErrorCode):
    device = Driver.before_the_leap()
    device.tell(execution(key(), version=7, document=None))
    device.list()
    device.refuse(code)
    assert not device.all(Verify)
    device.step_done()
    device(Verified(True))
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    assert device.machine.unaccounted == "2.0"


# ── what is owed an account ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("running", ["2.0", "3.0"])
def test_what_is_kept_is_what_runs_though_the_record_be_an_older_one(running: str):
    device = booted(Record(unaccounted="2.0"), running)
    assert isinstance(device.request, StartNext)
    assert dict(device.request.status_details or ())["kept"] == running


def test_an_older_version_is_accounted_for_by_whoever_took_work_when_it_ran():
    device = booted(replace(Record(work("self-test")), unaccounted="1.5"), "2.0")
    assert device.machine.unaccounted == "1.5"
