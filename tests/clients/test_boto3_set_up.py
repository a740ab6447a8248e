"""boto3, unmodified, sets a device up and works its jobs over HTTP, with keys that are checked."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from .cloud_process import running_cloud

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iotjobsdata:*"],
            "Resource": ["arn:aws:iot:us-east-1:000000000000:thing/${iot:Connection.Thing.ThingName}"],
        }
    ],
}


@pytest.fixture(scope="module")
def endpoints(certs: Path) -> Iterator[dict[str, str]]:
    key = ":".join(KEYS.values())
    with running_cloud("--access-key", key, "--data-port", "0", certs=certs) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def iot(endpoints: dict[str, str]) -> Iterator[Any]:
    client = boto3.client("iot", endpoint_url=endpoints["api"], **KEYS)
    yield client
    client.close()


@pytest.fixture(scope="module")
def jobs_data(endpoints: dict[str, str]) -> Iterator[Any]:
    client = boto3.client("iot-jobs-data", endpoint_url=endpoints["api"], **KEYS)
    yield client
    client.close()


def test_a_device_that_boto3_set_up_works_with_its_certificate_alone(
    iot: Any, endpoints: dict[str, str], certs: Path, tmp_path: Path
):
    thing = iot.create_thing(thingName="lamp", attributePayload={"attributes": {"model": "x"}})
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.create_policy(policyName="own-jobs", policyDocument=json.dumps(POLICY))
    iot.attach_policy(policyName="own-jobs", target=made["certificateArn"])
    iot.attach_thing_principal(thingName="lamp", principal=made["certificateArn"])
    assert iot.list_thing_principals(thingName="lamp")["principals"] == [made["certificateArn"]]
    assert iot.list_principal_things(principal=made["certificateArn"])["things"] == ["lamp"]
    iot.create_job(jobId="over-https", targets=[thing["thingArn"]], document="{}")

    (tmp_path / "key.pem").write_text(made["keyPair"]["PrivateKey"])
    (tmp_path / "cert.pem").write_text(made["certificatePem"])
    tls = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def ask(path: str) -> Any:
        with urllib.request.urlopen(endpoints["data"] + path, context=tls) as response:
            return json.load(response)

    assert [job["jobId"] for job in ask("/things/lamp/jobs")["queuedJobs"]] == ["over-https"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask("/things/other/jobs")
    assert refused.value.code == 403
    refused.value.close()

    iot.update_certificate(certificateId=made["certificateId"], newStatus="INACTIVE")
    iot.detach_thing_principal(thingName="lamp", principal=made["certificateArn"])
    iot.delete_certificate(certificateId=made["certificateId"], forceDelete=True)
    iot.delete_policy(policyName="own-jobs")
    iot.delete_thing(thingName="lamp")


def test_boto3s_data_plane_works_a_job_on_the_api_port(iot: Any, jobs_data: Any):
    arn = iot.create_thing(thingName="pump")["thingArn"]
    iot.create_job(jobId="over-http", targets=[arn], document='{"a":1}')
    started = jobs_data.start_next_pending_job_execution(thingName="pump", statusDetails={"step": "1"})["execution"]
    assert (started["jobId"], started["versionNumber"], started["jobDocument"]) == ("over-http", 2, '{"a":1}')
    told = jobs_data.describe_job_execution(thingName="pump", jobId="$next", includeJobDocument=False)["execution"]
    assert (told["status"], told["statusDetails"]) == ("IN_PROGRESS", {"step": "1"})
    with pytest.raises(jobs_data.exceptions.InvalidRequestException):
        jobs_data.update_job_execution(thingName="pump", jobId="over-http", status="SUCCEEDED", expectedVersion=9)
    jobs_data.update_job_execution(thingName="pump", jobId="over-http", status="SUCCEEDED", expectedVersion=2)
    with pytest.raises(jobs_data.exceptions.TerminalStateException):
        jobs_data.describe_job_execution(thingName="pump", jobId="over-http")
    with pytest.raises(jobs_data.exceptions.InvalidStateTransitionException):
        jobs_data.update_job_execution(thingName="pump", jobId="over-http", status="FAILED")
    iot.delete_job(jobId="over-http")
    with pytest.raises(jobs_data.exceptions.ResourceNotFoundException):
        jobs_data.update_job_execution(thingName="pump", jobId="over-http", status="FAILED")


def test_boto3_pages_through_every_list(iot: Any):
    arns = [iot.create_thing(thingName=f"page-{n}")["thingArn"] for n in range(5)]
    group = iot.create_thing_group(thingGroupName="pages")["thingGroupArn"]
    for arn in arns:
        iot.add_thing_to_thing_group(thingArn=arn, thingGroupArn=group)
    iot.create_job(jobId="pages", targets=[group], document="{}")
    for operation, arguments, member, count in (
        ("list_things_in_thing_group", {"thingGroupName": "pages"}, "things", 5),
        ("list_job_executions_for_job", {"jobId": "pages"}, "executionSummaries", 5),
        ("list_managed_job_templates", {}, "managedJobTemplates", 8),
    ):
        pages = iot.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 2})
        found = [item for page in pages for item in page[member]]
        assert len(found) == count


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param({"aws_secret_access_key": "wrong"}, "InvalidSignatureException", id="a wrong secret"),
        pytest.param({"aws_access_key_id": "AKIDOTHER"}, "UnrecognizedClientException", id="an unknown key"),
    ],
)
def test_a_signature_that_is_not_ours_opens_nothing(endpoints: dict[str, str], keys: dict[str, str], code: str):
    client = boto3.client("iot", endpoint_url=endpoints["api"], **(KEYS | keys))
    with pytest.raises(ClientError) as caught:
        client.list_things()
    client.close()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
