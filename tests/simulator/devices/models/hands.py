"""A device of the field in a test's hands: events go in by name, what it asks and tells can be looked at."""

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from agent.account import DeviceEvent, ExecutionLeft
from agent.core import Policy
from agent.core.events import (
    Answered,
    BeginStep,
    Booted,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    Publish,
    Remember,
    SetTimer,
    StepAdvanced,
    StepEnded,
    StepRestored,
    Tell,
    TimerFired,
    TimerName,
    UndoStep,
)
from agent.values import (
    Answer,
    ErrorCode,
    Execution,
    ExecutionKey,
    ExecutionState,
    ExecutionTold,
    NextChanged,
    PendingChanged,
    Rejected,
    Request,
    Status,
    UpdateAccepted,
)
from simulator.devices.models.model import Model
from tests.agent.core.driver import NOW, execution, key

T = TypeVar("T")
FW, OTHER = key(), key("other", queued_at=NOW + 1)


@dataclass
class Hands:
    """The device, connected and booted with nothing in hand."""

    model: Model
    policy: Policy = field(default_factory=Policy)
    effects: list[Effect] = field(default_factory=list)
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.model.start(self.policy)
        self(Booted())
        self(Connected())

    def __call__(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = self.model.step(self.state, event)
        hash(self.state)
        self.effects.extend(effects)
        return effects

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

    @property
    def begun(self) -> list[str]:
        return [effect.step.name for effect in self.all(BeginStep)]

    @property
    def undone(self) -> list[str]:
        return [effect.step.name for effect in self.all(UndoStep)]

    @property
    def outcomes(self) -> list[tuple[ExecutionKey, str]]:
        return [(left.execution, left.outcome) for left in self.told(ExecutionLeft)]

    def timers(self, name: TimerName) -> list[SetTimer]:
        return [timer for timer in self.all(SetTimer) if timer.name == name]

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────

    def answer(self, answer: Answer) -> None:
        self(Answered(replace(answer, client_token=self.request.client_token)))

    def tell(self, of: ExecutionKey | None, status: Status = Status.IN_PROGRESS, version: int = 2) -> None:
        self.answer(ExecutionTold(NOW, None if of is None else execution(of, status, version)))

    def accept(self, version: int = 3) -> None:
        self.answer(UpdateAccepted(NOW, state=ExecutionState(Status.IN_PROGRESS, version)))

    def refuse(self, code: ErrorCode = ErrorCode.RESOURCE_NOT_FOUND, status: Status | None = None) -> None:
        self.answer(Rejected(NOW, code, state=ExecutionState(status, 9) if status else None))

    def list(self, *in_progress: ExecutionKey, queued: tuple[ExecutionKey, ...] = ()) -> None:
        shown = tuple(execution(each, document=None) for each in in_progress)
        rest = tuple(execution(each, Status.QUEUED, 1, document=None) for each in queued)
        self(Hinted(PendingChanged(NOW, self.policy.namespace_id, shown, rest)))

    def head(self, of: ExecutionKey | None, status: Status = Status.QUEUED) -> None:
        head = None if of is None else execution(of, status, 1)
        self(Hinted(NextChanged(NOW, self.policy.namespace_id, head)))

    def announce(self, head: Execution) -> None:
        self(Hinted(NextChanged(NOW, self.policy.namespace_id, head)))

    def advance(self, percent: int = 50) -> None:
        self(StepAdvanced(self.all(BeginStep)[-1].index, percent))

    def step_done(self) -> None:
        self(StepEnded(self.all(BeginStep)[-1].index, "done"))

    def step_failed(self, reason: str) -> None:
        self(StepEnded(self.all(BeginStep)[-1].index, "failed", reason))

    def step_stopped(self) -> None:
        self(StepEnded(self.all(BeginStep)[-1].index, "stopped"))

    def restore_all(self) -> None:
        """The hardware takes back whatever it is asked to."""
        while isinstance(last := self.effects[-1], UndoStep):
            self(StepRestored(last.index, True))

    def fire(self, name: TimerName) -> None:
        self(TimerFired(name))

    def reconnect(self) -> None:
        self(Disconnected())
        self(Connected())

    def reboot(self, running: str = "1.0", *, on_trial: bool = False) -> None:
        """Everything is forgotten but the record."""
        records = self.all(Remember)
        self.state = self.model.start(self.policy)
        self(Booted(records[-1].record if records else None, running, on_trial))

    def to_trial(self) -> None:
        """Through download, write, switch and reboot, into version 2.0 on trial, and on line again."""
        while self.begun[-1:] != ["reboot"]:
            self.step_done()
        self.reboot("2.0", on_trial=True)
        self(Connected())
