"""Which entries of a cell's trace show what came of it; and packets in words, with topic and payload.

Of a cell that failed, or is in doubt, those that the verdict points at, and what happened around them; of any cell the
moments at which it was played: deletions, what was done to messages, records that went. Bounded in number and length.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from agent.device_events import RequestKind
from agent.topics import HintTopic, hint_topic
from simulator.certify.certificate import Evidence
from simulator.certify.first_job import topic_of
from simulator.certify.learning import Carrier
from simulator.report.causality import surroundings
from simulator.report.phrases import execution_words
from simulator.report.plain import plain
from simulator.report.words import who, words
from simulator.trace import CLOUD, Entry, HintPublished, RequestAnswered, RequestReceived
from simulator.verdict import Doubt, Verdict, Violation

WITHIN: Final = 1_000
"""What belongs to an entry is looked for so far before and after it: a device may flood a trace."""
MOST_POINTED_AT: Final = 12
MOST_AROUND: Final = 24
MOST_MOMENTS: Final = 12
MOST_AT_THE_END: Final = 16
"""So many entries of a cell, at most."""
MOMENTS: Final = frozenset(
    {
        "deletion.requested",
        "deletion.accepted",
        "deletion.refused",
        "job.deletion_began",
        "job.deleted",
        "execution.removed",
        "fault.struck",
        "fault.over",
    }
)
TURNS: Final = frozenset({"job.deletion_began", "execution.removed", "fault.struck", "fault.over"})
"""Without which nobody understands what came after."""
UNTOLD: Final = frozenset({"answer.delivered", "process.stalled", "account.ended"})
"""What says little of a device."""
SEE: Final = re.compile(r"; see (\S+#\d+)")
"""How a verdict names the entry that shows why."""
HTTP: Final[dict[RequestKind, str]] = {
    "get-pending": "GET /things/{thing}/jobs",
    "start-next": "PUT /things/{thing}/jobs/$next",
    "describe": "GET /things/{thing}/jobs/{job}",
    "update": "POST /things/{thing}/jobs/{job}",
}
"""The Jobs data plane (AWS IoT Jobs Data Plane API Reference)."""


class Packets:
    """Tells the entries of one trace; of an answer it looks up what had been asked.

    Of a device that speaks both, MQTT and HTTP, it is not told where a packet went.
    """

    def __init__(self, trace: Sequence[Entry], carrier: Carrier) -> None:
        self._carrier = carrier
        self._asked = dict(_answers(trace))

    def told(self, entry: Entry) -> str:
        """What happened, in one line; of a packet where it went, and what it says."""
        match entry.event:
            case RequestReceived() as request if entry.source == CLOUD:
                by = request.client or request.thing
                copy = ", a copy" if request.dup else ""
                text = f"{by} {self._sent(request)}: {_body(request)}{copy}"
            case RequestAnswered() as answer if entry.source == CLOUD:
                text = f"the cloud {self._answered(answer, self._asked.get(entry.id))}"
            case HintPublished(thing=thing, hint=hint, namespace_id=namespace, listed=listed):
                job = listed[0].job_id if listed else "JOB"
                topic = hint_topic(HintTopic(thing, hint, namespace, job))
                text = f"the cloud to {topic}: {', '.join(map(execution_words, listed)) or 'nothing is pending'}"
            case event:
                text = f"{who(entry)} {words(event)}"
        return plain(text)

    def _sent(self, request: RequestReceived) -> str:
        return f"{_preposition(self._carrier)}{self._place(request)}"

    def _answered(self, answer: RequestAnswered, request: RequestReceived | None) -> str:
        place, told = answer.request if request is None else self._place(request), _told_by(answer)
        if self._carrier == "mqtt" and request is not None:
            return f"to {place}/{'accepted' if answer.accepted else 'rejected'}: {told or '{}'}"
        return f"answered {place}: {'accepted' if answer.accepted else 'rejected with'} {told}".rstrip()

    def _place(self, request: RequestReceived) -> str:
        match self._carrier:
            case "mqtt":
                return topic_of(request.thing, request.request, request.job_id, request.namespace_id)
            case "http":
                return HTTP[request.request].format(thing=request.thing, job=request.job_id or "JOB")
            case "both":
                return f"{request.request} {request.job_id or ''}".strip()


def evidence(verdict: Verdict, trace: Sequence[Entry], carrier: Carrier = "mqtt") -> tuple[Evidence, ...]:
    """In the order of the trace; what it points at first of all that there is room for."""
    packets = Packets(trace, carrier)
    known = {entry.id: number for number, entry in enumerate(trace)}
    pointed_at = tuple(dict.fromkeys(_pointed_at(verdict)))[:MOST_POINTED_AT]
    shown = dict.fromkeys(known[each] for each in pointed_at if each in known)
    chosen = sorted({*shown, *_around(trace, list(shown), known), *_moments(trace)})
    lost = (
        Evidence(id=each, at=None, text="not in this trace", pointed_at=True)
        for each in pointed_at
        if each not in known
    )
    return (*(_evident(packets, trace[number], number in shown) for number in chosen), *lost)


def telling(evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    """So many of them at most, in order: those that are pointed at, what turned before, then what is next to them."""
    shown = [number for number, each in enumerate(evidence) if each.pointed_at] or [len(evidence)]

    def rank(number: int) -> tuple[bool, bool, int, int]:
        each = evidence[number]
        return not each.pointed_at, each.type not in TURNS, min(abs(number - near) for near in shown), number

    return [evidence[number] for number in sorted(sorted(range(len(evidence)), key=rank)[:most])]


def lines(evidence: Iterable[Evidence]) -> Iterator[str]:
    """Of each entry when, what, and its id; those that a violation or doubt points at are marked."""
    for each in evidence:
        at = "" if each.at is None else f"{each.at:.3f} s  "
        yield f"{'>' if each.pointed_at else ' '} {at}{each.text}  [{each.id}]"


def last_seen(trace: Sequence[Entry], carrier: Carrier = "mqtt") -> tuple[Evidence, ...]:
    """How a trace ends: what was seen last of a device that does not come back to work, or did not do its first job."""
    packets = Packets(trace, carrier)
    told = [entry for entry in trace if entry.event.type not in UNTOLD]
    return tuple(_evident(packets, entry, False) for entry in told[-MOST_AT_THE_END:])


def _evident(packets: Packets, entry: Entry, is_pointed_at: bool) -> Evidence:
    text, at = packets.told(entry), round(entry.at, 6)
    return Evidence(id=entry.id, type=entry.event.type, at=at, text=text, pointed_at=is_pointed_at)


def last_named(found: Violation | Doubt) -> str | None:
    """The entry that a violation ends in: those that it names are in order of cause."""
    return found.events[-1] if found.events else None


def _pointed_at(verdict: Verdict) -> Iterator[str]:
    """By violations; else by doubts, and by the sentence that says why. First that in which each ends."""
    violations = [each for invariant in verdict.invariants for each in invariant.violations]
    doubts = [each for invariant in verdict.invariants for each in invariant.doubts]
    found = violations or doubts
    yield from (last for each in found if (last := last_named(each)) is not None)
    for each in found:
        yield from each.events
    if verdict.outcome == "inconclusive":
        yield from SEE.findall(verdict.why)


def _around(trace: Sequence[Entry], shown: Sequence[int], known: dict[str, int]) -> list[int]:
    """What stands beside them, and what they caused or were caused by: near ones of each before far ones of any."""
    near: dict[int, None] = {}
    linked: dict[int, None] = {}
    for number in shown:
        found = surroundings(trace[number], trace[max(0, number - WITHIN) : number + WITHIN])
        near |= dict.fromkeys(known[entry.id] for entry in (*found.before, *found.after))
        linked |= dict.fromkeys(known[entry.id] for entry in found.linked)
    around = [each for each in dict.fromkeys((*linked, *near)) if each not in shown]
    return [each for each in around if trace[each].event.type not in UNTOLD][:MOST_AROUND]


def _moments(trace: Sequence[Entry]) -> list[int]:
    return [number for number, entry in enumerate(trace) if entry.event.type in MOMENTS][:MOST_MOMENTS]


class _Question(NamedTuple):
    thing: str
    request: str
    token: str | None


def _answers(trace: Iterable[Entry]) -> Iterator[tuple[str, RequestReceived]]:
    """Of each answer its id, with the request; without a token the last one of its kind."""
    asked: dict[_Question, RequestReceived] = {}
    for entry in trace:
        match entry.event:
            case RequestReceived(thing=thing, request=kind, client_token=token) as request:
                asked[_Question(thing, kind, token)] = request
            case RequestAnswered(thing=thing, request=kind, client_token=token):
                if (found := asked.get(_Question(thing, kind, token))) is not None:
                    yield entry.id, found
            case _:
                pass


def _body(request: RequestReceived) -> str:
    members = {
        "status": request.status,
        "statusDetails": request.details or None,
        "expectedVersion": request.expected_version,
        "executionNumber": request.execution_number,
        "clientToken": request.client_token,
    }
    there = {name: value for name, value in members.items() if value is not None}
    return json.dumps(there, ensure_ascii=False, separators=(",", ":"))


def _told_by(answer: RequestAnswered) -> str:
    """What an answer says, as far as the trace has it."""
    about = execution_words(answer.execution) if answer.execution is not None else "it"
    state = f"{about} is {answer.status}" if answer.status is not None else about if answer.execution else ""
    return ", ".join(filter(None, (answer.code, state)))


def _preposition(carrier: Carrier) -> str:
    return {"mqtt": "to ", "http": "", "both": "asked for "}[carrier]
