"""The control plane over real HTTP: what no AWS client would send, and what none may break."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.http import HttpSettings
from tests.fidelity.proofs import proves

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def signed(scope: str) -> dict[str, str]:
    """Headers that name a scope, with a signature that nobody made."""
    return {"Authorization": SIGNED.format(scope), "X-Amz-Date": "20261124T000000Z"}


@pytest.fixture
async def api() -> AsyncIterator[aiohttp.ClientSession]:
    options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=None, data_port=None)
    async with LocalCloud(options) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status", "name"),
    [
        pytest.param("GET", "/nowhere", {}, 404, "UnknownOperationException", id="no such operation"),
        pytest.param(
            "POST",
            "/rules/r",
            {"data": b'{"sql":"SELECT * FROM \'a\'"}'},
            400,
            "InvalidRequestException",
            id="an operation that is not served",
        ),
        pytest.param("GET", "/things/t/shadow", {}, 400, "InvalidRequestException", id="a shadow, which is not served"),
        pytest.param("PUT", "/jobs/fw", {"data": b"{"}, 400, "InvalidRequestException", id="broken JSON"),
        pytest.param("PUT", "/jobs/fw", {"data": b"\xff"}, 400, "InvalidRequestException", id="no UTF-8"),
        pytest.param(
            "PUT",
            "/jobs/fw",
            {"data": bytes(1 << 21)},
            413,
            "RequestEntityTooLargeException",
            id="a body of two megabytes",
        ),
        pytest.param("GET", "/jobs/fw", {}, 404, "ResourceNotFoundException", id="no such job"),
        pytest.param(
            "GET",
            "/things/t/jobs",
            {"headers": signed("iot-jobs-data")},
            404,
            "ResourceNotFoundException",
            id="signed for the data plane",
        ),
        pytest.param(
            "GET",
            "/things",
            {"params": {"nextToken": "forged"}},
            400,
            "InvalidRequestException",
            id="a token nobody gave out",
        ),
    ],
)
async def test_errors_have_aws_shapes(api: aiohttp.ClientSession, method, path, arguments, status, name):
    if "data" in arguments:
        arguments = {"data": io.BytesIO(arguments["data"])}
    async with api.request(method, path, **arguments) as response:
        assert (response.status, response.headers["x-amzn-errortype"]) == (status, name)
        assert (await response.json())["message"]


@pytest.mark.parametrize("scope", ["iot", "execute-api", "iotdata"])
async def test_any_scope_that_a_client_signs_with_is_served(api: aiohttp.ClientSession, scope: str):
    async with api.get("/things/t/jobs", headers=signed(scope)) as response:
        assert (response.status, await response.json()) == (200, {"executionSummaries": []})


async def test_a_thing_is_created_once_and_described(api: aiohttp.ClientSession):
    body = {"attributePayload": {"attributes": {"model": "x"}}}
    async with api.post("/things/t%3A1", json=body) as response:
        made = await response.json()
    async with api.post("/things/t%3A1", json=body) as response:
        assert await response.json() == made
    async with api.post("/things/t%3A1", json={}) as response:
        assert (response.status, response.headers["x-amzn-errortype"]) == (409, "ResourceAlreadyExistsException")
    async with api.get("/things/t%3A1") as response:
        told = await response.json()
        assert (told["thingName"], told["attributes"], told["thingId"]) == ("t:1", {"model": "x"}, made["thingId"])
    async with api.delete("/things/t%3A1") as response:
        assert response.status == 200
    async with api.get("/things/t%3A1") as response:
        assert response.status == 404


async def test_pages_go_on_where_the_last_one_ended_though_things_come(api: aiohttp.ClientSession):
    for number in range(5):
        (await api.post(f"/things/t{number}", json={})).close()
    seen: list[str] = []
    token: str | None = None
    while True:
        async with api.get("/things", params={"maxResults": "2"} | ({"nextToken": token} if token else {})) as response:
            page = await response.json()
        seen += [thing["thingName"] for thing in page["things"]]
        (await api.post(f"/things/late{len(seen)}", json={})).close()
        token = page.get("nextToken")
        if not token or len(seen) > 20:
            break
    assert seen[:5] == [f"t{number}" for number in range(5)]
    assert len(seen) == len(set(seen))


async def test_a_fault_of_ours_is_a_500_in_aws_shape_and_the_next_request_works(
    api: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("simulator.cloud.registry.things.Things.after", lambda self, name: 1 / 0)
    async with api.get("/things") as response:
        assert (response.status, response.headers["x-amzn-errortype"]) == (500, "InternalFailureException")
        assert "Traceback" not in await response.text()
    async with api.get("/jobs") as response:
        assert await response.json() == {"jobs": []}


async def test_greengrass_has_a_hand_of_its_own_beside_awss_api(api: aiohttp.ClientSession):
    async with api.post("/things/t", json={}) as made:
        arn = (await made.json())["thingArn"]
    body = {"targets": [arn], "document": "{}", "namespaceId": "aws-gg-deployment"}
    async with api.put("/jobs/fw", json=body) as refused:
        assert (refused.status, refused.headers["x-amzn-errortype"]) == (400, "InvalidRequestException")
    async with api.put("/-/greengrass/jobs/fw", json=body) as made:
        assert made.status == 200
    where = {"namespaceId": "aws-gg-deployment", "force": "true"}
    async with api.delete("/jobs/fw", params=where) as refused:
        assert (refused.status, refused.headers["x-amzn-errortype"]) == (400, "InvalidRequestException")
    async with api.delete("/-/greengrass/jobs/fw", params=where) as deleted:
        assert deleted.status == 200


async def test_greengrasss_hand_is_lent_to_callers_on_this_machine_only(monkeypatch: pytest.MonkeyPatch):
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None)
    # All that a test may reach is loopback; so the caller's address is what is put in another's place.
    monkeypatch.setattr("aiohttp.web.BaseRequest.remote", "192.0.2.7")
    async with LocalCloud(options) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as session:
        async with session.get("/-/greengrass/jobs") as refused:
            assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
        async with session.get("/jobs") as listed:
            assert listed.status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"BREW /jobs HTTP/1.1\r\nHost: x\r\n\r\n", id="a method that nobody knows"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", id="TLS"),
        pytest.param(b"GET /jobs HTTP/9.9\r\n\r\n", id="a version to come"),
        pytest.param(b"GET /jobs HTTP/1.1\r\nContent-Length: many\r\n\r\n", id="a length in words"),
        pytest.param(b"GET /jobs HTTP/1.1\r\nno header\r\n\r\n", id="a header without a colon"),
    ],
)
async def test_what_is_no_http_is_answered_in_awss_shape_and_nobody_else_notices(
    api: aiohttp.ClientSession, garbage: bytes
):
    async with api.get("/jobs") as response:
        url = response.url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(garbage)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"InvalidRequestException" in head
    assert json.loads(body)["message"]
    async with api.get("/jobs") as response:
        assert response.status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_a_body_stays_as_it_came_whatever_its_encoding_is_said_to_be(api: aiohttp.ClientSession, encoding: str):
    # Unpacked, a megabyte may be a gigabyte; AWS does not do it either.
    async with api.put("/jobs/fw", data=b"{}", headers={"Content-Encoding": encoding}) as response:
        assert (response.status, (await response.json())["message"][:18]) == (400, "1 validation error")


async def test_a_body_that_breaks_its_framing_is_refused(api: aiohttp.ClientSession):
    async with api.get("/jobs") as response:
        url = response.url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"PUT /jobs/fw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnone\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()


async def test_every_answer_has_a_request_id_of_its_own(api: aiohttp.ClientSession):
    seen = set()
    for path in ("/jobs", "/jobs/no", "/nowhere"):
        async with api.get(path) as response:
            seen.add(response.headers["x-amzn-RequestId"])
    assert len(seen) == 3


@proves("operations-are-throttled-with-400")
async def test_an_operation_that_is_called_too_often_is_throttled_with_400():
    options = CloudSettings(
        api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, http=HttpSettings(operations_per_second=2)
    )
    async with LocalCloud(options) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as session:
        seen = []
        for _ in range(6):
            async with session.get("/jobs") as response:
                seen.append((response.status, response.headers.get("x-amzn-errortype")))
        async with session.get("/things") as response:
            assert response.status == 200
    assert seen[:2] == [(200, None), (200, None)]
    assert (400, "ThrottlingException") in seen
