"""boto3's `iot` client, unmodified, against `ghostjob cloud`."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .cloud_process import running_cloud
from .conftest import Cloud

DOCUMENT = '{"operation":"update","version":"2.0"}'


@pytest.fixture(scope="module")
def iot(cloud: Cloud) -> Iterator[Any]:
    client = boto3.client("iot", endpoint_url=cloud.api, region_name="us-east-1")
    yield client
    client.close()


@pytest.fixture(scope="module")
def targets(iot: Any) -> list[str]:
    return [iot.create_thing(thingName=f"b-{index}")["thingArn"] for index in range(3)]


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_an_id_is_taken_until_its_deletion_is_over(iot: Any, targets: list[str]):
    made = iot.create_job(jobId="taken", targets=targets, document=DOCUMENT)
    with pytest.raises(ClientError) as caught:
        iot.create_job(jobId="taken", targets=targets, document=DOCUMENT)
    assert caught.value.response["Error"]["Code"] == "ResourceAlreadyExistsException"
    assert caught.value.response["resourceArn"] == made["jobArn"]
    iot.delete_job(jobId="taken", force=True)
    job = iot.describe_job(jobId="taken")["job"]
    assert job["status"] == "DELETION_IN_PROGRESS"
    assert (
        refused(iot.create_job, jobId="taken", targets=targets, document=DOCUMENT) == "ResourceAlreadyExistsException"
    )
    assert refused(iot.delete_job, jobId="taken", force=True) == "InvalidStateTransitionException"
    assert refused(iot.cancel_job, jobId="taken") == "InvalidRequestException"


def test_the_eleventh_deletion_at_once_is_refused():
    # boto3 by itself repeats what LimitExceededException refused, until a deletion is over.
    once = Config(retries={"total_max_attempts": 1})
    with running_cloud("--deletion-seconds", "3600") as endpoints:
        iot = boto3.client("iot", endpoint_url=endpoints["api"], config=once)
        arn = iot.create_thing(thingName="b")["thingArn"]
        for index in range(11):
            iot.create_job(jobId=f"d-{index}", targets=[arn], document=DOCUMENT)
        for index in range(10):
            iot.delete_job(jobId=f"d-{index}", force=True)
        with pytest.raises(ClientError) as caught:
            iot.delete_job(jobId="d-10", force=True)
        iot.close()
    response = caught.value.response
    assert response["Error"]["Code"] == "LimitExceededException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_pages_hold_everything_once(iot: Any, targets: list[str]):
    iot.create_job(jobId="paged", targets=targets, document=DOCUMENT)
    pages = list(
        iot.get_paginator("list_job_executions_for_job").paginate(jobId="paged", PaginationConfig={"PageSize": 2})
    )
    assert [len(page["executionSummaries"]) for page in pages] == [2, 1]
    arns = [each["thingArn"] for page in pages for each in page["executionSummaries"]]
    assert arns == targets


def test_a_job_in_a_namespace_is_deleted_under_that_namespace_only(iot: Any, targets: list[str]):
    iot.create_job(jobId="ns", targets=targets, document=DOCUMENT, namespaceId="lab")
    assert refused(iot.delete_job, jobId="ns", force=True) == "ResourceNotFoundException"
    assert refused(iot.delete_job, jobId="ns", force=True, namespaceId="other") == "ResourceNotFoundException"
    assert [job["jobId"] for job in iot.list_jobs(namespaceId="lab")["jobs"]] == ["ns"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(
            {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/nope"]},
            "ResourceNotFoundException",
            id="a thing that is not there",
        ),
        pytest.param({"targets": ["thing/b-0"]}, "InvalidRequestException", id="no ARN"),
        pytest.param({"document": "{"}, "InvalidRequestException", id="a document that is no JSON"),
        pytest.param({"namespaceId": "aws-gg-deployment"}, "InvalidRequestException", id="a namespace of AWS's"),
        pytest.param({"presignedUrlConfig": {"expiresInSec": 3601}}, "InvalidRequestException", id="over a maximum"),
        pytest.param({"targetSelection": "SOMETIMES"}, "InvalidRequestException", id="outside an enum"),
    ],
)
def test_a_bad_create_job_is_refused(iot: Any, targets: list[str], arguments: dict[str, Any], code: str):
    good = {"jobId": "bad", "targets": targets, "document": DOCUMENT}
    assert refused(iot.create_job, **(good | arguments)) == code
    assert refused(iot.describe_job, jobId="bad") == "ResourceNotFoundException"


def test_a_client_of_another_region_has_things_and_jobs_of_its_own(cloud: Cloud, iot: Any, targets: list[str]):
    there = boto3.client("iot", endpoint_url=cloud.api, region_name="ap-southeast-2")
    iot.create_job(jobId="in-two-regions", targets=targets, document=DOCUMENT)
    arn = there.create_thing(thingName="b-0")["thingArn"]
    assert arn == "arn:aws:iot:ap-southeast-2:000000000000:thing/b-0"
    there.create_job(jobId="in-two-regions", targets=[arn], document=DOCUMENT)
    there.delete_job(jobId="in-two-regions", force=True)
    assert iot.describe_job(jobId="in-two-regions")["job"]["status"] == "IN_PROGRESS"
    assert refused(there.create_job, jobId="elsewhere", targets=targets, document=DOCUMENT) == "InvalidRequestException"
    there.close()
