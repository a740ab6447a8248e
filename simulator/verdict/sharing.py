"""What concerns one of several agents on a thing: its namespace, its connections, the others' queue from afar."""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from agent.values import NEXT
from simulator.trace import (
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.seen import Elsewhere, Seen

TOKENS: Final = 512
ANSWERS: Final = 64
"""So many requests that may yet be answered, and answers that may yet be delivered, are remembered."""

CONNECTIONS = (ClientConnected, ClientDisconnected)


class Rest(NamedTuple):
    """What the cloud tells of a thing without the jobs of others: those of earlier runs, and provocations.

    What a device still asks about such a job, or reports on it, belongs to the run that made it: here it is nothing. It
    may keep a device from the run's own jobs, as what is `Elsewhere` does. `is_others`: its last request was about one.
    """

    is_others: bool = False

    def of(self, seen: Seen[Any], jobs: frozenset[str]) -> "tuple[Rest, Seen[Any] | None]":
        """What an entry about the thing is to a run of these jobs; None if nothing."""
        match seen.event:
            case RequestReceived(job_id=job_id):
                is_others = job_id is not None and job_id != NEXT and job_id not in jobs
                return Rest(is_others), None if is_others else seen
            case RequestAnswered() if self.is_others:
                return self, None
            case ExecutionQueued() | ExecutionChanged() | ExecutionRemoved() as event:
                is_mine = event.execution.job_id in jobs
                return self, seen if is_mine else Seen(seen.mark, Elsewhere(event, is_provocation=True))
            case _:
                return self, seen


class Share(NamedTuple):
    """An agent's share of what the cloud tells of its thing; answers are counted anew."""

    namespace_id: str | None
    tokens: Map[str | None, None] = EMPTY
    asked: int = 0
    answered: int = 0
    answers: Map[int, int] = EMPTY

    def of(self, seen: Seen[Any]) -> "tuple[Share, Seen[Any] | None]":
        """What an entry about the thing is to this agent; None if nothing."""
        match seen.event:
            case RequestReceived(namespace_id=namespace_id, client_token=token):
                if namespace_id != self.namespace_id:
                    return self, None
                return self._replace(tokens=self.tokens.put(token, None, TOKENS)), seen
            case RequestAnswered(client_token=token, number=number) as event:
                share = self._replace(asked=self.asked + 1 if number is None else number)
                if token not in share.tokens:
                    return share, None
                answered = share.answered + 1
                answers = share.answers.put(share.asked, answered, ANSWERS)
                told = Seen(seen.mark, replace(event, number=answered))
                return share._replace(answered=answered, answers=answers), told
            case AnswerDelivered(number=number) as event:
                mine = self.answers.get(number)
                return self, None if mine is None else Seen(seen.mark, replace(event, number=mine))
            case ExecutionQueued() | ExecutionChanged() | ExecutionRemoved() as event:
                is_mine = event.execution.namespace_id == self.namespace_id
                return self, seen if is_mine else Seen(seen.mark, Elsewhere(event))
            case ClientConnected() | ClientDisconnected():
                return self, None
            case _:
                return self, seen
