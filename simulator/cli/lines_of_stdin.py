"""The lines of standard input as they come, for a verb that is told by them what to do."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

from simulator.cli.options import interrupt

LONGEST_LINE = 4096
"""Bytes of a line of stdin, which is a cell's id."""


def _lines(file: int) -> Iterator[bytes]:
    """What a file brings, line by line; of a longer one, its beginning."""
    begun = b""
    while more := os.read(file, LONGEST_LINE):
        *whole, begun = (begun + more).split(b"\n")
        yield from whole
        begun = begun[:LONGEST_LINE]
    if begun:
        yield begun


def lines_of_stdin() -> "asyncio.Queue[str | None]":
    """The lines of standard input as they come, None at its end.

    If it ends without a line, nobody wants anything any more: this process is interrupted, as by Ctrl-C. A thread reads
    it, since it may be anything: event loops take pipes only. It reads without Python's buffer, whose lock it would
    still hold as this process ends, which Python then does not survive.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        has_lines = False
        with suppress(RuntimeError):  # the loop is over
            for line in () if sys.stdin is None else _lines(sys.stdin.fileno()):  # None: it is closed
                has_lines = True
                loop.call_soon_threadsafe(lines.put_nowait, line.decode("utf-8", "replace"))
            loop.call_soon_threadsafe(lines.put_nowait, None)
            if not has_lines:
                interrupt()

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return lines
