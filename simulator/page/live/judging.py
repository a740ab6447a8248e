"""The verdict so far on the live page: a few devices at a time, lest the run stands still while it is being judged."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from agent.log import get_logger
from simulator.page.picture import Picture
from simulator.verdict import Judge
from simulator.verdict.interim import Interim

ROUND_SECONDS: Final = 1.0
"""So often it is judged at most."""
SLICE_SECONDS: Final = 0.005
"""For so long devices are looked at before the run has its turn."""
SPARING: Final = 24
"""For so many times as long the run has its turn: judging takes a twenty-fifth of the time at most."""


async def keep_judging(
    picture: Picture, judge: Judge, looked_at: asyncio.Event, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Have `picture` know what `judge` holds so far, as long as this runs, while anybody looks."""
    interim = Interim(judge)
    while True:
        await looked_at.wait()
        began = concluding = clock()
        try:
            if await _is_judged(interim, clock):
                concluding = clock()
                picture.judged(interim.verdict(), final=False)
        except Exception:  # whatever it is: the run goes on, and is judged in the end
            get_logger("ghostjob.page").exception("judging.failed", then="the page shows no verdict before the end")
            return
        now = clock()
        await asyncio.sleep(max(ROUND_SECONDS - (now - began), SPARING * (now - concluding)))


async def _is_judged(interim: Interim, clock: Callable[[], float]) -> bool:
    """Look at every device once; whether there was any."""
    left = interim.begin()
    while left:
        began = clock()
        while left and clock() - began < SLICE_SECONDS:
            left = interim.look()
        await asyncio.sleep(SPARING * (clock() - began) if left else 0.0)
    return interim.has_looked
