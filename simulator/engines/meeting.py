"""What a play waits for, where it may be one shard of a fleet of which others are played elsewhere.

A play that is alone goes on as soon as it can. Shards go on together: each says at the edges of windows of virtual time
how far it is, and what all of them, or one, have come to holds for all from that edge on.

    alone       ── write 50 % ── delete
    shard 0     ── write 50 % ────────┐  edge │
    shard 1     ──────── write 50 % ──┘       │ delete, in both
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from agent.errors import GhostjobError
from simulator.engines.stage import Stage

OF_WHAT_HAS_PASSED: Final = 0.01
LEAST_SECONDS: Final = 0.02
MOST_SECONDS: Final = 0.5
"""A window is a hundredth of the time that has passed, within these limits: as fine as what goes on."""
YES: Final = "yes"
"""It has come to that; nothing: not yet; anything else: why it never will."""


class OthersDiedError(GhostjobError):
    """Who played other shards ended before its time, so that nothing is known of these."""


class Meeting(Protocol):
    """How plays wait for what a whole fleet has come to."""

    async def agree(
        self,
        on: str,
        says: Callable[[], str],
        *,
        one_will_do: bool = False,
        presses: Callable[[], bool] = lambda: True,
    ) -> str:
        """Wait until every play says YES at the same time, or one if that `one_will_do`; or why it never will be so.

        `on` is what they call it, of which there is one at a time. They go on waiting for what never will be as long as
        it `presses` none of them.
        """

    async def first(self, on: str, waits: Coroutine[Any, Any, None]) -> None:
        """Wait for that, or until it has come to an end with another."""


class Alone:
    """A play that is all of its fleet, on that stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def agree(
        self,
        on: str,
        says: Callable[[], str],
        *,
        one_will_do: bool = False,
        presses: Callable[[], bool] = lambda: True,
    ) -> str:
        """See Meeting."""
        await self._stage.until(lambda: (word := says()) == YES or (bool(word) and presses()))
        return says()

    async def first(self, on: str, waits: Coroutine[Any, Any, None]) -> None:
        """See Meeting."""
        await waits


class Said(NamedTuple):
    """What one play says at an edge, whether one that says YES is enough, and whether it cannot wait for ever."""

    word: str
    one_will_do: bool = False
    presses: bool = True


class Report(NamedTuple):
    """What a play says on all that it waits for, at that edge, in virtual seconds."""

    at: float
    said: Mapping[str, Said]


Agreed: TypeAlias = Mapping[str, str]


class AtEdges:
    """One of several plays. `at_edge` is called at each edge, in the play's loop, and has it `hear`, then or later."""

    def __init__(self, at_edge: Callable[[], object]) -> None:
        self._at_edge = at_edge
        self._waiting: dict[str, tuple[Callable[[], Said], asyncio.Future[str]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._at = 0.0

    async def agree(
        self,
        on: str,
        says: Callable[[], str],
        *,
        one_will_do: bool = False,
        presses: Callable[[], bool] = lambda: True,
    ) -> str:
        """See Meeting."""
        assert on not in self._waiting, "one at a time"
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._to_the_next_edge()
        future: asyncio.Future[str] = self._loop.create_future()
        self._waiting[on] = lambda: Said(says(), one_will_do, presses()), future
        try:
            return await future
        finally:
            del self._waiting[on]

    async def first(self, on: str, waits: Coroutine[Any, Any, None]) -> None:
        """See Meeting."""
        waiting = asyncio.ensure_future(waits)
        try:
            await self.agree(on, lambda: YES if waiting.done() else "", one_will_do=True)
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting

    def report(self) -> Report:
        """What it says now."""
        return Report(self._at, {on: says() for on, (says, _) in self._waiting.items()})

    def hear(self, agreed: Agreed) -> None:
        """What all have come to; go on to the next edge."""
        for on, word in agreed.items():
            if not (future := self._waiting[on][1]).done():
                future.set_result(word)
        self._to_the_next_edge()

    def fail(self, error: Exception) -> None:
        """Not all go on: who waits is told."""
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    def _to_the_next_edge(self) -> None:
        assert self._loop is not None, "somebody waits by now"
        self._at += min(max(LEAST_SECONDS, self._at * OF_WHAT_HAS_PASSED), MOST_SECONDS)
        self._loop.call_at(self._at, self._at_edge)


def agreed(reports: Sequence[Report]) -> dict[str, str]:
    """What holds for all from now on, by what each of them says."""
    first, *others = reports
    assert all(other.at == first.at for other in others), "they are at one edge"
    words: dict[str, str] = {}
    for on, said in first.said.items():
        told = [said, *(other.said[on] for other in others if on in other.said)]
        if len(told) == len(reports) and (word := _word(told)):
            words[on] = word
    return words


def _word(told: Sequence[Said]) -> str:
    """It takes one to say no for all, unless one that says yes is enough."""
    words = [said.word for said in told]
    presses = any(said.presses for said in told)
    no = next((word for word in words if presses and word not in ("", YES)), "")
    if told[0].one_will_do:
        return YES if YES in words else no if all(words) else ""
    return no or (YES if set(words) == {YES} else "")
