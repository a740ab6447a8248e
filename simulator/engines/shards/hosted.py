"""Shards that are played from edge to edge, whenever whoever hosts them gets round to that."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from simulator.engines.judged import JudgedPlay
from simulator.engines.judging import JudgingHere
from simulator.engines.meeting import Agreed, AtEdges, Report
from simulator.engines.stand_ins import Shard
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import VirtualLoop, seldom_collected
from simulator.scenario import Scenario
from simulator.verdict import Judge
from simulator.verdict.tally import Tally

ENTRIES: Final = 1_000_000_000
"""So many entries each shard's cloud may tell: what one tells has no number of another's."""

Reports: TypeAlias = Mapping[int, Report | None]
Tallies: TypeAlias = Mapping[int, Tally]
"""By the numbers of shards."""


class Sharded(NamedTuple):
    """What all of its shards play."""

    scenario: Scenario
    seed: int
    shards: tuple[Shard, ...]

    @property
    def devices(self) -> int:
        """How many there are, with those that are stood for."""
        return sum(shard.crew.devices for shard in self.shards)

    @property
    def players(self) -> int:
        """How many of them play."""
        return sum(len(shard.crew.things) for shard in self.shards)

    def venue(self, number: int) -> VirtualVenue:
        """Where one of them plays."""
        return VirtualVenue(self.scenario, self.seed, self.shards[number].counts_for, ENTRIES * number + 1)


class Hosted:
    """Some of a fleet's, in one process, one after the other."""

    def __init__(self, fleet: Sharded, numbers: Sequence[int]) -> None:
        self._shards = {number: _Hosted(fleet, number) for number in numbers}

    def go_on(self, agreed: Agreed) -> Reports:
        """Each up to its next edge: what it says there; None of one that is over. Raises what a play raises."""
        with seldom_collected():
            return {number: shard.go_on(agreed) for number, shard in self._shards.items()}

    def go_on_by(self, agreed: Sequence[Agreed]) -> Reports:
        """The same by what was agreed at one edge after the other: what they say at the last."""
        reports: Reports = {}
        for each in agreed:
            reports = self.go_on(each)
        return reports

    def tallies(self, is_interrupted: bool) -> Tallies:
        """What came of each, at its end, or, if that is not to be waited for, by now. Raises what a play raises."""
        with seldom_collected():
            return {number: shard.tally(is_interrupted) for number, shard in self._shards.items()}

    def end(self) -> None:
        """Nobody wants any more of them."""
        for shard in self._shards.values():
            shard.end()


class _Hosted:
    def __init__(self, fleet: Sharded, number: int) -> None:
        self._loop = VirtualLoop()
        self._meeting = AtEdges(self._at_edge)
        self._judge = Judge(of_many=True)
        run = JudgedPlay(
            fleet.scenario,
            fleet.venue(number),
            fleet.shards[number].crew,
            seed=fleet.seed,
            judging=JudgingHere(self._judge),
            meeting=self._meeting,
            shards=len(fleet.shards),
        )
        self._task = self._loop.create_task(run.play.play())
        self._task.add_done_callback(lambda _: self._loop.stop())
        self._report: Report | None = None

    def go_on(self, agreed: Agreed) -> Report | None:
        if self._report is not None:
            self._meeting.hear(agreed)
        self._report = None
        self._run()
        return self._report

    def tally(self, is_interrupted: bool) -> Tally:
        if is_interrupted:
            self._task.cancel()
        self._run_to_its_end()
        return self._judge.tally()

    def end(self) -> None:
        self._task.cancel()
        with suppress(Exception):  # what it has to say is nothing to anybody now
            self._run_to_its_end()
        self._loop.close()

    def _run(self) -> None:
        """To the next edge, or to its end if that comes first."""
        if not self._task.done():
            self._loop.run_forever()
        if self._task.done() and not self._task.cancelled():
            self._task.result()

    def _run_to_its_end(self) -> None:
        """What it still does there, it does alone: nobody meets any more."""
        while not self._task.done():
            self._run()

    def _at_edge(self) -> None:
        self._report = self._meeting.report()
        self._loop.stop()
