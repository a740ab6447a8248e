"""Which entries of a trace belong to one of them: those just before and after it in the same account of the same thing,
and those that it caused, or that caused it.

Causes are told by what entries share: a request and its answer the client token; a notification what it lists; the
record of an execution, and what a device makes of it, the incarnation; a job and its deletion the job id.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    RequestSent,
    StepStarted,
    VersionCommitted,
)
from agent.values import ExecutionKey
from simulator.scenario import thing_of_agent
from simulator.trace import (
    DeletionAccepted,
    DeletionRefused,
    DeletionRequested,
    Entry,
    ExecutionQueued,
    ExecutionRemoved,
    HintPublished,
    JobCreated,
    JobDeleted,
    JobDeletionBegan,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.seen import thing_of

NEAR: Final = 3
"""So many entries before and after, in the same account."""


def is_about_thing(entry: Entry, thing: str) -> bool:
    """Whether an entry is about that thing, or one of several agents on it."""
    about = thing_of(entry)
    return about is not None and thing in (about, thing_of_agent(about))


def is_about_job(entry: Entry, job_id: str) -> bool:
    """Whether an entry is about that job: names it, or one of its executions."""
    event = entry.event
    keys = (getattr(event, "execution", None), *getattr(event, "listed", ()))
    return getattr(event, "job_id", None) == job_id or any(key is not None and key.job_id == job_id for key in keys)


def links(entry: Entry) -> frozenset[Hashable]:
    """What an entry shares with those that it caused, or that caused it."""
    event, about = entry.event, thing_of(entry)
    thing = about and thing_of_agent(about)
    match event:
        case (
            RequestSent(client_token=token) | RequestReceived(client_token=token) | RequestAnswered(client_token=token)
        ):
            return frozenset({("token", thing, token)} if token is not None else ())
        case AnswerReceived(client_token=token) | AnswerUnreadable(client_token=str(token)):
            return frozenset({("token", thing, token)})
        case (
            HintPublished(hint=hint, namespace_id=ns, listed=listed)
            | HintReceived(hint=hint, namespace_id=ns, listed=listed)
        ):
            return frozenset({("hint", thing, hint, ns, listed)})
        case ExecutionGone(execution=key, learned_from=token):
            return frozenset({("token", thing, token), *_incarnation(thing, key)})
        case ExecutionQueued(execution=key) | ExecutionTaken(execution=key) | ExecutionLeft(execution=key):
            return _incarnation(thing, key)
        case VersionCommitted(execution=key) | StepStarted(execution=key, reversible=False):
            return _incarnation(thing, key)
        case ExecutionRemoved(execution=key):
            return frozenset({("job", key.job_id), *_incarnation(thing, key)})
        case JobCreated(job_id=job_id) | JobDeletionBegan(job_id=job_id) | JobDeleted(job_id=job_id):
            return frozenset({("job", job_id)})
        case DeletionRequested(job_id=job_id) | DeletionAccepted(job_id=job_id) | DeletionRefused(job_id=job_id):
            return frozenset({("job", job_id)})
        case _:
            return frozenset()


def _incarnation(thing: str | None, key: ExecutionKey) -> frozenset[Hashable]:
    return frozenset({("execution", thing, key)})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An entry with those around it, each in the order of the trace; `linked` has those of other accounts, too."""

    before: tuple[Entry, ...]
    entry: Entry
    after: tuple[Entry, ...]
    linked: tuple[Entry, ...]


def surroundings(entry: Entry, trace: Iterable[Entry]) -> Surroundings:
    """Those of an entry, out of a trace that it is in."""
    account: list[Entry] = []
    linked: list[Entry] = []
    shared = links(entry)
    for other in trace:
        if other.source == entry.source and thing_of(other) == thing_of(entry):
            account.append(other)
        if other.id != entry.id and shared & links(other):
            linked.append(other)
    here = account.index(entry)
    near = (*account[max(0, here - NEAR) : here], *account[here + 1 : here + 1 + NEAR])
    before = tuple(each for each in near if each.n < entry.n)
    after = tuple(each for each in near if each.n > entry.n)
    ids = {each.id for each in near}
    return Surroundings(before, entry, after, tuple(each for each in linked if each.id not in ids))
