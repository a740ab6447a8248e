"""Section 8: force delete."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import T, World


def started(settings: JobsSettings | None = None) -> World:
    """A thing that executes the job fw, its only one."""
    world = World(settings)
    world.create_job("fw")
    world.device("start-next")
    world.taken()
    return world


@proves("force-deleted-execution-is-removed")
def test_a_force_deleted_execution_is_removed_and_the_device_sees_only_its_absence():
    world = started()
    world.operate("DeleteJob", jobId="fw", force=True)
    at = int(world.now)
    assert world.taken() == [("notify", {"timestamp": at, "jobs": {}}), ("notify-next", {"timestamp": at})]
    topic, answer = world.device("fw/get")
    assert (topic, answer["code"]) == ("fw/get/rejected", "ResourceNotFound")


@proves("deletion-removes-records-at-once")
def test_the_records_go_at_once_or_when_the_setting_says():
    world = started()
    world.operate("DeleteJob", jobId="fw", force=True)
    assert world.operate("DescribeJob", jobId="fw")["job"]["status"] == "DELETION_IN_PROGRESS"
    assert world.operate("ListJobExecutionsForJob", jobId="fw")["executionSummaries"] == []

    slow = started(JobsSettings(removal_delay_seconds=10))
    slow.operate("DeleteJob", jobId="fw", force=True)
    assert len(slow.operate("ListJobExecutionsForJob", jobId="fw")["executionSummaries"]) == 1
    assert slow.taken() == []
    slow.later(10)
    assert [topic for topic, _ in slow.taken()] == ["notify", "notify-next"]


STEPS = JobsSettings(removal_delay_seconds=10, deletion_seconds=20, deletion_seconds_per_execution=0)


@proves("steps-of-a-force-delete")
def test_the_steps_of_a_force_delete_one_after_the_other():
    world = started(STEPS)
    kinds = {kind: {"Enabled": True} for kind in ("JOB", "JOB_EXECUTION")}
    world.operate("UpdateEventConfigurations", eventConfigurations=kinds)
    assert world.operate("DeleteJob", jobId="fw", force=True) == {}
    assert world.topics() == ["$aws/events/job/fw/deletion_in_progress"]
    assert world.job("fw")["status"] == "DELETION_IN_PROGRESS"
    world.later(8)
    assert world.topics() == []
    world.later(1)
    assert world.topics() == ["notify", "notify-next", "$aws/events/jobExecution/fw/deleted"]
    assert world.job("fw")["status"] == "DELETION_IN_PROGRESS"
    world.later(9)
    assert world.topics() == ["$aws/events/job/fw/deleted"]
    assert world.refusal("DescribeJob", jobId="fw") == "ResourceNotFoundException"


@proves("after-a-force-delete-nothing-is-found")
@pytest.mark.parametrize("delete", ["DeleteJob", "DeleteJobExecution"])
@pytest.mark.parametrize(
    ("topic", "body", "answer"),
    [
        ("fw/get", {}, "ResourceNotFound"),
        ("fw/update", {"status": "IN_PROGRESS"}, "ResourceNotFound"),
        ("fw/update", {"status": "SUCCEEDED"}, "ResourceNotFound"),
        ("fw/update", {"status": "FAILED"}, "ResourceNotFound"),
        ("fw/update", {"status": "SUCCEEDED", "expectedVersion": 1}, "ResourceNotFound"),
        ("fw/update", {"status": "SUCCEEDED", "expectedVersion": 2}, "ResourceNotFound"),
        ("$next/get", {}, {}),
        ("start-next", {}, {}),
        ("get", {}, {"inProgressJobs": [], "queuedJobs": []}),
    ],
)
def test_calls_by_the_device_afterwards(delete, topic, body, answer):
    world = started()
    if delete == "DeleteJob":
        world.operate("DeleteJob", jobId="fw", force=True)
    else:
        world.operate("DeleteJobExecution", jobId="fw", thingName=T, executionNumber=1, force=True)
    answered, told = world.device(topic, body)
    if isinstance(answer, str):
        assert (answered, told["code"], "executionState" in told) == (f"{topic}/rejected", answer, False)
    else:
        assert (answered, told) == (f"{topic}/accepted", answer | {"timestamp": int(world.now)})


@proves("between-deletion-and-removal")
@pytest.mark.parametrize(
    ("setting", "describe", "update", "is_offered"),
    [
        ("gone", "ResourceNotFound", "ResourceNotFound", False),
        ("reads-answer", None, "ResourceNotFound", False),
        ("answers", None, None, False),
        ("answers-and-lists", None, None, True),
        ("terminal", "TerminalStateReached", "InvalidStateTransition", False),
    ],
)
def test_calls_by_the_device_between_the_deletion_and_the_removal(setting, describe, update, is_offered):
    world = started(JobsSettings(removal_delay_seconds=60, while_deleting=setting))
    world.operate("DeleteJob", jobId="fw", force=True)
    assert world.device("fw/get")[1].get("code") == describe
    assert world.device("fw/update", {"status": "IN_PROGRESS"})[1].get("code") == update
    assert ("execution" in world.device("$next/get")[1]) is is_offered
    assert ("execution" in world.device("start-next")[1]) is is_offered
    assert bool(world.device("get")[1]["inProgressJobs"]) is is_offered
    assert world.taken() == []
    world.later(60)
    assert world.topics() == ["notify", "notify-next"]
    assert world.device("fw/get")[1]["code"] == "ResourceNotFound"


@proves("the-window-can-be-stretched-for-a-job")
def test_the_window_can_be_stretched_for_one_job():
    world = World(JobsSettings(removal_delays=(("slow-*", 30.0),)))
    world.create_job("fw")
    world.create_job("slow-fw")
    world.create_job("tagged", tags=[{"Key": "ghostjob:removal-delay-seconds", "Value": "60"}])
    for job_id in ("fw", "slow-fw", "tagged"):
        world.operate("DeleteJob", jobId=job_id, force=True)
    left = []
    for _ in range(3):
        left.append(
            [each["jobId"] for each in world.operate("ListJobExecutionsForThing", thingName=T)["executionSummaries"]]
        )
        world.later(29)
    assert left == [["tagged", "slow-fw"], ["tagged"], []]


@proves("six-removals-compared")
@pytest.mark.parametrize(
    ("removal", "execution", "job_afterwards", "describe", "update"),
    [
        pytest.param("DeleteJob", None, "DELETION_IN_PROGRESS", "ResourceNotFound", None, id="DeleteJob force"),
        pytest.param(
            "DeleteJobExecution", None, "IN_PROGRESS", "ResourceNotFound", None, id="DeleteJobExecution force"
        ),
        pytest.param("CancelJob", "CANCELED", "CANCELED", "TerminalStateReached", "CANCELED", id="CancelJob force"),
        pytest.param(
            "CancelJobExecution",
            "CANCELED",
            "IN_PROGRESS",
            "TerminalStateReached",
            "CANCELED",
            id="CancelJobExecution force",
        ),
        pytest.param("leave", "REMOVED", "IN_PROGRESS", "TerminalStateReached", "REMOVED", id="target removal (group)"),
        pytest.param("time out", "TIMED_OUT", "IN_PROGRESS", "TerminalStateReached", "TIMED_OUT", id="TIMED_OUT"),
    ],
)
def test_six_removals_compared(removal, execution, job_afterwards, describe, update):
    """`update` is the status in the executionState of InvalidStateTransition; None for ResourceNotFound without one."""
    world = World()
    for thing in (T, "other"):
        world.operate("CreateThing", thingName=thing)
    group = world.operate("CreateThingGroup", thingGroupName="g")["thingGroupArn"]
    for thing in (T, "other"):
        world.operate("AddThingToThingGroup", thingGroupName="g", thingName=thing)
    more = {"targetSelection": "CONTINUOUS", "timeoutConfig": {"inProgressTimeoutInMinutes": 1}}
    world.operate("CreateJob", jobId="fw", targets=[group], document="{}", **more)
    world.device("start-next")
    world.taken()
    this = {"jobId": "fw", "thingName": T}
    match removal:
        case "DeleteJob" | "CancelJob":
            world.operate(removal, jobId="fw", force=True)
        case "DeleteJobExecution":
            world.operate(removal, **this, executionNumber=1, force=True)
        case "CancelJobExecution":
            world.operate(removal, **this, force=True)
        case "leave":
            world.operate("RemoveThingFromThingGroup", thingGroupName="g", thingName=T)
        case _:
            world.later(60)
    # The notifications cannot tell one from another.
    at = int(world.now)
    assert [told for told in world.taken() if told[0].startswith("notify")][:2] == [
        ("notify", {"timestamp": at, "jobs": {}}),
        ("notify-next", {"timestamp": at}),
    ]
    assert world.listed("fw").get(T) == execution
    assert world.job("fw")["status"] == job_afterwards
    assert world.device("fw/get")[1]["code"] == describe
    told = world.device("fw/update", {"status": "SUCCEEDED"})[1]
    assert told["code"] == ("ResourceNotFound" if update is None else "InvalidStateTransition")
    assert told.get("executionState", {}).get("status") == update
    if execution == "CANCELED":
        assert world.operate("DescribeJobExecution", **this)["execution"]["forceCanceled"] is True
