"""Section 3: notifications, and which event publishes which."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import T, World


def queue(*job_ids: str, running: tuple[str, ...] = ()) -> World:
    """These jobs on one thing, some of them IN_PROGRESS."""
    world = World()
    for job_id in job_ids:
        world.create_job(job_id)
    for job_id in running:
        world.device(f"{job_id}/update", {"status": "IN_PROGRESS"})
    world.taken()
    return world


def update(job_id: str, status: str):
    return lambda world: world.device(f"{job_id}/update", {"status": status})


def operate(operation: str, **parameters: object):
    return lambda world: world.operate(operation, **parameters)


def force_delete(job_id: str):
    return operate("DeleteJob", jobId=job_id, force=True)


def force_delete_execution(job_id: str):
    return operate("DeleteJobExecution", jobId=job_id, thingName=T, executionNumber=1, force=True)


YES, NO = True, False


@proves("what-each-event-publishes")
@pytest.mark.parametrize(
    ("before", "event", "notify", "notify_next"),
    [
        pytest.param(queue(), lambda w: w.create_job("a"), YES, "a", id="execution created, queue was empty"),
        pytest.param(queue("a"), lambda w: w.create_job("b"), YES, NO, id="execution created, queue non-empty"),
        pytest.param(queue("a"), update("a", "IN_PROGRESS"), NO, NO, id="head QUEUED→IN_PROGRESS"),
        pytest.param(
            queue("a", "b"), update("b", "IN_PROGRESS"), NO, "b", id="non-head QUEUED→IN_PROGRESS, head QUEUED"
        ),
        pytest.param(
            queue("a", "b", running=("b",)),
            update("a", "IN_PROGRESS"),
            NO,
            "a",
            id="non-head QUEUED→IN_PROGRESS, head later-queued IN_PROGRESS",
        ),
        pytest.param(queue("a", running=("a",)), update("a", "IN_PROGRESS"), NO, NO, id="IN_PROGRESS→IN_PROGRESS"),
        *(
            pytest.param(queue("a", "b", running=("a",)), event, YES, "b", id=f"head → {status}")
            for status, event in (
                ("SUCCEEDED", update("a", "SUCCEEDED")),
                ("FAILED", update("a", "FAILED")),
                ("REJECTED", update("a", "REJECTED")),
                ("CANCELED", operate("CancelJob", jobId="a", force=True)),
                ("CANCELED (execution)", operate("CancelJobExecution", jobId="a", thingName=T, force=True)),
            )
        ),
        pytest.param(queue("a", running=("a",)), update("a", "SUCCEEDED"), YES, None, id="the only one → terminal"),
        pytest.param(queue("a", "b"), update("b", "SUCCEEDED"), YES, NO, id="non-head → terminal"),
        pytest.param(queue("a", "b", running=("a",)), force_delete("a"), YES, "b", id="head force-deleted (DeleteJob)"),
        pytest.param(
            queue("a", "b", running=("a",)),
            force_delete_execution("a"),
            YES,
            "b",
            id="head force-deleted (DeleteJobExecution)",
        ),
        pytest.param(queue("a", running=("a",)), force_delete("a"), YES, None, id="the only one force-deleted"),
        pytest.param(queue("a", "b"), force_delete("b"), YES, NO, id="non-head pending execution deleted"),
    ],
)
def test_what_each_event_publishes(before: World, event, notify: bool, notify_next: str | bool | None):
    """`notify_next` is the new head, None for none, False if nothing is published."""
    event(before)
    told = dict(before.taken())
    assert ("notify" in told) is notify
    if notify_next is NO:
        assert "notify-next" not in told
    else:
        assert told["notify-next"].get("execution", {}).get("jobId") == notify_next


@proves("what-each-event-publishes")
@pytest.mark.parametrize("delete", [force_delete("a"), force_delete_execution("a")], ids=["the job", "the execution"])
def test_the_deletion_of_a_terminal_execution_publishes_nothing(delete):
    world = queue("a", "b", running=("a",))
    world.device("a/update", {"status": "SUCCEEDED"})
    world.taken()
    delete(world)
    assert world.taken() == []


@proves("what-each-event-publishes")
def test_a_time_out_and_a_removal_of_the_head_publish_both():
    for end in ("TIMED_OUT", "REMOVED"):
        world = World()
        world.create_job("a", timeoutConfig={"inProgressTimeoutInMinutes": 1})
        world.device("start-next")
        world.taken()
        world.later(60) if end == "TIMED_OUT" else world.operate("DeleteThing", thingName=T)
        assert world.topics() == ["notify", "notify-next"]
        assert world.listed("a") == {T: end}


@proves("a-retry-is-told-as-a-new-execution")
def test_a_retry_is_told_as_a_new_execution():
    world = World()
    retries = {"criteriaList": [{"failureType": "FAILED", "numberOfRetries": 1}]}
    world.create_job("a", jobExecutionsRetryConfig=retries)
    world.taken()
    world.device("a/update", {"status": "FAILED"})
    told = world.taken()
    assert [topic for topic, _ in told] == ["notify", "notify-next", "notify", "notify-next"]
    assert told[-1][1]["execution"]["executionNumber"] == 2


# ── 3.1, 3.2 payloads ─────────────────────────────────────────────────────────────────────────────────────────


@proves("payload-of-notify", "payload-of-notify-next")
def test_the_payloads_of_both():
    world = queue("a", running=("a",))
    started = int(world.now)
    world.create_job("b")
    at = int(world.now)
    assert world.taken() == [
        (
            "notify",
            {
                "timestamp": at,
                "jobs": {
                    "IN_PROGRESS": [
                        {
                            "jobId": "a",
                            "queuedAt": started - 1,
                            "startedAt": started,
                            "lastUpdatedAt": started,
                            "versionNumber": 2,
                            "executionNumber": 1,
                        }
                    ],
                    "QUEUED": [
                        {"jobId": "b", "queuedAt": at, "lastUpdatedAt": at, "versionNumber": 1, "executionNumber": 1}
                    ],
                },
            },
        )
    ]
    world.device("a/update", {"status": "SUCCEEDED"})
    now = int(world.now)
    notify, notify_next = (payload for _, payload in world.taken())
    assert notify == {"timestamp": now, "jobs": {"QUEUED": notify["jobs"]["QUEUED"]}}
    assert notify_next == {
        "timestamp": now,
        "execution": {
            "jobId": "b",
            "status": "QUEUED",
            "queuedAt": at,
            "lastUpdatedAt": at,
            "versionNumber": 1,
            "executionNumber": 1,
            "jobDocument": {"operation": "test"},
        },
    }
    world.device("b/update", {"status": "SUCCEEDED"})
    now = int(world.now)
    assert world.taken() == [("notify", {"timestamp": now, "jobs": {}}), ("notify-next", {"timestamp": now})]


@proves("in-progress-before-queued")
def test_the_order_of_a_queue():
    world = queue("a", "b", "c", "d", running=("d", "c"))
    _, answer = world.device("get")
    assert [each["jobId"] for each in answer["inProgressJobs"]] == ["c", "d"]
    assert [each["jobId"] for each in answer["queuedJobs"]] == ["a", "b"]
    assert world.device("$next/get")[1]["execution"]["jobId"] == "c"


@proves("ten-are-listed")
@pytest.mark.parametrize("listed", [10, 3])
def test_lists_are_capped(listed: int):
    world = World(JobsSettings(pending_listed=listed))
    for number in range(12):
        world.create_job(f"j{number}")
    world.device("j11/update", {"status": "IN_PROGRESS"})
    world.taken()
    world.create_job("last")
    told = dict(world.taken())["notify"]["jobs"]
    assert (len(told["IN_PROGRESS"]), len(told["QUEUED"])) == (1, listed - 1)
    _, answer = world.device("get")
    assert (len(answer["inProgressJobs"]), len(answer["queuedJobs"])) == (1, listed - 1)


@proves("fifteen-are-listed-in-a-window")
def test_lists_hold_more_while_a_maintenance_window_is_open():
    world = World(JobsSettings(pending_listed_in_window=14))
    for number in range(16):
        world.create_job(f"j{number}")
    assert len(world.device("get")[1]["queuedJobs"]) == 10
    window = {"startTime": "cron(0/30 * ? * * *)", "durationInMinutes": 15}
    world.later(1800 - world.now % 1800)
    world.create_job("windowed", schedulingConfig={"maintenanceWindows": [window]})
    assert len(world.device("get")[1]["queuedJobs"]) == 14
    world.later(900)
    assert len(world.device("get")[1]["queuedJobs"]) == 10


@proves("reads-may-lag-behind")
def test_reads_show_what_was_for_as_long_as_the_setting_says():
    world = World()
    world.create_job("a")
    assert "execution" in world.device("$next/get")[1]
    slow = World(JobsSettings(stale_reads_seconds=5))
    slow.create_job("a")
    assert "execution" not in slow.device("$next/get")[1]
    slow.later(5)
    assert "execution" in slow.device("$next/get")[1]
    slow.operate("DeleteJob", jobId="a", force=True)
    assert slow.device("get")[1]["queuedJobs"][0]["jobId"] == "a", "as if it were not deleted"
    slow.later(5)
    assert slow.device("get")[1]["queuedJobs"] == []
