"""What the page costs is a small share of the run's own work, on a busy machine as on a quiet one."""

import asyncio
import time
from typing import Final

SPARING: Final = 40
"""For so many times as long as something cost, by the processor's time, it is not done again."""
LOOK_SECONDS: Final = 0.05


async def paid(cost: float, at_most_seconds: float) -> None:
    """Wait until this process has worked for SPARING times `cost`, seconds of the processor's time; so long at most,
    for one that has little to do.
    """
    due, until = time.process_time() + SPARING * cost, time.monotonic() + at_most_seconds
    while time.process_time() < due and time.monotonic() < until:  # noqa: ASYNC110 - no event tells of that time
        await asyncio.sleep(LOOK_SECONDS)
