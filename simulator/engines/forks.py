"""Processes forked from this one, which have all that it has: one that is talked to, or work on many things in several.

Of many things, what comes of each is told in their order, wherever and whenever it was made. Where nothing can be
forked, or one process is all that is wanted, this one does it all.
"""

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Final, TypeVar

from agent.errors import GhostjobError
from simulator.processes import forking, how_it_ended

Thing = TypeVar("Thing")
Part = TypeVar("Part")

LOOKS_EVERY_SECONDS: Final = 1.0
"""So often whoever waits for others has a moment."""


class ForkDiedError(GhostjobError):
    """A process ended before its time, so that not all is done."""


class Fork:
    """A process forked from this one, which does `work` with its end of a connection.

    To be begun within `forking`, until somebody has it who will end it.
    """

    def __init__(self, work: Callable[[Connection], None]) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, there = context.Pipe()
        self._process = context.Process(target=_do, args=(work, self.connection, there), daemon=True)
        self._process.start()
        there.close()  # or a process that died would not be noticed

    @property
    def id(self) -> int:
        """The process's."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def hear(self, died: Callable[[str], GhostjobError]) -> Any:
        """What it says. Raises what has `died` make of how it ended, if it did before it said anything."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            raise died(how_it_ended(self._process.exitcode)) from None

    def end(self) -> None:
        """Nobody wants any more of it."""
        self.connection.close()
        self._process.kill()
        self._process.join()


def _do(work: Callable[[Connection], None], here: Connection, there: Connection) -> None:
    """In the other process, until it is done or nobody is there any more."""
    here.close()  # or it would wait for ever for somebody to hear or to ask it, once the first process is gone
    with suppress(EOFError, OSError):
        work(there)


def can_fork() -> bool:
    """Whether this system has it."""
    return "fork" in multiprocessing.get_all_start_methods()


def each_of(
    work: Callable[[Thing], Part],
    things: Sequence[Thing],
    processes: int,
    meanwhile: Callable[[], object] = lambda: None,
) -> Generator[Part, None, None]:
    """What `work` makes of each, in their order. Raises ForkDiedError, and what the work raises of the first thing.

    InputError: the system lets not so many begin. `meanwhile` is called now and then while others are at work.
    """
    if processes < 2 or len(things) < 2 or not can_fork():
        yield from map(work, things)
        return
    begun: dict[int, Fork] = {}
    made: dict[int, Part | Exception] = {}
    left = enumerate(things)
    try:
        for number in range(len(things)):
            while number not in made:
                while len(begun) < processes and (one := next(left, None)) is not None:
                    with forking("--processes"):  # or one that has begun might be known to nobody, who could end it
                        begun[one[0]] = _begin(work, one[1])
                ended = wait([fork.connection for fork in begun.values()], LOOKS_EVERY_SECONDS)
                meanwhile()
                for at in [at for at, fork in begun.items() if fork.connection in ended]:
                    made[at] = begun[at].hear(_died)
                    begun.pop(at).end()
            part = made.pop(number)
            if isinstance(part, Exception):
                raise part
            yield part
    finally:
        for fork in begun.values():
            fork.end()


def _begin(work: Callable[[Thing], Part], thing: Thing) -> Fork:
    def make(there: Connection) -> None:
        try:
            part: Part | Exception = work(thing)
        except Exception as error:
            part = error
        there.send(part)

    return Fork(make)


def _died(how: str) -> ForkDiedError:
    return ForkDiedError(
        f"a process of several ended ({how}) before its work was done, so not all is done, and nothing is said; if "
        f"memory ran out, do it with fewer --processes"
    )
