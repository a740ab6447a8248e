"""The table of what is taken and not carried out: each row is told in the log when it applies, and only then.

And the table is whole: whatever the service model lets into an operation is read by it, or has its row.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import simulator.cloud.api as api
from agent.log import configure
from simulator.cloud.api.not_carried_out import NOT_CARRIED_OUT, NotCarriedOut
from simulator.cloud.api.schema import schema_of
from simulator.cloud.api.service_model import ListShape, MapShape, Shape, StructureShape
from simulator.cloud.s3.presigned import FileUrls
from tests.fidelity.proofs import proves

from .conftest import Plane

ROLE = {"roleArn": "arn:aws:iam::000000000000:role/files"}
S3 = '{"url":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}'
PACKAGES = ["arn:aws:iot:us-east-1:000000000000:package/p/version/1"]

INDEX = {"thingIndexingMode": "REGISTRY"}
FIELD = {"name": "attributes.fw", "type": "Number"}

APPLY: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "urls-without-files": [
        ("CreateJob", {"document": S3}),
        ("CreateJob", {"document": S3.replace("url:", "url-v2:")}),
        ("CreateJob", {"document": S3.replace("${", "\\u0024{").replace("/", "\\/")}),
        ("CreateJob", {"document": S3, "presignedUrlConfig": ROLE}),
    ],
    "urls-to-upload-to": [("CreateJob", {"document": '["${aws:iot:s3-presigned-url-upload:https://s3.x/b/k}"]'})],
    "code-signatures": [("CreateJob", {"document": '["${aws:iot:code-sign-signature:s3://us-east-1.b/k@1}"]'})],
    "package-attributes": [("CreateJob", {"document": '["${aws:iot:package:p:version:1:attributes}"]'})],
    "other-placeholders": [("CreateJob", {"document": '["${aws:iot:parameter:command}"]'})],
    "urls-without-a-role": [
        ("CreateJob", {"document": S3}),
        ("CreateJob", {"document": S3, "presignedUrlConfig": {"expiresInSec": 60}}),
    ],
    "roles": [
        ("CreateJob", {"document": "{}", "presignedUrlConfig": ROLE}),
        ("CreateJobTemplate", {"document": "{}", "presignedUrlConfig": ROLE}),
        ("UpdateJob", {"presignedUrlConfig": ROLE}),
    ],
    "package-versions": [
        ("CreateJob", {"document": "{}", "destinationPackageVersions": PACKAGES}),
        ("CreateJobTemplate", {"document": "{}", "destinationPackageVersions": PACKAGES}),
    ],
    "thing-types": [("CreateThing", {"thingTypeName": "pump"}), ("UpdateThing", {"thingTypeName": "pump"})],
    "billing-groups": [("CreateThing", {"billingGroupName": "plant"})],
    "other-events": [("UpdateEventConfigurations", {"eventConfigurations": {"THING": {"Enabled": True}}})],
    "dynamic-groups": [
        ("AddThingToThingGroup", {"overrideDynamicGroups": True}),
        ("UpdateThingGroupsForThing", {"overrideDynamicGroups": True}),
    ],
    "index-settings": [
        ("UpdateIndexingConfiguration", {"thingIndexingConfiguration": INDEX | {"customFields": [FIELD]}}),
        ("UpdateIndexingConfiguration", {"thingIndexingConfiguration": INDEX | {"filter": {}}}),
    ],
}
FILES = ("urls-without-a-role",)
"""Rows of a cloud that has files."""
CASES = [
    pytest.param(row, operation, given, id=f"{row.id}-{operation}-{number}")
    for row in NOT_CARRIED_OUT
    for number, (operation, given) in enumerate(APPLY[row.id])
]


@pytest.fixture(autouse=True)
def log_with_warnings() -> None:
    configure("json", "warning")


def a_plane(*, files: bool) -> Plane:
    """A cloud in which a job and a group are there to be changed."""
    plane = Plane()
    if files:
        plane.jobs.presign = FileUrls("http://files/", b"secret").document
    (target,) = plane.things("t")
    plane.call("CreateJob", jobId="there", targets=[target], document="{}")
    plane.call("CreateThingGroup", thingGroupName="g")
    return plane


def needed(plane: Plane, operation: str) -> dict[str, Any]:
    """What an operation cannot do without."""
    target = plane.account.arn("thing", "t")
    return {
        "CreateJob": {"jobId": "fw", "targets": [target]},
        "CreateJobTemplate": {"jobTemplateId": "fw", "description": "d"},
        "UpdateJob": {"jobId": "there"},
        "CreateThing": {"thingName": "other"},
        "UpdateThing": {"thingName": "t"},
        "UpdateEventConfigurations": {},
        "UpdateIndexingConfiguration": {},
        "AddThingToThingGroup": {"thingName": "t", "thingGroupName": "g"},
        "UpdateThingGroupsForThing": {"thingName": "t", "thingGroupsToAdd": ["g"]},
    }[operation]


def warnings(plane: Plane, operation: str, **given: Any) -> list[Any]:
    with structlog.testing.capture_logs() as logged:
        plane.call(operation, **needed(plane, operation), **given)
    return [entry for entry in logged if entry["event"] == "request.not_carried_out"]


@proves("what-is-taken-and-not-carried-out-is-logged")
@pytest.mark.parametrize(("row", "operation", "given"), CASES)
def test_what_is_not_carried_out_is_told_when_it_is_taken(row: NotCarriedOut, operation: str, given: dict[str, Any]):
    plane = a_plane(files=row.id in FILES)
    told = [entry for entry in warnings(plane, operation, **given) if entry["what"] == row.what]
    assert len(told) == 1
    assert told[0]["log_level"] == "warning"
    assert (told[0]["operation"], told[0]["instead"], told[0]["advice"]) == (operation, row.instead, row.advice)
    names = needed(plane, operation)
    assert told[0].get("job_id") == names.get("jobId")
    assert told[0].get("thing") == names.get("thingName")


def test_every_row_applies_to_each_of_its_operations():
    assert {row.id: row.operations for row in NOT_CARRIED_OUT} == {
        row: tuple(dict.fromkeys(operation for operation, _ in cases)) for row, cases in APPLY.items()
    }


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("CreateJob", {"document": S3, "presignedUrlConfig": ROLE | {"expiresInSec": 60}}),
        ("CreateJob", {"document": '{"a":"${aws:other}","b":"{aws:iot:code-sign-signature}"}'}),
        ("UpdateJob", {"presignedUrlConfig": {"expiresInSec": 60}}),
        ("CreateThing", {"attributePayload": {"attributes": {"a": "b"}}}),
        ("UpdateThing", {"removeThingType": True}),
        ("UpdateEventConfigurations", {"eventConfigurations": {"JOB": {"Enabled": True}, "THING": {"Enabled": False}}}),
        ("AddThingToThingGroup", {"overrideDynamicGroups": False}),
        ("UpdateIndexingConfiguration", {"thingIndexingConfiguration": INDEX}),
    ],
)
def test_what_is_carried_out_is_nothing_to_tell(operation: str, given: dict[str, Any]):
    plane = a_plane(files=True)
    warnings(plane, "CreateJobTemplate", document="{}", presignedUrlConfig=ROLE)  # a role is told of once
    assert warnings(plane, operation, **given) == []


def test_a_document_is_told_of_for_each_job_and_the_rest_once():
    plane = a_plane(files=False)
    target, document = plane.account.arn("thing", "t"), S3
    with structlog.testing.capture_logs() as logged:
        for number in range(3):
            job = {"jobId": f"j{number}", "targets": [target], "document": document, "presignedUrlConfig": ROLE}
            plane.call("CreateJob", **job)
    told = [(entry["job_id"], entry["instead"][:7]) for entry in logged]
    assert told == [("j0", "devices"), ("j0", "it is s"), ("j1", "devices"), ("j2", "devices")]


def test_a_job_that_has_its_document_from_a_template_is_told_of():
    plane = a_plane(files=False)
    template = {"jobTemplateId": "x", "description": "d", "document": S3, "destinationPackageVersions": PACKAGES}
    arn = plane.call("CreateJobTemplate", **template)["jobTemplateArn"]
    told = warnings(plane, "CreateJob", jobTemplateArn=arn)
    assert [entry["advice"][:9] for entry in told] == ["start the"]


def test_what_is_refused_is_not_told_of():
    plane = a_plane(files=False)
    with structlog.testing.capture_logs() as logged:
        plane.refusal("CreateJob", jobId="there", targets=[plane.account.arn("thing", "t")], document=S3)
    assert logged == []


# ── the table is whole ────────────────────────────────────────────────────────────────────────────────────────


def members(shape: Shape, within: frozenset[str] = frozenset()) -> Iterator[str]:
    if isinstance(shape, StructureShape) and shape.name not in within:
        for name, member in shape.members.items():
            yield name
            yield from members(member, within | {shape.name})
    elif isinstance(shape, ListShape):
        yield from members(shape.member, within)
    elif isinstance(shape, MapShape):
        yield from members(shape.value, within)


def names_in_the_operations() -> set[str]:
    """Every text in the source of the operations; that of the table does not count."""
    sources = [path for path in Path(api.__file__).parent.glob("*.py") if path.stem != "not_carried_out"]
    trees = [ast.parse(path.read_text("utf-8")) for path in sources]
    return {
        str(node.value) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value
    }


def test_what_the_model_lets_in_is_read_or_has_a_row(plane: Plane):
    schema, read = schema_of("iot"), names_in_the_operations()
    told = {name for row in NOT_CARRIED_OUT for name in row.what.replace(",", "").split()}
    for operation in plane.plane.operations:
        shape = schema.model.operation_model(operation).input_shape
        for name in () if shape is None else members(shape):
            assert name in read or name in told, f"{operation} takes {name}: carry it out, or give it a row"
