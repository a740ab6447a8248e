"""Who plays some shards of a fleet: this process, in turns with what else it does, or one that it forked for that.

go_on    play each to its next edge, by what was agreed at the last one; a forked one does it meanwhile
reports  what each says there
tallies  what came of each
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Protocol

from agent.errors import InputError
from simulator.engines.forks import Fork, can_fork
from simulator.engines.meeting import Agreed, OthersDiedError
from simulator.engines.shards.hosted import Hosted, Reports, Sharded, Tallies
from simulator.engines.virtual_time import set_aside
from simulator.processes import forking


class Host(Protocol):
    """Plays some of a fleet's shards. They begin when it is told for the first time to go on."""

    def go_on(self, agreed: Agreed) -> None:
        """Play them to their next edge."""

    def reports(self) -> Reports:
        """What each says there; None of one that is over. Raises OthersDiedError, and what a play raises."""

    def tallies(self, *, is_interrupted: bool) -> Tallies:
        """What came of each, at its end or by now. Raises OthersDiedError, and what a play raises."""

    def end(self) -> None:
        """Nobody wants any more of it."""


class Here:
    """In this process, in the middle of what its own loop does."""

    def __init__(self, fleet: Sharded, numbers: Sequence[int]) -> None:
        self._shards = Hosted(fleet, numbers)
        self._reports: Reports = {}

    def go_on(self, agreed: Agreed) -> None:
        """See Host."""
        with set_aside():
            self._reports = self._shards.go_on(agreed)

    def reports(self) -> Reports:
        """See Host."""
        return self._reports

    def tallies(self, *, is_interrupted: bool) -> Tallies:
        """See Host."""
        with set_aside():
            return self._shards.tallies(is_interrupted)

    def end(self) -> None:
        """See Host."""
        with set_aside():
            self._shards.end()


class Forked:
    """In a process of its own, which has all that it needs from this one. Raises InputError if none can be begun."""

    def __init__(self, fleet: Sharded, numbers: Sequence[int]) -> None:
        with forking("--processes"):
            self._fork = Fork(partial(_host, fleet, numbers))
        self._owes_reports = False

    @property
    def process(self) -> int:
        """Its id."""
        return self._fork.id

    def go_on(self, agreed: Agreed) -> None:
        """See Host."""
        with suppress(OSError):  # who asks for the reports is told why there are none
            self._fork.connection.send(("go_on", agreed))
        self._owes_reports = True

    def reports(self) -> Reports:
        """See Host."""
        reports: Reports = self._answer()
        self._owes_reports = False
        return reports

    def tallies(self, *, is_interrupted: bool) -> Tallies:
        """See Host."""
        if self._owes_reports:
            self.reports()
        with suppress(OSError):
            self._fork.connection.send(("tallies", is_interrupted))
        tallies: Tallies = self._answer()
        return tallies

    def end(self) -> None:
        """See Host."""
        self._fork.end()

    def _answer(self) -> Any:
        answer = self._fork.hear(_died)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _died(how: str) -> OthersDiedError:
    return OthersDiedError(
        f"a process that played a part of the fleet ended ({how}) before its time, so nothing is said of the whole; if "
        f"memory ran out, play it with fewer --stand-ins"
    )


def _host(fleet: Sharded, numbers: Sequence[int], there: Connection) -> None:
    """In the other process, until nobody asks any more."""
    shards = Hosted(fleet, numbers)
    while True:
        what, told = there.recv()
        try:
            answer: Any = shards.go_on(told) if what == "go_on" else shards.tallies(told)
        except Exception as error:  # whatever it is: who asked raises it
            answer = error
        there.send(answer)


class InProcesses:
    """So many of this machine at most, this one among them, which plays a shard already."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def __call__(self, fleet: Sharded, numbers: Sequence[int]) -> list[Host]:
        """Who plays those shards. Raises InputError if not so many processes can be begun."""
        if self._processes < 2 or not can_fork():
            return [Here(fleet, numbers)]
        shares = dealt(numbers, self._processes)
        mine = shares.pop() if len(shares) == self._processes else []  # the smallest
        hosts: list[Host] = []
        try:
            for share in shares:
                hosts.append(Forked(fleet, share))  # noqa: PERF401 - those that have begun are to end
        except InputError:
            for host in hosts:
                host.end()
            raise
        return [*hosts, Here(fleet, mine)] if mine else hosts


def dealt(numbers: Sequence[int], among: int) -> list[Sequence[int]]:
    """Shares that are alike, but for one more in the first of them; none is empty."""
    return [share for first in range(among) if (share := numbers[first::among])]
