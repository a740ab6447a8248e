"""What a play is made of, for who does something to it while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.controller.controller import Controller
from simulator.controller.hand import Hand
from simulator.engines.casting import Casting
from simulator.engines.cues import Cues
from simulator.engines.players import OwnFleet
from simulator.engines.stage import Stage
from simulator.pace import Pace
from simulator.scenario import JobSpec
from simulator.trace import Event


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What a play is made of, once it goes on. `made` are the jobs that it made, the last of each id."""

    casting: Casting
    stage: Stage
    players: OwnFleet
    cues: Cues
    controller: Controller
    hand: Hand
    record: Callable[[Event], None]
    made: dict[str, JobSpec]
    pace: Pace
