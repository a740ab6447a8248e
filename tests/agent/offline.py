"""All of a device but its network and its hardware: a line to a service in bytes, and steps that fail at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.abilities import DEFAULT_ABILITIES, Abilities
from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import BeginStep, Booted, Event, StepEnded, StepRestored, StopStep, UndoStep, Verified, Verify
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.device_events import DeviceCrashed, DeviceEvent
from agent.jitter import Jitter
from agent.messages import write_request
from agent.runner import Listener, Runner
from agent.topics import request_topic
from agent.values import Request
from tests.agent.spoiling import Service

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

    def __init__(
        self,
        service: Service,
        namespace_id: str | None,
        abilities: Abilities = DEFAULT_ABILITIES,
        remember: Callable[[Record], None] = lambda record: None,
    ) -> None:
        self.told: list[DeviceEvent] = []
        self.bench = Bench(lambda event: self.runner.feed(event))
        self.runner: Runner[Correlated[Machine]] = Runner(
            thing="T",
            machine=Correlated(
                start(DevicePolicy(namespace_id=namespace_id, abilities=abilities, **PACE)), Correlation("t", abilities)
            ),
            step=correlated(step),
            transport=Line(service),
            workbench=self.bench,
            rng=Jitter("test"),
            observe=self.told.append,
            remember=remember,
        )


async def played(
    namespace_id: str | None, service: Service, abilities: Abilities = DEFAULT_ABILITIES, *, notified: bool = False
) -> Device:
    """The device works until nothing is pending any more. Raises TimeoutError; AssertionError if it crashed."""
    device = Device(service, namespace_id, abilities)
    device.runner.start(Booted())
    if notified:
        suffix = "" if namespace_id is None else f"-namespace-{namespace_id}"
        device.runner.on_message(f"$aws/things/T/jobs/notify{suffix}", service.notice())
    async with asyncio.timeout(WAIT):
        await service.ended.wait()
    await device.runner.stop()
    assert not device.runner.crashed, [event for event in device.told if isinstance(event, DeviceCrashed)]
    assert service.asked < 40, "it hammers"
    return device
