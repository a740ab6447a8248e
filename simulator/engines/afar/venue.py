"""The live venue for a fleet that is elsewhere: its cloud listens where other hosts reach it."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from simulator.controller.hand import Hand
from simulator.engines.afar.hosts import Begins, Hosts
from simulator.engines.afar.players import FleetAfar, Means
from simulator.engines.casting import Casting
from simulator.engines.fleet import Connections
from simulator.engines.live import LiveVenue
from simulator.heartbeat import Heartbeat
from simulator.trace import ProcessStalled, Sink
from simulator.trace.packed import Packs


@dataclass(slots=True, kw_only=True)
class VenueAfar(LiveVenue):
    """Where such a fleet plays, in as many parts as `begins` begins, `most` at most.

    `prepare` gets a process of a part ready for so many connections.
    """

    begins: Begins
    most: int
    prepare: Callable[[int], object]
    _hosts: Hosts | None = None
    _record: Callable[[ProcessStalled], None] | None = None

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Start the cloud, and the processes of the parts. Raises InputError, ProcessLostError."""
        hand = await LiveVenue.open(self, stack, sink, things, packs)
        self._hosts = await stack.enter_async_context(Hosts(self.begins, self.most))
        return hand

    def watched(self, record: Callable[[ProcessStalled], None]) -> Heartbeat:
        """Tell when this process, which lets devices go, did not run; the parts tell it of themselves."""
        self._record = record
        return LiveVenue.watched(self, record)

    def fleet(
        self, casting: Casting, connections: Connections, seed: int, sink: Sink, changed: Callable[[], None]
    ) -> FleetAfar:
        """See `simulator.engines.play.FleetOf`."""
        return FleetAfar(self._means, casting, connections, seed, sink, changed)

    def _means(self) -> Means:
        assert self._hosts is not None, "opened before"
        assert self._record is not None, "watched before"
        return Means(self._hosts, self.endpoint, self.prepare, self._record)
