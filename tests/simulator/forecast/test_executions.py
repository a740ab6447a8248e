"""What the AWS CLI lists of a job's executions, and what it comes to."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from simulator.forecast.executions import Fleet, as_told, epoch, in_file

NOW = 1_700_000_000


def summary(thing: str, status: str, **more: Any) -> dict[str, Any]:
    told = {"status": status, "queuedAt": NOW - 100, "executionNumber": 1, **more}
    return {"thingArn": f"arn:aws:iot:eu-west-1:123456789012:thing/{thing}", "jobExecutionSummary": told}


def written(directory: Path, *summaries: dict[str, Any], **more: Any) -> Path:
    path = directory / "now.json"
    path.write_text(json.dumps({"executionSummaries": summaries, **more}), "utf-8")
    return path


def test_statuses_ages_and_pace(tmp_path: Path):
    path = written(
        tmp_path,
        summary("a", "QUEUED", lastUpdatedAt=NOW - 100),
        summary("b", "IN_PROGRESS", startedAt="2023-11-14T22:13:00+00:00", lastUpdatedAt=NOW - 5),
        summary("c", "IN_PROGRESS", startedAt="2023-11-14T23:13:10+01:00"),
        summary("d", "SUCCEEDED", startedAt=NOW - 30.0, lastUpdatedAt=NOW),
    )
    assert in_file(path, None) == Fleet(NOW, (20.0, 10.0), 1, {"SUCCEEDED": 1}, 2 / 20)
    assert in_file(path, NOW + 60).ages == (80.0, 70.0)


def test_of_several_attempts_the_last_counts():
    told = [summary("a", "FAILED"), summary("a", "QUEUED", executionNumber=2), summary("b", "REJECTED")]
    fleet = as_told(told, NOW, "there")
    assert (fleet.queued, fleet.ended, fleet.starts_per_second) == (1, {"REJECTED": 1}, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_as_another_shell_writes_it(encoding: str, tmp_path: Path):
    path = written(tmp_path, summary("a", "QUEUED"))
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    assert in_file(path, NOW).queued == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "not what `aws iot list-job-executions-for-job` prints", id="empty"),
        pytest.param("[]", "not what", id="a list"),
        pytest.param('{"jobs": []}', "executionSummaries", id="another list of the CLI's"),
        pytest.param('{"executionSummaries": []}', "nothing is under way", id="no execution"),
        pytest.param(json.dumps({"executionSummaries": [summary("a", "FAILED")]}), "nothing is under way", id="over"),
        pytest.param(json.dumps({"executionSummaries": [summary("a", "RUNNING")]}), "status", id="no such status"),
        pytest.param(
            json.dumps({"executionSummaries": [summary("a", "QUEUED", queuedAt="soon")]}), "is no time", id="no time"
        ),
        pytest.param(
            json.dumps({"executionSummaries": [summary("a", "QUEUED")], "NextToken": "x"}), "more pages", id="cut off"
        ),
        pytest.param(
            json.dumps({"executionSummaries": [summary("a", "QUEUED", queuedAt=None)]}), "--as-of", id="without times"
        ),
        pytest.param("\x00\xff", "not what", id="no text"),
        pytest.param("\xff\xfe\x00\xd8{", "not what", id="no text in UTF-16"),
        pytest.param("[" * 100_000, "not what", id="too deep"),
    ],
)
def test_what_is_not_that_is_said_in_a_line(text: str, why: str, tmp_path: Path):
    path = tmp_path / "now.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as refused:
        in_file(path, None)
    assert str(path) in str(refused.value)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="cannot read it: No such file"):
        in_file(tmp_path / "now.json", None)


@pytest.mark.parametrize("told", ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20", 1_700_000_000, "1700000000.0"])
def test_times_as_aws_writes_them(told: Any):
    assert epoch(told) == NOW


@pytest.mark.parametrize("told", [True, None, "", "soon", "nan", "inf", [1]])
def test_what_is_no_time(told: Any):
    with pytest.raises(ValueError, match="is no time"):
        epoch(told)
