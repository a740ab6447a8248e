"""Section 1: topics and namespaces."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import World

LAB = {"namespaceId": "lab"}
QUIET = JobsSettings(documented_notify="none")


@proves("namespaced-topics-of-clients")
def test_a_namespaced_job_is_told_described_and_updated_on_the_topics_that_greengrass_uses():
    world = World(QUIET)
    world.create_job("fw", **LAB)
    assert world.topics() == ["notify-namespace-lab", "notify-next-namespace-lab"]
    for topic, body in (
        ("$next/namespace-lab/get", {}),
        ("fw/namespace-lab/get", {}),
        ("fw/namespace-lab/update", {"status": "IN_PROGRESS"}),
    ):
        answered, _ = world.device(topic, body)
        assert answered == f"{topic}/accepted"


@proves("namespaces-do-not-mix")
@pytest.mark.parametrize("topic", ["fw/get", "fw/update", "fw/namespace-other/get", "fw/namespace-other/update"])
def test_a_request_in_another_namespace_does_not_find_the_job(topic: str):
    world = World(QUIET)
    world.create_job("fw", **LAB)
    answered, answer = world.device(topic, {"status": "IN_PROGRESS"})
    assert (answered, answer["code"]) == (f"{topic}/rejected", "ResourceNotFound")


@proves("namespaces-do-not-mix")
def test_lists_hold_their_own_namespace_only():
    world = World(QUIET)
    world.create_job("fw", **LAB)
    world.taken()
    world.create_job("plain")
    told = dict(world.taken())
    assert [each["jobId"] for each in told["notify"]["jobs"]["QUEUED"]] == ["plain"]
    for topic, expected in (("get", ["plain"]), ("namespace-lab/get", ["fw"])):
        _, answer = world.device(topic)
        assert [each["jobId"] for each in answer["queuedJobs"]] == expected
    for topic, expected in (("$next/get", "plain"), ("$next/namespace-lab/get", "fw")):
        _, answer = world.device(topic)
        assert answer["execution"]["jobId"] == expected


@proves("one-head-across-namespaces")
@pytest.mark.parametrize(
    ("settings", "heard", "heard_when_the_default_job_is_gone"),
    [
        (QUIET, ["notify-namespace-lab"], ["notify", "notify-next", "notify-next-namespace-lab"]),
        (
            JobsSettings(documented_notify="none", head_across_namespaces=False),
            ["notify-namespace-lab", "notify-next-namespace-lab"],
            ["notify", "notify-next"],
        ),
    ],
    ids=["one head", "a head for each namespace"],
)
def test_a_default_job_holds_back_the_notify_next_of_a_namespaced_one(
    settings, heard, heard_when_the_default_job_is_gone
):
    world = World(settings)
    world.create_job("plain")
    world.taken()
    world.create_job("fw", **LAB)
    assert world.topics() == heard
    world.operate("DeleteJob", jobId="plain", force=True)
    assert world.topics() == heard_when_the_default_job_is_gone


@proves("documented-topic-of-a-namespace")
@pytest.mark.parametrize(("when", "is_told"), [("none", (0, 0)), ("added", (1, 0)), ("added-and-removed", (1, 1))])
def test_when_the_documented_topic_is_used(when, is_told):
    world = World(JobsSettings(documented_notify=when))
    world.create_job("fw", **LAB)
    added = world.topics().count("fw/notify-namespace-lab/")
    world.operate("DeleteJob", jobId="fw", force=True, **LAB)
    assert (added, world.topics().count("fw/notify-namespace-lab/")) == is_told
    world.create_job("plain")
    assert world.topics() == ["notify", "notify-next"], "and never for the default namespace"


@proves("payload-of-the-documented-topic")
@pytest.mark.parametrize(("payload", "same_as"), [("list", "notify"), ("next", "notify-next")])
def test_what_is_told_on_the_documented_topic(payload, same_as):
    world = World(JobsSettings(documented_payload=payload))
    world.create_job("fw", **LAB)
    told = dict(world.taken())
    assert told["fw/notify-namespace-lab/"] == told[f"{same_as}-namespace-lab"]


@proves("aws-namespaces-are-reserved")
def test_customers_are_refused_the_namespaces_of_aws():
    theirs = {"namespaceId": "aws-gg-deployment"}
    world = World()
    world.create_job("plain")
    job = {"targets": world.job("plain")["targets"], "document": "{}", **theirs}
    assert world.refusal("CreateJob", jobId="fw", **job) == "InvalidRequestException"
    assert world.refusal("CreateJob", jobId="fw", by_aws=True, **job) is None
    delete = {"jobId": "fw", "force": True, **theirs}
    execution = {"jobId": "fw", "thingName": "thing", "executionNumber": 1, "force": True, **theirs}
    assert world.refusal("DeleteJob", **delete) == "InvalidRequestException"
    assert world.refusal("DeleteJobExecution", **execution) == "InvalidRequestException"
    assert world.refusal("DeleteJob", by_aws=True, **delete) is None
    everybody = World(JobsSettings(aws_namespaces_reserved=False))
    everybody.create_job("fw", **theirs)
    assert everybody.refusal("DeleteJob", **delete) is None
