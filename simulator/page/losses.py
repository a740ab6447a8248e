"""What a device lost: each record that was removed before its work was over, what the device was at, and when it was
told.

Told is a device when it processed an answer which says with authority that its execution is over: that is the verdict's
own word for it (`simulator.verdict.heard.news_in`). One that gives up without such an answer knows it, too, by its own
account. Of one that gives no account, an answer that was delivered counts.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from agent.device_events import AnswerReceived, RequestSent
from agent.values import ExecutionKey, Status
from simulator.page.axis import When
from simulator.trace import TERMINAL, AnswerDelivered, RequestAnswered, RequestReceived
from simulator.verdict.exchanges import Exchange
from simulator.verdict.heard import news_in
from simulator.verdict.seen import Mark

LOSSES: Final = 64
TOLD: Final = 64
ANSWERS: Final = 64
"""So many losses, executions of which it was told, and answers under way of one device are remembered."""
NOWHERE: Final = Mark("", 0, 0)


class Told(NamedTuple):
    """When a device was told that an execution is over, and the entry that shows it."""

    when: When
    shown_by: str


class StepRun(NamedTuple):
    """A step of an execution, from when to when; None: it goes on."""

    execution: ExecutionKey
    step: str
    began: When
    ended: When | None = None


@dataclass(slots=True)
class Loss:
    """`run` is the step that the device had begun last when that was told of, `next` what it began then."""

    execution: ExecutionKey
    status: str
    removed: When
    shown_by: str
    run: StepRun | None = None
    next: StepRun | None = None
    told: Told | None = None
    doing: str = ""
    """What the story says that the device did then, once that is settled."""
    undone: bool = False
    """Whether it took back any step since."""
    left: str = ""
    """How the device was done with it, by its own account; empty as long as it is not."""


@dataclass(slots=True)
class Losses:
    """Of one device."""

    all: list[Loss] = field(default_factory=list)
    known: dict[ExecutionKey, Told] = field(default_factory=dict)
    """What it was told before the cloud told of the removal, which came earlier all the same."""
    taken: dict[ExecutionKey, None] = field(default_factory=dict)
    """What the device made its own, by its own account."""
    run: StepRun | None = None
    asked: RequestSent | None = None
    """The last request that the cloud received of one that gives no account."""
    given: dict[int, tuple[RequestSent, RequestAnswered]] = field(default_factory=dict)
    answers: int = 0

    @property
    def are_untold(self) -> bool:
        """Whether there is any of which the device was not told."""
        return any(loss.told is None for loss in self.all)

    @property
    def ghosts(self) -> list[Loss]:
        """Those under which it was at work: what it had taken, if it tells of that, or else what was in progress."""
        if not self.all:
            return []
        return [
            loss
            for loss in self.all
            if loss.status != Status.QUEUED and (not self.taken or loss.execution in self.taken)
        ]

    def removed(self, key: ExecutionKey, status: str, when: When, shown_by: str) -> None:
        """A record is gone; of one that was over nobody needs to be told."""
        if status in TERMINAL:
            return
        run = self.run if self.run is not None and self.run.execution == key else None
        self.all.append(Loss(key, status, when, shown_by, run, told=self.known.pop(key, None)))
        if len(self.all) > LOSSES:
            del self.all[0]

    # ── what it tells ─────────────────────────────────────────────────────────────────────────────────────────

    def took(self, key: ExecutionKey) -> None:
        """It made an execution its own."""
        self.taken[key] = None
        if len(self.taken) > LOSSES:
            del self.taken[next(iter(self.taken))]

    def told(self, key: ExecutionKey, when: When, shown_by: str) -> None:
        """It knows that an execution is over."""
        told = Told(when, shown_by)
        waiting = [loss for loss in self.all if loss.told is None and loss.execution == key]
        for loss in waiting:
            loss.told = told
        if not waiting and not any(loss.execution == key for loss in self.all):
            if len(self.known) >= TOLD:
                del self.known[next(iter(self.known))]
            self.known.setdefault(key, told)

    def read(self, exchange: Exchange, when: When, shown_by: str) -> None:
        """It read an answer."""
        waiting = tuple(loss.execution for loss in self.all if loss.told is None)
        if waiting or not (exchange.read and exchange.read.accepted):
            for news in news_in(exchange, waiting):
                if news.says != "alive":
                    self.told(news.key, when, shown_by)

    def undid(self, key: ExecutionKey) -> None:
        """It took a step back."""
        for loss in self.all:
            if loss.execution == key:
                loss.undone = True

    def left(self, key: ExecutionKey, outcome: str) -> None:
        """It is done with an execution."""
        for loss in self.all:
            if loss.execution == key and not loss.left:
                loss.left = outcome

    def began(self, key: ExecutionKey, step: str, when: When) -> None:
        """It began a step."""
        self.run = StepRun(key, step, when)
        for loss in reversed(self.all):
            if loss.next is not None or loss.told is not None:
                break
            loss.next = self.run if loss.execution == key else None

    def ended(self, when: When) -> None:
        """Its step ended."""
        if (run := self.run) is None or run.ended is not None:
            return
        self.run = run._replace(ended=when)
        for loss in reversed(self.all):
            if loss.run is run:
                loss.run = self.run
            elif loss.next is run:
                loss.next = self.run
            else:
                break

    # ── what the wire shows of one that tells nothing ─────────────────────────────────────────────────────────

    def began_from_afar(self, key: ExecutionKey, when: When, shown_by: str) -> None:
        """It is at work on another execution, so it is done with what it lost."""
        for loss in self.all:
            if loss.told is None and loss.execution != key:
                loss.told = Told(when, shown_by)

    def asked_from_afar(self, event: RequestReceived) -> None:
        """The cloud received a request; it is about what the device lost last of that job, if it did."""
        about = next(
            (loss.execution for loss in reversed(self.all) if loss.execution.job_id == event.job_id and not loss.told),
            None,
        )
        token = event.client_token or ""
        self.asked = RequestSent(token, event.request, event.namespace_id, event.job_id, about, event.status)

    def answered_from_afar(self, event: RequestAnswered) -> None:
        """The cloud answered it."""
        self.answers = self.answers + 1 if event.number is None else event.number
        if self.asked is not None and any(loss.told is None for loss in self.all):
            if len(self.given) >= ANSWERS:
                del self.given[next(iter(self.given))]
            self.given[self.answers] = self.asked, event

    def delivered_from_afar(self, event: AnswerDelivered, when: When, shown_by: str) -> None:
        """The answer is with the device."""
        if (given := self.given.pop(event.number, None)) is None:
            return
        asked, answer = given
        found = None if answer.request == "update" else answer.execution
        read = AnswerReceived(asked.client_token, answer.accepted, answer.code, answer.status, found)
        self.read(Exchange(sent=NOWHERE, request=asked, answer=NOWHERE, read=read), when, shown_by)
