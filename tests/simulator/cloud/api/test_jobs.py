"""Jobs through the control plane: what CreateJob takes, what DescribeJob shows of it, and what both refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.cloud.jobs import JobsSettings
from tests.fidelity.proofs import proves

from .conftest import START, Plane

MANAGED = "arn:aws:iot:us-east-1::jobtemplate/{}"
FULL: dict[str, Any] = {
    "description": "firmware 2",
    "targetSelection": "CONTINUOUS",
    "presignedUrlConfig": {"roleArn": "arn:aws:iam::000000000000:role/urls", "expiresInSec": 60},
    "jobExecutionsRolloutConfig": {
        "exponentialRate": {
            "baseRatePerMinute": 50,
            "incrementFactor": 1.5,
            "rateIncreaseCriteria": {"numberOfSucceededThings": 10},
        }
    },
    "abortConfig": {
        "criteriaList": [
            {
                "failureType": "FAILED",
                "action": "CANCEL",
                "thresholdPercentage": 12.25,
                "minNumberOfExecutedThings": 4,
            }
        ]
    },
    "timeoutConfig": {"inProgressTimeoutInMinutes": 10_080},
    "jobExecutionsRetryConfig": {
        "criteriaList": [
            {"failureType": "FAILED", "numberOfRetries": 3},
            {"failureType": "TIMED_OUT", "numberOfRetries": 7},
        ]
    },
    "destinationPackageVersions": ["arn:aws:iot:us-east-1:000000000000:package/p/version/1"],
}


@pytest.fixture
def target(plane: Plane) -> str:
    return plane.things("t")[0]


def job(plane: Plane, job_id: str = "fw") -> dict[str, Any]:
    told: dict[str, Any] = plane.call("DescribeJob", jobId=job_id)["job"]
    return {name: value for name, value in told.items() if value is not None}


def test_every_configuration_is_shown_as_it_was_given(plane: Plane, target: str):
    plane.call("CreateJob", jobId="fw", targets=[target], document='{"b": 1, "a": 2}', namespaceId="lab", **FULL)
    told = job(plane)
    assert {name: told[name] for name in FULL} == FULL
    assert told["targets"] == [target]
    assert (told["namespaceId"], told["status"], told["createdAt"]) == ("lab", "IN_PROGRESS", START + 2)
    assert told["jobProcessDetails"]["numberOfQueuedThings"] == 1
    assert plane.call("GetJobDocument", jobId="fw")["document"] == '{"b": 1, "a": 2}'


def test_a_scheduled_job_shows_its_schedule_and_its_next_windows(plane: Plane, target: str):
    windows = [{"startTime": "cron(0 3 * * ? *)", "durationInMinutes": 60}]
    # START is 2023-11-14 22:13:20 UTC.
    schedule = {
        "startTime": "2023-11-16 00:00",
        "endTime": "2023-12-16 00:00",
        "endBehavior": "CANCEL",
        "maintenanceWindows": windows,
    }
    plane.call("CreateJob", jobId="fw", targets=[target], document="{}", schedulingConfig=schedule)
    told = job(plane)
    assert (told["status"], told["schedulingConfig"]) == ("SCHEDULED", schedule)
    assert [each["startTime"] for each in told["scheduledJobRollouts"]] == [
        f"2023-11-{day} 03:00" for day in range(16, 23)
    ]


def test_a_job_that_is_still_being_rolled_out_says_so(plane: Plane):
    targets = plane.things("a", "b", "c")
    rate = {"maximumPerMinute": 1}
    plane.call("CreateJob", jobId="fw", targets=targets, document="{}", jobExecutionsRolloutConfig=rate)
    told = job(plane)
    assert told["isConcurrent"] is True
    assert told["jobProcessDetails"]["processingTargets"] == targets
    while (due := plane.jobs.next_due()) is not None:
        plane.now = max(plane.now, due)
        plane.jobs.tick(plane.now)
    told = job(plane)
    assert told["isConcurrent"] is False
    assert "processingTargets" not in told["jobProcessDetails"]


def rate(**more: Any) -> dict[str, Any]:
    criteria = {"numberOfNotifiedThings": 1}
    exponential = {"baseRatePerMinute": 1, "incrementFactor": 1.5, "rateIncreaseCriteria": criteria} | more
    return {"jobExecutionsRolloutConfig": {"exponentialRate": exponential}}


def abort(share: float) -> dict[str, Any]:
    criterion = {
        "failureType": "ALL",
        "action": "CANCEL",
        "thresholdPercentage": share,
        "minNumberOfExecutedThings": 1,
    }
    return {"abortConfig": {"criteriaList": [criterion]}}


def retries(*kinds: str) -> dict[str, Any]:
    return {"jobExecutionsRetryConfig": {"criteriaList": [{"failureType": k, "numberOfRetries": 1} for k in kinds]}}


@proves("configurations-have-the-documented-bounds")
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"timeoutConfig": {"inProgressTimeoutInMinutes": 0}}, id="a timeout of no minutes"),
        pytest.param({"timeoutConfig": {"inProgressTimeoutInMinutes": 10_081}}, id="a timeout of over a week"),
        pytest.param(rate(incrementFactor=1.25), id="a factor of two decimals"),
        pytest.param(rate(rateIncreaseCriteria={}), id="a rate without a criterion"),
        pytest.param(
            rate(rateIncreaseCriteria={"numberOfNotifiedThings": 1, "numberOfSucceededThings": 1}),
            id="a rate with two criteria",
        ),
        pytest.param(abort(12.345), id="a percentage of three decimals"),
        pytest.param(abort(-1), id="a negative percentage"),
        pytest.param(retries("FAILED", "FAILED"), id="the same failure retried twice"),
        pytest.param(retries("FAILED", "ALL"), id="ALL beside another failure"),
        pytest.param({"schedulingConfig": {"startTime": "tomorrow"}}, id="a start time in words"),
        pytest.param({"schedulingConfig": {"startTime": "2023-11-14 22:20"}}, id="a start within half an hour"),
        pytest.param(
            {"schedulingConfig": {"maintenanceWindows": [{"startTime": "noon", "durationInMinutes": 1}]}},
            id="a window that is no cron expression",
        ),
        pytest.param({"destinationPackageVersions": ["arn"] * 26}, id="too many package versions"),
        pytest.param({"documentParameters": {"a": "b"}}, id="parameters without a managed template"),
        pytest.param({"document": "no JSON"}, id="a document that is no JSON"),
        pytest.param({"document": "NaN"}, id="a document that is JSON to Python alone"),
        pytest.param({"document": '"\\ud800"'}, id="a document with half a surrogate pair"),
        pytest.param({"document": "[" * 30_000}, id="a document that is too deep"),
        pytest.param({"documentSource": "https://s3.amazonaws.com/b/k"}, id="a document in S3"),
        pytest.param({"jobTemplateArn": MANAGED.format("AWS-Reboot:1.0")}, id="a document and a template"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused_and_leaves_nothing(plane: Plane, target: str, bad: dict[str, Any]):
    given = {"jobId": "fw", "targets": [target], "document": "{}", "tags": [{"Key": "k", "Value": "v"}]}
    assert plane.refusal("CreateJob", **(given | bad)) == "InvalidRequestException"
    assert plane.refusal("DescribeJob", jobId="fw") == "ResourceNotFoundException"
    assert plane.registry.tags.get("job/fw") is None


def test_a_job_without_any_document_is_refused(plane: Plane, target: str):
    assert plane.refusal("CreateJob", jobId="fw", targets=[target]) == "InvalidRequestException"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        pytest.param("arn:aws:iot:us-east-1:000000000000:thing/no", "ResourceNotFoundException", id="no such thing"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:thinggroup/no", "ResourceNotFoundException", id="no group"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:job/j", "InvalidRequestException", id="a job"),
        pytest.param("arn:aws:iot:us-east-1:111111111111:thing/t", "InvalidRequestException", id="another account's"),
    ],
)
def test_targets_exist_and_are_of_this_account(plane: Plane, target: str, arn: str, name: str):
    assert plane.refusal("CreateJob", jobId="fw", targets=[target, arn], document="{}") == name


def test_a_group_stands_for_all_within_it_and_each_thing_counts_once(plane: Plane):
    targets = plane.things("a", "b")
    top = plane.call("CreateThingGroup", thingGroupName="top")["thingGroupArn"]
    plane.call("CreateThingGroup", thingGroupName="low", parentGroupName="top")
    plane.call("AddThingToThingGroup", thingGroupName="low", thingName="b")
    plane.call("CreateJob", jobId="fw", targets=[targets[0], top, *targets], document="{}")
    found = plane.call("ListJobExecutionsForJob", jobId="fw")["executionSummaries"]
    assert [each["thingArn"] for each in found] == targets
    assert job(plane)["targets"] == [targets[0], top, targets[1]]


def test_jobs_are_listed_by_what_they_are_and_whom_they_are_for(plane: Plane, target: str):
    made = plane.call("CreateThingGroup", thingGroupName="g")
    plane.call("CreateJob", jobId="a", targets=[target], document="{}")
    plane.call("CreateJob", jobId="b", targets=[made["thingGroupArn"]], document="{}", targetSelection="CONTINUOUS")
    plane.call("CreateJob", jobId="c", targets=[target], document="{}", namespaceId="lab")
    plane.call("CancelJob", jobId="a")

    def listed(**filters: str) -> list[str]:
        return [each["jobId"] for each in plane.pages("ListJobs", "jobs", maxResults=1, **filters)]

    assert listed() == ["c", "b", "a"]
    assert listed(status="CANCELED") == ["a"]
    assert listed(targetSelection="CONTINUOUS") == ["b"]
    assert listed(namespaceId="lab") == ["c"]
    assert listed(thingGroupName="g") == listed(thingGroupId=made["thingGroupId"]) == ["b"]
    assert plane.call("ListJobs", thingGroupName="g")["jobs"][0]["thingGroupId"] == made["thingGroupId"]
    assert plane.refusal("ListJobs", thingGroupName="nope") == "ResourceNotFoundException"


def test_a_job_is_updated_and_its_update_shown(plane: Plane, target: str):
    plane.call("CreateJob", jobId="fw", targets=[target], document="{}", namespaceId="lab", **FULL)
    changed = {"timeoutConfig": {"inProgressTimeoutInMinutes": 5}, "description": "later"}
    assert plane.refusal("UpdateJob", jobId="fw", **changed) == "ResourceNotFoundException"
    plane.call("UpdateJob", jobId="fw", namespaceId="lab", **changed)
    told = job(plane)
    assert {name: told[name] for name in FULL} == FULL | changed
    assert plane.refusal("UpdateJob", jobId="fw", namespaceId="lab", **abort(-1)) == "InvalidRequestException"


def test_targets_are_associated_with_a_continuous_job(plane: Plane, target: str):
    plane.things("u")
    group = plane.call("CreateThingGroup", thingGroupName="g")["thingGroupArn"]
    plane.call("AddThingToThingGroup", thingGroupName="g", thingName="u")
    plane.call("CreateJob", jobId="fw", targets=[target], document="{}", targetSelection="CONTINUOUS")
    made = plane.call("AssociateTargetsWithJob", jobId="fw", targets=[group], comment="and these")
    assert made["jobId"] == "fw"
    told = job(plane)
    assert (told["targets"], told["comment"]) == ([target, group], "and these")
    assert plane.states("u") == {"fw": "QUEUED"}
    plane.call("CreateJob", jobId="once", targets=[target], document="{}")
    assert plane.refusal("AssociateTargetsWithJob", jobId="once", targets=[group]) == "InvalidRequestException"


def test_an_execution_is_cancelled_at_the_expected_version_with_details(plane: Plane, target: str):
    plane.call("CreateJob", jobId="fw", targets=[target], document="{}")
    where = {"thingName": "t", "jobId": "fw"}
    assert plane.refusal("CancelJobExecution", **where, expectedVersion=2) == "VersionConflictException"
    for details in ({f"k{n}": "v" for n in range(11)}, {"k": "v" * 1025}):
        assert plane.refusal("CancelJobExecution", **where, statusDetails=details) == "InvalidRequestException"
    plane.call("CancelJobExecution", **where, expectedVersion=1, statusDetails={"why": "wrong one"})
    told = plane.call("DescribeJobExecution", **where)["execution"]
    assert (told["status"], told["versionNumber"]) == ("CANCELED", 2)
    assert told["statusDetails"] == {"detailsMap": {"why": "wrong one"}}
    assert plane.refusal("CancelJobExecution", **where) == "InvalidStateTransitionException"


# ── templates ─────────────────────────────────────────────────────────────────────────────────────────────────


@proves("templates-make-jobs")
def test_a_template_made_from_a_job_makes_the_same_job_again(plane: Plane, target: str):
    made = plane.call("CreateJob", jobId="fw", targets=[target], document='{"b": 1, "a": 2}', **FULL)
    template = plane.call("CreateJobTemplate", jobTemplateId="tpl", description="as fw", jobArn=made["jobArn"])
    told = plane.call("DescribeJobTemplate", jobTemplateId="tpl")
    kept = [name for name in FULL if name not in ("description", "targetSelection")]
    assert {name: told[name] for name in kept} == {name: FULL[name] for name in kept}
    assert (told["document"], told["description"]) == ('{"b": 1, "a": 2}', "as fw")
    timeout = {"inProgressTimeoutInMinutes": 9}
    arn = template["jobTemplateArn"]
    plane.call("CreateJob", jobId="again", targets=[target], jobTemplateArn=arn, timeoutConfig=timeout)
    again = job(plane, "again")
    assert {name: again[name] for name in kept} == {name: FULL[name] for name in kept} | {"timeoutConfig": timeout}
    assert (again["description"], again["jobTemplateArn"]) == ("as fw", arn)
    assert plane.call("GetJobDocument", jobId="again")["document"] == '{"b": 1, "a": 2}'


def test_a_templates_windows_become_its_jobs_schedule(plane: Plane, target: str):
    windows = [{"startTime": "cron(0 3 * * ? *)", "durationInMinutes": 60}]
    given = {"jobTemplateId": "tpl", "description": "d", "document": "{}", "maintenanceWindows": windows}
    arn = plane.call("CreateJobTemplate", **given)["jobTemplateArn"]
    assert plane.call("DescribeJobTemplate", jobTemplateId="tpl")["maintenanceWindows"] == windows
    plane.call("CreateJob", jobId="fw", targets=[target], jobTemplateArn=arn)
    assert job(plane)["schedulingConfig"] == {"maintenanceWindows": windows}


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        pytest.param({}, "InvalidRequestException", id="no document"),
        pytest.param({"document": "{"}, "InvalidRequestException", id="a document that is no JSON"),
        pytest.param({"document": "{}", **abort(-1)}, "InvalidRequestException", id="a criterion that is none"),
        pytest.param(
            {"jobArn": "arn:aws:iot:us-east-1:000000000000:job/no"}, "ResourceNotFoundException", id="of no job"
        ),
        pytest.param({"jobArn": "nonsense"}, "InvalidRequestException", id="of nothing"),
    ],
)
def test_a_template_that_makes_no_sense_is_refused(plane: Plane, bad: dict[str, Any], name: str):
    assert plane.refusal("CreateJobTemplate", jobTemplateId="tpl", description="d", **bad) == name
    assert plane.refusal("DescribeJobTemplate", jobTemplateId="tpl") == "ResourceNotFoundException"


def test_templates_are_listed_and_deleted_and_their_ids_are_taken_once(plane: Plane, target: str):
    for name in ("b", "a"):
        plane.call("CreateJobTemplate", jobTemplateId=name, description=name, document="{}")
    assert plane.refusal("CreateJobTemplate", jobTemplateId="a", description="", document="{}") == "ConflictException"
    found = plane.pages("ListJobTemplates", "jobTemplates", maxResults=1)
    assert [each["jobTemplateId"] for each in found] == ["a", "b"]
    plane.call("DeleteJobTemplate", jobTemplateId="a")
    assert plane.refusal("DeleteJobTemplate", jobTemplateId="a") == "ResourceNotFoundException"
    arn = found[0]["jobTemplateArn"]
    assert plane.refusal("CreateJob", jobId="fw", targets=[target], jobTemplateArn=arn) == "ResourceNotFoundException"


def test_a_managed_template_is_filled_with_its_parameters(plane: Plane, target: str):
    where = {"jobId": "fw", "targets": [target], "jobTemplateArn": MANAGED.format("AWS-Download-File:1.0")}
    parameters = {"downloadUrl": 'https://x/"y"', "filePath": "/tmp/y"}
    made = plane.call("CreateJob", **where, documentParameters=parameters)
    assert made["description"] == "A managed job template for downloading a file."
    action = json.loads(plane.call("GetJobDocument", jobId="fw")["document"])["steps"][0]["action"]
    assert action["input"]["args"] == ['https://x/"y"', "/tmp/y"]
    open_ = plane.call("GetJobDocument", jobId="fw", beforeSubstitution=True)["document"]
    assert "${aws:iot:parameter:downloadUrl}" in open_
    assert job(plane)["documentParameters"] == parameters
    assert job(plane)["jobTemplateArn"] == where["jobTemplateArn"]


@pytest.mark.parametrize(
    ("template", "parameters", "name"),
    [
        pytest.param("AWS-Download-File:1.0", {"filePath": "/x"}, "InvalidRequestException", id="one is missing"),
        pytest.param("AWS-Reboot:1.0", {"speed": "9"}, "InvalidRequestException", id="one that it has not"),
        pytest.param("AWS-Reboot:1.0", {"runAsUser": "u" * 257}, "InvalidRequestException", id="one that is too long"),
        pytest.param("AWS-Reboot:2.0", {}, "ResourceNotFoundException", id="another version"),
        pytest.param("AWS-Dance:1.0", {}, "ResourceNotFoundException", id="no template of AWS's"),
    ],
)
def test_a_managed_template_takes_its_own_parameters_only(plane: Plane, target: str, template, parameters, name):
    given = {"jobId": "fw", "targets": [target], "documentParameters": parameters}
    assert plane.refusal("CreateJob", **given, jobTemplateArn=MANAGED.format(template)) == name


@proves("managed-templates-are-those-of-the-guide")
def test_every_managed_template_is_listed_and_described_with_the_parameters_of_its_document(plane: Plane):
    found = plane.pages("ListManagedJobTemplates", "managedJobTemplates", maxResults=3)
    assert len(found) == 8
    for each in found:
        told = plane.call("DescribeManagedJobTemplate", templateName=each["templateName"])
        assert told["templateArn"] == MANAGED.format(f"{each['templateName']}:1.0")
        for parameter in told["documentParameters"]:
            assert f"${{aws:iot:parameter:{parameter['key']}}}" in told["document"]
        assert json.loads(told["document"])["version"] == "1.0"
    only = plane.call("ListManagedJobTemplates", templateName="AWS-Reboot")["managedJobTemplates"]
    assert [each["templateName"] for each in only] == ["AWS-Reboot"]
    assert plane.refusal("DescribeManagedJobTemplate", templateName="AWS-Reboot", templateVersion="9") == (
        "ResourceNotFoundException"
    )


# ── tags and events ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_can_have_tags_gets_changes_and_loses_them(plane: Plane, target: str):
    given = {"tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}]}
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
    arns = [
        plane.call("CreateJob", jobId="fw", targets=[target], document="{}", **given)["jobArn"],
        plane.call("CreateJobTemplate", jobTemplateId="t", description="", document="{}", **given)["jobTemplateArn"],
        plane.call("CreateThingGroup", thingGroupName="g", **given)["thingGroupArn"],
        plane.call("CreatePolicy", policyName="p", policyDocument=document, **given)["policyArn"],
    ]

    def tags(arn: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in plane.pages("ListTagsForResource", "tags", resourceArn=arn)}

    for arn in arns:
        assert tags(arn) == {"a": "1", "b": ""}
        plane.call("TagResource", resourceArn=arn, tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
        plane.call("UntagResource", resourceArn=arn, tagKeys=["a", "nope"])
        assert tags(arn) == {"b": "2", "c": "3"}
        many = [{"Key": f"k{n}", "Value": ""} for n in range(49)]
        assert plane.refusal("TagResource", resourceArn=arn, tags=many) == "LimitExceededException"
    plane.call("DeletePolicy", policyName="p")
    assert plane.refusal("ListTagsForResource", resourceArn=arns[-1]) == "ResourceNotFoundException"
    plane.call("CreatePolicy", policyName="p", policyDocument=document)
    assert tags(arns[-1]) == {}


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        pytest.param("nonsense", "InvalidRequestException", id="no ARN"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:thing/t", "InvalidRequestException", id="a thing"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:job/no", "ResourceNotFoundException", id="no such job"),
    ],
)
def test_what_can_have_no_tags_is_refused(plane: Plane, arn: str, name: str):
    for operation, more in (
        ("TagResource", {"tags": []}),
        ("UntagResource", {"tagKeys": []}),
        ("ListTagsForResource", {}),
    ):
        assert plane.refusal(operation, resourceArn=arn, **more) == name


def test_events_are_published_once_they_are_switched_on(plane: Plane, target: str):
    plane.call("CreateJob", jobId="quiet", targets=[target], document="{}")
    plane.call("DeleteJob", jobId="quiet", force=True)
    assert all(not outcome.events for outcome in plane.outcomes)
    plane.call("UpdateEventConfigurations", eventConfigurations={"JOB": {"Enabled": True}})
    plane.call("UpdateEventConfigurations", eventConfigurations={"THING": {"Enabled": True}})
    told = plane.call("DescribeEventConfigurations")
    assert [kind for kind, each in told["eventConfigurations"].items() if each["Enabled"]] == ["THING", "JOB"]
    assert told["creationDate"] < told["lastModifiedDate"]
    plane.call("CreateJob", jobId="loud", targets=[target], document="{}")
    plane.call("DeleteJob", jobId="loud", force=True)
    assert [event.operation for event in plane.outcomes[-1].events] == ["deletion_in_progress"]
    plane.call("UpdateEventConfigurations", eventConfigurations={"JOB": {"Enabled": False}})
    assert plane.jobs.event_kinds == frozenset()


@pytest.mark.parametrize("host", ["s3.amazonaws.com/firmware", "firmware.s3.eu-west-1.amazonaws.com"])
def test_a_document_comes_from_a_file_in_the_place_of_s3s_object_and_is_copied(tmp_path: Path, host: str):
    plane, url = Plane(files=tmp_path), f"https://{host}/v2/job%20doc.json"
    file = tmp_path / "firmware" / "v2" / "job doc.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"version": 2}')
    plane.call("CreateJob", jobId="fw", targets=plane.things("t"), documentSource=url)
    made = plane.call("CreateJobTemplate", jobTemplateId="tpl", description="", documentSource=url)
    file.write_text('{"version": 3}')
    assert plane.call("GetJobDocument", jobId="fw")["document"] == '{"version": 2}'
    assert plane.call("DescribeJob", jobId="fw")["documentSource"] == url
    told = plane.call("DescribeJobTemplate", jobTemplateId="tpl")
    assert (told["document"], told["documentSource"]) == ('{"version": 2}', url)
    plane.call("CreateJob", jobId="again", targets=plane.things("t"), jobTemplateArn=made["jobTemplateArn"])
    assert plane.call("GetJobDocument", jobId="again")["document"] == '{"version": 2}'


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("no.json", id="no such file"),
        pytest.param("../../outside.json", id="a way out"),
        pytest.param("%2e%2e/%2e%2e/outside.json", id="a way out in other letters"),
        pytest.param("link.json", id="a link to the outside"),
        pytest.param("text.json", id="a file that is no JSON"),
        pytest.param("raw.json", id="a file that is no text"),
        pytest.param("large.json", id="a file that is too large"),
        pytest.param("a%00b", id="no name at all"),
    ],
)
def test_what_is_no_document_in_a_file_of_ours_is_refused(tmp_path: Path, key: str):
    bucket = tmp_path / "files" / "bucket"
    bucket.mkdir(parents=True)
    (tmp_path / "outside.json").write_text("{}")
    (bucket / "link.json").symlink_to(tmp_path / "outside.json")
    (bucket / "text.json").write_text("hello")
    (bucket / "raw.json").write_bytes(b'"\xff"')
    (bucket / "large.json").write_text(" " * (1 << 20) + "{}")
    plane = Plane(files=bucket.parent)
    given = {"targets": plane.things("t"), "documentSource": f"https://s3.amazonaws.com/bucket/{key}"}
    assert plane.refusal("CreateJob", jobId="fw", **given) == "InvalidRequestException"


def test_a_job_has_as_many_targets_as_the_quota_says():
    plane = Plane(jobs=JobsSettings(targets=2))
    targets = plane.things("a", "b", "c")
    assert plane.refusal("CreateJob", jobId="fw", targets=targets, document="{}") == "LimitExceededException"
    plane.call("CreateJob", jobId="fw", targets=targets[:2], document="{}")
