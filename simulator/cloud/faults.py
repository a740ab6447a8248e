"""What the network and a bad day of the service do to messages, by the scenario's word. Pure, and the same everywhere.

For each message the question is: how many copies arrive, and how late. A device's messages are counted per fault, and
chance is drawn from a sequence that the seed fixes, so that a run can be repeated.
"""

from typing import Final

from agent.jitter import Jitter
from agent.topics import AnswerTopic, HintTopic, RequestTopic, Verb, parse
from agent.values import ErrorCode
from simulator.cloud.settings import Fault, Message

ON_TIME: Final[tuple[float, ...]] = (0.0,)
ANSWERS: Final[dict[Verb, Message]] = {
    "get-pending": "get-pending-answer",
    "start-next": "start-next-answer",
    "describe": "describe-answer",
    "update": "update-answer",
}


def message_on(topic: str) -> tuple[str, Message, str | None] | None:
    """What a message on a Jobs topic is: thing, kind, job id; None if it is on another one."""
    match parse(topic):
        case RequestTopic() as request:
            return request.thing, request.verb, request.job_id
        case AnswerTopic(request=request):
            return request.thing, ANSWERS[request.verb], request.job_id
        case HintTopic() as hint:
            return hint.thing, hint.kind, hint.job_id
        case _:
            return None


class Faults:
    """The faults of one run."""

    def __init__(self, faults: tuple[Fault, ...], seed: str) -> None:
        self._on: dict[Message, list[Fault]] = {}
        for fault in faults:
            for message in fault.messages:
                self._on.setdefault(message, []).append(fault)
        self._seed = seed
        self._counts: dict[tuple[int, str], int] = {}
        self._chances: dict[str, Jitter] = {}

    def lateness(self, topic: str) -> tuple[float, ...]:
        """How many seconds late each copy of a message on this topic arrives."""
        message = message_on(topic)
        return ON_TIME if message is None else self.delays(*message)

    def delays(self, thing: str, message: Message, job_id: str | None) -> tuple[float, ...]:
        """How many seconds late each copy of a message arrives; no copy if it is lost."""
        delays = ON_TIME
        for fault in self._on.get(message, ()):
            if fault.do in ("lose", "duplicate", "delay") and self._strikes(fault, thing, job_id):
                if fault.do == "lose":
                    return ()
                delays = delays * 2 if fault.do == "duplicate" else tuple(late + fault.seconds for late in delays)
        return delays

    def refusal(self, thing: str, message: Message, job_id: str | None) -> ErrorCode | None:
        """The passing error that the service answers instead of doing what it is asked."""
        for fault in self._on.get(message, ()):
            if fault.do in ("throttle", "fail") and self._strikes(fault, thing, job_id):
                return ErrorCode.REQUEST_THROTTLED if fault.do == "throttle" else ErrorCode.INTERNAL_ERROR
        return None

    def _strikes(self, fault: Fault, thing: str, job_id: str | None) -> bool:
        if fault.job is not None and fault.job != job_id:
            return False
        if fault.first is not None:
            count = self._counts[id(fault), thing] = self._counts.get((id(fault), thing), 0) + 1
            if count > fault.first:
                return False
        if fault.rate == 1:
            return True
        chance = self._chances.get(thing)
        if chance is None:
            chance = self._chances[thing] = Jitter(f"{self._seed}/faults/{thing}")
        return chance.random() < fault.rate
