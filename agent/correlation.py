"""Which answer belongs to which attempt, and which write is whose: client tokens, counts and nonces.

They are minted here, for one life of an agent. The core sees an answer only if it is one to the newest attempt, and of
a nonce no more than whose it is (`agent.core.marks`). The nonce of a terminal report stands on record, so that it is
known again in the next life; one that goes off the record is forgotten, and its name is free for the next report.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from agent.abilities import Abilities
from agent.account import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceEvent,
    ExecutionGone,
    RequestSent,
    request_kind,
    request_sent,
)
from agent.core.events import Answered, Booted, Event, Publish, Tell, Unreadable
from agent.core.marks import OTHER, OURS, REPORTS
from agent.core.record import Record
from agent.documents import plan_of
from agent.plan import MISSING
from agent.values import (
    Answer,
    ExecutionState,
    ExecutionTold,
    PendingListed,
    Rejected,
    Request,
    StartNext,
    StatusDetails,
    Update,
    UpdateAccepted,
)


@dataclass(frozen=True, slots=True)
class Correlation:
    """`prefix` begins whatever is minted in one life of one agent, and nothing that is minted in another.

    `sent` counts requests; `request` is the newest attempt, with its token, the `attempt`th to have its question
    answered, and `nonce` is the question's. `reports` are the nonces of terminal reports on record, by their names.
    """

    prefix: str
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

    def publish(self, effect: Publish) -> tuple["Correlation", Request, RequestSent]:
        """The request as it is sent, and what is told of it."""
        token, attempt = self._next, effect.attempt or self.attempt + 1
        nonce = token if attempt == 1 else self.nonce
        request = replace(effect.request, client_token=token)
        if isinstance(request, StartNext | Update) and request.status_details:
            nonces = dict(self.reports)
            details = _renamed(request.status_details, lambda mark: nonces.get(mark, nonce))
            request = replace(request, status_details=details)
        after = Correlation(self.prefix, self.sent + 1, request, attempt, nonce, self.reports)
        return after, request, request_sent(request, token, effect.about, attempt)

    def write(self, record: Record) -> tuple["Correlation", Record]:
        """The record with its nonces: a report that was not on record yet has a new one."""
        known = dict(self.reports)
        reports = {name: known.get(name, self._next) for name in _reports_of(record)}
        after = replace(self, reports=tuple(reports.items()))
        return after, _with_reports(record, reports)

    def told(self, effect: Tell) -> DeviceEvent:
        """What is told, with the client token of the answer that it follows from."""
        match effect.event:
            case AnswerReceived() | AnswerUnreadable() as event if effect.from_answer:
                return replace(event, client_token=self.token)
            case ExecutionGone() as event if effect.from_answer:
                return replace(event, learned_from=self.token)
            case _:
                return effect.event

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, event: Event, abilities: Abilities) -> tuple["Correlation", Event | None]:
        """The event as the core sees it, with the plan of what came; None for an answer to none, or to an older one."""
        match event:
            case Booted(record=record) if record is not None:
                names = dict(zip(dict.fromkeys(_reports_of(record)), REPORTS, strict=False))
                after = replace(self, reports=tuple((name, nonce) for nonce, name in names.items()))
                return after, replace(event, record=_with_reports(record, names))
            case Answered(answer=answer):
                is_newest = self.sent and answer.client_token == self.token
                return self, self._planned(answer, abilities) if is_newest else None
            case Unreadable():
                return self, event if self._is_answered_by(event) else None
            case _:
                return self, event

    def _planned(self, answer: Answer, abilities: Abilities) -> Answered:
        execution = answer.execution if isinstance(answer, ExecutionTold) else None
        return Answered(self._named(answer), plan_of(execution.document, abilities) if execution else MISSING)

    def _is_answered_by(self, event: Unreadable) -> bool:
        """Whether it is an answer to the newest attempt: by its token, or, where that cannot be read, by its topic."""
        asked = self.request
        if asked is None or event.client_token is not None:
            return asked is not None and event.client_token == self.token
        meant = (request_kind(asked), asked.namespace_id, getattr(asked, "job_id", None))
        return meant == (event.request, event.namespace_id, event.job_id)

    def _named(self, answer: Answer) -> Answer:
        match answer:
            case ExecutionTold(timestamp=timestamp, execution=execution):
                if execution is not None and execution.status_details:
                    details = _renamed(execution.status_details, self._mark)
                    execution = replace(execution, status_details=details)
                return ExecutionTold(timestamp, execution)
            case UpdateAccepted(timestamp=timestamp, state=state, document=document):
                return UpdateAccepted(timestamp, None, self._state(state), document)
            case Rejected(timestamp=timestamp, code=code, message=message, state=state):
                return Rejected(timestamp, code, message, None, self._state(state))
            case PendingListed():
                return replace(answer, client_token=None)

    def _state(self, state: ExecutionState | None) -> ExecutionState | None:
        if state is None or not state.status_details:
            return state
        return replace(state, status_details=_renamed(state.status_details, self._mark))

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
