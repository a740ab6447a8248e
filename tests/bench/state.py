"""`python -m tests.bench.state`: what it costs to forget nothing.

Round trips through the whole gateway, with and without a store: requests that only read, and updates, each of which is
on the disk before it is answered. And what a hundred thousand executions take on the disk, and to come back from there.
Everything is measured in this run, with one load generator, in turn; each is repeated, and the fastest counts.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.values import JobDocument
from simulator.cloud.jobs import Jobs, NewJob
from simulator.cloud.jobs.commands import CreateJob
from simulator.cloud.serving import _tame_collector
from simulator.cloud.store import Store
from tests.bench.gateway import load
from tests.bench.load import JOB
from tests.bench.memory import resident_kib
from tests.bench.rows import Row, tell

MODES: Final = {"jobs": "reads", "update": "updates"}
LOADS: Final = {"jobs": ((100, 8), (1000, 1)), "update": ((100, 8), (1000, 1), (1, 1))}
"""Connections, and how many requests each has in flight."""


@contextmanager
def cloud(devices: int, *state: Path) -> Iterator[dict[str, Any]]:
    """A cloud with a job for each device: its endpoints."""
    command = [sys.executable, "-m", "tests.bench.kept", str(devices), *map(str, state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def round_trips(mode: str, connections: int, in_flight: int, seconds: float, is_kept: bool) -> float:
    with tempfile.TemporaryDirectory() as directory:
        state = [Path(directory) / "state.db"] if is_kept else []
        with cloud(connections if mode == "update" else 0, *state) as endpoints:
            host, _, port = endpoints["mqtt"].rpartition(":")
            return load(mode, host, port, connections, in_flight, seconds)["round_trips_per_second"]


async def keep(executions: int, path: Path) -> dict[str, float]:
    """Have a job of that size kept."""
    store, jobs, now = Store(path), Jobs(), time.time()
    things = tuple(f"thing-{number:06}" for number in range(executions))
    start, cpu = time.perf_counter(), time.process_time()
    for outcome in (jobs.do(CreateJob(NewJob(JOB, things, JobDocument("{}"))), now), jobs.tick(now)):
        store.keep(outcome.changes)
    await store.settled()
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    await store.close()
    return {"keep_seconds": took, "keep_cpu": cpu}


def come_back(executions: int, path: Path) -> dict[str, float]:
    """Have it back."""
    _tame_collector()
    size, before, start, cpu = path.stat().st_size, resident_kib(), time.perf_counter(), time.process_time()
    store = Store(path)
    found = store.remembered()
    read = time.process_time() - cpu
    jobs = Jobs.restored(Jobs().settings, found.jobs, found.executions, time.time())
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert sum(jobs.counts(JOB).values()) == executions
    del found
    grown = (resident_kib() - before) * 1024
    return {
        "bytes": size / executions,
        "read_cpu": read,
        "load_cpu": cpu,
        "load_seconds": took,
        "memory": grown / executions,
    }


@click.command()
@click.option("--seconds", default=3.0, help="How long each round-trip measurement lasts.")
@click.option("--repeat", default=2, help="How often each is repeated.")
@click.option("--executions", default=100_000, help="How many executions are kept and come back.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
@click.option("--only", type=click.Choice(["keep", "come-back"]), hidden=True)
@click.option("--path", type=click.Path(path_type=Path), hidden=True)
def main(seconds: float, repeat: int, executions: int, has_rows: bool, only: str | None, path: Path | None) -> None:
    """Measure, and print the tables."""
    if path is not None:
        done = uvloop.run(keep(executions, path)) if only == "keep" else come_back(executions, path)
        print(json.dumps(done))
        return
    runs = [(mode, *sizes, kept) for mode in MODES for sizes in LOADS[mode] for kept in (False, True)] * repeat
    best: dict[tuple[str, int, int, bool], float] = {}
    for run in track(runs, description="measuring", console=Console(stderr=True)):
        mode, connections, in_flight, kept = run
        best[run] = max(best.get(run, 0.0), round_trips(mode, connections, in_flight, seconds, kept))
    if has_rows:
        for mode, words in MODES.items():
            for connections, in_flight in LOADS[mode]:
                without, kept = (best[mode, connections, in_flight, is_kept] for is_kept in (False, True))
                what = f"{words}/s with --state, {connections} connections, {in_flight} in flight"
                tell(Row(what, kept, "/s", peer="without --state", peers=without))
        return
    table = Table(title="round trips a second, with and without a store", title_justify="left")
    for heading in ("what", "without", "with --state", "ms each without", "with"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for mode, words in MODES.items():
        for connections, in_flight in LOADS[mode]:
            pair = [best[mode, connections, in_flight, kept] for kept in (False, True)]
            table.add_row(
                f"{words}, {connections} connections, {in_flight} in flight",
                *(f"{each:,.0f}" for each in pair),
                *(f"{connections * in_flight / each * 1000:.2f}" for each in pair),
            )
    Console().print(table)
    table = Table(title=f"{executions:,} executions of one job", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    with tempfile.TemporaryDirectory() as directory:
        alone = [sys.executable, "-m", "tests.bench.state", "--executions", str(executions)]
        alone += ["--path", f"{directory}/state.db", "--only"]
        one, other = (
            json.loads(subprocess.run([*alone, only], capture_output=True, text=True, check=True).stdout)
            for only in ("keep", "come-back")
        )
    for words, text in (
        ("to create them and have them on the disk", f"{one['keep_seconds']:.2f} s, {one['keep_cpu']:.2f} s of CPU"),
        ("on the disk, each", f"{other['bytes']:.0f} bytes"),
        ("to read them", f"{other['read_cpu']:.2f} s of CPU"),
        ("to read them, and go on", f"{other['load_seconds']:.2f} s, {other['load_cpu']:.2f} s of CPU"),
        ("in memory then, each", f"{other['memory']:.0f} bytes"),
    ):
        table.add_row(words, text)
    Console().print(table)


if __name__ == "__main__":
    main()
