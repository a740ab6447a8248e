"""What is seen of an engine since the choice that is played, and how long it is looked for."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from agent.log import get_logger
from simulator.engines.conductor.expected import Told, compared
from simulator.trace import Entry

PATIENCE_SECONDS: Final = 30
"""So long nothing at all may be seen, before what is waited for is taken not to come.

Second by second: one in which this process did not run, however long, is one.
"""
QUIET_SECONDS: Final = 3
"""After so long it is said what is waited for."""
_log = get_logger("ghostjob.replay")


class PartedError(Exception):
    """What happened is not what the explorer's world says: `expected`, and what was `seen` instead."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; saw {seen}")
        self.expected = expected
        self.seen = seen


@dataclass(slots=True)
class Sight:
    """What has been told since the choice that is played, by whom; `changed` is set whenever anything is."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _told: dict[str, list[Told]] = field(default_factory=dict)

    def feed(self, entry: Entry) -> None:
        """Take note of an entry."""
        self._told.setdefault(entry.source, []).append(entry.event)  # type: ignore[arg-type]  # of cloud and devices
        self.changed.set()

    def of(self, source: str) -> list[Told]:
        """What that one has told, of what counts."""
        return compared(self._told.get(source, ()))

    async def changes(self, missing: str) -> bool:
        """Wait until anything is told; whether it is. What is waited for is logged, if it takes its time."""
        self.changed.clear()
        for second in range(PATIENCE_SECONDS):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    return await self.changed.wait()
            if second == QUIET_SECONDS:
                _log.info("replay.waiting", expected=missing, at_most_seconds=PATIENCE_SECONDS)
        return False

    def clear(self) -> None:
        """What was told so far was waited for."""
        self._told.clear()
