"""A desk as a venue: each play is one of many with the device that is there, on a cloud that stays up."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from typing import Final, Protocol

from agent.runner import Transport
from simulator.certify.offer import Offer
from simulator.certify.probes import Sampling
from simulator.certify.wiretap import Wiretap
from simulator.controller.hand import Hand
from simulator.scenario import Group
from simulator.trace import Entry, ProcessStalled, Sink
from simulator.trace.packed import Packs


class AnyDesk(Protocol):
    """Where the device is, as a session needs it; each member as `simulator.certify.desk.Desk` has it."""

    offer: Offer

    def listen(self, sink: Sink) -> Callable[[], None]:
        """Every entry from now on."""

    def standing(self) -> tuple[Entry, ...]:
        """What lasts, as it was told."""

    def watched_until_now(self) -> None:
        """What was not told by now did not happen."""

    def running_time(self) -> float:
        """Seconds in which this process ran."""

    def hand(self) -> Hand:
        """What a controller acts through."""


class DeskVenue:
    """Plays one scenario with the device on the desk (see `simulator.engines.venue.Venue`).

    Who looks at the cloud, the engine and the probes are in one process, and tell the time by one clock. `tune` puts
    what the scenario asks of the cloud in force, until the stack ends.
    """

    name: Final = "certify"

    def __init__(
        self,
        desk: AnyDesk,
        wiretap: Wiretap,
        sampling: Sampling | None,
        tune: Callable[[AsyncExitStack], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._sampling = sampling
        self._wiretap = wiretap
        self._tune = tune

    def clock(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        """Tune the cloud and listen, until the stack ends."""
        self._tune(stack)
        for entry in (*self._desk.standing(), *(() if self._sampling is None else self._sampling.standing())):
            sink(entry)
        stack.callback(self._wiretap.join(sink))
        stack.callback(self._desk.watched_until_now)
        return self._desk.hand()

    def watched(self, record: Callable[[ProcessStalled], None]) -> AbstractContextManager[object]:
        """The desk itself tells when this process did not run."""
        return nullcontext()

    @property
    def running_time(self) -> Callable[[], float] | None:
        """Seconds in which this process ran."""
        return self._desk.running_time

    def transport(self, thing: str, group: Group) -> Transport:
        """Nobody of ours connects here."""
        raise AssertionError("the device is not ours")
