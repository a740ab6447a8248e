"""A cell of the matrix: one scenario, as a row of moves, with what it shows and what it needs."""

from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal, TypeAlias

from simulator.certify.draft import Draft, Move, begin
from simulator.certify.learning import Learned
from simulator.certify.names import Names
from simulator.certify.turns import Turns
from simulator.scenario import Scenario

Need: TypeAlias = Literal["power", "restart", "mqtt", "hints", "steps", "two-reports", "describes", "own-namespace"]
Level: TypeAlias = Literal["quick", "default", "full"]
ESTIMATE: Final = "estimate"
"""What the jobs are called that are drawn to see how long a cell takes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `shows` says in a sentence what it shows; `mistake` which one people make that it finds.

    `catches` are the models of `simulator.devices.models` that have made it. `needs` are what a device must be, or what
    must be possible with it, for the cell to mean anything.
    """

    id: str
    level: Level
    moves: tuple[Move, ...]
    shows: str
    mistake: str
    catches: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    turns: Turns | None = None
    """The schedule to which the device is held, if it is the cell of one."""

    @property
    def point(self) -> str:
        """When its job goes."""
        return self.id.partition("/")[0]

    @property
    def condition(self) -> str:
        """What else happens."""
        return self.id.partition("/")[2]

    def scenario(self, learned: Learned, names: Names) -> Scenario:
        """The cell for a device, with jobs of its own."""
        return self.drawn(learned, names).scenario(self.id, self.shows)

    def seconds(self, learned: Learned) -> float:
        """About how long it takes with that device."""
        return self.drawn(learned).seconds

    def drawn(self, learned: Learned, names: Names | None = None) -> Draft:
        """What its scenario is made of."""
        return reduce(lambda draft, move: move(draft), self.moves, begin(learned, names or Names(ESTIMATE)))


def row(
    cell_id: str,
    level: Level,
    *moves: Move,
    shows: str,
    mistake: str,
    catches: str = "",
    needs: tuple[Need, ...] = (),
) -> Cell:
    """A cell, as the tables have it; `catches` are names with a space between."""
    return Cell(cell_id, level, moves, shows, mistake, tuple(catches.split()), needs)
