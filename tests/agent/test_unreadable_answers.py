"""An answer that cannot be read ends in a rejection with the reason, and the next job is done: never in a wedge.

The service here writes bytes, and the device is everything but a connection: runner, messages and core.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.account import AnswerUnreadable, DeviceEvent
from agent.core import Machine, Policy, start, step
from agent.core.events import BeginStep, Booted, Event, StepEnded, StepRestored, StopStep, UndoStep, Verified, Verify
from agent.jitter import Jitter
from agent.messages import LONGEST_PAYLOAD, write_request
from agent.runner import Listener, Runner
from agent.topics import request_topic
from agent.values import Request
from tests.agent.spoiling import NOW, Job, Service, nested

WAIT = 20
PACE: dict[str, Any] = {"request_timeout": 0.2, "retry_first": 0.01, "ask_again": 0.02, "poll": 0.05}


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


class Line:
    """A connection to a service that needs no network."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._listener: Listener

    def start(self, listener: Listener) -> None:
        self._listener = listener
        listener.on_connected(False)

    def send(self, request: Request) -> None:
        answer = self._service.answer(request_topic("T", request), write_request(request))
        if answer is not None:
            asyncio.get_running_loop().call_soon(self._listener.on_message, *answer)

    async def stop(self) -> None: ...

    def cut(self) -> None: ...

    def interrupt(self, seconds: float) -> None: ...


class Device:
    """All of a device but its network and its hardware."""

    def __init__(self, service: Service, namespace_id: str | None) -> None:
        self.told: list[DeviceEvent] = []
        self.bench = Bench(lambda event: self.runner.feed(event))
        self.runner: Runner[Machine] = Runner(
            thing="T",
            machine=start(Policy(namespace_id=namespace_id, **PACE)),
            step=step,
            transport=Line(service),
            workbench=self.bench,
            rng=Jitter("test"),
            observe=self.told.append,
            remember=lambda record: None,
        )


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
    bad = Job("bad", document)
    device = await played(namespace_id, Service(bad, Job("good")))
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert bad.details["cause"] == "malformed-document"
    assert device.bench.begun[0] == "good"


def without(name: str) -> Callable[[str], bytes]:
    """A member of the execution that is nonsense."""
    return lambda text: text.replace(f'"{name}": ', f'"{name}": tru', 1).encode()


SPOILT = [
    pytest.param(lambda text: text.encode().replace(b'"2.0"', b'"\xff"'), "not UTF-8", id="bytes that are not UTF-8"),
    pytest.param(lambda text: text[:-3].encode(), "cannot be read", id="cut off in the document"),
    pytest.param(lambda text: text[:80].encode(), "cannot be read", id="cut off in the identity"),
    pytest.param(without("status"), "", id="a status that is none"),
    pytest.param(
        lambda text: text.replace('"statusDetails": {', '"statusDetails": {"a":7,').encode(), "", id="details"
    ),
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
    bad = Job("bad", spoil=spoil)
    service = Service(bad, Job("good"), lists=knows == "by the list")
    device = await played(namespace_id, service, notified=not service.lists)
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert device.bench.begun[0] == "good"
    assert [event for event in device.told if isinstance(event, AnswerUnreadable)] or "not UTF-8" in reason


async def played(namespace_id: str | None, service: Service, *, notified: bool = False) -> Device:
    """The device works until nothing is pending any more."""
    device = Device(service, namespace_id)
    device.runner.start(Booted())
    if notified:
        suffix = "" if namespace_id is None else f"-namespace-{namespace_id}"
        device.runner.on_message(f"$aws/things/T/jobs/notify{suffix}", service.notice())
    async with asyncio.timeout(WAIT):
        await service.ended.wait()
    await device.runner.stop()
    assert not device.runner.crashed
    assert service.asked < 40, "it hammers"
    return device
