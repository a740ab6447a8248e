"""What anybody was told, and so must be true after a death: answers, notifications and lists, word for word.

What was asked and not answered may have happened or not; the next cloud's word on it is taken down as told.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.store_kills.facts import Fact

Details = dict[str, str]


@dataclass(slots=True)
class Execution:
    """What was told of one execution. `asked`: changes that were asked for and not answered.

    `status` and `details` are those at `version`; None if nobody said.
    """

    version: int = 0
    status: str | None = None
    details: Details | None = None
    asked: int = 0
    delete_asked: bool = False
    is_deleted: bool = False


@dataclass(slots=True)
class Job:
    """What was told of one job."""

    document: str
    things: tuple[str, ...]
    number: int
    is_there: bool = False
    cancel_asked: bool = False
    is_cancelled: bool = False
    delete_asked: bool = False
    is_deleted: bool = False
    is_gone: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)

    @property
    def is_untouched(self) -> bool:
        """Whether it is there for sure, and nobody asked to have it deleted."""
        return self.is_there and not self.delete_asked


@dataclass(slots=True)
class Ledger:
    """Everything told about one file."""

    jobs: dict[str, Job] = field(default_factory=dict)
    things: set[str] = field(default_factory=set)
    answers: int = 0
    refusals: list[str] = field(default_factory=list)
    """What was said instead of an answer when nothing could be kept any more."""
    mail_acknowledged: set[int] = field(default_factory=set)
    mail_read: set[int] = field(default_factory=set)
    has_mailbox: bool = False
    """Whether the session that mail goes to was promised to last."""
    facts: dict[str, Fact] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)
    """By thing: requests for the next job that were not answered. Any job may have been begun by them."""
    _numbers: "count[int]" = field(default_factory=count)

    def next_number(self) -> int:
        """For ids, and for the order in which jobs were created."""
        return next(self._numbers)

    def told(self, thing: str, job_id: str, version: int, status: str | None, details: Details | None) -> None:
        """Somebody was told that an execution stands so."""
        job = self.jobs[job_id]
        job.is_there = True
        execution = job.executions.setdefault(thing, Execution())
        if version > execution.version:
            execution.version, execution.status, execution.details = version, status, details
        elif version == execution.version:
            execution.status = status if status is not None else execution.status
            execution.details = details if details is not None else execution.details

    def told_list(self, thing: str, lists: dict[str, list[dict[str, Any]]]) -> None:
        """Somebody was told what is pending, by status."""
        for status, summaries in lists.items():
            for summary in summaries:
                self.told(thing, summary["jobId"], summary["versionNumber"], status, None)

    def told_execution(self, thing: str, execution: dict[str, Any] | None) -> None:
        """Somebody was told of one execution; None if there was none."""
        if execution is not None:
            details = execution.get("statusDetails", {})
            self.told(thing, execution["jobId"], execution["versionNumber"], execution["status"], details)
