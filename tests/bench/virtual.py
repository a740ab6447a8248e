"""`python -m tests.bench.virtual`: what a simulated device costs in virtual time, in CPU and in memory.

What is aimed at is one update with a force delete in it, every sector of it: `update-kept` is deleted just past the
point of no return and carried to its end, `update-taken-back` in the last step that can be taken back. Beside them the
main scenario: an update that is deleted in mid-write, and then another one to its end. All of hardware, agent, network
and service is in it. Everything is measured in this run, each in a process of its own, in turn; the fastest counts.
Last come fleets of which one device in a hundred plays, as `ghostjob run main` has them, judged, once each: what a
device costs is to be the same in the largest as in the smallest.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.rows import Row, tell

SMALL = 500
"""Memory is the difference between a fleet of so many devices and a larger one, so that what all share cancels out."""
TIMED = 500
"""So many devices are timed."""
LOOPS = 5
FLEETS = (10_000, 100_000, 1_000_000)
FEW_SECONDS, FEW_MIB = 120, 4096
"""What a million devices may take."""
MOST_KIB, MOST_MS = 4, 2
"""What a device may take that plays for itself."""
FLAT = 1.2
"""As many times as much as in the smallest fleet may a device of a larger one cost."""
SCENARIOS = {
    "update-kept": "one update, deleted past the leap",
    "update-taken-back": "one update, deleted before it",
    "main": "main: two updates, one deleted",
}


class Number(NamedTuple):
    """What was measured, and what is aimed at, at the most; None: nothing in particular."""

    what: str
    measured: float
    aim: float | None = None


class Runs:
    """What came of each."""

    def __init__(self, each: Sequence[tuple[str, str, int]]) -> None:
        self._of: dict[tuple[str, str, int], list[dict[str, float]]] = {}
        for run in track(each, description="measuring", console=Console(stderr=True)):
            self._of.setdefault(run, []).append(world(*run))

    def least(self, kind: str, name: str, size: int, value: str) -> float:
        """Of those that are alike."""
        return min(result[value] for result in self._of[kind, name, size])

    def most(self, kind: str, name: str, size: int, value: str) -> float:
        """Of those that are alike."""
        return max(result[value] for result in self._of[kind, name, size])


def world(what: str, scenario: str, devices: int) -> dict[str, float]:
    """What `tests.bench.world` measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.world", what, scenario, str(devices)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measured(devices: int, repeat: int) -> Iterator[Number]:
    """All of it, each as soon as it is known."""
    yield from memory(devices)
    yield from cpu(repeat)
    yield from fleets()


def memory(devices: int) -> Iterator[Number]:
    """Of a device, in a fleet that is larger by so many."""
    kinds = ("allocated", "resident")
    runs = Runs([(kind, "main", size) for kind in kinds for size in (SMALL, SMALL + devices)])
    for kind in kinds:
        small, large = (runs.least(kind, "main", size, "kib") for size in (SMALL, SMALL + devices))
        yield Number(f"KiB a device in mid-update, {kind}", (large - small) / devices, MOST_KIB)


def cpu(repeat: int) -> Iterator[Number]:
    """Of a device, where each plays."""
    timed = [(kind, name, TIMED) for name in SCENARIOS for kind in ("play", "judge")]
    runs = Runs([("first", "main", 1), *[("loop", "main", LOOPS), *timed] * repeat])
    for name, words in SCENARIOS.items():
        took = runs.least("play", name, TIMED, "ms_a_device")
        yield Number(f"CPU ms a device, {words}", took, None if name == "main" else MOST_MS)
        yield Number("… judged as well", runs.least("judge", name, TIMED, "ms_a_device"))
        yield Number("… its sectors and journal writes", runs.least("play", name, TIMED, "instants"))
    yield Number("CPU ms, the very first device", runs.least("first", "main", 1, "ms_a_device"))
    for kind, words in (("play", ""), ("judge", ", judged as well")):
        yield Number(f"devices/s, main{words}", runs.most(kind, "main", TIMED, "devices_a_second"))
    yield Number("CPU ms, a fixed piece of Python, to compare machines by", runs.least("loop", "main", LOOPS, "ms"))


def fleets() -> Iterator[Number]:
    """Of fleets of which not all play."""
    least = 0.0
    for size in FLEETS:
        runs = Runs([("fleet", "main", size)])
        seconds = runs.least("fleet", "main", size, "seconds")
        least = least or seconds / size
        yield Number(f"s, main with {size:,} devices, judged", runs.least("fleet", "main", size, "wall"), FEW_SECONDS)
        yield Number("… CPU s", seconds)
        yield Number("… CPU µs a device", seconds / size * 1e6, round(FLAT * least * 1e6, 1))
        yield Number("… MiB at the most", runs.least("fleet", "main", size, "mib"), FEW_MIB)


@click.command()
@click.option("--devices", default=2000, help="How much larger the large fleet is than the small one.")
@click.option("--repeat", default=3, help="How often each run is repeated; the fastest counts.")
@click.option("--rows", "has_rows", is_flag=True, help="Print rows for `--all`.")
def main(devices: int, repeat: int, has_rows: bool) -> None:
    """Measure, and print the table."""
    if has_rows:
        for number in measured(devices, repeat):
            tell(Row(number.what, number.measured, aim=number.aim))
        return
    table = Table(
        title=f"virtual time (memory: {SMALL} and {SMALL + devices} devices; CPU: {TIMED})", title_justify="left"
    )
    for heading in ("what", "measured", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, value, aim in measured(devices, repeat):
        table.add_row(what, f"{value:,.1f}", "" if aim is None else f"≤ {aim:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
