"""One client of a thing as it is watched: its account, and the state of every monitor that follows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.device_events import AnswerReceived, RequestSent
from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import Invariant, Moment, Ruling
from simulator.verdict.heard import AnswerNews
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import ByTime
from simulator.verdict.seen import Seen
from simulator.verdict.state import State
from simulator.verdict.telling import hears, sends, take_in
from simulator.verdict.testimony import Testimony
from simulator.verdict.whereabouts import READS, Whereabouts

WHEREABOUTS: Final = Invariant(
    "whereabouts", "", Whereabouts, READS, lambda _state, _subject: Ruling(), ByTime("where it was, its path shows")
)


_new: Any = tuple.__new__
"""Not `Moment(…)`, which is a function of its own around this, and comes with nearly every entry."""


class Monitors:
    """Those that a client is watched by, and which of them read which event; its whereabouts are the last, if any."""

    def __init__(self, invariants: Sequence[Invariant]) -> None:
        self.all = tuple(invariants)
        self.indexes = {each.id: index for index, each in enumerate(self.all)}
        self.steps: dict[type, tuple[tuple[int, Callable[[Any, Moment], Any]], ...]] = {}
        self.follows = WHEREABOUTS in self.all
        for index, invariant in enumerate(each for each in self.all if each is not WHEREABOUTS):
            for kind, step in invariant.reads.items():
                self.steps[kind] = (*self.steps.get(kind, ()), (index, step))

    def start(self) -> tuple[State | None, ...]:
        """The states that they begin with."""
        return tuple(each.start() for each in self.all)


@dataclass(slots=True, unsafe_hash=True)
class Watch(State):
    """A client, and the states of its monitors in their order."""

    testimony: Testimony
    states: tuple[Any, ...]

    def told(self, seen: Seen[Any], record: ThingRecord, limits: Limits, monitors: Monitors) -> None:
        """Take in the next entry of the client's own."""
        exchange: Exchange | None = None
        news: tuple[AnswerNews, ...] = ()
        kind = type(seen.event)
        if kind is RequestSent:
            exchange = sends(self.testimony, *seen)
        elif kind is AnswerReceived:
            exchange, news = hears(self.testimony, *seen, record)
        self._step(seen, record, limits, monitors, exchange, news)
        take_in(self.testimony, seen, exchange, news, limits)

    def at_cloud(
        self, seen: Seen[Any], token: str | None, record: ThingRecord, limits: Limits, monitors: Monitors
    ) -> Exchange | None:
        """Take in the next entry of the cloud's, with the token of the request that it is about; its exchange."""
        exchange, kind = None, type(seen.event)
        if kind is RequestReceived:
            exchange = self.testimony.received(token, seen)
        elif kind is RequestAnswered:
            exchange = self.testimony.answered(token, seen)
        self._step(seen, record, limits, monitors, exchange, ())
        return exchange

    def _step(
        self,
        seen: Seen[Any],
        record: ThingRecord,
        limits: Limits,
        monitors: Monitors,
        exchange: Exchange | None,
        news: tuple[AnswerNews, ...],
    ) -> None:
        mark, event = seen
        kind = type(event)
        steps, is_followed = monitors.steps.get(kind, ()), monitors.follows and kind in limits.reads
        if steps or is_followed:
            now = _new(Moment, (mark, event, self.testimony, record, limits, exchange, news))
            states = self.states
            for index, step in steps:
                step(states[index], now)
            if is_followed:
                READS[kind](states[-1], now)
