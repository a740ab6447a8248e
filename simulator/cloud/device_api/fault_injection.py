"""What the network and a bad day of the service do to messages, by the scenario's word. Pure, and the same everywhere.

For each message the question is: how many copies arrive, and how late. A device's messages are counted per fault, and
chance is drawn from a sequence that the seed fixes, so that a run can be repeated.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from agent.jitter import Jitter
from agent.topics import AnswerTopic, HintTopic, RequestTopic, Verb, parse
from agent.values import ErrorCode, Request, Update
from simulator.cloud.settings.service import Fault, MessageKind

MOST_THINGS: Final = 100_000
"""So many things are told apart; a scenario has fewer."""
ON_TIME: Final[tuple[float, ...]] = (0.0,)
ANSWERS: Final[dict[Verb, MessageKind]] = {
    "get-pending": "get-pending-answer",
    "start-next": "start-next-answer",
    "describe": "describe-answer",
    "update": "update-answer",
}


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about; of an answer, what the request was about."""

    job_id: str | None = None
    status: str | None = None
    step: str | None = None

    @classmethod
    def request(cls, request: Request) -> "About":
        """What a request is about."""
        if isinstance(request, Update):
            return cls(request.job_id, request.status, dict(request.status_details or ()).get("step"))
        return cls(getattr(request, "job_id", None))


NOTHING: Final = About()


def message_on(topic: str) -> tuple[str, MessageKind, str | None] | None:
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


def _reported(payload: bytes) -> tuple[str | None, str | None]:
    """Status and step that an update reports; it may be no update, or nonsense."""
    try:
        told = json.loads(payload or b"{}")
        return told.get("status"), told.get("statusDetails", {}).get("step")
    except (ValueError, AttributeError, RecursionError):
        return None, None


def _forget_the_first(known: dict[Any, Any]) -> None:
    """Anybody may publish for any thing where nobody asks who it is; for whom is forgotten it begins anew."""
    if len(known) > MOST_THINGS:
        del known[next(iter(known))]


class Faults:
    """The faults of one run."""

    def __init__(self, faults: tuple[Fault, ...], seed: str) -> None:
        self._on: dict[MessageKind, list[Fault]] = {}
        for fault in faults:
            for message in fault.messages:
                self._on.setdefault(message, []).append(fault)
        self._seed = seed
        self._counts: dict[tuple[int, str], int] = {}
        self._chances: dict[str, Jitter] = {}

    def lateness(self, topic: str, request: bytes = b"") -> tuple[float, ...]:
        """How many seconds late each copy of a message on this topic arrives; `request` is it, or what it answers."""
        found = message_on(topic)
        if found is None or found[1] not in self._on:
            return ON_TIME
        thing, message, job_id = found
        return self.delays(thing, message, About(job_id, *_reported(request)))

    def delays(self, thing: str, message: MessageKind, about: About = NOTHING) -> tuple[float, ...]:
        """How many seconds late each copy of a message arrives; no copy if it is lost."""
        delays = ON_TIME
        for fault in self._on.get(message, ()):
            if fault.do in ("lose", "duplicate", "delay") and self._strikes(fault, thing, about):
                if fault.do == "lose":
                    return ()
                delays = delays * 2 if fault.do == "duplicate" else tuple(late + fault.lasts for late in delays)
        return delays

    def refusal(self, thing: str, message: MessageKind, about: About) -> ErrorCode | None:
        """The passing error that the service answers instead of doing what it is asked."""
        for fault in self._on.get(message, ()):
            if fault.do in ("throttle", "fail") and self._strikes(fault, thing, about):
                return ErrorCode.REQUEST_THROTTLED if fault.do == "throttle" else ErrorCode.INTERNAL_ERROR
        return None

    def _strikes(self, fault: Fault, thing: str, about: About) -> bool:
        wanted = ((fault.job, about.job_id), (fault.status, about.status), (fault.step, about.step))
        if any(one is not None and one != other for one, other in wanted):
            return False
        if fault.first is not None:
            count = self._counts[id(fault), thing] = self._counts.get((id(fault), thing), 0) + 1
            _forget_the_first(self._counts)
            if count > fault.first:
                return False
        if fault.rate == 1:
            return True
        chance = self._chances.get(thing)
        if chance is None:
            chance = self._chances[thing] = Jitter(f"{self._seed}/faults/{thing}")
            _forget_the_first(self._chances)
        return chance.random() < fault.rate
