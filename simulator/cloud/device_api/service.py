"""The Jobs device API, for whatever carries topics and payloads: the MQTT gateway today.

Topics and payloads become requests to the jobs core; its outcomes become answers, publications and trace entries.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, Protocol

import simulator.trace as trace
from agent.device_events import request_kind
from agent.log import get_logger
from agent.messages import RequestRefused, read_request, write_answer, write_hint
from agent.topics import HintTopic, RequestTopic, hint_topic, parse
from agent.values import Answer, ErrorCode, Hint, JobMentioned, Rejected, Request
from simulator.cloud.arns import AccountRegion
from simulator.cloud.contained import contained, tell_fault
from simulator.cloud.device_api.fault_injection import About
from simulator.cloud.device_api.job_events import Arn, event_publication
from simulator.cloud.device_api.network import Network
from simulator.cloud.device_api.trace_events import change_events, hint_events, kind_of, request_events
from simulator.cloud.jobs import Change, Event, Jobs, Outcome
from simulator.cloud.mqtt import Reaction
from simulator.cloud.notices.refusals import shortened
from simulator.cloud.registry import RegistryChange

_log = get_logger("ghostjob.cloud")

MOST_COUNTED: Final = 100_000
"""Things whose answers are counted for the trace; anybody may ask about any on the port without TLS."""
MOST_FILTERS: Final = 64
"""Of one SUBSCRIBE that the trace tells; AWS takes eight."""
LONGEST_REMEMBERED: Final = 256
"""Characters of a topic, which is what AWS takes in bytes; a longer one is read each time."""
_parse = lru_cache(maxsize=4096)(parse)
"""A device asks on the same few topics again and again. 10 MiB at most, if all have 256 characters of four bytes."""
_written = lru_cache(maxsize=64)(write_hint)
"""A job tells all of its things the same, and all of them at once."""
PREFIX: Final = "$aws/things/"
FAULT: Final = "The local cloud has a fault; its log says more."
NOTHING: Final[tuple[tuple[str, bytes], ...]] = ()


class AnsweredRequest(NamedTuple):
    """What a request brought about; there is always an answer."""

    answer: Answer
    changes: tuple[Change, ...]
    hints: tuple[tuple[str, Hint], ...]
    events: tuple[Event, ...]
    receipt: trace.AnswerDelivered | None = None
    """What to say when the answer has been delivered; None if nobody wants to know."""


class Keeper(Protocol):
    """Who writes changes down, many in one commit. Commits are numbered from 1; 0 means none."""

    def keep(self, changes: tuple[Change, ...]) -> int:
        """Write these down: the commit that will hold them."""

    def keep_registry(self, change: RegistryChange) -> None:
        """Write this down."""

    def shown_to(self, thing: str) -> int:
        """The commit under way that holds the last change of what a device of this thing may see; 0 if all is done."""


class DeviceApi:
    """What the gateway asks (see `simulator.cloud.mqtt.ReservedTopics`).

    `clock` gives epoch seconds. `observe` gets the trace events of everything that happens, and raises nothing; None
    costs nothing. `network` has the faults of a scenario, the service's own among them, and learns
    what befalls jobs. `keeper` writes the changes down.
    `changed` is called after a request that changed something; `new_id` gives the ids of events, and `arn` their ARNs.
    """

    def __init__(
        self,
        jobs: Jobs,
        clock: Callable[[], float],
        observe: Callable[[trace.CloudEvent], None] | None = None,
        network: Network | None = None,
        keeper: Keeper | None = None,
        *,
        changed: Callable[[], None] | None = None,
        new_id: Callable[[], str] = str,
        arn: Arn | None = None,
    ) -> None:
        self.network = network
        """What a scenario puts before the service, and has it fail at; may be replaced at any time."""
        self._keeper = keeper
        self._changed = changed
        self._new_id = new_id
        self._arn = arn or AccountRegion().arn
        self._jobs = jobs
        self._clock = clock
        self._observe = observe
        self._answers: dict[str, int] = {}
        self._has_forgotten = False

    def request(
        self, client_id: str, topic: str, payload: bytes, dup: bool, late_seconds: float = 0.0
    ) -> Reaction | None:
        """Answer a publication to a Jobs topic; None if it is no request, or to a topic that only the service uses."""
        parsed = _parse(topic) if len(topic) <= LONGEST_REMEMBERED else parse(topic)
        if type(parsed) is not RequestTopic:
            if parsed is None and _is_below_jobs(topic):
                refused = Rejected(
                    int(self._clock()), ErrorCode.INVALID_TOPIC, "No operation of the Jobs API has this topic."
                )
                return Reaction(f"{topic}/rejected", write_answer(refused), NOTHING)
            return None
        try:
            return self._reaction(client_id, topic, parsed, payload, dup, late_seconds)
        except Exception as error:  # whatever it is: there is an answer, and the connection goes on
            tell_fault("answering a device", error, thing=parsed.thing, request=parsed.verb)
            refused = Rejected(int(self._clock()), ErrorCode.INTERNAL_ERROR, FAULT)
            return Reaction(f"{topic}/rejected", write_answer(refused), NOTHING)

    def _reaction(
        self, client_id: str, topic: str, parsed: RequestTopic, payload: bytes, dup: bool, late_seconds: float
    ) -> Reaction:
        try:
            request = read_request(parsed, payload)
        except RequestRefused as refusal:
            answer = Rejected(int(self._clock()), refusal.code, refusal.message, refusal.client_token)
            receipt = self._trace_refusal(parsed, answer, client_id)
            return Reaction(f"{topic}/rejected", write_answer(answer), NOTHING, receipt)
        outcome, told, receipt = self._asked(parsed.thing, request, dup, client_id, late_seconds)
        suffix = "/rejected" if type(told) is Rejected else "/accepted"
        publications = self.publications(outcome) if outcome.hints or outcome.events else NOTHING
        after = 0 if self._keeper is None else self._keeper.shown_to(parsed.thing)
        return Reaction(topic + suffix, write_answer(told), publications, receipt, after)

    def ask(
        self, thing: str, request: Request, dup: bool = False, client_id: str | None = None, late_seconds: float = 0.0
    ) -> AnsweredRequest:
        """Answer a request, and trace what comes of it; without `client_id`, the thing's own client asks."""
        outcome, told, receipt = self._asked(thing, request, dup, client_id, late_seconds)
        return AnsweredRequest(told, outcome.changes, outcome.hints, outcome.events, receipt)

    def _asked(
        self, thing: str, request: Request, dup: bool, client_id: str | None, late_seconds: float
    ) -> tuple[Outcome, Answer, trace.AnswerDelivered | None]:
        """The same, with what the gateway, where every microsecond counts, would only take apart again."""
        network = self.network
        if network is None:
            outcome = self._carried_out(thing, request)
        else:
            outcome = self._refuse_for_now(network, thing, request) or self._carried_out(thing, request)
            contained("telling the network", network.learn, outcome.changes)
        told = outcome.answer
        assert told is not None, "a device is always answered"
        receipt = None
        if self._observe is not None:
            number = self._number(thing)
            events = self._events(thing, request, dup, client_id, late_seconds, outcome, number)
            contained("tracing", self._trace, events)
            receipt = trace.AnswerDelivered(thing, number)
        if outcome.changes and self._changed is not None:
            contained("setting the clock", self._changed)
        return outcome, told, receipt

    def _carried_out(self, thing: str, request: Request) -> Outcome:
        """What came of a request; a fault of ours is a passing error to whoever asks, and has changed nothing."""
        try:
            return self._jobs.device_request(thing, request, self._clock())
        except Exception as error:  # whatever it is: there is an answer
            tell_fault("answering a device", error, thing=thing, request=request_kind(request))
            return Outcome(Rejected(int(self._clock()), ErrorCode.INTERNAL_ERROR, FAULT, request.client_token))

    def delivered(self, receipt: object, acknowledged: bool) -> None:
        """An answer has been delivered."""
        if self._observe is not None and isinstance(receipt, trace.AnswerDelivered):
            self._observe(receipt if acknowledged else replace(receipt, acknowledged=False))

    def _number(self, thing: str) -> int:
        """The number of the next answer about a thing."""
        number = self._answers[thing] = self._answers.get(thing, 0) + 1
        if number == 1 and len(self._answers) > MOST_COUNTED:
            del self._answers[next(iter(self._answers))]
            if not self._has_forgotten:
                self._has_forgotten = True
                hint = (
                    "answers to the first are counted anew in the trace; fewer things ask if ports are closed to others"
                )
                _log.warning("trace.things_forgotten", things=MOST_COUNTED, hint=hint)
        return number

    def _refuse_for_now(self, network: Network, thing: str, request: Request) -> Outcome | None:
        """What a scenario wants the service to fail at."""
        code = network.refusal(thing, request_kind(request), About.request(request))
        return None if code is None else Outcome(Rejected(int(self._clock()), code, "", request.client_token))

    def connected(self, client_id: str, session_present: bool) -> None:
        """A client is connected."""
        if self._observe is not None:
            self._observe(trace.ClientConnected(client_id, session_present))

    def subscribed(self, client_id: str, filters: list[str], refused: list[str]) -> None:
        """A client asked for subscriptions."""
        if self._observe is not None:
            self._observe(trace.ClientSubscribed(client_id, _bounded(filters), _bounded(refused)))

    def disconnected(self, client_id: str, reason: str) -> None:
        """A connection ended."""
        if self._observe is not None:
            self._observe(trace.ClientDisconnected(client_id, reason))

    def publications(self, outcome: Outcome | AnsweredRequest) -> tuple[tuple[str, bytes], ...]:
        """The outcome's hints and events as topics and payloads, in order."""
        try:
            told = [_publication(thing, hint) for thing, hint in outcome.hints]
            for number, event in enumerate(outcome.events):
                told.insert(event.after_hints + number, event_publication(event, self._new_id(), self._arn))
        except Exception:  # whatever it is: what can be told is told
            return self._publications_one_by_one(outcome)
        return tuple(told)

    def _publications_one_by_one(self, outcome: Outcome | AnsweredRequest) -> tuple[tuple[str, bytes], ...]:
        told: list[tuple[str, bytes]] = []
        events = deque(outcome.events)

        def tell_event(event: Event) -> None:
            told.append(event_publication(event, self._new_id(), self._arn))

        def tell_hint(thing: str, hint: Hint) -> None:
            told.append(_publication(thing, hint))

        for number in range(len(outcome.hints) + 1):
            while events and events[0].after_hints <= number:
                contained("telling an event", tell_event, events.popleft())
            if number < len(outcome.hints):
                contained("telling a hint", tell_hint, *outcome.hints[number])
        return tuple(told)

    def record(self, outcome: Outcome) -> None:
        """Trace the outcome's changes and hints, and have the network learn of them."""
        if self.network is not None:
            contained("telling the network", self.network.learn, outcome.changes)
        if self._observe is not None:
            self._trace(chain(change_events(outcome.changes), hint_events(outcome.hints)))

    def _trace(self, events: Iterable[trace.CloudEvent]) -> None:
        assert self._observe is not None, "asked for"
        for event in events:
            self._observe(event)

    def _events(
        self,
        thing: str,
        request: Request,
        dup: bool,
        client_id: str | None,
        late_seconds: float,
        outcome: Outcome,
        number: int,
    ) -> Iterator[trace.CloudEvent]:
        """What there is to trace of a request and of what came of it."""
        return request_events(
            thing, request, outcome, dup=dup, client_id=client_id, late_seconds=late_seconds, number=number
        )

    def _trace_refusal(self, topic: RequestTopic, answer: Rejected, client_id: str) -> trace.AnswerDelivered | None:
        if self._observe is None:
            return None
        thing, verb, token = topic.thing, topic.verb, answer.client_token
        client = client_id if client_id != thing else None
        number = self._number(thing)
        self._observe(trace.RequestReceived(thing, verb, token, topic.namespace_id, topic.job_id, client=client))
        self._observe(trace.RequestAnswered(thing, verb, False, token, answer.code.value, number=number))
        return trace.AnswerDelivered(thing, number)


def _bounded(filters: list[str]) -> tuple[str, ...]:
    """As many filters, and as much of each, as are told."""
    return tuple(map(shortened, filters[:MOST_FILTERS]))


def _is_below_jobs(topic: str) -> bool:
    if not topic.startswith(PREFIX):
        return False
    levels = topic.split("/")
    return len(levels) > 4 and levels[3] == "jobs"


def _publication(thing: str, hint: Hint) -> tuple[str, bytes]:
    topic = hint_topic(
        HintTopic(thing, kind_of(hint), hint.namespace_id, hint.job_id if isinstance(hint, JobMentioned) else None)
    )
    if isinstance(hint, JobMentioned):
        return topic, b"{}" if hint.told is None else _written(hint.told)
    return topic, _written(hint)
