"""From courses to a forecast: each way to go on over all seeds, which waves stay within the quotas, and the advice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import ceil, inf
from typing import Final

from simulator.forecast.action import Action, Cancel, Delete, Wait, Waves, words
from simulator.forecast.advice import advice, peak
from simulator.forecast.course import Course, quantile
from simulator.forecast.model import (
    ActionName,
    Alternative,
    Band,
    Forecast,
    Now,
    Place,
    Point,
    TriedWave,
    UsedQuotas,
    WaveSizes,
)
from simulator.forecast.played import Standing
from simulator.forecast.plays import HowFar, Plays
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import LEAST_QUOTA, Situation

POINTS: Final = 120
"""Of a curve, at most."""
HALVINGS: Final = 7
"""So many sizes of waves are tried, each half of the one before."""
AT_A_TIME: Final = 2
"""So many sizes are tried together: a search of one after the other would leave a processor idle."""
WAVES: Final = 10
"""So many waves are shown if any size stays within the quotas."""
AT_ONCE: Final[Mapping[ActionName, Action]] = {
    "wait": Wait(),
    "cancel": Cancel(False),
    "cancel-force": Cancel(True),
    "delete-force": Delete(),
}
"""What is done in one go."""
SCALED: Final = (
    "every count of devices, executions and requests",
    "the pace at which devices begin, and at which waves go",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to play: with which seeds, and waves of how many; `wave` None: ten, or more to stay within the quotas."""

    situation: Situation
    quotas: Quotas
    seeds: tuple[int, ...]
    wave: int | None
    pause_seconds: float

    @property
    def plays(self) -> int:
        """How many there are if all in one wave stay within the quotas, and another size is wanted."""
        return (len(AT_ONCE) + 2) * len(self.seeds)

    def waves(self, size: int) -> Waves:
        """Of so many things."""
        return Waves(size, self.pause_seconds, self.quotas.operations_per_second)


def forecast(wanted: Wanted, processes: int = 1, tell: Callable[[HowFar], None] = lambda how_far: None) -> Forecast:
    """Play all of it, in so many processes; `tell` hears how far it is. Raises InputError, ForkDiedError."""
    situation, quotas, seeds = wanted.situation, wanted.quotas, wanted.seeds
    standing = situation.standing
    plays = Plays(situation, quotas, processes, wanted.plays, tell)

    def told(name: ActionName, action: Action, under: Sequence[int] = seeds) -> Alternative:
        return alternative(name, action, plays.play([(action, seed) for seed in under]), situation, quotas)

    everything = (*AT_ONCE.values(), wanted.waves(standing.devices))
    course, *_ = plays.play([(action, seed) for action in everything for seed in seeds])
    at_once = tuple(told(name, action) for name, action in AT_ONCE.items())
    wait, *_ = at_once
    most = max(quotas.requests_per_second, peak(wait))
    search = WaveSearch(
        most,
        begin=lambda some: plays.play([(wanted.waves(size), seeds[0]) for size in some]),
        with_one=lambda size: told("waves", wanted.waves(size), seeds[:1]),
        with_all=lambda size: told("waves", wanted.waves(size)),
    )
    sizes = search.sizes(standing.devices)
    size = wanted.wave or _usual_wave(sizes, standing.devices)
    alternatives = (*at_once, told("waves", wanted.waves(size)))
    return Forecast(
        scenario=situation.scenario.name,
        version=version("ghostjob"),
        jobs=standing.jobs,
        seeds=wanted.seeds,
        played=standing.played,
        scaled=SCALED if standing.scale > 1 else (),
        now=_now(situation, course),
        quotas=UsedQuotas(**asdict(quotas)),
        alternatives=alternatives,
        waves=sizes,
        recommendation=advice(alternatives, sizes, quotas),
        assumptions=(*situation.assumptions, *_assumptions(standing, quotas)),
    )


def _assumptions(standing: Standing, quotas: Quotas) -> Iterator[str]:
    yield "devices, durations, bandwidth and the jobs that come afterwards are the scenario's"
    yield "no other job of the account asks the service for anything"
    yield "a deletion takes as long as the quotas have it: AWS does not tell how long its own takes"
    if standing.scale > 1:
        yield f"{standing.played} devices were played, each for {standing.scale:.4g} of the fleet"
    if standing.scale > 1 and quotas.requests_per_second / standing.scale < LEAST_QUOTA:
        seconds = standing.scale / quotas.requests_per_second
        yield (
            f"the quota lets one of the devices that were played through in {seconds:.2g} s, and a few at once when "
            f"nobody has asked for a while: no time is finer than that, and peaks are too high rather than too low; a "
            f"larger --sample is finer"
        )


def _now(situation: Situation, course: Course) -> Now:
    scale = situation.standing.scale
    return Now(
        why=situation.why,
        devices=situation.standing.devices + sum(situation.ended.values()),
        places=tuple(Place(where=where, devices=round(count * scale)) for where, count in course.where),
        past_no_return=round(course.past_no_return * scale),
        ended=situation.ended,
        overdue=situation.overdue,
    )


# ── waves ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WaveSearch:
    """From all in one wave down by halves, until a size has no more than `most` requests a second on any seed.

    A size that has more with the first seed is played with no other. `begin` plays several of them with that.
    """

    most: int
    begin: Callable[[Sequence[int]], object]
    with_one: Callable[[int], Alternative]
    with_all: Callable[[int], Alternative]

    def sizes(self, devices: int) -> WaveSizes:
        """Those that were tried, and what came of it."""
        tried: list[TriedWave] = []
        sizes = _halves(devices)
        for number, size in enumerate(sizes):
            if number % AT_A_TIME == 1:
                self.begin(sizes[number : number + AT_A_TIME])
            one = self.with_one(size) if number else self.with_all(size)
            if number and peak(one) <= self.most:
                one = self.with_all(size)
            tried.append(_tried(size, one))
            if peak(one) <= self.most:
                break
        last = tried[-1]
        is_found = max(last.reads_peak, last.writes_peak) <= self.most
        return WaveSizes(
            largest=last.things if is_found else None,
            is_any=is_found and len(tried) == 1,
            is_within_quotas=last.is_within_quotas,
            tried=tuple(tried),
        )


def _halves(devices: int) -> tuple[int, ...]:
    """Sizes from all of them down."""
    sizes = [devices]
    while len(sizes) < HALVINGS and sizes[-1] > 1:
        sizes.append(ceil(sizes[-1] / 2))
    return tuple(sizes)


def _tried(size: int, one: Alternative) -> TriedWave:
    reads, writes = (round(band.high or 0) for band in (one.reads_peak, one.writes_peak))
    return TriedWave(things=size, reads_peak=reads, writes_peak=writes, is_within_quotas=one.is_within_quotas)


def _usual_wave(sizes: WaveSizes, devices: int) -> int:
    """Some waves at least, so that one can look between them."""
    most = ceil(devices / WAVES)
    return most if sizes.largest is None else min(most, sizes.largest)


# ── one alternative over all seeds ────────────────────────────────────────────────────────────────────────────


def alternative(
    name: ActionName, action: Action, courses: Sequence[Course], situation: Situation, quotas: Quotas
) -> Alternative:
    """What its courses come to over all seeds, for the whole fleet."""
    scale = situation.standing.scale

    def count(of: Callable[[Course], float]) -> Band:
        return band([round(of(course) * scale) for course in courses])

    def healthy(share: float) -> Band:
        return band([quantile(course.healthy, share) for course in courses])

    ended = sum(situation.ended.values())
    is_gone = any(course.deleted_seconds is not None for course in courses)
    reads, writes = count(lambda course: course.reads_peak), count(lambda course: course.writes_peak)
    until = max((at for course in courses for at in course.healthy if at is not None), default=0.0)
    return Alternative(
        action=name,
        words=words(action),
        things_at_once=action.things if isinstance(action, Waves) else None,
        pause_seconds=action.pause_seconds if isinstance(action, Waves) else None,
        deleted_seconds=band([course.deleted_seconds for course in courses]) if is_gone else None,
        healthy_p50=healthy(0.5),
        healthy_p90=healthy(0.9),
        healthy_all=healthy(1.0),
        never_healthy=count(lambda course: course.healthy.count(None)),
        stranded=count(lambda course: course.stranded),
        safe=count(lambda course: course.safe),
        bricked=count(lambda course: course.bricked),
        records=band([round(course.records * scale) + (ended if is_gone else 0) for course in courses]),
        undone=count(lambda course: course.undone),
        kept=count(lambda course: course.kept),
        reads_peak=reads,
        writes_peak=writes,
        throttled=count(lambda course: course.throttled),
        is_within_quotas=max(reads.high or 0, writes.high or 0) <= quotas.requests_per_second,
        healthy_curve=_healthy_curve(courses, until),
        reads_curve=_rate_curve([course.reads for course in courses], scale),
        writes_curve=_rate_curve([course.writes for course in courses], scale),
    )


def band(values: Sequence[float | None]) -> Band:
    """Over seeds."""
    ordered = sorted((inf if value is None else value) for value in values)
    low, middle, high = ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1]
    return Band(low=_told(low), middle=_told(middle), high=_told(high))


def _told(value: float) -> float | None:
    return None if value == inf else round(value, 3)


def _healthy_curve(courses: Sequence[Course], until: float) -> tuple[Point, ...]:
    def share(course: Course, at: float) -> float:
        if not course.healthy:
            return 1.0
        return sum(each is not None and each <= at for each in course.healthy) / len(course.healthy)

    times = [until * number / POINTS for number in range(POINTS + 1)] if until else [0.0]
    return tuple(_point(at, [share(course, at) for course in courses]) for at in times)


def _rate_curve(seconds: Sequence[Sequence[int]], scale: float) -> tuple[Point, ...]:
    """Requests a second, the mean of as many seconds as leave no more than POINTS of them."""
    length = max(map(len, seconds))
    width = max(ceil(length / POINTS), 1)
    return tuple(
        _point(float(first), [sum(each[first : first + width]) * scale / width for each in seconds])
        for first in range(0, length, width)
    )


def _point(at: float, values: Sequence[float]) -> Point:
    ordered = sorted(values)
    middle = ordered[(len(ordered) - 1) // 2]
    low, high = ordered[0], ordered[-1]
    return Point(seconds=round(at, 3), low=round(low, 4), middle=round(middle, 4), high=round(high, 4))
