"""Section 7: jobs, executions, timers, rollouts. Time is data, so a week of it takes milliseconds."""

import json
from typing import Any

import pytest

from simulator.cloud.jobs import JobsSettings
from simulator.cloud.s3.presigned import FileUrls

from .proofs import proves
from .world import T, World

DEVICE = ("IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED")
ENDS = ("SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "REMOVED", "CANCELED")
MINUTE, DAY = 60, 86_400


def job(*things: str, settings: JobsSettings | None = None, **more: Any) -> World:
    world = World(settings)
    world.create_job("fw", *things, **more)
    world.taken()
    return world


def update(world: World, status: str, thing: str = T, **more: Any) -> dict[str, Any]:
    return world.device("fw/update", {"status": status} | more, thing=thing)[1]


# ── 7.1, 7.2 states ───────────────────────────────────────────────────────────────────────────────────────────


@proves("device-transitions")
@pytest.mark.parametrize("to", DEVICE)
@pytest.mark.parametrize("start", ["QUEUED", "IN_PROGRESS"])
def test_what_a_device_sets(start: str, to: str):
    world = job()
    if start == "IN_PROGRESS":
        world.device("start-next")
    assert "code" not in update(world, to)
    assert world.listed("fw") == {T: to}


@proves("device-transitions")
@pytest.mark.parametrize("to", DEVICE)
@pytest.mark.parametrize("end", ENDS)
def test_nothing_leads_out_of_a_terminal_state(end: str, to: str):
    world = job(T, "other", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    world.device("start-next")
    match end:
        case "TIMED_OUT":
            world.later(60)
        case "REMOVED":
            world.operate("DeleteThing", thingName=T)
        case "CANCELED":
            world.operate("CancelJob", jobId="fw", force=True)
        case _:
            update(world, end)
    answer = update(world, to)
    assert (answer["code"], answer["executionState"]["status"]) == ("InvalidStateTransition", end)


@proves("snapshot-jobs-complete")
@pytest.mark.parametrize(("selection", "status"), [("SNAPSHOT", "COMPLETED"), ("CONTINUOUS", "IN_PROGRESS")])
def test_a_job_when_all_executions_are_terminal(selection: str, status: str):
    world = job("a", "b", targetSelection=selection, jobExecutionsRolloutConfig={"maximumPerMinute": 1})
    update(world, "SUCCEEDED", "a")
    assert world.job("fw")["status"] == "IN_PROGRESS"
    world.later(MINUTE)
    update(world, "FAILED", "b")
    assert world.job("fw")["status"] == status


# ── 7.3 timers ────────────────────────────────────────────────────────────────────────────────────────────────


@proves("in-progress-timer")
def test_the_in_progress_timer():
    world = job(timeoutConfig={"inProgressTimeoutInMinutes": 7 * 24 * 60})
    world.later(30 * DAY)
    update(world, "IN_PROGRESS")
    started = world.now
    world.later(3 * DAY)
    update(world, "IN_PROGRESS", statusDetails={"progress": "50"})
    world.later(started + 7 * DAY - world.now - 2)
    assert world.listed("fw") == {T: "IN_PROGRESS"}
    world.taken()
    world.later(1)
    assert world.topics() == ["notify", "notify-next"]
    assert world.listed("fw") == {T: "TIMED_OUT"}
    assert world.job("fw")["status"] == "COMPLETED"


@proves("step-timer")
@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        pytest.param([5], 300, id="one step"),
        pytest.param([5, 1], 60, id="a shorter one takes its place"),
        pytest.param([1, 5], 300, id="and so does a longer one"),
        pytest.param([5, -1], 3600, id="stopped: only the whole counts"),
        pytest.param([90], 3600, id="longer than the whole"),
    ],
)
def test_step_timers(steps: list[int], seconds: int):
    world = job(timeoutConfig={"inProgressTimeoutInMinutes": 60})
    world.device("start-next")
    started = world.now
    for minutes in steps:
        update(world, "IN_PROGRESS", stepTimeoutInMinutes=minutes)
    ends = (started if seconds == 3600 else world.now) + seconds
    world.later(ends - world.now - 2)
    assert world.listed("fw") == {T: "IN_PROGRESS"}
    world.later(1)
    assert world.listed("fw") == {T: "TIMED_OUT"}


@proves("seconds-before-timed-out")
def test_how_much_time_is_left_is_told_while_a_timer_runs():
    world = job(timeoutConfig={"inProgressTimeoutInMinutes": 10})

    def told() -> int | None:
        return world.device("fw/get")[1]["execution"].get("approximateSecondsBeforeTimedOut")

    assert told() is None
    assert world.device("start-next")[1]["execution"]["approximateSecondsBeforeTimedOut"] == 600
    assert told() == 599
    update(world, "IN_PROGRESS", stepTimeoutInMinutes=1)
    assert told() == 59
    update(world, "IN_PROGRESS", stepTimeoutInMinutes=-1)
    assert told() == 595
    update(world, "SUCCEEDED")
    execution = world.operate("DescribeJobExecution", jobId="fw", thingName=T)["execution"]
    assert execution.get("approximateSecondsBeforeTimedOut") is None


@proves("time-outs-may-be-late")
@pytest.mark.parametrize("late", [0, 60])
def test_a_time_out_may_be_late(late: int):
    world = job(settings=JobsSettings(timeouts_late_seconds=late), timeoutConfig={"inProgressTimeoutInMinutes": 1})
    world.device("start-next")
    world.later(60 + late - 2)
    assert world.listed("fw") == {T: "IN_PROGRESS"}
    world.later(1)
    assert world.listed("fw") == {T: "TIMED_OUT"}


# ── 7.4 rollout, abort, retry, schedule ───────────────────────────────────────────────────────────────────────


def names(count: int) -> tuple[str, ...]:
    return tuple(f"t{number}" for number in range(count))


@proves("constant-rollout", "at-most-a-thousand-a-minute")
@pytest.mark.parametrize(
    ("config", "cap", "after_each_minute"),
    [
        (None, 1000, [60, 60, 60]),
        ({"maximumPerMinute": 25}, 1000, [25, 50, 60]),
        ({"maximumPerMinute": 25}, 10, [10, 20, 30]),
    ],
)
def test_a_constant_rollout(config, cap, after_each_minute):
    settings = JobsSettings(rollout_per_minute=cap)
    world = job(*names(60), settings=settings, **({"jobExecutionsRolloutConfig": config} if config else {}))
    found = []
    for _ in range(3):
        found.append(world.job("fw")["jobProcessDetails"]["numberOfQueuedThings"])
        world.later(MINUTE - 1)
    assert found == after_each_minute


@proves("exponential-rollout")
@pytest.mark.parametrize(
    ("criterion", "succeeding", "rates"),
    [
        ({"numberOfNotifiedThings": 5}, 0, [5, 10, 40, 5]),
        ({"numberOfSucceededThings": 5}, 0, [5, 5, 5, 5]),
        ({"numberOfSucceededThings": 5}, 5, [5, 10, 20, 25]),
    ],
)
def test_an_exponential_rollout(criterion, succeeding, rates):
    """Each minute so many things are notified, and `succeeding` of them succeed."""
    rate = {"baseRatePerMinute": 5, "incrementFactor": 2.0, "rateIncreaseCriteria": criterion}
    world = job(*names(60), jobExecutionsRolloutConfig={"exponentialRate": rate})
    created, found, seen, done = world.now, [], 0, 0
    for minute in range(4):
        world.later(created + 30 + minute * MINUTE - world.now)
        now_there = world.listed("fw")
        found.append(len(now_there) - seen)
        seen = len(now_there)
        for thing in names(done + succeeding)[done:]:
            update(world, "SUCCEEDED", thing)
        done += succeeding
    assert found == rates


@proves("abort")
@pytest.mark.parametrize(
    ("failure", "threshold", "ends", "is_aborted"),
    [
        ("FAILED", 50.0, ("SUCCEEDED", "FAILED"), True),
        ("FAILED", 50.01, ("SUCCEEDED", "FAILED"), False),
        ("FAILED", 50.0, ("FAILED",), False),
        ("REJECTED", 50.0, ("SUCCEEDED", "FAILED"), False),
        ("ALL", 100.0, ("REJECTED", "FAILED"), True),
    ],
)
def test_the_abort_of_a_job(failure, threshold, ends, is_aborted):
    criterion = {
        "failureType": failure,
        "action": "CANCEL",
        "thresholdPercentage": threshold,
        "minNumberOfExecutedThings": 2,
    }
    world = job(*names(4), abortConfig={"criteriaList": [criterion]})
    update(world, "IN_PROGRESS", "t2")
    for number, end in enumerate(ends):
        update(world, end, f"t{number}")
    shown = world.job("fw")
    assert shown["status"] == ("CANCELED" if is_aborted else "IN_PROGRESS")
    assert bool(shown.get("reasonCode")) is bool(shown.get("comment")) is is_aborted
    listed = world.listed("fw")
    assert (listed["t2"], listed["t3"]) == ("IN_PROGRESS", "CANCELED" if is_aborted else "QUEUED")


@proves("retries", "a-retry-has-the-next-number", "counts-count-executions")
@pytest.mark.parametrize(
    ("criteria", "ends", "executions"),
    [
        ({"FAILED": 2}, ("FAILED", "FAILED", "FAILED"), 3),
        ({"FAILED": 2}, ("TIMED_OUT",), 1),
        ({"FAILED": 1, "TIMED_OUT": 1}, ("FAILED", "TIMED_OUT", "FAILED"), 3),
        ({"ALL": 1}, ("TIMED_OUT", "FAILED"), 2),
        ({"ALL": 5}, ("REJECTED",), 1),
    ],
)
def test_retries(criteria, ends, executions):
    criteria_list = [{"failureType": kind, "numberOfRetries": count} for kind, count in criteria.items()]
    world = job(
        jobExecutionsRetryConfig={"criteriaList": criteria_list}, timeoutConfig={"inProgressTimeoutInMinutes": 1}
    )
    for end in ends:
        world.device("start-next")
        world.later(60) if end == "TIMED_OUT" else update(world, end)
    found = world.operate("ListJobExecutionsForJob", jobId="fw")["executionSummaries"]
    summaries = [each["jobExecutionSummary"] for each in found]
    assert sorted(each["executionNumber"] for each in summaries) == list(range(1, executions + 1))
    assert sorted(each.get("retryAttempt") or 0 for each in summaries) == list(range(executions))
    details = world.job("fw")["jobProcessDetails"]
    assert sum(count for name, count in details.items() if name.startswith("numberOf")) == executions
    assert world.job("fw")["status"] == "COMPLETED"


@proves("continuous-targets")
def test_a_continuous_job_follows_its_group():
    world = World()
    for name in ("a", "b"):
        world.operate("CreateThing", thingName=name)
    group = world.operate("CreateThingGroup", thingGroupName="g")["thingGroupArn"]
    world.operate("AddThingToThingGroup", thingGroupName="g", thingName="a")
    world.operate("CreateJob", jobId="fw", targets=[group], document="{}", targetSelection="CONTINUOUS")
    assert world.listed("fw") == {"a": "QUEUED"}
    world.operate("AddThingToThingGroup", thingGroupName="g", thingName="b")
    assert world.listed("fw") == {"a": "QUEUED", "b": "QUEUED"}
    update(world, "IN_PROGRESS", "b")
    world.operate("RemoveThingFromThingGroup", thingGroupName="g", thingName="b")
    assert world.listed("fw") == {"a": "QUEUED", "b": "REMOVED"}
    world.operate("AddThingToThingGroup", thingGroupName="g", thingName="b")
    assert world.listed("fw") == {"a": "QUEUED", "b": "QUEUED"}
    execution = world.operate("DescribeJobExecution", jobId="fw", thingName="b")["execution"]
    assert execution["executionNumber"] == 2


@proves("deleted-things")
@pytest.mark.parametrize(("setting", "status"), [("removed", "REMOVED"), ("stays", "QUEUED")])
def test_the_executions_of_a_deleted_thing(setting: str, status: str):
    world = job("a", "b", settings=JobsSettings(deleted_thing=setting))
    world.operate("DeleteThing", thingName="a")
    assert world.listed("fw") == {"a": status, "b": "QUEUED"}


@proves("scheduled-jobs", "times-are-thirty-minutes-apart")
@pytest.mark.parametrize(
    ("behavior", "status", "executions"),
    [
        ("STOP_ROLLOUT", "IN_PROGRESS", {"t0": "IN_PROGRESS", "t1": "QUEUED"}),
        ("CANCEL", "CANCELED", {"t0": "IN_PROGRESS", "t1": "CANCELED"}),
        ("FORCE_CANCEL", "CANCELED", {"t0": "CANCELED", "t1": "CANCELED"}),
    ],
)
def test_a_scheduled_job_starts_and_ends_at_its_times(behavior, status, executions):
    config = {"startTime": "2023-11-15 00:00", "endTime": "2023-11-15 00:30", "endBehavior": behavior}
    world = job(
        *names(3),
        schedulingConfig=config,
        jobExecutionsRolloutConfig={"maximumPerMinute": 1},
        targetSelection="SNAPSHOT",
    )
    assert world.job("fw")["status"] == "SCHEDULED"
    assert world.listed("fw") == {}
    world.later(1_700_006_400 - world.now)
    assert world.job("fw")["status"] == "IN_PROGRESS"
    world.operate("DeleteThing", thingName="t2")
    world.later(MINUTE)
    update(world, "IN_PROGRESS", "t0")
    world.later(30 * MINUTE)
    assert world.job("fw")["status"] == status
    assert world.listed("fw") == executions


@proves("times-are-thirty-minutes-apart")
@pytest.mark.parametrize(
    ("lead", "start", "end", "is_refused"),
    [
        (1800.0, "2023-11-14 22:40", None, True),
        (1800.0, "2023-11-14 22:45", "2023-11-14 23:14", True),
        (1800.0, "2023-11-14 22:45", "2023-11-14 23:15", False),
        (60.0, "2023-11-14 22:16", "2023-11-14 22:17", False),
    ],
)
def test_times_have_to_be_so_far_apart(lead, start, end, is_refused):
    """It is 22:13:20 when this begins."""
    config = {"startTime": start} | ({"endTime": end, "endBehavior": "CANCEL"} if end else {})
    world = World(JobsSettings(schedule_lead_seconds=lead))
    arn = world.operate("CreateThing", thingName=T)["thingArn"]
    refused = world.refusal("CreateJob", jobId="fw", targets=[arn], document="{}", schedulingConfig=config)
    assert refused == ("InvalidRequestException" if is_refused else None)


@proves("maintenance-windows")
def test_a_job_is_rolled_out_in_its_maintenance_windows_only():
    window = {"startTime": "cron(0 2 ? * * *)", "durationInMinutes": 2}
    world = job(
        *names(5),
        schedulingConfig={"maintenanceWindows": [window]},
        jobExecutionsRolloutConfig={"maximumPerMinute": 1},
    )
    nights = []
    for _ in range(7):
        nights.append(len(world.listed("fw")))
        world.later(DAY - 1)
    assert nights == [0, 2, 4, 5, 5, 5, 5]


@proves("presigned-urls-at-delivery")
@pytest.mark.parametrize("kind", ["s3-presigned-url", "s3-presigned-url-v2"])
def test_placeholders_are_replaced_at_each_delivery_to_a_device(kind: str):
    url = f"${{aws:iot:{kind}:https://s3.us-east-1.amazonaws.com/bucket/image}}"
    left_alone = job(document=json.dumps({"url": url}))
    assert left_alone.device("fw/get")[1]["execution"]["jobDocument"]["url"] == url
    world = World()
    world.presign(FileUrls("http://files/", b"secret").document)
    config = {"roleArn": "arn:aws:iam::000000000000:role/files", "expiresInSec": 60}
    world.create_job("fw", document=json.dumps({"url": url}), presignedUrlConfig=config)
    told = dict(world.taken())["notify-next"]["execution"]["jobDocument"]["url"]
    first, second = (world.device("fw/get")[1]["execution"]["jobDocument"]["url"] for _ in range(2))
    assert len({told, first, second}) == 3
    assert all(each.startswith("http://files/bucket/image?") and "X-Amz-Expires=60" in each for each in (told, first))
    assert json.loads(world.operate("GetJobDocument", jobId="fw")["document"]) == {"url": url}
