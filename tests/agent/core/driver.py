"""A device core in a test's hands: events go in by name, the newest request and the effects can be looked at."""

from dataclasses import dataclass, field, replace

from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import (
    Booted,
    Connected,
    Effect,
    Event,
    Hinted,
    Remember,
    SetTimer,
    StepRestored,
    TimerFired,
    TimerName,
    UndoStep,
)
from agent.core.state import Phase
from agent.values import (
    Execution,
    ExecutionKey,
    ExecutionTold,
    Hint,
    JobDocument,
    NextChanged,
    PendingChanged,
    StartNext,
    Status,
)
from tests.agent.core.watched import NOW, Watched

LEAP = 7
"""The execution's version when the device asks before the leap."""
UPDATE = JobDocument.of({"operation": "update", "version": "2.0"})


def key(job_id: str = "fw", namespace_id: str | None = None, number: int = 1, queued_at: int = NOW) -> ExecutionKey:
    return ExecutionKey(namespace_id, job_id, number, queued_at)


def execution(
    of: ExecutionKey,
    status: Status = Status.IN_PROGRESS,
    version: int = 2,
    document: JobDocument | None = UPDATE,
    details: tuple[tuple[str, str], ...] = (),
) -> Execution:
    return Execution(of, status, version, NOW, document=document, status_details=details)


@dataclass
class Driver(Watched):
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.machine = start(self.policy)

    @property
    def phase(self) -> Phase:
        return self.machine.phase

    def step(self, event: Event) -> tuple[Effect, ...]:
        self.machine, effects = step(self.machine, event)
        return effects

    def timer(self, name: TimerName) -> SetTimer:
        return [timer for timer in self.all(SetTimer) if timer.name == name][-1]

    # ── events, in short ──

    def connect(self) -> None:
        self(Connected())

    def tell(self, told: Execution | None) -> None:
        """Version 2 told to start-next is what it has claimed just now, so that its details stand there."""
        if told is not None and isinstance(self.request, StartNext) and told.version_number == 2:
            told = replace(told, status_details=self.request.status_details or ())
        self.answer(ExecutionTold(NOW, told))

    def hint(self, hint: Hint) -> None:
        """The hint, and the moment of jitter after it."""
        self(Hinted(hint))
        if self.machine.asked is not None and not self.machine.asked.sent:
            self(TimerFired("retry"))

    def list(self, *in_progress: ExecutionKey, namespace_id: str | None = None) -> None:
        executions = tuple(execution(each, document=None) for each in in_progress)
        self.hint(PendingChanged(NOW, namespace_id, executions, ()))

    def head(self, head: ExecutionKey | None, namespace_id: str | None = None) -> None:
        self.hint(NextChanged(NOW, namespace_id, execution(head) if head else None))

    def undone(self, *, ok: bool = True) -> None:
        self(StepRestored(self.all(UndoStep)[-1].index, ok))

    def reboot(self, running: str, *, on_trial: bool = False, rebooted: bool = True) -> None:
        """Everything is forgotten but the record."""
        records = self.all(Remember)
        self.machine = start(self.policy)
        self(Booted(records[-1].record if records else None, running, on_trial, rebooted))

    # ── places to be in ──

    @classmethod
    def working(cls, **policy: object) -> "Driver":
        """In the first step of job fw in the default namespace, at version 2."""
        driver = cls(DevicePolicy(**policy))  # type: ignore[arg-type]  # the tests name the fields
        driver.connect()
        driver.tell(execution(key()))
        return driver

    @classmethod
    def switched(cls, **policy: object) -> "Driver":
        """Download, write and switch done, the reboot into the new firmware under way, at version 5."""
        driver = cls.working(**policy)
        for version in (3, 4, 5):
            driver.step_done()
            driver.accept(version)
        return driver

    @classmethod
    def on_trial(cls, **policy: object) -> "Driver":
        """Rebooted into the new firmware, found the execution alive, in the self-test, at version 6."""
        driver = cls.switched(**policy)
        driver.reboot("2.0", on_trial=True)
        driver.connect()
        driver.tell(execution(key(), version=5, document=None))
        driver.accept(6)
        return driver

    @classmethod
    def before_the_leap(cls, **policy: object) -> "Driver":
        """All reversible steps done, the question before the leap under way, at version LEAP."""
        driver = cls.on_trial(**policy)
        driver.step_done()
        driver.accept(LEAP)
        return driver

    @classmethod
    def reporting(cls, **policy: object) -> "Driver":
        """All steps done, the terminal report under way."""
        driver = cls.before_the_leap(**policy)
        driver.tell(execution(key(), version=LEAP, document=None))
        driver.step_done()
        return driver
