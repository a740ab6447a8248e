"""Section 9: the quotas that the service model states."""

from collections.abc import Iterator

import pytest

from .over_http import ARN, Cloud
from .proofs import proves


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.close()


@proves("texts-and-pages-have-the-documented-bounds")
@pytest.mark.parametrize(("what", "most"), [("description", 2028), ("comment", 2028), ("reasonCode", 128)])
def test_texts_are_as_long_as_documented_and_no_longer(cloud: Cloud, what: str, most: int):
    for length, status in ((most, 200), (most + 1, 400)):
        job_id = f"{what}-{length}"
        job = {"targets": [ARN.format("thing/t")], "document": "{}"}
        if what == "description":
            assert cloud.ask(f"PUT /jobs/{job_id}", job | {what: "X" * length}).status == status
        else:
            assert cloud.ask(f"PUT /jobs/{job_id}", job).status == 200
            assert cloud.ask(f"PUT /jobs/{job_id}/cancel", {what: "X" * length}).status == status


@proves("texts-and-pages-have-the-documented-bounds")
@pytest.mark.parametrize("path", ["/jobs", "/things/t/jobs", "/jobs/paged/things", "/things"])
@pytest.mark.parametrize(("size", "status"), [(0, 400), (1, 200), (250, 200), (251, 400)])
def test_a_page_has_one_to_250_entries(cloud: Cloud, path: str, size: int, status: int):
    cloud.ask("PUT /jobs/paged", {"targets": [ARN.format("thing/t")], "document": "{}"})
    assert cloud.ask(f"GET {path}?maxResults={size}").status == status
