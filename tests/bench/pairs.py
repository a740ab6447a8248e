"""`python -m tests.bench.pairs OTHER`: this tree against another, side by side.

OTHER is a directory with another version of the whole tree, as `git archive COMMIT | tar -x -C OTHER` makes it. Each
row is measured in pairs, in which either goes first in turn, by the load generator of this tree: round trips a second,
which is of use on a quiet machine, and the processor time of the server for each, which is of use on any.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import click
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.deletion import cpu_seconds
from tests.bench.load import Client, open_all

HERE: Final = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: requests that only read, or updates; with a store or without."""

    mode: str
    connections: int
    in_flight: int
    is_kept: bool = False

    @property
    def words(self) -> str:
        kind = {"jobs": "reads", "update": "updates"}[self.mode]
        kept = ", kept" if self.is_kept else ""
        return f"{kind}{kept}, {self.connections} connections, {self.in_flight} in flight"


ROWS: Final = (
    Row("jobs", 100, 8),
    Row("jobs", 1000, 1),
    Row("update", 100, 8),
    Row("update", 1000, 1),
    Row("update", 100, 8, is_kept=True),
    Row("update", 1000, 1, is_kept=True),
    Row("update", 1, 1, is_kept=True),
)


@contextmanager
def _cloud(tree: Path, row: Row) -> Iterator[tuple[str, int]]:
    """A cloud of that tree, with a job for each device if they update it: its MQTT endpoint and process id."""
    devices = row.connections if row.mode == "update" else 0
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "tests.bench.kept", str(devices)]
        command += [f"{directory}/state.db"] if row.is_kept else []
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment
        ) as process:
            assert process.stdin
            assert process.stdout
            yield json.loads(process.stdout.readline())["mqtt"], process.pid
            process.stdin.close()


async def _measure(row: Row, endpoint: str, process_id: int, seconds: float) -> tuple[float, float]:
    """Round trips a second, and microseconds of the server's processor time for each."""
    host, _, port = endpoint.rpartition(":")
    clients, _ = await open_all(lambda index: Client(row.mode, index), host, int(port), row.connections)
    for client in clients:
        client.go(row.in_flight)
    await asyncio.sleep(seconds / 4)
    cpu, before, start = cpu_seconds(process_id), sum(client.count for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    done, took = sum(client.count for client in clients) - before, time.perf_counter() - start
    cpu = cpu_seconds(process_id) - cpu
    for client in clients:
        client.is_running = False
        client.transport.close()
    return done / took, cpu / done * 1e6


def measured(tree: Path, row: Row, seconds: float) -> tuple[float, float]:
    with _cloud(tree, row) as (endpoint, process_id):
        return uvloop.run(_measure(row, endpoint, process_id, seconds))


@click.command()
@click.argument("other", type=click.Path(path_type=Path, exists=True))
@click.option("--pairs", default=10, help="How often each row is measured in either tree.")
@click.option("--seconds", default=3.0, help="How long each measurement lasts.")
@click.option("--row", "only", default="", help="Only rows whose words begin so.")
def main(other: Path, pairs: int, seconds: float, only: str) -> None:
    """Measure, and print medians of either tree, and of the ratios within pairs."""
    rows = [row for row in ROWS if row.words.startswith(only)]
    found: dict[Row, list[dict[Path, tuple[float, float]]]] = {row: [] for row in rows}
    trees = (other.resolve(), HERE)
    runs = [(number, row) for number in range(pairs) for row in rows]
    for number, row in track(runs, description="measuring", console=Console(stderr=True)):
        order = trees if number % 2 else trees[::-1]
        found[row].append({tree: measured(tree, row, seconds) for tree in order})
    table = Table(title=f"medians of {pairs} pairs of {seconds:g} s", title_justify="left")
    for heading in ("what", "other, /s", "this, /s", "ratio", "other, µs CPU", "this, µs CPU", "ratio"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in rows:
        cells = [row.words]
        for which, digits in ((0, 0), (1, 2)):
            cells += [f"{median(pair[tree][which] for pair in found[row]):,.{digits}f}" for tree in trees]
            cells.append(f"{median(pair[HERE][which] / pair[trees[0]][which] for pair in found[row]):.3f}")
        table.add_row(*cells)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
