"""What changed in the service, as frozen records: the store, the trace and the notifications are made from them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from agent.values import Answer, Hint
from simulator.cloud.jobs.records import Job, JobExecution


@dataclass(frozen=True, slots=True)
class ExecutionQueued:
    """A new execution."""

    execution: JobExecution


@dataclass(frozen=True, slots=True)
class ExecutionChanged:
    """An execution's record was replaced; `by` says by whose doing."""

    before: JobExecution
    execution: JobExecution
    by: Literal["device", "service"]


@dataclass(frozen=True, slots=True)
class ExecutionRemoved:
    """An execution's record was deleted."""

    execution: JobExecution


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job was created (`before` is None), changed, or is gone (`job` is None)."""

    before: Job | None
    job: Job | None


Change: TypeAlias = ExecutionQueued | ExecutionChanged | ExecutionRemoved | JobChanged


class Outcome(NamedTuple):
    """What a command did: the answer to a device (None for the control plane), the changes, the hints in order."""

    answer: Answer | None = None
    changes: tuple[Change, ...] = ()
    hints: tuple[tuple[str, Hint], ...] = ()
