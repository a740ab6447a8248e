"""The parts of a live fleet on a cluster: a processor for each, as many as there are."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from simulator.engines.afar.hosts import Host, HostLostError
from simulator.engines.afar.part import Part
from simulator.engines.ray.cluster import Actor, Cluster, Died, HeadLostError
from simulator.processes import ProcessLostError

LOOK_SECONDS: Final = 1.0


class PartsOnNodes:
    """See `simulator.engines.afar.hosts.Begins`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def parts(self, most: int) -> Sequence[Host]:
        """See Begins."""
        try:
            processors = self._cluster.processors()
        except HeadLostError as lost:
            raise ProcessLostError(str(lost)) from None
        return [_OnNode(self._cluster, self._cluster.actor(Part)) for _ in range(max(1, min(processors, most)))]

    async def watching(self) -> str:
        """See Begins."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self._cluster.check)
            except HeadLostError as lost:
                return str(lost)

    @property
    def advice(self) -> str:
        """See Begins."""
        return self._cluster.advice


class _OnNode:
    """See `simulator.engines.afar.hosts.Host`."""

    def __init__(self, cluster: Cluster, actor: Actor) -> None:
        self._cluster, self._actor = cluster, actor

    async def ask(self, what: str, *told: object) -> Any:
        """See Host."""
        answer = await self._cluster.answer(self._actor.ask(what, *told))
        if isinstance(answer, Died):
            raise HostLostError(answer.why)
        return answer

    def end(self) -> None:
        """See Host."""
        self._actor.end()
