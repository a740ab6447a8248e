"""An answer that cannot be read ends in a rejection with the reason, and the next job is done: never in a wedge.

The service here writes bytes, and the device is everything but a connection: runner, messages and core.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.account import AnswerUnreadable, DeviceEvent
from agent.core import Machine, Policy, start, step
from agent.core.events import BeginStep, Booted, Event, StepEnded, StepRestored, StopStep, UndoStep, Verified, Verify
from agent.jitter import Jitter
from agent.messages import LONGEST_PAYLOAD
from agent.runner import Listener, Runner
from agent.topics import request_topic
from agent.values import Describe, GetPending, Request, StartNext, Update

WAIT = 20
NOW = 1_700_000_000
GOOD = '{"operation":"update","version":"2.0"}'
PACE: dict[str, Any] = {"request_timeout": 0.2, "retry_first": 0.01, "ask_again": 0.02, "poll": 0.05}


@dataclass
class Job:
    """One execution in the service's queue; `spoil` is done to each message that has its document in it."""

    job_id: str
    document: str = GOOD
    spoil: Callable[[str], bytes] = str.encode
    status: str = "QUEUED"
    version: int = 1
    details: dict[str, str] = field(default_factory=dict)


@dataclass
class Bench:
    """Hardware on which every step fails, and says whose it was."""

    feed: Callable[[Event], None]
    begun: list[str] = field(default_factory=list)

    def begin(self, effect: BeginStep) -> None:
        self.begun.append(effect.execution.job_id)
        self._later(StepEnded(effect.index, "failed", "on purpose"))

    def stop(self, effect: StopStep) -> None: ...

    def undo(self, effect: UndoStep) -> None:
        self._later(StepRestored(effect.index, True))

    def verify(self, effect: Verify) -> None:
        self._later(Verified(True))

    def _later(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self.feed, event)


class Service:
    """As much of AWS IoT Jobs as a queue of two needs, in bytes; it is the device's connection too."""

    def __init__(self, namespace_id: str | None, *jobs: Job, lists: bool = True) -> None:
        self.jobs = list(jobs)
        self.lists = lists
        self.asked: list[Request] = []
        self.bench = Bench(lambda event: self.runner.feed(event))
        self.told: list[DeviceEvent] = []
        self.ended = asyncio.Event()
        policy = Policy(namespace_id=namespace_id, **PACE)
        self.runner: Runner[Machine] = Runner(
            thing="T",
            machine=start(policy),
            step=step,
            transport=self,
            workbench=self.bench,
            rng=Jitter("test"),
            observe=self.told.append,
            remember=lambda record: None,
        )

    # ── the connection ──

    def start(self, listener: Listener) -> None:
        listener.on_connected(False)

    def send(self, request: Request) -> None:
        self.asked.append(request)
        asyncio.get_running_loop().call_soon(self._answer, request)

    async def stop(self) -> None: ...

    def cut(self) -> None: ...

    def interrupt(self, seconds: float) -> None: ...

    # ── the service ──

    def notify(self) -> None:
        """Name what is pending."""
        ns = self.runner.machine.policy.namespace_id
        jobs = {"QUEUED": [self._summary(job) for job in self._pending()]}
        topic = f"$aws/things/T/jobs/notify{'' if ns is None else f'-namespace-{ns}'}"
        self.runner.on_message(topic, json.dumps({"timestamp": NOW, "jobs": jobs}).encode())

    def _pending(self) -> list[Job]:
        return [job for job in self.jobs if job.status in ("QUEUED", "IN_PROGRESS")]

    def _answer(self, request: Request) -> None:
        topic, token = request_topic("T", request), request.client_token
        match request:
            case GetPending():
                if self.lists:
                    listed = [self._summary(job) for job in self._pending()]
                    self._say(topic, {"timestamp": NOW, "clientToken": token, "queuedJobs": listed})
            case StartNext() | Describe(job_id="$next"):
                job = next(iter(self._pending()), None)
                if job is not None and isinstance(request, StartNext) and job.status == "QUEUED":
                    job.status, job.version = "IN_PROGRESS", job.version + 1
                    job.details = dict(request.status_details or ())
                self._tell(topic, token, job, with_document=True)
            case Describe():
                job = next(job for job in self.jobs if job.job_id == request.job_id)
                self._tell(topic, token, job, with_document=request.include_document)
            case Update():
                self._update(topic, request)

    def _update(self, topic: str, update: Update) -> None:
        job = next(job for job in self.jobs if job.job_id == update.job_id)
        state: dict[str, Any] = {"status": job.status, "versionNumber": job.version, "statusDetails": job.details}
        body = {"timestamp": NOW, "clientToken": update.client_token}
        if update.expected_version not in (None, job.version):
            self._say(topic, body | {"code": "VersionMismatch", "executionState": state}, "rejected")
            return
        job.status, job.version, job.details = update.status.value, job.version + 1, dict(update.status_details or ())
        state = {"status": job.status, "versionNumber": job.version, "statusDetails": job.details}
        self._say(topic, body | {"executionState": state})
        if not self._pending():
            self.ended.set()

    def _tell(self, topic: str, token: str | None, job: Job | None, *, with_document: bool) -> None:
        body: dict[str, Any] = {"timestamp": NOW, "clientToken": token}
        if job is None:
            self._say(topic, body)
            return
        execution = self._summary(job) | {"status": job.status, "statusDetails": job.details}
        text = json.dumps(body | {"execution": execution})
        if with_document:
            text = job.spoil(text[:-2] + f',"jobDocument":{job.document}' + "}}")
        self.runner.on_message(f"{topic}/accepted", text if isinstance(text, bytes) else text.encode())

    def _summary(self, job: Job) -> dict[str, Any]:
        numbers = {"executionNumber": 1, "queuedAt": NOW, "lastUpdatedAt": NOW, "versionNumber": job.version}
        return {"jobId": job.job_id, **numbers}

    def _say(self, topic: str, body: dict[str, Any], how: str = "accepted") -> None:
        self.runner.on_message(f"{topic}/{how}", json.dumps(body).encode())


def nested(depth: int) -> str:
    return '{"operation":"update","version":"2.0","x":' + "[" * depth + "]" * depth + "}"


DOCUMENTS = [
    pytest.param(nested(250), "nested more than 200 deep", id="nested too deeply"),
    pytest.param(nested(30_000), "nested more than 200 deep", id="nested far too deeply"),
    pytest.param('{"operation":"update","version":1e999}', "a number that is too large", id="an infinite number"),
    pytest.param('{"operation":"update","x":' + "9" * 5000 + "}", "a number of 5000 digits", id="5,000 digits"),
    pytest.param('{"operation":"update","x":NaN}', "NaN is no number", id="no number"),
    pytest.param('{"operation":"run","operation":"update"}', "a member twice: 'operation'", id="a member twice"),
    pytest.param('{"operation":"update","x":"\\ud800"}', "half of a surrogate pair", id="half a surrogate pair"),
    pytest.param('{"operation":"update","x":tru}', "no JSON", id="no JSON"),
    pytest.param('{"operation":"update","x":[}]}', "no JSON", id="brackets that do not pair"),
    pytest.param("[1]", "no JSON object", id="a list"),
]


@pytest.mark.parametrize("namespace_id", [None, "lab"])
@pytest.mark.parametrize(("document", "reason"), DOCUMENTS)
async def test_a_document_that_cannot_be_read_is_rejected_with_the_reason_and_the_next_job_is_begun(
    document: str, reason: str, namespace_id: str | None
):
    service = await played(namespace_id, Job("bad", document), Job("good"))
    bad = service.jobs[0]
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert bad.details["cause"] == "malformed-document"
    assert service.bench.begun[0] == "good"


def without(name: str) -> Callable[[str], bytes]:
    """A member of the execution that is nonsense."""
    return lambda text: text.replace(f'"{name}": ', f'"{name}": tru', 1).encode()


SPOILT = [
    pytest.param(lambda text: text.encode().replace(b'"2.0"', b'"\xff"'), "not UTF-8", id="bytes that are not UTF-8"),
    pytest.param(lambda text: text[:-3].encode(), "cannot be read", id="cut off in the document"),
    pytest.param(lambda text: text[:80].encode(), "cannot be read", id="cut off in the identity"),
    pytest.param(without("status"), "", id="a status that is none"),
    pytest.param(lambda text: text.replace('"statusDetails": {', '"statusDetails": {"a":7,').encode(), "", id="details"),
    pytest.param(lambda text: text.replace(f'"queuedAt": {NOW}', '"queuedAt": 1e999').encode(), "", id="queuedAt"),
    pytest.param(
        lambda text: text.replace('"executionNumber": 1', f'"executionNumber": {"9" * 5000}').encode(), "", id="number"
    ),
    pytest.param(lambda text: text.replace('"execution"', '"timestamp": "soon", "execution"').encode(), "", id="time"),
    pytest.param(lambda text: text.encode() + b" " * LONGEST_PAYLOAD, "at most", id="too long"),
    pytest.param(lambda text: b"", "", id="nothing"),
    pytest.param(lambda text: b"\xff" * 40, "", id="noise"),
]


@pytest.mark.parametrize("knows", ["by the list", "by a notification"])
@pytest.mark.parametrize("namespace_id", [None, "lab"])
@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
async def test_an_answer_that_cannot_be_read_keeps_nobody_waiting(
    spoil: Callable[[str], bytes], reason: str, namespace_id: str | None, knows: str
):
    jobs = Job("bad", spoil=spoil), Job("good")
    service = await played(namespace_id, *jobs, lists=knows == "by the list", notified=knows != "by the list")
    bad = service.jobs[0]
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert service.bench.begun[0] == "good"
    assert [event for event in service.told if isinstance(event, AnswerUnreadable)] or "not UTF-8" in reason


async def played(namespace_id: str | None, *jobs: Job, lists: bool = True, notified: bool = False) -> Service:
    """The device works until nothing is pending any more."""
    service = Service(namespace_id, *jobs, lists=lists)
    service.runner.start(Booted())
    if notified:
        service.notify()
    async with asyncio.timeout(WAIT):
        await service.ended.wait()
    await service.runner.stop()
    assert not service.runner.crashed
    assert len(service.asked) < 40, "it hammers"
    return service
