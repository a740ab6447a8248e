"""The data plane over HTTP, with signatures on the API port and with certificates on the data port."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from yarl import URL

from simulator.certificate_files import client_context
from simulator.certs import authority_in, client_certificate, make_certificates, new_authority
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.http import HttpSettings
from simulator.cloud.settings.service import Fault
from simulator.trace import CloudEvent, MessageDropped
from tests.fidelity.proofs import proves

DOCUMENT = '{"operation":"test"}'
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iotjobsdata:*",
            "Resource": "arn:aws:iot:us-east-1:000000000000:thing/${iot:Connection.Thing.ThingName}",
        },
        {
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": "arn:aws:iot:us-east-1:000000000000:topic/out/*",
        },
    ],
}


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t"])
    return directory


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.error = headers.get("x-amzn-errortype")
        self.body: dict[str, Any] = json.loads(body) if body else {}


@dataclass
class Http:
    """A client of one endpoint, which signs for `service` if it has one."""

    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)
    service: str | None = None

    async def __call__(self, method: str, path: str, **body: Any) -> Answer:
        data = json.dumps(body).encode() if body else b""
        return await self.send(method, path, data)

    async def send(self, method: str, path: str, data: bytes) -> Answer:
        url = URL(f"{str(self.session._base_url).rstrip('/')}{path}", encoded=True)
        headers = {"Content-Type": "application/octet-stream", "Host": url.authority} | self.headers
        if self.service is not None:
            request = AWSRequest(method, str(url), headers=headers, data=data)
            SigV4Auth(Credentials("AK", "secret"), self.service, "us-east-1").add_auth(request)
            headers = dict(request.headers)
        async with self.session.request(method, url, data=data, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    def signing_for(self, service: str | None) -> "Http":
        return replace(self, service=service)

    def with_header(self, name: str, value: str) -> "Http":
        return replace(self, headers=self.headers | {name: value})


@dataclass
class Cloud:
    """A cloud with the thing t: its operator, and its device over either port."""

    operator: Http
    signed: Http
    device: Http
    events: list[CloudEvent]
    certificate_id: str

    async def create_job(self, job_id: str, **more: Any) -> None:
        targets = ["arn:aws:iot:us-east-1:000000000000:thing/t"]
        made = await self.operator("PUT", f"/jobs/{job_id}", targets=targets, document=DOCUMENT, **more)
        assert made.status == 200, made.body


@asynccontextmanager
async def running(certs: Path, **options: Any) -> AsyncIterator[Cloud]:
    events: list[CloudEvent] = []
    ports = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=0, certs=certs, **options)
    async with (
        LocalCloud(ports, events.append) as cloud,
        aiohttp.ClientSession(cloud.endpoints["api"]) as api,
        aiohttp.ClientSession(cloud.endpoints["data"], connector=connector(certs, "t")) as data,
    ):
        operator = Http(api, service="iot")
        await operator("POST", "/things/t", thingTypeName="lamp")
        pem = (certs / "t.pem").read_text()
        certificate_id = await known(operator, pem)
        arn = f"arn:aws:iot:us-east-1:000000000000:cert/{certificate_id}"
        await operator("POST", "/policies/own", policyDocument=json.dumps(POLICY))
        await operator("PUT", "/target-policies/own", target=arn)
        await operator.with_header("x-amzn-principal", arn)("PUT", "/things/t/principals")
        yield Cloud(operator, operator.signing_for("iot-jobs-data"), Http(data), events, certificate_id)


async def known(operator: Http, pem: str) -> str:
    """The id of a certificate that is registered, and ACTIVE."""
    made = await operator("POST", "/certificate/register-no-ca", certificatePem=pem, status="ACTIVE")
    return str(made.body.get("certificateId") or made.body["resourceId"])


def connector(certs: Path, name: str) -> aiohttp.TCPConnector:
    tls: ssl.SSLContext = client_context(certs / "ca.pem", certs / f"{name}.pem", certs / f"{name}.key")
    return aiohttp.TCPConnector(ssl=tls)


@pytest.fixture
async def cloud(certs: Path) -> AsyncIterator[Cloud]:
    async with running(certs) as cloud:
        yield cloud


@pytest.fixture(params=["signed", "device"])
def ask(request: pytest.FixtureRequest, cloud: Cloud) -> Http:
    """A device's client: with a signature on the API port, with a certificate on the data port."""
    return getattr(cloud, request.param)


async def test_a_device_does_a_job_over_http_alone(cloud: Cloud, ask: Http):
    assert (await ask("GET", "/things/t/jobs")).body == {"inProgressJobs": [], "queuedJobs": []}
    assert (await ask("GET", "/things/t/jobs/$next")).body == {}
    await cloud.create_job("fw")
    (queued,) = (await ask("GET", "/things/t/jobs")).body["queuedJobs"]
    assert queued == {
        "jobId": "fw",
        "queuedAt": queued["queuedAt"],
        "lastUpdatedAt": queued["queuedAt"],
        "versionNumber": 1,
        "executionNumber": 1,
    }
    assert isinstance(queued["queuedAt"], int)
    started = (await ask("PUT", "/things/t/jobs/$next", statusDetails={"step": "1"})).body["execution"]
    assert (started["status"], started["versionNumber"], started["statusDetails"]) == ("IN_PROGRESS", 2, {"step": "1"})
    assert (started["jobDocument"], started["thingName"]) == (DOCUMENT, "t")
    told = (await ask("GET", "/things/t/jobs/%24next?includeJobDocument=false")).body["execution"]
    assert "jobDocument" not in told
    assert isinstance(told["startedAt"], int)
    wanted = {"includeJobExecutionState": True, "includeJobDocument": True}
    updated = await ask("POST", "/things/t/jobs/fw", status="SUCCEEDED", expectedVersion=2, **wanted)
    assert updated.body == {
        "executionState": {"status": "SUCCEEDED", "statusDetails": {"step": "1"}, "versionNumber": 3},
        "jobDocument": DOCUMENT,
    }
    assert (await cloud.operator("GET", "/jobs/fw")).body["job"]["status"] == "COMPLETED"


async def test_the_control_planes_own_paths_answer_as_the_control_plane(cloud: Cloud):
    await cloud.create_job("fw")
    assert set((await cloud.operator("GET", "/things/t/jobs")).body) == {"executionSummaries"}
    assert "jobDocument" not in (await cloud.operator("GET", "/things/t/jobs/fw")).body["execution"]
    by_host = cloud.operator.signing_for(None).with_header("Host", "abc.jobs.iot.us-east-1.amazonaws.com")
    assert set((await by_host("GET", "/things/t/jobs")).body) == {"inProgressJobs", "queuedJobs"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(certs: Path) -> AsyncIterator[Cloud]:
    """A cloud for what changes nothing: the job done has SUCCEEDED, fw is QUEUED."""
    async with running(certs) as cloud:
        await cloud.create_job("done")
        await cloud.signed("POST", "/things/t/jobs/done", status="SUCCEEDED")
        await cloud.create_job("fw")
        yield cloud


@pytest.mark.parametrize("who", ["signed", "device"])
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name"),
    [
        pytest.param("GET", "/things/t/jobs/no", {}, 404, "ResourceNotFoundException", id="a job that is not there"),
        pytest.param("GET", "/things/t/jobs/fw?executionNumber=2", {}, 404, "ResourceNotFoundException", id="a number"),
        pytest.param("GET", "/things/t/jobs/done", {}, 410, "TerminalStateException", id="an end that was reached"),
        pytest.param(
            "POST",
            "/things/t/jobs/done",
            {"status": "FAILED"},
            409,
            "InvalidStateTransitionException",
            id="after the end",
        ),
        pytest.param(
            "POST",
            "/things/t/jobs/fw",
            {"status": "CANCELED"},
            409,
            "InvalidStateTransitionException",
            id="a status of the service's",
        ),
        pytest.param(
            "POST",
            "/things/t/jobs/fw",
            {"status": "FAILED", "expectedVersion": 9},
            400,
            "InvalidRequestException",
            id="another version",
        ),
        pytest.param("POST", "/things/t/jobs/fw", {}, 400, "InvalidRequestException", id="no status"),
        pytest.param(
            "POST", "/things/t/jobs/fw", {"status": "DANCING"}, 400, "InvalidRequestException", id="no such status"
        ),
        pytest.param(
            "POST",
            "/things/t/jobs/fw",
            {"status": "IN_PROGRESS", "statusDetails": {"a b": "c"}},
            400,
            "InvalidRequestException",
            id="a detail's name with a space",
        ),
        pytest.param(
            "POST",
            "/things/t/jobs/fw",
            {"status": "IN_PROGRESS", "statusDetails": {f"k{n}": "v" for n in range(11)}},
            400,
            "InvalidRequestException",
            id="eleven details",
        ),
        pytest.param(
            "POST",
            "/things/t/jobs/fw",
            {"status": "IN_PROGRESS", "stepTimeoutInMinutes": 0},
            400,
            "InvalidRequestException",
            id="a step timeout of nothing",
        ),
        pytest.param(
            "PUT",
            "/things/t/jobs/$next",
            {"stepTimeoutInMinutes": -1},
            400,
            "InvalidRequestException",
            id="no step timer to cancel at the start",
        ),
        pytest.param("GET", "/things/t/jobs/b%20d", {}, 400, "InvalidRequestException", id="an id with a space"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_errors_have_the_data_planes_names(shared: Cloud, who: str, method, path, body, status, name):
    answer = await getattr(shared, who)(method, path, **body)
    assert (answer.status, answer.error) == (status, name)
    assert answer.body["message"]


async def test_a_thing_that_nobody_made_has_no_jobs(cloud: Cloud):
    answer = await cloud.signed("GET", "/things/no/jobs")
    assert (answer.status, answer.error) == (404, "ResourceNotFoundException")


@proves("a-conflict-shows-the-state")
async def test_a_refused_transition_shows_the_state(cloud: Cloud):
    await cloud.create_job("fw")
    await cloud.device("POST", "/things/t/jobs/fw", status="FAILED")
    answer = await cloud.device("POST", "/things/t/jobs/fw", status="IN_PROGRESS")
    assert answer.body["executionState"] == {"status": "FAILED", "versionNumber": 2}


@proves("http-has-no-version-mismatch")
async def test_the_error_for_another_version_is_a_setting(certs: Path):
    settings = HttpSettings(version_mismatch_over_http="InvalidStateTransitionException")
    async with running(certs, http=settings) as cloud:
        await cloud.create_job("fw")
        answer = await cloud.device("POST", "/things/t/jobs/fw", status="FAILED", expectedVersion=9)
        assert (answer.status, answer.error) == (409, "InvalidStateTransitionException")
        assert answer.body["message"].startswith("VersionMismatch")


async def test_over_quota_a_device_is_throttled_with_429(certs: Path):
    async with running(certs, cloud=JobsSettings(requests_per_second=1)) as cloud:
        answers = [await cloud.device("GET", "/things/t/jobs") for _ in range(4)]
        assert (429, "ThrottlingException") in {(answer.status, answer.error) for answer in answers}


@proves("a-namespace-stands-in-the-query")
async def test_a_namespace_is_named_in_the_query(cloud: Cloud, ask: Http):
    await cloud.create_job("fw", namespaceId="lab")
    assert (await ask("GET", "/things/t/jobs")).body["queuedJobs"] == []
    assert len((await ask("GET", "/things/t/jobs?namespaceId=lab")).body["queuedJobs"]) == 1
    assert (await ask("GET", "/things/t/jobs/fw")).status == 404
    assert (await ask("GET", "/things/t/jobs/$next?namespaceId=lab")).body["execution"]["jobId"] == "fw"
    updated = await ask("POST", "/things/t/jobs/fw?namespaceId=lab", status="REJECTED")
    assert (updated.status, updated.body) == (200, {})


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────


@proves("a-certificate-opens-what-its-policies-say")
async def test_a_device_touches_its_own_thing_alone(cloud: Cloud):
    await cloud.operator("POST", "/things/other")
    for method, path in (
        ("GET", "/things/other/jobs"),
        ("PUT", "/things/other/jobs/$next"),
        ("GET", "/things/other/jobs/fw"),
        ("POST", "/things/other/jobs/fw"),
    ):
        answer = await cloud.device(method, path, **({"status": "FAILED"} if method == "POST" else {}))
        assert (answer.status, answer.error) == (403, "ForbiddenException")


@proves("an-inactive-certificate-is-invalid")
async def test_a_certificate_counts_while_it_is_known_and_active(cloud: Cloud, certs: Path, tmp_path: Path):
    key = ec.generate_private_key(ec.SECP256R1())
    never_registered = client_certificate(authority_in(certs), x509.Name([]), key.public_key())
    (tmp_path / "x.pem").write_bytes(never_registered.public_bytes(Encoding.PEM))
    (tmp_path / "x.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ca.pem").write_bytes((certs / "ca.pem").read_bytes())
    async with aiohttp.ClientSession(cloud.device.session._base_url, connector=connector(tmp_path, "x")) as session:
        answer = await Http(session)("GET", "/things/t/jobs")
        assert (answer.status, answer.error) == (400, "CertificateValidationException")
        answer = await publish(Http(session), "/topics/out/a")
        assert (answer.status, answer.error) == (403, "ForbiddenException")
    await cloud.operator("PUT", f"/certificates/{cloud.certificate_id}?newStatus=INACTIVE")
    answer = await cloud.device("GET", "/things/t/jobs")
    assert (answer.status, answer.error) == (400, "CertificateValidationException")
    await cloud.operator("PUT", f"/certificates/{cloud.certificate_id}?newStatus=ACTIVE")
    assert (await cloud.device("GET", "/things/t/jobs")).status == 200


@pytest.mark.parametrize("which", ["foreign", "expired"])
async def test_a_foreign_or_expired_certificate_ends_its_own_connection_only(
    cloud: Cloud, certs: Path, tmp_path: Path, which: str
):
    authority, key = (
        authority_in(certs) if which == "expired" else new_authority(),
        ec.generate_private_key(ec.SECP256R1()),
    )
    end = datetime.now(UTC) + timedelta(days=-1 if which == "expired" else 1)
    builder = x509.CertificateBuilder(
        issuer_name=authority[0].subject,
        subject_name=x509.Name([]),
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=end - timedelta(days=2),
        not_valid_after=end,
    )
    certificate = builder.sign(authority[1], hashes.SHA256())
    (tmp_path / "x.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "x.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ca.pem").write_bytes((certs / "ca.pem").read_bytes())
    async with aiohttp.ClientSession(cloud.device.session._base_url, connector=connector(tmp_path, "x")) as session:
        with pytest.raises(aiohttp.ClientError):
            await Http(session)("GET", "/things/t/jobs")
    assert (await cloud.device("GET", "/things/t/jobs")).status == 200


async def test_the_control_plane_is_not_on_the_data_port(cloud: Cloud):
    answer = await cloud.device("GET", "/things")
    assert (answer.status, answer.error) == (404, "UnknownOperationException")


@proves("signatures-are-checked-if-there-are-keys")
async def test_with_access_keys_every_plane_wants_its_own_signature(certs: Path):
    async with running(certs, access_keys=(("AK", "secret"),)) as cloud:

        async def asked(path: str, service: str | None, method: str = "GET") -> tuple[int, str | None]:
            answer = await cloud.operator.signing_for(service)(method, path)
            return answer.status, answer.error

        assert await asked("/things", None) == (403, "MissingAuthenticationTokenException")
        assert await asked("/things", "s3") == (403, "InvalidSignatureException")
        assert await asked("/things", "iot") == (200, None)
        assert await asked("/things", "execute-api") == (200, None)
        assert await asked("/things/t/jobs", "iot") == (200, None)
        assert await asked("/things/t/jobs/no", "iot-jobs-data") == (404, "ResourceNotFoundException")
        assert await asked("/topics/a", "iot", "POST") == (403, "InvalidSignatureException")
        assert await asked("/topics/a", "iotdata", "POST") == (200, None)


# ── what the network and the service do ──────────────────────────────────────────────────────────────────────


TALK = ("request.received", "request.answered", "answer.delivered")


def types_of(cloud: Cloud) -> list[str]:
    return [event.type for event in cloud.events if event.type in TALK]


async def test_requests_answers_and_refusals_are_traced_as_over_mqtt(cloud: Cloud):
    await cloud.create_job("fw")
    await cloud.device("GET", "/things/t/jobs")
    await cloud.device("GET", "/things/t/jobs/no")
    assert types_of(cloud) == [*TALK, *TALK]
    await cloud.device("POST", "/things/t/jobs/fw", status="IN_PROGRESS")
    types = [event.type for event in cloud.events]
    assert types.index("execution.changed") < types.index("request.answered", types.index("execution.changed"))


@pytest.mark.parametrize("message", ["update", "update-answer"])
async def test_a_lost_message_ends_the_connection_and_the_next_try_is_another(certs: Path, message):
    faults = (Fault(do="lose", messages=(message,), first=1),)
    async with running(certs, faults=faults) as cloud:
        await cloud.create_job("fw")
        with pytest.raises(aiohttp.ClientError):
            await cloud.device("POST", "/things/t/jobs/fw", status="IN_PROGRESS")
        version = 1 if message == "update" else 2
        told = (await cloud.device("GET", "/things/t/jobs/fw")).body["execution"]
        assert told["versionNumber"] == version
        assert (await cloud.device("POST", "/things/t/jobs/fw", status="IN_PROGRESS")).status == 200


async def test_a_message_that_comes_twice_is_done_twice_and_answered_once(certs: Path):
    faults = (Fault(do="duplicate", messages=("update",), first=1),)
    async with running(certs, faults=faults) as cloud:
        await cloud.create_job("fw")
        answer = await cloud.device("POST", "/things/t/jobs/fw", status="IN_PROGRESS", includeJobExecutionState=True)
        assert answer.body["executionState"]["versionNumber"] == 2
        assert (await cloud.device("GET", "/things/t/jobs/fw")).body["execution"]["versionNumber"] == 3


@pytest.mark.parametrize(
    ("do", "status", "name"),
    [("throttle", 429, "ThrottlingException"), ("fail", 503, "ServiceUnavailableException")],
)
async def test_passing_errors_of_the_service_have_their_own_status(certs: Path, do, status: int, name: str):
    async with running(certs, faults=(Fault(do=do, messages=("get-pending",), first=1),)) as cloud:
        answer = await cloud.device("GET", "/things/t/jobs")
        assert (answer.status, answer.error) == (status, name)
        assert (await cloud.device("GET", "/things/t/jobs")).status == 200


# ── publishing ───────────────────────────────────────────────────────────────────────────────────────────────


async def publish(ask: Http, path: str, payload: bytes = b"hello") -> Answer:
    return await ask.send("POST", path, payload)


async def test_what_is_published_over_http_reaches_mqtts_subscribers(certs: Path, monkeypatch: pytest.MonkeyPatch):
    told: asyncio.Queue[tuple[str, bytes, int]] = asyncio.Queue()
    monkeypatch.setattr(
        "simulator.cloud.mqtt.router.Router.publish",
        lambda self, topic, payload, qos=1, *more, **named: told.put_nowait((topic, payload, qos)),
    )
    async with running(certs) as cloud:
        answer = await publish(cloud.device, "/topics/out/a?qos=1")
        assert (answer.status, answer.body["message"]) == (200, "OK")
        assert answer.body["traceId"]
        assert await told.get() == ("out/a", b"hello", 1)
        await publish(cloud.operator, "/topics/any%2Fwhere")
        assert await told.get() == ("any/where", b"hello", 0)


@proves("reserved-topics-are-not-published-to-over-http")
@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        pytest.param("/topics/$aws/things/t/jobs/notify", 400, "InvalidRequestException", id="a topic of the service"),
        pytest.param("/topics/$aws/things/t/jobs/fw/update", 400, "InvalidRequestException", id="a request"),
        pytest.param("/topics/", 400, "InvalidRequestException", id="no topic"),
        pytest.param("/topics/a/%23", 400, "InvalidRequestException", id="a wildcard"),
        pytest.param("/topics/a%FF", 400, "InvalidRequestException", id="no UTF-8"),
        pytest.param(f"/topics/{'a' * 257}", 400, "InvalidRequestException", id="too long"),
        pytest.param("/topics/a/b/c/d/e/f/g/h/i", 400, "InvalidRequestException", id="too many slashes"),
        pytest.param("/topics/a?qos=2", 400, "InvalidRequestException", id="QoS 2"),
        pytest.param("/topics/a?retain=perhaps", 400, "InvalidRequestException", id="retained, perhaps"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_cannot_be_published_is_refused(shared: Cloud, path: str, status: int, name: str):
    answer = await publish(shared.operator, path)
    assert (answer.status, answer.error) == (status, name)


@proves("basic-ingest-is-accepted", "basic-ingest-prefix-does-not-count")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/topics/$aws/rules/one/a", 200, id="for a rule"),
        pytest.param("/topics/%24aws%2Frules%2Fone%2Fa?qos=1", 200, id="for a rule, written otherwise"),
        pytest.param("/topics/$aws/rules/one/1/2/3/4/5/6/7/8", 200, id="seven slashes after the rule"),
        pytest.param("/topics/$aws/rules/one/1/2/3/4/5/6/7/8/9", 400, id="too many slashes after the rule"),
        pytest.param("/topics/$aws/rules/one/a?retain=true", 400, id="to be retained"),
        pytest.param("/topics/$aws/rules//a", 400, id="no rule"),
    ],
)
async def test_what_is_for_a_rule_is_accepted_and_told(cloud: Cloud, path: str, status: int):
    answer = await publish(cloud.operator, path)
    assert answer.status == status
    told = [event.resource for event in cloud.events if isinstance(event, MessageDropped)]
    assert told == (["rule/one"] if status == 200 else [])


async def test_a_payload_has_at_most_128_kb(cloud: Cloud):
    assert (await publish(cloud.operator, "/topics/a", bytes(128 * 1024))).status == 200
    answer = await publish(cloud.operator, "/topics/a", bytes(128 * 1024 + 1))
    assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")


async def test_a_device_publishes_where_its_policy_lets_it(cloud: Cloud):
    answer = await publish(cloud.device, "/topics/elsewhere")
    assert (answer.status, answer.error) == (403, "ForbiddenException")
    answer = await cloud.device("GET", "/topics/out/a")
    assert (answer.status, answer.error) == (405, "MethodNotAllowedException")


@proves("reading-retained-messages-needs-leave")
async def test_a_device_reads_the_retained_messages_that_its_policy_lets_it(cloud: Cloud):
    for topic in ("out/a", "elsewhere"):
        await publish(cloud.operator, f"/topics/{topic}?retain=true")
    assert (await cloud.device("GET", "/retainedMessage/out%2Fa")).error == "ForbiddenException"
    assert (await cloud.device("GET", "/retainedMessage")).error == "ForbiddenException"
    arn = "arn:aws:iot:us-east-1:000000000000:"

    async def give(name: str, *statements: dict[str, str]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        await cloud.operator("POST", f"/policies/{name}", policyDocument=document)
        await cloud.operator("PUT", f"/target-policies/{name}", target=f"{arn}cert/{cloud.certificate_id}")

    of_one = {"Effect": "Allow", "Action": "iot:GetRetainedMessage", "Resource": f"{arn}topic/out/*"}
    await give("reads", of_one, {"Effect": "Allow", "Action": "iot:ListRetainedMessages", "Resource": f"{arn}*"})
    assert (await cloud.device("GET", "/retainedMessage")).error == "ForbiddenException", "it is about no resource"
    await give("lists", {"Effect": "Allow", "Action": "iot:ListRetainedMessages", "Resource": "*"})
    told = await cloud.device("GET", "/retainedMessage/out%2Fa")
    assert (told.body["topic"], told.body["payload"]) == ("out/a", "aGVsbG8=")
    assert (await cloud.device("GET", "/retainedMessage/elsewhere")).error == "ForbiddenException"
    listed = (await cloud.device("GET", "/retainedMessage")).body["retainedTopics"]
    assert [each["topic"] for each in listed] == ["elsewhere", "out/a"]
