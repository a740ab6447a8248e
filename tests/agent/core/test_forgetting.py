"""What may not be done twice is not done twice, wherever an agent forgets what it did: killed, and its journal lost.

The device core talks to the real jobs core. Before each of its deeds in turn, a message or the beginning of a step, it
is killed, and the next life begins with nothing on record, or with an older record than the newest.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import pytest

from agent.abilities import ALL_ACTIONS, Abilities
from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import (
    Answered,
    BeginStep,
    Booted,
    CancelTimer,
    Connected,
    Event,
    Publish,
    Remember,
    SetTimer,
    StepEnded,
    StepRestored,
    TimerFired,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.values import JobDocument, Status
from simulator.cloud.jobs import JobExecution, Jobs, JobsSettings, NewJob
from simulator.cloud.jobs.commands import CreateJob

PLUG_INS: Final = (("calibrate", False), ("warm-up", True))
ABILITIES: Final = Abilities(actions=ALL_ACTIONS | {name for name, _ in PLUG_INS}, plug_ins=PLUG_INS)
RUN: Final = JobDocument.of({"operation": "run", "command": ["x"]})
DOCUMENTS: Final = {
    "a program": RUN,
    "a reboot": JobDocument.of({"operation": "reboot"}),
    "a configuration": JobDocument.of({"operation": "configure", "to": "net.conf", "content": "a"}),
    "a plug-in that cannot be undone": JobDocument.of({"operation": "calibrate"}),
    "many": JobDocument.of(
        {
            "version": "1.0",
            "steps": [
                {"action": {"name": name, "type": "runHandler", "input": {"handler": handler, "args": args}}}
                for name, handler, args in (
                    ("fetch", "download-file.sh", ["https://files.example/a", "a"]),
                    ("warm up", "warm-up", []),
                    ("first", "first.sh", []),
                    ("restart", "reboot.sh", []),
                    ("second", "second.sh", []),
                )
            ],
        }
    ),
}
Reports: TypeAlias = Literal["progress", "steps", "end"]
REPORTS: Final[tuple[Reports, ...]] = get_args(Reports)


class KilledError(Exception):
    """The life ends here."""


@dataclass
class Lives:
    """One device over all its lives, and the service. `begun` are the steps that it ever began, in order."""

    document: JobDocument
    namespace_id: str | None
    reports: Reports
    begun: list[BeginStep] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    lives: int = 0
    deeds: int = 0
    _machine: Correlated[Machine] = field(init=False)
    _events: list[Event] = field(default_factory=list)
    _timers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = Jobs(JobsSettings())
        self.jobs.do(CreateJob(NewJob("fw", ("dev",), self.document, namespace_id=self.namespace_id)), 1.0)

    @property
    def execution(self) -> JobExecution:
        return self.jobs.executions_of_job("fw")[0]

    def live(self, record: Record | None, deeds: int = 1000) -> None:
        """One life that begins with `record`, and ends before it has done so many deeds, or at rest."""
        self.lives, self.deeds, self.records = self.lives + 1, 0, [record] if record is not None else []
        policy = DevicePolicy(self.namespace_id, self.reports, abilities=ABILITIES)
        self._machine = Correlated(start(policy), Correlation(f"life-{self.lives}-", ABILITIES))
        self._timers = []
        self._events = [Booted(record, "1.0"), Connected()]
        try:
            while not self.execution.status.is_terminal or self._events:
                self._turn(deeds)
        except KilledError:
            pass

    def _turn(self, deeds: int) -> None:
        if not self._events:
            self._events.append(TimerFired(self._timers.pop(0)))  # type: ignore[arg-type]  # it was set
        self._machine, effects = correlated(step)(self._machine, self._events.pop(0))
        for effect in effects:
            match effect:
                case Publish(request=request):
                    self._deed(deeds)
                    answer = self.jobs.device_request("dev", request, 1.0 + self.lives).answer
                    assert answer is not None
                    self._events.append(Answered(answer))
                case BeginStep():
                    self._deed(deeds)
                    self.begun.append(effect)
                    if effect.step.action == "reboot":
                        raise KilledError
                    self._events.append(StepEnded(effect.index, "done"))
                case UndoStep(index=index):
                    self._events.append(StepRestored(index, True))
                case Verify():
                    self._events.append(Verified(True))
                case Remember(record=record):
                    self.records.append(record)
                case SetTimer(name="retry" | "ask-again" as name):
                    self._timers.append(name)
                case CancelTimer(name=name) if name in self._timers:
                    self._timers.remove(name)
                case _:
                    pass

    def _deed(self, deeds: int) -> None:
        if self.deeds == deeds:
            raise KilledError
        self.deeds += 1

    def to_the_end(self, record: Record | None) -> None:
        """Live on, with what is on record, until the execution has ended."""
        for _ in range(5):
            self.live(record)
            if self.execution.status.is_terminal:
                return
            record = self.records[-1] if self.records else None
        raise AssertionError(f"after {self.lives} lives, {self.execution} has not ended: {self.begun}")

    def repeated(self) -> list[str]:
        """The irreversible steps that were begun more than once."""
        counts = Counter(begun.step.name for begun in self.begun if not begun.step.reversible)
        return [name for name, count in counts.items() if count > 1]


@dataclass(frozen=True)
class Case:
    """What the lives have in common."""

    document: JobDocument
    namespace_id: str | None
    reports: Reports

    def killed(self, earlier: int, deeds: int) -> Lives:
        """A device that was killed before its nth deed of this life, after so many that ended with a reboot."""
        lives, record = Lives(self.document, self.namespace_id, self.reports), None
        for _ in range(earlier):
            lives.live(record)
            record = lives.records[-1]
        lives.live(record, deeds)
        return lives

    def deaths(self) -> Iterator[tuple[int, int]]:
        """In which life, and before which of its deeds, a device can be killed."""
        lives, record = Lives(self.document, self.namespace_id, self.reports), None
        while not lives.execution.status.is_terminal:
            lives.live(record)
            record = lives.records[-1]
            yield from ((lives.lives - 1, deeds) for deeds in range(lives.deeds))


CASES: Final = [
    pytest.param(Case(document, namespace_id, reports), id=f"{name}, {namespace_id or 'default'}, {reports}")
    for name, document in DOCUMENTS.items()
    for namespace_id in (None, "lab")
    for reports in REPORTS
]


@pytest.mark.parametrize("case", CASES)
def test_whoever_forgets_everything_begins_nothing_again_that_cannot_be_undone(case: Case):
    ends = set()
    for death in case.deaths():
        lives = case.killed(*death)
        lives.to_the_end(None)
        assert lives.repeated() == []
        ends.add(lives.execution.status)
        if lives.execution.status is Status.FAILED:
            assert "not done twice" in dict(lives.execution.status_details)["reason"]
    assert ends == {Status.SUCCEEDED, Status.FAILED}


@pytest.mark.parametrize("case", CASES)
def test_whoever_finds_an_older_record_runs_no_program_twice(case: Case):
    for death in case.deaths():
        for age in range(len(case.killed(*death).records)):
            lives = case.killed(*death)
            lives.to_the_end(lives.records[age])
            programs = {begun.step.name for begun in lives.begun if begun.step.action == "run"}
            assert programs.isdisjoint(lives.repeated())
