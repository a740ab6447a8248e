"""Section 2: the device API over MQTT."""

import pytest

from simulator.cloud.jobs import JobsSettings

from .proofs import proves
from .world import T, World


def pending(*job_ids: str, settings: JobsSettings | None = None) -> World:
    world = World(settings)
    for job_id in job_ids:
        world.create_job(job_id)
    world.taken()
    return world


# ── 2.3 StartNextPendingJobExecution ──────────────────────────────────────────────────────────────────────────


@proves("start-next-starts-the-head")
def test_start_next_makes_the_head_in_progress():
    world = pending("fw", "later")
    topic, answer = world.device("start-next", {"clientToken": "c", "statusDetails": {"k": "v"}})
    now = int(world.now)
    assert topic == "start-next/accepted"
    assert answer == {
        "timestamp": now,
        "clientToken": "c",
        "execution": {
            "jobId": "fw",
            "status": "IN_PROGRESS",
            "statusDetails": {"k": "v"},
            "queuedAt": answer["execution"]["queuedAt"],
            "startedAt": now,
            "lastUpdatedAt": now,
            "versionNumber": 2,
            "executionNumber": 1,
            "jobDocument": {"operation": "test"},
        },
    }


@proves("start-next-again-changes-nothing")
def test_start_next_of_what_is_in_progress_hands_it_out_unchanged():
    world = pending("fw")
    _, first = world.device("start-next", {"statusDetails": {"k": "v"}})
    _, again = world.device("start-next", {"statusDetails": {"k": "other"}})
    assert again["execution"] == first["execution"]
    assert world.taken() == []


@proves("nothing-pending-has-no-execution")
@pytest.mark.parametrize("topic", ["start-next", "$next/get"])
def test_where_nothing_is_pending_there_is_no_execution(topic: str):
    world = World()
    assert world.device(topic, {"clientToken": "c"}) == (
        f"{topic}/accepted",
        {"timestamp": int(world.now), "clientToken": "c"},
    )


# ── 2.5 UpdateJobExecution ────────────────────────────────────────────────────────────────────────────────────


@proves("an-update-is-a-version")
def test_an_update_is_a_version_and_answers_what_was_asked_for():
    world = pending("fw")
    _, plain = world.device("fw/update", {"status": "IN_PROGRESS"})
    assert plain == {"timestamp": int(world.now)}
    asked = {"status": "IN_PROGRESS", "includeJobExecutionState": True, "includeJobDocument": True, "clientToken": "c"}
    _, full = world.device("fw/update", asked)
    assert full == {
        "timestamp": int(world.now),
        "clientToken": "c",
        "executionState": {"status": "IN_PROGRESS", "versionNumber": 3},
        "jobDocument": {"operation": "test"},
    }


@proves("details-are-replaced-whole")
def test_details_are_replaced_whole_or_stay():
    world = pending("fw")
    for given, then in (({"a": "1", "b": "2"}, {"a": "1", "b": "2"}), (None, {"a": "1", "b": "2"}), ({"a": "3"},) * 2):
        body = {"status": "IN_PROGRESS"} | ({} if given is None else {"statusDetails": given})
        world.device("fw/update", body)
        _, answer = world.device("fw/get")
        assert answer["execution"]["statusDetails"] == then


@proves("expected-version-may-be-text")
@pytest.mark.parametrize(
    ("expected", "code"), [(1, None), ("1", None), (2, "VersionMismatch"), ("x", "InvalidRequest")]
)
def test_expected_version_is_a_number_or_decimal_text(expected, code):
    world = pending("fw")
    _, answer = world.device("fw/update", {"status": "IN_PROGRESS", "expectedVersion": expected})
    assert answer.get("code") == code


# ── 2.6 the codes of a refusal ────────────────────────────────────────────────────────────────────────────────

NO_STATE, STATE = None, {"status": "SUCCEEDED", "versionNumber": 2}


@proves("rejected-codes", "version-is-checked-before-the-transition")
@pytest.mark.parametrize(
    ("topic", "body", "code", "state"),
    [
        pytest.param("fw/delete", {}, "InvalidTopic", NO_STATE, id="a topic that maps to no API"),
        pytest.param("fw/update", b"{nope", "InvalidJson", NO_STATE, id="no JSON"),
        pytest.param("fw/update", b'{"a":"\xff"}', "InvalidJson", NO_STATE, id="no UTF-8"),
        pytest.param("fw/update", {}, "InvalidRequest", NO_STATE, id="no status"),
        pytest.param("none/update", {"status": "NONE"}, "InvalidRequest", NO_STATE, id="fields before existence"),
        pytest.param(
            "fw/update",
            {"status": "FAILED", "statusDetails": {"k": "a\nb"}},
            "InvalidRequest",
            NO_STATE,
            id="a newline",
        ),
        pytest.param(
            "fw/update", {"status": "FAILED", "stepTimeoutInMinutes": 0}, "InvalidRequest", NO_STATE, id="a step of 0"
        ),
        pytest.param("done/update", {"status": "IN_PROGRESS"}, "InvalidStateTransition", STATE, id="out of an end"),
        pytest.param("none/update", {"status": "FAILED"}, "ResourceNotFound", NO_STATE, id="no such job"),
        pytest.param(
            "none/update",
            {"status": "FAILED", "expectedVersion": 9},
            "ResourceNotFound",
            NO_STATE,
            id="existence first",
        ),
        pytest.param(
            "fw/update", {"status": "FAILED", "executionNumber": 2}, "ResourceNotFound", NO_STATE, id="no such number"
        ),
        pytest.param(
            "done/update", {"status": "FAILED", "expectedVersion": 9}, "VersionMismatch", STATE, id="version first"
        ),
        pytest.param("none/get", {}, "ResourceNotFound", NO_STATE, id="describe: no such job"),
        pytest.param("done/get", {}, "TerminalStateReached", NO_STATE, id="describe: ended"),
    ],
)
def test_each_refusal_has_its_code(topic, body, code, state):
    world = pending("fw", "done")
    world.device("done/update", {"status": "SUCCEEDED"})
    answered, answer = world.device(topic, body)
    assert (answered, answer["code"], answer.get("executionState")) == (f"{topic}/rejected", code, state)


@proves("rejected-codes")
def test_too_many_requests_are_throttled():
    world = pending("fw", settings=JobsSettings(requests_per_second=0))
    assert world.device("fw/get")[1]["code"] == "RequestThrottled"


@proves("statuses-of-the-service-are-no-transition")
@pytest.mark.parametrize("code", ["InvalidStateTransition", "InvalidRequest"])
@pytest.mark.parametrize("status", ["QUEUED", "CANCELED", "TIMED_OUT", "REMOVED"])
def test_a_device_does_not_set_what_the_service_sets(status, code):
    world = pending("fw", settings=JobsSettings(forbidden_status=code))
    _, answer = world.device("fw/update", {"status": status})
    assert (answer["code"], "executionState" in answer) == (code, code == "InvalidStateTransition")


@proves("ten-details", "length-of-a-detail")
@pytest.mark.parametrize(
    ("settings", "details", "is_accepted"),
    [
        ({}, {str(n): "v" for n in range(10)}, True),
        ({}, {str(n): "v" for n in range(11)}, False),
        ({"details": 2}, {str(n): "v" for n in range(3)}, False),
        ({}, {"k": "v" * 1024}, True),
        ({}, {"k": "v" * 1025}, False),
        ({"detail_length": 128}, {"k": "v" * 129}, False),
    ],
)
@pytest.mark.parametrize("topic", ["start-next", "fw/update"])
def test_details_have_their_limits(topic, settings, details, is_accepted):
    world = pending("fw", settings=JobsSettings(**settings))
    answered, answer = world.device(topic, {"status": "IN_PROGRESS", "statusDetails": details})
    assert answered == f"{topic}/{'accepted' if is_accepted else 'rejected'}"
    assert answer.get("code") == (None if is_accepted else "InvalidRequest")
    assert (
        world.operate("DescribeJobExecution", jobId="fw", thingName=T)["execution"]["versionNumber"] == 1 + is_accepted
    )
