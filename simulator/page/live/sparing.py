"""What the page costs is a small share of the run's own work, on a busy machine as on a quiet one."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

SPARING: Final = 60
"""For so many times as long as something cost, by the processor's time, it is not done again."""
NEWS_SPARING: Final = 120
"""The same of what is told while a crowd plays, lest all that the page does takes a tenth of what the run has. Of a
thousand devices news cost some 30 ms at first, and 100 ms later: they come after 4 s of the run's work, and then after
up to 10 s. That is often enough for who looks at a crowd: curves move, and nobody reads lanes meanwhile. Who has just
come, and how it was in the end, waits for nothing."""
LOOK_SECONDS: Final = 0.05


async def paid(
    cost: float, at_most_seconds: float, is_urgent: Callable[[], bool] = lambda: False, *, sparing: int = SPARING
) -> None:
    """Wait until this process has worked for `sparing` times `cost`, seconds of the processor's time; so long at most,
    for one that has little to do, and only until it is urgent.
    """
    due, until = time.process_time() + sparing * cost, time.monotonic() + at_most_seconds
    while time.process_time() < due and time.monotonic() < until:
        if is_urgent():
            return
        await asyncio.sleep(LOOK_SECONDS)
