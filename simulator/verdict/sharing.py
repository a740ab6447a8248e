"""What concerns one of several agents on a thing: its namespace, its connections, the others' queue from afar."""

from dataclasses import replace
from typing import Any, Final, NamedTuple

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
            case RequestAnswered(client_token=token):
                share = self._replace(asked=self.asked + 1)
                if token not in share.tokens:
                    return share, None
                answered = share.answered + 1
                answers = share.answers.put(share.asked, answered, ANSWERS)
                return share._replace(answered=answered, answers=answers), seen
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
