"""What nobody can read is the peer's fault: 4xx in AWS's shape, whatever it is and wherever it stands."""

import gc
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.access.signatures import SignedRequest
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import ClientRefused
from tests.hostile.raw import Answer, Wire

KEY = "AKEXAMPLE"
SCOPE = f"{KEY}/20260101/us-east-1/iot/aws4_request"
SIGNED = b"Authorization: AWS4-HMAC-SHA256 Credential=" + SCOPE.encode() + b", SignedHeaders=host, Signature=%b\r\n"
QUERY = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE}&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host"
)
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
BAD_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\xff" * 10


@dataclass
class World:
    """A cloud, wires to its ports, and what its operator is told."""

    wires: dict[str, Wire]
    told: list[ClientRefused] = field(default_factory=list)

    async def ask(
        self, port: str, target: str, *, headers: bytes = b"", body: bytes = b"", method: str = "GET"
    ) -> Answer:
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n".encode()
        answer = await self.wires[port].ask(head + headers + b"\r\n" + body, method)
        self.wires[port].close()
        return answer


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t"])
    return directory


def wire(address: str | None, tls: ssl.SSLContext | None = None) -> Wire:
    return Wire("127.0.0.1", int((address or "").rpartition(":")[2]), tls)


@pytest.fixture(params=[False, True], ids=["without access keys", "with access keys"])
async def world(certs: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    keys = ((KEY, "secret"),) if request.param else ()
    options = CloudSettings(
        api_port=0, mqtt_port=None, mqtts_port=None, data_port=0, certs=certs, files=tmp_path, access_keys=keys
    )
    told: list[ClientRefused] = []
    async with LocalCloud(
        options, lambda event: told.append(event) if isinstance(event, ClientRefused) else None
    ) as cloud:
        tls = client_context(certs / "ca.pem", certs / "t.pem", certs / "t.key")
        made = World({"api": wire(cloud.endpoints["api"]), "data": wire(cloud.endpoints["data"], tls)}, told)
        yield made
        for each in made.wires.values():
            each.close()


@pytest.mark.parametrize(
    "target",
    ["/things", "/-/greengrass/jobs", "/topics/a", "/retainedMessage", "/things/t/jobs/$next", "/mqtt", "/-/files/b/k"],
)
@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param("", SIGNED % "é".encode(), id="a signature that is not ASCII"),
        pytest.param("", SIGNED % b"\xff\xfe", id="a signature that is not UTF-8"),
        pytest.param(f"{QUERY}&X-Amz-Signature=%E9%FF", b"", id="the same in the query"),
        pytest.param(f"{QUERY}&X-Amz-Signature=0&X-Amz-Expires={'9' * 5000}", b"", id="a span of 5,000 digits"),
        pytest.param(f"{QUERY}&X-Amz-Signature=0&X-Amz-Expires=%D9%A3", b"", id="a span in other digits"),
        pytest.param(
            "", SIGNED % b"0" + b"Date: Fri, 31 Dec 9999 23:59:59 -1400\r\n", id="a date that UTC does not have"
        ),
        pytest.param("", SIGNED % b"0" + b"X-Amz-Date: 99991231T235959Z\r\n", id="the last second"),
        pytest.param("", SIGNED % b"0" + b"X-Amz-Date: 00010101T000000Z\r\n", id="the first second"),
        pytest.param("", UPGRADE + b"Sec-WebSocket-Key: \xff\r\n", id="a WebSocket key that is not ASCII"),
        pytest.param("", UPGRADE.replace(b"13", b"\xff"), id="a WebSocket version that is not UTF-8"),
        pytest.param("", UPGRADE + b"Sec-WebSocket-Key: " + b"A" * 7_000 + b"\r\n", id="a long WebSocket key"),
        pytest.param("", b"Range: bytes=" + b"9" * 5_000 + b"-\r\n", id="a range of 5,000 digits"),
        pytest.param("nextToken=%ED%A0%80&maxResults=" + "9" * 5_000, b"", id="a page of 5,000 digits"),
    ],
)
async def test_what_nobody_can_read_is_no_fault_of_ours(world: World, target: str, query: str, headers: bytes):
    for port in ("api", "data"):
        for method in ("GET", "POST"):
            answer = await world.ask(port, f"{target}?{query}" if query else target, headers=headers, method=method)
            assert answer.status < 500, answer.body
            assert answer.status < 400 or b"essage" in answer.body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BAD_GZIP, id="bad gzip"),
        pytest.param(b'{"comment":"\xff"}', id="no UTF-8"),
        pytest.param(b"[" * 60_000, id="depth"),
        pytest.param(b'{"jobId":' + b"9" * 5_000 + b"}", id="digits"),
    ],
)
async def test_a_body_that_nobody_can_read_is_refused(world: World, body: bytes):
    headers = b"Content-Encoding: gzip\r\n" if body is BAD_GZIP else b""
    for port, target in (("api", "/jobs/fw"), ("data", "/things/t/jobs/$next")):
        answer = await world.ask(port, target, headers=headers, body=body, method="PUT")
        assert answer.status in (400, 403)
        assert "x-amzn-errortype" in answer.headers


READERS = [
    ("simulator.cloud.access.signatures.read_claim", "/things"),
    ("simulator.cloud.api.schema.Schema.parse", "/things"),
    ("simulator.cloud.s3.presigned.FileUrls.check", "/-/files/b/k"),
    ("aiohttp.web.WebSocketResponse.can_prepare", "/mqtt"),
    ("simulator.cloud.api.publishing.Publisher.read", "/topics/a"),
]


@pytest.mark.parametrize(
    "error",
    [ValueError("odd"), OverflowError(), RecursionError(), KeyError("x"), TypeError(), ZeroDivisionError()],
    ids=repr,
)
@pytest.mark.parametrize(("reader", "target"), READERS)
async def test_a_reader_that_trips_is_a_refusal_and_told_of(
    certs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, target: str, error: Exception
):
    told: list[Any] = []

    def trips(*_: object, **__: object) -> Any:
        raise error

    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, files=tmp_path)
    async with LocalCloud(options, told.append) as cloud:
        monkeypatch.setattr(reader, trips)
        world = World({"api": wire(cloud.endpoints["api"])})
        protocol = b"Sec-WebSocket-Protocol: mqtt\r\n" if target == "/mqtt" else b""
        answer = await world.ask("api", target, headers=protocol, method="POST" if "topics" in target else "GET")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestException")
    [notice] = [event for event in told if isinstance(event, ClientRefused)]
    assert (notice.code, notice.why.partition(": ")[0]) == ("malformed", "it cannot be read")


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/jobs/j", b'{"targets": ["arn:aws:iot:us-east-1:000000000000:thing/none"]}'),
        ("/jobs/j", b"{"),
        ("/nowhere", b""),
    ],
)
async def test_nothing_of_a_request_that_was_refused_waits_for_the_collector_of_cycles(target: str, body: bytes):
    async with LocalCloud(CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None)) as cloud:
        world = World({"api": wire(cloud.endpoints["api"])})
        gc.collect()
        gc.disable()
        try:
            answer = await world.ask("api", target, body=body, method="PUT")
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left = [each for each in gc.garbage if isinstance(each, SignedRequest)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert 400 <= answer.status < 500
    assert left == []
