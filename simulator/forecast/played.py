"""One way to go on, played once: the seam below which another engine may stand."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agent.errors import InputError
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.forecast.action import Action, Waves
from simulator.forecast.course import Course, Reckoning
from simulator.forecast.pressing import Pressing, SteeredVenue
from simulator.forecast.quotas import Quotas
from simulator.scenario import Scenario, thing_names
from simulator.trace import Entry, RunEnded

LEAST_OF_A_SAMPLE: Final = 10
"""So many requests of a sample make a peak: of fewer, it is chance that they come at once."""
REQUESTS_A_DEVICE: Final = 20
"""More than one needs until it is healthy, from the quota of which follows how long that may take at most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the fleet stands when the button is pressed. `jobs` are those in question.

    `devices` is how many have an execution, and `begins` when each that is played hears of it, in seconds after its
    creation: so there is one for `scale` of the fleet's. `pressed_at` is when the button is pressed, in seconds after
    the jobs' creation; None: at the instant of the scenario's first deletion.
    """

    jobs: tuple[str, ...]
    devices: int
    begins: tuple[float, ...]
    pressed_at: float | None = None

    @property
    def played(self) -> int:
        """How many devices are played."""
        return len(self.begins)

    @property
    def scale(self) -> float:
        """How many of the fleet's each that is played stands for."""
        return self.devices / self.played

    @property
    def names(self) -> tuple[str, ...]:
        """Of the things that are played, in their order."""
        return thing_names(self.played)

    @property
    def stands_for(self) -> dict[str, int]:
        """How many of the fleet each counts for in the service, if that is not one; together they are all of it."""
        upto = [number * self.devices // self.played for number in range(self.played + 1)]
        counts = (after - before for before, after in pairwise(upto))
        return {name: count for name, count in zip(self.names, counts, strict=True) if count > 1}


def played(scenario: Scenario, action: Action, seed: int, standing: Standing, quotas: Quotas) -> Course:
    """Play it in virtual time. Raises InputError if the instant never comes."""
    ready = set_up(scenario, action, standing, quotas)
    reckoning = reckoning_of(standing)
    venue = VirtualVenue(ready, seed, standing.stands_for, turned_away=reckoning.turned_away)
    return run_virtually(course_at(venue, ready, action, seed, standing, reckoning))


def set_up(scenario: Scenario, action: Action, standing: Standing, quotas: Quotas) -> Scenario:
    """The scenario, with the service's quotas, and as much time as the action may take."""
    waves = action.due(standing.devices) if isinstance(action, Waves) else 0.0
    throttled = REQUESTS_A_DEVICE * standing.devices / quotas.requests_per_second
    begun = max(standing.begins, default=0.0) + (standing.pressed_at or 0.0)
    longest = begun + waves + throttled + scenario.time_limit_seconds + quotas.deletion(standing.devices)
    cloud = quotas.of_service(scenario.cloud)
    return scenario.model_copy(update={"cloud": cloud, "time_limit_seconds": longest})


def reckoning_of(standing: Standing) -> Reckoning:
    """Of one play."""
    return Reckoning(frozenset(standing.jobs), LEAST_OF_A_SAMPLE if standing.scale > 1 else 1)


async def course_at(
    venue: SteeredVenue, scenario: Scenario, action: Action, seed: int, standing: Standing, reckoning: Reckoning
) -> Course:
    """Play a scenario that is set up, at a venue, and reckon. Raises InputError if the instant never comes."""
    ended: list[RunEnded] = []
    names = standing.names
    away = {name: begins for name, begins in zip(names, standing.begins, strict=True) if begins > 0}
    pressing = Pressing(
        venue, action, standing.jobs, lambda: reckoning.press(venue.clock()), away=away, scale=standing.scale
    )

    def take(entry: Entry) -> None:
        reckoning.feed(entry)
        if (then := pressing.see(entry)) is not None:
            asyncio.get_running_loop().call_soon(then)
        if isinstance(entry.event, RunEnded):
            ended.append(entry.event)

    await Play(scenario, len(names), seed, take, venue, steering=pressing).play()
    if reckoning.pressed_at is None:
        why = "; ".join(each.waited_for or ", ".join(each.missed) for each in ended)
        raise InputError(f"{scenario.name}: the instant to press at never comes ({why}); give it with --at SECONDS")
    return reckoning.course()
