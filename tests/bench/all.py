"""`python -m tests.bench --all`: every benchmark that has an aim, on one page.

Each part is a process of its own, one after the other, and prints rows (see `rows`). One that fails, takes too long, or
lacks its peer says so on the page, and the others go on. Another part is another line of `PARTS`.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final

from rich.console import Console
from rich.table import Table

from tests.bench.rows import Row, number, read


@dataclass(frozen=True, slots=True)
class Part:
    """A module of `tests.bench` that knows `--rows`, what it is given besides, and how many minutes it has."""

    name: str
    module: str
    given: tuple[str, ...]
    minutes: float


PARTS: Final = (
    Part("gateway", "tests.bench.gateway", ("--seconds", "3"), 2.5),
    Part("workers", "tests.bench.workers", ("--seconds", "2"), 1),
    Part("state", "tests.bench.state", ("--seconds", "2", "--repeat", "1"), 1),
    Part("store", "tests.bench.store", ("--size", "10000", "--size", "1000000"), 4),
    Part("deletion", "tests.bench.deletion", ("--repeat", "1", "--size", "10000"), 0.75),
    Part("virtual", "tests.bench.virtual", ("--devices", "500", "--repeat", "1"), 2.5),
    Part("live", "tests.bench.live", (), 4),
    Part("forecast", "tests.bench.forecast", (), 1),
    Part("explore", "tests.bench.explore", ("--seconds", "60"), 2.5),
    Part("judging", "tests.bench.judging", ("--repeat", "1"), 0.75),
)
"""In the order in which they are measured; twenty minutes at most."""
MET: Final = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}


def measure(part: Part) -> Iterator[Row]:
    """The rows of a part, as they come; what went wrong with it is the last of them."""
    command = [sys.executable, "-m", part.module, "--rows", *part.given]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True) as process,
    ):
        late = threading.Event()
        clock = threading.Timer(part.minutes * 60, _end, (process, late))
        clock.start()
        assert process.stdout
        yield from (row for line in process.stdout if (row := read(line)) is not None)
        status = process.wait()
        clock.cancel()
        if late.is_set():
            _end_what_is_left(process)
            yield Row(part.name, None, note=f"not done after {part.minutes:g} minutes")
        elif status:
            yield Row(part.name, None, note=f"failed: {_last_line(said)}")


def _end(process: subprocess.Popen[str], late: threading.Event) -> None:
    """It ends, and what it began: they are a group of their own."""
    late.set()
    os.killpg(process.pid, signal.SIGTERM)


def _end_what_is_left(process: subprocess.Popen[str]) -> None:
    """What it began may take its time to end, such as a fleet that is judged first: the next part needs the machine."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_line(said: IO[str]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said if line.strip()]
    return lines[-1] if lines else "it said nothing"


def page(parts: tuple[Part, ...], console: Console) -> tuple[Table, bool]:
    """Measure all of it, and say how far it is: the table, and whether nothing failed."""
    table = Table(title="ghostjob benchmarks", title_justify="left")
    for heading in ("benchmark", "what", "measured", "aim", "peer", "peer's", "ratio", ""):
        table.add_column(heading, justify="left" if heading in ("benchmark", "what", "peer", "") else "right")
    began, is_whole = time.monotonic(), True
    for place, part in enumerate(parts, 1):
        console.print(f"{time.monotonic() - began:5.0f} s  {place}/{len(parts)}  {part.name}", highlight=False)
        for row in measure(part):
            is_whole = is_whole and row.measured is not None
            console.print(f"         {row.what}: {number(row.measured)} {row.unit} {row.note}", highlight=False)
            table.add_row(part.name, *_cells(row))
        table.add_section()
    console.print(f"{time.monotonic() - began:5.0f} s  done", highlight=False)
    return table, is_whole


def _cells(row: Row) -> tuple[str, ...]:
    aim = "" if row.aim is None else f"{'≥' if row.more_is_better else '≤'} {number(row.aim)}"
    state = row.note if row.measured is None else MET[row.is_met]
    peer = f"{row.peer or ''}{f' ({row.note})' if row.note and row.measured is not None else ''}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return (row.what, f"{number(row.measured)} {row.unit}".strip(), aim, peer, number(row.peers), ratio, state)
