"""What `verdict.json` says of a search through every order of events: `explored`."""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

FindingSort: TypeAlias = Literal["violated", "stuck", "cycle", "undecidable", "undecided"]
"""`violated`: a choice breaks the invariant; `stuck`: from where it leads no fair way leads home; `cycle`: a fair loop
stays away from home for ever; `undecidable`: it looks violated, and no device could have told; `undecided`: the rule
leaves it open, since more would have to happen, or to be told, than does in this world."""
DOUBTS: Final = frozenset[FindingSort]({"undecidable", "undecided"})
"""Sorts that accuse nobody."""
Way: TypeAlias = tuple[str, ...]
"""Choices from the beginning, as a schedule spells them."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class ExploredBound(_Model):
    """How often a `kind` of trouble may happen, the `most` a state has spent of it, and how many `states` 0, 1, …"""

    kind: str
    bound: int
    most: int
    states: tuple[int, ...]


class ExploredCell(_Model):
    """A disruption of that `kind` befell a device in that `phase` so many `times`.

    `way` is the shortest, `did` what the device did after it in words, and `home` the shortest way home from there,
    with no more trouble; null: there is none.
    """

    phase: str
    kind: str
    times: int
    way: Way
    did: str
    home: Way | None


class ExploredFinding(_Model):
    """The shortest way to what is wrong, or undecidable: then `argument` says why, and `avoid` what avoids it.

    `times`: so many transitions, states or loops do the same. `loop` follows the way of a cycle, and leads back to its
    end. `schedule` is the file with it, beside the verdict.
    """

    sort: FindingSort
    invariant: str
    why: str
    times: int
    way: Way
    loop: Way = ()
    argument: str = ""
    avoid: str = ""
    schedule: str = ""


class ExploredLoss(_Model):
    """From so many `states` every way home ends with a failure: what was asked for fails, or the device gives up, SAFE.

    That accuses nobody: where a step has failed, no other end is left. `way` is the shortest to one of them.
    """

    states: int
    way: Way


class ExploredPlace(_Model):
    """A place, and the shortest way there; null: not within these bounds, unless `why` tells why that is not known."""

    id: str
    way: Way | None
    why: str = ""


class Explored(_Model):
    """How far an exhaustive search got, within which bounds, and what it found.

    `complete`: all that can happen within the bounds was tried; else `stopped_by` says what ended it. `depth` is the
    most choices on a shortest way to a state. `world` says who plays, `leaves_out` what no search of this world sees.
    `shown` says which way the trace beside it tells. `walks`: so many random walks were made instead of a search.
    `lost`: where only failure is left; null: nowhere, as far as it got.
    """

    states: int
    transitions: int
    complete: bool
    depth: int = 0
    stopped_by: str = ""
    world: str = ""
    bounds: tuple[ExploredBound, ...] = ()
    leaves_out: tuple[str, ...] = ()
    cells: tuple[ExploredCell, ...] = ()
    findings: tuple[ExploredFinding, ...] = ()
    places: tuple[ExploredPlace, ...] = ()
    shown: str = ""
    walks: int = 0
    lost: ExploredLoss | None = None
