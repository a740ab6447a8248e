"""Section 5: the control plane over HTTP, row by row."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.cloud.api.schema import schema_of
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.settings.http import HttpSettings

from .over_http import ARN, Cloud
from .proofs import proves

T = [ARN.format("thing/t")]
MANY = [ARN.format(f"thing/{n}") for n in range(101)]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.close()


OPERATIONS = [
    ("CreateJob", "PUT", "/jobs/j"),
    ("DescribeJob", "GET", "/jobs/j"),
    ("GetJobDocument", "GET", "/jobs/j/job-document"),
    ("ListJobs", "GET", "/jobs"),
    ("ListJobExecutionsForJob", "GET", "/jobs/j/things"),
    ("ListJobExecutionsForThing", "GET", "/things/x/jobs"),
    ("DescribeJobExecution", "GET", "/things/x/jobs/j"),
    ("CancelJob", "PUT", "/jobs/j/cancel"),
    ("CancelJobExecution", "PUT", "/things/x/jobs/j/cancel"),
    ("DeleteJob", "DELETE", "/jobs/j"),
    ("DeleteJobExecution", "DELETE", "/things/x/jobs/j/executionNumber/1"),
    ("UpdateJob", "PATCH", "/jobs/j"),
    ("AssociateTargetsWithJob", "POST", "/jobs/j/targets"),
    ("CreateJobTemplate", "PUT", "/job-templates/j"),
    ("DescribeJobTemplate", "GET", "/job-templates/j"),
    ("DeleteJobTemplate", "DELETE", "/job-templates/j"),
    ("ListJobTemplates", "GET", "/job-templates"),
    ("ListManagedJobTemplates", "GET", "/managed-job-templates"),
    ("DescribeManagedJobTemplate", "GET", "/managed-job-templates/n"),
    ("CreateThing", "POST", "/things/x"),
    ("DescribeThing", "GET", "/things/x"),
    ("ListThings", "GET", "/things"),
    ("UpdateThing", "PATCH", "/things/x"),
    ("DeleteThing", "DELETE", "/things/x"),
    ("CreateThingGroup", "POST", "/thing-groups/g"),
    ("DescribeThingGroup", "GET", "/thing-groups/g"),
    ("ListThingGroups", "GET", "/thing-groups"),
    ("DeleteThingGroup", "DELETE", "/thing-groups/g"),
    ("AddThingToThingGroup", "PUT", "/thing-groups/addThingToThingGroup"),
    ("RemoveThingFromThingGroup", "PUT", "/thing-groups/removeThingFromThingGroup"),
    ("ListThingsInThingGroup", "GET", "/thing-groups/g/things"),
    ("ListThingGroupsForThing", "GET", "/things/x/thing-groups"),
    ("DescribeEndpoint", "GET", "/endpoint"),
    ("TagResource", "POST", "/tags"),
    ("UntagResource", "POST", "/untag"),
    ("ListTagsForResource", "GET", "/tags"),
    ("DescribeEventConfigurations", "GET", "/event-configurations"),
    ("UpdateEventConfigurations", "PATCH", "/event-configurations"),
]


@proves("operations-stand-at-the-models-paths")
@pytest.mark.parametrize(("operation", "method", "path"), OPERATIONS, ids=[row[0] for row in OPERATIONS])
def test_an_operation_stands_at_its_path_and_is_served(cloud: Cloud, operation: str, method: str, path: str):
    found = schema_of("iot").route(method, path)
    assert found is not None
    assert found[0].name == operation
    answer = cloud.ask(f"{method} {path}", {})
    assert "does not serve" not in answer.body.get("message", "")


def row(operation: str, before: str, request: str, body: Any, then: Any) -> Any:
    name = then if isinstance(then, str) else "200"
    return pytest.param(before, request, body, then, id=f"{operation} of a {before} job, {name}")


JOB = {"jobArn", "jobId"}
NEW = {"targets": T, "document": "{}"}
VERSION_9 = {"expectedVersion": 9}
ONE_SECOND = {"presignedUrlConfig": {"expiresInSec": 1}}


@proves("operations-end-in-the-models-outputs-and-errors")
@pytest.mark.parametrize(
    ("before", "request_", "body", "then"),
    [
        # 200: which members the output has; else: status and name of the error
        row("CreateJob", "none", "PUT /jobs/{j}", NEW | {"description": "d"}, JOB | {"description"}),
        row("CreateJob", "none", "PUT /jobs/b%20d", NEW, "400 InvalidRequest"),
        row("CreateJob", "none", "PUT /jobs/{j}", NEW | {"targets": [ARN.format("thing/no")]}, "404 ResourceNotFound"),
        row("CreateJob", "queued", "PUT /jobs/{j}", NEW, "409 ResourceAlreadyExists"),
        row("CreateJob", "none", "PUT /jobs/{j}", NEW | {"targets": MANY}, "404 ResourceNotFound"),
        row("DescribeJob", "queued", "GET /jobs/{j}", None, {"job"}),
        row("DescribeJob", "none", "GET /jobs/{j}", None, "404 ResourceNotFound"),
        row("DescribeJob", "none", "GET /jobs/b%20d", None, "400 InvalidRequest"),
        row("GetJobDocument", "queued", "GET /jobs/{j}/job-document", None, {"document"}),
        row("GetJobDocument", "none", "GET /jobs/{j}/job-document", None, "404 ResourceNotFound"),
        row("ListJobs", "queued", "GET /jobs?status=IN_PROGRESS&targetSelection=SNAPSHOT", None, {"jobs"}),
        row("ListJobs", "none", "GET /jobs?maxResults=251", None, "400 InvalidRequest"),
        row("ListJobs", "none", "GET /jobs?status=LOST", None, "400 InvalidRequest"),
        row("ListJobs", "none", "GET /jobs?thingGroupName=no", None, "404 ResourceNotFound"),
        row("ListJobExecutionsForJob", "queued", "GET /jobs/{j}/things", None, {"executionSummaries"}),
        row("ListJobExecutionsForJob", "none", "GET /jobs/{j}/things", None, "404 ResourceNotFound"),
        row("ListJobExecutionsForThing", "queued", "GET /things/t/jobs?jobId={j}", None, {"executionSummaries"}),
        row("DescribeJobExecution", "queued", "GET /things/t/jobs/{j}", None, {"execution"}),
        row("DescribeJobExecution", "done", "GET /things/t/jobs/{j}?executionNumber=1", None, {"execution"}),
        row("DescribeJobExecution", "queued", "GET /things/t/jobs/{j}?executionNumber=2", None, "404 ResourceNotFound"),
        row("CancelJob", "queued", "PUT /jobs/{j}/cancel", {"reasonCode": "X_1", "comment": "c"}, JOB),
        row("CancelJob", "running", "PUT /jobs/{j}/cancel?force=true", None, JOB),
        row("CancelJob", "done", "PUT /jobs/{j}/cancel", None, "400 InvalidRequest"),
        row("CancelJob", "queued", "PUT /jobs/{j}/cancel", {"reasonCode": "lower"}, "400 InvalidRequest"),
        row("CancelJob", "none", "PUT /jobs/{j}/cancel", None, "404 ResourceNotFound"),
        row("CancelJobExecution", "queued", "PUT /things/t/jobs/{j}/cancel", {"expectedVersion": 1}, set()),
        row("CancelJobExecution", "running", "PUT /things/t/jobs/{j}/cancel?force=true", None, set()),
        row("CancelJobExecution", "running", "PUT /things/t/jobs/{j}/cancel", None, "409 InvalidStateTransition"),
        row("CancelJobExecution", "done", "PUT /things/t/jobs/{j}/cancel", None, "409 InvalidStateTransition"),
        row(
            "CancelJobExecution",
            "queued",
            "PUT /things/t/jobs/{j}/cancel",
            {"expectedVersion": 9},
            "409 VersionConflict",
        ),
        row("CancelJobExecution", "none", "PUT /things/t/jobs/{j}/cancel", None, "404 ResourceNotFound"),
        row("DeleteJob", "done", "DELETE /jobs/{j}", None, set()),
        row("DeleteJob", "running", "DELETE /jobs/{j}?force=true", None, set()),
        row("DeleteJob", "queued", "DELETE /jobs/{j}", None, "409 InvalidStateTransition"),
        row("DeleteJob", "none", "DELETE /jobs/{j}", None, "404 ResourceNotFound"),
        row("DeleteJob", "queued", "DELETE /jobs/{j}?force=perhaps", None, "400 InvalidRequest"),
        row("DeleteJob", "of the namespace lab", "DELETE /jobs/{j}?force=true&namespaceId=lab", None, set()),
        row("DeleteJob", "of the namespace lab", "DELETE /jobs/{j}?force=true", None, "404 ResourceNotFound"),
        row("DeleteJobExecution", "done", "DELETE /things/t/jobs/{j}/executionNumber/1", None, set()),
        row("DeleteJobExecution", "running", "DELETE /things/t/jobs/{j}/executionNumber/1?force=true", None, set()),
        row(
            "DeleteJobExecution",
            "running",
            "DELETE /things/t/jobs/{j}/executionNumber/1",
            None,
            "409 InvalidStateTransition",
        ),
        row("DeleteJobExecution", "done", "DELETE /things/t/jobs/{j}/executionNumber/2", None, "404 ResourceNotFound"),
        row("DeleteJobExecution", "done", "DELETE /things/t/jobs/{j}/executionNumber/x", None, "400 InvalidRequest"),
        row("UpdateJob", "queued", "PATCH /jobs/{j}", {"description": "d"}, set()),
        row("UpdateJob", "none", "PATCH /jobs/{j}", {}, "404 ResourceNotFound"),
        row(
            "UpdateJob", "queued", "PATCH /jobs/{j}", {"presignedUrlConfig": {"expiresInSec": 1}}, "400 InvalidRequest"
        ),
        row("AssociateTargetsWithJob", "continuous", "POST /jobs/{j}/targets", {"targets": T}, JOB),
        row("AssociateTargetsWithJob", "queued", "POST /jobs/{j}/targets", {"targets": T}, "400 InvalidRequest"),
        row("AssociateTargetsWithJob", "continuous", "POST /jobs/{j}/targets", {}, "400 InvalidRequest"),
        row("AssociateTargetsWithJob", "none", "POST /jobs/{j}/targets", {"targets": T}, "404 ResourceNotFound"),
    ],
)
def test_an_operation_ends_in(cloud: Cloud, before: str, request_: str, body: Any, then: Any):
    answer = cloud.ask(request_.format(j=cloud.job(before)), body)
    if isinstance(then, set):
        assert (answer.status, set(answer.body)) == (200, then)
    else:
        assert f"{answer.status} {answer.error}" == then
        assert answer.body["message"]


GROUP = {"thingGroupName", "thingGroupArn", "thingGroupId"}
TEMPLATE = {"description": "d", "document": "{}"}
ON = {"eventConfigurations": {"THING": {"Enabled": True}}}
MEMBER = {"thingGroupName": "g9", "thingName": "t9"}
TAGS = {"resourceArn": ARN.format("thinggroup/g9"), "tags": [{"Key": "a", "Value": "b"}]}
UNTAG = {"resourceArn": ARN.format("thinggroup/g9"), "tagKeys": ["a"]}


@proves("the-registrys-operations-end-as-documented")
def test_the_registrys_operations_end_in(cloud: Cloud):
    # In this order: what one row makes, the next ones speak of.
    for request, body, then in (
        ("POST /things/t9", {"thingTypeName": "lamp"}, {"thingName", "thingArn", "thingId"}),
        (
            "GET /things/t9",
            None,
            {"defaultClientId", "thingName", "thingId", "thingArn", "thingTypeName", "attributes", "version"},
        ),
        ("GET /things/no", None, "404 ResourceNotFound"),
        ("GET /things?thingTypeName=lamp", None, {"things"}),
        ("PATCH /things/t9", {"attributePayload": {"attributes": {"a": "1"}}}, set()),
        ("PATCH /things/t9", {"expectedVersion": 1}, "409 VersionConflict"),
        ("PATCH /things/no", {}, "404 ResourceNotFound"),
        ("DELETE /things/t9?expectedVersion=1", None, "409 VersionConflict"),
        ("POST /thing-groups/g9", None, GROUP),
        ("POST /thing-groups/h9", {"parentGroupName": "g9"}, GROUP),
        ("POST /thing-groups/h9", None, "409 ResourceAlreadyExists"),
        (
            "GET /thing-groups/h9",
            None,
            {*GROUP, "version", "thingGroupProperties", "thingGroupMetadata"},
        ),
        ("GET /thing-groups/no", None, "404 ResourceNotFound"),
        ("GET /thing-groups?parentGroup=g9", None, {"thingGroups"}),
        ("PUT /thing-groups/addThingToThingGroup", MEMBER, set()),
        ("PUT /thing-groups/addThingToThingGroup", MEMBER | {"thingName": "no"}, "404 ResourceNotFound"),
        ("GET /thing-groups/g9/things?recursive=true", None, {"things"}),
        ("GET /things/t9/thing-groups", None, {"thingGroups"}),
        ("PUT /thing-groups/removeThingFromThingGroup", MEMBER, set()),
        ("DELETE /thing-groups/g9", None, "400 InvalidRequest"),
        ("POST /tags", TAGS, set()),
        (f"GET /tags?resourceArn={TAGS['resourceArn']}", None, {"tags"}),
        ("POST /untag", UNTAG, set()),
        ("POST /untag", UNTAG | {"resourceArn": ARN.format("thinggroup/no")}, "404 ResourceNotFound"),
        ("PUT /job-templates/j9", TEMPLATE, {"jobTemplateArn", "jobTemplateId"}),
        ("PUT /job-templates/j9", TEMPLATE, "409 Conflict"),
        ("PUT /job-templates/k9", {"document": "{}"}, "400 InvalidRequest"),
        (
            "GET /job-templates/j9",
            None,
            {"jobTemplateArn", "jobTemplateId", "description", "document", "createdAt"},
        ),
        ("GET /job-templates", None, {"jobTemplates"}),
        ("DELETE /job-templates/j9", None, set()),
        ("DELETE /job-templates/j9", None, "404 ResourceNotFound"),
        ("GET /managed-job-templates", None, {"managedJobTemplates"}),
        ("GET /managed-job-templates/AWS-Dance", None, "404 ResourceNotFound"),
        ("GET /endpoint?endpointType=iot:Data-ATS", None, {"endpointAddress"}),
        ("GET /endpoint?endpointType=iot:Nothing", None, "400 InvalidRequest"),
        ("PATCH /event-configurations", ON, set()),
        ("PATCH /event-configurations", {"eventConfigurations": {"RAIN": {"Enabled": True}}}, "400 InvalidRequest"),
        ("GET /event-configurations", None, {"eventConfigurations", "creationDate", "lastModifiedDate"}),
        ("DELETE /thing-groups/h9", None, set()),
        ("DELETE /thing-groups/g9", None, set()),
        ("DELETE /things/t9", None, set()),
    ):
        answer = cloud.ask(request, body)
        got = set(answer.body) if answer.status == 200 else f"{answer.status} {answer.error}"
        assert (request, got) == (request, then)


@proves("limits-are-exceeded-with-410")
def test_what_exceeds_a_limit_ends_in_410():
    cloud = Cloud(JobsSettings(deletion_seconds=3600, deletions_at_once=1, targets=1))
    cloud.ask("POST /things/u")
    answer = cloud.ask("PUT /jobs/two", {"targets": [*T, ARN.format("thing/u")], "document": "{}"})
    assert (answer.status, answer.error) == (410, "LimitExceeded")
    first, second = cloud.job("done"), cloud.job("done")
    assert cloud.ask(f"DELETE /jobs/{first}").status == 200
    answer = cloud.ask(f"DELETE /jobs/{second}")
    assert (answer.status, answer.error) == (410, "LimitExceeded")
    cloud.close()


FULL = {
    "targets": T,
    "description": "d",
    "targetSelection": "CONTINUOUS",
    "presignedUrlConfig": {"roleArn": "arn:aws:iam::000000000000:role/r", "expiresInSec": 3600},
    "jobExecutionsRolloutConfig": {"maximumPerMinute": 5},
    "abortConfig": {
        "criteriaList": [
            {"failureType": "ALL", "action": "CANCEL", "thresholdPercentage": 99.99, "minNumberOfExecutedThings": 1}
        ]
    },
    "timeoutConfig": {"inProgressTimeoutInMinutes": 1},
    "jobExecutionsRetryConfig": {"criteriaList": [{"failureType": "ALL", "numberOfRetries": 10}]},
    "namespaceId": "lab",
    "destinationPackageVersions": ["arn:aws:iot:us-east-1:000000000000:package/p/version/v"],
}


@proves("a-job-shows-what-it-was-created-with")
def test_describe_job_shows_every_member_of_create_job(cloud: Cloud):
    cloud.create_job("full", **FULL)
    told = cloud.ask("GET /jobs/full").body["job"]
    assert {name: told[name] for name in FULL} == FULL
    assert told["jobArn"] == ARN.format("job/full")
    details = told["jobProcessDetails"]
    states = ("Canceled", "Succeeded", "Failed", "Rejected", "Queued", "InProgress", "Removed", "TimedOut")
    assert {name: details[name] for name in details if name.startswith("numberOf")} == {
        f"numberOf{state}Things": int(state == "Queued") for state in states
    }
    assert "completedAt" not in told


@proves("a-jobs-document-is-kept-as-it-was-given")
def test_the_document_is_returned_as_it_was_given(cloud: Cloud):
    text = '{ "b": 1,\n  "a": "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}" }'
    cloud.create_job("text", document=text)
    assert cloud.ask("GET /jobs/text/job-document").body == {"document": text}


@proves("control-plane-times-are-seconds-with-a-fraction")
def test_times_are_numbers_of_seconds_with_up_to_three_decimals(cloud: Cloud):
    told = cloud.ask(f"GET /jobs/{cloud.job('done')}").body["job"]
    for name in ("createdAt", "lastUpdatedAt", "completedAt"):
        assert isinstance(told[name], float)
        assert round(told[name], 3) == told[name]
        assert 1_600_000_000 < told[name] < 10_000_000_000


@proves("status-details-have-one-level-more-in-the-control-plane")
def test_an_executions_details_stand_in_a_map_of_their_own_and_in_every_state(cloud: Cloud):
    job_id = cloud.job("queued")
    cloud.device(f"POST /things/t/jobs/{job_id}", {"status": "FAILED", "statusDetails": {"why": "x"}})
    told = cloud.ask(f"GET /things/t/jobs/{job_id}").body["execution"]
    assert (told["status"], told["statusDetails"]) == ("FAILED", {"detailsMap": {"why": "x"}})
    assert told["thingArn"] == T[0]


@proves("counters-count-executions-with-retries")
def test_with_retries_more_may_have_failed_than_there_are_things(cloud: Cloud):
    cloud.create_job(
        "again", jobExecutionsRetryConfig={"criteriaList": [{"failureType": "FAILED", "numberOfRetries": 1}]}
    )
    for _ in range(2):
        assert cloud.device("POST /things/t/jobs/again", {"status": "FAILED"}).status == 200
    assert cloud.ask("GET /jobs/again").body["job"]["jobProcessDetails"]["numberOfFailedThings"] == 2
    found = cloud.ask("GET /jobs/again/things").body["executionSummaries"]
    assert [each["jobExecutionSummary"].get("retryAttempt", 0) for each in found] == [0, 1]


@proves("create-thing-again-succeeds-if-it-says-the-same")
def test_a_thing_is_created_again_with_the_same_configuration_only(cloud: Cloud):
    body = {"attributePayload": {"attributes": {"a": "1"}}}
    made = cloud.ask("POST /things/again", body)
    assert set(made.body) == {"thingName", "thingArn", "thingId"}
    assert cloud.ask("POST /things/again", body) == made
    answer = cloud.ask("POST /things/again", {})
    assert (answer.status, answer.error) == (409, "ResourceAlreadyExists")
    assert set(answer.body) == {"message", "resourceId", "resourceArn"}
    assert cloud.ask("PUT /jobs/again-j", NEW).status == 200
    assert cloud.ask("PUT /jobs/again-j", NEW).body["resourceArn"] == ARN.format("job/again-j")


@proves("deleting-a-thing-that-is-not-there-succeeds", "a-thing-with-principals-is-not-deleted")
def test_a_thing_is_deleted_once_it_has_no_principals(cloud: Cloud):
    assert cloud.ask("DELETE /things/nobody").status == 200
    cloud.ask("POST /things/attached")
    arn = cloud.ask("POST /keys-and-certificate?setAsActive=true").body["certificateArn"]
    principal = {"x-amzn-principal": arn}
    assert cloud.ask("PUT /things/attached/principals", headers=principal).status == 200
    answer = cloud.ask("DELETE /things/attached")
    assert (answer.status, answer.error) == (400, "InvalidRequest")
    assert cloud.ask("DELETE /things/attached/principals", headers=principal).status == 200
    assert cloud.ask("DELETE /things/attached").status == 200


@proves("describe-endpoint-refuses-jobs")
def test_the_jobs_endpoint_is_refused_with_a_hint_or_served(cloud: Cloud):
    refused = cloud.ask("GET /endpoint?endpointType=iot:Jobs")
    assert (refused.status, refused.error) == (400, "InvalidRequest")
    assert "iot:Data-ATS" in refused.body["message"]
    other = Cloud(http=HttpSettings(jobs_endpoint="served"))
    told = other.ask("GET /endpoint?endpointType=iot:Jobs")
    assert (told.status, set(told.body)) == (200, {"endpointAddress"})
    other.close()


@proves("the-scope-tells-the-planes-apart")
def test_a_path_that_both_planes_have_is_answered_by_the_one_that_is_signed_for(cloud: Cloud):
    job_id = cloud.job("queued")
    assert "executionSummaries" in cloud.ask("GET /things/t/jobs").body
    assert set(cloud.device("GET /things/t/jobs").body) == {"inProgressJobs", "queuedJobs"}
    assert "versionNumber" in cloud.ask(f"GET /things/t/jobs/{job_id}").body["execution"]
    assert "jobDocument" in cloud.device(f"GET /things/t/jobs/{job_id}").body["execution"]


@proves("members-that-no-model-knows-are-ignored")
def test_unknown_members_and_parameters_are_ignored(cloud: Cloud):
    assert cloud.ask("PUT /jobs/unknown?colour=red", NEW | {"colour": "red"}).status == 200
    assert "colour" not in cloud.ask("GET /jobs/unknown").body["job"]
