"""What both Greengrass cores and the AWS IoT Device Client have in common, and what each puts in a word of its own.

They work on one job after another; one that comes meanwhile waits. They send an update when they begin and when they
have ended, never in between, and without `expectedVersion`. A report that was not delivered outlives its job: it is
kept, and sent again while the client does other things.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from agent.core.events import SetTimer, TimerName
from agent.core.record import Record, Work
from agent.device_events import OUTCOMES, ExecutionOutcome
from agent.values import Answer, Execution, ExecutionKey, Rejected, Request, Status, Update
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import FieldAgent, Memory

MINUTE: Final = 1.2
"""Seconds: a scenario takes seconds where clients take minutes, so their own times are a fiftieth."""
COUNTED: Final = 11
"""Attempts; from there on no client waits any longer, so that more make no difference."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A report that was sent `attempts` times without success, or more often than is `COUNTED`."""

    work: Work
    status: Status
    attempts: int


@dataclass(frozen=True, slots=True)
class ClientMemory(Memory):
    """`waiting` are the jobs that came while another was in hand; `seeks`: ask once the report is answered."""

    waiting: tuple[Execution, ...] = ()
    undelivered: Undelivered | None = None
    seeks: bool = False


C = TypeVar("C", bound=ClientMemory)


class FieldClient(FieldAgent[C], ABC):
    """One job after another, and a report that outlives its job."""

    reports_progress = False

    # ── what each client decides for itself ───────────────────────────────────────────────────────────────────

    @abstractmethod
    def is_settled(self, answer: Answer) -> bool:
        """Whether this answer to a report is the last word on it."""

    def on_kept(self, kept: Undelivered) -> None:
        """A report was not delivered: when to send it again."""

    def on_connected(self) -> None:
        """Ask for the head; the status that is kept goes when that is answered."""
        self.set(seeks=False)
        self.ask(self.question_for_work())

    # ── jobs that wait ────────────────────────────────────────────────────────────────────────────────────────

    def offer(self, execution: Execution) -> None:
        """Begin, or let it wait for the one in hand."""
        if self.state.work is None:
            self.take(execution)
        else:
            self.set(waiting=(*self.state.waiting, execution))

    def seek(self) -> None:
        """Ask for the head of the queue, but let the answer to a report come first."""
        if self.state.status is not None and self.state.asked is not None:
            self.set(seeks=True)
        else:
            self.set(seeks=False)
            self.ask(self.question_for_work())

    def ask(self, question: Request, about: ExecutionKey | None = None, attempt: int = 1) -> None:
        """A report takes the place of the question for work, which is put again after it."""
        asked = self.state.asked
        if asked is not None and isinstance(question, Update) and not isinstance(asked.question, Update):
            self.set(seeks=True)
        FieldAgent.ask(self, question, about, attempt)

    def on_progress_answered(self, work: Work, answer: Answer) -> None:
        """Whatever it says, go on; and ask what could not be asked before."""
        if self.state.seeks:
            self.seek()

    def leave(self, outcome: ExecutionOutcome) -> None:
        """Be done with the work in hand; what comes next waits already, or will be announced."""
        self.forget(outcome)
        if self.state.waiting:
            first, *others = self.state.waiting
            self.set(waiting=tuple(others))
            self.take(first)
        elif self.state.seeks:
            self.seek()

    # ── reports that were not delivered ───────────────────────────────────────────────────────────────────────

    def on_update_answered(self, asked: Question, answer: Answer) -> None:
        """A report of an earlier job may be among those that are answered."""
        kept = self.state.undelivered
        if kept is None or not _is(asked, kept.work, kept.status):
            FieldAgent.on_update_answered(self, asked, answer)
        elif self.is_settled(answer):
            self.set(undelivered=None)
        else:
            self.on_kept(kept)

    def on_report_answered(self, work: Work, answer: Answer) -> None:
        """Be done with it, and keep the report if this was not the last word."""
        status = self.state.status
        assert status is not None, "a report has a status"
        if not self.is_settled(answer):
            self._keep(work, status)
        self.leave(OUTCOMES[status])

    def on_refused_for_now(self, asked: Question, answer: Rejected) -> None:
        """Nothing else than any other refusal, to these clients."""
        self.settle(asked, answer)

    def on_lost(self, asked: Question) -> None:
        """A report without an answer is kept; everything else is given up."""
        self.drop_question()
        work, status, kept = self.state.work, self.state.status, self.state.undelivered
        if kept is not None and _is(asked, kept.work, kept.status):
            self.on_kept(kept)
        elif work is not None and status is not None and _is(asked, work, status):
            self._keep(work, status)
            self.leave(OUTCOMES[status])

    def resend(self) -> None:
        """Send the report that was not delivered again, unless something else is on its way."""
        kept = self.state.undelivered
        if kept is not None and self.state.asked is None and self.state.connected:
            kept = replace(kept, attempts=min(kept.attempts + 1, COUNTED))
            self.set(undelivered=kept)
            self.ask(self.update_of(kept.work, kept.status), kept.work.key, kept.attempts)

    def again_in(self, seconds: float) -> None:
        """Send it again after so long."""
        self.do(SetTimer("poll", seconds))

    def on_timer(self, name: TimerName) -> None:
        """Time to send it again; if something else is on its way, a moment later."""
        if name == "poll" and self.state.undelivered is not None:
            if self.state.asked is None and self.state.connected:
                self.resend()
            else:
                self.again_in(MINUTE / 60)

    def record(self) -> Record:
        """A report that was not delivered is on record, as long as no other work is."""
        kept = self.state.undelivered
        if self.state.work is not None or kept is None:
            return FieldAgent.record(self)
        work = replace(kept.work, version_number=0)
        return Record(work, "reporting", status=kept.status)

    def _keep(self, work: Work, status: Status) -> None:
        kept = Undelivered(work, status, 1)
        self.set(undelivered=kept)
        self.on_kept(kept)


def _is(asked: Question, work: Work, status: Status) -> bool:
    return isinstance(asked.question, Update) and asked.about == work.key and asked.question.status is status
