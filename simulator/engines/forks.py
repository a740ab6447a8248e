"""Work on many things, several at a time: each in a process of its own, forked from this one, which has all it needs.

What comes of each is told in the order of the things, wherever and whenever it was made. Where nothing can be forked,
or one process is all that is wanted, this one does it all.
"""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Final, NamedTuple, TypeVar

from agent.errors import GhostjobError
from simulator.processes import how_it_ended

ENDS: Final = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Who ends the work means the process that he sees, which ends the others."""

Thing = TypeVar("Thing")
Part = TypeVar("Part")


class ForkDiedError(GhostjobError):
    """A process ended before its time, so that not all is done."""


class _Fork(NamedTuple):
    process: ForkProcess
    connection: Connection


def each_of(work: Callable[[Thing], Part], things: Sequence[Thing], processes: int) -> Generator[Part, None, None]:
    """What `work` makes of each, in their order. Raises ForkDiedError, and what the work raises of the first thing."""
    if processes < 2 or len(things) < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, things)
        return
    begun: dict[int, _Fork] = {}
    made: dict[int, Part | Exception] = {}
    left = enumerate(things)
    try:
        for number in range(len(things)):
            while number not in made:
                while len(begun) < processes and (one := next(left, None)) is not None:
                    with _ends_held_back():  # or one that has begun might be known to nobody, who could end it
                        begun[one[0]] = _begin(work, one[1])
                ended = wait([fork.connection for fork in begun.values()])
                for at in [at for at, fork in begun.items() if fork.connection in ended]:
                    made[at] = _made(begun[at])
                    _end(begun.pop(at))
            part = made.pop(number)
            if isinstance(part, Exception):
                raise part
            yield part
    finally:
        for fork in begun.values():
            _end(fork)


@contextmanager
def _ends_held_back() -> Iterator[None]:
    """They come when it is over; who is forked meanwhile never hears of them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(work: Callable[[Thing], Part], thing: Thing) -> _Fork:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, thing, here, there), daemon=True)
    process.start()
    there.close()  # or a process that died would not be noticed
    return _Fork(process, here)


def _work(work: Callable[[Thing], Part], thing: Thing, here: Connection, there: Connection) -> None:
    """In the other process."""
    here.close()  # or it would wait for ever for somebody to take the part, once the first process is gone
    try:
        part: Part | Exception = work(thing)
    except Exception as error:
        part = error
    with suppress(BrokenPipeError):
        there.send(part)


def _made(fork: _Fork) -> Any:
    """What came of it. Raises ForkDiedError."""
    try:
        return fork.connection.recv()
    except EOFError:
        fork.process.join()
        raise ForkDiedError(
            f"a process of several ended ({how_it_ended(fork.process.exitcode)}) before its work was done, so not all "
            f"is done, and nothing is said; if memory ran out, do it with fewer processes"
        ) from None


def _end(fork: _Fork) -> None:
    fork.connection.close()
    fork.process.kill()
    fork.process.join()
