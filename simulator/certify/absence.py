"""That the device is gone while a cell is played, told once it lasts: a bar that stands still says nothing.

Devices come and go in many cells, mostly within seconds, and that is nothing to tell of.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from simulator.certify.arrival import ENDS
from simulator.certify.wrong_topics import shown
from simulator.trace import ClientConnected, ClientDisconnected, Entry

LASTS_SECONDS: Final = 8.0


class Due(Protocol):
    """What will be called, unless it is cancelled."""

    def cancel(self) -> None:
        """Have it not called."""


Later: TypeAlias = Callable[[float, Callable[[], None]], Due]
"""Call a function after so many seconds."""


class Absence:
    """Of the client whose id is the thing's; `say` is called with each line, `later` calls what is due."""

    def __init__(self, thing: str, say: Callable[[str], None], later: Later) -> None:
        self._thing = thing
        self._say = say
        self._later = later
        self._due: Due | None = None
        self._is_told = False

    def feed(self, entry: Entry) -> None:
        """Take note of one entry of the cloud's trace."""
        match entry.event:
            case ClientDisconnected(thing=self._thing, reason=reason):
                self.close()
                self._due = self._later(LASTS_SECONDS, lambda: self._tell(reason))
            case ClientConnected(thing=self._thing):
                self.close()
                if self._is_told:
                    self._is_told = False
                    self._say("is connected again")
            case _:
                pass

    def close(self) -> None:
        """Tell of no absence any more that has not been told."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _tell(self, reason: str) -> None:
        self._is_told = True
        why = ENDS.get(reason, shown(reason))
        self._say(f"has been gone for {LASTS_SECONDS:g} s, and is waited for: {why}")
