"""As much of AWS IoT Jobs as a queue of two needs, in bytes, and with a hand that spoils them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.messages import read_request
from agent.topics import RequestTopic, parse
from agent.values import Describe, GetPending, StartNext, Update

NOW = 1_700_000_000
GOOD = '{"operation":"update","version":"2.0"}'


@dataclass
class Job:
    """One execution in the queue; `spoil` is done to each message that has its document in it."""

    job_id: str
    document: str = GOOD
    spoil: Callable[[str], bytes] = str.encode
    status: str = "QUEUED"
    version: int = 1
    details: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        numbers = {"executionNumber": 1, "queuedAt": NOW, "lastUpdatedAt": NOW, "versionNumber": self.version}
        return {"jobId": self.job_id, **numbers}

    @property
    def state(self) -> dict[str, Any]:
        return {"status": self.status, "versionNumber": self.version, "statusDetails": self.details}


class Service:
    """Answers for one thing; without `lists` it knows no GetPending. `ended` is set once nothing is pending."""

    def __init__(self, *jobs: Job, lists: bool = True) -> None:
        self.jobs = jobs
        self.lists = lists
        self.asked = 0
        self.ended = asyncio.Event()

    @property
    def pending(self) -> list[Job]:
        return [job for job in self.jobs if job.status in ("QUEUED", "IN_PROGRESS")]

    def notice(self) -> bytes:
        """What a `notify` says."""
        queued = {"QUEUED": [job.summary for job in self.pending]}
        return json.dumps({"timestamp": NOW, "jobs": queued}).encode()

    def answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Where and what it answers to a request."""
        asked = parse(topic)
        assert isinstance(asked, RequestTopic)
        request = read_request(asked, payload)
        self.asked += 1
        said: dict[str, Any] = {"timestamp": NOW, "clientToken": request.client_token}
        match request:
            case GetPending():
                told = said | {"queuedJobs": [job.summary for job in self.pending]}
                return (f"{topic}/accepted", json.dumps(told).encode()) if self.lists else None
            case StartNext() | Describe(job_id="$next"):
                job = next(iter(self.pending), None)
                if job is not None and isinstance(request, StartNext) and job.status == "QUEUED":
                    job.status, job.version = "IN_PROGRESS", job.version + 1
                    job.details = dict(request.status_details or ())
                return f"{topic}/accepted", self._told(said, job, with_document=True)
            case Describe():
                job = self._find(request.job_id)
                if job is None:
                    return f"{topic}/rejected", json.dumps(said | {"code": "ResourceNotFound"}).encode()
                return f"{topic}/accepted", self._told(said, job, with_document=request.include_document)
            case Update():
                how, body = self._updated(request)
                return f"{topic}/{how}", json.dumps(said | body).encode()

    def _find(self, job_id: str) -> Job | None:
        return next((job for job in self.jobs if job.job_id == job_id), None)

    def _updated(self, update: Update) -> tuple[str, dict[str, Any]]:
        job = self._find(update.job_id)
        if job is None:
            return "rejected", {"code": "ResourceNotFound"}
        if update.expected_version not in (None, job.version):
            return "rejected", {"code": "VersionMismatch", "executionState": job.state}
        job.status, job.version, job.details = update.status.value, job.version + 1, dict(update.status_details or ())
        if not self.pending:
            self.ended.set()
        return "accepted", {"executionState": job.state}

    def _told(self, said: dict[str, Any], job: Job | None, *, with_document: bool) -> bytes:
        if job is None:
            return json.dumps(said).encode()
        text = json.dumps(said | {"execution": job.summary | job.state})
        return job.spoil(text[:-2] + f',"jobDocument":{job.document}' + "}}") if with_document else text.encode()


def nested(depth: int) -> str:
    """An update that has something in it that nobody reads, nested so deep."""
    return '{"operation":"update","version":"2.0","x":' + "[" * depth + "]" * depth + "}"
