"""A device that gives no account of itself, told in the words of such an account, from what the wire shows.

The service sees requests arrive and answers go; what the device made of them has to be inferred, and wherever two
explanations are left, the one that does not accuse it is taken:

    request.received     it sent that, once, however many copies came, and before the network kept it. An update or a
                         describe is meant for the latest incarnation of its job id that any answer or notification
                         could have told this client of by then.
    answer.delivered     it processed the answer, if that came soon, on the connection on which it had asked, and before
                         it asked anything else: devices may drop what they no longer await. With QoS 0, which proves
                         nothing, only if the device then said nothing for longer than any round trip takes; or if it
                         then said the very same at once: nobody repeats a question while its answer may be on its way.
    client.connected     it may have lost its memory: what it had been told just before may be forgotten.
    hint.published       it may have heard it, if it was connected, or went on with its session afterwards.
    statusDetails.step   (or another key) a step that is named for the first time began after the report before.

All times are the cloud's. Where entries are pointed at, they are the cloud's, too.

Relies on the cloud's own order and on nothing else. What is inferred of a moment that has passed, such as a step that
began after the report before, or the sending of what the network kept back, comes late, with the number of its moment.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from agent.device_events import (
    AnswerReceived,
    DeviceConnected,
    DeviceDisconnected,
    HintReceived,
    RequestSent,
    StepStarted,
)
from agent.values import NEXT, ExecutionKey, Status
from simulator.trace import (
    CLOUD,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    ExecutionQueued,
    HintPublished,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import job_of
from simulator.verdict.seen import Mark, Seen, micros
from simulator.verdict.stalls import Stalls
from simulator.verdict.state import State
from simulator.verdict.testimony import Testimony

SOON_MICROS: Final = 1_000_000
"""Whoever waits for an answer waits at least so long; one that comes later may be too late to be awaited."""
ROUND_TRIP_MICROS: Final = 2_000_000
"""Longer than any message takes to and fro."""
AT_ONCE_MICROS: Final = 50_000
"""Shorter than anybody waits for an answer: who asks the same again so soon after it was written has read it."""

COPIES: Final = 2
"""So often a report may be sent at once, to be sure; from then on it is a reaction."""

ROOM: Final = 4
"""So many places in the order of what is inferred lie between two entries of the cloud's."""

JOBS: Final = 128
ANSWERS: Final = 64
ENTRIES: Final = 64
STEPS: Final = 64
LEARNED: Final = 8
"""So many jobs, answers that may yet be delivered, times of the last entries, steps of a job, and incarnations of it
are remembered; what comes after so many steps is none that could be told from these.
"""

ClientNames: TypeAlias = frozenset[str | None]
"""An MQTT client, by the names that it has in the trace."""


class Given(NamedTuple):
    """An answer that may yet be delivered; `token` is None if another client had asked."""

    token: str | None
    mark: Mark
    event: AnswerReceived


class Unproven(NamedTuple):
    """An answer that went out at `at` without a proof of its receipt."""

    given: Given
    at: int


@dataclass(slots=True, unsafe_hash=True)
class Wire(State):
    """What is inferred of one client so far; `testimony` is its account in those words.

    `known` is the latest incarnation of each job that it could know of, `latest` that which there is. `unheard` is what
    was told of while it was off line; None while it is connected, or counts as connected.
    """

    client: ClientNames
    is_own: bool
    step_key: str = "step"
    """The key of statusDetails under which it says at which step it is: `step` is our own agents' word."""
    testimony: Testimony = field(default_factory=lambda: Testimony(is_wire=True))
    crossing: int = 0
    """So soon after a report another says nothing of what the device decided in between."""
    entries: int = 0
    last_times: tuple[int, ...] = ()
    known: Map[tuple[str | None, str], ExecutionKey] = EMPTY
    learned: Map[tuple[str | None, str], tuple[tuple[int, ExecutionKey], ...]] = EMPTY
    """Where it could first know of each of the last of these."""
    latest: Map[tuple[str | None, str], ExecutionKey] = EMPTY
    hinted: Map[tuple[str | None, str], ExecutionKey] = EMPTY
    """What it could know of each job by notifications alone."""
    unheard: tuple[ExecutionKey, ...] | None = None
    steps: Map[ExecutionKey, tuple[str, ...]] = EMPTY
    reports: Map[ExecutionKey, Mark] = EMPTY
    asking: str | None = None
    asked: Mark | None = None
    """The last that it asked, in the order of asking."""
    connection_n: int = 0
    answers: int = 0
    given: Map[int, Given] = EMPTY
    unproven: tuple[Unproven, ...] = ()
    hinted_at: int = -SOON_MICROS
    reactions: int = 0
    """So often in a row the same was asked at once after its refusal."""

    @property
    def n(self) -> int:
        """Where the entry that comes in belongs."""
        return self.entries * ROOM

    def due(self, at: int | None, stalls: Stalls) -> list[Seen[Any]]:
        """The answers of which it is clear by now, at the next entry or at the end, that they were processed."""
        told: list[Seen[Any]] = []
        stay: list[Unproven] = []
        for each in self.unproven:
            over = float(each.at + ROUND_TRIP_MICROS)
            over += stalls.lost(each.at, over)  # what had long been sent may have waited to be read
            if at is not None and at < over:
                stay.append(each)
            else:
                told += self._heard(each.given, each.at, self.n + ROOM // 2)
        self.unproven = tuple(stay)
        return told

    def after(self, seen: Seen[Any]) -> Sequence[Seen[Any]]:
        """What is inferred from the next entry; what it answers is for the account to take in."""
        mark, event = seen
        self.entries += 1
        self.last_times = (*self.last_times, mark.at)[-ENTRIES:]
        match event:
            case RequestReceived():
                return self._asked(seen)
            case RequestAnswered():
                self._answered(seen)
            case AnswerDelivered():
                return self._delivered(seen)
            case HintPublished():
                self.hinted_at = mark.at
                self._hinted(event.listed)
                return (self._seen(mark, HintReceived(event.hint, event.namespace_id, event.listed)),)
            case ExecutionQueued(execution=key):
                self.latest = self.latest.put(job_of(key), key, JOBS)
            case ClientConnected() if self.is_own:
                if event.session_present:
                    self._learn(*(self.unheard or ()))
                self.unheard, self.connection_n = None, self.n
                return (self._seen(mark, DeviceConnected(event.session_present)),)
            case ClientDisconnected() if self.is_own:
                self.unheard, self.connection_n = (), self.n
                return (self._seen(mark, DeviceDisconnected(event.reason)),)
            case _:
                pass
        return ()

    def _seen(self, mark: Mark, event: Any, n: int | None = None, at: int | None = None) -> Seen[Any]:
        """Something inferred, that belongs at `n`, and is shown by an entry."""
        return Seen(Mark(CLOUD, self.n if n is None else n, mark.at if at is None else at, mark.n), event)

    def _learn(self, *keys: ExecutionKey) -> None:
        for key in keys:
            job = job_of(key)
            if self.known.get(job) != key:
                self.known = self.known.put(job, key, JOBS)
                self.learned = self.learned.put(job, (*self.learned.get(job, ()), (self.n, key))[-LEARNED:], JOBS)

    def _known_at(self, job: tuple[str | None, str], n: int) -> ExecutionKey | None:
        """The latest incarnation that it could know of there; of what was first told of later, the first."""
        learned = self.learned.get(job, ())
        known = [key for since, key in learned if since <= n] or [key for _, key in learned[:1]]
        return known[-1] if known else self.known.get(job, self.latest.get(job))

    def _hinted(self, listed: tuple[ExecutionKey, ...]) -> None:
        """A device that is off line hears nothing, unless it goes on with its session."""
        for key in listed:
            if self.hinted.get(job_of(key)) != key:
                self.hinted = self.hinted.put(job_of(key), key, JOBS)
        if self.unheard is None:
            self._learn(*listed)
        else:
            self.unheard = (*self.unheard, *listed)[-JOBS:]

    def _asked(self, received: Seen[RequestReceived]) -> list[Seen[Any]]:
        """A request; what it is meant for, and the step that it is the first to name."""
        mark, event = received
        self.asking = None
        if event.client not in self.client:
            return []
        testimony = self.testimony
        token = self.asking = event.client_token or f"#{mark.n}"
        if token in testimony.exchanges or token in testimony.closed:
            return []
        if event.client_token is None and event.dup and testimony.asked_token:
            self.asking = testimony.asked_token
            return []
        read = self._read_at_once(received)
        n, at = self.n, mark.at
        if event.late_seconds:
            at -= micros(event.late_seconds)
            since = bisect_left(self.last_times, at)
            n -= (len(self.last_times) - 1 - since) * ROOM + ROOM // 2
        sent = RequestSent(
            token,
            event.request,
            event.namespace_id,
            event.job_id,
            self._known_at((event.namespace_id, event.job_id or NEXT), n),
            event.status,
            event.expected_version,
            tuple(sorted(event.details.items())) if event.details else None,
        )
        asked = self._seen(mark, sent, n, at)
        if self.asked is None or self.asked.is_before(asked.mark):
            self.asked = asked.mark
        return [*read, *self._step_in(asked), asked]

    def _read_at_once(self, received: Seen[RequestReceived]) -> list[Seen[Any]]:
        """A refusal that went out without a proof of its receipt, and to which this is the reaction.

        Progress may be reported often, and without waiting for answers: only what ends a job, or asks for it, counts.
        """
        last = self.unproven[-1] if self.unproven else None
        if last is None or not self._is_reaction(received, last):
            self.reactions = 0
            return []
        self.reactions += 1
        if self.reactions < COPIES:
            return []
        self.unproven = self.unproven[:-1]
        return self._heard(last.given, last.at, self.n - 1)

    def _is_reaction(self, received: Seen[RequestReceived], last: Unproven) -> bool:
        mark, event = received
        exchange = self.testimony.exchanges.get(last.given.token or "")
        if exchange is None or exchange.request is None or last.given.event.accepted or event.late_seconds:
            return False
        if event.status is None and mark.at - self.hinted_at < SOON_MICROS:
            return False  # it may ask anew at each notification
        is_at_once = 0 <= mark.at - last.at < AT_ONCE_MICROS and event.status != Status.IN_PROGRESS
        return is_at_once and _question(exchange.request) == _question(event)

    def _step_in(self, asked: Seen[RequestSent]) -> Sequence[Seen[Any]]:
        """A step that this report is the first to name, if there was a report before."""
        mark, sent = asked
        key = sent.execution
        if sent.request != "update" or key is None:
            return ()
        before = self.reports.get(key)
        self.reports = self.reports.put(key, mark, JOBS)
        named = self.steps.get(key, ())
        step = dict(sent.details or ()).get(self.step_key)
        if step is None or step in named or len(named) >= STEPS:
            return ()
        self.steps = self.steps.put(key, (*named, step), JOBS)
        if before is None or mark.at - before.at < self.crossing:
            return ()
        began = StepStarted(key, step, reversible=True)
        return (Seen(Mark(CLOUD, before.n + 1, before.at, mark.shown_by), began),)

    def _answered(self, seen: Seen[RequestAnswered]) -> None:
        """Note what the service said, and what the client may know by that."""
        mark, event = seen
        token = self.asking
        self.answers = self.answers + 1 if event.number is None else event.number
        found = None if event.request == "update" else event.execution
        read = AnswerReceived(token or "", event.accepted, event.code, event.status, found)
        self.given = self.given.put(self.answers, Given(token, mark, read), ANSWERS)
        if token is None:
            return
        if event.request == "get-pending" and event.accepted:
            self._learn(*self.latest.values())
        elif event.request in ("describe", "start-next") and event.execution is not None:
            self._learn(event.execution)

    def _delivered(self, seen: Seen[AnswerDelivered]) -> list[Seen[Any]]:
        mark, event = seen
        given = self.given.get(event.number)
        if given is None or given.token is None:
            return []
        self.given = self.given.without(event.number)
        if given.event.accepted and given.event.execution is not None:
            self.testimony.known(given.event.execution).shown = self.n
        if event.acknowledged:
            return self._heard(given, mark.at, self.n)
        self.unproven = (*self.unproven, Unproven(given, mark.at))[-ANSWERS:]
        return []

    def _heard(self, given: Given, delivered_at: int, n: int) -> list[Seen[Any]]:
        """The answer, where it has certainly been processed."""
        exchange = self.testimony.exchanges.get(given.token or "")
        if exchange is None or exchange.sent is None or delivered_at - given.mark.at > SOON_MICROS:
            return []
        is_last = self.asked is None or not exchange.sent.is_before(self.asked)
        if not is_last or self.connection_n > exchange.sent.n:
            return []  # it may have dropped what it no longer awaited
        return [self._seen(given.mark, given.event, n, delivered_at)]


def _question(asked: RequestSent | RequestReceived) -> tuple[str, str | None, str | None, str | None, int | None]:
    """What is asked, whatever it is called."""
    return asked.request, asked.namespace_id, asked.job_id, asked.status, asked.expected_version
