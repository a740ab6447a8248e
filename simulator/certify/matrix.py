"""The cells that a device is put through: at which point its job goes, and under which condition.

A cell is a row: its point, its condition, and the moves that draw its scenario. It is there only if it can show
something that no other cell shows. They stand in the order in which they are played: what finds most comes first, and
whatever cuts the power last.
"""

from collections.abc import Iterable
from typing import Final

from agent.errors import InputError
from agent.names import no_such_name
from simulator.certify.cell import Cell, Need
from simulator.certify.cells.beginnings import BEGINNINGS
from simulator.certify.cells.powerless import POWERLESS
from simulator.certify.cells.rest import REST
from simulator.certify.cells.telling import TELLING
from simulator.certify.cells.usual import USUAL
from simulator.certify.draft import undisturbed
from simulator.certify.learning import Learned
from simulator.certify.names import Names

__all__ = ["CELLS", "DEFAULT", "QUICK", "Cell", "Names", "Need", "choose", "not_applicable", "undisturbed"]

CELLS: Final = (*TELLING, *USUAL, *REST, *BEGINNINGS, *POWERLESS)
"""All of them, in the order in which they are played."""

LISTED: Final = "`ghostjob certify --list`"
QUICK: Final = tuple(cell for cell in CELLS if cell.level == "quick")
"""The eight most telling."""
DEFAULT: Final = tuple(cell for cell in CELLS if cell.level != "full")
"""What is played if nothing is said."""


def choose(
    only: Iterable[str] = (),
    *,
    quick: bool = False,
    full: bool = False,
    besides: tuple[Cell, ...] = (),
    more: tuple[Cell, ...] = (),
) -> tuple[Cell, ...]:
    """The cells that are asked for, in the order that finds failures early; `only` names cells, or points.

    `besides` are cells that come before all others, `more` those of the device's own output and of
    schedules, which come last.

    Raises InputError for a name that there is not.
    """
    wanted, cells = tuple(only), tuple(dict.fromkeys((*besides, *CELLS, *more)))
    names = [cell.id for cell in cells] + list(dict.fromkeys(cell.point for cell in cells))
    for name in wanted:
        if name not in names:
            raise InputError(f"--only {name[:80]}: no such cell or point; {no_such_name(name, names, LISTED)}")
    if wanted:
        return tuple(cell for cell in cells if cell.id in wanted or cell.point in wanted)
    return tuple(dict.fromkeys((*besides, *(CELLS if full else QUICK if quick else DEFAULT), *more)))


def not_applicable(cell: Cell, learned: Learned, abilities: frozenset[Need]) -> str | None:
    """Why a cell means nothing for a device; None if it does. `abilities` are what can be done to it."""
    return next((WHY_NOT[need] for need in cell.needs if not _has(need, learned, abilities)), None)


WHY_NOT: Final[dict[Need, str]] = {
    "power": "its power cannot be cut; start it with `-- COMMAND`, or give --power-cmd",
    "restart": "it cannot be restarted; start it with `-- COMMAND`",
    "mqtt": "it speaks HTTP only, so there is no connection to cut",
    "hints": "it listens to no notification of its jobs, so none can be lost, late or out of order",
    "steps": "it reports nothing between the beginning and the end of a job, so no such report can be struck",
    "two-reports": "it reports no two things between the beginning and the end of a job",
    "describes": "it does not read a job before it takes it",
    "own-namespace": "jobs of this namespace are made and deleted by AWS's services only",
}


def _has(need: Need, learned: Learned, abilities: frozenset[Need]) -> bool:
    match need:
        case "power" | "restart":
            return need in abilities
        case "mqtt":
            return learned.carrier != "http"
        case "hints":
            return bool(learned.listens) and learned.carrier != "http"
        case "steps":
            return bool(learned.progress)
        case "two-reports":
            return len(learned.steps) > 1 or (not learned.steps and len(learned.progress) > 1)
        case "describes":
            return learned.takes_by == "describe-update"
        case "own-namespace":
            return not (learned.namespace_id or "").startswith("aws-")
