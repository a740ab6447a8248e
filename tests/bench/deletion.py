"""`python -m tests.bench.deletion`: what the deletion of a big job costs, and what other devices notice of it.

The cloud is a process of its own; so are the other devices, which ask for their pending executions over MQTT, some
hundred times a second each at its own pace, first in peace and then while the job is force-deleted, without and with
`--state`. Everything is measured in this run; a size is repeated, and the run with the lowest 99th percentile in peace
counts.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.crowded import JOB
from tests.bench.load import Timed, open_all
from tests.bench.rows import Row, tell

SIZES: Final = (1_000, 10_000, 100_000)
LOOK_SECONDS: Final = 5e-6
"""So long an execution between two looks whether the job is gone; a look costs more than a device's request."""


class Asking(Timed):
    """A device that asks so many times a second, and notes how long each answer took."""

    def __init__(self, index: int) -> None:
        super().__init__("jobs", index)

    def ask(self) -> None:
        self.go(1)
        self.is_running = False  # the next one is not sent by the answer


@contextmanager
def crowded(executions: int, *state: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """A cloud with that job: endpoints and process id."""
    command = [sys.executable, "-m", "tests.bench.crowded", str(executions), *map(str, state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield json.loads(process.stdout.readline()), process.pid
        process.stdin.close()


def cpu_seconds(process_id: int) -> float:
    """What a process has used so far, to 10 ms."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def call(method: str, url: str) -> int:
    """The status of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def measure(
    executions: int, is_kept: bool, devices: int, rate: float, seconds: float, directory: Path
) -> dict[str, float]:
    with crowded(executions, *([directory / "state.db"] if is_kept else [])) as (endpoints, process_id):
        host, _, port = endpoints["mqtt"].rpartition(":")
        clients, _ = await open_all(Asking, host, int(port), devices)
        url, loop, stop = f"{endpoints['api']}/jobs/{JOB}", asyncio.get_running_loop(), asyncio.Event()

        async def keep_asking(client: Asking, late: float) -> None:
            await asyncio.sleep(late)
            while not stop.is_set():
                client.ask()
                await asyncio.sleep(1 / rate)

        asking = [
            asyncio.create_task(keep_asking(client, index / devices / rate)) for index, client in enumerate(clients)
        ]
        await asyncio.sleep(1)
        _take(clients)
        before = cpu_seconds(process_id)
        await asyncio.sleep(seconds)
        idle_cpu, peace = (cpu_seconds(process_id) - before) / seconds, _take(clients)
        before, start = cpu_seconds(process_id), time.perf_counter()
        await loop.run_in_executor(None, call, "DELETE", f"{url}?force=true")
        while await loop.run_in_executor(None, call, "GET", url) != 404:  # noqa: ASYNC110 - it is elsewhere
            await asyncio.sleep(max(0.05, executions * LOOK_SECONDS))
        took, during = time.perf_counter() - start, _take(clients)
        cpu = cpu_seconds(process_id) - before - idle_cpu * took
        stop.set()
        await asyncio.gather(*asking)
        for client in clients:
            client.transport.close()
    return {
        "peace_p50": _part(peace, 0.5),
        "peace_p99": _part(peace, 0.99),
        "peace_max": peace[-1],
        "during_p50": _part(during, 0.5),
        "during_p99": _part(during, 0.99),
        "during_max": during[-1],
        "answers": len(during),
        "wall_us": took / executions * 1e6,
        "cpu_us": cpu / executions * 1e6,
        "seconds": took,
    }


def _take(clients: list[Any]) -> list[float]:
    found = sorted(seconds for client in clients for seconds in client.seconds)
    for client in clients:
        client.seconds.clear()
    return found


def _part(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]


def measure_all(sizes: tuple[int, ...], repeat: int, *how: float) -> Iterator[tuple[int, bool, list[dict[str, float]]]]:
    """What each size took, and whether it was kept."""
    for size, is_kept in track(
        [(size, kept) for size in sizes for kept in (False, True)], "measuring", console=Console(stderr=True)
    ):
        results = list[dict[str, float]]()
        for _ in range(repeat):
            with tempfile.TemporaryDirectory() as directory:
                devices, rate, seconds = how
                results.append(uvloop.run(measure(size, is_kept, int(devices), rate, seconds, Path(directory))))
        yield size, is_kept, results


def _rows(size: int, is_kept: bool, results: list[dict[str, float]]) -> Iterator[Row]:
    best, words = min(results, key=lambda result: result["peace_p99"]), f"of {size:,}{', --state' if is_kept else ''}"
    peace = best["peace_p99"] * 1000
    yield Row(f"µs of CPU an execution force-deleted, {words}", min(result["cpu_us"] for result in results), "µs")
    yield Row(f"others' p99 meanwhile, {words}", best["during_p99"] * 1000, "ms", 2 * peace, False, "in peace", peace)


@click.command()
@click.option("--devices", default=100, help="Other devices.")
@click.option("--rate", default=10.0, help="How often each of them asks in a second.")
@click.option("--seconds", default=4.0, help="How long they ask in peace.")
@click.option("--repeat", default=3, help="How often each size is measured.")
@click.option("--size", "sizes", type=int, multiple=True, default=SIZES, help="So many executions.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: int, rate: float, seconds: float, repeat: int, sizes: tuple[int, ...], has_rows: bool) -> None:
    """Measure, and print the table."""
    table = Table(
        title=f"the deletion of one job, while {devices} devices do {devices * rate:g} round trips a second",
        title_justify="left",
    )
    for heading in ("executions", "µs CPU each", "s in all", "p50 ms", "… deleting", "p99 ms", "… deleting", "ratio"):
        table.add_column(heading, justify="right")
    table.add_column("longest ms", justify="right")
    for size, is_kept, results in measure_all(sizes, repeat, devices, rate, seconds):
        if has_rows:
            tell(*_rows(size, is_kept, results))
            continue
        best = min(results, key=lambda result: result["peace_p99"])
        ratio = best["during_p99"] / best["peace_p99"]
        parts = [best[name] * 1000 for name in ("peace_p50", "during_p50", "peace_p99", "during_p99")]
        shown = [f"{part:.2f}" for part in parts]
        cpu = min(result["cpu_us"] for result in results)
        table.add_row(
            f"{size:,}{', --state' if is_kept else ''}",
            f"{cpu:.1f}",
            f"{best['seconds']:.2f}",
            *shown,
            f"{ratio:.2f}",
            f"{best['during_max'] * 1000:.1f}",
        )
    if not has_rows:
        Console().print(table)


if __name__ == "__main__":
    main()
