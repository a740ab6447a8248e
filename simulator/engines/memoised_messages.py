"""What messages say, remembered: a service tells a whole fleet the same, word for word.

A payload names no thing and counts time in seconds, and the devices of a group have the same client tokens. So what one
device was told is read, and the next ones that are told it look it up. The service's times are left out, by which no
agent goes: then what was said a second later is the same event, and what comes of it is remembered, too (see
`memoised_steps`).
"""

from dataclasses import replace
from typing import Final, assert_never

from agent.core.events import Answered, Hinted
from agent.incoming import Heard, heard
from agent.values import (
    Answer,
    Execution,
    ExecutionTold,
    Hint,
    JobMentioned,
    NextChanged,
    PendingChanged,
    PendingListed,
    Rejected,
    UpdateAccepted,
)

PREFIX: Final = "$aws/things/"
LIMIT: Final = 8192
"""So many messages are remembered; then all are forgotten: nobody is told again what the time was a minute ago."""
LONGEST: Final = 2048
"""Bytes of one: a larger one, with a large job document in it, is read by each device."""
TIMELESS: Final = 0


class MemoisedMessages:
    """Reads as `heard` does, but for the times, and faster the second time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Heard] = {}
        """By what follows the thing in the topic, and the payload; what cannot be read is not remembered."""
        self._same: dict[Answered | Hinted, Answered | Hinted] = {}
        """The one object for all events that are equal."""

    def __call__(self, thing: str, topic: str, payload: bytes) -> Heard:
        """See `agent.incoming.Reading`."""
        if not (topic.startswith(PREFIX) and topic.startswith(thing, len(PREFIX))):
            return heard(thing, topic, payload)
        said = topic[len(PREFIX) + len(thing) :], payload
        known = self._known.get(said)
        return self._learn(said, thing, topic) if known is None else known

    def _learn(self, said: tuple[str, bytes], thing: str, topic: str) -> Heard:
        _, payload = said
        event = heard(thing, topic, payload)
        if event is None or len(payload) > LONGEST:
            return event
        if len(self._known) >= LIMIT:
            self._known.clear()
            self._same.clear()
        event = timeless(event)
        event = self._known[said] = self._same.setdefault(event, event)
        return event


def timeless(event: Answered | Hinted) -> Answered | Hinted:
    """The same event without the service's times; when an execution was queued is part of what it is called."""
    if isinstance(event, Answered):
        return replace(event, answer=_answer(event.answer))
    return Hinted(_hint(event.hint))


def _answer(answer: Answer) -> Answer:
    match answer:
        case PendingListed():
            listed = _all(answer.in_progress), _all(answer.queued)
            return answer._replace(timestamp=TIMELESS, in_progress=listed[0], queued=listed[1])
        case ExecutionTold():
            return answer._replace(timestamp=TIMELESS, execution=_execution(answer.execution))
        case UpdateAccepted() | Rejected():
            return answer._replace(timestamp=TIMELESS)
        case _:
            assert_never(answer)


def _hint(hint: Hint) -> Hint:
    match hint:
        case PendingChanged():
            listed = _all(hint.in_progress), _all(hint.queued)
            return replace(hint, timestamp=TIMELESS, in_progress=listed[0], queued=listed[1])
        case NextChanged():
            return replace(hint, timestamp=TIMELESS, execution=_execution(hint.execution))
        case JobMentioned():
            return hint
        case _:
            assert_never(hint)


def _all(executions: tuple[Execution, ...]) -> tuple[Execution, ...]:
    return tuple(replace(each, last_updated_at=TIMELESS, started_at=None) for each in executions)


def _execution(execution: Execution | None) -> Execution | None:
    return None if execution is None else replace(execution, last_updated_at=TIMELESS, started_at=None)
