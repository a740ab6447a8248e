"""Who was told to go: it gets what was written before, if it reads that within a grace, and is cut off then.

A connection that is closed writes first what it holds, and TLS waits for the peer's word besides. A peer that does
neither read nor answer would keep its socket, and all those bytes, for ever.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

GRACE_SECONDS: Final = 2.0
"""How long who was told to go may take: some round trips of a bad line, and no hold-up of a cloud that shuts down."""


class Farewells:
    """Connections that are being closed and are not gone yet, by whose they are."""

    def __init__(self) -> None:
        self._parting: dict[Hashable, asyncio.TimerHandle] = {}
        self._all_gone: asyncio.Event | None = None

    def part(self, who: Hashable, abort: Callable[[], object]) -> None:
        """A connection is being closed: cut it off after the grace; `gone` is to be called once it is gone."""
        self._parting[who] = asyncio.get_running_loop().call_later(GRACE_SECONDS, abort)

    def gone(self, who: Hashable) -> None:
        """A connection is gone, of itself or not."""
        timer = self._parting.pop(who, None)
        if timer is not None:
            timer.cancel()
        if self._all_gone is not None and not self._parting:
            self._all_gone.set()

    async def ended(self) -> None:
        """Until nobody is parting any more: for the grace at most."""
        if self._parting:
            self._all_gone = asyncio.Event()
            await self._all_gone.wait()
            self._all_gone = None
