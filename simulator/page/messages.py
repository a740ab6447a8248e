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
from simulator.trace import AnswerDelivered, HintPublished, RequestAnswered, RequestReceived

UNDER_WAY: Final = 128
"""So many messages of one device may be without their other account; then the oldest stays without."""


@dataclass(slots=True)
class Message:
    """`sent` and `arrived` are when either side tells of it; `ids` are the entries. `number` orders those of a kind.

    Of an answer: `was_given`, it was written to the connection; `is_acknowledged`, the client sent its PUBACK. A device
    that does not await it any more, since it has asked something else, tells nothing of it all the same.
    """

    kind: Literal["to-cloud", "to-device"]
    text: str
    job: str
    namespace: str | None
    number: int
    what: Literal["request", "answer", "hint"] = "request"
    sent: When | None = None
    arrived: When | None = None
    ids: list[str] = field(default_factory=list)
    was_given: bool = False
    is_acknowledged: bool = False

    @property
    def when(self) -> When:
        """On the cloud's account, if that has it."""
        at_cloud = self.arrived if self.kind == "to-cloud" else self.sent
        when = at_cloud or self.sent or self.arrived
        assert when is not None, "one side told of it"
        return when


class Wire:
    """Pairs what both sides tell."""

    __slots__ = ("_answers", "_given", "_half", "_number", "arrived", "asked", "heard", "tells_deliveries")

    def __init__(self) -> None:
        self.asked: dict[str | None, Message] = {}
        """The requests that may yet be answered, by their tokens."""
        self.heard: set[str | None] = set()
        """The namespaces of which the device heard a notification: of others it need not hear any."""
        self._half: dict[Hashable, deque[Message]] = {}
        self._number = 0
        self.arrived = {"to-cloud": 0, "to-device": 0}
        """The number of the last message that arrived: what was sent before it is lost."""
        self.tells_deliveries = False
        """Whether the cloud tells which answers it has delivered: it does not of those over HTTP."""
        self._given: dict[int, Message] = {}
        self._answers = 0

    def has_arrived(self, message: Message) -> bool | None:
        """Whether it did; None if it may be on its way, or nobody can tell."""
        if message.arrived is not None or message.is_acknowledged:
            return True
        if message.number > self.arrived[message.kind]:
            return None
        is_known = {
            "request": True,
            "answer": self.tells_deliveries and not message.was_given,
            "hint": message.namespace in self.heard,
        }[message.what]
        return False if is_known else None

    def answered(self, number: int | None, message: Message) -> None:
        """The cloud gave this answer, of that number."""
        self._answers = self._answers + 1 if number is None else number
        if len(self._given) >= UNDER_WAY:
            del self._given[next(iter(self._given))]
        self._given[self._answers] = message

    def delivered(self, number: int, event_id: str, *, is_acknowledged: bool) -> None:
        """The answer of that number is with the device, or at least on the connection."""
        self.tells_deliveries = True
        if (message := self._given.pop(number, None)) is not None:
            message.was_given, message.is_acknowledged = True, is_acknowledged
            message.ids.append(event_id)

    def sent(self, key: Hashable, message: Message, when: When, event_id: str) -> Message | None:
        """One side tells that it sent this; the message, if it is new."""
        return self._told(key, message, when, event_id, is_arrival=False)

    def came(self, key: Hashable, message: Message, when: When, event_id: str) -> Message | None:
        """One side tells that this arrived; the message, if it is new."""
        return self._told(key, message, when, event_id, is_arrival=True)

    def waiting(self, key: Hashable) -> Message | None:
        """The first of that key of which one side has told."""
        waiting = self._half.get(key)
        return waiting[0] if waiting else None

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
    return Message("to-device", f"{request}: {word}", job, namespace, 0, "answer")


def _hinted(wire: Wire, event: HintPublished | HintReceived) -> Message:
    if isinstance(event, HintReceived) and len(wire.heard) < UNDER_WAY:
        wire.heard.add(event.namespace_id)
    listed = ", ".join(dict.fromkeys(key.job_id for key in event.listed)) or "nothing is pending"
    job = event.listed[0].job_id if event.listed else ""
    return Message("to-device", f"{event.hint}: {listed}", job, event.namespace_id, 0, "hint")


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


def _answers(wire: Wire, event: RequestAnswered, when: When, event_id: str) -> Message | None:
    message = _said(wire, event)
    known = wire.waiting(_answer_key(event))
    new = wire.sent(_answer_key(event), message, when, event_id)
    wire.answered(event.number, new or known or message)
    return new


def _delivers(wire: Wire, event: AnswerDelivered, when: When, event_id: str) -> None:
    wire.delivered(event.number, event_id, is_acknowledged=event.acknowledged)


MESSAGES: Final[dict[type, Reader]] = {
    RequestSent: _reader(_asked, _request_key, Wire.sent),
    RequestReceived: _reader(_asked, _request_key, Wire.came),
    RequestAnswered: _answers,
    AnswerDelivered: _delivers,
    AnswerReceived: _reader(_said, _answer_key, Wire.came),
    HintPublished: _reader(_hinted, _hint_key, Wire.sent),
    HintReceived: _reader(_hinted, _hint_key, Wire.came),
}
"""By the event that tells of one, how it is read."""
