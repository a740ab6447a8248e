"""Watching as it is meant: each monitor is fed every entry with all that was told, and nothing is asked only once.

`monitors.Watcher` must come to the same values, although it hides from each monitor what that need not look at.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from agent.device_events import JournalWritten, RequestSent
from simulator.engines.explore.accounts import AGAIN, FIRST, Heard
from simulator.engines.explore.monitors import ONGOING, Broken, Watched, Watcher
from simulator.engines.explore.pieces import piece
from simulator.trace import CLOUD
from simulator.verdict import INVARIANTS
from simulator.verdict.case import REQUESTS
from simulator.verdict.clocks import UNKNOWN
from simulator.verdict.findings import Finding, Subject
from simulator.verdict.lives import ThingRecord
from simulator.verdict.past import NOW, ON_RECORD
from simulator.verdict.remembered import decided_by_order, past_of
from simulator.verdict.seen import Mark, Seen, micros
from simulator.verdict.watch import Monitors, Watch

JUDGED = decided_by_order(INVARIANTS)
MONITORS = Monitors([each for each, _ in JUDGED])


class Whole(NamedTuple):
    """What is watched, to be fed in place; `now` is the device's time, `again` a token that has come into use again."""

    own: Watch
    record: ThingRecord
    now: int
    again: str = ""


def watch(watcher: Watcher, watched: Watched, told: Heard) -> tuple[Watched, tuple[Broken, ...]]:
    """What `Watcher.watch` should give."""
    whole = fed(watcher, watched, told)
    after = kept(whole)
    broken = tuple(_broken(watcher, whole, after))
    if whole.again:
        after = watcher.renamed(forget(after, frozenset({whole.again})), {AGAIN: whole.again})
    return after, broken


def forget(watched: Watched, dead: frozenset[str]) -> Watched:
    """What `Watcher.forget` should give, if these tokens are known to nobody."""
    own = Watch(watched.testimony.value.twin(), tuple(each.value.twin() for each in watched.states))
    own.testimony.exchanges = own.testimony.exchanges.only(lambda token, _: token not in dead)
    return kept(Whole(own, watched.record.value.twin(), NOW))


def fed(watcher: Watcher, watched: Watched, told: Heard) -> Whole:
    """With that, one entry after the other; of several agents on one thing this knows nothing."""
    own = Watch(watched.testimony.value.twin(), tuple(each.value.twin() for each in watched.states))
    record, now, limits = watched.record.value.twin(), NOW + micros(told.seconds), watcher.limits
    for n, event in enumerate(told.by_cloud, FIRST):
        seen: Seen[Any] = Seen(Mark(CLOUD, n, NOW), event)
        record.after(seen, limits)
        token = getattr(event, "client_token", None) if type(event) in REQUESTS else None
        if type(event) not in REQUESTS or token in own.testimony.exchanges:
            own.at_cloud(seen, token, record, limits, MONITORS)
    again, testimony = "", own.testimony
    for n, event in enumerate(told.by_device, FIRST):
        if isinstance(event, RequestSent):
            token = event.client_token
            if token in testimony.exchanges or token in testimony.closed:
                again, event = token, replace(event, client_token=AGAIN)
        seen = Seen(Mark(watcher.thing, n, now), event)
        own.told(seen, record, limits, MONITORS)
        now -= ON_RECORD if isinstance(event, JournalWritten) else 0
    return Whole(own, record, now, again)


def kept(whole: Whole) -> Watched:
    """What of it can still matter."""
    (testimony, states), record = (whole.own.testimony, whole.own.states), whole.record
    reasons = testimony.reasons
    told, cloud = testimony.compared(reasons), testimony.compared_at_cloud
    for (_, way), state in zip(JUDGED, states, strict=True):
        told = told.and_(way.told(state, testimony.ended)) if way.told is not None else told
        cloud = cloud.and_(way.cloud(state, record.over, testimony.updated)) if way.cloud is not None else cloud
    past = past_of(testimony, record, told, cloud, whole.now)
    essences = (way.essence(state, past) for (_, way), state in zip(JUDGED, states, strict=True))
    return Watched(piece(testimony.essence(past, reasons)), tuple(map(piece, essences)), piece(record.essence()))


def _broken(watcher: Watcher, whole: Whole, after: Watched) -> Iterator[Broken]:
    """What is said of what came, and not of what is kept."""
    testimony, record = after.testimony.value, after.record.value
    subject = Subject(watcher.thing, testimony, record, watcher.limits, UNKNOWN, ONGOING)
    for (invariant, _), state, left in zip(JUDGED, whole.own.states, after.states, strict=True):
        open_ = {_words(each) for each in invariant.rule(left.value, subject).findings}
        found = invariant.rule(state, subject).findings
        yield from (Broken(invariant.id, each.message, each.outcome) for each in found if _words(each) not in open_)


def _words(finding: Finding) -> tuple[str, str | None, str]:
    return finding.outcome, finding.job, finding.message
