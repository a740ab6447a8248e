"""A device of the field in a test's hands: events go in by name, what it asks and tells can be looked at."""

from dataclasses import dataclass, field
from typing import Any

from agent.core.events import (
    BeginStep,
    Booted,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    Remember,
    SetTimer,
    StepEnded,
    StepRestored,
    TimerName,
    UndoStep,
)
from agent.device_events import ExecutionLeft
from agent.values import (
    Execution,
    ExecutionKey,
    ExecutionTold,
    NextChanged,
    PendingChanged,
    Status,
)
from simulator.devices.models.model import Model
from tests.agent.core.driver import execution, key
from tests.agent.core.watched import NOW, Watched

FW, OTHER = key(), key("other", queued_at=NOW + 1)


@dataclass
class Hands(Watched):
    """The device, connected and booted with nothing in hand."""

    model: Model = field(kw_only=True)
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.state = self.model.start(self.policy)
        self(Booted())
        self(Connected())

    def step(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = self.model.step(self.state, event)
        hash(self.state)
        return effects

    # ── what it did ───────────────────────────────────────────────────────────────────────────────────────────

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

    def tell(self, of: ExecutionKey | None, status: Status = Status.IN_PROGRESS, version: int = 2) -> None:
        self.answer(ExecutionTold(NOW, None if of is None else execution(of, status, version)))

    def list(self, *in_progress: ExecutionKey, queued: tuple[ExecutionKey, ...] = ()) -> None:
        shown = tuple(execution(each, document=None) for each in in_progress)
        rest = tuple(execution(each, Status.QUEUED, 1, document=None) for each in queued)
        self(Hinted(PendingChanged(NOW, self.policy.namespace_id, shown, rest)))

    def head(self, of: ExecutionKey | None, status: Status = Status.QUEUED) -> None:
        head = None if of is None else execution(of, status, 1)
        self(Hinted(NextChanged(NOW, self.policy.namespace_id, head)))

    def announce(self, head: Execution) -> None:
        self(Hinted(NextChanged(NOW, self.policy.namespace_id, head)))

    def step_failed(self, reason: str) -> None:
        self(StepEnded(self.all(BeginStep)[-1].index, "failed", reason))

    def step_stopped(self) -> None:
        self(StepEnded(self.all(BeginStep)[-1].index, "stopped"))

    def restore_all(self) -> None:
        """The hardware takes back whatever it is asked to."""
        while isinstance(last := self.effects[-1], UndoStep):
            self(StepRestored(last.index, True))

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
