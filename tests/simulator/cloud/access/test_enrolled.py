"""What became of a certificate of `ghostjob certs` stays so when the cloud is started again: `--certs` says nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.fidelity.proofs import proves

ARN = "arn:aws:iot:us-east-1:000000000000:"
REFUSED = (400, "CertificateValidationException")
NO_SUCH_JOB = (404, "ResourceNotFoundException")


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t"])
    return directory


class Cloud:
    """A cloud that keeps its state, the device t, and its operator."""

    def __init__(self, cloud: LocalCloud, certs: Path, http: aiohttp.ClientSession) -> None:
        self._cloud, self._http = cloud, http
        self._tls = client_context(certs / "ca.pem", certs / "t.pem", certs / "t.key")
        self.pem = (certs / "t.pem").read_text()
        self.id = x509.load_pem_x509_certificate(self.pem.encode()).fingerprint(hashes.SHA256()).hex()

    async def device(self) -> tuple[int, str | None]:
        """What the device is answered when it asks about a job that there is not."""
        url = f"{self._cloud.endpoints['data']}/things/t/jobs/no"
        async with self._http.get(url, ssl=self._tls) as response:
            return response.status, response.headers.get("x-amzn-errortype")

    async def operate(self, method: str, path: str, **body: str) -> None:
        url = f"{self._cloud.endpoints['api']}{path}"
        async with self._http.request(method, url, data=json.dumps(body)) as response:
            assert response.status == 200, await response.text()

    async def register(self) -> None:
        await self.operate("POST", "/certificate/register-no-ca", certificatePem=self.pem, status="ACTIVE")

    async def set_status(self, status: str) -> None:
        await self.operate("PUT", f"/certificates/{self.id}?newStatus={status}")

    async def delete(self) -> None:
        await self.set_status("REVOKED")
        await self.operate("DELETE", f"/certificates/{self.id}?forceDelete=true")

    async def detach_policy(self) -> None:
        await self.operate("POST", "/target-policies/ghostjob-own-thing", target=f"{ARN}cert/{self.id}")


@asynccontextmanager
async def running(certs: Path, state: Path) -> AsyncIterator[Cloud]:
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=0, certs=certs, state=state)
    async with LocalCloud(options) as cloud, aiohttp.ClientSession() as http:
        made = Cloud(cloud, certs, http)
        await made.operate("POST", "/things/t")
        yield made


@pytest.mark.parametrize("by", ["the device, when it first came", "the operator"])
@pytest.mark.parametrize(
    ("becomes", "answer"),
    [
        ("ACTIVE", NO_SUCH_JOB),
        ("INACTIVE", REFUSED),
        ("REVOKED", REFUSED),
        ("deleted", REFUSED),
        ("without its policy", (403, "ForbiddenException")),
    ],
)
async def test_what_became_of_a_certificate_stays_so(
    certs: Path, tmp_path: Path, by: str, becomes: str, answer: tuple[int, str]
):
    state = tmp_path / "state"
    async with running(certs, state) as cloud:
        if by == "the operator":
            await cloud.register()
            policy = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
            await cloud.operate("POST", "/policies/ghostjob-own-thing", policyDocument=document)
            await cloud.operate("PUT", "/target-policies/ghostjob-own-thing", target=f"{ARN}cert/{cloud.id}")
        assert await cloud.device() == NO_SUCH_JOB
        match becomes:
            case "deleted":
                await cloud.delete()
            case "without its policy":
                await cloud.detach_policy()
            case status:
                await cloud.set_status(status)
        assert await cloud.device() == answer
    for _ in range(2):
        async with running(certs, state) as cloud:
            assert await cloud.device() == answer


@proves("own-certificates-are-registered")
async def test_one_that_was_deleted_before_it_ever_came_does_not_come(certs: Path, tmp_path: Path):
    async with running(certs, tmp_path / "state") as cloud:
        await cloud.register()
        await cloud.delete()
        assert await cloud.device() == REFUSED


async def test_who_registers_a_deleted_certificate_again_has_it_back(certs: Path, tmp_path: Path):
    state = tmp_path / "state"
    async with running(certs, state) as cloud:
        await cloud.device()
        await cloud.delete()
    async with running(certs, state) as cloud:
        await cloud.register()
        assert await cloud.device() == (403, "ForbiddenException"), "as it has the policies that somebody gives it"
    async with running(certs, state) as cloud:
        assert await cloud.device() == (403, "ForbiddenException")
