"""Random walks as a search that is never complete: what they stumbled upon, each made as short as can be."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from simulator.engines.explore.exploration import DEAD_END, Exploration, Violation
from simulator.engines.explore.limits import IsInterrupted, never
from simulator.engines.explore.shrink import shrink
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import Stumbled, walks

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Path, Searchable

MOST: Final = 8
"""So many sorts of what was stumbled upon are made short."""
LEAST_SECONDS: Final = 5.0
"""There are for making it short, even where walking took all the time, or somebody wants it to end."""
WALKED: Final = "walks"
"""What ended the search."""


def by_walks(
    system: System,
    count: int,
    seed: int,
    *,
    seconds: float,
    mebibytes: float,
    jobs: int,
    is_interrupted: IsInterrupted = never,
) -> Exploration:
    """What so many walks with the seeds from `seed` on found, of each invariant the shortest."""
    searched = cast("Searchable", system)
    bounds = {str(kind): left for kind, left in system.left(system.setup.bounds.budgets).items()}
    walked = walks(
        searched, count, seed, bounds=bounds, seconds=seconds, mebibytes=mebibytes, is_interrupted=is_interrupted
    )
    left = LEAST_SECONDS if is_interrupted() else max(seconds - walked.seconds, LEAST_SECONDS)
    found = list(_shortest(searched, walked.stumbled, left, mebibytes, jobs))
    return Exploration(
        states=0,
        transitions=walked.steps,
        depth=max((len(each.path) for each in walked.stumbled), default=0),
        expanded=0,
        complete=False,
        stopped_by=walked.stopped_by or WALKED,
        spent={},
        broken=tuple(each for each in found if each.invariant != DEAD_END),
        undecided=(),
        cells={},
        places={},
        stuck=tuple(each.path for each in found if each.invariant == DEAD_END),
        stuck_count=sum(each.times for each in found if each.invariant == DEAD_END),
        cycles=(),
        loop_count=0,
        dead_end=None,
        jobs=jobs,
        seconds=walked.seconds,
        bytes_a_state=0.0,
        walks=walked.walks,
    )


def _shortest(
    system: "Searchable", stumbled: Sequence[Stumbled], seconds: float, mebibytes: float, jobs: int
) -> Iterator[Violation]:
    """Of each invariant the shortest walk, made shorter; and how many walks came upon it."""
    times = Counter(each.invariant for each in stumbled)
    first: dict[str, Stumbled] = {}
    for each in sorted(stumbled, key=lambda each: (len(each.path), each.seed)):
        first.setdefault(each.invariant, each)
    for invariant, each in list(first.items())[:MOST]:
        share = seconds / min(MOST, len(first))
        path: Path = shrink(system, each.path, invariant, seconds=share, mebibytes=mebibytes, jobs=jobs).path
        yield Violation(invariant, each.why, path, times[invariant])
