"""A live table on the terminal, drawn again some times a second by the event loop itself."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.control import Control
from rich.live import Live

from simulator.report.live_table import LiveTable

DUMB = frozenset({"dumb", "unknown"})
"""What TERM says of a terminal that cannot draw over what it has."""


def has_the_terminal() -> bool:
    """Whether stderr is a terminal that is this command's for now: in the background (`&`) a table would be drawn over
    whatever else is typed and printed there. One that cannot be drawn over gets lines, as a file does.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "").lower() in DUMB:
        return False
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal that controls us, or a system without such groups
        return True


def has_table(wanted: bool | None) -> bool:
    """Whether a play has a live table: as it is `wanted`, or None, where one can be drawn."""
    return has_the_terminal() if wanted is None else wanted


@asynccontextmanager
async def on_screen(table: LiveTable, shows: bool, console: Console | None = None) -> AsyncIterator[None]:
    """Show `table` on stderr, as it changes, if `shows`; its last state stays on the screen."""
    if not shows:
        yield
        return
    console = console or Console(stderr=True)
    width = console.width
    with Live(table, console=console, auto_refresh=False) as live:
        drawing = asyncio.create_task(_draw(live, table, console, width))
        try:
            yield
        finally:
            drawing.cancel()
            live.refresh()


async def _draw(live: Live, table: LiveTable, console: Console, width: int) -> None:
    """`width` is how wide the first frame was drawn."""
    while True:
        if console.width != width:
            width = console.width
            _start_anew(live, console)
        live.refresh()
        await asyncio.sleep(1 / table.frames_a_second)


def _start_anew(live: Live, console: Console) -> None:
    """On an empty screen: the terminal has broken the lines of the last frame anew, so nobody knows how many it has."""
    live.stop()
    console.control(Control.clear(), Control.home())
    live.start()
