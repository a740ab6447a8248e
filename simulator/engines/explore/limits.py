"""What ends a search before it is complete: time, memory, more parts or states than numbers, somebody."""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

STATM: Final = Path("/proc/self/statm")
ROLLUP: Final = Path("/proc/self/smaps_rollup")
GROWN: Final = 1.1
MOST_STATES: Final = 2**31 - 2**28
"""Numbers of states have 31 bits, and a round may find some millions more before this is looked at."""
LIVENESS_BYTES_AN_EDGE: Final = 40
LIVENESS_BYTES_A_STATE: Final = 40
LIVENESS_SECONDS_AN_EDGE: Final = 1e-6
"""What judging the graph takes in the end, for a while; room and time for it are left."""


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


def held_bytes() -> int:
    """Of this process, and its part of what it shares with others, as after a fork; dearer to ask for.

    As `resident_bytes` where the system (Linux before 4.14) does not tell.
    """
    try:
        lines = ROLLUP.read_text().splitlines()
    except OSError:
        return resident_bytes()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class Held:
    """`held_bytes` for whoever wants to know often: asked for anew when the process has grown by a tenth.

    What has come since it was asked for is all its own.
    """

    def __init__(self) -> None:
        self._resident, self._held = 0, 0

    @property
    def bytes(self) -> int:
        """Now."""
        resident = resident_bytes()
        if resident >= self._resident * GROWN:
            self._resident, self._held = resident, held_bytes()
        return self._held + resident - self._resident


class Limits:
    """Of one search; `seconds` and `mebibytes` are None where there is no limit."""

    def __init__(self, seconds: float | None, mebibytes: float | None, is_interrupted: IsInterrupted = never) -> None:
        self._seconds, self._mebibytes, self._is_interrupted = seconds, mebibytes, is_interrupted
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    def seconds_left(self, edges: int) -> float:
        """Until the graph of so many edges must be judged; infinite where there is no limit."""
        later = edges * LIVENESS_SECONDS_AN_EDGE
        return math.inf if self._seconds is None else self._seconds - self.seconds - later

    def reached(self, states: int, edges: int, held: int) -> str:
        """Which limit is reached; empty if none is. `held`: bytes in all processes."""
        if self._is_interrupted():
            return INTERRUPTION
        if self.seconds_left(edges) <= 0:
            return "time"
        if states >= MOST_STATES:
            return "states"
        later = edges * LIVENESS_BYTES_AN_EDGE + states * LIVENESS_BYTES_A_STATE
        if self._mebibytes is not None and held + later >= self._mebibytes * 2**20:
            return "memory"
        return ""
