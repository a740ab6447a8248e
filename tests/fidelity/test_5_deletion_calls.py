"""Section 5, its two deletions: DeleteJob and DeleteJobExecution."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import T, World

SLOW = JobsSettings(deletion_seconds=60)
AGAIN = "InvalidStateTransitionException"


def job_that_is(state: str, settings: JobsSettings = SLOW) -> World:
    """A world whose job fw, for one thing, is in that state."""
    world = World(settings)
    if state == "SCHEDULED":
        world.create_job("fw", schedulingConfig={"startTime": "2024-06-01 00:00"})
        return world
    world.create_job("fw")
    match state:
        case "IN_PROGRESS, its execution too":
            world.device("start-next")
        case "COMPLETED":
            world.device("fw/update", {"status": "SUCCEEDED"})
        case "CANCELED":
            world.operate("CancelJob", jobId="fw")
        case "CANCELED, an execution IN_PROGRESS":
            world.device("start-next")
            world.operate("CancelJob", jobId="fw")
        case "DELETION_IN_PROGRESS":
            world.operate("DeleteJob", jobId="fw", force=True)
    return world


# ── 5.5 DeleteJob ─────────────────────────────────────────────────────────────────────────────────────────────


@proves("delete-job-without-force", "delete-job-with-force", "scheduled-jobs-need-force", "deleting-a-job-twice")
@pytest.mark.parametrize(
    ("state", "without_force", "with_force"),
    [
        ("IN_PROGRESS", AGAIN, None),
        ("IN_PROGRESS, its execution too", AGAIN, None),
        ("COMPLETED", None, None),
        ("CANCELED", None, None),
        ("CANCELED, an execution IN_PROGRESS", None, None),
        ("SCHEDULED", AGAIN, None),
        ("DELETION_IN_PROGRESS", AGAIN, AGAIN),
    ],
)
def test_in_which_state_a_job_may_be_deleted(state, without_force, with_force):
    assert job_that_is(state).refusal("DeleteJob", jobId="fw") == without_force
    world = job_that_is(state)
    assert world.refusal("DeleteJob", jobId="fw", force=True) == with_force
    assert world.job("fw")["status"] == "DELETION_IN_PROGRESS"
    assert world.listed("fw") == {}


@proves("deleting-a-job-twice", "cancelling-a-job-that-is-being-deleted")
@pytest.mark.parametrize(
    ("operation", "setting", "default", "other"),
    [
        ("DeleteJob", "deleting_again", "InvalidStateTransition", "InvalidRequest"),
        ("CancelJob", "cancelling_deleted", "InvalidRequest", "InvalidStateTransition"),
    ],
)
def test_the_errors_while_a_job_is_being_deleted_can_be_chosen(operation, setting, default, other):
    for settings, name in ((SLOW, default), (JobsSettings(deletion_seconds=60, **{setting: other}), other)):
        world = job_that_is("DELETION_IN_PROGRESS", settings)
        assert world.refusal(operation, jobId="fw", force=True) == f"{name}Exception"


@proves("ten-deletions-at-once")
def test_an_eleventh_deletion_is_refused_until_one_of_the_ten_is_over():
    world = World(SLOW)
    for number in range(11):
        world.create_job(f"j{number}", **({"namespaceId": "lab"} if number % 2 else {}))
    for number in range(10):
        world.operate("DeleteJob", jobId=f"j{number}", force=True, **({"namespaceId": "lab"} if number % 2 else {}))
    assert world.refusal("DeleteJob", jobId="j10", force=True) == "LimitExceededException"
    assert world.job("j10")["status"] == "IN_PROGRESS"
    world.later(49)
    assert world.refusal("DeleteJob", jobId="j10", force=True) is None


@proves("unknown-jobs-are-not-found")
def test_an_unknown_job_is_not_found():
    assert World().refusal("DeleteJob", jobId="fw", force=True) == "ResourceNotFoundException"


@proves("job-id-is-free-afterwards", "deletions-last")
@pytest.mark.parametrize("seconds", [0, 3, 120])
def test_a_job_id_is_free_when_its_deletion_is_over(seconds: int):
    world = job_that_is("DELETION_IN_PROGRESS", JobsSettings(deletion_seconds=seconds))
    again = {"jobId": "fw", "targets": ["arn:aws:iot:us-east-1:000000000000:thing/thing"], "document": "{}"}
    if seconds:
        assert world.refusal("CreateJob", **again) == "ResourceAlreadyExistsException"
        world.later(seconds - 2.25)
        assert world.job("fw")["status"] == "DELETION_IN_PROGRESS", "a quarter of a second before the end"
    assert world.refusal("DescribeJob", jobId="fw") == "ResourceNotFoundException"
    assert world.refusal("CreateJob", **again) is None
    execution = world.operate("DescribeJobExecution", jobId="fw", thingName=T)["execution"]
    assert (execution["executionNumber"], execution["versionNumber"]) == (1, 1)


@proves("deletions-last-longer-the-more-executions-there-are")
@pytest.mark.parametrize(("executions", "lasts"), [(1, 3.5), (4, 5), (20, 13)])
def test_a_deletion_lasts_longer_the_more_executions_it_removes(executions: int, lasts: float):
    world = World(JobsSettings(deletion_seconds_per_execution=0.5))
    world.create_job("fw", *(f"t{number}" for number in range(executions)))
    world.operate("DeleteJob", jobId="fw", force=True)
    world.later(lasts - 1.25)
    assert world.job("fw")["status"] == "DELETION_IN_PROGRESS", "a quarter of a second before the end"
    assert world.refusal("DescribeJob", jobId="fw") == "ResourceNotFoundException"


@proves("another-namespace-does-not-find-it")
@pytest.mark.parametrize("error", ["ResourceNotFound", "InvalidRequest"])
@pytest.mark.parametrize("given", [{}, {"namespaceId": "other"}])
def test_a_job_is_not_found_in_another_namespace(given, error):
    world = World(JobsSettings(wrong_namespace=error))
    world.create_job("fw", namespaceId="lab")
    execution = {"jobId": "fw", "thingName": T, "executionNumber": 1, "force": True}
    targets = world.job("fw")["targets"]
    for operation, parameters in (
        ("DeleteJob", {"jobId": "fw", "force": True}),
        ("DeleteJobExecution", execution),
        ("UpdateJob", {"jobId": "fw", "description": "x"}),
        ("AssociateTargetsWithJob", {"jobId": "fw", "targets": targets}),
    ):
        assert world.refusal(operation, **parameters, **given) == f"{error}Exception"
    assert world.job("fw")["status"] == "IN_PROGRESS"
    assert world.refusal("DeleteJob", jobId="fw", force=True, namespaceId="lab") is None


# ── 5.6 DeleteJobExecution ────────────────────────────────────────────────────────────────────────────────────


def execution_that_is(status: str, settings: JobsSettings | None = None) -> World:
    world = World(settings)
    world.create_job("fw", T, "other", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    match status:
        case "IN_PROGRESS":
            world.device("start-next")
        case "SUCCEEDED" | "FAILED" | "REJECTED":
            world.device("fw/update", {"status": status})
        case "CANCELED":
            world.operate("CancelJobExecution", jobId="fw", thingName=T)
        case "TIMED_OUT":
            world.device("start-next")
            world.later(60)
        case "REMOVED":
            world.operate("DeleteThing", thingName=T)
    assert world.listed("fw")[T] == status
    return world


@proves("delete-execution-without-force", "queued-executions-need-no-force")
@pytest.mark.parametrize(
    ("status", "needs_force"),
    [
        ("QUEUED", False),
        ("IN_PROGRESS", True),
        ("SUCCEEDED", False),
        ("FAILED", False),
        ("REJECTED", False),
        ("TIMED_OUT", False),
        ("REMOVED", False),
        ("CANCELED", False),
    ],
)
def test_which_executions_need_force(status: str, needs_force: bool):
    this = {"jobId": "fw", "thingName": T, "executionNumber": 1}
    world = execution_that_is(status)
    assert world.refusal("DeleteJobExecution", **this) == (AGAIN if needs_force else None)
    assert (T in world.listed("fw")) is needs_force
    forced = execution_that_is(status)
    assert forced.refusal("DeleteJobExecution", **this, force=True) is None
    assert forced.listed("fw") == {"other": "QUEUED"}
    assert forced.refusal("DescribeJobExecution", jobId="fw", thingName=T) == "ResourceNotFoundException"


@proves("queued-executions-need-no-force")
def test_a_queued_execution_may_be_made_to_need_force():
    world = execution_that_is("QUEUED", JobsSettings(queued_deletion_needs_force=True))
    this = {"jobId": "fw", "thingName": T, "executionNumber": 1}
    assert world.refusal("DeleteJobExecution", **this) == AGAIN
    assert world.refusal("DeleteJobExecution", **this, force=True) is None


@proves("wrong-execution-numbers-are-not-found")
@pytest.mark.parametrize(
    "wrong", [{"executionNumber": 2}, {"thingName": "nobody"}, {"jobId": "none"}], ids=["number", "thing", "job"]
)
def test_what_is_not_there_is_not_found(wrong):
    this = {"jobId": "fw", "thingName": T, "executionNumber": 1, "force": True}
    assert execution_that_is("QUEUED").refusal("DeleteJobExecution", **this | wrong) == "ResourceNotFoundException"


@proves("deleted-executions-do-not-count")
def test_a_deleted_execution_does_not_count_and_the_job_goes_on_without_it():
    world = execution_that_is("IN_PROGRESS")
    world.operate("DeleteJobExecution", jobId="fw", thingName=T, executionNumber=1, force=True)
    details = world.job("fw")["jobProcessDetails"]
    assert (details["numberOfInProgressThings"], details["numberOfQueuedThings"]) == (0, 1)
    assert world.job("fw")["status"] == "IN_PROGRESS"
    world.operate("DeleteJobExecution", jobId="fw", thingName="other", executionNumber=1)
    assert world.job("fw")["status"] == "COMPLETED"


# ── quotas of a job ───────────────────────────────────────────────────────────────────────────────────────────


@proves("a-hundred-targets", "a-document-of-32-kilobytes", "a-document-of-a-hundred-levels", "active-jobs")
@pytest.mark.parametrize(
    ("settings", "things", "document", "error"),
    [
        ({}, 100, "{}", None),
        ({}, 101, "{}", "LimitExceededException"),
        ({"targets": None}, 101, "{}", None),
        ({"document_bytes": 100}, 1, '"' + "ä" * 48 + '"', None),
        ({"document_bytes": 100}, 1, '"' + "ä" * 50 + '"', "LimitExceededException"),
        ({}, 1, "[" * 100 + "]" * 100, None),
        ({}, 1, "[" * 101 + "]" * 101, "InvalidRequestException"),
        ({"document_depth": 500}, 1, "[" * 500 + "]" * 500, None),
        ({"active_jobs": 0}, 1, "{}", "LimitExceededException"),
    ],
)
def test_the_quotas_of_a_job(settings, things, document, error):
    world = World(JobsSettings(**settings))
    names = [f"t{number}" for number in range(things)]
    arns = [world.operate("CreateThing", thingName=name)["thingArn"] for name in names]
    assert world.refusal("CreateJob", jobId="fw", targets=arns, document=document) == error
