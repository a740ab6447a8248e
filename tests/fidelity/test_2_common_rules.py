"""Section 2: what all requests, answers and executions of the device API have in common."""

import pytest

from .proofs import proves
from .world import World

REQUESTS = ("get", "start-next", "$next/get", "fw/get")


@pytest.fixture
def world() -> World:
    world = World()
    world.create_job("fw")
    world.create_job("later")
    world.taken()
    return world


@proves("an-empty-payload-is-an-empty-request")
@pytest.mark.parametrize("topic", REQUESTS)
def test_a_request_without_payload_is_an_empty_one(topic: str):
    answers = []
    for payload in (b"", b"{}"):
        world = World()
        world.create_job("fw")
        answers.append(world.device(topic, payload))
    assert answers[0] == answers[1]
    assert answers[0][0] == f"{topic}/accepted"


@proves("client-token-comes-back")
@pytest.mark.parametrize("topic", [*REQUESTS, "fw/update", "none/get", "none/update"])
def test_the_client_token_comes_back_and_only_if_there_was_one(world: World, topic: str):
    request = {"status": "IN_PROGRESS"} if topic.endswith("update") else {}
    assert world.device(topic, {**request, "clientToken": "a:b €"})[1]["clientToken"] == "a:b €"
    assert "clientToken" not in world.device(topic, request)[1]


@proves("device-times-are-whole-seconds")
def test_times_are_whole_seconds(world: World):
    assert world.now % 1, "the clock is between two seconds"
    for topic in (*REQUESTS, "none/get"):
        _, answer = world.device(topic)
        assert answer["timestamp"] == int(world.now)
        for name, value in answer.get("execution", {}).items():
            assert not isinstance(value, float), name
    _, listed = world.device("get")
    for execution in (*listed["inProgressJobs"], *listed["queuedJobs"]):
        assert all(isinstance(execution[name], int) for name in ("queuedAt", "lastUpdatedAt"))


@proves("unknown-members-of-requests-are-ignored")
@pytest.mark.parametrize("topic", REQUESTS)
def test_what_a_request_does_not_have_is_ignored(topic: str):
    world = World()
    world.create_job("fw")
    assert world.device(topic, {"jobId": "fw", "thingName": "thing", "more": [1]})[0] == f"{topic}/accepted"


@proves("an-execution-shows-what-it-has")
def test_an_execution_shows_what_it_has(world: World):
    _, first = world.device("fw/get")
    queued = {"jobId", "status", "queuedAt", "lastUpdatedAt", "versionNumber", "executionNumber", "jobDocument"}
    assert first["execution"].keys() == queued
    assert first["execution"]["jobDocument"] == {"operation": "test"}
    assert (first["execution"]["versionNumber"], first["execution"]["executionNumber"]) == (1, 1)
    world.device("fw/update", {"status": "IN_PROGRESS"})
    assert world.device("fw/get")[1]["execution"].keys() == queued | {"startedAt"}
    world.device("fw/update", {"status": "IN_PROGRESS", "statusDetails": {"step": "write"}})
    assert world.device("fw/get")[1]["execution"].keys() == queued | {"startedAt", "statusDetails"}


@proves("pending-has-both-lists")
def test_both_lists_are_there_and_hold_summaries(world: World):
    _, before = world.device("get")
    assert [each["jobId"] for each in before["queuedJobs"]] == ["fw", "later"]
    assert before["inProgressJobs"] == []
    world.device("start-next")
    _, after = world.device("get")
    summary = {"jobId", "queuedAt", "lastUpdatedAt", "versionNumber", "executionNumber"}
    assert [each.keys() for each in after["inProgressJobs"]] == [summary | {"startedAt"}]
    assert [each.keys() for each in after["queuedJobs"]] == [summary]


@proves("things-without-jobs-have-empty-lists")
def test_a_thing_that_nobody_knows_has_empty_lists(world: World):
    topic, answer = world.device("get", thing="nobody")
    assert topic == "get/accepted"
    assert (answer["inProgressJobs"], answer["queuedJobs"]) == ([], [])


@proves("describe-tells-the-document-unless-told-not-to")
@pytest.mark.parametrize(
    ("asked", "has_document"),
    [({}, True), ({"includeJobDocument": True}, True), ({"includeJobDocument": False}, False)],
)
def test_describe_tells_the_document_unless_told_not_to(world: World, asked: dict[str, bool], has_document: bool):
    for topic in ("fw/get", "$next/get"):
        _, answer = world.device(topic, asked)
        assert ("jobDocument" in answer["execution"]) is has_document


@proves("step-timeouts-have-bounds")
@pytest.mark.parametrize(
    ("topic", "minutes", "is_accepted"),
    [
        ("start-next", 1, True),
        ("start-next", 10_080, True),
        ("start-next", 10_081, False),
        ("start-next", 0, False),
        ("start-next", -1, False),
        ("fw/update", 1, True),
        ("fw/update", 10_080, True),
        ("fw/update", 10_081, False),
        ("fw/update", 0, False),
        ("fw/update", -1, True),
        ("fw/update", -2, False),
    ],
)
def test_step_timeouts_have_bounds(world: World, topic: str, minutes: int, is_accepted: bool):
    answered, answer = world.device(topic, {"status": "IN_PROGRESS", "stepTimeoutInMinutes": minutes})
    assert answered == f"{topic}/{'accepted' if is_accepted else 'rejected'}"
    assert answer.get("code") == (None if is_accepted else "InvalidRequest")
