"""A request and what became of it, on both sides, for as long as something may still become of it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from agent.device_events import AnswerReceived, RequestSent
from agent.values import ExecutionKey, Status
from simulator.trace import RequestAnswered
from simulator.verdict.past import Past
from simulator.verdict.seen import Mark, Seen
from simulator.verdict.state import State

COPIES = 8
"""So many answers to copies of one request are kept: the device believes one of them, if any."""


class Said(NamedTuple):
    """What the service said to a request."""

    mark: Mark
    accepted: bool
    code: str | None
    execution: ExecutionKey | None

    @classmethod
    def by(cls, seen: Seen[RequestAnswered]) -> "Said":
        """What an entry tells of it."""
        event = seen.event
        return cls(seen.mark, event.accepted, event.code, event.execution)

    def matches(self, read: AnswerReceived) -> bool:
        """Whether this is what the device says that it was told."""
        return self.accepted == read.accepted and (read.execution is None or read.execution == self.execution)


@dataclass(slots=True, unsafe_hash=True)
class Exchange(State):
    """A request, and what became of it; None for what was not seen (or not yet).

    `said` is what the service answered, first to it, then to copies of it. The rest is what the device knew when it
    asked: `knew` whether it had been told that the execution is over or replaced, `licence` the number of the latest
    answer of the cloud by which it knew the execution pending, `had_reported` the executions that it had sent updates
    for on the same connection.
    """

    holds_states = ()

    sent: Mark | None = None
    request: RequestSent | None = None
    received: Mark | None = None
    arrivals: int = 0
    said: tuple[Said, ...] = ()
    answer: Mark | None = None
    read: AnswerReceived | None = None
    knew: bool = False
    licence: int = 0
    had_reported: tuple[ExecutionKey, ...] = ()

    def essence(self, past: Past) -> "Exchange":
        """What of it can still matter: see `simulator.verdict.past`."""
        asked, sent = self.request, self.sent
        assert asked is not None, "whoever asks has told so by then"
        assert sent is not None, "as well"
        version = None if asked.expected_version is None else 0
        request = RequestSent(
            asked.client_token, asked.request, None, asked.job_id, asked.execution, asked.status, version
        )
        said = dict.fromkeys(
            Said(Mark("", past.cloud(each.mark.n), 0), each.accepted, None, each.execution) for each in self.said
        )
        is_report = self.is_update
        return Exchange(
            sent=past.mark(sent),
            request=request,
            said=tuple(said),
            knew=is_report and self.knew,
            licence=past.cloud(self.licence) if is_report else 0,
        )

    def renamed(self, token: str) -> "Exchange":
        """An essence with another token."""
        assert self.request is not None, "whoever asks has told so"
        return self.twin().becomes(request=replace(self.request, client_token=token))

    @property
    def may_find(self) -> bool:
        """Whether its answer may say that an execution is there."""
        return self.request is not None and self.request.request in ("describe", "start-next")

    @property
    def answered(self) -> Said | None:
        """What the service said first."""
        return self.said[0] if self.said else None

    @property
    def execution(self) -> ExecutionKey | None:
        """The execution that it is meant for."""
        return self.request.execution if self.request is not None else None

    @property
    def is_update(self) -> bool:
        """Whether it sets a status."""
        return self.request is not None and self.request.request == "update"

    @property
    def is_taken(self) -> bool:
        """Whether the service took what it says, known from its own account or from what the device read.

        A start-next that found nothing to start left nothing.
        """
        answered, read = self.answered, self.read
        if self.request is not None and self.request.request == "start-next":
            return any(told is not None and told.accepted and told.execution is not None for told in (answered, read))
        if answered is not None and answered.accepted:
            return True
        return read is not None and (read.accepted or read.status == Status.SUCCEEDED)

    @property
    def stands(self) -> bool:
        """Whether either side says that it was accepted."""
        return any(told is not None and told.accepted for told in (self.answered, self.read))

    def believes(self, read: AnswerReceived) -> bool:
        """Whether the service said what the device says that it was told."""
        return any(each.matches(read) for each in self.said)
