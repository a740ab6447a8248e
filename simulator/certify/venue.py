"""The desk as a venue: each play is one of many on a cloud that stays up, under its own faults and settings."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from typing import Final

from agent.runner import Transport
from simulator.certify.desk import Desk
from simulator.certify.probes import Sampling
from simulator.certify.wiretap import Wiretap
from simulator.controller.hand import Hand
from simulator.scenario import Group, Scenario
from simulator.trace import ProcessStalled, Sink


class DeskVenue:
    """Plays one scenario with the device on the desk (see `simulator.engines.play.Venue`).

    The cloud, the engine and the probes are in one process, and tell the time by one clock.
    """

    name: Final = "certify"

    def __init__(self, desk: Desk, wiretap: Wiretap, sampling: Sampling | None, scenario: Scenario, seed: int) -> None:
        self._desk = desk
        self._sampling = sampling
        self._wiretap = wiretap
        self._scenario = scenario
        self._seed = str(seed)

    def clock(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def open(self, stack: AsyncExitStack, sink: Sink) -> Hand:
        """Put the scenario's faults and settings in force, until the stack ends."""
        cloud, scenario = self._desk.cloud, self._scenario
        stack.callback(cloud.retune, scenario.cloud, (), self._seed)
        cloud.retune(scenario.cloud, scenario.faults, self._seed)
        for entry in (*self._desk.standing(), *(() if self._sampling is None else self._sampling.standing())):
            sink(entry)
        stack.callback(self._wiretap.join(sink))
        stack.callback(self._desk.watched_until_now)
        return self._desk.hand()

    def watched(self, record: Callable[[ProcessStalled], None]) -> AbstractContextManager[object]:
        """The cloud itself tells when this process did not run."""
        return nullcontext()

    @property
    def running_time(self) -> Callable[[], float] | None:
        """Seconds in which this process ran."""
        return self._desk.running_time

    def transport(self, thing: str, group: Group) -> Transport:
        """Nobody of ours connects here."""
        raise AssertionError("the device is not ours")
