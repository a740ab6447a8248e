"""How a fleet stands at the instant of pressing: which job, when, and when each device that is played begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from agent.errors import InputError
from agent.jitter import Jitter
from agent.names import no_such_name
from simulator.forecast.action import Wait
from simulator.forecast.executions import Fleet
from simulator.forecast.played import Standing, played
from simulator.forecast.quotas import Quotas
from simulator.scenario import Deletion, Scenario, When

LEARNERS: Final = 8
"""So many devices show how long a whole job takes."""
LEAST_QUOTA: Final = 4
"""Requests a second that the sample has: as many as one device puts at once."""
MOST_PLAYED: Final = 1_000
"""So many devices are played for that at most: of a fleet of many times more, all times that a quota makes are so many
times longer, too. Half as many made a fleet healthy 15 % too early, twice as many differ by 3 %.
"""
SOON_SECONDS: Final = 1.0
"""After its creation the button is pressed where no device has begun."""
DAY_SECONDS: Final = 86_400
"""From the pressing on at most: so long may a device, too, take for a step."""
STARTING_SECONDS: Final = 0.05
"""From when a device is connected until it has the job in hand."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A scenario to press the button in, and how its fleet stands. `why` says which instant it is.

    `overdue` and `ended` are as `forecast.model.Now` has them.
    """

    scenario: Scenario
    standing: Standing
    why: str
    overdue: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()


def jobs_in_question(scenario: Scenario, named: Sequence[str]) -> tuple[str, ...]:
    """Those named; else those that the scenario deletes; else those that it makes at its start. Raises InputError."""
    before = [job for job in scenario.jobs if not job.provokes and (job.after is None or job.after.deletion_of is None)]
    known = tuple(dict.fromkeys(job.id for job in before))
    if unknown := [name for name in named if name not in known]:
        raise InputError(f"--job {unknown[0]}: {no_such_name(unknown[0], known, 'the scenario')}")
    deleted = dict.fromkeys(deletion.job for deletion in scenario.deletions)
    at_start = dict.fromkeys(job.id for job in before if job.after is None)
    return tuple(dict.fromkeys(named)) or tuple(name for name in known if name in deleted) or tuple(at_start)


def to_press_in(scenario: Scenario, jobs: Sequence[str], at: float | None, *, goes_on: bool = False) -> Scenario:
    """The scenario as a forecast plays it, in which nothing must be reached. `goes_on`: with the jobs that come after
    the deletion. Raises InputError.
    """
    at_once = () if at is None else (Deletion(job=jobs[0], when=When(after_seconds=at)),)
    own = (each.model_copy(update={"hold_seconds": 0.0}) for each in scenario.deletions if each.job in jobs)
    deletions = at_once or tuple(own)
    if not deletions:
        raise InputError(f"{scenario.name}: it does not say when to delete {', '.join(jobs)}; give --at SECONDS")
    kept = tuple(each for each in scenario.jobs if goes_on or each.after is None or each.after.deletion_of is None)
    return scenario.model_copy(update={"deletions": deletions, "jobs": kept, "must_reach": ()})


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for besides: so many devices are played if that is enough, those that begin come `per_minute`
    (None: all at once, or as others did), with the first of `seeds`; `goes_on` is as `to_press_in` has it.
    """

    about: int
    per_minute: float | None
    seed: int
    goes_on: bool

    def sample(self, devices: int, quotas: Quotas) -> int:
        """How many of so many devices are played: enough that a single one is not throttled, as far as that may be."""
        enough = ceil(LEAST_QUOTA * devices / quotas.requests_per_second)
        return min(max(self.about, min(enough, MOST_PLAYED)), devices)


def of_scenario(
    scenario: Scenario, jobs: tuple[str, ...], devices: int, at: float | None, asked: Asked, quotas: Quotas
) -> Situation:
    """The button is pressed so many seconds after the job's creation; `at` None: at the scenario's own deletion.

    Raises InputError.
    """
    numbers = spread(devices, asked.sample(devices, quotas))
    begins = tuple(0.0 if asked.per_minute is None else number * 60 / asked.per_minute for number in numbers)
    _within_a_day(begins[-1] - (at or 0.0))
    ready = to_press_in(scenario, jobs, at, goes_on=asked.goes_on)
    when = ready.deletions[0].when
    step = f"{when.step} {when.progress} %" if when.progress else when.step
    why = f"{when.after_seconds:g} s after its creation" if when.after_seconds is not None else ""
    why = why or f"{'all' if when.devices == 'all' else 'one'} at {step or when.status or when.fault}"
    return Situation(ready, Standing(jobs, devices, begins, at), why)


def of_fleet(scenario: Scenario, jobs: tuple[str, ...], fleet: Fleet, asked: Asked, quotas: Quotas) -> Situation:
    """As `fleet` stands: who is IN_PROGRESS began so long ago, who is QUEUED begins at the pace of those before.

    Raises InputError.
    """
    if len(jobs) > 1:
        raise InputError(f"{scenario.name}: it has jobs {', '.join(jobs)}; say with --job which one the list is of")
    job = next(each for each in scenario.jobs if each.id == jobs[0])
    groups = tuple(
        each for each in scenario.devices if {each.group, *(other.group for other in each.beside)} & set(job.to)
    )
    alone = scenario.model_copy(update={"devices": groups})
    length = _length(alone, jobs, quotas)
    rng = Jitter(f"{asked.seed}/overdue")
    overdue = sum(age >= length for age in fleet.ages)
    ages = sorted((age if age < length else rng.random() * length for age in fleet.ages), reverse=True)
    pressed_at = max([*ages[:1], SOON_SECONDS]) + STARTING_SECONDS
    pace = fleet.starts_per_second if asked.per_minute is None else asked.per_minute / 60
    later = [pressed_at + ((number + 1) / pace if pace else 0.0) for number in range(fleet.queued)]
    all_begin = [*(pressed_at - STARTING_SECONDS - age for age in ages), *later]
    begins = tuple(all_begin[int(number)] for number in spread(len(all_begin), asked.sample(len(all_begin), quotas)))
    _within_a_day(begins[-1] - pressed_at)
    standing = Standing(jobs, len(all_begin), begins, pressed_at)
    told = [
        f"a whole job takes {length:.3g} s, as in the scenario; who is IN_PROGRESS is as far as it gets in his time"
    ]
    if overdue:
        told.append(f"{overdue} are IN_PROGRESS for longer than that, and count as being anywhere in it")
    if fleet.queued:
        how = f"begin at {pace * 60:.4g} a minute" if pace else "begin as the button is pressed"
        told.append(f"the {fleet.queued} that are QUEUED {how}, if nothing is done")
    ready = to_press_in(alone, jobs, pressed_at, goes_on=asked.goes_on)
    return Situation(ready, standing, "as listed", overdue, dict(fleet.ended), tuple(told))


def spread(devices: int, sample: int) -> tuple[float, ...]:
    """The numbers in a fleet, from 0, of those that are played: evenly spread over it."""
    return tuple((number + 0.5) * devices / sample - 0.5 for number in range(sample))


def _within_a_day(seconds: float) -> None:
    """Raises InputError if the last device begins later than that: who waits asks again and again meanwhile."""
    if seconds > DAY_SECONDS:
        raise InputError(
            f"--per-minute: at this pace, or at that of those that began, the last device begins "
            f"{seconds / 3600:,.0f} h after the pressing, and a forecast reaches 24 h; give a larger one"
        )


def _length(scenario: Scenario, jobs: tuple[str, ...], quotas: Quotas) -> float:
    """How long a whole job is in a device's hands."""
    undisturbed = Standing(jobs, LEARNERS, (0.0,) * LEARNERS, 0.0)
    return played(to_press_in(scenario, jobs, 0.0), Wait(), 0, undisturbed, quotas).work_seconds
