"""A whole account for tests: jobs on things, commands a second apart, and time that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.values import Answer, Describe, Hint, JobDocument, NextChanged, PendingChanged, Request, Status, Update
from simulator.cloud.jobs import Event, Jobs, JobsSettings, JobStatus, NewJob, Outcome
from simulator.cloud.jobs.commands import CancelJob, CreateJob, DeleteJob

DOCUMENT = JobDocument.of({"operation": "update"})
ALL_EVENTS = frozenset({"JOB", "JOB_EXECUTION"})


@dataclass
class Account:
    """`heard` and `events` are what was told since they were taken last."""

    settings: JobsSettings = field(
        default_factory=lambda: JobsSettings(
            deletion_seconds=0, deletion_seconds_per_execution=0, documented_notify="none"
        )
    )
    now: float = 1_000_000.0
    heard: list[tuple[str, Hint]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.settings)
        self.jobs.event_kinds = ALL_EVENTS

    def did(self, outcome: Outcome) -> Outcome:
        self.outcomes.append(outcome)
        self.heard += outcome.hints
        self.events += outcome.events
        return outcome

    def create(self, job_id: str, *things: str, **more: Any) -> "Account":
        self.now += 1
        self.did(self.jobs.do(CreateJob(NewJob(job_id, things, DOCUMENT, **more)), self.now))
        return self

    def ask(self, thing: str, request: Request) -> Answer:
        self.now += 1
        answer = self.did(self.jobs.device_request(thing, request, self.now)).answer
        assert answer is not None
        return answer

    def update(self, thing: str, job_id: str, status: Status = Status.IN_PROGRESS, **more: Any) -> Answer:
        return self.ask(thing, Update(job_id, status, **more))

    def delete(self, job_id: str, *, force: bool = True, **more: Any) -> None:
        self.now += 1
        self.did(self.jobs.do(DeleteJob(job_id, force, **more), self.now))

    def cancel(self, job_id: str, *, force: bool = False) -> None:
        self.now += 1
        self.did(self.jobs.do(CancelJob(job_id, force=force), self.now))

    def later(self, seconds: float, at_most: int | None = None) -> "Account":
        """Move time; what falls due on the way is done when it does."""
        end = self.now + seconds
        while (due := self.jobs.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.did(self.jobs.tick(self.now, at_most))
        self.now = end
        return self

    def left_to_tick(self, at_most: int) -> int:
        """Go on with what is under way, so much at a time: how many times that took."""
        times = 0
        while (due := self.jobs.next_due()) is not None and due <= self.now:
            self.did(self.jobs.tick(self.now, at_most))
            times += 1
        return times

    def statuses(self, job_id: str) -> dict[str, str]:
        """The status of each thing's latest execution."""
        return {each.thing: each.status.value for each in self.jobs.executions_of_job(job_id)}

    def status(self, job_id: str) -> JobStatus:
        return self.jobs.job(job_id).status

    def told(self, thing: str) -> list[str]:
        """What a thing heard, in short."""
        return [_short(hint) for name, hint in self.heard if name == thing]

    def taken(self) -> list[str]:
        """The operations of the events since they were taken last."""
        events, self.events = self.events, []
        return [event.operation for event in events]

    def seconds_left(self, thing: str, job_id: str) -> int | None:
        answer = self.ask(thing, Describe(job_id))
        return answer.execution.approximate_seconds_before_timed_out  # type: ignore[union-attr]  # it is told


def _short(hint: Hint) -> str:
    match hint:
        case PendingChanged():
            return f"notify [{' '.join(key.job_id for key in hint.listed)}]"
        case NextChanged(execution=None):
            return "next -"
        case NextChanged(execution=execution):
            return f"next {execution.key.job_id}#{execution.key.execution_number}"  # type: ignore[union-attr]
        case _:
            return "mentioned"


def names(count: int, prefix: str = "t") -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(count))


def numbers(account: Account, job_id: str, thing: str) -> Sequence[int]:
    """The execution numbers of a job on a thing, oldest first."""
    found = account.jobs.executions_of_job(job_id)
    return [each.key.execution_number for each in found if each.thing == thing]
