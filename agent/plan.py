"""A job document becomes a plan: steps in order, each of which can be undone or lies past the point of no return.

One operation is understood: an update,

    {"operation": "update", "version": "2.0"}

which downloads an image, writes it beside the running one, and switches over. The switch cannot be undone: it is
the leap. Anything else is Unusable, and the device rejects the job with that reason.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from agent.values import JobDocument


@dataclass(frozen=True, slots=True)
class Step:
    """One step; not `reversible` means that beginning it passes the point of no return."""

    name: str
    reversible: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order, to run `version`."""

    version: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a document is no plan; fits into statusDetails (no control characters, at most 1024 of them)."""

    reason: str


Planned: TypeAlias = Plan | Unusable

UPDATE_STEPS = (Step("download"), Step("write"), Step("switch", reversible=False))


def plan_of(document: JobDocument | None) -> Planned:
    """The plan of a document."""
    value = None if document is None else document.value
    if not isinstance(value, dict):
        return Unusable("the job document is no JSON object")
    if value.get("operation") != "update":
        return Unusable("operation: this device knows 'update' only")
    version = value.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}", version):
        return Unusable("version: a string of 1 to 64 of A-Z a-z 0-9 . _ + -")
    return Plan(version, UPDATE_STEPS)
