"""What a device does at its first job, told as it happens: the job may take ten minutes, and silence costs users most.

    watched = AtFirstJob(offer, telling.waits)
    played = await watched.unless_hopeless(plays.play(scenario, "first-job", watched.feed))
    if played is None: what is known of it is watched.unmet()

It knows no time, and says little: a device that works tells it by its reports, which are in the trace.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from simulator.certify.arrival import ENDS
from simulator.certify.certificate import NotMet
from simulator.certify.evidence import last_seen
from simulator.certify.offer import Offer
from simulator.certify.refused_arrival import OF_A_PAST, said_of
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

T = TypeVar("T")

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
        self._crashed = ""
        """How its process ended last."""
        self.is_hopeless = asyncio.Event()
        """Its process has crashed again and again, and it got no further in between."""
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry, of the cloud's trace or the engine's."""
        self._entries.append(entry)
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
                return f"is gone in the middle of its first job, and waited for: {ENDS.get(reason, shown(reason))}"
            case ClientConnected(thing=offer.thing) if self._is_gone:
                self._is_gone = False
                return "is connected again"
            case ClientRefused(code=code) if code not in OF_A_PAST:
                return said_of(event, offer)
            case ProcessEnded():
                return self._ended(event)
            case _:
                return None

    def _ended(self, event: ProcessEnded) -> str:
        self._crashed = event.why
        self._crashes = self._crashes + 1 if event.crashed else 0
        if self._crashes >= MOST_CRASHES:
            self.is_hopeless.set()
        return f"its process has ended, and is started again: {event.why}"

    async def unless_hopeless(self, playing: Coroutine[Any, Any, T]) -> T | None:
        """What it comes to; None if the device has become hopeless: then it is ended."""
        task, hopeless = asyncio.ensure_future(playing), asyncio.ensure_future(self.is_hopeless.wait())
        try:
            await asyncio.wait({task, hopeless}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for each in (task, hopeless):
                each.cancel()
            await asyncio.gather(task, hopeless, return_exceptions=True)

    def unmet(self) -> NotMet:
        """Why a hopeless device is not waited for any longer."""
        doing = "its first job, which nobody disturbs" if self._is_taken else "being given its first job"
        why = f"its process crashed {MOST_CRASHES} times over {doing}: {self._crashed}"
        return NotMet(why=why, failed=self._is_taken, evidence=last_seen(tuple(self._entries)))
