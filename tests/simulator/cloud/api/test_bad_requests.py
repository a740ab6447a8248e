"""Whatever is sent to any operation: an answer of AWS's shape, never a fault of ours, never a lost connection."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from simulator.cloud.api.schema import _check, schema_of
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.fidelity.proofs import proves

from .conftest import Plane
from .requests_from_models import Drawn, request_for

SERVED = sorted(Plane().plane.operations)
OPERATIONS = [schema_of("iot").model.operation_model(name) for name in SERVED if name != "CreateKeysAndCertificate"]
DEVICE = schema_of("iot-jobs-data").model
OPERATIONS += [DEVICE.operation_model(name) for name in DEVICE.operation_names]
ALWAYS = {"InvalidRequestException", "UnknownOperationException", "RequestEntityTooLargeException"}
"""Errors that any request may end in, whatever operation it was for."""
REQUESTS = st.sampled_from(OPERATIONS).flatmap(request_for)


class Client:
    """One connection to a cloud of its own."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._cloud = LocalCloud(CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None))
        self._runner.run(self._cloud.__aenter__())
        self._session = self._runner.run(self._connect())
        for name in ("a", "b"):
            self._runner.run(self._ask(Drawn("CreateThing", "POST", f"/things/{name}", {}, b"")))

    async def _connect(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1), auto_decompress=False)

    def ask(self, drawn: Drawn) -> tuple[int, str | None, bytes]:
        return self._runner.run(self._ask(drawn))

    async def _ask(self, drawn: Drawn) -> tuple[int, str | None, bytes]:
        url = URL(f"{self._cloud.endpoints['api']}{drawn.target}", encoded=True)
        async with self._session.request(drawn.method, url, data=drawn.body, headers=drawn.headers) as response:
            return response.status, response.headers.get("x-amzn-errortype"), await response.read()

    def close(self) -> None:
        self._runner.run(self._session.close())
        self._runner.run(self._cloud.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()


def errors_of(name: str) -> dict[str, int]:
    """The errors that the models give an operation of that name, with their statuses."""
    found: dict[str, int] = {}
    for service in ("iot", "iot-jobs-data"):
        model = schema_of(service).model
        if name in model.operation_names:
            for shape in model.operation_model(name).error_shapes:
                found[shape.name] = shape.metadata["error"]["httpStatusCode"]
    return found


def meant(drawn: Drawn) -> str:
    """The operation that the request comes to: with another method it may be another one than it was drawn from."""
    path = drawn.target.partition("?")[0]
    routes = [schema_of(service).route(drawn.method, path) for service in ("iot", "iot-jobs-data")]
    names = [found[0].name for found in routes if found is not None]
    return drawn.operation if drawn.operation in names or not names else names[0]


def check(drawn: Drawn, status: int, error: str | None, raw: bytes) -> None:
    if status < 400:
        assert status == 200
        assert error is None
        return
    assert status < 500, f"{drawn} ended in {status}: {raw!r}"
    if drawn.method == "HEAD":
        return
    body: dict[str, Any] = json.loads(raw)
    assert body["message"]
    assert error
    known = errors_of(meant(drawn))
    assert error in known.keys() | ALWAYS, f"{drawn} ended in {error}, which no model lists there"
    if error in known:
        assert status == known[error], f"{drawn} ended in {error} with {status}"


def check_output(drawn: Drawn, raw: bytes) -> None:
    found = schema_of("iot").route(drawn.method, drawn.target.partition("?")[0])
    if raw and found is not None and drawn.method != "HEAD":
        problems: list[str] = []
        _check(found[0].output_shape, json.loads(raw), "", problems)
        assert not problems, f"{drawn} was answered {raw!r}"


@proves("whatever-is-sent-is-answered")
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(REQUESTS, min_size=5, max_size=15))
def test_every_request_is_answered_as_aws_would_and_every_output_fits_the_model(client: Client, requests: list[Drawn]):
    for drawn in requests:
        status, error, raw = client.ask(drawn)
        check(drawn, status, error, raw)
        if status == 200:
            check_output(drawn, raw)
    assert client.ask(Drawn("ListJobs", "GET", "/jobs", {}, b""))[0] == 200


@proves("operations-that-are-not-served-say-so")
def test_every_operation_that_is_not_served_says_so(client: Client):
    model = schema_of("iot").model
    for name in model.operation_names:
        if name in SERVED:
            continue
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0].replace("{", "").replace("}", "").replace("+", "")
        status, error, raw = client.ask(Drawn(name, http["method"], path, {}, b""))
        assert (status, error) == (400, "InvalidRequestException")
        assert f"{name} is an operation of AWS IoT that the local cloud does not serve" in json.loads(raw)["message"]
