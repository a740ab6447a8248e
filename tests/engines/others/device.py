"""A device of somebody else's: small, correct, and of many designs. It never tells anything but over the wire.

It lives in virtual time, for plays by the hundred; `tests/devices/paho_device.py` is a process with sockets and files.

Correct is: what it was told is over it leaves alone; it sends the version that it expects; after a refusal that passes,
and after no answer, it waits longer each time; it asks for the next job when it has none. Designs differ in all else.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal

from agent.core.events import Answered, Event, Hinted
from agent.jitter import Jitter
from agent.values import (
    NEXT,
    Answer,
    Describe,
    ErrorCode,
    Execution,
    ExecutionTold,
    GetPending,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    Status,
    Update,
    UpdateAccepted,
)
from tests.within import within

PASSING = (ErrorCode.REQUEST_THROTTLED, ErrorCode.INTERNAL_ERROR)
STEPS = ("fetch", "flash", "check")


@dataclass(frozen=True, slots=True)
class Design:
    """How a device is made. `patience` is how long it waits for an answer, `poll` how often it asks unasked."""

    takes: Literal["start-next", "describe", "get-pending"] = "start-next"
    carrier: Literal["mqtt", "http"] = "mqtt"
    reports: Literal["steps", "begin-and-end", "end"] = "steps"
    client_ids: Literal["thing", "other", "new-each-time"] = "thing"
    listens: bool = True
    looks_when_told: bool = True
    """At a notification it asks after what it has in hand."""
    poll: float | None = None
    tokens: bool = True
    new_tokens: bool = False
    """Each attempt has another."""
    threads: int = 1
    """With two, one asks at a notification, and the other goes by what that found once its next report is away."""
    acknowledges: bool = True
    connections: int = 1
    """With two, it asks on the first and listens on the second."""
    step_seconds: float = 0.5
    undo_seconds: float = 0.1
    patience: float = 1.0
    step_key: str = "step"
    remembers: bool = True
    """After a restart it knows what it had in hand."""

    @property
    def hears(self) -> bool:
        """Whether notifications reach it."""
        return self.listens and self.carrier == "mqtt"

    @property
    def polls(self) -> float:
        """How often it asks: who hears nothing has to, and who hears may have heard too early."""
        return self.poll or (20.0 if self.hears else 3.0)


class Line:
    """How a device reaches the service: told what to send, it says what came."""

    def send(self, request: Request) -> None:
        """Send it, or lose it."""
        raise NotImplementedError

    def close(self) -> None:
        """Vanish."""


@dataclass(slots=True)
class Device:
    """One that runs. `dial` opens its lines; what is `in_hand` survives a restart if it remembers."""

    thing: str
    design: Design
    dial: Callable[["Device"], Line]
    rng: Jitter
    namespace: str | None = None
    in_hand: Execution | None = None
    done: list[str] = field(default_factory=list)
    ghost: bool = False
    """A flaw: it goes on whatever it is told."""
    _line: Line | None = None
    _tokens: "count[int]" = field(default_factory=lambda: count(1))
    _boots: int = 0
    _asked: list[tuple[Request, asyncio.Future[Answer]]] = field(default_factory=list)
    _aside: asyncio.Task[None] | None = None
    _is_gone: bool = False
    """The second thread found so, and the first has not looked."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _is_up: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[None] | None = None

    # ── power ─────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Boot, if it does not run."""
        if self._running is not None:
            return
        self._boots += 1
        self._news, self._is_up = asyncio.Event(), asyncio.Event()
        self._asked = []
        self._line = self.dial(self)
        self._running = asyncio.create_task(self._run())

    def kill(self) -> None:
        """As by a power cut."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        if self._aside is not None:
            self._aside.cancel()
            self._aside = None
        if self._line is not None:
            self._line.close()
        if not self.design.remembers:
            self.in_hand = None

    # ── what comes over the line ──────────────────────────────────────────────────────────────────────────────

    def answered(self, request: Request, answer: Answer) -> None:
        """An answer on the topic of such a request."""
        for asked, waiting in self._asked:
            if self.design.tokens:
                is_mine = answer.client_token == asked.client_token
            else:
                is_mine = type(request) is type(asked) and _about(request) == _about(asked)
            if is_mine and not waiting.done():
                waiting.set_result(answer)

    def told(self, hint: Event) -> None:
        """A notification: whatever it says, there is something to ask."""
        if isinstance(hint, Hinted) and isinstance(hint.hint, NextChanged | PendingChanged):
            self._news.set()
            if self.design.threads > 1 and self.in_hand is not None and self._aside is None:
                self._aside = asyncio.create_task(self._look_aside(self.in_hand))

    def connected(self) -> None:
        """On line, perhaps again: something may have been missed."""
        self._is_up.set()
        self._news.set()

    # ── what it does ──────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        await self._is_up.wait()
        while True:
            if self.in_hand is None:
                self.in_hand = await self._take()
            await self._work()

    async def _take(self) -> Execution:
        while True:
            self._news.clear()
            found = await self._find()
            if found is not None:
                return found
            await self._until_news(self.design.polls)

    async def _find(self) -> Execution | None:
        match self.design.takes:
            case "start-next":
                answer = await self._ask(StartNext(namespace_id=self.namespace))
            case "describe":
                answer = await self._ask(Describe(NEXT, namespace_id=self.namespace))
            case "get-pending":
                listed = await self._ask(GetPending(namespace_id=self.namespace))
                pending = (*listed.in_progress, *listed.queued) if isinstance(listed, PendingListed) else ()
                if not pending:
                    return None
                answer = await self._ask(Describe(pending[0].key.job_id, namespace_id=self.namespace))
        return answer.execution if isinstance(answer, ExecutionTold) else None

    async def _work(self) -> None:
        job = self.in_hand
        assert job is not None
        if self._boots > 1 and not await self._still_there(job):
            return await self._drop()
        reports = self.design.reports
        if reports == "begin-and-end" and job.status is Status.QUEUED and not await self._report(Status.IN_PROGRESS):
            return await self._drop()
        for step in STEPS:
            if reports == "steps" and not await self._report(Status.IN_PROGRESS, **{self.design.step_key: step}):
                return await self._drop()
            if not await self._pass(self.design.step_seconds):
                return await self._drop()
        if not await self._report(Status.SUCCEEDED):
            return await self._drop()
        self.done.append(job.key.job_id)
        self.in_hand = None
        return None

    async def _pass(self, seconds: float) -> bool:
        """Work for so long; whether the job is still there, as far as anybody said."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0:
            await self._until_news(left)
            if self._news.is_set():
                self._news.clear()
                looks = self.design.looks_when_told and self.design.threads == 1
                if looks and self.in_hand and not await self._still_there(self.in_hand) and not self.ghost:
                    return False
        return True

    async def _look_aside(self, job: Execution) -> None:
        if not await self._still_there(job) and self.in_hand is job:
            self._is_gone = True
        self._aside = None

    async def _drop(self) -> None:
        self.in_hand, self._is_gone = None, False
        await asyncio.sleep(self.design.undo_seconds)

    async def _still_there(self, job: Execution) -> bool:
        answer = await self._ask(Describe(job.key.job_id, namespace_id=self.namespace))
        found = answer.execution if isinstance(answer, ExecutionTold) else None
        if found is None or found.key != job.key:
            return False
        if self.in_hand is job:
            self.in_hand = replace(found, document=found.document or job.document)
        return not found.status.is_terminal

    async def _report(self, status: Status, **details: str) -> bool:
        """Whether the service took it; after a doubt about versions it looks, and says it once more."""
        for _ in range(4):
            job = self.in_hand
            assert job is not None
            was_gone, self._is_gone = self._is_gone, False
            if was_gone and not self.ghost:
                return False
            answer = await self._ask(
                Update(
                    job.key.job_id,
                    status,
                    namespace_id=self.namespace,
                    status_details=tuple(details.items()) or None,
                    expected_version=job.version_number,
                )
            )
            if isinstance(answer, UpdateAccepted):
                self.in_hand = replace(job, version_number=job.version_number + 1, status=status)
                return True
            if self.ghost:
                return True
            if not (isinstance(answer, Rejected) and answer.code is ErrorCode.VERSION_MISMATCH):
                return False
            if not await self._still_there(job):
                return False
        return False

    async def _ask(self, request: Request) -> Answer:
        """Its answer, however long that takes."""
        wait = 0.5
        for attempt in count(1):
            if self.design.tokens and (attempt == 1 or self.design.new_tokens):
                request = replace(request, client_token=f"{self._boots}-{next(self._tokens)}")
            waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._asked = [each for each in self._asked if not each[1].done()] + [(request, waiting)]
            assert self._line is not None
            self._line.send(request)
            try:
                answer = await within(waiting, self.design.patience * 1.5 ** min(attempt, 5))
            except TimeoutError:
                continue
            if not (isinstance(answer, Rejected) and answer.code in PASSING):
                return answer
            await asyncio.sleep(wait * (1 + self.rng.random() / 4))
            wait = min(wait * 1.6, 10.0)
        raise AssertionError("it never gives up")

    async def _until_news(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            await within(self._news.wait(), seconds)


def _about(request: Request) -> str | None:
    return getattr(request, "job_id", None)


def any_answer(event: Any) -> Answer | None:
    """The answer in an event of the line's."""
    return event.answer if isinstance(event, Answered) else None
