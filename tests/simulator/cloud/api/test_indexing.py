"""Fleet indexing, dynamic thing groups, and the jobs that are for one."""

from pathlib import Path

import pytest

from simulator.cloud.api import ApiError
from tests.fidelity.proofs import proves

from .conftest import Plane

ARN = "arn:aws:iot:us-east-1:000000000000:thinggroup/old"

POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}'


@pytest.fixture
def plane() -> Plane:
    """An account that indexes its things: pump-1 and pump-2 run version 1, lamp version 2."""
    plane = Plane()
    plane.call("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
    for name, version in (("pump-1", "1"), ("pump-2", "1"), ("lamp", "2")):
        plane.call("CreateThing", thingName=name, attributePayload={"attributes": {"fw": version}})
    return plane


def upgrade(plane: Plane, thing: str, version: str = "2") -> None:
    plane.call("UpdateThing", thingName=thing, attributePayload={"attributes": {"fw": version}})


def members(plane: Plane, group: str = "old") -> list[str]:
    return sorted(plane.call("ListThingsInThingGroup", thingGroupName=group)["things"])


@proves("dynamic-groups-need-an-index")
def test_without_an_index_there_is_no_search_and_no_dynamic_group():
    plane = Plane()
    assert plane.call("GetIndexingConfiguration") == {
        "thingIndexingConfiguration": {"thingIndexingMode": "OFF"},
        "thingGroupIndexingConfiguration": {"thingGroupIndexingMode": "OFF"},
    }
    assert plane.refusal("CreateDynamicThingGroup", thingGroupName="old", queryString="*") == (
        "ResourceNotFoundException"
    )
    assert plane.refusal("SearchIndex", queryString="*") == "ResourceNotFoundException"
    assert plane.refusal("DescribeIndex", indexName="AWS_Things") == "ResourceNotFoundException"


def test_the_index_is_active_at_once_and_of_the_registry_alone(plane: Plane):
    assert plane.call("DescribeIndex", indexName="AWS_Things") == {
        "indexName": "AWS_Things",
        "indexStatus": "ACTIVE",
        "schema": "REGISTRY",
    }
    for more in ({"thingConnectivityIndexingMode": "STATUS"}, {"namedShadowIndexingMode": "ON"}):
        wanted = {"thingIndexingMode": "REGISTRY"} | more
        assert plane.refusal("UpdateIndexingConfiguration", thingIndexingConfiguration=wanted) == (
            "InvalidRequestException"
        )
    shadows = {"thingIndexingMode": "REGISTRY_AND_SHADOW"}
    assert plane.refusal("UpdateIndexingConfiguration", thingIndexingConfiguration=shadows) == (
        "InvalidRequestException"
    )


@proves("the-query-syntax-of-fleet-indexing")
def test_a_search_tells_what_the_registry_holds_page_by_page(plane: Plane):
    plane.call("CreateThingGroup", thingGroupName="hall")
    plane.call("AddThingToThingGroup", thingName="pump-2", thingGroupName="hall")
    found = plane.pages("SearchIndex", "things", queryString="thingName:pump*", maxResults=1)
    assert [each["thingName"] for each in found] == ["pump-1", "pump-2"]
    assert found[1] == {
        "thingName": "pump-2",
        "thingId": found[1]["thingId"],
        "thingTypeName": None,
        "thingGroupNames": ["hall"],
        "attributes": {"fw": "1"},
    }
    assert plane.refusal("SearchIndex", queryString="thingName:") == "InvalidQueryException"
    assert plane.refusal("SearchIndex", queryString="*", indexName="AWS_ThingGroups") == "ResourceNotFoundException"


@proves("a-dynamic-group-has-what-its-query-finds")
def test_a_dynamic_group_follows_what_its_query_asks_about(plane: Plane):
    made = plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="attributes.fw:1")
    assert made["thingGroupArn"] == ARN
    assert (made["indexName"], made["queryVersion"]) == ("AWS_Things", "2017-09-30")
    assert members(plane) == ["pump-1", "pump-2"]
    upgrade(plane, "pump-1")
    assert members(plane) == ["pump-2"]
    plane.call("CreateThing", thingName="new", attributePayload={"attributes": {"fw": "1"}})
    assert members(plane) == ["new", "pump-2"]
    plane.call("DeleteThing", thingName="new")
    assert members(plane) == ["pump-2"]
    told = plane.call("DescribeThingGroup", thingGroupName="old")
    assert (told["queryString"], told["status"], told["version"]) == ("attributes.fw:1", "ACTIVE", 1)
    groups = plane.call("ListThingGroupsForThing", thingName="pump-2")["thingGroups"]
    assert [each["groupName"] for each in groups] == ["old"]


@proves("a-dynamic-group-has-what-its-query-finds")
def test_a_dynamic_group_may_ask_for_static_groups_and_not_for_itself(plane: Plane):
    plane.call("CreateThingGroup", thingGroupName="hall")
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="-thingGroupNames:(hall OR old)")
    assert members(plane) == ["lamp", "pump-1", "pump-2"]
    plane.call("AddThingToThingGroup", thingName="lamp", thingGroupName="hall")
    assert members(plane) == ["pump-1", "pump-2"]
    plane.call("RemoveThingFromThingGroup", thingName="lamp", thingGroupName="hall")
    assert members(plane) == ["lamp", "pump-1", "pump-2"]


@proves("a-dynamic-group-has-what-its-query-finds")
def test_another_query_finds_others(plane: Plane):
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="attributes.fw:1")
    update = plane.call(
        "UpdateDynamicThingGroup", thingGroupName="old", thingGroupProperties={}, queryString="attributes.fw:2"
    )
    assert update == {"version": 2}
    assert members(plane) == ["lamp"]
    assert plane.refusal(
        "UpdateDynamicThingGroup", thingGroupName="old", thingGroupProperties={}, queryString="fw~"
    ) == ("InvalidQueryException")
    assert members(plane) == ["lamp"]


@proves("a-continuous-job-follows-a-dynamic-group")
def test_a_continuous_job_for_a_dynamic_group_comes_to_who_joins_and_leaves_with_who_leaves(plane: Plane):
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="attributes.fw:1")
    plane.call("CreateJob", jobId="fw", targets=[ARN], document="{}", targetSelection="CONTINUOUS")
    assert [plane.states(name) for name in ("pump-1", "pump-2", "lamp")] == [{"fw": "QUEUED"}, {"fw": "QUEUED"}, {}]
    upgrade(plane, "pump-1")
    assert plane.states("pump-1") == {"fw": "REMOVED"}
    upgrade(plane, "lamp", "1")
    assert plane.states("lamp") == {"fw": "QUEUED"}
    plane.call("DeleteDynamicThingGroup", thingGroupName="old")
    assert plane.states("lamp") == {"fw": "REMOVED"}


def test_a_snapshot_job_for_a_dynamic_group_comes_to_who_is_in_it_then(plane: Plane):
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="attributes.fw:1")
    plane.call("CreateJob", jobId="fw", targets=[ARN], document="{}")
    upgrade(plane, "lamp", "1")
    upgrade(plane, "pump-1")
    assert [plane.states(name) for name in ("pump-1", "pump-2", "lamp")] == [{"fw": "QUEUED"}, {"fw": "QUEUED"}, {}]


@proves("dynamic-groups-have-commands-of-their-own")
def test_a_dynamic_group_is_not_handled_as_a_static_one(plane: Plane):
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="*")
    plane.call("CreateThingGroup", thingGroupName="hall")
    plane.call("CreatePolicy", policyName="p", policyDocument=POLICY)
    for operation, given in {
        "AddThingToThingGroup": {"thingGroupName": "old", "thingName": "lamp"},
        "RemoveThingFromThingGroup": {"thingGroupName": "old", "thingName": "lamp"},
        "UpdateThingGroupsForThing": {"thingName": "lamp", "thingGroupsToRemove": ["old"]},
        "UpdateThingGroup": {"thingGroupName": "old", "thingGroupProperties": {}},
        "DeleteThingGroup": {"thingGroupName": "old"},
        "CreateThingGroup": {"thingGroupName": "below", "parentGroupName": "old"},
        "AttachPolicy": {"policyName": "p", "target": ARN},
        "UpdateDynamicThingGroup": {"thingGroupName": "hall", "thingGroupProperties": {}},
        "DeleteDynamicThingGroup": {"thingGroupName": "hall"},
    }.items():
        assert plane.refusal(operation, **given) == "InvalidRequestException", operation
    assert members(plane) == ["lamp", "pump-1", "pump-2"]


def test_the_index_stays_while_a_dynamic_group_needs_it(plane: Plane):
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="*")
    off = {"thingIndexingMode": "OFF"}
    assert plane.refusal("UpdateIndexingConfiguration", thingIndexingConfiguration=off) == "InvalidRequestException"
    plane.call("DeleteDynamicThingGroup", thingGroupName="old")
    plane.call("DeleteDynamicThingGroup", thingGroupName="old")
    plane.call("UpdateIndexingConfiguration", thingIndexingConfiguration=off)


@proves("dynamic-groups-have-commands-of-their-own")
def test_there_are_a_hundred_dynamic_groups_at_most(plane: Plane):
    for number in range(100):
        plane.call("CreateDynamicThingGroup", thingGroupName=f"g{number}", queryString="attributes.fw:9")
    assert plane.refusal("CreateDynamicThingGroup", thingGroupName="more", queryString="*") == "LimitExceededException"
    plane.call("CreateDynamicThingGroup", thingGroupName="g1", queryString="attributes.fw:9")


def test_a_thing_is_in_ten_static_groups_whatever_finds_it(plane: Plane):
    for number in range(10):
        plane.call("CreateDynamicThingGroup", thingGroupName=f"d{number}", queryString="*")
    for number in range(10):
        plane.call("CreateThingGroup", thingGroupName=f"s{number}")
        plane.call("AddThingToThingGroup", thingName="lamp", thingGroupName=f"s{number}")
    plane.call("CreateThingGroup", thingGroupName="s10")
    with pytest.raises(ApiError, match="10 thing groups already"):
        plane.call("AddThingToThingGroup", thingName="lamp", thingGroupName="s10")


def test_index_groups_and_members_outlive_the_registry(plane: Plane, tmp_path: Path):
    kept: dict[tuple[str, str], object] = {}
    plane.registry.watch(lambda change: kept.__setitem__((change.kind, change.key), change.record))
    plane.call("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
    plane.call("CreateDynamicThingGroup", thingGroupName="old", queryString="attributes.fw:1")
    again = Plane()
    again.things("lamp")
    for name in ("pump-1", "pump-2"):
        again.call("CreateThing", thingName=name, attributePayload={"attributes": {"fw": "1"}})
    for (kind, _), record in kept.items():
        again.registry.restore(kind, record)
    assert members(again) == ["pump-1", "pump-2"]
    upgrade(again, "pump-1")
    assert members(again) == ["pump-2"]
