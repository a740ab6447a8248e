"""Who has connected and has not said yet who he is, or what he wants: who goes first where files run out."""

import time
from collections.abc import Callable, Hashable
from typing import Final

STRANGE_SECONDS: Final = 1.0
"""For so long a stranger may stay while others need his place: to say what one wants takes a round trip or two."""


class Strangers:
    """Connections that have not said yet who they are; those of all ports, as they all take file descriptors."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._there: dict[Hashable, tuple[float, Callable[[], None]]] = {}

    def came(self, who: Hashable, show_out: Callable[[], None]) -> None:
        """A connection is open; `show_out` ends it."""
        self._there[who] = (self._clock(), show_out)

    def known(self, who: Hashable) -> None:
        """It has said who it is, or what it wants, or is gone."""
        self._there.pop(who, None)

    def make_room(self) -> bool:
        """Show the one out that has been here for longest; False if nobody has been here for long."""
        for who, (since, show_out) in self._there.items():  # the first is the oldest
            if self._clock() - since >= STRANGE_SECONDS:
                del self._there[who]
                show_out()
                return True
            break
        return False
