"""The log: named as in the trace, bound to what it is about, one JSON object a line for machines."""

import json
import os
import sys

import pytest

from agent.device_events import AnswerReceived, DeviceEvent, ExecutionGone, ExecutionTaken, PhaseChanged, RequestSent
from agent.log import DeviceLog, configure, get_logger
from agent.values import ExecutionKey

KEY = ExecutionKey("lab", "fw", 1, 1_700_000_000)


@pytest.fixture
def _restored():
    yield
    configure("text", "error")


@pytest.mark.usefixtures("_restored")
def test_json_lines_are_named_as_in_the_trace_and_bound_to_the_execution(capsys: pytest.CaptureFixture[str]):
    configure("json", "debug")
    log = DeviceLog("thing-1")
    events: list[DeviceEvent] = [
        ExecutionTaken(KEY),
        PhaseChanged("executing", "starting", "work in hand", KEY),
        RequestSent("t-1", "update", "lab", "fw", KEY, "IN_PROGRESS", 2, (("step", "write"),)),
        ExecutionGone(KEY, "gone", "t-2"),
    ]
    for event in events:
        log.write(event)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [event.type for event in events]
    assert [line["level"] for line in lines] == ["info", "info", "debug", "info"]
    bound = {"thing": "thing-1", "namespace_id": "lab", "job_id": "fw", "execution": "1@1700000000"}
    for line in lines:
        assert {name: line[name] for name in bound} == bound
    assert [line["phase"] for line in lines] == ["idle", "executing", "executing", "executing"]
    assert lines[2]["client_token"] == "t-1"


@pytest.mark.usefixtures("_restored")
def test_a_line_for_people_says_nothing_of_what_is_not_there_and_little_of_a_digest(
    capsys: pytest.CaptureFixture[str],
):
    key = ExecutionKey(None, "fw", 1, 1_700_000_000)
    configure("text", "debug")
    DeviceLog("thing-1").write(ExecutionTaken(key, "0123456789abcdef" * 4))
    (line,) = capsys.readouterr().err.splitlines()
    assert "digest=0123456789ab " in line
    assert "namespace_id" not in line


@pytest.mark.usefixtures("_restored")
def test_a_log_that_nobody_reads_any_more_ends_no_device(monkeypatch: pytest.MonkeyPatch):
    reading, writing = os.pipe()
    with open(writing, "w", buffering=1) as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        configure("json", "debug")
        os.close(reading)
        with pytest.raises(BrokenPipeError):
            print("nobody", file=pipe)
        DeviceLog("thing-1").write(ExecutionTaken(KEY))
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), writing)  # so that the pipe can be closed


@pytest.mark.usefixtures("_restored")
def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]):
    configure("text", "warning")
    DeviceLog("thing-1").write(ExecutionTaken(KEY))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("event", "level"),
    [
        pytest.param(RequestSent("t-1", "start-next"), "debug", id="a question"),
        pytest.param(RequestSent("t-2", "start-next", attempt=2), "info", id="one that nobody answered"),
        pytest.param(AnswerReceived("t-1", True), "debug", id="an answer"),
        pytest.param(AnswerReceived("t-1", False, "InvalidRequest"), "info", id="a refusal"),
    ],
)
@pytest.mark.usefixtures("_restored")
def test_a_question_without_an_answer_and_one_that_is_refused_are_not_for_debugging_only(
    capsys: pytest.CaptureFixture[str], event: DeviceEvent, level: str
):
    configure("json", "debug")
    DeviceLog("thing-1").write(event)
    assert json.loads(capsys.readouterr().err)["level"] == level


@pytest.mark.usefixtures("_restored")
def test_a_line_for_people_holds_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]):
    configure("text", "warning")
    get_logger("ghostjob.cloud").warning("client.refused", client_id="\x1b[31mred\x9b", why="two\nlines \u202eback")
    [line] = capsys.readouterr().err.splitlines()
    assert r"\x1b[31mred\x9b" in line
    assert r"\u202eback" in line.replace("\\\\", "\\")
    assert all(character.isprintable() for character in line)


@pytest.mark.usefixtures("_restored")
def test_a_traceback_for_people_keeps_its_lines(capsys: pytest.CaptureFixture[str]):
    configure("text", "warning")
    try:
        raise ValueError("in vain")
    except ValueError:
        get_logger("ghostjob.cloud").exception("request.failed")
    assert "\nValueError: in vain" in capsys.readouterr().err
