"""One client of a thing as it is watched: its account, and the state of every monitor that follows it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict.account import Account
from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import Invariant, Moment, Ruling, State
from simulator.verdict.heard import News
from simulator.verdict.limits import Limits
from simulator.verdict.lives import Record
from simulator.verdict.seen import Seen
from simulator.verdict.whereabouts import READS, Whereabouts, followed

WHEREABOUTS: Final = Invariant("whereabouts", "", Whereabouts(), READS, followed, lambda _state, _subject: Ruling())


class Monitors:
    """Those that a client is watched by, and which of them read which event."""

    def __init__(self, invariants: Sequence[Invariant]) -> None:
        self.all = tuple(invariants)
        self.start: tuple[State, ...] = tuple(each.start for each in self.all)
        self.indexes = {each.id: index for index, each in enumerate(self.all)}
        self.by_type: dict[type, tuple[int, ...]] = {}
        for index, invariant in enumerate(self.all):
            for kind in invariant.reads:
                self.by_type[kind] = (*self.by_type.get(kind, ()), index)


class Watch(NamedTuple):
    """A client, and the states of its monitors in their order."""

    account: Account
    states: tuple[State, ...]

    def told(self, seen: Seen[Any], record: Record, limits: Limits, monitors: Monitors) -> "Watch":
        """With the next entry of the client's own."""
        account, exchange, news = self.account.told(seen, record, limits)
        return self._after(account, seen, record, limits, monitors, exchange, news)

    def at_cloud(
        self, seen: Seen[Any], token: str | None, record: Record, limits: Limits, monitors: Monitors
    ) -> "Watch":
        """With the next entry of the cloud's; `token` is that of the request that it may be about."""
        account, exchange = self.account, None
        if isinstance(seen.event, RequestReceived):
            account, exchange = account.received(token, seen)
        elif isinstance(seen.event, RequestAnswered):
            account, exchange = account.answered(token, seen)
        return self._after(account, seen, record, limits, monitors, exchange, ())

    def _after(
        self,
        account: Account,
        seen: Seen[Any],
        record: Record,
        limits: Limits,
        monitors: Monitors,
        exchange: Exchange | None,
        news: tuple[News, ...],
    ) -> "Watch":
        reading = monitors.by_type.get(type(seen.event))
        if reading is None:
            return self if account is self.account else Watch(account, self.states)
        now = Moment(seen.mark, seen.event, self.account, account, record, limits, exchange, news)
        states = list(self.states)
        for index in reading:
            states[index] = monitors.all[index].step(states[index], now)
        return Watch(account, tuple(states))
