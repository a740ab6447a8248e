"""One fleet on a cluster: its shards, some on each processor, which meet at edges as they do on one machine.

What a shard does follows from what was agreed at the edges so far. So one whose process or node died is played again
elsewhere, up to where it was, and the others wait for it there.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from simulator.engines.meeting import Agreed, OthersDiedError
from simulator.engines.ray.cluster import Actor, Cluster, Died
from simulator.engines.ray.spreading import NOBODY_SECONDS, TRIES, Lost
from simulator.engines.shards.hosted import Hosted, Reports, Sharded, Tallies
from simulator.engines.shards.hosts import Host, dealt

LOOK_SECONDS: Final = 1.0


class OnNodes:
    """On all processors of a cluster; `on_lost` hears of those that died, with the numbers of the shards."""

    def __init__(self, cluster: Cluster, on_lost: Callable[[Lost[str]], None] = lambda _: None) -> None:
        self._cluster = cluster
        self._on_lost = on_lost

    def __call__(self, fleet: Sharded, numbers: Sequence[int]) -> list[Host]:
        """Who plays those shards. Raises HeadLostError."""
        shares = dealt(numbers, max(1, self._cluster.processors()))
        return [_OnNode(self._cluster, fleet, share, self._on_lost) for share in shares]


class _OnNode:
    """See Host."""

    def __init__(
        self, cluster: Cluster, fleet: Sharded, numbers: Sequence[int], on_lost: Callable[[Lost[str]], None]
    ) -> None:
        self._cluster, self._on_lost = cluster, on_lost
        self._fleet, self._numbers = fleet, numbers
        self._agreed: list[Agreed] = []
        self._times = 0
        self._actor = self._begun()
        self._asked: Any = None

    def go_on(self, agreed: Agreed) -> None:
        """See Host."""
        self._agreed.append(agreed)
        self._asked = self._actor.ask("go_on", agreed)

    def reports(self) -> Reports:
        """See Host."""
        reports: Reports = self._answer(lambda: self._actor.ask("go_on_by", self._agreed))
        return reports

    def tallies(self, *, is_interrupted: bool) -> Tallies:
        """See Host."""
        self._asked = self._actor.ask("tallies", is_interrupted)

        def again() -> Any:
            self._actor.ask("go_on_by", self._agreed)
            return self._actor.ask("tallies", is_interrupted)

        tallies: Tallies = self._answer(again)
        return tallies

    def end(self) -> None:
        """See Host."""
        self._actor.end()

    def _begun(self) -> Actor:
        return self._cluster.actor(Hosted, self._fleet, self._numbers)

    def _answer(self, again: Callable[[], Any]) -> Any:
        """What was asked for; of another that has gone through the same if the first has died."""
        while isinstance(answer := self._awaited(), Died):
            self._times += 1
            if self._times == TRIES:
                raise OthersDiedError(
                    f"ray: {self._name} were lost {TRIES} times, at last so: {answer.why}; nothing is said of the "
                    f"whole; {self._cluster.advice}"
                )
            self._on_lost(Lost(self._name, self._times, answer.why))
            self._actor = self._begun()
            self._asked = again()
        return answer

    def _awaited(self) -> Any:
        nobody_since = None
        while not self._cluster.ended([self._asked], LOOK_SECONDS):
            now = time.monotonic()
            nobody_since = None if self._cluster.processors() else nobody_since or now
            if nobody_since is not None and now - nobody_since > NOBODY_SECONDS:
                raise OthersDiedError(
                    f"ray: for {NOBODY_SECONDS:.0f} s no node of the cluster has had a processor, so nothing is said; "
                    f"{self._cluster.advice}"
                )
        return self._cluster.part(self._asked)

    @property
    def _name(self) -> str:
        return f"shards {', '.join(map(str, self._numbers))}"
