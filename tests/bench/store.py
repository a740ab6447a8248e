"""`python -m tests.bench.store`: what each operation costs a cloud that holds a million executions.

Each size is made and asked in a process of its own (`tests.bench.large`), all of it written down with `--state`;
another process begins again with that. The peer of the largest is the same operation where there is a hundredth of it,
in the same run: what is done in one place takes no longer whatever else there is, and a start a hundred times as long.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from tests.bench.rows import Row, number, tell

SIZES: Final = (10_000, 100_000, 1_000_000)
FLAT: Final = 1.5
"""So many times as long as with a hundredth of it an operation may take."""
MOST_SECONDS, MOST_GIB = 240, 4
"""All of the largest, and what one of its processes may have."""
WHOLE: Final = {
    "making": "µs of CPU an execution, made and kept",
    "deleting": "µs of CPU an execution, force-deleted",
    "deleting_kept": "… with --state",
    "starting_each": "µs of CPU an execution, back after a restart",
    "bytes": "bytes an execution in memory then",
    "on_disk": "bytes an execution on the disk",
}
"""What is told of all executions, for each of them."""


def large(executions: int, path: Path, *more: str) -> dict[str, Any]:
    """What a process of its own measured."""
    command = [sys.executable, "-m", "tests.bench.large", str(executions), str(path), *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def measure(executions: int) -> dict[str, Any]:
    """Make it, ask it, and begin again with it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "state.db"
        return large(executions, path) | large(executions, path, "--back")


def compared(sizes: tuple[int, ...], measured: dict[int, dict[str, Any]]) -> Iterator[Row]:
    """The largest size beside the smallest."""
    small, most = measured[sizes[0]], measured[sizes[-1]]
    peer = f"with {sizes[0]:,} executions"
    for name, least in small["operations"].items():
        yield Row(f"{name}, {sizes[-1]:,}", most["operations"][name], "µs", FLAT * least, peer=peer, peers=least)
    for name, words in WHOLE.items():
        yield Row(f"{words}, of {sizes[-1]:,}", most[name], "", FLAT * small[name], peer=peer, peers=small[name])
    yield Row(f"s until {sizes[-1]:,} are back", most["starting"], "s")
    yield Row(f"GiB at most, of {sizes[-1]:,}", max(most["most_mib"], most["making_mib"]) / 1024, "GiB", MOST_GIB)
    yield Row(f"s to measure {sizes[-1]:,}", most["seconds"], "s", MOST_SECONDS)


def table_of(sizes: tuple[int, ...], measured: dict[int, dict[str, Any]]) -> Table:
    """One row for each operation."""
    table = Table(title="µs an operation, by how many executions there are", title_justify="left")
    table.add_column("operation")
    for heading in (*(f"{size:,}" for size in sizes), "ratio"):
        table.add_column(heading, justify="right")
    for name in measured[sizes[0]]["operations"]:
        values = [measured[size]["operations"][name] for size in sizes]
        table.add_row(name, *map(number, values), f"{values[-1] / values[0]:.2f}")
    table.add_section()
    for name, words in WHOLE.items():
        values = [measured[size][name] for size in sizes]
        table.add_row(words, *map(number, values), f"{values[-1] / values[0]:.2f}")
    table.add_section()
    for name, words in (("starting", "s until all are back"), ("most_mib", "MiB at most, starting")):
        table.add_row(words, *(number(measured[size][name]) for size in sizes))
    return table


@click.command()
@click.option("--size", "sizes", type=int, multiple=True, default=SIZES, help="So many executions.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(sizes: tuple[int, ...], has_rows: bool) -> None:
    """Measure, and print the table."""
    talk, measured = Console(stderr=True), dict[int, dict[str, Any]]()
    for size in sizes:
        talk.print(f"{size:,} executions", highlight=False)
        began = time.monotonic()
        measured[size] = measure(size)
        measured[size]["seconds"] = time.monotonic() - began
    if has_rows:
        tell(*compared(sizes, measured))
    else:
        Console().print(table_of(sizes, measured))


if __name__ == "__main__":
    main()
