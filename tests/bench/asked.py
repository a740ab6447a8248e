"""What `tests.bench.holds` asks of a cloud that has much of everything: each operation where it has most to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.much import MANY, Given, Much


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked. `given` is its input, or makes it, and what it needs besides, unmeasured."""

    name: str
    given: Given | Callable[[Much], Given]
    service: str = "iot"

    @property
    def operation(self) -> str:
        """Whose name is the first word."""
        return self.name.partition(" ")[0].rstrip(",")

    @property
    def changes_nothing(self) -> bool:
        """Whether it can be asked again."""
        return self.operation.startswith(("List", "Describe", "Get", "Search"))

    def __hash__(self) -> int:
        return hash(self.name)


# ── what they need ────────────────────────────────────────────────────────────────────────────────────────────


def _after_a_deletion(much: Much) -> Given:
    much.do("DeleteThing", thingName=much.lone())
    return {}


def _changed(much: Much) -> Given:
    return {"thingName": much.lone(thingTypeName="pump"), "attributePayload": {"attributes": {"fw": "9"}}}


def _asked_by_many(much: Much) -> Given:
    for number in range(90):
        much.dynamic(f"attributes.serial:{number}")
    return {"thingName": much.thing(0), "attributePayload": {"attributes": {"fw": "9"}, "merge": True}}


def _slow_rollout(much: Much) -> Given:
    """A job that gets nowhere: many things leave its group before their turn."""
    name = much.group(much.number)
    rollout = {"maximumPerMinute": 1}
    much.job(much.arn("thinggroup", name), targetSelection="CONTINUOUS", jobExecutionsRolloutConfig=rollout)
    return {"thingGroupName": name}


def _followed(much: Much) -> Given:
    """A thing, and a group that many continuous jobs are for."""
    name = much.group(0)
    much.follow(name, much.few)
    return {"thingName": much.lone(), "thingGroupName": name}


def _rejoined(much: Much) -> Given:
    given = _followed(much)
    much.do("AddThingToThingGroup", **given)
    return given


def _queried(before: str, after: str) -> Callable[[Much], Given]:
    """Another query for a dynamic group that a continuous job is for."""

    def given(much: Much) -> Given:
        name = much.dynamic(before, followed=True)
        return {"thingGroupName": name, "thingGroupProperties": {}, "queryString": after}

    return given


def _for(kind: str, name: str) -> Callable[[Much], Given]:
    """A new job for that target."""
    return lambda much: {"jobId": much.new("made"), "targets": [much.arn(kind, name)], "document": "{}"}


def _for_many_groups(much: Much) -> Given:
    targets = [much.arn("thinggroup", much.group(much.few)) for _ in range(100)]
    return {"jobId": much.new("made"), "targets": targets, "document": "{}"}


def _associated(much: Much) -> Given:
    job_id = much.job(much.arn("thing", "busy"), targetSelection="CONTINUOUS")
    return {"jobId": job_id, "targets": [much.arn("thinggroup", "all")]}


def _principal(much: Much) -> Given:
    return {"principal": much.arn("cert", MANY)}


def _a_certificate(much: Much) -> str:
    return much.certificate(f"{10**9 + int(much.new('').strip('-')):064x}")


def _with(name: str, value: Callable[[Much], Any], **more: Any) -> Callable[[Much], Given]:
    """An input of which one member has to be made."""
    return lambda much: {name: value(much), **more}


PUMPS: Final = "thingTypeName:pump"
NOBODY: Final = "thingName:nobody"
BIG: Final[Given] = {"jobId": "big", "thingName": "t-000005"}
SERIAL: Final[Given] = {"attributeName": "serial", "attributeValue": "s99", "usePrefixAttributeValue": True}
ROWS: Final = (
    # ── things ──
    Row("ListThings", {"maxResults": 250}),
    Row("ListThings, an attribute that none has", {"attributeName": "fw", "attributeValue": "x"}),
    Row("ListThings, a prefix of few", SERIAL),
    Row("ListThings, a type that none has", {"thingTypeName": "lamp"}),
    Row("ListThings after a thing was deleted", _after_a_deletion),
    Row("DescribeThing", {"thingName": "busy"}),
    Row("CreateThing", {"thingName": "one-more"}),
    Row("UpdateThing", _changed),
    Row("DeleteThing", _with("thingName", Much.lone)),
    Row("DeleteThing with many jobs", _with("thingName", lambda much: much.busy(much.lone()))),
    # ── the index ──
    Row("SearchIndex, all", {"queryString": "*", "maxResults": 250}),
    Row("SearchIndex, none, one field", {"queryString": "attributes.fw:x"}),
    Row("SearchIndex, none, a range", {"queryString": "attributes.fw:[11 TO 12]"}),
    Row("SearchIndex, none, any field", {"queryString": "nobody"}),
    Row("SearchIndex, none, groups", {"queryString": "thingGroupNames:nobody"}),
    Row("SearchIndex, none, twelve terms", {"queryString": " OR ".join(f"x?{n}*y*z" for n in range(12))}),
    # ── groups ──
    Row("ListThingGroups", {}),
    Row("ListThingGroups below one", {"parentGroup": "root", "recursive": True}),
    Row("ListThingsInThingGroup", {"thingGroupName": "all"}),
    Row("ListThingsInThingGroup, recursive", {"thingGroupName": "root", "recursive": True}),
    Row("ListThingGroupsForThing", {"thingName": "t-000000"}),
    Row("DescribeThingGroup", {"thingGroupName": "g-50"}),
    Row("CreateThingGroup", {"thingGroupName": "one-more"}),
    Row("DeleteThingGroup, empty", _with("thingGroupName", lambda much: much.group(0))),
    Row("DeleteThingGroup with many members", _with("thingGroupName", lambda much: much.group(much.number))),
    Row("DeleteThingGroup before whose turn a rollout is", _slow_rollout),
    Row("CreateDynamicThingGroup, few", {"thingGroupName": "few", "queryString": "attributes.serial:s1"}),
    Row("CreateDynamicThingGroup, all", {"thingGroupName": "many", "queryString": PUMPS}),
    Row("UpdateDynamicThingGroup, many join a continuous job", _queried(NOBODY, PUMPS)),
    Row("UpdateDynamicThingGroup, many leave a continuous job", _queried(PUMPS, NOBODY)),
    Row(
        "DeleteDynamicThingGroup, many leave a continuous job",
        _with("thingGroupName", lambda much: much.dynamic(PUMPS, followed=True)),
    ),
    Row("AddThingToThingGroup, one job", _with("thingName", Much.lone, thingGroupName="all")),
    Row("AddThingToThingGroup, many jobs", _followed),
    Row("RemoveThingFromThingGroup, many jobs", _rejoined),
    # ── jobs ──
    Row("CreateJob for a group", _for("thinggroup", "all")),
    Row("CreateJob for a hierarchy", _for("thinggroup", "root")),
    Row("CreateJob for a busy thing", _for("thing", "busy")),
    Row("CreateJob for a hundred groups", _for_many_groups),
    Row("AssociateTargetsWithJob", _associated),
    Row("CancelJob", _with("jobId", Much.job)),
    Row("DeleteJob, forced", _with("jobId", Much.job, force=True)),
    Row("UpdateJob", {"jobId": "big", "description": "x"}),
    Row("DescribeJob", {"jobId": "big"}),
    Row("GetJobDocument", {"jobId": "big"}),
    Row("ListJobs", {"maxResults": 250}),
    Row("ListJobs, none", {"thingGroupName": "g-5", "status": "IN_PROGRESS"}),
    Row("ListJobExecutionsForJob", {"jobId": "big", "maxResults": 250}),
    Row("ListJobExecutionsForJob, none", {"jobId": "big", "status": "FAILED"}),
    Row("ListJobExecutionsForThing, many jobs", {"thingName": "busy"}),
    Row("DescribeJobExecution", BIG),
    Row("CancelJobExecution", BIG),
    Row("DeleteJobExecution", {**BIG, "executionNumber": 1}),
    Row("ListJobTemplates", {}),
    Row("GetPendingJobExecutions, many jobs", {"thingName": "busy"}, "iot-jobs-data"),
    Row("StartNextPendingJobExecution, many jobs", {"thingName": "busy"}, "iot-jobs-data"),
    # ── certificates, policies, tags ──
    Row("ListCertificates", {"pageSize": 250}),
    Row("ListPolicies", {"pageSize": 250}),
    Row("ListTargetsForPolicy", {"policyName": "p-0", "pageSize": 250}),
    Row("ListPrincipalThings", _principal),
    Row("ListPrincipalThingsV2", _principal),
    Row("ListThingPrincipalsV2", {"thingName": "t-000000"}),
    Row("AttachThingPrincipal", lambda much: {"thingName": much.lone(), **_principal(much)}),
    Row("AttachPolicy", _with("target", _a_certificate, policyName="p-0")),
    Row("DetachPolicy", _with("target", lambda much: much.arn("cert", MANY), policyName="p-0")),
    Row("DeleteCertificate", _with("certificateId", lambda much: _a_certificate(much).rpartition("/")[2])),
    Row(
        "TagResource",
        _with(
            "resourceArn",
            lambda much: much.arn("job", "big"),
            tags=[{"Key": str(number), "Value": "x"} for number in range(50)],
        ),
    ),
    Row("UntagResource", _with("resourceArn", lambda much: much.arn("job", "big"), tagKeys=["1", "2"])),
    Row("UpdateThing, a hundred dynamic groups", _asked_by_many),
)
