"""A step that is begun once only is told of before it begins; of what is forgotten, none is begun again."""

from dataclasses import replace

import pytest

from agent.abilities import ALL_ACTIONS, Abilities
from agent.core.events import BeginStep, Disconnected, UndoStep, Verified
from agent.core.state import Executing, Gated, Idle, Recovering, Reporting
from agent.values import Describe, ErrorCode, JobDocument, Status, StatusDetails, Update

from .driver import DevicePolicy, Driver, execution, key
from .test_forgetting import RUN

PROGRAMS = JobDocument.of(
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": name, "type": "runHandler", "input": {"handler": f"{name}.sh"}}}
            for name in ("first", "second")
        ],
    }
)


def before_a_program(document: JobDocument = RUN, **policy: object) -> Driver:
    """The report that the program is to begin is under way."""
    device = Driver(DevicePolicy(**policy))  # type: ignore[arg-type]  # the tests name the fields
    device.connect()
    device.tell(execution(key(), document=document))
    assert isinstance(device.phase, Gated)
    return device


@pytest.mark.parametrize("reports", ["progress", "steps", "end"])
def test_a_program_begins_once_it_is_told_that_it_begins_and_its_execution_answers(reports: str):
    device = before_a_program(reports=reports)
    assert isinstance(device.request, Update)
    told = dict(device.request.status_details or ())
    assert (device.request.status, told["step"], told["progress"]) == (Status.IN_PROGRESS, "run", "0")
    device.accept(3)
    assert isinstance(device.request, Describe)
    assert not device.all(BeginStep)
    device.tell(execution(key(), version=3, document=None))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["run"]


def test_firmware_is_not_told_of_before_since_the_hardware_shows_how_far_it_came():
    device = Driver.before_the_leap()
    assert isinstance(device.request, Describe)


def failed_with(device: Driver) -> str:
    """The reason of the failure that it reports, having begun nothing."""
    device(Verified(True))
    assert not device.all(BeginStep)
    assert isinstance(device.request, Update)
    assert device.request.status is Status.FAILED
    return dict(device.request.status_details or ())["reason"]


def test_a_program_that_could_not_be_told_of_is_not_begun():
    device = before_a_program()
    device.refuse(ErrorCode.INVALID_REQUEST)
    assert failed_with(device) == "run: not begun, since that could not be told before: InvalidRequest"


@pytest.mark.parametrize("choice", ["proceed", "give-up"])
def test_off_line_a_program_is_not_begun_untold_whatever_the_policy(choice: str):
    device = before_a_program(leap_when_unreachable=choice)
    device(Disconnected())
    device.fire("leap")
    device(Verified(True))
    device.connect()
    assert failed_with(device) == "nobody answered before the point of no return"


def test_each_program_is_a_leap_of_its_own_so_that_one_behind_is_no_leave_for_the_next():
    device = before_a_program(PROGRAMS, reports="end")
    device.accept(3)
    device.tell(execution(key(), version=3, document=None))
    device.step_done()
    begun = len(device.all(BeginStep))
    device.accept(4)
    device(Disconnected())
    device.fire("leap")
    device(Verified(True))
    assert len(device.all(BeginStep)) == begun
    assert isinstance(device.phase, Reporting)


def test_a_write_of_our_own_that_came_between_is_no_reason_not_to_tell():
    device = before_a_program()
    mine = dict(device.request.status_details or ())["nonce"]  # type: ignore[union-attr]  # it is an update
    device.refuse(ErrorCode.VERSION_MISMATCH, Status.IN_PROGRESS, version=4, nonce=mine)
    assert device.request == replace(device.request, expected_version=4)
    device.accept(5)
    assert isinstance(device.request, Describe)


# ── announced, and on record as not begun ─────────────────────────────────────────────────────────────────────


def announced(document: JobDocument, step: str) -> Driver:
    """`step` was announced, the memory lost before it began, and now the execution has answered: it lives."""
    abilities = Abilities(actions=ALL_ACTIONS | {"calibrate"}, plug_ins=(("calibrate", False),))
    device, version, details = Driver(DevicePolicy(abilities=abilities)), 2, ()
    device.connect()
    device.tell(execution(key(), document=document))
    while dict(details).get("step") != step or not isinstance(device.request, Describe):
        if isinstance(device.phase, Executing):
            device.step_done()
        elif isinstance(device.request, Update):
            version, details = version + 1, device.request.status_details or ()
            device.accept(version)
        else:
            device.tell(execution(key(), version=version, document=None))
    device.reboot("1.0")
    device.connect()
    device.tell(execution(key(), version=version, document=None, details=details))
    return device


CONFIGURATION = JobDocument.of({"operation": "configure", "to": "/etc/pump.conf", "content": "a"})
REBOOT = JobDocument.of({"operation": "reboot"})
CALIBRATE = JobDocument.of({"operation": "calibrate"})
RUN_AND_REBOOT = JobDocument.of(
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": name, "type": "runHandler", "input": {"handler": handler}}}
            for name, handler in (("first", "first.sh"), ("reboot", "reboot.sh"))
        ],
    }
)


@pytest.mark.parametrize(
    ("document", "step", "undone"),
    [
        pytest.param(
            CONFIGURATION, "restart", ["swap", "validate", "stage"], id="a restart: there still is a way back"
        ),
        pytest.param(REBOOT, "reboot", [], id="a reboot"),
        pytest.param(CALIBRATE, "calibrate", [], id="a plug-in's"),
        pytest.param(RUN_AND_REBOOT, "reboot", [], id="a reboot after a program"),
    ],
)
def test_what_was_announced_and_not_begun_is_not_finished_once_the_job_is_gone(
    document: JobDocument, step: str, undone: list[str]
):
    device = announced(document, step)
    begun = device.all(BeginStep)
    device.refuse(ErrorCode.RESOURCE_NOT_FOUND)
    while isinstance(device.phase, Recovering) and device.phase.stage == "restore":
        device.undone()
    device(Verified(True))
    assert [undo.step.name for undo in device.all(UndoStep)] == undone
    assert device.all(BeginStep) == begun
    assert isinstance(device.phase, Idle)


@pytest.mark.parametrize(
    ("document", "step"),
    [
        pytest.param(CONFIGURATION, "restart", id="a restart"),
        pytest.param(REBOOT, "reboot", id="a reboot"),
        pytest.param(CALIBRATE, "calibrate", id="a plug-in's"),
        pytest.param(RUN_AND_REBOOT, "reboot", id="a reboot after a program"),
    ],
)
def test_what_was_announced_and_not_begun_is_announced_once_more_and_begun_if_the_job_lives(
    document: JobDocument, step: str
):
    device = announced(document, step)
    if isinstance(device.phase, Gated) and device.phase.gate == "report":
        device.accept(20)
    assert isinstance(device.request, Update)
    assert dict(device.request.status_details or ())["step"] == step
    device.accept(21)
    device.tell(execution(key(), version=21, document=None))
    assert device.all(BeginStep)[-1].step.name == step


# ── found IN_PROGRESS, and nothing remembered ─────────────────────────────────────────────────────────────────


def finds(document: JobDocument, details: StatusDetails, running: str = "1.0", layout: str = "ab") -> Driver:
    """A device without a record, to which start-next tells an execution that somebody has begun."""
    device = Driver(DevicePolicy(abilities=Abilities(layout)))  # type: ignore[arg-type]  # it is a layout
    device.reboot(running)
    device.connect()
    device.tell(execution(key(), version=5, document=document, details=details))
    return device


def test_a_program_that_was_told_of_is_not_begun():
    device = finds(RUN, (("nonce", "earlier-1"), ("progress", "0"), ("step", "run")))
    assert failed_with(device) == (
        "it was IN_PROGRESS already, and forgotten here: run may have begun, and that is not done twice"
    )


@pytest.mark.parametrize(
    "details",
    [
        pytest.param((("nonce", "earlier-1"), ("step", "another")), id="a step that the plan does not have"),
        pytest.param((("step", "run"),), id="another hand than an agent's"),
        pytest.param((("operator", "was here"),), id="details of somebody else's"),
    ],
)
def test_a_program_of_which_nothing_that_counts_was_told_is_not_begun(details: StatusDetails):
    device = finds(RUN, details)
    assert failed_with(device) == (
        "it was IN_PROGRESS already, and forgotten here: nobody knows whether run has begun, and that is not done twice"
    )


@pytest.mark.parametrize("namespace_id", [None, "lab"])
def test_one_that_tells_nothing_is_asked_and_if_it_still_tells_nothing_fails(namespace_id: str | None):
    device = Driver(DevicePolicy(namespace_id=namespace_id))
    device.connect()
    silent = execution(key(namespace_id=namespace_id), version=5, document=RUN)
    device.tell(silent)
    assert device.request == replace(device.request, job_id="fw", include_document=True)
    device.tell(silent)
    assert "nobody knows whether run has begun" in failed_with(device)


def test_one_whose_claim_start_next_did_not_tell_is_begun_once_a_describe_tells_it():
    device = Driver()
    device.connect()
    claim = device.request
    device.tell(execution(key(), version=3, document=RUN))
    device.tell(execution(key(), version=3, document=RUN, details=claim.status_details))  # type: ignore[union-attr]
    device.accept(4)
    device.tell(execution(key(), version=4, document=None))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["run"]


def test_firmware_is_begun_anew_whatever_was_told():
    device = finds(JobDocument.of({"operation": "update", "version": "2.0"}), (("operator", "was here"),))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["download"]


def test_firmware_that_runs_from_the_only_slot_is_tested_before_it_is_called_done():
    update = JobDocument.of({"operation": "update", "version": "2.0"})
    device = finds(update, (("nonce", "earlier-1"), ("step", "reboot")), "2.0", "single")
    device.accept(6)
    device.tell(execution(key(), version=6, document=None))
    assert [begun.step.name for begun in device.all(BeginStep)] == ["self-test"]
