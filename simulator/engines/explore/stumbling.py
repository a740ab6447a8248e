"""Random walks as a search that is never complete: what they stumbled upon, each made as short as can be."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.exploration import DEAD_END, Exploration, Violation
from simulator.engines.explore.limits import IsInterrupted, never
from simulator.engines.explore.shrink import shrink
from simulator.engines.explore.system import System
from simulator.engines.explore.undecidable import why_undecidable
from simulator.engines.explore.walks import OnWalked, Stumbled, Walked, unseen, walks

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Searchable

MOST: Final = 8
"""So many sorts of what was stumbled upon are made short; more are told as they were walked."""
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
    on_walked: OnWalked = unseen,
    walk: Callable[..., Walked] | None = None,
) -> Exploration:
    """What so many walks with the seeds from `seed` on found, of each invariant the shortest.

    `walk`: who walks, as `walks` does, if that is another.
    """
    bounds = {str(kind): left for kind, left in system.left(system.setup.bounds.budgets).items()}
    walked = (walk or walks)(
        cast("Searchable", system),
        count,
        seed,
        bounds=bounds,
        seconds=seconds,
        mebibytes=mebibytes,
        is_interrupted=is_interrupted,
        on_walked=on_walked,
    )
    left = LEAST_SECONDS if is_interrupted() else max(seconds - walked.seconds, LEAST_SECONDS)
    found = list(_shortest(system, walked.stumbled, left, mebibytes, jobs))
    broken, first = tuple(each for each in found if each.invariant != DEAD_END), dict[str, Violation]()
    for each in broken:
        first.setdefault(each.invariant, each)
    return Exploration(
        states=0,
        transitions=walked.steps,
        depth=max((len(each.path) for each in walked.stumbled), default=0),
        expanded=0,
        complete=False,
        stopped_by=walked.stopped_by or WALKED,
        spent={},
        broken=tuple(first.values()),
        broken_by_trouble=broken,
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
    system: System, stumbled: Sequence[Stumbled], seconds: float, mebibytes: float, jobs: int
) -> Iterator[Violation]:
    """What is told, each made shorter; the last of too many as they were walked."""
    told = list(_told(system, stumbled))
    share = seconds / max(1, min(MOST, len(told)))
    limits: dict[str, Any] = {"seconds": share, "mebibytes": mebibytes, "jobs": jobs}
    for number, (each, times) in enumerate(told):
        searched, path = cast("Searchable", system), each.path
        if number < MOST:
            path = shrink(searched, path, each.invariant, **limits).path
        yield Violation(each.invariant, each.why, path, times)


def _told(system: System, stumbled: Iterable[Stumbled]) -> Iterator[tuple[Stumbled, int]]:
    """Of each invariant the shortest walk, and how many came upon it; if nobody is to blame for that one, besides the
    shortest for which somebody is, and how many are such.
    """
    by_trouble: dict[str, dict[tuple[str, ...], list[Stumbled]]] = {}
    for each in sorted(stumbled, key=lambda each: (len(each.path), each.seed)):
        by_trouble.setdefault(each.invariant, {}).setdefault(each.spent, []).append(each)
    for alike in by_trouble.values():
        first, *others = alike.values()
        yield first[0], sum(map(len, alike.values()))
        if others and not _is_to_blame(system, first[0]):
            blamed = [those for those in others if _is_to_blame(system, those[0])]
            yield from ((those[0], sum(map(len, blamed))) for those in blamed[:1])


def _is_to_blame(system: System, stumbled: Stumbled) -> bool:
    """Whether somebody is: so it is for all walks with such trouble."""
    path = [Choice(*each) for each in stumbled.path]
    return why_undecidable(stumbled.invariant, path, told_on_the_way(system, path)) is None
