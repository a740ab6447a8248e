"""The local cloud that the real clients talk to, and what belongs to a test of one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from simulator.certs import make_certificates

from .cloud_process import running_cloud

THINGS = tuple(f"dev-{index}" for index in range(8))


@dataclass(frozen=True)
class Cloud:
    """A running `ghostjob cloud`; certificates for THINGS are in `certs`."""

    api: str
    mqtt: tuple[str, int]
    mqtts: tuple[str, int]
    certs: Path

    def files(self, thing: str) -> dict[str, str]:
        return {"ca": f"{self.certs}/ca.pem", "cert": f"{self.certs}/{thing}.pem", "key": f"{self.certs}/{thing}.key"}


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, THINGS)
    return directory


@pytest.fixture(scope="module")
def cloud(certs: Path) -> Iterator[Cloud]:
    with running_cloud("--deletion-seconds", "6", certs=certs) as endpoints:
        addresses = {name: endpoints[name].rsplit(":", 1) for name in ("mqtt", "mqtts")}
        mqtt, mqtts = ((host, int(port)) for host, port in addresses.values())
        yield Cloud(endpoints["api"], mqtt, mqtts, certs)


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Credentials that open nothing, and no look at the machine's own."""
    ours = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_PAGER": "",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ours.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def aws() -> str:
    """The AWS CLI version 2; the `aws` that pip installs is version 1."""
    for candidate in ("/usr/bin/aws", shutil.which("aws") or ""):
        if candidate and os.access(candidate, os.X_OK):
            told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
            if (told.stdout + told.stderr).startswith("aws-cli/2"):
                return candidate
    if os.environ.get("CI"):
        pytest.fail("CI must have the AWS CLI version 2 (Debian's package awscli)")
    pytest.skip("needs the AWS CLI version 2 (Debian's package awscli)")


class Api:
    """The operator's side of a test, through boto3."""

    def __init__(self, url: str) -> None:
        self.iot: Any = boto3.client("iot", endpoint_url=url, region_name="us-east-1")

    def create_job(self, job_id: str, thing: str, namespace_id: str | None = None) -> None:
        arn = self.iot.create_thing(thingName=thing)["thingArn"]
        more = {"namespaceId": namespace_id} if namespace_id else {}
        document = '{"operation":"update","version":"2.0"}'
        self.iot.create_job(jobId=job_id, targets=[arn], document=document, **more)

    def delete_job(self, job_id: str) -> None:
        self.iot.delete_job(jobId=job_id, force=True)


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Iterator[Api]:
    api = Api(cloud.api)
    yield api
    api.iot.close()
