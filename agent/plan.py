"""A plan: steps in order, each of which can be undone or lies past the point of no return."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from agent.causes import Cause

Args: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `action` names the handler that does it, `args` (sorted pairs) are what the handler is told.

    Not `reversible` means that beginning it passes the point of no return; a reversible one can be undone whole, half
    done or not begun.
    """

    name: str
    action: str
    args: Args = ()
    reversible: bool = True

    @property
    def restarts(self) -> str:
        """`agent` or `machine`, if what this step is for is that the one or the other starts again; empty otherwise."""
        return dict(self.args).get("restarts", "")

    @property
    def may_befall(self) -> bool:
        """Whether a restart that nobody asked for does it as well, even before it begins."""
        return self.action in ("reboot", "restart") or self.restarts == "machine"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order; afterwards the device runs `version`, or what it ran before if that is empty.

    `ignored` are the members of the document that nobody reads, or that are not of the type that they should be.
    """

    version: str
    steps: tuple[Step, ...]
    ignored: tuple[str, ...] = ()

    @property
    def outline(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What the steps are, without what they are told: the same for every delivery of one job's document."""
        return self.version, tuple((step.name, step.action) for step in self.steps)

    def index_of(self, action: str) -> int:
        """Where the step with this action stands; the number of steps if there is none."""
        return next((index for index, step in enumerate(self.steps) if step.action == action), len(self.steps))


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a document is no plan; fits into statusDetails (no control characters, at most 1024 of them)."""

    reason: str
    cause: Cause = Cause.MALFORMED_DOCUMENT


Planned: TypeAlias = Plan | Unusable
MISSING: Final = Unusable("the job document is missing")


def args_of(**values: object) -> Args:
    """Sorted pairs of strings, without those that have no value."""
    return tuple(sorted((key, str(value)) for key, value in values.items() if value is not None and value != ""))


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """As they stand in a plan: named apart, and past the point of no return whatever follows the first that is."""
    counts: Counter[str] = Counter()
    placed: list[Step] = []
    reversible = True
    for step in steps:
        counts[step.name] += 1
        count, reversible = counts[step.name], reversible and step.reversible
        name = step.name if count == 1 else f"{step.name} ({count})"
        placed.append(replace(step, name=name, reversible=reversible))
    return tuple(placed)
