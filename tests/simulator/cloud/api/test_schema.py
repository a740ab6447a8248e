"""AWS's service model as a server's schema: every route found, every constraint of the model checked."""

from typing import Any

import pytest

from simulator.cloud.access.signatures import SignedRequest
from simulator.cloud.api.schema import BadRequest, Schema, _pattern, schema_of, serialise
from simulator.cloud.api.service_model import ListShape, MapShape, Shape, StructureShape


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_of("iot")


def parse(
    schema: Schema, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    found = schema.route(method, path)
    assert found is not None
    operation, uri = found
    return schema.parse(operation, uri, query or {}, SignedRequest(method, path, (), body))


@pytest.mark.parametrize(
    ("method", "path", "operation", "uri"),
    [
        ("PUT", "/jobs/fw", "CreateJob", {"jobId": "fw"}),
        ("GET", "/jobs", "ListJobs", {}),
        ("GET", "/jobs/fw/things", "ListJobExecutionsForJob", {"jobId": "fw"}),
        ("GET", "/things/a%3Ab/jobs/fw", "DescribeJobExecution", {"thingName": "a:b", "jobId": "fw"}),
        ("PUT", "/thing-groups/addThingToThingGroup", "AddThingToThingGroup", {}),
        (
            "DELETE",
            "/things/t/jobs/fw/executionNumber/1",
            "DeleteJobExecution",
            {"thingName": "t", "jobId": "fw", "executionNumber": "1"},
        ),
        ("GET", "/endpoint", "DescribeEndpoint", {}),
        ("GET", "/end%70oint", "DescribeEndpoint", {}),
    ],
)
def test_a_request_is_routed_by_method_and_path(schema: Schema, method, path, operation, uri):
    found = schema.route(method, path)
    assert found is not None
    assert (found[0].name, found[1]) == (operation, uri)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("POST", "/jobs/fw"), ("GET", "/"), ("GET", "/jobs/a/b/c/d/e/f")]
)
def test_what_is_no_operation_has_no_route(schema: Schema, method: str, path: str):
    assert schema.route(method, path) is None


def test_every_operation_of_the_model_can_be_reached_by_its_own_path(schema: Schema):
    for name in schema.model.operation_names:
        operation = schema.model.operation_model(name)
        path = operation.http["requestUri"].partition("?")[0].replace("{", "").replace("}", "").replace("+", "")
        found = schema.route(operation.http["method"], path)
        assert found is not None
        assert found[0].name == name


@pytest.mark.parametrize(
    ("path", "query", "body", "says"),
    [
        pytest.param(
            "/jobs/bad%20id", {}, b'{"targets":["arn"]}', "regular expression pattern: [a-zA-Z0-9_-]+", id="pattern"
        ),
        pytest.param(f"/jobs/{'x' * 65}", {}, b'{"targets":["arn"]}', "length less than or equal to 64", id="too long"),
        pytest.param(
            "/jobs/fw", {}, b"{}", "'targets' failed to satisfy constraint: Member must not be null", id="missing"
        ),
        pytest.param("/jobs/fw", {}, b'{"targets":[]}', "length greater than or equal to 1", id="too few"),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":"arn"}',
            "'targets' failed to satisfy constraint: Member must be a list",
            id="wrong type",
        ),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":["a"],"description":7}',
            "'description' failed to satisfy constraint: Member must be a string",
            id="a number for a string",
        ),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":["a"],"targetSelection":"x"}',
            "enum value set: [CONTINUOUS, SNAPSHOT]",
            id="enum",
        ),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":["a"],"presignedUrlConfig":{"expiresInSec":59}}',
            "'presignedUrlConfig.expiresInSec' failed to satisfy constraint: Member must have value greater than",
            id="too small, nested",
        ),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":["a"],"presignedUrlConfig":{"expiresInSec":3601}}',
            "less than or equal to 3600",
            id="too large",
        ),
        pytest.param(
            "/jobs/fw",
            {},
            b'{"targets":["a"],"presignedUrlConfig":{"expiresInSec":true}}',
            "Member must be a",
            id="a boolean for a number",
        ),
        pytest.param(
            "/jobs/fw", {}, b'{"targets":["a"],"description":"a\\u0007"}', "regular expression", id="control characters"
        ),
        pytest.param("/jobs/fw", {}, b'{"targets"', "not JSON", id="broken JSON"),
        pytest.param("/jobs/fw", {}, b"[]", "not a JSON object", id="no object"),
        pytest.param("/jobs/fw", {}, b'{"targets":["a"],"x":NaN}', "not JSON", id="NaN where nobody looks"),
        pytest.param("/jobs/fw", {}, b'{"targets":["a"],"x":"\xff"}', "not JSON", id="not UTF-8"),
        pytest.param(
            "/jobs/fw", {}, b'{"targets":["a"],"document":"\xed\xa0\x80"}', "not JSON", id="half a pair as bytes"
        ),
        pytest.param("/jobs/fw", {}, b'{"targets":["a"],"document":"\\ud800"}', "surrogate", id="half a pair, escaped"),
        pytest.param("/jobs/fw", {}, '{"targets":["a"]}'.encode("utf-16"), "not JSON", id="UTF-16"),
    ],
)
def test_what_the_model_does_not_allow_is_refused(schema: Schema, path, query, body, says):
    with pytest.raises(BadRequest) as caught:
        parse(schema, "PUT", path, query, body)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("query", "says"),
    [({"maxResults": "251"}, "250"), ({"maxResults": "x"}, "not a number"), ({"status": "DONE"}, "enum")],
)
def test_query_parameters_are_checked_too(schema: Schema, query, says):
    with pytest.raises(BadRequest, match=says):
        parse(schema, "GET", "/jobs", query)


def test_what_is_good_comes_through_typed_and_unknown_members_are_ignored(schema: Schema):
    assert parse(schema, "DELETE", "/jobs/fw", {"force": "true", "namespaceId": "lab"}) == {
        "jobId": "fw",
        "force": True,
        "namespaceId": "lab",
    }
    body = b'{"targets":["arn"],"description":"\xc3\xa9","moon":1}'
    assert parse(schema, "PUT", "/jobs/fw", body=body) == {"jobId": "fw", "targets": ["arn"], "description": "é"}


def test_null_is_as_good_as_nothing_however_deep_it_stands(schema: Schema):
    body = b'{"attributePayload":{"attributes":null,"merge":null},"billingGroupName":null}'
    assert parse(schema, "POST", "/things/t", body=body) == {"thingName": "t", "attributePayload": {}}


def _shapes(shape: Shape, seen: set[str]):
    if shape.name in seen:
        return
    seen.add(shape.name)
    yield shape
    children: list[Shape] = []
    if isinstance(shape, StructureShape):
        children = list(shape.members.values())
    elif isinstance(shape, ListShape):
        children = [shape.member]
    elif isinstance(shape, MapShape):
        children = [shape.key, shape.value]
    for child in children:
        yield from _shapes(child, seen)


def test_every_pattern_of_the_model_is_one_that_we_can_read(schema: Schema):
    seen: set[str] = set()
    patterns = {
        shape.metadata["pattern"]
        for name in schema.model.operation_names
        if (given := schema.model.operation_model(name).input_shape) is not None
        for shape in _shapes(given, seen)
        if "pattern" in shape.metadata
    }
    assert len(patterns) > 40
    for pattern in patterns:
        _pattern(pattern)


def test_times_go_out_as_epoch_seconds_with_milliseconds_and_what_is_unset_stays_out(schema: Schema):
    shape = schema.model.operation_model("DescribeJob").output_shape
    told = serialise(shape, {"job": {"jobId": "fw", "createdAt": 1486687079.7434, "comment": None, "targets": ["a"]}})
    assert told == {"job": {"jobId": "fw", "createdAt": 1486687079.743, "targets": ["a"]}}
