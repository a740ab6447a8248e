"""`python -m tests.bench.judging`: what it costs to judge the main scenario, by the number of its devices.

The trace is made first, in virtual time; then it is fed to a judge, timed by the CPU, and once more for the memory
that the judge holds at the end.
"""

import gc
import time
import tracemalloc

import click
from rich.console import Console
from rich.table import Table

from agent.log import configure
from simulator.scenario import load
from simulator.trace import Entry
from simulator.verdict import Judge
from tests.bench.rows import Row, tell
from tests.bench.world import play


def trace_of(devices: int) -> list[Entry]:
    entries: list[Entry] = []
    play(load("main"), devices, entries.append)
    return entries


def fed(entries: list[Entry]) -> Judge:
    judge = Judge()
    for entry in entries:
        judge.feed(entry)
    return judge


def microseconds_an_entry(entries: list[Entry]) -> float:
    gc.collect()
    start = time.process_time()
    fed(entries)
    return (time.process_time() - start) / len(entries) * 1e6


def milliseconds_a_verdict(judge: Judge) -> float:
    start = time.process_time()
    judge.verdict()
    return (time.process_time() - start) * 1000


def kib_held(devices: int) -> float:
    """Of the judge alone: what an entry and its event are made of is gone with the trace."""
    entries = trace_of(devices)
    tracemalloc.start()
    judge = fed(entries)
    entries.clear()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / 1024
    tracemalloc.stop()
    judge.verdict()
    return held


@click.command()
@click.option("--repeat", default=3, help="How often each time is taken; the shortest counts.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
@click.argument("devices", nargs=-1, type=int)
def main(repeat: int, has_rows: bool, devices: tuple[int, ...]) -> None:
    """Measure, and print the table."""
    configure("text", "error")
    table = Table(title="judging main, by devices", title_justify="left")
    for heading in ("devices", "entries", "µs an entry", "ms a verdict", "KiB held a device"):
        table.add_column(heading, justify="right")
    for count in devices or (10, 100, 1000):
        entries = trace_of(count)
        entry = min(microseconds_an_entry(entries) for _ in range(repeat))
        judge = fed(entries)
        verdict = min(milliseconds_a_verdict(judge) for _ in range(repeat))
        number = len(entries)
        del entries, judge
        if has_rows:
            tell(Row(f"µs an entry judged, {count:,} devices", entry, "µs"))
            tell(Row(f"ms a verdict, {count:,} devices", verdict, "ms"))
            continue
        row = (f"{count:,}", f"{number:,}", f"{entry:.1f}", f"{verdict:,.1f}", f"{kib_held(count) / count:.1f}")
        table.add_row(*row)
    if not has_rows:
        Console().print(table)


if __name__ == "__main__":
    main()
