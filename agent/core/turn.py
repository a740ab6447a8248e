"""One turn of the device core: the machine as it stands, and the effects so far.

`step` is a pure function; inside it the rules would drown in passing state and effects from hand to hand. A Turn
carries both, lives for one event, and is thrown away. It also owns the one thing that all rules share: asking.
A question is put, put again after a time-out or a passing refusal (each time later, with jitter), and superseded by
the next question. Only the first answer to the newest attempt counts.
"""

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from agent.core.events import CancelTimer, Effect, Publish, SetTimer, Tell, TimerName, Unreadable
from agent.core.marks import OURS, new_report
from agent.core.record import Work
from agent.core.state import (
    DevicePolicy,
    Machine,
    OpenQuestion,
    Phase,
    Reporting,
    Suspect,
    execution_in_hand,
    phase_name,
)
from agent.device_events import AnswerUnreadable, DeviceEvent, PhaseChanged, answer_received
from agent.plan import MISSING, Planned
from agent.recovery import Reached
from agent.values import (
    Answer,
    Describe,
    ExecutionKey,
    Rejected,
    Request,
    StartNext,
    Status,
    StatusDetails,
    Update,
    details_text,
)

Wait: TypeAlias = tuple[float, float]
"""So many seconds, and a random part of so many more."""
NOW: Final[Wait] = (0.0, 0.0)


@dataclass(slots=True)
class Turn:
    """The machine during one event."""

    machine: Machine
    effects: list[Effect] = field(default_factory=list)
    answered: bool = False
    """Whether an answer is what this turn deals with."""
    planned: Planned = MISSING
    """What the document that came with it asks of this device."""

    @property
    def policy(self) -> DevicePolicy:
        """The device's numbers and choices."""
        return self.machine.policy

    def to(self, phase: Phase, why: str) -> None:
        """Enter `phase`; told only if it has another name or another execution in hand."""
        was, self.machine = self.machine.phase, replace(self.machine, phase=phase)
        key, name, old_name = execution_in_hand(phase), phase_name(phase), phase_name(was)
        if old_name != name or execution_in_hand(was) != key:
            self.tell(PhaseChanged(name, old_name, why, key))

    def suspect(self, phase: Suspect, why: str) -> None:
        """Doubt that the execution lives; on new firmware that is not committed, for a limited time only."""
        self.to(phase, why)
        if phase.work.reached is Reached.TRIAL:
            self.timer("leap", self.policy.leap_deadline)

    def tell(self, event: DeviceEvent) -> None:
        """Log and trace `event`."""
        self.effects.append(Tell(event))

    def tell_learned(self, event: DeviceEvent) -> None:
        """Log and trace what was learned from the answer at hand."""
        self.effects.append(Tell(event, from_answer=self.answered))

    def do(self, *effects: Effect) -> None:
        """Let the shell perform `effects`, in order."""
        self.effects.extend(effects)

    def timer(self, name: TimerName, after_seconds: float, spread_seconds: float = 0.0) -> None:
        """Set a timer, or set it anew."""
        self.effects.append(SetTimer(name, after_seconds, spread_seconds))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, question: Request, about: ExecutionKey | None, wait: Wait = NOW) -> None:
        """Put `question`, now or after a wait.

        It supersedes the open question. While disconnected it waits; whoever comes back on line asks anew.
        """
        self.forget_question()
        self.machine = replace(self.machine, asked=OpenQuestion(question, about))
        if wait == NOW:
            self.send()
        else:
            self.timer("retry", *wait)

    def send(self) -> None:
        """Send the open question's next attempt, unless disconnected."""
        asked = self.machine.asked
        if asked is None or not self.machine.connected:
            return
        self.machine = replace(self.machine, asked=replace(asked, sent=True))
        self.do(Publish(asked.question, asked.about, None if asked.waits else 1))
        self.timer("request", self.policy.request_timeout)

    def ask_later(self) -> None:
        """The last attempt brought no usable answer: try again, later each time."""
        asked = self.machine.asked
        if asked is None:
            return
        waits = self.counted(asked.waits + 1)
        self.machine = replace(self.machine, asked=replace(asked, waits=waits, sent=False))
        self.do(CancelTimer("request"))
        self.timer("retry", *self.backoff(waits))

    def backoff(self, attempts: int) -> Wait:
        """How long to wait after so many attempts."""
        policy = self.policy
        return self.jittered(min(policy.retry_first * policy.retry_growth ** (attempts - 1), policy.retry_ceiling))

    def jittered(self, seconds: float) -> Wait:
        """So long, with jitter."""
        return seconds, seconds * self.policy.retry_spread

    @property
    def hint_wait(self) -> Wait:
        """A whole fleet is hinted at once."""
        return 0.0, self.policy.hint_spread

    def counted(self, attempts: int) -> int:
        """So many attempts, or as many as make the wait as long as it gets: more tell no difference."""
        fewer = max(attempts - 1, 1)
        return fewer if self.backoff(fewer) == self.backoff(attempts) else attempts

    def forget_question(self) -> None:
        """No answer is awaited any more."""
        if self.machine.asked is not None:
            self.machine = replace(self.machine, asked=None)
            self.do(CancelTimer("request"), CancelTimer("retry"))

    def take_answer(self, answer: Answer) -> OpenQuestion | None:
        """The question that `answer` settles; None if it answers nothing that is still open.

        A passing refusal settles nothing: the question will be put again.
        """
        asked = self.machine.asked
        if asked is None or not asked.sent:
            return None
        self.answered = True
        self.tell_learned(answer_received(answer))
        if isinstance(answer, Rejected) and not answer.code.is_permanent:
            self.ask_later()
            return None
        self.forget_question()
        return asked

    def take_unreadable(self, event: Unreadable) -> bool:
        """Whether a question is open, to which the answer then cannot be read."""
        asked = self.machine.asked
        if asked is None or not asked.sent:
            return False
        self.answered = True
        self.tell_learned(AnswerUnreadable(event.request, event.problem, None, event.namespace_id, event.job_id))
        return True

    # ── the questions ─────────────────────────────────────────────────────────────────────────────────────────

    def ask_for_work(self, wait: Wait = NOW) -> None:
        """Ask for the head of the queue; start-next, where it exists, takes it in the same breath.

        Nobody need remind it to: whatever the answer is, it sets a timer anew if there is nothing to do.
        """
        self.do(CancelTimer("ask-again"), CancelTimer("poll"))
        ns = self.policy.namespace_id
        claim = self.details(nonce=OURS)
        question: Request = StartNext(status_details=claim) if ns is None else Describe("$next", namespace_id=ns)
        self.ask(question, None, wait)

    def ask_about(self, key: ExecutionKey, wait: Wait = NOW, *, with_document: bool = False) -> None:
        """Ask about this very execution."""
        question = Describe(key.job_id, namespace_id=key.namespace_id, include_document=with_document)
        self.ask(question, key, wait)

    def update(
        self, key: ExecutionKey, status: Status, expected_version: int, nonce: str = OURS, **details: str
    ) -> None:
        """Report; by its nonce we shall know this write again."""
        self.ask(
            Update(
                key.job_id,
                status,
                namespace_id=key.namespace_id,
                status_details=self.details(nonce=nonce, **details),
                expected_version=expected_version,
                execution_number=key.execution_number,
                include_state=True,
            ),
            key,
        )

    def report(self, work: Work, status: Status, reason: str = "", *, nonce: str = "", safe: str = "") -> None:
        """Report the end, or repeat that report under the nonce that it had; `safe` is why nothing can follow it."""
        finished = self.machine.finished
        nonce = nonce or new_report(finished.nonce if finished is not None else "")
        details = {"reason": reason} if reason else {"version": work.plan.version}
        details |= {"stdout": work.said, "cause": work.cause if reason else ""}
        self.update(work.key, status, work.version_number, nonce, **details)
        why = f"reporting {status.value}" + (f": {reason}" if reason else "")
        self.to(Reporting(work, status, nonce, reason, safe=safe), why)

    def report_again(self, told: Reporting, version_number: int) -> None:
        """Repeat a report, of an execution that is at this version."""
        work = replace(told.work, version_number=version_number)
        self.report(work, told.status, told.reason, nonce=told.nonce, safe=told.safe)

    def details(self, **details: str) -> StatusDetails | None:
        """statusDetails, with the version that is still to be accounted for; None if there are none."""
        if self.machine.unaccounted is not None:
            details["kept"] = self.machine.unaccounted
        return tuple(sorted((key, details_text(value)) for key, value in details.items() if value)) or None
