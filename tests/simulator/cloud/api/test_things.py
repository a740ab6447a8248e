"""Things and groups: what makes them, changes them, lists them, and what the jobs hear of it."""

import pytest

from simulator.cloud.api import ApiError
from simulator.cloud.jobs.targets import AT_ONCE, MOST_NEWS
from tests.fidelity.proofs import proves

from .conftest import Plane

FOUR = {f"a{n}": "v" for n in range(4)}


def attributes(plane: Plane, thing: str) -> dict[str, str]:
    return dict(plane.call("DescribeThing", thingName=thing)["attributes"])


def test_attributes_are_replaced_or_merged_and_an_empty_value_takes_one_away(plane: Plane):
    plane.call("CreateThing", thingName="t", attributePayload={"attributes": {"a": "1", "b": "2"}})
    plane.call("UpdateThing", thingName="t", attributePayload={"attributes": {"c": "3", "a": ""}, "merge": True})
    assert attributes(plane, "t") == {"b": "2", "c": "3"}
    plane.call("UpdateThing", thingName="t", attributePayload={"attributes": {"d": "4"}})
    assert attributes(plane, "t") == {"d": "4"}
    assert plane.call("DescribeThing", thingName="t")["version"] == 3


@proves("things-have-as-many-attributes-as-documented")
def test_a_thing_without_a_type_has_three_attributes_and_one_with_a_type_fifty(plane: Plane):
    assert plane.refusal("CreateThing", thingName="t", attributePayload={"attributes": FOUR}) == (
        "InvalidRequestException"
    )
    plane.call("CreateThing", thingName="t", thingTypeName="lamp", attributePayload={"attributes": FOUR})
    assert plane.refusal("UpdateThing", thingName="t", removeThingType=True) == "InvalidRequestException"
    many = {f"a{n}": "v" for n in range(51)}
    assert plane.refusal("UpdateThing", thingName="t", attributePayload={"attributes": many}) == (
        "InvalidRequestException"
    )
    plane.call("UpdateThing", thingName="t", removeThingType=True, attributePayload={"attributes": {}})
    assert plane.call("DescribeThing", thingName="t")["thingTypeName"] is None


@pytest.mark.parametrize("operation", ["UpdateThing", "DeleteThing"])
def test_a_thing_is_changed_at_the_expected_version_only(plane: Plane, operation: str):
    plane.things("t")
    assert plane.refusal(operation, thingName="t", expectedVersion=2) == "VersionConflictException"
    plane.call(operation, thingName="t", expectedVersion=1)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({}, ["a", "b", "c"], id="none"),
        pytest.param({"thingTypeName": "lamp"}, ["b", "c"], id="a type"),
        pytest.param({"attributeName": "room", "attributeValue": "12"}, ["b"], id="an attribute"),
        pytest.param(
            {"attributeName": "room", "attributeValue": "1", "usePrefixAttributeValue": True},
            ["a", "b"],
            id="an attribute's beginning",
        ),
        pytest.param({"attributeName": "floor", "attributeValue": "1"}, [], id="an attribute that none has"),
    ],
)
def test_things_are_listed_by_type_and_attribute(plane: Plane, filters, found):
    plane.call("CreateThing", thingName="a", attributePayload={"attributes": {"room": "1"}})
    plane.call("CreateThing", thingName="b", thingTypeName="lamp", attributePayload={"attributes": {"room": "12"}})
    plane.call("CreateThing", thingName="c", thingTypeName="lamp")
    assert [each["thingName"] for each in plane.pages("ListThings", "things", maxResults=1, **filters)] == found


def test_a_thing_with_principals_is_not_deleted(plane: Plane):
    plane.things("t")
    certificate = plane.call("CreateKeysAndCertificate", setAsActive=True)["certificateArn"]
    plane.call("AttachThingPrincipal", thingName="t", principal=certificate)
    assert plane.refusal("DeleteThing", thingName="t") == "InvalidRequestException"
    plane.call("DetachThingPrincipal", thingName="t", principal=certificate)
    plane.call("DeleteThing", thingName="t")
    assert plane.refusal("DescribeThing", thingName="t") == "ResourceNotFoundException"
    assert plane.call("DeleteThing", thingName="t") == {}


def test_a_deleted_thing_leaves_its_groups_and_its_pending_executions_are_removed(plane: Plane):
    (arn,) = plane.things("t")
    plane.call("CreateThingGroup", thingGroupName="g")
    plane.call("AddThingToThingGroup", thingGroupName="g", thingName="t")
    plane.call("CreateJob", jobId="fw", targets=[arn], document="{}")
    plane.call("DeleteThing", thingName="t")
    assert plane.call("ListThingsInThingGroup", thingGroupName="g")["things"] == []
    assert plane.states("t") == {"fw": "REMOVED"}


# ── groups ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tree(plane: Plane) -> Plane:
    """top ⊃ middle ⊃ low, and aside by itself; the thing t."""
    plane.things("t")
    for name, parent in (("top", None), ("middle", "top"), ("low", "middle"), ("aside", None)):
        plane.call("CreateThingGroup", thingGroupName=name, **({"parentGroupName": parent} if parent else {}))
    return plane


def names(answer) -> list[str]:
    return [group["groupName"] for group in answer["thingGroups"]]


def test_a_group_knows_its_place(tree: Plane):
    told = tree.call("DescribeThingGroup", thingGroupName="low")
    assert [each["groupName"] for each in told["thingGroupMetadata"]["rootToParentThingGroups"]] == ["top", "middle"]
    assert told["thingGroupMetadata"]["parentGroupName"] == "middle"
    assert names(tree.call("ListThingGroups")) == ["aside", "low", "middle", "top"]
    assert names(tree.call("ListThingGroups", recursive=False)) == ["aside", "top"]
    assert names(tree.call("ListThingGroups", parentGroup="top")) == ["middle"]
    assert names(tree.call("ListThingGroups", parentGroup="top", recursive=True)) == ["low", "middle"]
    assert names(tree.call("ListThingGroups", namePrefixFilter="m")) == ["middle"]
    assert tree.refusal("ListThingGroups", parentGroup="nope") == "ResourceNotFoundException"


def test_the_same_group_again_succeeds_and_another_under_its_name_does_not(tree: Plane):
    tree.call("CreateThingGroup", thingGroupName="low", parentGroupName="middle")
    assert tree.refusal("CreateThingGroup", thingGroupName="low") == "ResourceAlreadyExistsException"
    assert tree.refusal("CreateThingGroup", thingGroupName="x", parentGroupName="nope") == "InvalidRequestException"


def test_a_group_is_updated_at_the_expected_version_and_deleted_without_children(tree: Plane):
    properties = {"thingGroupDescription": "d", "attributePayload": {"attributes": {"a": "1"}}}
    assert tree.call("UpdateThingGroup", thingGroupName="low", thingGroupProperties=properties) == {"version": 2}
    assert tree.call("DescribeThingGroup", thingGroupName="low")["thingGroupProperties"] == properties
    assert tree.refusal("DeleteThingGroup", thingGroupName="low", expectedVersion=1) == "VersionConflictException"
    assert tree.refusal("DeleteThingGroup", thingGroupName="middle") == "InvalidRequestException"
    tree.call("DeleteThingGroup", thingGroupName="low", expectedVersion=2)
    tree.call("DeleteThingGroup", thingGroupName="low")
    assert tree.refusal("DescribeThingGroup", thingGroupName="low") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("who", "name"),
    [
        pytest.param({"thingName": "nope", "thingGroupName": "low"}, "ResourceNotFoundException", id="no such thing"),
        pytest.param({"thingName": "t", "thingGroupName": "nope"}, "ResourceNotFoundException", id="no such group"),
        pytest.param({"thingName": "t"}, "InvalidRequestException", id="no group named"),
        pytest.param(
            {"thingArn": "arn:aws:iot:us-east-1:000000000000:thing/u", "thingName": "t", "thingGroupName": "low"},
            "InvalidRequestException",
            id="name and ARN disagree",
        ),
        pytest.param(
            {"thingArn": "arn:aws:iot:eu-west-1:1:thing/t", "thingGroupName": "low"},
            "InvalidRequestException",
            id="an ARN of another account",
        ),
    ],
)
def test_a_membership_needs_a_thing_and_a_group(tree: Plane, who, name: str):
    assert tree.refusal("AddThingToThingGroup", **who) == name
    assert tree.refusal("RemoveThingFromThingGroup", **who) == name


def test_things_are_found_in_groups_and_groups_of_things(tree: Plane):
    account = tree.account
    tree.call(
        "AddThingToThingGroup", thingArn=account.arn("thing", "t"), thingGroupArn=account.arn("thinggroup", "low")
    )
    assert tree.call("ListThingsInThingGroup", thingGroupName="top")["things"] == []
    assert tree.call("ListThingsInThingGroup", thingGroupName="top", recursive=True)["things"] == ["t"]
    assert names(tree.call("ListThingGroupsForThing", thingName="t")) == ["low"]
    tree.call("UpdateThingGroupsForThing", thingName="t", thingGroupsToAdd=["aside"], thingGroupsToRemove=["low"])
    assert names(tree.call("ListThingGroupsForThing", thingName="t")) == ["aside"]


@proves("groups-hold-their-subgroups-things")
def test_a_continuous_job_follows_its_groups_members(tree: Plane):
    top = tree.account.arn("thinggroup", "top")
    tree.call("CreateJob", jobId="fw", targets=[top], document="{}", targetSelection="CONTINUOUS")
    tree.call("CreateJob", jobId="once", targets=[top], document="{}")
    assert tree.states("t") == {}
    tree.call("AddThingToThingGroup", thingGroupName="low", thingName="t")
    assert tree.states("t") == {"fw": "QUEUED"}
    tree.call("RemoveThingFromThingGroup", thingGroupName="low", thingName="t")
    assert tree.states("t") == {"fw": "REMOVED"}
    tree.call("AddThingToThingGroup", thingGroupName="middle", thingName="t")
    found = tree.call("ListJobExecutionsForThing", thingName="t")["executionSummaries"]
    assert [each["jobExecutionSummary"]["executionNumber"] for each in found] == [2, 1]
    assert tree.states("t") == {"fw": "QUEUED"}


def test_a_thing_that_moves_faster_than_its_jobs_learn_it_is_refused_and_the_operator_told(tree: Plane):
    for number in range(AT_ONCE + 1):
        targets = [tree.call("DescribeThingGroup", thingGroupName="low")["thingGroupArn"]]
        tree.call("CreateJob", jobId=f"j{number}", targets=targets, document="{}", targetSelection="CONTINUOUS")
    for _ in range(MOST_NEWS // 2):
        for operation in ("AddThingToThingGroup", "RemoveThingFromThingGroup"):
            tree.call(operation, thingName="t", thingGroupName="low")
    with pytest.raises(ApiError) as caught:
        tree.call("AddThingToThingGroup", thingName="t", thingGroupName="low")
    assert caught.value.name == "ThrottlingException"
    assert caught.value.notice is not None
    told = caught.value.notice
    assert (told.code, told.resource) == ("quota", "AddThingToThingGroup")
    assert told.why == f"The jobs of thing t are still to learn of its last {MOST_NEWS} changes; try again."


def test_a_thing_that_is_a_target_itself_stays_one_when_it_leaves_a_group(tree: Plane):
    tree.call("AddThingToThingGroup", thingGroupName="low", thingName="t")
    both = [tree.account.arn("thing", "t"), tree.account.arn("thinggroup", "low")]
    tree.call("CreateJob", jobId="fw", targets=both, document="{}", targetSelection="CONTINUOUS")
    tree.call("RemoveThingFromThingGroup", thingGroupName="low", thingName="t")
    assert tree.states("t") == {"fw": "QUEUED"}


def test_members_of_a_deleted_group_leave_it(tree: Plane):
    tree.call("AddThingToThingGroup", thingGroupName="low", thingName="t")
    low = tree.account.arn("thinggroup", "low")
    tree.call("CreateJob", jobId="fw", targets=[low], document="{}", targetSelection="CONTINUOUS")
    tree.call("DeleteThingGroup", thingGroupName="low")
    assert tree.states("t") == {"fw": "REMOVED"}
