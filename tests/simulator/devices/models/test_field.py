"""The clients seen in the field, event by event: what each does, as its docstring's source has it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.core import DevicePolicy
from agent.core.events import Connected, Disconnected, StopStep
from agent.device_events import HintReceived
from agent.values import Describe, ErrorCode, Execution, ExecutionTold, JobDocument, StartNext, Status, Update
from simulator.devices.models.field import FIELD
from simulator.devices.models.field.client import MINUTE
from simulator.devices.models.field.embedded_crash import NullPointerError
from simulator.scenario import parse
from tests.agent.core.driver import NOW, execution, key
from tests.engines.test_live import play
from tests.simulator.devices.models.hands import FW, OTHER, Hands

AGAIN = replace(FW, queued_at=NOW + 5)
EARLIER = key("earlier", queued_at=NOW - 5)


def idle(model: str, **policy: object) -> Hands:
    return Hands(model=FIELD[model], policy=DevicePolicy(**policy))  # type: ignore[arg-type]  # the test names the fields


def offer(device: Hands, of: Execution) -> None:
    """The job stands at the head when the device asks."""
    started = isinstance(device.request, StartNext)
    device.answer(ExecutionTold(NOW, replace(of, status=Status.IN_PROGRESS, version_number=2) if started else of))


def queued(of: object = FW, document: str = "2.0") -> Execution:
    return execution(of, Status.QUEUED, 1, JobDocument.of({"operation": "update", "version": document}))  # type: ignore[arg-type]


def working(model: str, **policy: object) -> Hands:
    """In the middle of the download."""
    device = idle(model, **policy)
    offer(device, queued())
    assert device.begun == ["download"]
    return device


def switched(model: str) -> Hands:
    device = working(model)
    while device.begun[-1] != "switch":
        device.step_done()
    return device


def reporting(model: str) -> Hands:
    """All is done, and the report on its way."""
    device = working(model)
    device.to_trial()
    if isinstance(device.request, Describe | StartNext):
        told = execution(FW, version=8, details=(("self_test", "ready"),))
        device.answer(ExecutionTold(NOW, told))
    while device.begun[-1] != "commit":
        device.step_done()
    device.step_done()
    assert len(updates(device, Status.SUCCEEDED)) == 1
    return device


def updates(device: Hands, status: Status, job_id: str = "fw") -> list[Update]:
    found = [request for request in device.requests if isinstance(request, Update)]
    return [update for update in found if (update.status, update.job_id) == (status, job_id)]


# ── what all of them do ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("namespace_id", [None, "aws-gg-deployment"])
@pytest.mark.parametrize("model", FIELD)
def test_a_client_takes_a_job_without_saying_which_version_it_expects(model: str, namespace_id: str | None):
    device = idle(model, namespace_id=namespace_id)
    offer(device, queued(replace(FW, namespace_id=namespace_id)))
    device.advance()
    asked = [request for request in device.requests if isinstance(request, Update)]
    assert asked or (model.startswith("device-client") and namespace_id is None)
    assert {request.expected_version for request in asked} <= {None}
    assert {request.namespace_id for request in device.requests} == {namespace_id}
    assert device.begun == ["download"]


@pytest.mark.parametrize("model", FIELD)
def test_a_whole_update_ends_in_a_report(model: str):
    device = reporting(model)
    if isinstance(device.request, Update):  # OTA agents do not wait for the answer
        device.accept(9)
    assert device.outcomes == [(FW, "succeeded")]
    assert device.begun == ["download", "write", "switch", "reboot", "self-test", "commit"]
    assert device.state.rests


@pytest.mark.parametrize("model", FIELD)
def test_no_client_asks_before_the_leap(model: str):
    device = reporting(model)
    assert not [request for request in device.requests if isinstance(request, Describe) and request.job_id == "fw"]


# ── hints in mid-download ─────────────────────────────────────────────────────────────────────────────────────

HINTS = [
    pytest.param("greengrass-nucleus", lambda it: it.list(), "aborts", id="nucleus: an empty list is a cancellation"),
    pytest.param(
        "greengrass-nucleus", lambda it: it.list(OTHER), "hears", id="nucleus: others in progress mean nothing"
    ),
    pytest.param(
        "greengrass-nucleus", lambda it: it.list(FW, queued=(OTHER,)), "asks", id="nucleus: asks for new work"
    ),
    pytest.param("greengrass-nucleus", lambda it: it.head(None), "nothing", id="nucleus: does not hear notify-next"),
    pytest.param("greengrass-nucleus-lite", lambda it: it.head(None), "asks", id="lite: asks, and runs on"),
    pytest.param("greengrass-nucleus-lite", lambda it: it.list(), "nothing", id="lite: does not hear the list"),
    pytest.param("device-client", lambda it: it.head(None), "hears", id="device client: logs that there is no job"),
    pytest.param("device-client", lambda it: it.list(), "nothing", id="device client: does not hear the list"),
    pytest.param(
        "embedded-crash", lambda it: it.head(None), "aborts", id="OTA agent: nothing pending is a cancellation"
    ),
    pytest.param("embedded-crash", lambda it: it.head(OTHER), "aborts", id="OTA agent: so is another job"),
    pytest.param("embedded-crash", lambda it: it.head(AGAIN), "hears", id="OTA agent: another of the same name is not"),
    pytest.param("over-eager", lambda it: it.head(FW), "aborts", id="over-eager: its own job is a cancellation, too"),
    pytest.param("old-name", lambda it: it.head(None), "aborts", id="old name: nothing pending is a cancellation"),
]


@pytest.mark.parametrize(("model", "hint", "then"), HINTS)
def test_a_notification_in_mid_download(model: str, hint: Callable[[Hands], None], then: str):
    device = working(model)
    before = len(device.requests)
    hint(device)
    asked = device.requests[before:]
    assert bool(device.told(HintReceived)) == (then != "nothing")
    assert [request.job_id for request in asked if isinstance(request, Describe)] == ["$next"] * (then == "asks")
    assert all(isinstance(request, Describe) for request in asked)
    assert bool(device.all(StopStep)) == (then == "aborts")
    if then == "aborts":
        device.step_stopped()
        device.restore_all()
        assert device.undone == ["download"]


# ── Greengrass nucleus ────────────────────────────────────────────────────────────────────────────────────────


def test_nucleus_past_the_switch_is_in_its_final_phase_and_cannot_be_cancelled():
    device = switched("greengrass-nucleus")
    device.list()
    assert not device.all(StopStep)
    device.to_trial()
    assert device.begun[-1] == "self-test"


def test_nucleus_asks_for_announced_work_at_once_and_again_until_there_is_some():
    device = idle("greengrass-nucleus")
    device.tell(None)
    assert len(device.requests) == 1, "nothing was announced"
    device.list(queued=(FW,))
    device.tell(None)
    device.tell(None)
    assert [request.job_id for request in device.requests if isinstance(request, Describe)] == ["$next"] * 4
    offer(device, queued())
    assert device.begun == ["download"]


@pytest.mark.parametrize(
    ("head", "is_new"),
    [
        pytest.param(FW, False, id="the one in hand"),
        pytest.param(EARLIER, False, id="one queued before the newest that it saw"),
        pytest.param(AGAIN, True, id="one of the same id, queued later"),
        pytest.param(replace(OTHER, queued_at=NOW), True, id="another one of the same second"),
    ],
)
def test_nucleus_knows_jobs_by_id_and_queue_time(head: object, is_new: bool):
    device = working("greengrass-nucleus")
    device.list(queued=(OTHER,))
    offer(device, queued(head))
    assert bool(device.all(StopStep)) == is_new


def test_nucleus_gives_up_the_job_in_hand_for_another_one_at_the_head():
    device = working("greengrass-nucleus")
    device.list(queued=(OTHER,))
    offer(device, queued(OTHER))
    device.step_stopped()
    device.restore_all()
    assert device.outcomes == [(FW, "recovered")]
    assert device.begun == ["download", "download"]
    assert updates(device, Status.IN_PROGRESS, "other")


@pytest.mark.parametrize("code", [ErrorCode.RESOURCE_NOT_FOUND, ErrorCode.REQUEST_THROTTLED])
def test_nucleus_drops_a_status_that_was_rejected_whatever_the_code(code: ErrorCode):
    device = reporting("greengrass-nucleus")
    device.refuse(code)
    device.reconnect()
    device.tell(None)
    assert len(updates(device, Status.SUCCEEDED)) == 1


def test_nucleus_keeps_a_status_without_an_answer_for_the_next_connection():
    device = reporting("greengrass-nucleus")
    device.fire("request")
    assert device.state.rests
    assert len(updates(device, Status.SUCCEEDED)) == 1
    device.reconnect()
    device.tell(None)
    assert len(updates(device, Status.SUCCEEDED)) == 2


def test_nucleus_still_has_the_status_after_a_restart():
    device = reporting("greengrass-nucleus")
    device.fire("request")
    device.reboot("2.0")
    device(Connected())
    device.tell(None)
    assert len(updates(device, Status.SUCCEEDED)) == 2


def test_nucleus_takes_a_job_that_was_created_again_during_its_restart_for_the_one_that_caused_it():
    device = working("greengrass-nucleus")
    device.to_trial()
    offer(device, queued(AGAIN))
    assert device.begun[-1] == "self-test"
    device.step_done()
    device.step_done()
    device.refuse()
    assert device.begun[-1] == "commit"
    assert not updates(device, Status.IN_PROGRESS)[1:]


# ── Greengrass nucleus lite ───────────────────────────────────────────────────────────────────────────────────


def test_lite_takes_the_next_job_after_it_has_run_the_one_that_is_gone_to_its_end():
    device = working("greengrass-nucleus-lite")
    device.head(OTHER)
    offer(device, queued(OTHER))
    assert device.begun == ["download"]
    device.to_trial()
    offer(device, queued(OTHER))
    device.step_done()
    device.step_done()
    device.refuse()
    assert device.outcomes == [(FW, "succeeded")]
    assert device.begun[-2:] == ["commit", "download"]


@pytest.mark.parametrize(
    ("head", "is_new"),
    [
        pytest.param(FW, False, id="the last one again"),
        pytest.param(replace(FW, queued_at=NOW - 5), False, id="the last one, as it was before"),
        pytest.param(AGAIN, True, id="one of the same id, queued later"),
        pytest.param(EARLIER, True, id="any other"),
    ],
)
def test_lite_knows_the_last_job_by_id_and_queue_time(head: object, is_new: bool):
    device = reporting("greengrass-nucleus-lite")
    device.accept(9)
    device.head(FW)
    offer(device, queued(head))
    assert (device.begun[-1] == "download") == is_new


def test_lite_sends_a_status_that_was_not_delivered_every_minute_and_on_reconnection():
    device = reporting("greengrass-nucleus-lite")
    device.fire("request")
    assert device.timers("poll")[-1].after_seconds == MINUTE
    device.fire("poll")
    device.refuse(ErrorCode.INTERNAL_ERROR)
    assert len(device.timers("poll")) == 2
    device.reconnect()
    device.tell(None)
    assert len(updates(device, Status.SUCCEEDED)) == 3


def test_lite_drops_a_status_that_was_refused_for_good():
    device = reporting("greengrass-nucleus-lite")
    device.fire("request")
    device.fire("poll")
    device.refuse()
    device.fire("poll")
    device.reconnect()
    device.tell(None)
    assert len(updates(device, Status.SUCCEEDED)) == 2


def test_lite_forgets_a_status_for_the_next_deployment():
    device = reporting("greengrass-nucleus-lite")
    device.fire("request")
    device.head(OTHER)
    offer(device, queued(OTHER))
    device.accept()
    device.fire("poll")
    assert len(updates(device, Status.SUCCEEDED)) == 1


@pytest.mark.parametrize("model", ["greengrass-nucleus", "greengrass-nucleus-lite"])
def test_a_question_for_work_that_gave_way_to_a_report_is_put_again_after_it(model: str):
    device = working(model)
    device.to_trial()
    device.step_done()
    device.step_done()
    assert [request for request in device.requests if isinstance(request, Describe)][1:] == [device.requests[-2]]
    device.accept(9)
    assert device.request == Describe("$next", device.request.client_token)


# ── AWS IoT Device Client ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("announced", "runs"),
    [
        pytest.param(queued(AGAIN), False, id="created again as it was: never runs"),
        pytest.param(queued(AGAIN, document="2.1"), True, id="created again with another document"),
        pytest.param(queued(replace(AGAIN, execution_number=2)), True, id="another execution number"),
        pytest.param(queued(OTHER), True, id="another id"),
    ],
)
def test_device_client_tells_jobs_apart_without_their_queue_time(announced: Execution, runs: bool):
    device = reporting("device-client")
    device.accept(9)
    device.announce(announced)
    assert (device.begun[-1] == "download") == runs


def test_device_client_asks_once_and_never_again():
    device = idle("device-client")
    device.tell(None)
    device.reconnect()
    assert len(device.requests) == 1


def test_device_client_reports_the_next_job_in_progress_beside_the_one_that_runs():
    device = working("device-client")
    device.announce(queued(OTHER))
    assert updates(device, Status.IN_PROGRESS, "other")
    assert not device.all(StopStep)
    assert device.begun == ["download"]


REFUSALS = [
    pytest.param("device-client", ErrorCode.RESOURCE_NOT_FOUND, False, id="today's: gone is the end of it"),
    pytest.param("device-client", ErrorCode.REQUEST_THROTTLED, False, id="today's: throttled, too"),
    pytest.param("device-client", ErrorCode.INVALID_STATE_TRANSITION, True, id="today's: cancelled is not"),
    pytest.param("device-client-old", ErrorCode.RESOURCE_NOT_FOUND, True, id="the older: gone is not"),
    pytest.param("device-client-old", ErrorCode.REQUEST_THROTTLED, True, id="the older: throttled is not"),
]


@pytest.mark.parametrize(("model", "code", "again"), REFUSALS)
def test_device_client_repeats_a_report_that_was_refused(model: str, code: ErrorCode, again: bool):
    device = reporting(model)
    device.refuse(code)
    assert device.state.rests, "it is free for other jobs"
    for _ in range(12 if again else 0):
        device.fire("poll")
        device.refuse(code)
    waits = [timer.after_seconds for timer in device.timers("poll")]
    minutes = [1, 2, 4, 8, 16, 32, *[64] * 7]
    assert waits == pytest.approx([tenth * MINUTE / 6 for tenth in minutes] if again else [])


def test_device_client_goes_on_after_the_reboot_only_if_it_is_handed_the_same_job():
    device = working("device-client")
    device.to_trial()
    assert device.state.rests
    assert device.begun[-1] == "reboot"
    offer(device, queued())
    assert device.begun[-1] == "self-test"


def test_device_client_that_lost_its_job_during_the_reboot_stays_on_trial():
    device = working("device-client")
    device.to_trial()
    device.tell(None)
    assert device.begun[-1] == "reboot"
    device.announce(queued(OTHER))
    assert device.begun[-1] == "download"


# ── OTA agents ────────────────────────────────────────────────────────────────────────────────────────────────


def aborted(model: str) -> Hands:
    """Its job was cancelled in mid-download, and it asks for the next one."""
    device = working(model)
    device.head(None)
    device.step_stopped()
    device.restore_all()
    return device


def test_embedded_crash_crashes_on_an_answer_without_execution_after_an_abort():
    device = aborted("embedded-crash")
    with pytest.raises(NullPointerError):
        device.tell(None)


def test_embedded_crash_survives_that_answer_before_its_first_job():
    device = idle("embedded-crash")
    device.tell(None)
    device.announce(queued())
    assert device.begun == ["download"]


def test_old_name_refuses_every_other_job_after_a_cancellation():
    device = aborted("old-name")
    for other in (OTHER, EARLIER):
        offer(device, queued(other))
        refused = updates(device, Status.FAILED, other.job_id)[-1]
        assert dict(refused.status_details or ()) == {"reason": "busy with existing job"}
    assert device.begun == ["download"]


def test_old_name_takes_the_same_name_again_and_any_other_after_a_restart():
    device = aborted("old-name")
    offer(device, queued(AGAIN))
    assert device.begun == ["download", "download"]
    device = aborted("old-name")
    device.reboot()
    device(Connected())
    offer(device, queued(OTHER))
    assert device.begun == ["download", "download"]


def test_waits_for_ever_for_an_answer_that_was_lost():
    device = idle("waits-for-ever")
    device.fire("request")
    device.head(FW)
    assert len(device.requests) == 1
    assert not device.timers("retry")
    device.reconnect()
    assert len(device.requests) == 2


def test_waits_for_ever_reads_what_came_meanwhile_once_it_has_its_answer():
    device = idle("waits-for-ever")
    device.head(FW)
    device.tell(None)
    assert device.begun == ["download"]


def test_over_eager_reports_the_job_that_it_gave_up_failed():
    device = working("over-eager")
    device.head(FW)
    device.step_stopped()
    device.restore_all()
    assert dict(updates(device, Status.FAILED)[-1].status_details or ()) == {"reason": "user abort"}


def test_over_eager_hears_nothing_after_the_download():
    device = switched("over-eager")
    device.step_done()
    device.head(None)
    assert not device.told(HintReceived)


def on_trial() -> Hands:
    device = working("ota-self-test-flag", reports="end")
    device.to_trial()
    return device


def test_the_self_test_flag_is_in_the_cloud_before_the_reboot():
    device = on_trial()
    assert dict(updates(device, Status.IN_PROGRESS)[-1].status_details or ()) == {"self_test": "ready"}


@pytest.mark.parametrize(
    ("head", "begins"),
    [
        pytest.param(execution(FW, details=(("self_test", "ready"),)), "self-test", id="with the flag: tests itself"),
        pytest.param(execution(FW), "download", id="without the flag: begins anew"),
        pytest.param(queued(OTHER), "download", id="another job: begins that, on trial"),
        pytest.param(None, "reboot", id="none: never learns that it is in self-test"),
    ],
)
def test_new_firmware_learns_from_the_cloud_alone_that_it_is_in_self_test(head: Execution | None, begins: str):
    device = on_trial()
    device.answer(ExecutionTold(NOW, head))
    assert device.begun[-1] == begins


def test_a_job_in_self_test_is_refused_by_a_device_that_is_not():
    device = idle("ota-self-test-flag")
    device.answer(ExecutionTold(NOW, execution(FW, details=(("self_test", "ready"),))))
    assert updates(device, Status.FAILED)
    assert not device.begun


def test_an_ota_agent_off_line_reports_when_it_is_back():
    device = working("waits-for-ever")
    device.to_trial()
    device(Disconnected())
    device.step_done()
    device.step_done()
    assert not updates(device, Status.SUCCEEDED)
    device(Connected())
    assert updates(device, Status.SUCCEEDED)


# ── over real MQTT ────────────────────────────────────────────────────────────────────────────────────────────

DEPLOYMENT = """
name: deployment
devices:
  - {group: nucleus, model: greengrass-nucleus, namespace: aws-gg-deployment}
  - {group: lite, model: greengrass-nucleus-lite, namespace: aws-gg-deployment}
jobs:
  - {id: fw, by: greengrass, to: [nucleus, lite], namespace: aws-gg-deployment, version: "2.0"}
  - id: fw-2
    by: greengrass
    to: [nucleus, lite]
    namespace: aws-gg-deployment
    version: "2.1"
    after: {deletion_of: fw}
deletions:
  - {job: fw, when: {step: download, progress: 50}, hold: true}
must_reach:
  - {place: deleted-in-step, job: fw, step: download}
  - {place: recovered, job: fw}
time_limit_seconds: 60
"""


async def test_a_deployment_deleted_in_the_namespace_of_greengrass_is_given_up_by_nucleus_and_run_to_its_end_by_lite():
    verdict, entries = await play(parse(DEPLOYMENT), 2)
    broken = {(each.thing, invariant.id) for invariant in verdict.invariants for each in invariant.violations}
    assert broken == {("thing-0", "no-false-abort"), ("thing-1", "asks-before-leap")}
    assert verdict.recovered == 2
    assert all(place.devices == place.of for place in verdict.reached)
    heard = {(entry.source, entry.event.hint) for entry in entries if isinstance(entry.event, HintReceived)}
    assert heard == {("device/thing-0", "notify"), ("device/thing-1", "notify-next")}
