"""The processes of a search: one that does it all, or several that share the states by their first device.

Each round goes in three steps, which all take together. First each expands its own states, and packs what another
keeps for that one (`shipping.py`). Then each looks up what came for it. Then the new states of all are put in order and
get their numbers. So everything is the same as in one process; but each asks only for the moves of its own devices,
which is most of what takes time.

Who keeps a device is decided by what of it lasts, since most questions are about devices and monitors that differ
little where that is the same: so hardly a question is asked by two. Where nothing can be forked, one process does it
all.
"""

import multiprocessing
import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Final, NamedTuple

import numpy as np

from agent.errors import GhostjobError, InputError
from simulator.engines.explore.digest import digest
from simulator.engines.explore.expansion import Moves
from simulator.engines.explore.index import Numbers
from simulator.engines.explore.limits import Held, resident_bytes
from simulator.engines.explore.local_moves import Label
from simulator.engines.explore.packing import side_numbers
from simulator.engines.explore.passing import pass_on, passed
from simulator.engines.explore.searchable import Dividable, Searchable, TooManyPartsError
from simulator.engines.explore.shard import Kept, Shard
from simulator.engines.explore.shipping import Receiver, Sender, Shipment
from simulator.engines.explore.tables import Trait
from simulator.engines.forks import can_fork
from simulator.processes import forking, how_it_ended

OUT_OF_MEMORY: Final = 70
"""How a process ends that was given no more memory."""
NO_MORE: Final = object()
END_SECONDS: Final = 5.0
"""A process that was told to end has so long for it."""


class WorkerDiedError(GhostjobError):
    """A process of the search ended before its time, and with it what it knew."""


class Standing(NamedTuple):
    """How far a search is. `asked_seconds`: for so long systems were asked, of all processes together."""

    transitions: int
    edges: int
    broken: frozenset[str]
    has_dead_end: bool
    held_bytes: int
    asked_seconds: float


class Shards(ABC):
    """Whoever keeps the states."""

    jobs: int

    @abstractmethod
    def round(self, low: int, high: int) -> int:
        """Expand the states with these numbers: how many new ones there are."""

    @abstractmethod
    def standing(self) -> Standing:
        """After the last round."""

    @abstractmethod
    def kept(self) -> list[Kept]:
        """All of it, for the last time."""


def _standing(shard: Shard, held: int) -> Standing:
    broken = frozenset(shard.broken)
    return Standing(shard.transitions, shard.edge_count, broken, shard.has_dead_end, held, shard.asked_seconds)


class Alone(Shards):
    """One process."""

    jobs = 1

    def __init__(self, system: Searchable) -> None:
        self._shard = Shard(system)
        self._shard.begin(system.first())
        self._ranked = 0

    def round(self, low: int, high: int) -> int:
        """Expand the states with these numbers: how many new ones there are."""
        shard = self._shard
        moves = shard.expand(low, high)
        if len(shard.labels) > self._ranked:
            shard.rank(sorted(shard.labels))
            self._ranked = len(shard.labels)
        count = len(shard)
        new = len(shard.take(moves))
        shard.number(np.arange(count, count + new))
        return new

    def standing(self) -> Standing:
        """After the last round."""
        return _standing(self._shard, resident_bytes())

    def kept(self) -> list[Kept]:
        """All of it; what only a search needs is let go, since judging the graph takes memory as well."""
        kept = self._shard.kept()
        del self._shard
        return [kept]


# ── a process of several ──────────────────────────────────────────────────────────────────────────────────────────


class Expanded(NamedTuple):
    """For each process what it keeps (nothing for the one that made it), and labels that are new."""

    shipments: list[Shipment | None]
    labels: list[Label]


class _Worker:
    """In its own process: answers what it is told."""

    def __init__(self, system: Searchable, number: int, count: int) -> None:
        self._shard = Shard(system)
        known = self._shard.expansion.known
        self._number, self._held = number, Held()
        self._keeper = Trait(known.devices, np.int64, lambda device: keeper(system, device, count))
        self._senders = [Sender(known) for _ in range(count)]
        self._receivers = [Receiver(known) for _ in range(count)]
        self._mine: Moves | None = None
        self._ahead: Iterator[None] = iter(())
        self._failed: TooManyPartsError | None = None
        self._told = 0
        first = system.first()
        if keeper(system, first.sides[0].device, count) == number:
            self._shard.begin(first)

    def expand(self, low: int, high: int) -> Expanded:
        """The first step of a round."""
        moves = self._shard.expand(low, high)
        keepers = self._keeper.values[side_numbers(moves.words[0]).device]
        self._mine = moves.take(np.flatnonzero(keepers == self._number))
        self._ahead = self._shard.ahead(self._mine)
        shipments = [
            None if other == self._number else sender.pack(moves.take(np.flatnonzero(keepers == other)))
            for other, sender in enumerate(self._senders)
        ]
        new, self._told = self._shard.labels[self._told :], len(self._shard.labels)
        return Expanded(shipments, new)

    def take(self, shipments: list[Shipment | None], labels: list[Label] | None) -> Numbers:
        """The second: what orders each new state among all. `labels` are in order, None if none is new."""
        assert self._mine is not None
        if self._failed is not None:
            raise self._failed
        self._ahead = iter(())  # the others take as long for this as it does
        came = [
            receiver.unpack(shipment)
            for receiver, shipment in zip(self._receivers, shipments, strict=True)
            if shipment is not None
        ]
        if labels is not None:
            self._shard.rank(labels)
        return self._shard.take(Moves.all_of([self._mine, *came]))

    def number(self, numbers: Numbers) -> Standing:
        """The third."""
        self._shard.number(numbers)
        return self.standing()

    def look_ahead(self) -> bool:
        """Do a little of what will be asked for, while nothing is: whether there is more to do.

        Where it fails in that, it could not go on either, and says so when it is asked next.
        """
        try:
            return next(self._ahead, NO_MORE) is not NO_MORE
        except TooManyPartsError as error:
            self._failed = error
            return False

    def standing(self) -> Standing:
        """Between rounds."""
        return _standing(self._shard, self._held.bytes)

    def kept(self) -> Kept:
        """All of it; the index, which only a search needs, is let go."""
        kept = self._shard.kept()
        del self._shard
        return kept


def keeper(system: Searchable, device: Hashable, count: int) -> int:
    """Which of so many processes keeps the states of a device: the same one in every run, so each takes as long."""
    decides = system.lasting(device) if isinstance(system, Dividable) else device
    return int.from_bytes(digest(decides)[:8], "big") % count


def _work(system: Searchable, number: int, connections: list[tuple[Connection, Connection]]) -> None:
    """Until there is nobody to tell."""
    for at, (theirs, ours) in enumerate(connections):
        theirs.close()  # or nobody would notice that another end is closed
        if at != number:
            ours.close()
    try:
        _answer_all(_Worker(system, number, len(connections)), connections[number][1])
    except MemoryError:  # for a round, or for what is told of it
        sys.exit(OUT_OF_MEMORY)


def _answer_all(worker: _Worker, connection: Connection) -> None:
    """One after the other; another process may end before its time, and whoever asked does not wait for this one.

    While the others are still at it, this one looks ahead.
    """
    while True:
        try:
            while not connection.poll() and worker.look_ahead():
                pass
            name, arguments = passed(connection)
        except (EOFError, OSError):
            return
        try:
            answer = getattr(worker, name)(*arguments)
        except TooManyPartsError as error:
            answer = error
        try:
            pass_on(connection, answer)
        except OSError:
            return


class Together(Shards):
    """Several processes, and this one that tells them what to do. Raises InputError if not so many can be begun."""

    def __init__(self, system: Searchable, jobs: int) -> None:
        self.jobs = jobs
        context = multiprocessing.get_context("fork")
        with forking("--jobs"):
            pipes = [context.Pipe() for _ in range(jobs)]
        self._connections = [pipe[0] for pipe in pipes]
        self._processes: list[ForkProcess] = []
        try:
            for number in range(jobs):
                process = context.Process(target=_work, args=(system, number, pipes), daemon=True)
                with forking("--jobs"):
                    process.start()
                self._processes.append(process)
        except InputError:
            self.close()
            raise
        finally:
            for pipe in pipes:
                pipe[1].close()
        self._labels: set[Label] = set()
        self._count, self._held = 1, Held()
        self._standing: list[Standing] = self._ask_all("standing", [()] * jobs)

    def round(self, low: int, high: int) -> int:
        """Expand the states with these numbers: how many new ones there are."""
        expanded: list[Expanded] = self._ask_all("expand", [(low, high)] * self.jobs)
        new = {label for each in expanded for label in each.labels} - self._labels
        self._labels |= new
        labels = sorted(self._labels) if new else None
        arrived = [[each.shipments[number] for each in expanded] for number in range(self.jobs)]
        orders: list[Numbers] = self._ask_all("take", [(shipments, labels) for shipments in arrived])
        self._standing = self._ask_all("number", [(numbers,) for numbers in self._numbered(orders)])
        return sum(map(len, orders))

    def _numbered(self, orders: list[Numbers]) -> list[Numbers]:
        """The number in the whole search of each new state of each process."""
        ranks = np.empty(sum(map(len, orders)), np.int64)
        ranks[np.argsort(np.concatenate(orders), kind="stable")] = np.arange(self._count, self._count + len(ranks))
        self._count += len(ranks)
        return np.split(ranks, np.cumsum([len(order) for order in orders])[:-1])

    def standing(self) -> Standing:
        """After the last round."""
        transitions, edges, broken, dead_ends, held, seconds = zip(*self._standing, strict=True)
        all_of_it = sum(held) + self._held.bytes
        broken_anywhere = frozenset[str]().union(*broken)
        return Standing(sum(transitions), sum(edges), broken_anywhere, any(dead_ends), all_of_it, sum(seconds))

    def kept(self) -> list[Kept]:
        """All of it: each process ends before the next is asked, as nothing of it need be there twice."""
        return [self._last_of(number) for number in range(self.jobs)]

    def _last_of(self, number: int) -> Kept:
        self._tell(number, "kept", ())
        kept: Kept = self._answer_of(number)
        self._connections[number].close()
        self._processes[number].join(END_SECONDS)
        return kept

    def _ask_all(self, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        for number, each in enumerate(arguments):
            self._tell(number, name, each)
        answers = [self._answer_of(number) for number in range(self.jobs)]
        for answer in answers:
            if isinstance(answer, TooManyPartsError):
                raise answer
        return answers

    def _tell(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        try:
            pass_on(self._connections[number], (name, arguments))
        except OSError:
            self._died(number)

    def _answer_of(self, number: int) -> Any:
        connection = self._connections[number]
        wait([connection, self._processes[number].sentinel])
        try:
            if connection.poll() or self._processes[number].is_alive():
                return passed(connection)
        except (EOFError, OSError):
            pass
        return self._died(number)

    def _died(self, number: int) -> None:
        process = self._processes[number]
        process.join(END_SECONDS)
        raise WorkerDiedError(
            f"explore: process {number + 1} of the {self.jobs} that share the search ended ({_reason(process)}) after "
            f"{self._count:,} states, so the search is not complete; run it with --jobs 1, or with a lower --memory"
        )

    def close(self) -> None:
        """Let all processes end."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()


def _reason(process: ForkProcess) -> str:
    return "out of memory" if process.exitcode == OUT_OF_MEMORY else how_it_ended(process.exitcode)


@contextmanager
def shards_of(system: Searchable, jobs: int) -> Iterator[Shards]:
    """So many processes, where that can be; they end with the context."""
    if jobs < 2 or not can_fork():
        yield Alone(system)
        return
    together = Together(system, jobs)
    try:
        yield together
    finally:
        together.close()
