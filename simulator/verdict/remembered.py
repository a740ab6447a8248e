"""What can still matter of a client as it is watched: see `simulator.verdict.past`."""

from collections.abc import Iterable, Sequence

from simulator.verdict.findings import Invariant
from simulator.verdict.frozen import Map
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import ByOrder, Compared, Past
from simulator.verdict.testimony import Testimony
from simulator.verdict.watch import Watch


def decided_by_order(invariants: Iterable[Invariant]) -> list[tuple[Invariant, ByOrder]]:
    """Those of which something is decided without time."""
    return [(each, each.without_time) for each in invariants if isinstance(each.without_time, ByOrder)]


def essence(watch: Watch, record: ThingRecord, judged: Sequence[tuple[Invariant, ByOrder]], now: int) -> Watch:
    """What can still matter, when it is `now` with the client, in microseconds; of `record`, see its own.

    `judged` are those that it is watched for, in the order of its states.
    """
    testimony, ways = watch.testimony, judged
    told, cloud = testimony.compared, testimony.compared_at_cloud
    for (_, way), state in zip(ways, watch.states, strict=True):
        if way.told is not None:
            told = told.and_(way.told(state, testimony, record))
        if way.cloud is not None:
            cloud = cloud.and_(way.cloud(state, testimony, record))
    past = _past(testimony, record, told, cloud, now)
    states = tuple(way.essence(state, past) for (_, way), state in zip(ways, watch.states, strict=True))
    return Watch(testimony.essence(past), states)


def _past(testimony: Testimony, record: ThingRecord, told: Compared, cloud: Compared, now: int) -> Past:
    exchanges = testimony.exchanges.values()
    found = {said.execution for exchange in exchanges for said in exchange.said}
    closed = (key for key in record.over - found if testimony.heard(key).may_be_given_up)
    return Past(
        told.ranks(lowest=1),
        cloud.ranks(lowest=0),
        now,
        frozenset(token for token, exchange in testimony.exchanges.items() if exchange.sent is not None),
        record.over,
        testimony.in_hand,
        Map((key, heard.takings) for key, heard in testimony.executions.items()),
        record.queued,
        frozenset(closed),
        testimony.updated,
        lambda key: record.is_shared(key, len(testimony.heard(key).digests)),
    )
