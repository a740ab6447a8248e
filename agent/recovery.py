"""What to do with half-done work when its execution ended without us: the table, as data.

Two things decide: how far the work had come, and how the execution ended. Until the leap everything is taken back
in reverse order. From the leap on nothing can be taken back; the device finishes, and an update that it then runs
although its job is gone is told with the next job's statusDetails, so that a fleet does not drift in silence.
"""

from enum import StrEnum
from typing import Literal, TypeAlias

from agent.account import End


class Reached(StrEnum):
    """How far the work had come."""

    NOTHING = "nothing begun"
    REVERSIBLE = "reversible steps begun"
    LEAPT = "past the point of no return"


Remedy: TypeAlias = Literal["drop", "undo", "finish"]

_LOST: dict[Reached, Remedy] = {
    Reached.NOTHING: "drop",
    Reached.REVERSIBLE: "undo",
    Reached.LEAPT: "finish",
}

RECOVERY: dict[End, dict[Reached, Remedy]] = {
    "gone": _LOST,
    "cancelled": _LOST,
    "timed-out": _LOST,
    "removed": _LOST,
    "replaced": _LOST,
}
"""By how the execution ended (`agent.account.End`), then by how far the work had come."""
