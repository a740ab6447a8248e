"""The AWS CLI version 2, unmodified, against `ghostjob cloud`."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Cloud
from .forked import Done, Forked, aws_cli

Cli = Callable[..., Any]
Run = Callable[..., Done]
ARN = "arn:aws:iot:us-east-1:000000000000"
DOCUMENT = '{"operation":"update","version":"2.0"}'


@pytest.fixture(scope="module")
def run(aws: str, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    options = ["--endpoint-url", cloud.api, "--output", "json", "iot"]
    runner = Forked(*aws_cli(aws), [*options, "list-things"], tmp_path_factory.mktemp("aws"))
    yield lambda *arguments: runner.run([*options, *arguments], {})
    runner.close()


@pytest.fixture(scope="module")
def cli(run: Run) -> Cli:
    def call(*arguments: str) -> Any:
        done = run(*arguments)
        assert done.code == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return call


def test_the_life_of_a_namespaced_job_from_thing_to_forced_deletion(cli: Cli):
    thing = cli("create-thing", "--thing-name", "dev-0")
    assert thing["thingArn"] == f"{ARN}:thing/dev-0"
    assert cli("describe-thing", "--thing-name", "dev-0")["thingId"] == thing["thingId"]

    made = cli(
        *("create-job", "--job-id", "fw-lab", "--targets", thing["thingArn"]),
        *("--document", DOCUMENT, "--namespace-id", "lab", "--description", "a trial"),
    )
    assert made == {"jobArn": f"{ARN}:job/fw-lab", "jobId": "fw-lab", "description": "a trial"}

    job = cli("describe-job", "--job-id", "fw-lab")["job"]
    assert (job["status"], job["namespaceId"], job["targets"]) == ("IN_PROGRESS", "lab", [thing["thingArn"]])
    assert job["jobProcessDetails"]["numberOfQueuedThings"] == 1
    assert [each["jobId"] for each in cli("list-jobs")["jobs"]] == ["fw-lab"]

    [listed] = cli("list-job-executions-for-job", "--job-id", "fw-lab")["executionSummaries"]
    assert listed["thingArn"] == thing["thingArn"]
    assert listed["jobExecutionSummary"]["status"] == "QUEUED"
    execution = cli("describe-job-execution", "--job-id", "fw-lab", "--thing-name", "dev-0")["execution"]
    assert (execution["status"], execution["versionNumber"], execution["executionNumber"]) == ("QUEUED", 1, 1)

    assert cli("delete-job", "--job-id", "fw-lab", "--force", "--namespace-id", "lab") is None
    assert cli("describe-job", "--job-id", "fw-lab")["job"]["status"] == "DELETION_IN_PROGRESS"


def test_a_cancelled_job_is_deleted_without_force(cli: Cli, run: Run):
    arn = cli("create-thing", "--thing-name", "dev-1")["thingArn"]
    cli("create-job", "--job-id", "fw", "--targets", arn, "--document", DOCUMENT)
    refused = run("delete-job", "--job-id", "fw")
    assert refused.code == 254
    assert "(InvalidStateTransitionException) when calling the DeleteJob operation" in refused.stderr
    cancelled = cli("cancel-job", "--job-id", "fw", "--reason-code", "TRIAL_OVER")
    assert cancelled["jobId"] == "fw"
    assert cli("describe-job", "--job-id", "fw")["job"]["reasonCode"] == "TRIAL_OVER"
    assert cli("delete-job", "--job-id", "fw") is None


def test_describe_endpoint_names_the_gateway_with_mutual_tls(cli: Cli, cloud: Cloud):
    host, port = cloud.mqtts
    told = cli("describe-endpoint", "--endpoint-type", "iot:Data-ATS")
    assert told["endpointAddress"] == f"{host}:{port}"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param(["describe-job", "--job-id", "nope"], "ResourceNotFoundException", id="no such job"),
        pytest.param(
            ["delete-job", "--job-id", "nope", "--force"], "ResourceNotFoundException", id="nothing to delete"
        ),
        pytest.param(["describe-job", "--job-id", "x" * 65], "InvalidRequestException", id="too long a job id"),
        pytest.param(["describe-thing", "--thing-name", "nope"], "ResourceNotFoundException", id="no such thing"),
        pytest.param(["list-dimensions"], "InvalidRequestException", id="an operation that is not served"),
    ],
)
def test_errors_come_as_aws_words_them(run: Run, arguments: list[str], error: str):
    done = run(*arguments)
    assert done.code == 254
    assert f"An error occurred ({error}) when calling the" in done.stderr
