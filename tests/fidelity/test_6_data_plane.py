"""Section 6: the data plane over HTTP, row by row."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.cloud.jobs import JobsSettings

from .over_http import Cloud
from .proofs import proves


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.close()


NEXT = "/things/t/jobs/$next"
ENCODED = "/things/t/jobs/%24next"
STATE = {"status": "IN_PROGRESS", "includeJobExecutionState": True}
DOCUMENT = {"status": "IN_PROGRESS", "includeJobDocument": True}
DETAILS = {"status": "IN_PROGRESS", "statusDetails": {"step": "1"}, "stepTimeoutInMinutes": 1}
OTHER_NUMBER = {"status": "FAILED", "executionNumber": 2}
OTHER_VERSION = {"status": "FAILED", "expectedVersion": 7}


def row(operation: str, before: str, request: str, body: Any, then: Any) -> Any:
    name = then if isinstance(then, str) else "200"
    return pytest.param(before, request, body, then, id=f"{operation}: {request} of a {before} job, {name}")


@proves("the-device-api-stands-at-the-models-paths", "http-has-names-of-its-own-for-errors")
@pytest.mark.parametrize(
    ("before", "request_", "body", "then"),
    [
        # 200: which members the output has; else: status and name of the error
        row("GetPending", "queued", "GET /things/t/jobs", None, {"inProgressJobs", "queuedJobs"}),
        row("GetPending", "none", "GET /things/nobody/jobs", None, "404 ResourceNotFound"),
        row("GetPending", "none", "GET /things/b%20d/jobs", None, "400 InvalidRequest"),
        row("StartNext", "queued", f"PUT {NEXT}", None, {"execution"}),
        row("StartNext", "queued", f"PUT {ENCODED}", {"statusDetails": {"a": "b"}}, {"execution"}),
        row("StartNext", "queued", f"PUT {NEXT}", {"stepTimeoutInMinutes": 10_081}, "400 InvalidRequest"),
        row("StartNext", "none", "PUT /things/nobody/jobs/$next", None, "404 ResourceNotFound"),
        row("Describe", "queued", f"GET {NEXT}", None, {"execution"}),
        row("Describe", "queued", "GET /things/t/jobs/{j}?includeJobDocument=false", None, {"execution"}),
        row("Describe", "queued", "GET /things/t/jobs/{j}?executionNumber=1", None, {"execution"}),
        row("Describe", "queued", "GET /things/t/jobs/{j}?executionNumber=2", None, "404 ResourceNotFound"),
        row("Describe", "none", "GET /things/t/jobs/{j}", None, "404 ResourceNotFound"),
        row("Describe", "done", "GET /things/t/jobs/{j}", None, "410 TerminalState"),
        row("Update", "queued", "POST /things/t/jobs/{j}", {"status": "IN_PROGRESS"}, set()),
        row("Update", "running", "POST /things/t/jobs/{j}", STATE, {"executionState"}),
        row("Update", "running", "POST /things/t/jobs/{j}", DOCUMENT, {"jobDocument"}),
        row("Update", "running", "POST /things/t/jobs/{j}", DETAILS, set()),
        row("Update", "running", "POST /things/t/jobs/{j}", {"status": "SUCCEEDED", "expectedVersion": 2}, set()),
        row("Update", "running", "POST /things/t/jobs/{j}", {"status": "FAILED", "executionNumber": 1}, set()),
        row("Update", "running", "POST /things/t/jobs/{j}", OTHER_NUMBER, "404 ResourceNotFound"),
        row("Update", "running", "POST /things/t/jobs/{j}", OTHER_VERSION, "400 InvalidRequest"),
        row("Update", "running", "POST /things/t/jobs/{j}", {}, "400 InvalidRequest"),
        row("Update", "running", "POST /things/t/jobs/{j}", {"status": "LOST"}, "400 InvalidRequest"),
        row("Update", "running", "POST /things/t/jobs/{j}", b"{", "400 InvalidRequest"),
        row("Update", "running", "POST /things/t/jobs/{j}", {"status": "QUEUED"}, "409 InvalidStateTransition"),
        row("Update", "done", "POST /things/t/jobs/{j}", {"status": "IN_PROGRESS"}, "409 InvalidStateTransition"),
        row("Update", "none", "POST /things/t/jobs/{j}", {"status": "IN_PROGRESS"}, "404 ResourceNotFound"),
    ],
)
def test_a_request_ends_in(cloud: Cloud, before: str, request_: str, body: Any, then: Any):
    answer = cloud.device(request_.format(j=cloud.job(before)), body)
    if isinstance(then, set):
        assert (answer.status, set(answer.body)) == (200, then)
    else:
        assert f"{answer.status} {answer.error}" == then
        assert answer.body["message"]


@proves("http-has-names-of-its-own-for-errors")
def test_who_asks_too_often_is_throttled_with_429():
    cloud = Cloud(JobsSettings(requests_per_second=1))
    answers = [cloud.device("GET /things/t/jobs") for _ in range(4)]
    assert (429, "Throttling") in {(answer.status, answer.error) for answer in answers}
    cloud.close()


@proves("http-has-the-document-as-a-string", "http-has-times-in-whole-seconds")
def test_an_execution_has_its_document_as_a_string_and_its_times_in_whole_seconds(cloud: Cloud):
    told = cloud.device(f"GET /things/t/jobs/{cloud.job('running')}").body["execution"]
    assert told["jobDocument"] == '{"a":1}'
    for name in ("queuedAt", "startedAt", "lastUpdatedAt"):
        assert isinstance(told[name], int)
    assert (told["versionNumber"], told["executionNumber"], told["thingName"]) == (2, 1, "t")
    assert "statusDetails" not in told
    assert not {"timestamp", "clientToken"} & set(told)
