"""Which cloud dies where: lives of a store's file, each of several deaths, drawn from a seed."""

from dataclasses import dataclass
from random import Random
from typing import Final

BOUNDARIES: Final = (
    "before opening",
    "after opening",
    "after reading",
    "before commit",
    "in commit",
    "after commit",
    "before release",
    "after release",
)
"""Where the cloud itself meets its end: see `doomed`. Between `after commit` and `before release` a batch is on the
disk and nobody knows; before that, what was asked may be lost, after that it may not."""
TARGETS: Final = (*BOUNDARIES, "under load")
"""`under load`: from outside, once so much has been answered."""
DEATHS: Final = 8
"""So many deaths does one file live through."""
LATEST: Final = {"before opening": 1, "after opening": 1, "after reading": 1, "under load": 150}
"""How far on an instant of that name may lie; of the others, one of the first so many:"""
LATEST_COMMIT: Final = 60


@dataclass(frozen=True, slots=True)
class Death:
    """`at` and `nth` say where; `delay` is how many milliseconds later a death in a commit comes."""

    at: str
    nth: int
    delay: float


@dataclass(frozen=True, slots=True)
class Life:
    """One file: what happens to it is drawn from `seed`."""

    number: int
    seed: str
    deaths: tuple[Death, ...]


def plan(deaths: int, seed: int) -> tuple[Life, ...]:
    """Lives with so many deaths in all; each target comes up as often as the others."""
    rng = Random(seed)
    targets: list[str] = []
    while len(targets) < deaths:
        targets += rng.sample(TARGETS, len(TARGETS))
    chosen = [_death(at, rng) for at in targets[:deaths]]
    return tuple(
        Life(number, f"{seed}/{number}", tuple(chosen[first : first + DEATHS]))
        for number, first in enumerate(range(0, deaths, DEATHS))
    )


def _death(at: str, rng: Random) -> Death:
    return Death(at, rng.randint(1, LATEST.get(at, LATEST_COMMIT)), rng.uniform(0, 3))
