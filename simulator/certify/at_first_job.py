"""What a device does at its first job, told as it happens: the job may take ten minutes, and silence costs users most.

    watched = AtFirstJob(offer, telling.waits)
    stop = wiretap.join(watched.feed)
    await watched.is_hopeless.wait()    its process has crashed again and again, and it got no further in between

It knows no time, and says little: a device that works tells it by its reports, which are in the trace.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from simulator.certify.arrival import ENDS
from simulator.certify.offer import Offer
from simulator.certify.refused_arrival import said_of
from simulator.certify.wrong_topics import shown
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    Entry,
    Event,
    ExecutionChanged,
    ProcessEnded,
)

MOST_SAID: Final = 12
"""Lines; what goes on and on is known by then."""
MOST_CRASHES: Final = 5
"""One after the other with no progress of the job between them: whoever reboots for an update does not crash."""
MOST_ENTRIES: Final = 1_000


class AtFirstJob:
    """Watches the device that `offer` was made to; `say` is called with each line."""

    def __init__(self, offer: Offer, say: Callable[[str], None]) -> None:
        self._offer = offer
        self._say = say
        self._said = 0
        self._is_taken = False
        self._is_gone = False
        self._crashes = 0
        self.crashed = ""
        """How its process ended last."""
        self.is_hopeless = asyncio.Event()
        self.entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        """The last that were seen."""

    @property
    def is_taken(self) -> bool:
        """Whether it has taken the job."""
        return self._is_taken

    def feed(self, entry: Entry) -> None:
        """Take note of one entry, of the cloud's trace or the engine's."""
        self.entries.append(entry)
        told = self._told(entry.event)
        if told is None or self._said > MOST_SAID:
            return
        self._said += 1
        self._say(told if self._said <= MOST_SAID else "it goes on like that, and is waited for all the same")

    def _told(self, event: Event) -> str | None:
        offer = self._offer
        match event:
            case ExecutionChanged(by="device"):
                self._crashes, was_taken, self._is_taken = 0, self._is_taken, True
                return None if was_taken else "has taken its first job"
            case ClientDisconnected(thing=offer.thing, reason=reason):
                self._is_gone = True
                return f"is gone in the middle of its first job: {ENDS.get(reason, shown(reason))}"
            case ClientConnected(thing=offer.thing) if self._is_gone:
                self._is_gone = False
                return "is connected again"
            case ClientRefused():
                return said_of(event, offer)
            case ProcessEnded():
                return self._ended(event)
            case _:
                return None

    def _ended(self, event: ProcessEnded) -> str:
        self.crashed = event.why
        self._crashes = self._crashes + 1 if event.crashed else 0
        if self._crashes >= MOST_CRASHES:
            self.is_hopeless.set()
        return f"its process has ended, and is started again: {event.why}"
