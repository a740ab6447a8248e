"""Every route of every HTTP port × everybody who may come to it: who is let in, and who is not.

A route that stands in no row here fails the first test: think of who may use it, and give it one.
"""

import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from yarl import URL

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.api.schema import schema_of
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.fidelity.proofs import proves

KEY, SECRET = "AKEXAMPLE", "secret"
ARN = "arn:aws:iot:us-east-1:000000000000:"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "mqtt",
}
MISSING, UNKNOWN, INVALID = (
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
)
TURNED_AWAY = {
    MISSING,
    UNKNOWN,
    INVALID,
    "IncompleteSignatureException",
    "AccessDeniedException",
    "ForbiddenException",
    "CertificateValidationException",
    "SignatureDoesNotMatch",
    "AccessDenied",
}
"""Whatever tells a caller that it is not let in."""


def every(service: str, prefix: str = "") -> list[tuple[str, str]]:
    """Method and path of each operation, with `t` for each name; and a path that is none."""
    model, found = schema_of(service).model, []
    for name in model.operation_names:
        http = model.operation_model(name).http
        parts = http["requestUri"].partition("?")[0].split("/")
        path = "/".join("t" if part.startswith("{") else part for part in parts)
        found.append((http["method"], prefix + path))
    return [*found, ("GET", f"{prefix}/no-such-operation")]


DEVICE = [
    ("GET", "/things/t/jobs"),
    ("PUT", "/things/t/jobs/$next"),
    ("GET", "/things/t/jobs/fw"),
    ("POST", "/things/t/jobs/fw"),
]
"""What a device asks about its jobs."""
RETAINED = [("GET", "/retainedMessage/t%2Fstate"), ("GET", "/retainedMessage")]
PUBLISHED = [("POST", "/topics/t/state"), ("POST", "/topics/t%2Fstate?retain=true&qos=1")]

TABLE: dict[tuple[str, str], tuple[str | None, list[tuple[str, str]]]] = {
    ("api", "websocket"): ("iotdevicegateway", [("GET", "/mqtt")]),
    ("api", "files"): (None, [("GET", "/-/files/bucket/image.bin"), ("HEAD", "/-/files/bucket/image.bin")]),
    ("api", "greengrass"): ("iot", every("iot", "/-/greengrass")),
    ("api", "publish"): ("iotdata", PUBLISHED),
    ("api", "retained"): ("iotdata", RETAINED),
    ("api", "jobs-data"): ("iot-jobs-data", [*DEVICE, ("GET", "/things/t/jobs/$next")]),
    ("api", "control"): ("iot", [*every("iot"), ("GET", "/"), ("GET", "/-/greengrass"), ("GET", "/-/filesx")]),
    ("data", "publish"): (None, PUBLISHED),
    ("data", "retained"): (None, RETAINED),
    ("data", "jobs-data"): (None, [*DEVICE, ("GET", "/things/t/jobs/$next")]),
    ("mqtts", "publish"): (None, PUBLISHED),
    ("mqtts", "retained"): (None, RETAINED),
    ("mqtts", "jobs-data"): (None, DEVICE),
}
"""By port and route: the service that a signature has to be for, and what there is to ask for."""
API = [route for port, route in TABLE if port == "api" and route != "files"]
CERTIFIED = [(port, route) for port, route in TABLE if port != "api"]


@dataclass
class World:
    """A cloud with access keys, certificates and files; the thing t has the job fw, and other nothing."""

    cloud: LocalCloud
    certs: Path
    http: aiohttp.ClientSession

    def url(self, port: str, target: str) -> str:
        at = self.cloud.endpoints[port] or ""
        return f"{f'https://{at}' if port == 'mqtts' else at}{target}"

    async def ask(
        self, method: str, url: str, tls: ssl.SSLContext | None = None, **headers: str
    ) -> tuple[int, str | None]:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else b""
        async with self.http.request(
            method, URL(url, encoded=True), data=body, headers=headers, ssl=tls or True
        ) as response:
            if response.status != 101:
                text = (await response.read()).decode()
                s3 = text.partition("<Code>")[2].partition("</Code>")[0]
                return response.status, response.headers.get("x-amzn-errortype") or s3 or None
            return 101, None

    async def operate(self, method: str, path: str, **body: Any) -> None:
        url = self.url("api", path)
        data = json.dumps(body).encode()
        headers = signature(method, url, data, "iot", {})
        async with self.http.request(method, url, data=data, headers=headers) as response:
            assert response.status == 200, await response.text()

    def count(self) -> tuple[int, int]:
        """Of what there is: it changes with every change."""
        core = self.cloud.core
        return core.registry.revision, len(core.jobs.executions_of_thing("t"))


def signature(
    method: str,
    url: str,
    data: bytes,
    service: str,
    headers: dict[str, str],
    key: str = KEY,
    secret: str = SECRET,
    ago: timedelta = timedelta(0),
) -> dict[str, str]:
    request = AWSRequest(method, url, headers={"Host": URL(url).authority, **headers}, data=data)
    signer = SigV4Auth(Credentials(key, secret), service, "us-east-1")
    at = datetime.now(UTC) - ago
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return dict(request.headers)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t", "other", "revoked", "inactive", "deleted"])
    return directory


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of another CA."""
    directory = tmp_path_factory.mktemp("foreign")
    make_certificates(directory, ["t"])
    return directory


def id_of(certs: Path, name: str) -> str:
    pem = (certs / f"{name}.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


@asynccontextmanager
async def running(
    certs: Path, files: Path, keys: tuple[tuple[str, str], ...] = ((KEY, SECRET),)
) -> AsyncIterator[World]:
    (files / "bucket").mkdir()
    (files / "bucket" / "image.bin").write_bytes(b"image")
    options = CloudSettings(
        api_port=0, mqtt_port=None, mqtts_port=0, data_port=0, certs=certs, files=files, access_keys=keys
    )
    async with LocalCloud(options) as cloud, aiohttp.ClientSession() as http:
        world = World(cloud, certs, http)
        await world.operate("POST", "/things/t")
        await world.operate("POST", "/things/other")
        await world.operate("PUT", "/jobs/fw", targets=[f"{ARN}thing/t"], document="{}")
        yield world


@pytest.fixture
async def world(certs: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with running(certs, tmp_path) as made:
        yield made


async def test_every_route_stands_in_the_table(world: World):
    there = {(port, route.name) for port, listener in world.cloud._http.listeners.items() for route in listener.routes}
    assert there == set(TABLE)


# ── signatures ────────────────────────────────────────────────────────────────────────────────────────────────

Signs = Callable[[str, str, bytes, str, dict[str, str]], dict[str, str]]


def otherwise(**how: Any) -> Signs:
    def sign(method: str, url: str, data: bytes, service: str, headers: dict[str, str]) -> dict[str, str]:
        return signature(
            method, url, data, how.get("service", service), headers, **{k: v for k, v in how.items() if k != "service"}
        )

    return sign


def of_another_path(method: str, url: str, data: bytes, service: str, headers: dict[str, str]) -> dict[str, str]:
    return signature(method, f"{url}/other", data, service, headers)


SIGNERS = [
    pytest.param(lambda m, u, d, s, h: h, {MISSING}, id="unsigned, on this machine"),
    pytest.param(otherwise(secret="guessed"), {INVALID}, id="with another secret"),
    pytest.param(otherwise(key="AKOTHER"), {UNKNOWN}, id="with an unknown key"),
    pytest.param(otherwise(service="s3"), {INVALID}, id="for another service"),
    pytest.param(otherwise(ago=timedelta(minutes=6)), {INVALID}, id="expired"),
    pytest.param(otherwise(ago=timedelta(minutes=-6)), {INVALID}, id="not yet"),
    pytest.param(of_another_path, {INVALID}, id="of another request"),
]


async def walk(world: World, route: str, sign: Signs) -> AsyncIterator[tuple[str, tuple[int, str | None]]]:
    service, asked = TABLE["api", route]
    assert service is not None
    for method, target in asked:
        url, data = world.url("api", target), b"{}" if method in ("POST", "PUT", "PATCH") else b""
        headers = sign(method, url, data, service, UPGRADE if route == "websocket" else {})
        yield f"{method} {target}", await world.ask(method, url, **headers)


@proves("signatures-are-checked-if-there-are-keys")
@pytest.mark.parametrize("route", API)
@pytest.mark.parametrize(("sign", "errors"), SIGNERS)
async def test_with_access_keys_who_does_not_sign_right_gets_nothing(
    world: World, route: str, sign: Signs, errors: set[str]
):
    before = world.count()
    async for what, (status, error) in walk(world, route, sign):
        assert (status, error in errors) == (403, True), f"{what}: {status} {error}"
    assert world.count() == before


@pytest.mark.parametrize("route", API)
async def test_with_access_keys_who_signs_right_is_let_in_from_anywhere(
    world: World, route: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aiohttp.web.BaseRequest.remote", "192.0.2.7")
    async for what, (status, error) in walk(world, route, signature):
        assert error not in TURNED_AWAY, f"{what}: {status} {error}"
        assert status < 500, what


@pytest.mark.parametrize("route", API)
async def test_without_access_keys_only_awss_own_hand_asks_where_one_is(
    certs: Path, tmp_path: Path, route: str, monkeypatch: pytest.MonkeyPatch
):
    async with running(certs, tmp_path, ()) as world:
        unsigned: Signs = lambda m, u, d, s, h: h  # noqa: E731 - a row of the table
        if route == "jobs-data":  # told apart by its signature, which nobody checks
            unsigned = otherwise(key="anybody", secret="anything")
        async for what, (_, error) in walk(world, route, unsigned):
            assert error not in TURNED_AWAY, what
        monkeypatch.setattr("aiohttp.web.BaseRequest.remote", "192.0.2.7")
        async for what, (_, error) in walk(world, route, unsigned):
            assert (error == "AccessDeniedException") is (route == "greengrass"), what


# ── presigned URLs ────────────────────────────────────────────────────────────────────────────────────────────


def a_url(world: World, key: str = "image.bin", ago: float = 0) -> str:
    assert world.cloud._urls is not None
    return world.cloud._urls.url(f"https://s3.amazonaws.com/bucket/{key}", time.time() - ago, 60)


BEARERS = [
    pytest.param(lambda world: a_url(world).partition("?")[0], "SignatureDoesNotMatch", id="unsigned"),
    pytest.param(lambda world: a_url(world)[:-4] + "ffff", "SignatureDoesNotMatch", id="with another signature"),
    pytest.param(
        lambda world: a_url(world, "other.bin").replace("other.bin", "image.bin"),
        "SignatureDoesNotMatch",
        id="of another file",
    ),
    pytest.param(lambda world: a_url(world, ago=100), "AccessDenied", id="expired"),
]


@pytest.mark.parametrize(("url", "error"), BEARERS)
@pytest.mark.parametrize("signs", [False, True], ids=["without a signature", "with one of the keys"])
async def test_a_file_is_for_who_has_its_url_and_no_key_takes_its_place(
    world: World, url: Any, error: str, signs: bool
):
    asked, headers = url(world), {}
    if signs:
        headers = signature("GET", asked, b"", "iot", {})
    assert await world.ask("GET", asked, **headers) == (403, error)
    assert await world.ask("HEAD", asked) == (403, None)


async def test_a_file_is_served_to_who_has_its_url(world: World):
    for method in ("GET", "HEAD"):
        assert await world.ask(method, a_url(world)) == (200, None)


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────


async def prepared(world: World) -> None:
    """t may do everything of its own; of the others none may, each for another reason."""
    statements = [
        {"Effect": "Allow", "Action": "iotjobsdata:*", "Resource": f"{ARN}thing/t"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:RetainPublish"], "Resource": f"{ARN}topic/t/*"},
        {"Effect": "Allow", "Action": "iot:GetRetainedMessage", "Resource": f"{ARN}topic/t/*"},
        {"Effect": "Allow", "Action": "iot:ListRetainedMessages", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    await world.operate("POST", "/policies/everything", policyDocument=document)
    for name, status in (("t", "ACTIVE"), ("revoked", "REVOKED"), ("inactive", "INACTIVE"), ("deleted", "INACTIVE")):
        pem, certificate_id = (world.certs / f"{name}.pem").read_text(), id_of(world.certs, name)
        await world.operate("POST", "/certificate/register-no-ca", certificatePem=pem, status="ACTIVE")
        await world.operate("PUT", "/target-policies/everything", target=f"{ARN}cert/{certificate_id}")
        await world.operate("PUT", f"/certificates/{certificate_id}?newStatus={status}")
    await world.operate("DELETE", f"/certificates/{id_of(world.certs, 'deleted')}?forceDelete=true")


def tls_of(certs: Path, name: str, port: str) -> ssl.SSLContext:
    tls = client_context(certs / "ca.pem", certs / f"{name}.pem", certs / f"{name}.key")
    if port == "mqtts":
        tls.set_alpn_protocols(["x-amzn-http-ca"])
    return tls


@pytest.mark.parametrize(("port", "route"), CERTIFIED)
async def test_over_mutual_tls_only_the_holder_of_the_right_certificate_is_let_in(world: World, port: str, route: str):
    await prepared(world)
    before = world.count()
    for name in ("other", "revoked", "inactive", "deleted"):
        tls = tls_of(world.certs, name, port)
        unknown = [("GET", "/no-such-operation"), ("GET", "/things")] if name != "other" else []
        for method, target in TABLE[port, route][1] + unknown:
            url = world.url(port, target)
            wanted = (
                {"ForbiddenException"} if name == "other" else {"ForbiddenException", "CertificateValidationException"}
            )
            for headers in ({}, signature(method, url, b"{}" if method in ("POST", "PUT") else b"", "iot", {})):
                status, error = await world.ask(method, url, tls, **headers)
                assert (status in (400, 403), error in wanted) == (True, True), f"{name}: {method} {target}: {error}"
    revision, executions = world.count()
    assert (revision - before[0] <= 3, executions) == (True, before[1]), "other was registered, and nothing else"
    right = tls_of(world.certs, "t", port)
    for method, target in TABLE[port, route][1]:
        status, error = await world.ask(method, world.url(port, target), right)
        assert error not in TURNED_AWAY, f"{method} {target}: {status} {error}"


@pytest.mark.parametrize("port", ["data", "mqtts"])
async def test_without_a_certificate_of_the_clouds_own_ca_there_is_no_connection(
    world: World, foreign: Path, port: str
):
    bare = ssl.create_default_context(cafile=world.certs / "ca.pem")
    if port == "mqtts":
        bare.set_alpn_protocols(["x-amzn-http-ca"])
    strange = client_context(world.certs / "ca.pem", foreign / "t.pem", foreign / "t.key")
    for tls in (bare, strange):
        with pytest.raises(aiohttp.ClientError):
            await world.ask("GET", world.url(port, "/things/t/jobs"), tls)
