"""How a device asks, whoever it is: what those share that do not share our own core.

One question is open at a time. It is put again after a time-out or a passing refusal, later each time and with jitter;
only the first answer to its newest attempt counts. Which question comes next, and what an answer means, is each
device's own.
"""

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeGuard, TypeVar

from agent.core.events import CancelTimer, Deed, Effect, Publish, Remember, SetTimer, Tell, TimerName
from agent.core.record import Record, Work
from agent.core.state import DevicePolicy
from agent.device_events import DeviceEvent, answer_received
from agent.plan import Plan
from agent.values import Answer, Execution, ExecutionKey, Rejected, Request


@dataclass(frozen=True, slots=True)
class Question:
    """The one that is open; `sent`: an attempt is under way, and does not wait to be sent.

    `outdated`: something happened since it was sent, so that a good answer proves nothing any more.
    """

    question: Request
    about: ExecutionKey | None
    attempt: int = 1
    sent: bool = False
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """What any device knows of its asking."""

    policy: DevicePolicy
    connected: bool = False
    asked: Question | None = None


S = TypeVar("S", bound=Asking)


class Asker(Generic[S]):
    """A device during one event: what it knows, as that changes, and the effects so far."""

    def __init__(self, state: S) -> None:
        self.state = state
        self.effects: list[Effect] = []
        self.is_answered = False
        """Whether this event brought an answer."""

    @property
    def policy(self) -> DevicePolicy:
        """The numbers and choices of the device."""
        return self.state.policy

    def set(self, why: str = "", **facts: Any) -> None:
        """Know better."""
        self.state = replace(self.state, **facts)

    def tell(self, event: DeviceEvent) -> None:
        """Say it in the account."""
        self.effects.append(Tell(event))

    def tell_learned(self, event: DeviceEvent) -> None:
        """Say in the account what was learned, from the answer at hand if there is one."""
        self.effects.append(Tell(event, from_answer=self.is_answered))

    def do(self, *effects: Effect) -> None:
        """Let the shell do this, in order."""
        self.effects.extend(effects)

    def timer(self, name: TimerName, seconds: float, *, jitter: bool = False) -> None:
        """Set a timer; jitter comes on top."""
        self.do(SetTimer(name, seconds, seconds * self.policy.retry_spread if jitter else 0.0))

    def no_timer(self, *names: TimerName) -> None:
        """Forget timers."""
        self.do(*(CancelTimer(name) for name in names))

    def send(self) -> None:
        """Put the open question; not off line."""
        asked = self.state.asked
        if asked is None or not self.state.connected:
            return
        self.set(asked=replace(asked, sent=True, outdated=False))
        self.do(Publish(asked.question, asked.about, asked.attempt))
        self.timer("request", self.policy.request_timeout)

    def put_off(self, asked: Question) -> None:
        """No usable answer came: again, after a longer wait than the last."""
        self.set(asked=replace(asked, attempt=asked.attempt + 1, sent=False))
        self.no_timer("request")
        self.timer("retry", self.backoff(asked.attempt), jitter=True)

    def backoff(self, times: int) -> float:
        """Seconds to wait after so many times, before jitter."""
        policy = self.policy
        return min(policy.retry_first * policy.retry_growth ** (times - 1), policy.retry_ceiling) if times else 0.0

    def drop_question(self) -> None:
        """No answer is awaited any more."""
        if self.state.asked is not None:
            self.set(asked=None)
            self.no_timer("request", "retry")

    def receive(self, answer: Answer) -> Question | None:
        """The question to which this is the answer, if it is one."""
        asked = self.state.asked
        if asked is None or not asked.sent:
            return None
        self.is_answered = True
        self.tell_learned(answer_received(answer))
        return asked

    def result(self, record: Record, known: Record) -> tuple[S, tuple[Effect, ...]]:
        """The device afterwards; what must not be forgotten, unless it is `known`, is written down before any deed.

        What was heard is told before that: a loss of power after it must not leave a record that nothing explains.
        """
        if record == known:
            return self.state, tuple(self.effects)
        first = next((at for at, effect in enumerate(self.effects) if isinstance(effect, Deed)), len(self.effects))
        return self.state, (*self.effects[:first], Remember(record), *self.effects[first:])


def is_passing(answer: Answer) -> TypeGuard[Rejected]:
    """Whether it says to ask again later: throttled, or a fault of the service."""
    return isinstance(answer, Rejected) and not answer.code.is_permanent


def work_of(execution: Execution, plan: Plan) -> Work:
    """An execution as work of which nothing is done."""
    digest = execution.document.digest if execution.document is not None else ""
    return Work(execution.key, plan, digest, execution.version_number)
