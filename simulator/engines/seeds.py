"""A fleet under many seeds, in virtual time: each play is its seed's alone, wherever it is played."""

from typing import NamedTuple

from simulator.engines.judged import JudgedPlay
from simulator.engines.shards.hosted import Sharded
from simulator.engines.shards.hosts import InProcesses
from simulator.engines.shards.played import shown
from simulator.engines.stand_ins import Crew
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Scenario
from simulator.verdict import Verdict


class Fleet(NamedTuple):
    """So many devices that play a scenario; of more than `most`, so many play for all, in so many processes at most."""

    scenario: Scenario
    devices: int
    most: int
    processes: int = 1


def judged_with(fleet: Fleet, seed: int) -> Verdict:
    """What `ghostjob run --engine virtual --seed` judges. Raises InputError."""
    crew = Crew.of(fleet.scenario, fleet.devices, seed, fleet.most)
    with (
        shown(Sharded(fleet.scenario, seed, crew.shards()), InProcesses(fleet.processes)) as part,
        JudgedPlay(
            fleet.scenario,
            part.venue,
            part.crew,
            seed=seed,
            judging=part.judging,
            meeting=part.meeting,
            shards=part.shards,
        ) as run,
    ):
        return run_virtually(run.result()).verdict
