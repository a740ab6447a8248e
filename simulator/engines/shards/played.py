"""The shard that plays before everybody's eyes, which asks the others at each edge, and adds up what came of all."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from simulator.engines.judging import Judging, JudgingHere
from simulator.engines.meeting import AtEdges, Meeting, Report, agreed
from simulator.engines.shards.hosted import Sharded, Tallies
from simulator.engines.shards.hosts import Host
from simulator.engines.stand_ins import Crew
from simulator.engines.virtual import VirtualVenue
from simulator.verdict import Judge, Verdict
from simulator.verdict.tally import in_all


@dataclass(frozen=True, slots=True)
class Shown:
    """A shard of a fleet, which may be all of it, with what its play needs; None: what it has anyhow."""

    fleet: Sharded
    number: int
    meeting: Meeting | None = None
    judging: Judging | None = None

    @property
    def crew(self) -> Crew:
        """Who plays in it."""
        return self.fleet.shards[self.number].crew

    @property
    def venue(self) -> VirtualVenue:
        """Where."""
        return self.fleet.venue(self.number)

    @property
    def shards(self) -> int:
        """How many there are."""
        return len(self.fleet.shards)

    def elsewhere(self, thing: str) -> int | None:
        """The shard in which that thing plays, if it is another."""
        plays = (shard.number for shard in self.fleet.shards if thing in shard.crew.lots)
        number = next(plays, self.number)
        return None if number == self.number else number


@contextmanager
def shown(fleet: Sharded, hosts: Callable[[Sharded, Sequence[int]], list[Host]], number: int = 0) -> Iterator[Shown]:
    """The shard of that number; while it lasts, the others are played by hosts of these."""
    if len(fleet.shards) == 1:
        yield Shown(fleet, number)
        return
    played_by = hosts(fleet, [other for other in range(len(fleet.shards)) if other != number])
    try:
        for host in played_by:
            host.go_on({})
        others = _Others(number, played_by)
        yield Shown(fleet, number, others.meeting, _Judging(others))
    finally:
        for host in played_by:
            host.end()


class _Others:
    """All shards but the one of that number, which meets them."""

    def __init__(self, number: int, played_by: Sequence[Host]) -> None:
        self.number = number
        self._hosts = played_by
        self.meeting = AtEdges(self._meet)

    def _meet(self) -> None:
        """All are at an edge, or will be: what each says there is what all of them go on by."""
        try:
            reports: dict[int, Report | None] = {self.number: self.meeting.report()}
            for host in self._hosts:
                reports |= host.reports()
            words = agreed([report for _, report in sorted(reports.items()) if report is not None])
            for host in self._hosts:
                host.go_on(words)
        except Exception as error:  # whatever it is: whoever waits for the others must know
            self.meeting.fail(error)
        else:
            self.meeting.hear(words)

    async def tallies(self, *, is_interrupted: bool) -> Tallies:
        """What came of each of them. Raises OthersDiedError, and what a play raises."""
        loop = asyncio.get_running_loop()
        asked: asyncio.Future[Tallies] = loop.create_future()

        def ask() -> None:  # in no task of this loop's, since others' tasks may run meanwhile
            try:
                told = [host.tallies(is_interrupted=is_interrupted) for host in self._hosts]
                asked.set_result({number: tally for each in told for number, tally in each.items()})
            except Exception as error:  # whatever it is
                asked.set_exception(error)

        loop.call_soon(ask)
        return await asked


class _Judging(JudgingHere):
    """Of the shard that is played here; the verdict is on all of them."""

    def __init__(self, others: _Others) -> None:
        self._mine = Judge(of_many=True)
        super().__init__(self._mine)
        self._others = others

    async def verdict(self) -> Verdict:
        """See Judging. Raises OthersDiedError."""
        mine = self._mine.tally()
        is_interrupted = mine.ended is not None and mine.ended.event.why == "interrupted"
        tallies = {**await self._others.tallies(is_interrupted=is_interrupted), self._others.number: mine}
        return in_all([tally for _, tally in sorted(tallies.items())]).verdict
