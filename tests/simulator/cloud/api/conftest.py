"""The control plane without HTTP: operations by name, and a clock that is moved by hand."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from simulator.cloud.api import ApiError, Backing, ControlPlane
from simulator.cloud.arns import AccountRegion
from simulator.cloud.jobs import Jobs, JobsSettings, Outcome
from simulator.cloud.registry import Registry
from simulator.cloud.settings.http import HttpSettings

START = 1_700_000_000.25


class Plane:
    """One account; `outcomes` are those of its commands, in order."""

    def __init__(
        self, settings: HttpSettings | None = None, jobs: JobsSettings | None = None, files: Path | None = None
    ) -> None:
        ids = itertools.count(1)
        self.now = START
        self.account = AccountRegion(data_endpoint="127.0.0.1:8883", jobs_endpoint="127.0.0.1:4566")
        self.jobs = Jobs(jobs or JobsSettings())
        self.registry = Registry(lambda: f"id-{next(ids)}")
        self.outcomes: list[Outcome] = []
        self.plane = ControlPlane(
            Backing(
                self.jobs,
                self.registry,
                self.account,
                lambda: self.now,
                self.outcomes.append,
                settings=settings or HttpSettings(),
                files=files,
            )
        )

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Carry out an operation a second after the last. Raises ApiError."""
        self.now += 1
        return self.plane.call(operation, given)

    def refusal(self, operation: str, **given: Any) -> str:
        """The name of the exception that an operation ends in."""
        with pytest.raises(ApiError) as caught:
            self.call(operation, **given)
        assert caught.value.message
        return caught.value.name

    def pages(self, operation: str, member: str, token: str = "nextToken", **given: Any) -> list[Any]:
        """Everything that a list holds, page by page."""
        found: list[Any] = []
        sent = "marker" if token == "nextMarker" else token
        answer: dict[str, Any] = {token: None}
        while token in answer:
            more = {} if answer[token] is None else {sent: answer[token]}
            answer = {name: value for name, value in self.call(operation, **given, **more).items() if value is not None}
            found += answer[member]
        return found

    def things(self, *names: str) -> list[str]:
        """Make things; their ARNs."""
        return [self.call("CreateThing", thingName=name)["thingArn"] for name in names]

    def states(self, thing: str) -> dict[str, str]:
        """The latest execution of each job on a thing, by job id."""
        found = self.call("ListJobExecutionsForThing", thingName=thing)["executionSummaries"]
        return {each["jobId"]: each["jobExecutionSummary"]["status"] for each in reversed(found)}


@pytest.fixture
def plane() -> Plane:
    return Plane()
