"""A device's core taken through all that can happen to it in a small world: one job of a few steps, one of each answer.

Breadth first, from state to state, restarts with each record that was written among them.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from agent.abilities import ALL_ACTIONS, Abilities
from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import (
    Answered,
    Booted,
    Connected,
    Disconnected,
    Effect,
    Event,
    Hinted,
    JournalFailed,
    Remember,
    StepAdvanced,
    StepEnded,
    StepRestored,
    TimerFired,
    Unreadable,
    Verified,
)
from agent.core.marks import OTHER, OURS, REPORTS
from agent.core.record import Record
from agent.core.state import Phase
from agent.core.table import Happening, row_for
from agent.documents import plan_of
from agent.plan import Planned
from agent.values import (
    Answer,
    ErrorCode,
    ExecutionState,
    ExecutionTold,
    JobDocument,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    Status,
    StatusDetails,
    UpdateAccepted,
)
from tests.agent.core.driver import NOW, execution, key

Edge: TypeAlias = tuple[type[Phase], Happening, type[Phase]]

ABILITIES: Final = Abilities(actions=ALL_ACTIONS)
STEPS: Final = (("fetch", "download-file.sh", ["https://files.example/a", "a"]), ("go", "go.sh", []))
DOCUMENT: Final = JobDocument.of(
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": name, "type": "runHandler", "input": {"handler": handler, "args": args}}}
            for name, handler, args in STEPS
        ],
    }
)
NOBODYS: Final = JobDocument.of({"operation": "nobody knows"})


@dataclass
class SmallWorld:
    """`edges` are the transitions that were taken."""

    policy: DevicePolicy
    edges: set[Edge] = field(default_factory=set)
    _seen: set[Machine] = field(default_factory=set)
    _records: set[Record] = field(default_factory=set)
    _to_do: deque[Machine] = field(default_factory=deque)

    def explore(self, states: int) -> "SmallWorld":
        """Visit so many states."""
        self.visit(start(self.policy), Booted())
        events = list(self._events())
        while self._to_do and len(self._seen) < states:
            machine = self._to_do.popleft()
            for event in events:
                self.visit(machine, event)
        return self

    def visit(self, machine: Machine, event: Event) -> None:
        """Take one transition."""
        after, effects = step(machine, event)
        self.edges.add(edge(machine.phase, event, after.phase))
        if after not in self._seen:
            self._seen.add(after)
            self._to_do.append(after)
        for record in _written(effects):
            if record not in self._records:
                self._records.add(record)
                self.visit(start(self.policy), Booted(record))

    # ── what can happen ───────────────────────────────────────────────────────────────────────────────────────

    def _events(self) -> list[Event]:
        names = ("request", "retry", "ask-again", "poll", "step", "leap")
        outcomes = ("done", "failed", "stale", "stopped", "refused")
        return [
            Connected(),
            Disconnected(),
            *(Answered(each, _planned(each)) for each in self._answers()),
            *self._hints(),
            *(TimerFired(name) for name in names),
            StepAdvanced(0, 50),
            *(StepEnded(index, outcome) for index in (0, 1) for outcome in outcomes),
            *(StepRestored(index, ok) for index in (0, 1) for ok in (True, False)),
            *(Verified(ok) for ok in (True, False)),
            *(JournalFailed("full", withheld) for withheld in (True, False)),
            Unreadable("describe", "torn"),
            Unreadable("describe", "torn", listed=(execution(key(namespace_id=self.policy.namespace_id)),)),
        ]

    def _hints(self) -> list[Event]:
        ns = self.policy.namespace_id
        ours = execution(key(namespace_id=ns))
        return [
            Hinted(PendingChanged(NOW, ns, (), ())),
            Hinted(PendingChanged(NOW, ns, (ours,), ())),
            Hinted(NextChanged(NOW, ns, None)),
        ]

    def _answers(self) -> list[Answer]:
        ns = self.policy.namespace_id
        ours, other = key(namespace_id=ns), key("other", namespace_id=ns)
        marked: list[StatusDetails] = [(("nonce", OURS),), (("nonce", OTHER),), (("nonce", OURS), ("step", "go"))]
        told = [
            *(execution(ours, status, 2, DOCUMENT) for status in (*Status, Status.QUEUED)),
            *(execution(ours, Status.IN_PROGRESS, 2, DOCUMENT, details) for details in marked),
            execution(ours, Status.QUEUED, 2, NOBODYS),
            execution(other, Status.QUEUED, 2, DOCUMENT),
        ]
        refusals: list[tuple[Status, StatusDetails]] = [
            (Status.CANCELED, ()),
            (Status.SUCCEEDED, ()),
            (Status.SUCCEEDED, (("nonce", REPORTS[0]),)),
            (Status.IN_PROGRESS, marked[0]),
        ]
        return [
            ExecutionTold(NOW, None),
            *(ExecutionTold(NOW, each) for each in told),
            PendingListed(NOW, (), ()),
            PendingListed(NOW, (), (execution(ours, Status.QUEUED, 1, None),)),
            UpdateAccepted(NOW, state=ExecutionState(Status.IN_PROGRESS, 2)),
            *(Rejected(NOW, code) for code in ErrorCode),
            *(
                Rejected(NOW, ErrorCode.VERSION_MISMATCH, state=ExecutionState(status, 2, details))
                for status, details in refusals
            ),
        ]


def edge(phase: Phase, event: Event, after: Phase) -> Edge:
    """A transition, as the table has it."""
    return type(phase), row_for(phase, event).event, type(after)


def _planned(answer: Answer) -> Planned:
    told = answer.execution if isinstance(answer, ExecutionTold) else None
    return plan_of(told.document if told is not None else None, ABILITIES)


def _written(effects: tuple[Effect, ...]) -> list[Record]:
    return [effect.record for effect in effects if isinstance(effect, Remember)]
