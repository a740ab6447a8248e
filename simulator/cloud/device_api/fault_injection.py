"""What the network and a bad day of the service do to messages, by the scenario's word. Pure, and the same everywhere.

For each message the question is what its `Fate` is: how many copies arrive, and how late, whether it is held on its
way, and whether its thing's network is cut as it comes. A device's messages are counted per fault, and chance is drawn
from a sequence that the seed fixes, so that a run can be repeated. Who carries messages acts on it: see `network`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from agent.jitter import Jitter
from agent.topics import AnswerTopic, HintTopic, RequestTopic, Verb, parse
from agent.values import NEXT, Answer, ErrorCode, ExecutionTold, Request, Update
from simulator.cloud.device_api.deletions import Deletions
from simulator.cloud.settings.service import Fault, MessageKind
from simulator.trace import FaultStruck

MOST_THINGS: Final = 100_000
"""So many things are told apart; a scenario has fewer."""
ON_TIME: Final[tuple[float, ...]] = (0.0,)
ANSWERS: Final[dict[Verb, MessageKind]] = {
    "get-pending": "get-pending-answer",
    "start-next": "start-next-answer",
    "describe": "describe-answer",
    "update": "update-answer",
}


class Fate(NamedTuple):
    """What becomes of a message: how many seconds late each copy of it arrives, none if it is lost; what holds it
    before that; what cuts the network of its thing, and so loses it."""

    delays: tuple[float, ...] = ON_TIME
    hold: Fault | None = None
    cut: Fault | None = None


UNTOUCHED: Final = Fate()


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about; of an answer, what the request was about, and the job that it tells of."""

    job_id: str | None = None
    status: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """The statusDetails of an update; who reads them from a payload has whatever stands there."""

    @classmethod
    def request(cls, request: Request) -> "About":
        """What a request is about."""
        if isinstance(request, Update):
            return cls(request.job_id, request.status, dict(request.status_details or ()))
        return cls(_named(getattr(request, "job_id", None)))

    def told(self, answer: Answer | None) -> "About":
        """What the answer is about."""
        if self.job_id is None and isinstance(answer, ExecutionTold) and answer.execution is not None:
            return About(answer.execution.key.job_id, self.status, self.details)
        return self

    @classmethod
    def read(cls, job_id: str | None, request: bytes, answer: bytes = b"") -> "About":
        """The same from payloads: no update, perhaps, or nonsense."""
        asked = _object(request)
        job_id, status, details = _named(job_id), asked.get("status"), asked.get("statusDetails")
        if job_id is None and answer:
            execution = _object(answer).get("execution")
            told = execution.get("jobId") if isinstance(execution, dict) else None
            job_id = told if isinstance(told, str) else None
        return cls(job_id, _text(status), details if isinstance(details, dict) else {})

    def step(self, key: str) -> str | None:
        """The step that it reports under that key."""
        return _text(self.details.get(key))


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


def _named(job_id: str | None) -> str | None:
    return None if job_id == NEXT else job_id


def _text(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _object(payload: bytes) -> dict[str, Any]:
    """What an object in JSON says; it may be none."""
    try:
        told = json.loads(payload or b"{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _forget_the_first(known: dict[Any, Any]) -> None:
    """Anybody may publish for any thing where nobody asks who it is; for whom is forgotten it begins anew."""
    if len(known) > MOST_THINGS:
        del known[next(iter(known))]


class Faults:
    """The faults of one run. `struck` gets what those that have names did."""

    def __init__(
        self, faults: tuple[Fault, ...], seed: str, struck: Callable[[FaultStruck], object] | None = None
    ) -> None:
        self._on: dict[MessageKind, list[Fault]] = {}
        for fault in faults:
            for message in fault.messages:
                self._on.setdefault(message, []).append(fault)
        named = (fault.after_deletion_of for fault in faults)
        self.deletions = Deletions(named, (fault.after_queueing_of for fault in faults))
        self._seed = seed
        self._struck = struck
        self._counts: dict[tuple[int, str], int] = {}
        self._chances: dict[str, Jitter] = {}

    def concern(self, message: MessageKind) -> bool:
        """Whether any of them is about messages of that kind."""
        return message in self._on

    def fate(self, thing: str, message: MessageKind, about: About = NOTHING) -> Fate:
        """What becomes of a message on its way."""
        fate = UNTOUCHED
        for fault in self._on.get(message, ()):
            if fault.do in ("throttle", "fail") or (fault.do == "hold" and fate.hold is not None):
                continue
            if not self._strikes(fault, thing, message, about):
                continue
            match fault.do:
                case "lose":
                    return Fate(())
                case "cut":
                    return Fate((), cut=fault)
                case "hold":
                    fate = fate._replace(hold=fault)
                case "duplicate":
                    fate = fate._replace(delays=fate.delays * 2)
                case _:
                    fate = fate._replace(delays=tuple(late + fault.lasts for late in fate.delays))
        return fate

    def refusal(self, thing: str, message: MessageKind, about: About) -> ErrorCode | None:
        """The passing error that the service answers instead of doing what it is asked."""
        for fault in self._on.get(message, ()):
            if fault.do in ("throttle", "fail") and self._strikes(fault, thing, message, about):
                return ErrorCode.REQUEST_THROTTLED if fault.do == "throttle" else ErrorCode.INTERNAL_ERROR
        return None

    def _strikes(self, fault: Fault, thing: str, message: MessageKind, about: About) -> bool:
        does = self._is_meant(fault, thing, about) and self._is_its_turn(fault, thing) and self._by_chance(fault, thing)
        if does and fault.name is not None and self._struck is not None:
            step = about.step(fault.step_key)
            self._struck(FaultStruck(thing, fault.name, fault.do, message, about.job_id, about.status, step))
        return does

    def _is_meant(self, fault: Fault, thing: str, about: About) -> bool:
        if fault.job is not None and fault.job != about.job_id and (fault.do != "hold" or about.job_id is not None):
            return False
        if fault.status is not None and fault.status != about.status:
            return False
        if fault.step is not None and fault.step != about.step(fault.step_key):
            return False
        if fault.after_deletion_of is not None and not self.deletions.has_begun(fault.after_deletion_of, thing):
            return False
        if fault.after_queueing_of is not None and not self.deletions.has_been_queued(fault.after_queueing_of, thing):
            return False
        if fault.do == "hold":
            return not self._has_come(fault, fault.job or about.job_id, thing)
        return fault.until is None or not self._has_come(fault, fault.after_deletion_of, thing)

    def _has_come(self, fault: Fault, job_id: str | None, thing: str) -> bool:
        """Whether that which ends it has befallen a job."""
        return job_id is not None and self.deletions.has_come_to(fault.lets_go, job_id, thing)

    def _is_its_turn(self, fault: Fault, thing: str) -> bool:
        if fault.first is None and fault.nth is None:
            return True
        count = self._counts[id(fault), thing] = self._counts.get((id(fault), thing), 0) + 1
        _forget_the_first(self._counts)
        return count == fault.nth if fault.first is None else count <= fault.first

    def _by_chance(self, fault: Fault, thing: str) -> bool:
        if fault.rate == 1:
            return True
        chance = self._chances.get(thing)
        if chance is None:
            chance = self._chances[thing] = Jitter(f"{self._seed}/faults/{thing}")
            _forget_the_first(self._chances)
        return chance.random() < fault.rate
