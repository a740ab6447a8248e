"""The dangerous places that a run says it reaches, and whether one device got there.

Where clocks leave it open whether the device was there, it was not.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from agent.values import Status
from simulator.trace import DeletionRefused, PowerCutOff
from simulator.verdict.findings import Subject
from simulator.verdict.lives import Life
from simulator.verdict.model import PlaceName, PlaceToReach
from simulator.verdict.seen import Mark
from simulator.verdict.whereabouts import Deeds, Stretch, Whereabouts


class Visit(NamedTuple):
    """One incarnation of the place's job on a device, what the device did for it, and all else that it did."""

    place: PlaceToReach
    life: Life
    deeds: Deeds
    state: Whereabouts
    subject: Subject

    @property
    def steps(self) -> tuple[Stretch, ...]:
        """The steps of its execution."""
        return self.state.steps.get(self.life.key, ())


def reached(place: PlaceToReach, state: Whereabouts, subject: Subject) -> bool:
    """Whether the device certainly was there. The places are those of `simulator.scenario.Place`."""
    lives = [life for life in subject.record.lives.values() if life.key.job_id == place.job]
    return any(PLACES[place.place](Visit(place, life, state.of(life.key), state, subject)) for life in lives)


def last_seen_of(job: str, subject: Subject) -> str | None:
    """The id of the entry by which the cloud last told of a job on this thing: where it was instead of a place."""
    lives = [life for life in subject.record.lives.values() if life.key.job_id == job]
    seen = lives[-1].last if lives else None
    return seen.id if seen else None


def refused(place: PlaceToReach, refusals: Iterable[DeletionRefused]) -> bool:
    """Whether the service refused to delete the place's job for the time being: it says nothing of any device."""
    return any(refusal.job_id == place.job and refusal.retry for refusal in refusals)


def lost_power(place: PlaceToReach, cuts: Iterable[PowerCutOff]) -> bool:
    """Whether the engine cut the power of a device that is not ours there; the `instant` is what it came with."""
    return any(
        cut.job_id == place.job
        and place.step in (None, cut.step)
        and (place.instant is None or place.instant in cut.why)
        for cut in cuts
    )


# ── when the record was removed ───────────────────────────────────────────────────────────────────────────────


def _gone_at(visit: Visit) -> Iterator[int]:
    """When the device lost its execution, on the cloud's clock: by the removal of its record, or by hearing of it.

    Of a job that is being deleted the service may say that it is gone before this record's turn to be removed.
    """
    removed, since = visit.life.removed, visit.life.queued.n if visit.life.queued is not None else 0
    if removed is None:
        return
    yield removed.at
    yield from (said.at for said in visit.deeds.gone if since < said.n < removed.n)


def _cancelled_in_step(visit: Visit) -> bool:
    ended = visit.life.ended
    return ended is not None and visit.life.ended_as == Status.CANCELED and _in_step(visit, ended.at)


def _in_step(visit: Visit, at: int) -> bool:
    step, subject = visit.place.step, visit.subject
    return any(_surely_between(subject, each.start, at, each.end) for each in visit.steps if step in (None, each.step))


def _surely_between(subject: Subject, start: Mark, at: int, end: Mark | None) -> bool:
    """Whether an instant of the cloud lies between two of the device, at whatever instants those can mean."""
    begun = subject.offset.latest(start.at) <= at
    return begun and (end is None or at <= subject.offset.earliest(end.at))


def _deleted_before_leap(visit: Visit) -> bool:
    removed = visit.life.removed
    if removed is None or not visit.life.lost_in_progress:
        return False
    deeds, subject = visit.deeds, visit.subject
    asked = (each for each in deeds.asked if deeds.began_n < each.sent.n < deeds.leapt_n)
    return any(_surely_between(subject, each.sent, removed.at, each.answer) for each in asked)


def _deleted_after_leap(visit: Visit) -> bool:
    removed, offset = visit.life.removed, visit.subject.offset
    if removed is None or not visit.life.lost_in_progress:
        return False
    leaps = (step for step in visit.steps if not step.reversible)
    return any(offset.latest(leap.start.at) <= removed.at for leap in leaps)


def _deleted_after_report_left(visit: Visit) -> bool:
    removed, reported_at = visit.life.removed, visit.deeds.reported_at
    return removed is not None and reported_at is not None and visit.subject.offset.latest(reported_at) <= removed.at


def _deleted_while_rebooting(visit: Visit) -> bool:
    removed, steps = visit.life.removed, visit.steps
    return removed is not None and any(
        _surely_between(visit.subject, each.start, removed.at, each.boot) for each in steps if each.step == "reboot"
    )


def _deleted_while_powerless(visit: Visit) -> bool:
    removed = visit.life.removed
    return removed is not None and any(
        _surely_between(visit.subject, lost, removed.at, boot) for lost, boot in visit.state.outages
    )


# ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────


def _stale_update(visit: Visit) -> bool:
    life = visit.life
    earlier = (visit.state.arrived.get(key, 0) for key in life.earlier if key != life.key)
    return life.queued is not None and any(n > life.queued.n for n in earlier)


def _told_too_early(visit: Visit) -> bool:
    """Of GetPending the trace does not say what it found."""
    queued, began = visit.life.queued, visit.life.began or visit.life.ended
    return queued is not None and any(
        namespace_id == visit.life.key.namespace_id and n > queued.n and (began is None or n < began.n)
        for namespace_id, n in visit.state.nothing
    )


# ── power, network, service ───────────────────────────────────────────────────────────────────────────────────


def _power_lost_in(visit: Visit) -> bool:
    place = visit.place
    return any(
        place.step in (None, step) and place.instant in (None, instant) for step, instant in visit.deeds.power_lost
    )


def _answer_lost(visit: Visit) -> bool:
    testimony = visit.subject.testimony
    return any(
        bool(each.said) and each.sent is not None and each.sent.n < testimony.heard_n
        for each in testimony.exchanges.values()
        if each.execution == visit.life.key
    )


def _never_heard(visit: Visit) -> bool:
    return visit.subject.testimony.connected is not None and visit.place.hint not in visit.deeds.listed


PLACES: Final[dict[PlaceName, Callable[[Visit], bool]]] = {
    "deleted-before-start": lambda visit: visit.life.removed is not None and visit.life.removed_as == Status.QUEUED,
    "deleted-in-step": lambda visit: any(_in_step(visit, at) for at in _gone_at(visit)),
    "deleted-before-leap": _deleted_before_leap,
    "deleted-after-leap": _deleted_after_leap,
    "deleted-after-report-left": _deleted_after_report_left,
    "deleted-while-offline": lambda visit: visit.life.was_offline,
    "deleted-while-rebooting": _deleted_while_rebooting,
    "deleted-while-powerless": _deleted_while_powerless,
    "deleted-beside-another": lambda visit: visit.life.lost_in_progress and visit.life.beside,
    "cancelled-in-step": _cancelled_in_step,
    "recovered": lambda visit: visit.life.followed,
    "succeeded": lambda visit: visit.life.ended_as == Status.SUCCEEDED,
    "reused-id": lambda visit: visit.life.was_taken and bool(visit.life.earlier),
    "stale-update-after-recreation": _stale_update,
    "power-lost-in": _power_lost_in,
    "power-lost-before-publishing": lambda visit: visit.deeds.power_lost_before_publishing,
    "throttled-while-suspect": lambda visit: visit.deeds.throttled,
    "failed-in-step": lambda visit: any(visit.place.step in (None, step) for step in visit.deeds.failed),
    "rolled-back": lambda visit: visit.deeds.rolled_back,
    "failed-unchanged": lambda visit: visit.life.ended_as == Status.FAILED and visit.deeds.failed_unchanged,
    "told-stale": lambda visit: visit.life.removed is not None and visit.deeds.found_n > visit.life.removed.n,
    "told-too-early": _told_too_early,
    "answer-lost": _answer_lost,
    "delivered-twice": lambda visit: visit.deeds.arrived_twice,
    "announced-after-deletion": lambda visit: visit.deeds.announced,
    "heard": lambda visit: visit.place.hint in visit.deeds.listed,
    "heard-absence": lambda visit: visit.place.hint in visit.deeds.omitted,
    "never-heard": lambda visit: (
        visit.subject.testimony.connected is not None and visit.place.hint not in visit.deeds.listed
    ),
}
"""Whether a device was there with one incarnation of the place's job. Two are told without it: see `judge`."""
