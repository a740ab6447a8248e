"""`ghostjob forecast` of a job as the real AWS CLI lists it, and as it reads the list itself, by either hand."""

import json
import subprocess
from pathlib import Path

import boto3
import pytest

from simulator.forecast.model import Forecast
from tests.cli.command import complaint, ended

from .conftest import Api, Cloud

THINGS = 4
SCENARIO = """
name: rollout
devices: [{group: all}]
jobs: [{id: fw, to: [all], version: "2.0"}]
hardware: {download: 600, write: 60}
time_limit_seconds: 3600
"""


@pytest.fixture(scope="module")
def job(cloud: Cloud, api: Api) -> str:
    """A job that two of four things have begun with, and one has done."""
    arns = [api.iot.create_thing(thingName=f"fc-{number}")["thingArn"] for number in range(THINGS)]
    api.iot.create_job(jobId="forecast-me", targets=arns, document="{}")
    devices = boto3.client("iot-jobs-data", endpoint_url=cloud.api, region_name="us-east-1")
    for thing in ("fc-0", "fc-1"):
        devices.start_next_pending_job_execution(thingName=thing)
    devices.update_job_execution(jobId="forecast-me", thingName="fc-0", status="SUCCEEDED")
    devices.close()
    return "forecast-me"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "rollout.yaml"
    path.write_text(SCENARIO, "utf-8")
    return str(path)


def forecast(capfd: pytest.CaptureFixture[str], *arguments: str) -> Forecast:
    assert ended(["forecast", *arguments, "--seeds", "1", "--json"]) == 0
    return Forecast.model_validate_json(capfd.readouterr().out)


def stands_as_it_does(told: Forecast) -> bool:
    """One has done it, one is at its beginning, two have not begun."""
    there = {place.where: place.devices for place in told.now.places}
    return (told.now.devices, told.now.ended, there) == (4, {"SUCCEEDED": 1}, {"QUEUED": 2, "download": 1})


def test_of_a_file_of_the_aws_cli(
    aws: str, cloud: Cloud, job: str, scenario: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    command = [aws, "--endpoint-url", cloud.api, "--output", "json", "iot", "list-job-executions-for-job"]
    done = subprocess.run([*command, "--job-id", job], capture_output=True, text=True, check=True)
    path = tmp_path / "now.json"
    path.write_text(done.stdout, "utf-8")
    assert len(json.loads(done.stdout)["executionSummaries"]) == THINGS
    assert stands_as_it_does(forecast(capfd, scenario, "--job-of", str(path)))


@pytest.mark.parametrize("hand", ["local", "boto3"])
def test_read_from_an_endpoint_which_is_as_before(
    hand: str, cloud: Cloud, api: Api, job: str, scenario: str, capfd: pytest.CaptureFixture[str]
):
    before = api.iot.describe_job(jobId=job)["job"]
    there = ("--job-id", job, "--endpoint-url", cloud.api, "--hand", hand)
    assert stands_as_it_does(forecast(capfd, scenario, *there))
    assert api.iot.describe_job(jobId=job)["job"] == before


def test_a_job_that_is_not_there(cloud: Cloud, scenario: str, capfd: pytest.CaptureFixture[str]):
    told = complaint(capfd, ["forecast", scenario, "--job-id", "nobody", "--endpoint-url", cloud.api])
    assert "--job-id nobody: ResourceNotFoundException" in told
