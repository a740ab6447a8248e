"""Which answer belongs to which attempt, and which write is whose: client tokens, counts and nonces.

They are minted here, for one life of an agent, around a core that knows none: `correlated(step)` is a step as well. The
core sees an answer only if it is one to the newest attempt, and of a nonce no more than whose it is
(`agent.core.marks`). The nonce of a terminal report stands on record, so that it is known again in the next life; one
that goes off the record is forgotten, and its name is free for the next report.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from agent.abilities import DEFAULT_ABILITIES, Abilities
from agent.core.events import Answered, Booted, Effect, Event, Hinted, Publish, Remember, Tell, Unreadable
from agent.core.marks import OTHER, OURS, REPORTS
from agent.core.record import Record
from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceEvent,
    ExecutionGone,
    request_kind,
    request_sent,
)
from agent.documents import plan_of
from agent.plan import MISSING
from agent.values import (
    Answer,
    Execution,
    ExecutionState,
    ExecutionTold,
    NextChanged,
    Rejected,
    Request,
    StartNext,
    StatusDetails,
    Update,
    UpdateAccepted,
)


class AgentState(Protocol):
    """What anybody wants to know of the state that a core works on; the rest is the core's own."""

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""


S = TypeVar("S", bound=AgentState)
D = TypeVar("D", Execution, ExecutionState)


@dataclass(frozen=True, slots=True)
class Correlated(Generic[S]):
    """The state of a core, and what was minted around it."""

    machine: S
    correlation: "Correlation"

    @property
    def rests(self) -> bool:
        """Whether nothing is in hand."""
        return self.machine.rests


@cache
def correlated(
    step: Callable[[Any, Event], tuple[Any, tuple[Effect, ...]]],
) -> Callable[[Correlated[Any], Event], tuple[Correlated[Any], tuple[Effect, ...]]]:
    """The step of a core, with what goes out and comes in as it is on the wire and on disk."""

    def whole(state: Correlated[Any], event: Event) -> tuple[Correlated[Any], tuple[Effect, ...]]:
        correlation, read = state.correlation.read(event)
        if read is None:
            return state, ()
        machine, effects = step(state.machine, read)
        done: list[Effect] = []
        for effect in effects:
            correlation, *written = correlation.write(effect)
            done.extend(written)
        return Correlated(machine, correlation), tuple(done)

    return whole


@dataclass(frozen=True, slots=True)
class Correlation:
    """`prefix` begins whatever is minted in one life of one agent, and nothing that is minted in another.

    `abilities` are what documents are planned for. `sent` counts requests; `request` is the newest attempt, the
    `attempt`th to have its question answered, and `nonce` is the question's. `reports` are the nonces of terminal
    reports on record, by their names.
    """

    prefix: str
    abilities: Abilities = DEFAULT_ABILITIES
    sent: int = 0
    request: Request | None = None
    attempt: int = 0
    nonce: str = ""
    reports: tuple[tuple[str, str], ...] = ()

    @property
    def token(self) -> str:
        """The client token of the newest attempt."""
        return f"{self.prefix}{self.sent}"

    @property
    def _next(self) -> str:
        return f"{self.prefix}{self.sent + 1}"

    # ── out ───────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, effect: Effect) -> tuple["Correlation", Effect] | tuple["Correlation", Effect, Effect]:
        """The effect as the world sees it; a request is told of before."""
        match effect:
            case Publish():
                return self._publish(effect)
            case Remember(record=record):
                known = dict(self.reports)
                reports = {name: known.get(name, self._next) for name in _reports_of(record)}
                after = replace(self, reports=tuple(reports.items()))
                return after, Remember(_with_reports(record, reports))
            case Tell(event=event, from_answer=True):
                return self, Tell(self._told(event))
            case _:
                return self, effect

    def _publish(self, effect: Publish) -> tuple["Correlation", Tell, Publish]:
        token, attempt = self._next, effect.attempt or self.attempt + 1
        nonce = token if attempt == 1 else self.nonce
        request = effect.request
        if isinstance(request, StartNext | Update) and request.status_details:
            nonces = dict(self.reports)
            details = _renamed(request.status_details, lambda mark: nonces.get(mark, nonce))
            request = replace(request, client_token=token, status_details=details)
        else:
            request = replace(request, client_token=token)
        after = replace(self, sent=self.sent + 1, request=request, attempt=attempt, nonce=nonce)
        told = request_sent(request, token, effect.about, attempt)
        return after, Tell(told), Publish(request, effect.about, attempt)

    def _told(self, event: DeviceEvent) -> DeviceEvent:
        """What is told, with the client token of the answer that it follows from."""
        match event:
            case AnswerReceived() | AnswerUnreadable():
                return replace(event, client_token=self.token)
            case ExecutionGone():
                return replace(event, learned_from=self.token)
            case _:
                return event

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, event: Event) -> tuple["Correlation", Event | None]:
        """The event as the core sees it, with the plan of what came; None for an answer to none, or to an older one."""
        match event:
            case Booted(record=record) if record is not None:
                names = dict(zip(dict.fromkeys(_reports_of(record)), REPORTS, strict=False))
                after = replace(self, reports=tuple((name, nonce) for nonce, name in names.items()))
                return after, replace(event, record=_with_reports(record, names))
            case Answered(answer=answer):
                is_newest = self.sent and answer.client_token == self.token
                return self, self._planned(answer) if is_newest else None
            case Unreadable():
                return self, event if self._is_answered_by(event) else None
            case Hinted(hint=NextChanged(execution=Execution() as head) as hint) if head.status_details:
                return self, Hinted(replace(hint, execution=self._marked(head)))
            case _:
                return self, event

    def _planned(self, answer: Answer) -> Answered:
        execution = answer.execution if isinstance(answer, ExecutionTold) else None
        return Answered(self._named(answer), plan_of(execution.document, self.abilities) if execution else MISSING)

    def _is_answered_by(self, event: Unreadable) -> bool:
        """Whether it is an answer to the newest attempt: by its token, or, where that cannot be read, by its topic."""
        asked = self.request
        if asked is None or event.client_token is not None:
            return asked is not None and event.client_token == self.token
        meant = (request_kind(asked), asked.namespace_id, getattr(asked, "job_id", None))
        return meant == (event.request, event.namespace_id, event.job_id)

    def _named(self, answer: Answer) -> Answer:
        match answer:
            case ExecutionTold(execution=Execution() as told):
                return answer._replace(client_token=None, execution=self._marked(told))
            case UpdateAccepted(state=ExecutionState() as state) | Rejected(state=ExecutionState() as state):
                return answer._replace(client_token=None, state=self._marked(state))
            case _:
                return answer._replace(client_token=None)

    def _marked(self, told: D) -> D:
        return replace(told, status_details=_renamed(told.status_details, self._mark))

    def _mark(self, nonce: str) -> str:
        marks = {nonce: name for name, nonce in self.reports}
        return marks.get(nonce) or (OURS if nonce.startswith(self.prefix) else OTHER)


def _renamed(details: StatusDetails, name: Callable[[str], str]) -> StatusDetails:
    """The same details with another name for their nonce, if they have one."""
    return tuple((key, name(text) if key == "nonce" else text) for key, text in details)


def _reports_of(record: Record) -> Iterator[str]:
    """What the reports on record are called, or their nonces: that of the last execution, and the one that is open."""
    if record.finished is not None and record.finished.nonce:
        yield record.finished.nonce
    if record.nonce:
        yield record.nonce


def _with_reports(record: Record, called: Mapping[str, str]) -> Record:
    """The record with its reports called otherwise."""
    finished = record.finished
    if finished is not None:
        finished = replace(finished, nonce=called.get(finished.nonce, ""))
    return replace(record, finished=finished, nonce=called.get(record.nonce, ""))
