"""What changed in the service: the store, the trace and the notifications are made from this.

Every record is replaced whole, so that whoever keeps the last state of each, by its key, can begin again from there
(see `Jobs.restored`). An execution's key is its thing, job id and execution number; a job's is its job id.

Changes are tuples, as are all values that live for one request: making one costs a third of a frozen dataclass.
"""

from typing import Literal, NamedTuple, TypeAlias

from agent.values import Answer, Hint
from simulator.cloud.jobs.events import Event
from simulator.cloud.jobs.records import Job, JobExecution, ThingNews


class ExecutionQueued(NamedTuple):
    """A new execution."""

    execution: JobExecution


class ExecutionChanged(NamedTuple):
    """An execution's record was replaced; `by` says by whose doing."""

    before: JobExecution
    execution: JobExecution
    by: Literal["device", "service"]


class ExecutionRemoved(NamedTuple):
    """An execution's record was deleted."""

    execution: JobExecution


class JobChanged(NamedTuple):
    """A job was created (`before` is None), changed, or is gone (`job` is None)."""

    before: Job | None
    job: Job | None


class NewsChanged(NamedTuple):
    """What of a thing its jobs are still to learn is `told`; nothing any more, if it is empty."""

    before: ThingNews
    told: ThingNews


Change: TypeAlias = ExecutionQueued | ExecutionChanged | ExecutionRemoved | JobChanged | NewsChanged


class TransactionFailed(NamedTuple):
    """What was due for a job, or its execution on `thing`, or a `thing` whose jobs learn of it (`job_id` is None), came
    to a fault of ours and was undone; it is tried again.
    """

    job_id: str | None
    thing: str | None
    error: Exception
    pause_seconds: float
    """How long after."""


class Outcome(NamedTuple):
    """What a command did: the answer to a device (None for the control plane), the changes, the hints in order.

    `events` are those of the kinds that are switched on, each after as many of the hints as it says. `failures` are
    of transactions that are none of it.
    """

    answer: Answer | None = None
    changes: tuple[Change, ...] = ()
    hints: tuple[tuple[str, Hint], ...] = ()
    events: tuple[Event, ...] = ()
    failures: tuple[TransactionFailed, ...] = ()


def in_one(outcomes: list[Outcome], failures: tuple[TransactionFailed, ...]) -> Outcome:
    """What several transactions did, one after the other."""
    if len(outcomes) == 1:
        return outcomes[0]._replace(failures=failures) if failures else outcomes[0]
    changes, hints, events = list[Change](), list[tuple[str, Hint]](), list[Event]()
    for outcome in outcomes:
        events += (event._replace(after_hints=event.after_hints + len(hints)) for event in outcome.events)
        changes += outcome.changes
        hints += outcome.hints
    return Outcome(None, tuple(changes), tuple(hints), tuple(events), failures)
