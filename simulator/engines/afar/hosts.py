"""Where the parts of a fleet live, as the play sees it: begun with the play, asked, and ended with it.

A play that loses one ends: it is cut short, and what it raises says which devices those were.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, Self

from agent.errors import GhostjobError
from simulator.engines.afar.part import Where
from simulator.engines.tied import Tied
from simulator.processes import ProcessLostError

START_SECONDS: Final = 60.0
"""So long a part may take until it answers for the first time: its host may be busy with something else."""
ROUNDS: Final = 5
"""So often a clock is asked; what took the least time is what tells the most."""


class HostLostError(GhostjobError):
    """Whoever was asked is there no more; the message says why."""


class Host(Protocol):
    """Has one part."""

    async def ask(self, what: str, *told: object) -> Any:
        """What that method of it comes to. Raises HostLostError, and what it raises."""

    def end(self) -> None:
        """Nobody wants any more of it."""


class Begins(Protocol):
    """Who begins parts."""

    def parts(self, most: int) -> Sequence[Host]:
        """As many as is good, at least one. Raises ProcessLostError."""

    def watching(self) -> Coroutine[Any, Any, str]:
        """Comes to an end if all are lost at once, and says why."""

    @property
    def advice(self) -> str:
        """What to look at if one does not begin."""


class Placed:
    """A part where it lives. `ahead` is how many seconds the play's clock is ahead of its own."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.name = ""
        self.ahead = 0.0

    async def look(self) -> None:
        """See where it is, and how its clock goes. Raises HostLostError."""
        least = float("inf")
        for _ in range(ROUNDS):
            asked = time.monotonic()
            where: Where = await self.host.ask("where")
            answered = time.monotonic()
            if answered - asked < least:
                least, self.ahead = answered - asked, (asked + answered) / 2 - where.clock
            self.name = where.host


class Hosts:
    """The hosts of one play. Who enters it is cut short if one is lost; then leaving it raises ProcessLostError."""

    def __init__(self, begins: Begins, most: int) -> None:
        self._begins, self._most = begins, most
        self._tied = Tied()
        self._watching: asyncio.Task[None] | None = None
        self.placed: tuple[Placed, ...] = ()

    async def __aenter__(self) -> Self:
        self.placed = tuple(map(Placed, self._begins.parts(self._most)))
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.gather(*(each.look() for each in self.placed))
        except TimeoutError:
            self._end()
            raise ProcessLostError(
                f"for {START_SECONDS:.0f} s not each of {len(self.placed)} parts of the fleet found a processor; "
                f"{self._begins.advice}"
            ) from None
        except HostLostError as lost:
            self._end()
            raise ProcessLostError(
                f"a part of the fleet ended before it began: {lost}; {self._begins.advice}"
            ) from None
        except BaseException:
            self._end()
            raise
        self._tied.tie()
        self._watching = asyncio.create_task(self._watch(self._begins.watching()))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._watching is not None
        self._watching.cancel()
        self._end()
        self._tied.untie()

    def lost(self, why: str) -> None:
        """It cannot go on."""
        self.cut(ProcessLostError(why))

    def cut(self, error: BaseException) -> None:
        """It cannot go on, and raises that."""
        self._tied.cut(error)

    async def _watch(self, watching: Coroutine[Any, Any, str]) -> None:
        self.lost(await watching)

    def _end(self) -> None:
        for each in self.placed:
            each.host.end()
