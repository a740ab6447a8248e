"""Certificates × actions × topics from a fixed seed; `python -m tests.hostile pairs --seed N` for more of them."""

import pytest

from tests.hostile import pairs
from tests.hostile.oracle import allowed
from tests.hostile.report import Bounds


async def test_the_cloud_and_an_oracle_are_of_one_mind_about_every_pair():
    report = await pairs.attack(Bounds(seed=1, count=1_000, seconds=120))
    assert report.findings == []
    assert report.tried >= 1_000


ARN = "arn:aws:iot:us-east-1:000000000000:"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param([], False, id="nothing allows it"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/a/*")], True, id="a star is slashes too"),
        pytest.param([("Allow", "iot:*", "*"), ("Deny", "iot:Pub*", f"{ARN}topic/a*")], False, id="a denial wins"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/?/b/c")], True, id="one character"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/+/b/c")], False, id="a plus is a plus"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/${{iot:ClientId}}/b/c")], True, id="a variable"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/${{iot:None}}*")], False, id="a variable with no value"),
        pytest.param([("Allow", "iot:Publish", f"{ARN}topic/${{*}}/b/c")], False, id="a star that is one"),
    ],
)
def test_the_oracle_says_what_the_developer_guide_says(statements: list[tuple[str, str, str]], expected: bool):
    document = {"Statement": [dict(zip(("Effect", "Action", "Resource"), each, strict=True)) for each in statements]}
    assert allowed([document], "iot:Publish", f"{ARN}topic/a/b/c", {"iot:ClientId": "a"}) is expected
