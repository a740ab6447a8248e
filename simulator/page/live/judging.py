"""The verdict so far on the live page: a few devices at a time, lest the run stands still while it is being judged."""

import asyncio
import time
from typing import Final

from agent.log import get_logger
from simulator.own_fault import in_words
from simulator.page.live.sparing import paid
from simulator.page.picture import Picture
from simulator.verdict import Judge
from simulator.verdict.interim import Interim

ROUND_SECONDS: Final = 1.0
"""So often it is judged at most."""
SLICE_SECONDS: Final = 0.005
"""For so long devices are looked at before the run has its turn."""
TURN_SECONDS: Final = 1.0
"""For so long at most the run then has it: of what a busy machine leaves it, that is as much as is due or nearly."""


async def keep_judging(picture: Picture, judge: Judge, looked_at: asyncio.Event) -> None:
    """Have `picture` know what `judge` holds so far, as long as this runs, while anybody looks."""
    interim = Interim(judge)
    while True:
        await looked_at.wait()
        began = time.monotonic()
        try:
            await _look(interim)
            concluding = time.thread_time()
            if interim.has_looked:
                picture.judged(interim.verdict(), final=False)
            cost = time.thread_time() - concluding
        except Exception as error:  # whatever it is: the run goes on, and is judged in the end
            why, then = in_words(error, "judging meanwhile"), "the page shows no verdict before the end"
            get_logger("ghostjob.page").error("judging.failed", why=why, then=then)
            return
        await asyncio.sleep(max(ROUND_SECONDS - (time.monotonic() - began), 0.0))
        await paid(cost, TURN_SECONDS)


async def _look(interim: Interim) -> None:
    """Look at every device once."""
    left = interim.begin()
    while left:
        began, work_began = time.perf_counter(), time.thread_time()
        while left and time.perf_counter() - began < SLICE_SECONDS:
            left = interim.look()
        if left:
            await paid(time.thread_time() - work_began, TURN_SECONDS)
