"""A device of any design in a test's hands: events go in, what it did and what it asked can be looked at."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TypeVar

from agent.core import DevicePolicy
from agent.core.events import (
    Answered,
    BeginStep,
    Effect,
    Event,
    Publish,
    StepAdvanced,
    StepEnded,
    Tell,
    TimerFired,
    TimerName,
)
from agent.correlation import Correlation
from agent.device_events import DeviceEvent
from agent.values import Answer, ErrorCode, ExecutionState, Rejected, Request, Status, UpdateAccepted

NOW = 1_700_000_000
T = TypeVar("T")


@dataclass
class Watched(ABC):
    policy: DevicePolicy = field(default_factory=DevicePolicy)
    effects: list[Effect] = field(default_factory=list)
    correlation: Correlation = field(init=False)

    def __post_init__(self) -> None:
        self.correlation = Correlation("t", self.policy.abilities)

    @abstractmethod
    def step(self, event: Event) -> tuple[Effect, ...]:
        """One event into the device's core."""

    def __call__(self, event: Event) -> tuple[Effect, ...]:
        """One event in; what the device does about it, with tokens and nonces as on the wire, which is noted."""
        self.correlation, read = self.correlation.read(event)
        effects: list[Effect] = []
        for effect in self.step(read) if read is not None else ():
            self.correlation, *written = self.correlation.write(effect)
            effects.extend(written)
        self.effects.extend(effects)
        return tuple(effects)

    # ── what it did ───────────────────────────────────────────────────────────────────────────────────────────

    def all(self, kind: type[T]) -> list[T]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def told(self, kind: type[T]) -> list[T]:
        events: list[DeviceEvent] = [effect.event for effect in self.all(Tell)]
        return [event for event in events if isinstance(event, kind)]

    @property
    def requests(self) -> list[Request]:
        return [effect.request for effect in self.all(Publish)]

    @property
    def request(self) -> Request:
        return self.requests[-1]

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────

    def answer(self, answer: Answer) -> tuple[Effect, ...]:
        """The answer to the newest request."""
        return self(Answered(answer._replace(client_token=self.request.client_token)))

    def accept(self, version: int = 3) -> None:
        self.answer(UpdateAccepted(NOW, state=ExecutionState(Status.IN_PROGRESS, version)))

    def refuse(
        self,
        code: ErrorCode = ErrorCode.RESOURCE_NOT_FOUND,
        status: Status | None = None,
        version: int = 9,
        nonce: str = "",
    ) -> None:
        details = (("nonce", nonce),) if nonce else ()
        self.answer(Rejected(NOW, code, state=ExecutionState(status, version, details) if status else None))

    def advance(self, percent: int = 50) -> None:
        self(StepAdvanced(self.all(BeginStep)[-1].index, percent))

    def step_done(self) -> tuple[Effect, ...]:
        return self(StepEnded(self.all(BeginStep)[-1].index, "done"))

    def fire(self, name: TimerName) -> None:
        self(TimerFired(name))
