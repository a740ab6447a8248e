"""A device's row: what it comes to by what the device tells, or, of one that is not ours, by what others do."""

import pytest

from agent.device_events import (
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    PhaseChanged,
    PowerLost,
    StepProgressed,
)
from agent.values import ExecutionKey
from simulator.report.device_row import STATES, URGENCY, Row
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    ExecutionChanged,
    ExecutionRemoved,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
    RequestReceived,
)

FW = ExecutionKey("lab", "fw", 1, 0)
AT_WORK = (DeviceBooted("1.0"), DeviceConnected(), ExecutionTaken(FW), PhaseChanged("executing", "idle"))


@pytest.mark.parametrize(
    ("events", "state", "online"),
    [
        pytest.param((), "offline", False, id="nothing told"),
        pytest.param((DeviceBooted("1.0"), DeviceConnected()), "idle", True, id="connected"),
        pytest.param(AT_WORK, "executing", True, id="at work"),
        pytest.param((*AT_WORK, DeviceDisconnected("lost")), "offline", False, id="cut off"),
        pytest.param((*AT_WORK, DeviceDisconnected("lost"), DeviceConnected()), "executing", True, id="back at work"),
        pytest.param((*AT_WORK, DeviceDisconnected("reboot", planned=True)), "executing", False, id="on its way down"),
        pytest.param((*AT_WORK, PowerLost(), DeviceDisconnected("off", planned=True)), "off", False, id="no power"),
        pytest.param((*AT_WORK, PowerLost(), DeviceBooted("1.0", "power-lost")), "offline", False, id="up again"),
        pytest.param((*AT_WORK, DeviceCrashed("bug")), "crashed", True, id="crashed"),
        pytest.param((*AT_WORK, HardwareChanged(False, "")), "bricked", True, id="bricked, whatever it says"),
        pytest.param(
            (*AT_WORK, HardwareChanged(False, ""), HardwareChanged(True, "1.0")), "executing", True, id="put right"
        ),
    ],
)
def test_the_state_of_a_device_is_what_it_tells(events: tuple[object, ...], state: str, online: bool):
    row = Row("thing-0")
    for event in events:
        row.feed(event)
    assert (row.state, row.online) == (state, online)


def test_a_job_that_is_done_counts_and_leaves_the_row():
    row = Row("thing-0")
    for event in (*AT_WORK, StepProgressed(FW, "write", 50)):
        row.feed(event)
    assert (row.job, row.step, row.namespace_id, row.version) == ("fw", "write 50%", "lab", "1.0")
    row.feed(ExecutionLeft(FW, "succeeded"))
    assert (row.job, row.step, row.knows, row.done) == ("", "", "fw succeeded", 1)
    row.feed(ExecutionLeft(FW, "recovered"))
    assert row.done == 1


def changed(status: str, **details: str) -> ExecutionChanged:
    return ExecutionChanged("pump", FW, status, 2, "device", details)


THERE = (ClientConnected("pump"), changed("IN_PROGRESS", step="write"))


@pytest.mark.parametrize(
    ("events", "state", "job"),
    [
        pytest.param((), "offline", "", id="nothing told"),
        pytest.param((RequestReceived("pump", "start-next"),), "idle", "", id="it asks, so it is there"),
        pytest.param(THERE, "executing", "fw", id="at work"),
        pytest.param((*THERE, changed("SUCCEEDED")), "idle", "", id="done"),
        pytest.param((*THERE, ExecutionRemoved("pump", FW, "IN_PROGRESS")), "idle", "", id="its record is gone"),
        pytest.param((*THERE, ClientDisconnected("pump", "CONNECTION_LOST")), "offline", "fw", id="gone"),
        pytest.param((*THERE, PowerCutOff("pump", "cut")), "off", "fw", id="no power"),
        pytest.param((*THERE, PowerCutOff("pump", "cut"), PowerRestored("pump")), "offline", "fw", id="power again"),
        pytest.param((*THERE, ProcessEnded("pump", "signal 11", True)), "crashed", "fw", id="crashed"),
        pytest.param((*THERE, ProcessEnded("pump", "exit 0", False)), "executing", "fw", id="ended in good order"),
    ],
)
def test_the_state_of_a_device_of_somebody_else_is_what_is_seen_of_it(events: tuple[object, ...], state: str, job: str):
    row = Row("pump")
    for event in events:
        row.of_another(event)
    assert (row.state, row.job) == (state, job)


def test_a_probe_shows_which_version_runs():
    row = Row("pump")
    row.of_another(ProbeSampled("pump", "file", True, "2.0"))
    row.of_another(ProbeSampled("pump", "file", False))
    assert (row.version, row.bootable) == ("2.0", None)


def test_what_is_broken_is_more_urgent_than_what_is_at_work():
    assert list(URGENCY) == list(STATES)
    assert STATES[0] == "bricked"
    assert URGENCY["offline"] < URGENCY["executing"] < URGENCY["idle"]
