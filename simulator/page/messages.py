"""What goes over the wire between the cloud and one device: each message once, with both accounts of it.

A request is in the device's account when it leaves, in the cloud's when it arrives; an answer and a notification the
other way round. Who tells first depends on how the two accounts interleave. A message of which only one side tells is
lost, or on its way.
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agent.device_events import AnswerReceived, HintReceived, RequestSent
from agent.values import NEXT, ExecutionKey
from simulator.page.axis import When
from simulator.trace import HintPublished, RequestAnswered, RequestReceived

UNDER_WAY: Final = 128
"""So many messages of one device may be without their other account; then the oldest stays without."""


@dataclass(slots=True)
class Message:
    """`sent` and `arrived` are when either side tells of it; `ids` are the entries. `number` orders those of a kind."""

    kind: Literal["to-cloud", "to-device"]
    text: str
    job: str
    namespace: str | None
    number: int
    is_hint: bool = False
    sent: When | None = None
    arrived: When | None = None
    ids: list[str] = field(default_factory=list)

    @property
    def when(self) -> When:
        """On the cloud's account, if that has it."""
        at_cloud = self.arrived if self.kind == "to-cloud" else self.sent
        when = at_cloud or self.sent or self.arrived
        assert when is not None, "one side told of it"
        return when


class Wire:
    """Pairs what both sides tell."""

    __slots__ = ("_half", "_number", "arrived", "asked", "heard")

    def __init__(self) -> None:
        self.asked: dict[str | None, Message] = {}
        """The requests that may yet be answered, by their tokens."""
        self.heard: set[str | None] = set()
        """The namespaces of which the device heard a notification: of others it need not hear any."""
        self._half: dict[Hashable, deque[Message]] = {}
        self._number = 0
        self.arrived = {"to-cloud": 0, "to-device": 0}
        """The number of the last message that arrived: what was sent before it is lost."""

    def sent(self, key: Hashable, message: Message, when: When, event_id: str) -> Message | None:
        """One side tells that it sent this; the message, if it is new."""
        return self._told(key, message, when, event_id, is_arrival=False)

    def came(self, key: Hashable, message: Message, when: When, event_id: str) -> Message | None:
        """One side tells that this arrived; the message, if it is new."""
        return self._told(key, message, when, event_id, is_arrival=True)

    def _told(self, key: Hashable, message: Message, when: When, event_id: str, *, is_arrival: bool) -> Message | None:
        waiting = self._half.get(key)
        known = waiting[0] if waiting and (waiting[0].arrived is None) is is_arrival else None
        told = known or message
        if known is None:
            self._number += 1
            message.number = self._number
        if is_arrival:
            told.arrived = when
            self.arrived[told.kind] = max(self.arrived[told.kind], told.number)
        else:
            told.sent = when
        told.ids.append(event_id)
        if known is None:
            self._wait(key, message)
            return message
        assert waiting is not None, "it waited there"
        waiting.popleft()
        if not waiting:
            del self._half[key]
        return None

    def _wait(self, key: Hashable, message: Message) -> None:
        if len(self._half) >= UNDER_WAY:
            del self._half[next(iter(self._half))]
        self._half.setdefault(key, deque(maxlen=8)).append(message)


# ── what is said in them ──────────────────────────────────────────────────────────────────────────────────────────


def _asked(wire: Wire, event: RequestSent | RequestReceived) -> Message:
    job = event.job_id if event.job_id not in (None, NEXT) else ""
    about = f" {event.job_id}" if event.job_id else ""
    details = dict(event.details or {})
    step = f" ({details['step']})" if "step" in details else ""
    to = f": {event.status}{step}" if event.status else ""
    copy = ", a copy" if isinstance(event, RequestReceived) and event.dup else ""
    message = Message("to-cloud", f"{event.request}{about}{to}{copy}", job or "", event.namespace_id, 0)
    if len(wire.asked) >= UNDER_WAY:
        del wire.asked[next(iter(wire.asked))]
    wire.asked[event.client_token] = message
    return message


def _said(wire: Wire, event: RequestAnswered | AnswerReceived) -> Message:
    key, asked = event.execution, wire.asked.get(event.client_token)
    request = asked.text.partition(":")[0] if asked is not None else "the answer"
    word = "accepted" if event.accepted else f"rejected, {event.code}"
    if key is not None and event.status:
        word = f"{key.job_id} is {event.status}"
    job = key.job_id if key else asked.job if asked else ""
    namespace = key.namespace_id if key else asked.namespace if asked else None
    return Message("to-device", f"{request}: {word}", job, namespace, 0)


def _hinted(wire: Wire, event: HintPublished | HintReceived) -> Message:
    if isinstance(event, HintReceived) and len(wire.heard) < UNDER_WAY:
        wire.heard.add(event.namespace_id)
    listed = ", ".join(dict.fromkeys(key.job_id for key in event.listed)) or "nothing is pending"
    job = event.listed[0].job_id if event.listed else ""
    return Message("to-device", f"{event.hint}: {listed}", job, event.namespace_id, 0, is_hint=True)


def _request_key(event: RequestSent | RequestReceived) -> Hashable:
    return "asked", event.client_token


def _answer_key(event: RequestAnswered | AnswerReceived) -> Hashable:
    return "said", event.client_token


def _hint_key(event: HintPublished | HintReceived) -> Hashable:
    listed: tuple[ExecutionKey, ...] = event.listed
    return event.hint, event.namespace_id, listed


Reader = Callable[[Wire, Any, When, str], Message | None]


def _reader(
    said: Callable[[Wire, Any], Message], key: Callable[[Any], Hashable], tell: Callable[..., Message | None]
) -> Reader:
    return lambda wire, event, when, event_id: tell(wire, key(event), said(wire, event), when, event_id)


MESSAGES: Final[dict[type, Reader]] = {
    RequestSent: _reader(_asked, _request_key, Wire.sent),
    RequestReceived: _reader(_asked, _request_key, Wire.came),
    RequestAnswered: _reader(_said, _answer_key, Wire.sent),
    AnswerReceived: _reader(_said, _answer_key, Wire.came),
    HintPublished: _reader(_hinted, _hint_key, Wire.sent),
    HintReceived: _reader(_hinted, _hint_key, Wire.came),
}
"""By the event that tells of one, how it is read."""
