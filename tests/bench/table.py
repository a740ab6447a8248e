"""`python -m tests.bench.table`: what the live table costs a run of the main scenario, by the number of its devices.

The trace is made first, in virtual time, and half of it fed to a table, which is then drawn as on a terminal, and fed
with the rest, timed by the CPU.
"""

import gc
import io
import time

import click
from rich.console import Console
from rich.table import Table

from agent.log import configure
from simulator.report.live_table import LiveTable
from simulator.scenario import load
from simulator.trace import Entry
from tests.bench.judging import trace_of

FRAMES = 20
SIZES = ((80, 24), (200, 50))


def fed(entries: list[Entry], table: LiveTable) -> float:
    """Microseconds an entry."""
    gc.collect()
    start = time.process_time()
    for entry in entries:
        table.feed(entry)
    return (time.process_time() - start) / len(entries) * 1e6


def drawn(table: LiveTable, width: int, height: int) -> float:
    """Milliseconds a frame."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height)
    start = time.process_time()
    for _ in range(FRAMES):
        console.print(table)
    return (time.process_time() - start) / FRAMES * 1000


def started(entries: list[Entry]) -> tuple[LiveTable, list[Entry]]:
    """A table in the middle of a run, and what is yet to come."""
    things = dict.fromkeys(entry.source.removeprefix("device/") for entry in entries if entry.source[:7] == "device/")
    table = LiveTable(load("main").about, dict.fromkeys(things))
    for entry in entries[: len(entries) // 2]:
        table.feed(entry)
    return table, entries[len(entries) // 2 :]


@click.command()
@click.option("--devices", "sizes", type=int, multiple=True, default=(10, 100, 1000))
def main(sizes: tuple[int, ...]) -> None:
    configure("text", "error")
    shown = Table(
        "devices", "entries", "µs an entry", "ms a frame 80×24", "ms a frame 200×50", "share of a CPU, drawing"
    )
    for devices in sizes:
        entries = trace_of(devices)
        table, rest = started(entries)
        frames = [drawn(table, *size) for size in SIZES]
        share = max(frames) * table.frames_a_second / 1000
        feeding = fed(rest, table)
        shown.add_row(
            str(devices), str(len(entries)), f"{feeding:.2f}", *(f"{each:.1f}" for each in frames), f"{share:.1%}"
        )
    Console().print(shown)


if __name__ == "__main__":
    main()
