"""What a message is to the device that it came to: an answer, a notification, or nothing of its own."""

from collections.abc import Callable
from typing import TypeAlias

from agent.core.events import Answered, Hinted
from agent.messages import read_answer, read_hint
from agent.topics import AnswerTopic, HintTopic, parse

Heard: TypeAlias = Answered | Hinted | None
Reading: TypeAlias = Callable[[str, str, bytes], Heard]
"""Of a thing, a topic and a payload. Raises WireError if it is for the thing, and cannot be read."""


def heard(thing: str, topic: str, payload: bytes) -> Heard:
    """See Reading."""
    parsed = parse(topic)
    if isinstance(parsed, AnswerTopic) and parsed.request.thing == thing:
        return Answered(read_answer(parsed, topic, payload))
    if isinstance(parsed, HintTopic) and parsed.thing == thing:
        return Hinted(read_hint(parsed, topic, payload))
    return None
