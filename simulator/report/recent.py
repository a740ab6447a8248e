"""What happened last on each thing, for who wants to show what is around an entry."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from agent.device_events import StepProgressed
from simulator.scenario import thing_of_agent
from simulator.trace import CLOUD, Entry
from simulator.verdict.seen import thing_of

ENTRIES: Final = 500
"""Of one source about one thing."""


class Recent:
    """A trace's last entries, by thing; those that say how far a step has come are left out."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, bool], deque[Entry]] = {}

    def feed(self, entry: Entry) -> None:
        """Take in the next entry."""
        if (thing := thing_of(entry)) is not None and not isinstance(entry.event, StepProgressed):
            source = (thing, entry.source == CLOUD)
            self._last.setdefault(source, deque(maxlen=ENTRIES)).append(entry)

    def entries_of(self, thing: str) -> Iterator[Entry]:
        """What was told last of one device, by itself and by the cloud."""
        for name in dict.fromkeys((thing, thing_of_agent(thing))):
            yield from self._last.get((name, False), ())
            yield from self._last.get((name, True), ())
