"""Who plays some shards of a fleet: this process, in turns with what else it does, or one that it forked for that.

go_on    play each to its next edge, by what was agreed at the last one; a forked one does it meanwhile
reports  what each says there
tallies  what came of each
"""

import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol, TypeAlias

from simulator.engines.meeting import Agreed, OthersDiedError, Report
from simulator.engines.shards.hosted import Hosted, Sharded
from simulator.engines.virtual_time import seldom_collected, set_aside
from simulator.verdict.tally import Tally

ENDS: Final = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Who ends the play means the process that he sees, which ends the others."""
END_SECONDS: Final = 5.0

Reports: TypeAlias = Mapping[int, Report | None]
Tallies: TypeAlias = Mapping[int, Tally]
"""By the numbers of shards."""


class Host(Protocol):
    """Plays some of a fleet's shards."""

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
        self._shards = {number: Hosted(fleet, number) for number in numbers}
        self._reports: Reports = {}

    def go_on(self, agreed: Agreed) -> None:
        """See Host."""
        with set_aside():
            self._reports = {number: shard.go_on(agreed) for number, shard in self._shards.items()}

    def reports(self) -> Reports:
        """See Host."""
        return self._reports

    def tallies(self, *, is_interrupted: bool) -> Tallies:
        """See Host."""
        with set_aside():
            return {number: each.tally(is_interrupted=is_interrupted) for number, each in self._shards.items()}

    def end(self) -> None:
        """See Host."""
        with set_aside():
            for shard in self._shards.values():
                shard.end()


class Forked:
    """In a process of its own, which has all that it needs from this one."""

    def __init__(self, fleet: Sharded, numbers: Sequence[int]) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_host, args=(fleet, numbers, self._connection, there), daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # which a fork keeps
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        there.close()  # or a process that died would not be noticed
        self._owes_reports = False

    @property
    def process(self) -> int:
        """Its id."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def go_on(self, agreed: Agreed) -> None:
        """See Host."""
        with suppress(OSError):  # who asks for the reports is told why there are none
            self._connection.send(("go_on", agreed))
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
            self._connection.send(("tallies", is_interrupted))
        tallies: Tallies = self._answer()
        return tallies

    def end(self) -> None:
        """See Host."""
        self._connection.close()
        self._process.kill()
        self._process.join(END_SECONDS)

    def _answer(self) -> Any:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(END_SECONDS)
            code = self._process.exitcode or 0
            how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            raise OthersDiedError(
                f"a process that played a part of the fleet ended ({how}) before its time, so nothing is said of the "
                f"whole; if memory ran out, play it with fewer --stand-ins"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _host(fleet: Sharded, numbers: Sequence[int], here: Connection, there: Connection) -> None:
    """In the other process, until nobody asks any more."""
    here.close()  # or it would wait for ever to be asked, once the first process is gone
    with suppress(EOFError, OSError), seldom_collected():
        shards = {number: Hosted(fleet, number) for number in numbers}
        while True:
            what, told = there.recv()
            try:
                if what == "go_on":
                    answer: Any = {number: shard.go_on(told) for number, shard in shards.items()}
                else:
                    answer = {number: shard.tally(is_interrupted=told) for number, shard in shards.items()}
            except Exception as error:  # whatever it is: who asked raises it
                answer = error
            there.send(answer)


def hosts(fleet: Sharded, but: int, processes: int) -> list[Host]:
    """For all of its shards but that one, which is played already by this process, in so many processes in all."""
    others = [number for number in range(len(fleet.shards)) if number != but]
    if processes < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return [Here(fleet, others)]
    # This one has one by now: so the others' shares come first.
    shares = [share for first in range(processes) if (share := others[first::processes])]
    mine = shares.pop() if len(shares) == processes else []
    forked: list[Host] = [Forked(fleet, share) for share in shares]
    return [*forked, Here(fleet, mine)] if mine else forked
