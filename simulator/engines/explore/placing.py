"""The trace of a path as people look at it: to which choice each entry belongs, one choice a second.

The judge is given other times (see `entries`), by which all that is between two choices comes at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from simulator.engines.explore.entries import OPERATIONS
from simulator.engines.explore.system import System
from simulator.engines.explore.world import Transition
from simulator.trace import Entry


class Placed(NamedTuple):
    """An entry, and the number of the choice that made it be told: 0 before the first."""

    choice: int
    entry: Entry


AT_FIRST = 2
"""The engine's and the cloud's first entries."""


def placed(system: System, path: Sequence[Transition], entries: Iterable[Entry]) -> Iterator[Placed]:
    """The same entries, each with its choice and at the second of that."""
    first = AT_FIRST + sum(len(by_cloud) + len(by_device) for _, by_cloud, by_device, _tokens in system.told_before)
    counts = [first, *map(_told_by, path)]
    numbers = (number for number, count in enumerate(counts) for _ in range(count))
    for entry in entries:
        number = next(numbers, len(path) + 1)
        yield Placed(min(number, len(path)), entry._replace(at=float(number)))


def _told_by(transition: Transition) -> int:
    operations = 2 if transition.choice.do in OPERATIONS else 0
    return operations + len(transition.told_by_cloud) + len(transition.told_by_device)
