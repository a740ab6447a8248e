"""Thing groups with so many members that to find them, or to let them go, takes several turns of the loop."""

import asyncio
import time
from collections.abc import Callable
from types import CodeType
from typing import Any

import pytest

from simulator.cloud import core as core_module
from simulator.cloud.api import ApiError, ControlPlane
from simulator.cloud.api.membership import AT_ONCE, MOVE
from simulator.cloud.core import CloudCore
from simulator.cloud.jobs import JobsSettings, Outcome
from simulator.cloud.pace import Pace
from simulator.cloud.registry import RegistryChange
from simulator.cloud.registry.tables import RegistryRecord
from simulator.cloud.store import Remembered
from simulator.cloud.store.kinds import nothing
from tests.fidelity.proofs import proves
from tests.thrown import Thrown, thrown_at

ARN = "arn:aws:iot:us-east-1:000000000000:thinggroup"
THINGS = tuple(f"t{number:03}" for number in range(AT_ONCE // MOVE + 100))
PUMPS = "thingName:t*"


async def turns_until(condition: Callable[[], bool]) -> int:
    """How many turns of the loop others had until then."""
    turns = 0
    while not condition():
        turns += 1
        await asyncio.sleep(0)
    return turns


class Kept:
    """What would be on the disk: the newest record of each kind and key."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], RegistryRecord] = {}

    def keep(self, changes: Any) -> int:
        return 0

    def keep_registry(self, change: RegistryChange) -> None:
        if change.record is None:
            self.records.pop((change.kind, change.key), None)
        else:
            self.records[change.kind, change.key] = change.record

    def shown_to(self, thing: str) -> int:
        return 0

    def remembered(self, core: CloudCore) -> Remembered:
        jobs = list(core.jobs.jobs())
        executions = [execution for job in jobs for execution in core.jobs.executions_of_job(job.job_id)]
        registry = [(kind, record) for (kind, _), record in self.records.items()]
        return nothing()._replace(jobs=jobs, executions=executions, registry=registry)


class Cloud:
    """A cloud whose slices are as short as can be, as one that was killed finds itself."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        self.kept = Kept()
        self.outcomes: list[Outcome] = []
        self.core = CloudCore(
            JobsSettings(),
            time.time,
            self.outcomes.append,
            keeper=self.kept,
            pace=Pace(0.0000001, share_of_lateness=0.0),
            remembered=remembered,
        )
        if remembered is not None:
            self.kept.records = {}
        self.plane: ControlPlane = self.core.control_plane()

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        return self.plane.call(operation, given)

    def fill(self) -> "Cloud":
        self.call("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
        for name in THINGS:
            self.call("CreateThing", thingName=name)
        return self

    def status(self, group: str) -> str:
        return str(self.call("DescribeThingGroup", thingGroupName=group)["status"])

    def members(self, group: str) -> int:
        return len(self.core.registry.groups.members.lefts(group))

    def follow(self, group: str) -> None:
        self.call("CreateJob", jobId="fw", targets=[f"{ARN}/{group}"], document="{}", targetSelection="CONTINUOUS")

    def count(self, status: str) -> int:
        return sum(execution.status == status for execution in self.core.jobs.executions_of_job("fw"))

    async def turns_until_settled(self, group: str) -> int:
        return await turns_until(lambda: self.core.registry.groups.is_settled(group))

    def killed(self) -> "Cloud":
        """The cloud that begins again with what this one had on the disk."""
        self.core.close()
        return Cloud(self.kept.remembered(self.core))


@proves("a-dynamic-group-is-building-at-first")
async def test_a_new_dynamic_group_is_building_until_every_thing_was_looked_at():
    cloud = Cloud().fill()
    cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString=PUMPS)
    assert cloud.status("pumps") == "BUILDING"
    assert 0 < cloud.members("pumps") < len(THINGS)
    assert await cloud.turns_until_settled("pumps") > 10
    assert cloud.status("pumps") == "ACTIVE"
    assert cloud.members("pumps") == len(THINGS)
    cloud.core.close()


async def test_what_changes_meanwhile_is_in_the_group_or_not_as_it_is_now():
    cloud = Cloud().fill()
    cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString=f"{PUMPS} AND -attributes.old:yes")
    attributes = {"attributes": {"old": "yes"}}
    for name in (THINGS[0], THINGS[-1]):
        cloud.call("UpdateThing", thingName=name, attributePayload=attributes)
    cloud.call("DeleteThing", thingName=THINGS[-2])
    cloud.call("CreateThing", thingName="t-new")
    await cloud.turns_until_settled("pumps")
    found = set(cloud.core.registry.groups.members.lefts("pumps"))
    assert found == {*THINGS[1:-2], "t-new"}
    cloud.core.close()


@proves("a-dynamic-group-is-building-at-first")
async def test_another_query_is_rebuilding_and_a_third_one_takes_its_place():
    cloud = Cloud().fill()
    cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString="nobody")
    await cloud.turns_until_settled("pumps")
    cloud.follow("pumps")
    told = []
    for query in (PUMPS, "thingName:t00?"):
        cloud.call("UpdateDynamicThingGroup", thingGroupName="pumps", thingGroupProperties={}, queryString=query)
        told.append(cloud.status("pumps"))
    assert told == ["REBUILDING", "ACTIVE"], "who was not in it yet need not leave"
    await cloud.turns_until_settled("pumps")
    assert cloud.members("pumps") == cloud.count("QUEUED") == 10
    cloud.core.close()


@proves("a-dynamic-group-is-building-at-first")
async def test_a_job_for_a_group_that_is_building_has_all_of_its_things():
    cloud = Cloud().fill()
    cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString=PUMPS)
    cloud.call("CreateJob", jobId="fw", targets=[f"{ARN}/pumps"], document="{}")
    assert len(cloud.core.jobs.job("fw").new.things) == len(THINGS)
    cloud.core.close()


@pytest.mark.parametrize("is_dynamic", [True, False], ids=["dynamic", "static"])
async def test_a_deleted_group_is_nobodys_at_once_and_its_jobs_leave_in_slices(is_dynamic: bool):
    cloud = Cloud().fill()
    kind = "Dynamic" if is_dynamic else ""
    fill_group(cloud, is_dynamic)
    await cloud.turns_until_settled("pumps")
    cloud.follow("pumps")
    cloud.core.jobs.tick(time.time())
    cloud.call(f"Delete{kind}ThingGroup", thingGroupName="pumps")
    with pytest.raises(ApiError, match="cannot be found"):
        cloud.call("DescribeThingGroup", thingGroupName="pumps")
    assert cloud.call("ListThingGroupsForThing", thingName=THINGS[-1])["thingGroups"] == []
    assert 0 < cloud.count("REMOVED") < len(THINGS)
    assert await cloud.turns_until_settled("pumps") > 10
    assert cloud.count("REMOVED") == len(THINGS)
    assert not [key for kind, key in cloud.kept.records if kind in ("group-member", "thing-group")]
    cloud.core.close()


def fill_group(cloud: Cloud, is_dynamic: bool) -> None:
    if is_dynamic:
        cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString=PUMPS)
        return
    cloud.call("CreateThingGroup", thingGroupName="pumps")
    for name in THINGS:
        cloud.call("AddThingToThingGroup", thingName=name, thingGroupName="pumps")


async def test_a_group_of_the_name_of_a_deleted_one_is_made_when_that_is_empty():
    cloud = Cloud().fill()
    fill_group(cloud, is_dynamic=False)
    cloud.follow("pumps")
    cloud.core.jobs.tick(time.time())
    cloud.call("DeleteThingGroup", thingGroupName="pumps")
    steps = cloud.plane.steps("CreateThingGroup", {"thingGroupName": "pumps"})
    assert sum(1 for _ in steps) > 10, "others have their turn meanwhile"
    assert (cloud.members("pumps"), cloud.count("REMOVED")) == (0, len(THINGS))
    cloud.core.close()


async def test_who_leaves_a_group_within_a_deleted_one_leaves_both():
    cloud = Cloud().fill()
    cloud.call("CreateThingGroup", thingGroupName="hall")
    cloud.call("CreateThingGroup", thingGroupName="row", parentGroupName="hall")
    for name in THINGS:
        cloud.call("AddThingToThingGroup", thingName=name, thingGroupName="row")
    cloud.follow("hall")
    cloud.core.jobs.tick(time.time())
    for group in ("row", "hall"):
        cloud.call("DeleteThingGroup", thingGroupName=group)
    await cloud.turns_until_settled("hall")
    assert cloud.count("REMOVED") == len(THINGS)
    cloud.core.close()


@pytest.mark.parametrize("status", ["BUILDING", "REBUILDING", "EMPTYING"])
async def test_a_cloud_that_was_killed_meanwhile_goes_on(status: str):
    cloud = Cloud().fill()
    cloud.call("CreateDynamicThingGroup", thingGroupName="pumps", queryString=PUMPS)
    if status != "BUILDING":
        await cloud.turns_until_settled("pumps")
        cloud.follow("pumps")
    if status == "REBUILDING":
        more = {"thingGroupProperties": {}, "queryString": "thingName:t00?"}
        cloud.call("UpdateDynamicThingGroup", thingGroupName="pumps", **more)
    if status == "EMPTYING":
        cloud.call("DeleteDynamicThingGroup", thingGroupName="pumps")
    again = cloud.killed()
    before = again.members("pumps")
    again.core.resume()
    assert await again.turns_until_settled("pumps") > 0
    wanted = {"BUILDING": len(THINGS), "REBUILDING": 10, "EMPTYING": 0}[status]
    assert again.members("pumps") == wanted != before
    if status == "BUILDING":
        again.follow("pumps")
    await turns_until(lambda: again.core._tick is None)
    assert again.count("QUEUED") == wanted
    again.core.close()


# ── faults of ours ────────────────────────────────────────────────────────────────────────────────────────────

OLD = {"attributes": {"old": "yes"}}
QUERY = {"thingGroupName": "old", "thingGroupProperties": {}, "queryString": "thingName:t"}
MOVING = [
    pytest.param("UpdateThing", {"thingName": "t", "attributePayload": OLD}, "not old", id="leaves a dynamic group"),
    pytest.param("UpdateThing", {"thingName": "t", "attributePayload": OLD}, "old", id="joins a dynamic group"),
    pytest.param("AddThingToThingGroup", {"thingName": "t", "thingGroupName": "hall"}, "hall", id="joins a group"),
    pytest.param("RemoveThingFromThingGroup", {"thingName": "u", "thingGroupName": "hall"}, "hall", id="leaves it"),
    pytest.param("DeleteThing", {"thingName": "u"}, "hall", id="is deleted"),
    pytest.param("DeleteThingGroup", {"thingGroupName": "hall"}, "hall", id="its group is deleted"),
    pytest.param("UpdateDynamicThingGroup", QUERY, "old", id="joins by another query"),
]


def small(followed: str) -> Cloud:
    """Two things, one of them in a hall, and a dynamic group each of what is old and what is not."""
    cloud = Cloud()
    cloud.call("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
    cloud.call("CreateThingGroup", thingGroupName="hall")
    for thing in ("t", "u"):
        cloud.call("CreateThing", thingName=thing)
    cloud.call("AddThingToThingGroup", thingName="u", thingGroupName="hall")
    for group, query in (("old", "attributes.old:yes"), ("not old", "thingName:t AND -attributes.old:yes")):
        name = group.replace(" ", "-")
        cloud.call("CreateDynamicThingGroup", thingGroupName=name, queryString=query)
    cloud.follow(followed.replace(" ", "-"))
    return cloud


def served(cloud: Cloud) -> set[str]:
    """Who has an execution of the job that has not ended."""
    found = cloud.core.jobs.executions_of_job("fw")
    return {execution.thing for execution in found if not execution.status.is_terminal}


def _follows(code: CodeType) -> bool:
    return code.co_filename.endswith("/cloud/jobs/targets.py")


@pytest.mark.parametrize(("operation", "given", "followed"), MOVING)
async def test_a_thing_moves_and_its_jobs_follow_or_neither(
    operation: str, given: dict[str, Any], followed: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(core_module, "AFTER_A_FAULT_SECONDS", 0.0)
    whole = small(followed)
    whole.call(operation, **given)
    await turns_until(lambda: whole.core._tick is None)
    for number in range(1, 100):
        cloud, refused = small(followed), False
        before = cloud.kept.records.copy(), served(cloud)
        with thrown_at(number, _follows) as where:
            try:
                cloud.plane.call(operation, given)
            except Thrown:
                refused = True
        if refused:
            assert (cloud.kept.records, served(cloud)) == before, f"{where}: refused, and half of it was done"
            cloud.plane.call(operation, given)
        await turns_until(lambda: cloud.core._tick is None)  # noqa: B023 - it has ended by then
        assert served(cloud) == served(whole), f"{where}: the jobs know other members"
        assert cloud.kept.records.keys() == whole.kept.records.keys()
        cloud.core.close()
        if not where:
            break
    assert number > 1, "there is somewhere to throw"
