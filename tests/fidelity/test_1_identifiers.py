"""Section 1: what a name may be, as the service model has it."""

from collections.abc import Iterator

import pytest

from .over_http import ARN, Cloud
from .proofs import proves
from .world import World


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.close()


def create(cloud: Cloud, job_id: str, **more: str) -> int:
    body = {"targets": [ARN.format("thing/t")], "document": "{}"} | more
    return cloud.ask(f"PUT /jobs/{job_id}", body).status


@proves("identifiers-have-the-models-patterns")
@pytest.mark.parametrize(
    ("name", "status"),
    [("a:b_-9", 200), ("x" * 128, 200), ("x" * 129, 400), ("a.b", 400), ("a%20b", 400), ("%C3%A9", 400)],
)
def test_thing_name(cloud: Cloud, name: str, status: int):
    assert cloud.ask(f"POST /things/{name}", {}).status == status


@proves("identifiers-have-the-models-patterns")
@pytest.mark.parametrize(
    ("name", "status"),
    [("a_-9", 200), ("get", 200), ("x" * 64, 200), ("x" * 65, 400), ("a:b", 400), ("a.b", 400), ("$next", 400)],
)
def test_job_id(cloud: Cloud, name: str, status: int):
    assert create(cloud, name) == status


@proves("identifiers-have-the-models-patterns")
@pytest.mark.parametrize(("name", "status"), [("lab_-9", 200), ("x" * 200, 200), ("a:b", 400), ("a b", 400), ("", 400)])
def test_namespace_id(cloud: Cloud, name: str, status: int):
    assert create(cloud, f"in-{len(name)}-{status}", namespaceId=name) == status


@proves("identifiers-have-the-models-patterns")
@pytest.mark.parametrize(
    ("details", "is_accepted"),
    [
        pytest.param({"a:b_-9": "v"}, True, id="a key"),
        pytest.param({"k" * 128: "v"}, True, id="the longest key"),
        pytest.param({"k" * 129: "v"}, False, id="a longer key"),
        pytest.param({"": "v"}, False, id="an empty key"),
        pytest.param({"a b": "v"}, False, id="a key with a space"),
        pytest.param({"k": "any: väl€ü 😀"}, True, id="a value"),
        pytest.param({"k": ""}, False, id="an empty value"),
        pytest.param({"k": "two\nlines"}, False, id="a value with a newline"),
        pytest.param({"k": "a\ttab"}, False, id="a value with a tab"),
        pytest.param({"k": 1}, False, id="a value that is no string"),
    ],
)
def test_status_details(details: dict[str, object], is_accepted: bool):
    world = World()
    world.create_job("fw")
    topic, answer = world.device("fw/update", {"status": "IN_PROGRESS", "statusDetails": details})
    assert topic == f"fw/update/{'accepted' if is_accepted else 'rejected'}"
    assert answer.get("code") == (None if is_accepted else "InvalidRequest")


@proves("next-is-for-describe-alone")
def test_next_is_a_job_in_describe_alone():
    world = World()
    world.create_job("fw")
    assert world.device("$next/get")[0] == "$next/get/accepted"
    topic, answer = world.device("$next/update", {"status": "IN_PROGRESS"})
    assert (topic, answer["code"]) == ("$next/update/rejected", "InvalidTopic")
