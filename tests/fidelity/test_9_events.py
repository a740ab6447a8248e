"""Section 9: events and quotas."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import T, World

ARN = "arn:aws:iot:us-east-1:000000000000:thing/thing"


def world_with(*kinds: str, **more: object) -> World:
    """A job fw on one thing, and events of these kinds; what its creation published is taken."""
    world = World(JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0))
    if kinds:
        world.operate("UpdateEventConfigurations", eventConfigurations={kind: {"Enabled": True} for kind in kinds})
    world.create_job("fw", **more)
    world.taken()
    return world


def events(world: World) -> list[str]:
    return [topic.removeprefix("$aws/events/") for topic in world.topics() if topic.startswith("$aws/events/")]


@proves("events-are-opt-in")
@pytest.mark.parametrize(
    ("kinds", "heard"),
    [
        ((), []),
        (("JOB",), ["job/fw/completed"]),
        (("JOB_EXECUTION",), ["jobExecution/fw/succeeded"]),
        (("JOB", "JOB_EXECUTION"), ["jobExecution/fw/succeeded", "job/fw/completed"]),
    ],
)
def test_events_are_published_only_if_their_kind_is_enabled(kinds, heard):
    world = world_with(*kinds)
    world.device("fw/update", {"status": "SUCCEEDED"})
    assert events(world) == heard


@proves("job-events")
@pytest.mark.parametrize(
    ("operation", "heard"),
    [
        ("CancelJob", ["job/fw/cancellation_in_progress", "job/fw/canceled"]),
        ("DeleteJob", ["job/fw/deletion_in_progress", "job/fw/deleted"]),
    ],
)
def test_what_is_told_of_a_cancellation_and_of_a_deletion(operation, heard):
    world = world_with("JOB")
    world.operate(operation, jobId="fw", force=True)
    assert events(world) == heard


@proves("job-events")
def test_the_payload_of_a_job_event():
    world = world_with("JOB", description="new firmware")
    created = world.now
    world.device("fw/update", {"status": "SUCCEEDED"})
    body = dict(world.taken())["$aws/events/job/fw/completed"]
    assert body.pop("eventId")
    assert body == {
        "eventType": "JOB",
        "timestamp": int(world.now),
        "operation": "completed",
        "jobId": "fw",
        "status": "COMPLETED",
        "targetSelection": "SNAPSHOT",
        "targets": [ARN],
        "description": "new firmware",
        "createdAt": int(created * 1000),
        "lastUpdatedAt": int(world.now * 1000),
        "completedAt": int(world.now * 1000),
        "jobProcessDetails": {
            "numberOfSucceededThings": 1,
            "numberOfFailedThings": 0,
            "numberOfTimedOutThings": 0,
            "numberOfRejectedThings": 0,
            "numberOfRemovedThings": 0,
            "numberOfCanceledThings": 0,
        },
    }


@proves("execution-events")
@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ("succeeded", "SUCCEEDED"),
        ("failed", "FAILED"),
        ("rejected", "REJECTED"),
        ("canceled", "CANCELED"),
        ("timed_out", "TIMED_OUT"),
        ("removed", "REMOVED"),
    ],
)
def test_the_end_of_an_execution_is_told(operation, status):
    world = world_with("JOB_EXECUTION", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    world.device("fw/update", {"status": "IN_PROGRESS", "statusDetails": {"k": "v"}})
    world.taken()
    match status:
        case "CANCELED":
            world.operate("CancelJob", jobId="fw", force=True)
        case "TIMED_OUT":
            world.later(60)
        case "REMOVED":
            world.operate("DeleteThing", thingName=T)
        case _:
            world.device("fw/update", {"status": status})
    (topic, body) = world.taken()[-1]
    assert topic == f"$aws/events/jobExecution/fw/{operation}"
    assert body.pop("eventId")
    assert body.pop("timestamp") <= int(world.now)
    assert body == {
        "eventType": "JOB_EXECUTION",
        "operation": operation,
        "jobId": "fw",
        "thingArn": ARN,
        "status": status,
        "statusDetails": {"k": "v"},
    }


@proves("event-of-a-deleted-execution")
@pytest.mark.parametrize("operation", ["DeleteJob", "DeleteJobExecution"])
def test_the_removal_of_a_record_is_told(operation):
    world = world_with("JOB_EXECUTION")
    world.device("start-next")
    more = {"thingName": T, "executionNumber": 1} if operation == "DeleteJobExecution" else {}
    world.operate(operation, jobId="fw", force=True, **more)
    told = [body for topic, body in world.taken() if topic == "$aws/events/jobExecution/fw/deleted"]
    assert [(body["operation"], body["status"]) for body in told] == [("deleted", "IN_PROGRESS")]


@proves("reads-and-writes-a-second")
def test_reads_and_writes_above_the_rate_are_throttled_each_for_itself():
    world = World(JobsSettings(requests_per_second=2))
    world.create_job("fw")
    world.now = int(world.now) + 0.0
    codes = []
    for topic in ("fw/get", "get", "$next/get", "start-next", "fw/update", "start-next"):
        world.now -= 1  # all within one second
        codes.append(world.device(topic, {"status": "IN_PROGRESS"})[1].get("code"))
    assert codes == [None, None, "RequestThrottled", None, None, "RequestThrottled"]
    assert "code" not in world.device("fw/get")[1], "the next second has a quota of its own"


@proves("ten-retries", "ten-placeholders")
@pytest.mark.parametrize(
    ("settings", "more", "is_refused"),
    [
        ({}, {"retries": (6, 4)}, False),
        ({}, {"retries": (6, 5)}, True),
        ({"retries": 3}, {"retries": (2, 2)}, True),
        ({}, {"urls": 10}, False),
        ({}, {"urls": 11}, True),
        ({"placeholders": 1}, {"urls": 2}, True),
    ],
)
def test_what_a_job_may_ask_for(settings, more, is_refused):
    world = World(JobsSettings(**settings))
    arn = world.operate("CreateThing", thingName=T)["thingArn"]
    url = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"
    document = "[" + ",".join(f'"{url}"' for _ in range(more.get("urls", 0))) + "]"
    criteria = [
        {"failureType": kind, "numberOfRetries": count}
        for kind, count in zip(("FAILED", "TIMED_OUT"), more.get("retries", (0, 0)), strict=True)
    ]
    refused = world.refusal(
        "CreateJob",
        jobId="fw",
        targets=[arn],
        document=document,
        jobExecutionsRetryConfig={"criteriaList": criteria},
    )
    assert (refused is not None) is is_refused
