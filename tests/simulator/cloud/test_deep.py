"""JSON nested a hundred thousand deep, at every way in: refused as what is no JSON is, and nothing comes of it."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest

from simulator.cloud.access.policies import MalformedPolicy, parse
from simulator.cloud.access.signatures import SignedRequest
from simulator.cloud.api import ApiError
from simulator.cloud.api.paging import _SEAL, page
from simulator.cloud.api.publishing import _user_properties
from simulator.cloud.api.schema import BadRequest, schema_of
from simulator.cloud.api.wire import Refusal
from simulator.cloud.core import CloudCore
from simulator.cloud.device_api.network import Network
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.settings.service import Fault

DEEP = "[" * 100_000
PAYLOADS = [
    pytest.param(DEEP, id="never closed"),
    pytest.param(DEEP + "]" * 100_000, id="arrays"),
    pytest.param('{"clientToken":"t","more":' + DEEP + "]" * 100_000 + "}", id="beside what is meant"),
    pytest.param('{"statusDetails":' * 20_000, id="objects"),
]


@pytest.mark.parametrize("verb", ["get", "start-next", "fw/get", "fw/update"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_device_is_told_that_it_is_no_json(verb: str, payload: str):
    core = CloudCore(JobsSettings(), lambda: 1e9, lambda outcome: None)
    reaction = core.device_api.request("t", f"$aws/things/t/jobs/{verb}", payload.encode(), False)
    assert reaction is not None
    assert reaction.answer_topic.endswith("/rejected")
    assert b'"InvalidJson"' in reaction.answer


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_fault_of_the_network_that_looks_at_a_payload_strikes_it_or_not(payload: str):
    came: list[tuple[float, ...]] = []
    network = Network((Fault(do="lose", messages=("update",), status="FAILED"),), "0", lambda: 0.0, lambda *_: None)
    network.carry_topic("$aws/things/t/jobs/fw/update", payload.encode(), lambda delays, _: came.append(delays))
    assert came == [(0.0,)]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_body_is_no_json(payload: str):
    schema = schema_of("iot")
    found = schema.route("PUT", "/jobs/fw")
    assert found is not None
    with pytest.raises(BadRequest, match="not JSON"):
        schema.parse(*found, {}, SignedRequest("PUT", "/jobs/fw", (), payload.encode()))


def _list(token: str) -> object:
    return page("ListThings", {"nextToken": token, "maxResults": 1}, (), lambda each: ("",))


def _sealed(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()[:_SEAL] + text.encode()).decode()


@pytest.mark.parametrize(
    ("read", "refused"),
    [
        pytest.param(lambda: parse(DEEP[:2000]), MalformedPolicy, id="a policy"),
        pytest.param(lambda: _user_properties(DEEP.encode()), Refusal, id="user properties"),
        pytest.param(lambda: _list(_sealed(DEEP)), ApiError, id="a nextToken, sealed as ours are"),
    ],
)
def test_what_is_json_within_something_else_is_refused_with_it(read: Callable[[], object], refused: type[Exception]):
    with pytest.raises(refused):
        read()
