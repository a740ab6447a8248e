"""A live table on the terminal, drawn again some times a second by the event loop itself."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.live import Live

from simulator.report.live_table import LiveTable

FRAMES_A_SECOND = 12


def has_the_terminal() -> bool:
    """Whether stderr is a terminal that is this command's for now: in the background (`&`) a table would be drawn over
    whatever else is typed and printed there.
    """
    if not sys.stderr.isatty():
        return False
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal that controls us, or a system without such groups
        return True


@asynccontextmanager
async def on_screen(table: LiveTable, shows: bool, console: Console | None = None) -> AsyncIterator[None]:
    """Show `table` on stderr, as it changes, if `shows`; its last state stays on the screen."""
    if not shows:
        yield
        return
    with Live(table, console=console or Console(stderr=True), auto_refresh=False) as live:
        drawing = asyncio.create_task(_draw(live))
        try:
            yield
        finally:
            drawing.cancel()
            live.refresh()


async def _draw(live: Live) -> None:
    while True:
        live.refresh()
        await asyncio.sleep(1 / FRAMES_A_SECOND)
