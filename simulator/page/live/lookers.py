"""Who looks at the live page: each gets the whole of it first, and then news; who reads slowly, the whole anew.

Nothing is queued: what somebody is sent is made when it can be sent, so a looker costs the bytes of one message. What
it costs to make them is a share of the time that is the same for one looker and for many, and for one device and for
thousands: then they come less often.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from pydantic_core import to_json

from agent.log import get_logger
from simulator.own_fault import in_words
from simulator.page.live.sparing import NEWS_SPARING, paid
from simulator.page.picture import Picture

LOOKERS: Final = 100
"""So many may look at once."""
EVERY_SECONDS: Final = 0.25
"""News come so often at most."""
CHEAP_SECONDS: Final = 0.025
"""Of the processor's time: what costs no more is not spared, unless a crowd plays, whose run has none to spare."""
SELDOM_SECONDS: Final = 10.0
"""They come so often at least, if there are any."""
FEW_SPARED: Final = 4.0
"""Of a few devices, whose run is not held up: so many times as long as news cost, they are not made again, be the
process idle or not. Who looks at a room's screen waits for nothing."""
ALIVE_SECONDS: Final = 15.0
"""So often who looks hears something, be there no news, lest what is between takes the connection for dead."""
ALIVE: Final = b":\n\n"
CLOSING_SECONDS: Final = 2.0
"""So long who reads slowly is waited for in the end."""
FAULT_SECONDS: Final = 10.0
"""For so long nothing is made after a fault of ours, which the log tells."""


class Looker:
    """One who looks. Whoever sends to it awaits `next`, and sends what that gives."""

    def __init__(self) -> None:
        self._told: bytes | None = None
        self._came = asyncio.Event()
        self.waits = asyncio.Event()
        """Set while it has been sent all that it was told."""
        self.has_missed = True
        """Something that was news when it could not be sent any: then it needs the whole."""
        self.is_new = True
        """It has been told nothing yet."""
        self._is_over = False

    @property
    def may_be_told(self) -> bool:
        """Whether it has been sent all that it was told, and waits for more."""
        return self.waits.is_set() and self._told is None

    def tell(self, told: bytes) -> None:
        """Have that sent; only while it may be told."""
        self._told, self.is_new = told, False
        self._came.set()

    def end(self) -> None:
        """What it was told goes yet; then no more comes."""
        self._is_over = True
        self._came.set()

    async def next(self) -> bytes | None:
        """What to send next; None: no more comes."""
        self.waits.set()
        try:
            while self._told is None:
                if self._is_over:
                    return None
                self._came.clear()
                async with asyncio.timeout(ALIVE_SECONDS):
                    await self._came.wait()
        except TimeoutError:
            return ALIVE
        finally:
            self.waits.clear()
        told, self._told = self._told, None
        return told


class Lookers:
    """All who look. `before` is called before they are told anything."""

    def __init__(self, picture: Picture, before: Callable[[], None]) -> None:
        self.picture = picture
        self._before = before
        self._all: dict[Looker, None] = {}
        self._is_over = False
        self.are_there = asyncio.Event()
        """Set while anybody looks."""

    def join(self) -> Looker | None:
        """One more; None if there are as many as may be."""
        if len(self._all) >= LOOKERS or self._is_over:
            return None
        looker = Looker()
        self._all[looker] = None
        self.are_there.set()
        return looker

    def leave(self, looker: Looker) -> None:
        """It looks no longer."""
        self._all.pop(looker, None)
        if not self._all:
            self.are_there.clear()

    def show(self, picture: Picture) -> None:
        """From now on, that picture instead."""
        self.picture = picture
        for looker in self._all:
            looker.has_missed = True

    async def keep_telling(self) -> None:
        """Tell what there is to tell as long as this runs, while anybody looks."""
        while True:
            await self.are_there.wait()
            was_final, cost = self.picture.is_final, await self._draw()
            began = time.thread_time()
            is_told = self._tell_or_say_why_not()
            cost += time.thread_time() - began
            await asyncio.sleep(EVERY_SECONDS if is_told else FAULT_SECONDS)
            at_most = SELDOM_SECONDS
            if not self.picture.is_crowd:
                at_most = 0.0 if cost <= CHEAP_SECONDS else min(FEW_SPARED * cost, SELDOM_SECONDS)
            await paid(cost, at_most, partial(self._is_waited_for, was_final), sparing=NEWS_SPARING)

    async def _draw(self) -> float:
        """Let the run have its turn between the parts of what will be told: the seconds of the processor's time."""
        cost, began = 0.0, time.thread_time()
        with suppress(Exception):  # whatever it is: who tells meets it as well, and says so
            for _ in self.picture.drawing():
                cost += time.thread_time() - began
                await asyncio.sleep(0)
                began = time.thread_time()
        return cost

    def _is_waited_for(self, was_final: bool) -> bool:
        """By who has just come; and how it was in the end nobody should have to wait for: both are told once."""
        has_ended = self.picture.is_final and not was_final
        return has_ended or any(looker.is_new and looker.may_be_told for looker in self._all)

    def _tell_or_say_why_not(self) -> bool:
        try:
            self.tell()
        except Exception as error:  # whatever it is: the run goes on, and so does the page
            why, then = in_words(error, "telling who looks"), f"the page goes on in {FAULT_SECONDS:g} s"
            get_logger("ghostjob.page").error("page.failed", why=why, then=then)
            for looker in self._all:
                looker.has_missed = True
            return False
        return True

    def tell(self) -> None:
        """Tell everybody who may be told: the news, or the whole."""
        self._before()
        # Of nobody's news, too: from now on, what has changed since is news.
        news = self.picture.news()
        for looker in self._all:
            if news and not looker.may_be_told:
                looker.has_missed = True
        ready = [looker for looker in self._all if looker.may_be_told]
        if news and not all(looker.has_missed for looker in ready):
            told = _event(b"news", to_json(news, by_alias=True))
            for looker in ready:
                if not looker.has_missed:
                    looker.tell(told)
        if anew := [looker for looker in ready if looker.has_missed]:
            told = _event(b"whole", self.picture.whole().model_dump_json(by_alias=True).encode())
            for looker in anew:
                looker.has_missed = False
                looker.tell(told)

    async def close(self) -> None:
        """Tell everybody how it was in the end, and nobody anything after that."""
        self._is_over = True
        if self._all:
            self._tell_or_say_why_not()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while any(looker.has_missed for looker in self._all):
                    for looker in tuple(self._all):
                        await looker.waits.wait()
                    if not self._tell_or_say_why_not():
                        break
        for looker in self._all:
            looker.end()


def _event(name: bytes, data: bytes) -> bytes:
    """As server-sent events have it; JSON has no line ends."""
    return b"event: %b\ndata: %b\n\n" % (name, data)
