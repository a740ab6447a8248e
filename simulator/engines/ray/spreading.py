"""Shards over a cluster: begun as processors are free, begun again where one is lost, put in order.

As many are begun as there are processors, so that none waits for its turn while its time runs. A shard that was lost is
begun again before any new one. One that is lost `TRIES` times is no accident of its node, and ends it all: an answer
with a hole in it would look like an answer.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, NamedTuple, TypeVar

from agent.errors import GhostjobError
from simulator.engines.ray.cluster import Cluster, Died, Ref

TRIES: Final = 3
LOOK_SECONDS: Final = 0.2
"""So often it is asked whether to go on."""
GRACE_SECONDS: Final = 5.0
"""What is under way has so long for its end, if it is not to go on."""
NOBODY_SECONDS: Final = 60.0
"""So long a cluster may be without a processor, as while a node is replaced."""

Shard = TypeVar("Shard")
Part = TypeVar("Part")


class ShardLostError(GhostjobError):
    """A part of the whole could not be made."""


class Lost(NamedTuple, Generic[Shard]):
    """A shard whose process or node died, for the how-manieth time, and why as Ray says it."""

    shard: Shard
    times: int
    why: str


def spread(
    cluster: Cluster,
    work: Callable[[Shard], Part | Died],
    shards: Iterable[Shard],
    *,
    goes_on: Callable[[], bool] = lambda: True,
    on_lost: Callable[[Lost[Shard]], None] = lambda _: None,
    tries: int = TRIES,
) -> Iterator[Part]:
    """What `work` makes of each shard, in the order of the shards, of which no more are taken than can be begun.

    Once it does not go on, none is begun any more, what is under way has a moment to end, and all that has ended is
    told. What comes to `Died` is lost, too: a process that the work needed. Raises ShardLostError, and what `work`
    raises.
    """
    spreading = _Spreading(cluster, work, shards, on_lost, tries)
    try:
        while goes_on() and spreading.begin():
            spreading.look(LOOK_SECONDS)
            yield from spreading.in_order()
        until = time.monotonic() + GRACE_SECONDS
        while spreading.is_busy and (left := until - time.monotonic()) > 0:
            spreading.look(left)
        yield from spreading.rest()
    finally:
        spreading.end()


class _Begun(NamedTuple):
    number: int
    shard: Any
    times: int


class _Spreading:
    def __init__(
        self,
        cluster: Cluster,
        work: Callable[[Any], Any],
        shards: Iterable[Any],
        on_lost: Callable[[Any], None],
        tries: int,
    ) -> None:
        self._cluster, self._work, self._on_lost, self._tries = cluster, work, on_lost, tries
        self._new = (_Begun(number, shard, 0) for number, shard in enumerate(shards))
        self._again: deque[_Begun] = deque()
        self._begun: dict[Ref, _Begun] = {}
        self._parts: dict[int, Any] = {}
        self._told = 0
        self._nobody_since: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._begun)

    def begin(self) -> bool:
        """What there are processors for; whether anything is left to wait for. Raises ShardLostError."""
        processors = self._cluster.processors()
        self._check(processors)
        while len(self._begun) < processors:
            one = self._again.popleft() if self._again else next(self._new, None)
            if one is None:
                break
            self._begun[self._cluster.begin(self._work, one.shard)] = one
        return bool(self._begun or self._again or not processors)

    def _check(self, processors: int) -> None:
        now = time.monotonic()
        self._nobody_since = None if processors else self._nobody_since or now
        if self._nobody_since is not None and now - self._nobody_since > NOBODY_SECONDS:
            raise ShardLostError(
                f"ray: for {NOBODY_SECONDS:.0f} s no node of the cluster has had a processor, so not all is done; "
                f"{self._cluster.advice}"
            )

    def look(self, seconds: float) -> None:
        """Take in what has ended, after so long at most. Raises ShardLostError, and what the work raised."""
        if not self._begun:
            time.sleep(seconds)
        for ref in self._cluster.ended(self._begun, seconds):
            one = self._begun.pop(ref)
            part = self._cluster.part(ref)
            if isinstance(part, Died):
                self._lost(one._replace(times=one.times + 1), part.why)
            else:
                self._parts[one.number] = part

    def _lost(self, one: _Begun, why: str) -> None:
        if one.times == self._tries:
            raise ShardLostError(f"ray: {one.shard} was lost {one.times} times, at last so: {why}; not all is done")
        self._on_lost(Lost(one.shard, one.times, why))
        self._again.append(one)

    def in_order(self) -> Iterator[Any]:
        """What is there, up to the first that is not."""
        while self._told in self._parts:
            yield self._parts.pop(self._told)
            self._told += 1

    def rest(self) -> Iterator[Any]:
        """All that is there, in order."""
        for number in sorted(self._parts):
            yield self._parts.pop(number)

    def end(self) -> None:
        """Nobody waits any more."""
        self._cluster.cancel(self._begun)
