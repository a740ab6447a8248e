"""Random walks on a cluster: each is its seed's alone, so they go in shards of neighbouring seeds.

Walked together they are what `explore.walks` walks on one machine, walk by walk. Only limits are met otherwise: they
hold for each process by itself, and of walks that a limit or somebody ends, others may have come farther by then.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, cast

from simulator.engines.explore.limits import IsInterrupted, Limits, never
from simulator.engines.explore.searchable import Kind, Searchable
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System
from simulator.engines.explore.walks import AT_ONCE, OnWalked, Stumbled, Walked, unseen, walks
from simulator.engines.explore.world import system_of
from simulator.engines.ray.cluster import Cluster
from simulator.engines.ray.spreading import Lost, spread


class Seeds(NamedTuple):
    """A shard: the walks with these seeds, in so many seconds; None: no limit."""

    first: int
    last: int
    seconds: float | None

    def __str__(self) -> str:
        return f"walks {self.first} to {self.last}"


def walks_on(
    cluster: Cluster,
    system: System,
    count: int,
    seed: int,
    *,
    bounds: Mapping[Kind, int],
    seconds: float | None = None,
    mebibytes: float | None = None,
    is_interrupted: IsInterrupted = never,
    on_walked: OnWalked = unseen,
    on_lost: Callable[[Lost[Seeds]], None] = lambda _: None,
    at_once: int = AT_ONCE,
) -> Walked:
    """As `explore.walks.walks`, on a cluster; `mebibytes` are of each of its processes. Raises ShardLostError."""
    limits, walked, steps, stopped_by = Limits(seconds, None, is_interrupted), 0, 0, ""
    stumbled: list[Stumbled] = []

    def shards() -> Iterator[Seeds]:
        for first in range(seed, seed + count, at_once):
            left = None if seconds is None else max(0.0, seconds - limits.seconds)
            yield Seeds(first, min(first + at_once, seed + count) - 1, left)

    def goes_on() -> bool:
        return not (stopped_by or limits.reached(0, 0, 0))

    work = partial(_walked, system.setup, dict(bounds), mebibytes)
    for each in spread(cluster, work, shards(), goes_on=goes_on, on_lost=on_lost):
        stumbled += each.stumbled
        walked, steps, stopped_by = walked + each.walks, steps + each.steps, stopped_by or each.stopped_by
        on_walked(walked, steps, limits.seconds, len(stumbled))
    if walked < count:
        stopped_by = stopped_by or limits.reached(0, 0, 0)
    return Walked(walked, steps, tuple(sorted(stumbled)), limits.seconds, stopped_by)


def _walked(setup: Setup, bounds: Mapping[Kind, int], mebibytes: float | None, seeds: Seeds) -> Walked:
    """On a node."""
    system = cast("Searchable", system_of(setup))
    return walks(
        system, seeds.last + 1 - seeds.first, seeds.first, bounds=bounds, seconds=seeds.seconds, mebibytes=mebibytes
    )
