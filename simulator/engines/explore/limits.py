"""What ends a search before it is complete: time, memory, more parts or states than numbers, somebody."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

STATM: Final = Path("/proc/self/statm")
MOST_STATES: Final = 2**31 - 2
LIVENESS_BYTES_AN_EDGE: Final = 40
LIVENESS_BYTES_A_STATE: Final = 40
"""What judging the graph takes in the end, for a while; room for it is left."""


IsInterrupted: TypeAlias = Callable[[], bool]
"""Whether somebody wants the search to end now."""
INTERRUPTION: Final = "an interruption"


def never() -> bool:
    """Nobody interrupts it."""
    return False


def resident_bytes() -> int:
    """Of this process; 0 where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Limits:
    """Of one search; `seconds` and `mebibytes` are None where there is no limit."""

    def __init__(self, seconds: float | None, mebibytes: float | None, is_interrupted: IsInterrupted = never) -> None:
        self._seconds, self._mebibytes, self._is_interrupted = seconds, mebibytes, is_interrupted
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    def reached(self, states: int, edges: int, resident: int) -> str:
        """Which limit is reached; empty if none is. `resident`: bytes in all processes."""
        if self._is_interrupted():
            return INTERRUPTION
        if self._seconds is not None and self.seconds >= self._seconds:
            return "time"
        if states >= MOST_STATES:
            return "states"
        later = edges * LIVENESS_BYTES_AN_EDGE + states * LIVENESS_BYTES_A_STATE
        if self._mebibytes is not None and resident + later >= self._mebibytes * 2**20:
            return "memory"
        return ""
