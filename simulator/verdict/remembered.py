"""What can still matter of a client as it is watched: see `simulator.verdict.past`."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from simulator.verdict.exchanges import Exchange
from simulator.verdict.findings import Invariant, Moment
from simulator.verdict.frozen import Map
from simulator.verdict.heard import Heard
from simulator.verdict.limits import Limits
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import ByOrder, Compared, Past, Sight
from simulator.verdict.seen import Mark
from simulator.verdict.state import values_in
from simulator.verdict.testimony import Testimony

V = TypeVar("V")


def decided_by_order(invariants: Iterable[Invariant]) -> list[tuple[Invariant, ByOrder]]:
    """Those of which something is decided without time."""
    return [(each, each.without_time) for each in invariants if isinstance(each.without_time, ByOrder)]


def past_of(testimony: Testimony, record: ThingRecord, told: Compared, cloud: Compared, now: int) -> Past:
    """What monitors must know of it, when it is `now` with the client, in microseconds."""
    exchanges, executions, over = testimony.exchanges, testimony.executions, record.over
    found = {said.execution for exchange in exchanges.values() for said in exchange.said}
    return Past(
        told.ranks(lowest=1),
        cloud.ranks(lowest=0),
        now,
        frozenset([token for token, exchange in exchanges.items() if exchange.sent is not None]),
        over,
        testimony.in_hand,
        Map([(key, heard.takings) for key, heard in executions.items()]),
        record.queued,
        frozenset([key for key in over - found if testimony.heard(key).may_be_given_up]),
        testimony.updated,
    )


# ── what is looked at ─────────────────────────────────────────────────────────────────────────────────────────────


class Glimpse(NamedTuple):
    """What the steps of one monitor see of an entry, as values: whoever sees the same does the same."""

    mark: Mark
    event: Any
    testimony: tuple[Any, ...]
    heard: tuple[tuple[Any, ...], ...]
    exchange: tuple[Any, ...] | None
    record: tuple[Any, ...]
    news: tuple[Any, ...]

    @classmethod
    def of(cls, now: Moment, sight: Sight) -> "Glimpse":
        """Of all that there is to be seen."""
        testimony, known = now.testimony, list[tuple[Any, Heard]]()
        if sight.heard:
            keys = (getattr(now.event, "execution", None), *(each.key for each in now.news))
            executions: dict[Any, None] = dict.fromkeys(keys)
            known = [(key, heard) for key in executions if (heard := testimony.executions.get(key)) is not None]
        return cls(
            now.mark,
            now.event,
            values_in(testimony, sight.testimony),
            tuple((key, *values_in(each, sight.heard)) for key, each in known),
            values_in(now.exchange, sight.exchange) if now.exchange is not None else None,
            values_in(now.record, sight.record),
            now.news if sight.news else (),
        )

    def moment(self, sight: Sight, limits: Limits) -> Moment:
        """As a step is given it: whatever else it looked at would not be there."""
        testimony = with_only(Testimony, sight.testimony, self.testimony)
        testimony.is_wire = False
        if sight.heard:
            testimony.executions = Map((key, with_only(Heard, sight.heard, values)) for key, *values in self.heard)
        exchange = None if self.exchange is None else with_only(Exchange, sight.exchange, self.exchange)
        record = with_only(ThingRecord, sight.record, self.record)
        return Moment(self.mark, self.event, testimony, record, limits, exchange, self.news)


def with_only(kind: type[V], names: Iterable[str], values: Iterable[Any]) -> V:
    """One that has these fields alone; to look at another is an `AttributeError`."""
    part = kind.__new__(kind)
    for name, value in zip(names, values, strict=True):
        setattr(part, name, value)
    return part
