"""Three carriers, one hand: what each takes to the service, and what each brings back."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from botocore.session import Session

from agent.errors import InputError
from simulator.cloud.local import LocalCloud
from simulator.controller.hand import Hand, Refused
from simulator.controller.local_http import REQUESTS
from tests.simulator.controller.conftest import CARRIERS, carrier_to

FW: dict[str, Any] = {"jobId": "fw"}
ON_A: dict[str, Any] = {"thingName": "a", "jobId": "fw"}
LEFT_OUT = {"beforeSubstitution", "isConcurrent"}
"""Parameters that no hand of ours gives."""
NOT_FOUND = "ResourceNotFoundException"

# Each row: an operation with its parameters, and what all carriers bring back: members of the output, or a refusal.
TABLE = [
    pytest.param("DescribeThing", {"thingName": "a"}, {"thingName": "a"}, id="a path"),
    pytest.param("DescribeThing", {"thingName": "a:b"}, {"thingName": "a:b"}, id="a path that has to be quoted"),
    pytest.param("DescribeJob", FW, {"job": ...}, id="an object in the output"),
    pytest.param("GetJobDocument", FW, {"document": '{"operation": "update"}'}, id="a text in the output"),
    pytest.param("ListJobExecutionsForJob", FW | {"maxResults": 1}, {"nextToken": ...}, id="a number in the query"),
    pytest.param("DescribeJobExecution", ON_A | {"executionNumber": 1}, {"execution": ...}, id="two names in the path"),
    pytest.param("DescribeJobExecution", ON_A | {"executionNumber": 7}, NOT_FOUND, id="an execution that is not"),
    pytest.param("DescribeJob", {"jobId": "no"}, NOT_FOUND, id="a job that is not"),
    pytest.param("CreateJob", FW | {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/a"], "document": "{}"},
                 "ResourceAlreadyExistsException", id="a job that is there with another document"),
    pytest.param("DeleteJob", FW | {"force": False}, "InvalidStateTransitionException", id="no in the query"),
    pytest.param("DeleteJob", FW | {"namespaceId": "lab", "force": True}, NOT_FOUND, id="yes in the query"),
    pytest.param("CancelJobExecution", {"thingName": "b", "jobId": "no", "force": True}, NOT_FOUND, id="yes in a PUT"),
    pytest.param("CancelJob", {"jobId": "no", "force": True}, NOT_FOUND, id="cancelling a job that is not"),
    pytest.param("DeleteJobExecution", ON_A | {"executionNumber": 1, "namespaceId": "lab", "force": True}, NOT_FOUND,
                 id="three names in the path"),
]  # fmt: skip


@pytest.fixture
async def hands(cloud: LocalCloud) -> Any:
    async with AsyncExitStack() as stack:
        hands = [await stack.enter_async_context(Hand(carrier_to(cloud, name))) for name in CARRIERS]
        for thing in ("a", "b", "a:b"):
            await hands[0].create_thing(thing)
        await hands[0].create_job("fw", ["a", "b"], {"operation": "update"}, None)
        yield hands


@pytest.mark.parametrize(("operation", "parameters", "expected"), TABLE)
async def test_every_carrier_brings_back_the_same(
    hands: list[Hand], operation: str, parameters: dict[str, Any], expected: Any
):
    told = [await answered(hand, operation, parameters) for hand in hands]
    assert told[1:] == told[:1] * 2
    if isinstance(expected, str):
        assert told[0] == expected
    else:
        assert expected.items() <= (told[0] | {name: ... for name in told[0] if expected.get(name) is ...}).items()


async def answered(hand: Hand, operation: str, parameters: dict[str, Any]) -> Any:
    """The output, or the name of the refusal."""
    try:
        return plain(await hand.call(operation, **parameters))
    except Refused as refused:
        return refused.code


def plain(told: Any) -> Any:
    """Without what is None; of a token and of a time (epoch seconds, somewhere rounded) only that it is one."""
    match told:
        case dict():
            plainly = {name: plain(value) for name, value in told.items() if value is not None}
            return plainly | ({"nextToken": ...} if plainly.get("nextToken") else {})
        case list():
            return [plain(each) for each in told]
        case float() | int() if told > 1e9:
            return ...
        case _:
            return told


@pytest.mark.parametrize("operation", REQUESTS)
def test_local_http_puts_everything_where_awss_model_of_the_service_has_it(operation: str):
    model = Session().get_service_model("iot").operation_model(operation)
    members = {} if model.input_shape is None else model.input_shape.members
    in_query = {name for name, shape in members.items() if shape.serialization.get("location") == "querystring"}
    method, path, query = REQUESTS[operation]
    assert (method, path, query) == (model.http["method"], model.http["requestUri"], in_query - LEFT_OUT)


async def test_without_credentials_boto3_says_what_to_give(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud):
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}")
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with Hand(carrier_to(cloud, "boto3")) as hand:
        with pytest.raises(InputError, match="boto3 has no credentials; see --profile and AWS_ACCESS_KEY_ID"):
            await hand.call("DescribeThing", thingName="a")
