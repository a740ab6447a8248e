"""What is told of a device, taken in once for all states that its monitors may be in.

    account = accounts.after(testimony, record, what)       # a piece: Heard, or Forgotten requests
    testimony, record, questions = account.outcome(states)

No monitor changes what was told. So what a step makes of that is worked out once, and what each monitor is asked about
it (see `questions`); but for what two of the monitors compare with it, of which `outcome` asks them first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from agent.device_events import JournalWritten, RequestSent
from simulator.engines.explore.pieces import Piece, piece
from simulator.engines.explore.questions import NOTHING, Glimpses, Question, Questions
from simulator.engines.explore.tokens import LAST
from simulator.trace import (
    CLOUD,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    RequestAnswered,
    RequestReceived,
)
from simulator.verdict.case import REQUESTS
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import NOW, ON_RECORD, Compared
from simulator.verdict.remembered import past_of
from simulator.verdict.seen import Mark, Seen, micros
from simulator.verdict.testimony import Testimony
from simulator.verdict.watch import Watch

FIRST: Final = 10_000
"""The number of the next entry of either side: higher than any that is kept."""
AGAIN: Final = str(LAST)
"""A token that no step mints."""


class Heard(NamedTuple):
    """What one step of a path made the cloud tell of the thing, and the device of itself."""

    by_cloud: tuple[Event, ...] = ()
    by_device: tuple[Event, ...] = ()
    seconds: float = 0.0
    """How long the device had waited for it, when a timer of its ran out."""


class Forgotten(NamedTuple):
    """The tokens of requests of which nobody will hear any more."""

    tokens: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What is kept of what was told, and what is asked of each monitor."""

    testimony: Piece[Testimony]
    record: Piece[ThingRecord]
    questions: tuple[Question, ...]
    again: str
    """The token that has come into use again, empty if none: until now that request is called AGAIN."""


class _Fold(NamedTuple):
    """What is told, taken in: before it is asked what of it can still matter; and what each monitor saw of it."""

    testimony: Testimony
    record: Piece[ThingRecord]
    now: int
    again: str
    glimpses: tuple[Piece[Glimpses], ...]


class Account:
    """What a step makes of what was told before."""

    __slots__ = ("_accounts", "_begun", "_comparisons", "_outcomes")

    def __init__(self, accounts: "Accounts", begun: "Begun", comparisons: tuple[Question, ...]) -> None:
        self._accounts, self._begun, self._comparisons = accounts, begun, comparisons
        self._outcomes: dict[tuple[tuple[Compared, Compared], ...], Outcome] = {}

    def outcome(self, states: Sequence[Piece[Any]]) -> Outcome:
        """What comes of it, where monitors are in such states."""
        compare = self._accounts.questions.compared
        compared = tuple(
            [
                question.answers.get(states[question.asked.number]) or compare(question, states[question.asked.number])
                for question in self._comparisons
            ]
        )
        outcome = self._outcomes.get(compared)
        if outcome is None:
            outcome = self._outcomes[compared] = self._accounts.outcome(self._begun, compared)
        return outcome


Begun = tuple[Piece[Testimony], Piece[ThingRecord], Piece[Heard] | Piece[Forgotten]]
"""What was told before, and what then comes."""


class Accounts:
    """Those of one device; `shares` as `monitors.Watcher` has it."""

    def __init__(self, thing: str, limits: Limits, questions: Questions, shares: tuple[str, str | None] | None) -> None:
        self._thing, self._limits, self._shares = thing, limits, shares
        self.questions = questions
        self._records = _Records(limits)
        self._known: dict[Begun, Account] = {}
        self._last: tuple[Begun, _Fold] | None = None

    def after(
        self, testimony: Piece[Testimony], record: Piece[ThingRecord], what: Piece[Heard] | Piece[Forgotten]
    ) -> Account:
        """What `what` makes of what was told before."""
        begun = testimony, record, what
        account = self._known.get(begun)
        if account is None:
            fold = self._fold(begun)
            comparisons = self.questions.comparisons(fold.glimpses, fold.testimony, fold.record.value)
            account = self._known[begun] = Account(self, begun, comparisons)
        return account

    def outcome(self, begun: Begun, compared: tuple[tuple[Compared, Compared], ...]) -> Outcome:
        """What comes of it, with the numbers that monitors compare."""
        testimony, record, now, again, glimpses = self._fold(begun)
        reasons = testimony.reasons
        told, cloud = testimony.compared(reasons), testimony.compared_at_cloud
        for by_client, by_cloud in compared:
            told, cloud = told.and_(by_client), cloud.and_(by_cloud)
        past = past_of(testimony, record.value, told, cloud, now)
        kept, record_kept = testimony.essence(past, reasons), self._records.essence(record)
        return Outcome(piece(kept), record_kept, self.questions.of_past(glimpses, past, kept, record_kept), again)

    def _fold(self, begun: Begun) -> _Fold:
        """What is told, taken in; the last one is asked for twice."""
        if self._last is None or self._last[0] is not begun:
            testimony, record, what = begun
            self._last = begun, self._folded(testimony, record, what.value)
        return self._last[1]

    def _folded(self, testimony: Piece[Testimony], record: Piece[ThingRecord], what: Heard | Forgotten) -> _Fold:
        own, now, again = Watch(testimony.value, tuple([[] for _ in self.questions.noting.all])), NOW, ""
        if isinstance(what, Forgotten):
            own.testimony = testimony.value.twin()
            own.testimony.exchanges = own.testimony.exchanges.only(lambda token, _: token not in what.tokens)
        else:
            if what.by_device or any(type(event) in REQUESTS for event in what.by_cloud):
                own.testimony = testimony.value.twin()
            record = self._hear_cloud(own, record, what.by_cloud)
            now, again = self._hear_device(own, record.value, what.by_device, NOW + micros(what.seconds))
        return _Fold(
            own.testimony, record, now, again, tuple([piece(tuple(each)) if each else NOTHING for each in own.states])
        )

    def _hear_cloud(self, own: Watch, record: Piece[ThingRecord], told: Sequence[Event]) -> Piece[ThingRecord]:
        """What it tells; its record of the thing after that."""
        for n, event in enumerate(told, FIRST):
            kind = type(event)
            if not self._concerns(own, event):
                continue
            seen = Seen(Mark(CLOUD, n, NOW), event)
            record = self._records.after(record, seen)
            token = getattr(event, "client_token", None) if kind in REQUESTS else None
            if kind in REQUESTS and token not in own.testimony.exchanges:
                continue  # a copy of what is over
            own.at_cloud(seen, token, record.value, self._limits, self.questions.noting)
        return record

    def _concerns(self, own: Watch, event: Event) -> bool:
        """Whether it is this agent's, of those on one thing."""
        if self._shares is None:
            return True
        _, namespace = self._shares
        match event:
            case RequestReceived(namespace_id=namespace_id):
                return namespace_id == namespace
            case RequestAnswered(client_token=token):
                return token in own.testimony.exchanges
            case ExecutionQueued() | ExecutionChanged() | ExecutionRemoved():
                return event.execution.namespace_id == namespace
            case _:
                return True

    def _hear_device(self, own: Watch, record: ThingRecord, told: Sequence[Event], now: int) -> tuple[int, str]:
        """What it tells of itself, from when on; what time it is then, and which token came into use again.

        What had that token is over with this step. Until then the request that has it now is known by another.
        """
        again, testimony = "", own.testimony
        for n, event in enumerate(told, FIRST):
            if isinstance(event, RequestSent) and (
                event.client_token in testimony.exchanges or event.client_token in testimony.closed
            ):
                again, event = event.client_token, replace(event, client_token=AGAIN)
            own.told(Seen(Mark(self._thing, n, now), event), record, self._limits, self.questions.noting)
            if isinstance(event, JournalWritten):
                now -= ON_RECORD
        return now, again


class _Records:
    """The cloud's record of a thing: it is in few states, and each change of one is worked out once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._after: dict[tuple[Piece[ThingRecord], Seen[Any]], Piece[ThingRecord]] = {}
        self._essences: dict[Piece[ThingRecord], Piece[ThingRecord]] = {}

    def after(self, record: Piece[ThingRecord], seen: Seen[Any]) -> Piece[ThingRecord]:
        """With the next entry of the cloud's."""
        after = self._after.get((record, seen))
        if after is None:
            fed = record.value.twin()
            fed.after(seen, self._limits)
            after = self._after[record, seen] = piece(fed)
        return after

    def essence(self, record: Piece[ThingRecord]) -> Piece[ThingRecord]:
        """What of it can still matter."""
        essence = self._essences.get(record)
        if essence is None:
            essence = self._essences[record] = piece(record.value.essence())
        return essence
